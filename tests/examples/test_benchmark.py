"""The benchmark runs, on any backend, and writes what it prints; the limits of its numbers are for a quiet machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *arguments: str, script: str = "benchmarks/explaining.py") -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_all_parts(tmp_path: Path) -> None:
    backend = keras.backend.backend()
    printed = run(tmp_path, "--quick", "--models", "small", "--backend", backend, "--json", "b.json", "--plot", "b.png")
    found = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert found["backend"] == backend
    speed = found["speed"]["small CNN"]
    assert speed["plain_seconds"] > 0
    assert {"keras_lime", "lime as it comes"} <= set(speed["over_plain"])
    errors = found["accuracy"]["small CNN"]["chelsea"]["errors"]
    assert list(errors) == ["lime 64", "lime 128", "balanced 64", "proxy 64"]
    assert all(0 <= error < 10 for error in errors.values())
    assert found["time"]["small CNN"]["samples"]["others"] == 128
    assert found["memory"]["explain_mb"] > 50
    assert found["callback"]["share_of_epoch"] > 0
    assert [row[0] for row in found["linear"]["probes"]] == [1, 2, 3]
    assert set(found["start"]) == {"serial", "threads"}
    assert (tmp_path / "b.png").read_bytes()[:4] == b"\x89PNG"
    for part in ("plain forward passes", "error over the spread", "Peak memory", "Cost over samples", "Planning"):
        assert part in printed


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one backend is enough")
def test_limits_and_standard_errors(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 100), keras.layers.Flatten()])
    model.add(keras.layers.Dense(30, activation="tanh"))
    model.add(keras.layers.Dense(3, activation="softmax", kernel_initializer="random_normal"))
    model.layers[-1].kernel.assign(10 * model.layers[-1].kernel)
    model.save(tmp_path / "m.keras")
    arguments = ["--model", "m.keras", "--pool", "2000", "--sizes", "200", "--repetitions", "20"]
    printed = run(tmp_path, *arguments, "--balanced-repetitions", "6", script="studies/standard_errors.py")
    rows = {line.split()[0]: [float(value) for value in line.split()[1:]] for line in printed.splitlines()[-3:]}
    assert set(rows) == {"bernoulli", "balanced", "proxy"}
    for values in rows.values():
        assert values[0] == 200
        assert 0.8 < values[1] <= 1
        assert 0.8 < values[2] <= 1
        assert values[3] > 0.4


def test_what_the_shortcut_tests_cost(tmp_path: Path) -> None:
    printed = run(tmp_path, "--quick", script="benchmarks/shortcut_cost.py")
    rows = [line.split("|") for line in printed.splitlines() if line.startswith(("| masks", "| estimated"))]
    assert len(rows) == 2
    assert all(10 <= float(row[2]) <= 20 for row in rows)
