"""Every warning is a `LimeWarning` that points at the user's line."""

import ast
import inspect
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_lime
from keras_lime import LimeCallback, LimeWarning, ProbeSet, explain
from keras_lime.exceptions import warn

ODD = np.linspace(-5, 5, 8 * 8 * 3, dtype=np.float32).reshape(8, 8, 3)


def _score(batch: np.ndarray) -> np.ndarray:
    return np.stack([batch.mean(axis=(1, 2, 3)), 1 - batch.mean(axis=(1, 2, 3))], axis=1)


def _explains(folder: Path) -> None:
    explain(_score, ODD, output="regression", num_samples=64, segmentation="grid", n_segments=9)


def _segments(folder: Path) -> None:
    explain(_score, ODD / 5, output="regression", num_samples=64, segmentation=lambda picture: picture[..., 0] > 0.5)


def _fits(folder: Path) -> None:
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
    model.compile(loss="sparse_categorical_crossentropy")
    callback = LimeCallback(ProbeSet(np.stack([ODD, -ODD])), folder, num_samples=64, segmentation="grid", n_segments=9)
    model.fit(np.stack([ODD, -ODD]), np.array([0, 1]), verbose=0, callbacks=[callback])


@pytest.mark.parametrize("warns", [_explains, _segments, _fits])
def test_a_warning_points_at_the_users_line(tmp_path: Path, warns: Callable[[Path], None]) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warns(tmp_path)
    lines, first = inspect.getsourcelines(warns)
    places = [(each.filename, each.lineno) for each in caught if each.category is LimeWarning]
    assert places
    for file, line in places:
        assert file == __file__
        assert first < line < first + len(lines)


def test_a_warning_from_a_thread_is_given_all_the_same() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=warn, args=("Look out.",))
        thread.start()
        thread.join()
    assert [str(each.message) for each in caught] == ["Look out."]


def test_warnings_are_given_in_one_place_alone() -> None:
    root = Path(keras_lime.__file__).parent
    for file in root.rglob("*.py"):
        calls = [ast.unparse(node.func) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        assert "warnings.warn" not in calls, f"{file}: use keras_lime.exceptions.warn"
