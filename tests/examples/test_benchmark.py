"""The benchmark runs, on any backend, and writes what it prints; the limits of its numbers are for a quiet machine."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/benchmarks/explaining.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def run_here(script: str, *arguments: str) -> None:
    """Runs a script's `main` in this process, which has its Keras already."""
    runpy.run_path(str(ROOT / "examples" / script))["main"](arguments)


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
    assert [way["made"] for way in found["callback"].values()] == [192, 192]
    assert all(way["share"] > 0 for way in found["callback"].values())
    assert [row[0] for row in found["linear"]["probes"]] == [1, 2, 3]
    assert set(found["start"]) == {"serial", "threads"}
    assert (tmp_path / "b.png").read_bytes()[:4] == b"\x89PNG"
    for part in ("plain forward passes", "error over the spread", "Peak memory", "Cost over samples", "Planning"):
        assert part in printed


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="one backend is enough")
def test_limits_and_standard_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Rescaling(1 / 100), keras.layers.Flatten()])
    model.add(keras.layers.Dense(30, activation="tanh"))
    model.add(keras.layers.Dense(3, activation="softmax", kernel_initializer="random_normal"))
    model.layers[-1].kernel.assign(10 * model.layers[-1].kernel)
    model.save(tmp_path / "m.keras")
    arguments = ["--model", str(tmp_path / "m.keras"), "--pool", "2000", "--sizes", "200", "--repetitions", "20"]
    run_here("studies/standard_errors.py", *arguments, "--balanced-repetitions", "6")
    printed = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: [float(value) for value in line.split()[1:]] for line in printed[-3:]}
    assert set(rows) == {"bernoulli", "balanced", "proxy"}
    for values in rows.values():
        assert values[0] == 200
        assert 0.8 < values[1] <= 1
        assert 0.8 < values[2] <= 1
        assert values[3] > 0.4


def test_what_the_shortcut_tests_cost(capsys: pytest.CaptureFixture[str]) -> None:
    run_here("benchmarks/shortcut_cost.py", "--quick")
    rows = [
        line.split("|") for line in capsys.readouterr().out.splitlines() if line.startswith(("| masks", "| estimated"))
    ]
    assert len(rows) == 2
    assert all(10 <= float(row[2]) <= 20 for row in rows)


@pytest.mark.slow
def test_two_checkouts_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    run_here("benchmarks/against.py", str(ROOT), "--rounds", "1", "--repeats", "1")
    assert capsys.readouterr().out.count("of the other's time") == 3
