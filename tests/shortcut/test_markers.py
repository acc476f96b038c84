"""The search for markers, on readers of which it is known what they read."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.core.display import Display
from keras_lime.shortcut.marker_search import MarkerSearch
from keras_lime.shortcut.markers import grid_weights, make_marker_plan, run_halving
from keras_lime.shortcut.protocol import ProbeData, prepare_test, run_test
from keras_lime.shortcut.results import Predictions, Status, TestResult

SIZE = 32


def _dots(n: int = 32, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """Grey squares in the middle, and at any place off them a dot whose colour tells the class."""
    rng = np.random.default_rng(seed)
    images = rng.integers(118, 138, (n, SIZE, SIZE, 3)).astype(np.uint8)
    labels, masks = np.arange(n) % 2, np.zeros((n, SIZE, SIZE), bool)
    masks[:, 12:20, 12:20] = True
    images[masks] = 60
    for image, label in zip(images, labels, strict=True):
        top, left = rng.choice([2, 24]), rng.integers(1, 27)
        image[top : top + 4, left : left + 4] = (250, 0, 0) if label else (0, 0, 250)
    return images, labels, masks


class _DotReader:
    """Goes by the reddest and the bluest pixel of an image."""

    def __init__(self) -> None:
        self.passes = 0

    def score_images(self, images: Iterable[Any]) -> NDArray[np.float64]:
        shown = np.stack([np.asarray(image, np.float64) for image in images])
        self.passes += len(shown)
        tint = (shown[..., 0] - shown[..., 2]).reshape(len(shown), -1)
        red = 1 / (1 + np.exp(-(tint.max(axis=1) + tint.min(axis=1)) / 40))
        return np.stack([1 - red, red], axis=1)


class _SquareReader:
    """Goes by the middle of an image alone."""

    def score_images(self, images: Iterable[Any]) -> NDArray[np.float64]:
        shown = np.stack([np.asarray(image, np.float64) for image in images])
        bright = shown[:, 12:20, 12:20].mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - bright, bright], axis=1)


def _run(
    reader: Any,
    images: NDArray[Any],
    labels: NDArray[np.int64],
    masks: NDArray[np.bool_] | None,
    *,
    thorough: bool = True,
) -> TestResult:
    names = tuple(f"blue {row}.png" for row in range(len(images)))
    probes = ProbeData(images, Display.of(images), labels, masks, class_names=("blue", "red"), names=names)
    scores = reader.score_images(images)
    predictions = Predictions(scores.argmax(axis=1), scores.max(axis=1), 2, ("blue", "red"))
    return run_test(prepare_test(MarkerSearch(), probes, thorough), probes, reader, predictions, 0.1)


@pytest.mark.parametrize(("thorough", "passes", "strength"), [(True, 1 + 1 + 160 + 9, 0.3), (False, 1 + 10, 0.3)])
def test_a_dot_at_any_place_is_found_and_shown(thorough: bool, passes: int, strength: float) -> None:
    images, labels, masks = _dots()
    reader = _DotReader()
    result = _run(reader, images, labels, masks, thorough=thorough)
    assert result.status is Status.ALARM
    assert result.statistics["marker_strength"] > strength
    scores = result.details
    dots = np.ptp(images.astype(int), axis=-1) > 100
    found = [
        dots[row, top:bottom, left:right].sum()
        for row, (top, left, bottom, right) in zip(scores.rows, scores.blocks, strict=True)
    ]
    assert np.mean(np.array(found) >= 8) > 0.9
    assert reader.passes == 32 * passes
    assert result.findings is not None
    told = MarkerSearch().alarm_sentence(result.findings, result.measurements[:2], "for 1 measurement in a row")
    strongest = int(scores.rows[scores.strengths.argmax()])
    assert told.startswith("small things off the object carry 0.")
    assert f"Look at blue {strongest}.png, rows " in told
    guessed = replace(result.findings, details=replace(scores, estimated=True, names=()))
    suspected = MarkerSearch().alarm_sentence(guessed, result.measurements[:2], "for 1 measurement in a row")
    assert suspected.startswith("Suspicion, by estimated outlines: small things off the object carry 0.")
    assert f"Look at image {strongest}, rows " in suspected
    assert MarkerSearch().sentence(guessed).startswith("By estimated outlines, small things off the object carry 0.")
    (values,) = result.findings.probe_values.values()
    assert values.shape == (32,)
    assert np.nanmean(values) == pytest.approx(result.statistics["marker_strength"])


@pytest.mark.parametrize("thorough", [True, False])
def test_a_reader_of_the_object_has_none(thorough: bool) -> None:
    images, labels, masks = _dots()
    images[masks] = np.repeat(np.where(labels, 230, 20), 64)[:, None]
    result = _run(_SquareReader(), images, labels, masks, thorough=thorough)
    assert result.status is Status.PASSED
    assert abs(result.statistics["marker_strength"]) < 0.01


def test_few_images_and_no_room_give_no_verdict() -> None:
    images, labels, masks = _dots(8)
    images[masks] = np.repeat(np.where(labels, 230, 20), 64)[:, None]
    for thorough in (True, False):
        assert _run(_SquareReader(), images, labels, masks, thorough=thorough).status is Status.CANNOT_SAY
    masks[:, 2:-2, 2:-2] = True
    assert not len(_plan(images, labels, masks).rows)
    masks[:] = True
    masks[:, 0, 0] = False
    predicted = labels.astype(np.int64)
    assert run_halving(images, masks, labels, predicted, np.ones(8), _SquareReader()) is None
    assert _run(_SquareReader(), images, labels, None).status is Status.NOT_TESTED


def _plan(images: NDArray[Any], labels: NDArray[np.int64], masks: NDArray[np.bool_]) -> Any:
    return make_marker_plan(images, masks, np.zeros(masks.shape), labels, labels)


def test_weights_of_what_is_read() -> None:
    images, _, masks = _dots(4)
    images[masks] = 250
    weights = grid_weights(images, np.full(3, 0.0), np.ones(4, np.int64), _SquareReader())
    assert weights.shape == (4, SIZE, SIZE)
    assert (weights[masks].min() > 5 * np.abs(weights[~masks]).max()).all()
    grey = grid_weights(images[..., 0], np.zeros(1), np.ones(4, np.int64), _Grey())
    np.testing.assert_allclose(grey, weights)


class _Grey(_SquareReader):
    def score_images(self, images: Iterable[Any]) -> NDArray[np.float64]:
        return super().score_images(np.repeat(np.asarray(image)[..., None], 3, axis=-1) for image in images)
