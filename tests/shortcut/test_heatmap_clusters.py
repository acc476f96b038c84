"""Groups of heatmaps, and measures of explanations."""

from dataclasses import replace

import numpy as np
import pytest

from keras_lime.core.explanation import Explanation
from keras_lime.core.localisation import pointing_game, relevance_rank
from keras_lime.core.segmentation import Segmentation
from keras_lime.core.surrogate import Fit
from keras_lime.shortcut.heatmap_clusters import cluster_by_class, cluster_heatmaps, common_region
from tests.core.test_explanation import make

GRID = Segmentation.from_labels(np.arange(16).reshape(4, 4).repeat(4, 0).repeat(4, 1))


def _explanation(weights: np.ndarray, mask: np.ndarray | None = None) -> Explanation:
    fit = Fit(weights[None].astype(float), np.zeros(1), np.ones(1), np.zeros(1))
    picture = np.zeros((16, 16, 3), np.uint8)
    return replace(make(), fit=fit, segmentation=GRID, picture=picture, targets=(1,), object_mask=mask)


def _one(*segments: int, noise: float = 0.0, seed: int = 0) -> Explanation:
    weights = np.random.default_rng(seed).uniform(0, noise, 16) if noise else np.zeros(16)
    weights[list(segments)] += 1
    return _explanation(weights)


def test_two_ways_of_deciding_are_two_clusters() -> None:
    several = [_one(0, 1, noise=0.1, seed=seed) for seed in range(15)]
    several += [_one(14, 15, noise=0.1, seed=seed) for seed in range(10)]
    clusters = cluster_heatmaps(several)
    assert clusters is not None
    np.testing.assert_array_equal(clusters, [0] * 15 + [1] * 10)


def test_fewer_than_twenty_are_not_grouped() -> None:
    assert cluster_heatmaps([_one(0)] * 19) is None


def test_equal_and_empty_heatmaps_do_not_break_it() -> None:
    for same in (_one(3), _explanation(np.zeros(16)), _explanation(-np.ones(16))):
        clusters = cluster_heatmaps([same] * 20)
        assert clusters is not None
        assert len(clusters) == 20


def test_the_place_that_a_class_shares() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    chosen = np.arange(20) < 10
    images[:, 12:, 12:] = 30
    images[chosen, 12:, 12:] = 200
    tag, elsewhere = [_one(15)] * 20, [_one(5)] * 20
    found, other = common_region(tag, images, chosen), common_region(elsewhere, images, chosen)
    assert found is not None
    assert other is not None
    assert found.concentration > 0.5
    assert (found.row, found.column) > (0.75, 0.75)
    assert other.concentration < 0.3
    assert common_region(tag, images, np.arange(20) < 3) is None


@pytest.mark.parametrize(
    ("weights", "rank", "pointing"),
    [
        ({0: 3.0, 1: 2.0}, 1.0, 1.0),
        ({0: 3.0, 5: 2.0}, 0.5, 1.0),
        ({5: 3.0, 6: 2.0}, 0.0, 0.0),
    ],
)
def test_rank_and_pointing(weights: dict[int, float], rank: float, pointing: float) -> None:
    mask = np.isin(GRID.labels, (0, 1))
    coef = np.full(16, -1.0)
    coef[list(weights)] = list(weights.values())
    explanation = _explanation(coef, mask)
    assert relevance_rank(explanation) == pytest.approx(rank)
    assert pointing_game(explanation) == pytest.approx(pointing)


@pytest.mark.parametrize("mask", [None, np.zeros((16, 16), bool)])
def test_without_an_object_there_is_nothing_to_say(mask: np.ndarray | None) -> None:
    assert np.isnan(relevance_rank(_explanation(np.ones(16), mask)))
    assert np.isnan(pointing_game(_explanation(np.ones(16), mask)))


def test_the_last_superpixel_counts_in_part() -> None:
    mask = np.zeros((16, 16), bool)
    mask[:4, :6] = True
    coef = np.zeros(16)
    coef[[0, 4]] = 2, 1
    # 24 pixels: all 16 of the first superpixel, on the object, and 8 of the second, off it.
    assert relevance_rank(_explanation(coef, mask)) == pytest.approx(16 / 24)


def test_each_class_has_its_own_clusters() -> None:
    labels = [0] * 20 + [1] * 19 + [None] * 3
    several = [
        replace(_one(0 if index < 12 else 15, noise=0.1, seed=index), label=label) for index, label in enumerate(labels)
    ]
    clusters = cluster_by_class(several)
    np.testing.assert_array_equal(clusters[:20], [0] * 12 + [1] * 8)
    np.testing.assert_array_equal(clusters[20:], [-1] * 22)
