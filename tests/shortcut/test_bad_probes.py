"""Probes that no test can be made with, and a model that reads their backgrounds: no alarm, but the reason why not."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.shortcut.monitor import EpochTests, ShortcutMonitor
from keras_lime.shortcut.results import Status
from tests.support.worlds import Reader, background_reader, squares

Arrays = tuple[NDArray[Any], NDArray[np.int64], NDArray[np.bool_] | None]


def _judged(images: NDArray[Any], labels: NDArray[np.int64], masks: NDArray[np.bool_] | None) -> EpochTests:
    """The second epoch of a model that reads the probes' backgrounds."""
    reader: Reader = background_reader()
    monitor = ShortcutMonitor(images, labels, masks, outlines="estimate")
    scores = reader.score_images(images)
    classes, values = scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist()
    for epoch in (0, 1):
        tests = monitor.test(epoch, reader, classes, values, {"accuracy": 0.95})
    return tests


def _empty() -> Arrays:
    images, labels, masks = squares(32)
    return images, labels, np.zeros_like(masks)


def _full() -> Arrays:
    images, labels, masks = squares(32)
    return images, labels, np.ones_like(masks)


def _one_class() -> Arrays:
    images, labels, masks = squares(32)
    return images, np.zeros_like(labels), masks


def _two_a_class() -> Arrays:
    return squares(8)


def _one_colour() -> Arrays:
    images, labels, _ = squares(32)
    images[:] = 90
    return images, labels, None


def _tiny() -> Arrays:
    images, labels, _ = squares(32)
    return images[:, ::4, ::4], labels, None


def _tiny_and_full() -> Arrays:
    images, labels, _ = squares(32)
    return images[:, ::4, ::4], labels, np.ones((32, 8, 8), bool)


def _scenes_without_an_object() -> Arrays:
    rng = np.random.default_rng(0)
    return rng.integers(80, 120, (32, 32, 32, 3)).astype(np.uint8), np.arange(32) % 4, None


@pytest.mark.parametrize(
    ("material", "status", "reason"),
    [
        (_empty, Status.NOT_TESTED, "cover nothing, or all of the picture"),
        (_full, Status.NOT_TESTED, "cover nothing, or all of the picture"),
        (_one_class, Status.NOT_TESTED, "no backgrounds of other classes"),
        (_two_a_class, Status.CANNOT_SAY, "8 probes are too few for a verdict"),
        (_one_colour, Status.CANNOT_SAY, "the image is of one colour"),
        (_tiny, Status.CANNOT_SAY, "images of 8×8 pixels are too small"),
        (_tiny_and_full, Status.NOT_TESTED, "cover nothing, or all of the picture"),
        (_scenes_without_an_object, Status.CANNOT_SAY, "objects hardly stand out"),
    ],
)
def test_no_alarm_from_thin_air(material: Any, status: Status, reason: str) -> None:
    tests = _judged(*material())
    assert not tests.verdict.alarm
    assert tests.verdict.status is status
    assert reason in tests.verdict.message
    assert not any(measurement.fires for result in tests.results for measurement in result.measurements)
    swap = next(result for result in tests.results if result.test == "swap")
    assert swap.remedy


def test_the_same_model_and_good_probes_give_an_alarm() -> None:
    assert _judged(*squares(32)).verdict.alarm
