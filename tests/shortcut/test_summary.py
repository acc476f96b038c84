"""The object share: how much of the positive weight lies on the object."""

from dataclasses import replace

import numpy as np
import pytest

from keras_lime.core.explanation import Explanation
from keras_lime.core.localisation import object_share
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.surrogate import Fit
from keras_lime.shortcut import summarise
from tests.core.test_explanation import make

QUARTERS = Segmentation.from_labels(np.array([[0, 1], [2, 3]]).repeat(4, 0).repeat(4, 1))


def _with(coef: list[list[float]], mask: np.ndarray | None, label: int | None = 1, r2: float = 0.5) -> Explanation:
    rows = len(coef)
    fit = Fit(np.array(coef), np.zeros(rows), np.full(rows, r2), np.zeros(rows))
    return replace(
        make(), fit=fit, segmentation=QUARTERS, object_mask=mask, label=label, picture=np.zeros((8, 8, 3), np.uint8)
    )


def _mask(*quarters: int) -> np.ndarray:
    return np.isin(QUARTERS.labels, quarters)


@pytest.mark.parametrize(
    ("weights", "quarters", "share"),
    [
        ([3.0, 1.0, -5.0, 0.0], (0,), 0.75),
        ([3.0, 1.0, -5.0, 0.0], (0, 1), 1.0),
        ([3.0, 1.0, -5.0, 0.0], (2, 3), 0.0),
        ([-1.0, 0.0, -5.0, 0.0], (0,), np.nan),
    ],
)
def test_share_counts_positive_weight_alone(weights: list[float], quarters: tuple[int, ...], share: float) -> None:
    found = object_share(_with([weights], _mask(*quarters)))
    np.testing.assert_allclose(found, [share])


def test_a_superpixel_counts_by_the_fraction_inside() -> None:
    mask = np.zeros((8, 8), bool)
    mask[:2, :4] = True
    assert object_share(_with([[1.0, 0, 0, 1.0]], mask))[0] == pytest.approx(0.25)


def test_even_weights_have_the_share_of_chance() -> None:
    mask = np.zeros((8, 8), bool)
    mask[1:4, 2:7] = True
    assert object_share(_with([[1.0] * 4], mask))[0] == pytest.approx(mask.mean())


def test_summary_is_by_class_and_leaves_out_what_says_nothing() -> None:
    explanations = [
        _with([[1.0, 1, 0, 0], [0, 0, 0, 1]], _mask(0), label=1),
        _with([[-1.0, 0, 0, 0]], _mask(0), label=1, r2=np.nan),
        _with([[0.0, 0, 0, 2]], _mask(3), label=0),
    ]
    summary = summarise(explanations)
    assert summary.overall.object_share == pytest.approx(0.75)
    assert summary.overall.object_chance == pytest.approx(0.25)
    assert summary.overall.r2 == pytest.approx(0.5)
    assert summary.overall.accuracy == pytest.approx(2 / 3)
    assert list(summary.classes) == [0, 1]
    assert summary.classes[1].object_share == pytest.approx(0.5)
    assert summary.classes[0].accuracy == 0.0


def test_without_masks_or_labels_there_is_nothing_to_say() -> None:
    summary = summarise([_with([[1.0, 0, 0, 0]], None, label=None)])
    assert np.isnan(summary.overall.object_share)
    assert np.isnan(summary.overall.accuracy)
    assert summary.classes == {}
    assert np.isfinite(summary.overall.r2)
