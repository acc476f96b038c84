"""Superpixels found in threads are those found one after another; a script needs no guard for it."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_lime.core import parallel
from keras_lime.core.parallel import map_all
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import Settings
from keras_lime.exceptions import LimeWarning
from tests.support.models import photo


def _name(_: int) -> str:
    return threading.current_thread().name


def test_threads_only_where_the_rest_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_cores", lambda: 3)
    assert map_all(_name, range(50)) == ["MainThread"] * 50

    def slow(thing: int) -> tuple[int, str]:
        time.sleep(0.05)
        return thing, _name(thing)

    found = map_all(slow, range(30))
    assert [thing for thing, _ in found] == list(range(30))
    assert found[0][1] == "MainThread"
    assert {name.split("_")[0] for _, name in found[1:]} == {"keras"}
    assert len({name for _, name in found[1:]}) == 3
    assert {name for _, name in map_all(slow, range(25), thread_safe=False)} == {"MainThread"}
    monkeypatch.setattr(parallel, "_cores", lambda: 1)
    assert {name for _, name in map_all(slow, range(25))} == {"MainThread"}


def test_nothing_and_errors() -> None:
    assert map_all(_name, []) == []
    with pytest.raises(ZeroDivisionError):
        map_all(lambda each: 1 // (3 - each), range(5))


@pytest.mark.parametrize("method", ["slic", "quickshift", "felzenszwalb", "grid"])
def test_plans_are_the_same_bits(method: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [photo(64, seed) for seed in range(6)]
    settings = Settings(segmentation=method, num_samples=300)
    serial = make_plans(images, settings)
    monkeypatch.setattr(parallel, "PATIENCE", 0.0)
    monkeypatch.setattr(parallel, "_cores", lambda: 4)
    for one, other in zip(serial, make_plans(images, settings), strict=True):
        np.testing.assert_array_equal(one.segmentation.labels, other.segmentation.labels)
        np.testing.assert_array_equal(one.neighborhood.masks, other.neighborhood.masks)


def test_warnings_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "PATIENCE", 0.0)
    monkeypatch.setattr(parallel, "_cores", lambda: 2)
    with pytest.warns(LimeWarning, match="4 superpixels: too few") as caught:
        make_plans([photo(64, seed) for seed in range(3)], Settings(segmentation="grid", n_segments=4))
    # The same sentence for three images is said once, at the user's line.
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_script_without_a_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from keras_lime.core import parallel\n"
        "from keras_lime.core.plan import make_plans\n"
        "from keras_lime.core.settings import Settings\n"
        "from tests.support.models import photo\n"
        "parallel.PATIENCE = 0.0\n"
        "print('plans', len(make_plans([photo(64, seed) for seed in range(4)], Settings())))\n"
        "print('keras' in sys.modules)\n"
    )
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stdout.split() == ["plans", "4", "False"]
