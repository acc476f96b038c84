"""Masks and weights are LIME's own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import pairwise_distances

from keras_lime.core.neighborhood import kernel_weights


@given(st.integers(1, 300), st.integers(0, 2**32), st.floats(0.05, 5))
def test_weights_are_limes(n_segments: int, seed: int, kernel_width: float) -> None:
    masks = np.random.default_rng(seed).random((20, n_segments)) < 0.5
    masks[0], masks[1] = True, False
    distances = pairwise_distances(masks.astype(float), np.ones((1, n_segments)), metric="cosine").ravel()
    lime = np.sqrt(np.exp(-(distances**2) / kernel_width**2))
    np.testing.assert_allclose(kernel_weights(masks, kernel_width), lime, rtol=1e-9, atol=1e-300)
