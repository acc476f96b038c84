"""Masks, weights and baselines are LIME's own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from keras_lime.core.perturbation import baseline_image, kernel_weights
from keras_lime.core.segmentation import Segmentation
from tests.models import photo

GREY = np.array([127.5, 127.5, 127.5], dtype=np.float32)


@given(st.integers(1, 300), st.integers(0, 2**32), st.floats(0.05, 5))
def test_weights_are_limes(n_segments: int, seed: int, kernel_width: float) -> None:
    masks = np.random.default_rng(seed).random((20, n_segments)) < 0.5
    masks[0], masks[1] = True, False
    distances = pairwise_distances(masks.astype(float), np.ones((1, n_segments)), metric="cosine").ravel()
    lime = np.sqrt(np.exp(-(distances**2) / kernel_width**2))
    np.testing.assert_allclose(kernel_weights(masks, kernel_width), lime, rtol=1e-9, atol=1e-300)


def test_mean_baseline_is_exact_for_integers() -> None:
    image = np.array([[[0], [1], [10], [20]]], dtype=np.float32)
    segmentation = Segmentation.from_labels(np.array([[0, 0, 1, 1]]))
    filled = baseline_image(image, segmentation, "mean", GREY[:1])
    assert filled[0, :, 0].tolist() == [0.5, 0.5, 15.0, 15.0]
    assert filled.dtype == np.float32


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        ("grey", 127.5),
        (3, 3.0),
        ([1, 2, 3], [1.0, 2.0, 3.0]),
        (np.full((64, 64, 3), 9.0), 9.0),
        (lambda image, labels: np.where(labels[..., None] % 2 == 0, image, 0), None),
    ],
)
def test_other_baselines(baseline: Any, expected: Any) -> None:
    image = photo().astype(np.float32)
    segmentation = Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128)
    filled = baseline_image(image, segmentation, baseline, GREY)
    if expected is None:
        even = segmentation.labels % 2 == 0
        assert np.array_equal(filled[even], image[even])
        assert not filled[~even].any()
    else:
        assert np.array_equal(filled, np.broadcast_to(np.float32(expected), image.shape))


def test_blur_keeps_the_mean_and_loses_the_edges() -> None:
    image = photo().astype(np.float32)
    segmentation = Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128)
    filled = baseline_image(image, segmentation, "blur", GREY)
    assert abs(filled.mean() - image.mean()) < 3
    assert np.abs(np.diff(filled, axis=0)).max() < np.abs(np.diff(image, axis=0)).max() / 4


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ([1, 2], r"3 numbers.*\(2,\)"),
        (np.zeros((3, 3, 3)), r"\(3, 3, 3\)"),
        (np.nan, "finite"),
        (lambda image, labels: image[:5], r"\(5, 64, 3\)"),
    ],
)
def test_bad_baselines_are_refused(baseline: Any, message: str) -> None:
    segmentation = Segmentation.from_labels(np.arange(64 * 64).reshape(64, 64) // 128)
    with pytest.raises(ValueError, match=f"`baseline`.*{message}"):
        baseline_image(photo().astype(np.float32), segmentation, baseline, GREY)
