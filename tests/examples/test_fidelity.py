"""The areas under the deletion and insertion curves, where they are known."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "studies"))

import fidelity
import stability

SIZE = 40
SQUARE = (slice(0, SIZE // 2), slice(0, SIZE // 2))


def _share_of_the_square(images: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """A "model" whose only class is as probable as much of a white square is seen."""
    shown: NDArray[np.floating[Any]] = (images[:, *SQUARE, 0] == 255).mean(axis=(1, 2))[:, None]
    return shown


def _areas(weights: NDArray[np.float64]) -> NDArray[np.floating[Any]]:
    image = np.zeros((SIZE, SIZE, 3), np.float32)
    image[SQUARE] = 255
    return fidelity.areas(_share_of_the_square, image, 0, weights)


def test_the_best_order_falls_and_rises_within_the_squares_quarter_of_the_picture() -> None:
    weights = np.zeros((SIZE, SIZE))
    weights[SQUARE] = 1
    best, worst = _areas(weights), _areas(-weights)
    # The square goes, or comes, evenly over the first quarter of the curve and stays so: 1/8 and 7/8.
    for fill in (0, 2):
        np.testing.assert_allclose(best[fill], (1 / 8, 7 / 8), atol=2e-3)
        np.testing.assert_allclose(worst[fill], (7 / 8, 1 / 8), atol=2e-3)
    # Blurred, the square's middle is as white as before: less is lost, and the order still decides.
    assert best[1, 0] < worst[1, 0]
    assert best[1, 1] > worst[1, 1]


def test_what_hidden_pixels_show_never_changes_the_picture_behind() -> None:
    image = np.random.default_rng(0).uniform(0, 255, (SIZE, SIZE, 3)).astype(np.float32)
    before = image.copy()
    filled = fidelity.fills(image)
    assert list(filled) == ["grey", "blur", "mean"]
    assert all(each.shape == image.shape for each in filled.values())
    np.testing.assert_array_equal(image, before)
    np.testing.assert_allclose(filled["mean"][0, 0], image.mean(axis=(0, 1)), rtol=1e-5)


def test_agreement_of_runs() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=40)
    np.testing.assert_allclose(stability.stability(np.stack([one, one, one])), 1)
    top5, top10, signs = stability.stability(np.stack([one, -one]))
    assert (top5, top10, signs) == (0, 0, 0)
    # Two of five in common: 2 of 8 different ones.
    moved = np.zeros((2, 40))
    moved[0, :5] = moved[1, 3:8] = np.arange(5, 0, -1)
    assert stability.stability(moved)[0] == 2 / 8
    assert stability.stability(moved)[2] == 34 / 40


def test_weights_of_pixels_are_averaged() -> None:
    labels = np.array([[0, 0, 1], [2, 2, 1]])
    np.testing.assert_array_equal(stability.averaged(np.array([[1.0, 3, 5], [0, 0, 7]]), labels), [2, 6, 0])
