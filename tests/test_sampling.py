"""Both designs draw from the same distribution; the balanced one is balanced."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lime.core.perturbation import kernel_weights
from keras_lime.core.sampling import SAMPLINGS, Sampling, sample_neighborhood
from keras_lime.core.surrogate import fit_surrogate


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_masks_are_fair_coins_below_a_row_of_ones(sampling: Sampling) -> None:
    drawn = sample_neighborhood(40, 20_000, 0.25, np.random.default_rng(1), sampling)
    assert drawn.masks[0].all()
    assert not drawn.enumerated
    rest = drawn.masks[1:].astype(float)
    error = 0.5 / np.sqrt(len(rest))
    assert np.abs(rest.mean(axis=0) - 0.5).max() < 4.5 * error
    covariance = np.cov(rest.T) - np.eye(40) / 4
    assert np.abs(covariance).max() < 5 * 0.25 / np.sqrt(len(rest))


def test_the_seed_decides() -> None:
    def masks(seed: int) -> np.ndarray:
        return sample_neighborhood(30, 100, 0.25, np.random.default_rng(seed)).masks

    assert np.array_equal(masks(3), masks(3))
    assert not np.array_equal(masks(3), masks(4))


@pytest.mark.parametrize(("n_segments", "num_samples"), [(1, 2), (3, 8), (5, 100), (8, 1000)])
def test_few_superpixels_are_enumerated(n_segments: int, num_samples: int) -> None:
    drawn = sample_neighborhood(n_segments, num_samples, 0.25, np.random.default_rng(0))
    assert drawn.enumerated
    assert drawn.masks[0].all()
    assert len(np.unique(drawn.masks, axis=0)) == len(drawn.masks) == 2**n_segments
    np.testing.assert_allclose(drawn.weights, kernel_weights(drawn.masks, 0.25) * num_samples / 2**n_segments)


@given(st.integers(2, 140), st.integers(2, 400), st.integers(0, 1000), st.sampled_from(SAMPLINGS))
def test_any_number_of_superpixels_and_samples(n_segments: int, extra: int, seed: int, sampling: Sampling) -> None:
    num_samples = n_segments + extra
    drawn = sample_neighborhood(n_segments, num_samples, 0.25, np.random.default_rng(seed), sampling)
    assert drawn.masks[0].all()
    if not drawn.enumerated:
        assert drawn.masks.shape == (num_samples, n_segments)
        if sampling == "balanced":
            pairs = drawn.masks[1 : 1 + (num_samples - 1) // 2 * 2].reshape(-1, 2, n_segments)
            assert np.array_equal(pairs[:, 0], ~pairs[:, 1])


@pytest.mark.parametrize("n_segments", [7, 15, 40, 63])
def test_a_whole_block_is_orthogonal(n_segments: int) -> None:
    rows = 2 << n_segments.bit_length()
    drawn = sample_neighborhood(n_segments, rows + 1, 0.25, np.random.default_rng(0), "balanced")
    if drawn.enumerated:
        pytest.fail("choose a number of superpixels that is not enumerated")
    levels = drawn.masks[1:] * 2 - 1
    np.testing.assert_array_equal(levels.T @ levels, rows * np.eye(n_segments))
    assert not levels.sum(axis=0).any()
    assert drawn.groups is not None
    assert np.bincount(drawn.groups).tolist() == [1] + [2] * (rows // 2)


def test_the_designs_have_the_same_limit_and_the_balanced_one_comes_nearer() -> None:
    d = 30
    rng = np.random.default_rng(0)
    alone, pairs = rng.normal(size=d), rng.normal(size=(d, d)) * 0.2

    def model(masks: np.ndarray) -> np.ndarray:
        shown = masks.astype(float)
        return np.asarray(np.tanh(shown @ alone / 4 + np.einsum("ni,ij,nj->n", shown, pairs, shown) / 8))[:, None]

    many = sample_neighborhood(d, 400_000, 0.25, rng)
    limit = fit_surrogate(many, model(many.masks)).coef[0]
    misses = {}
    for sampling in get_args(Sampling):
        coefs = []
        for seed in range(200):
            drawn = sample_neighborhood(d, 257, 0.25, np.random.default_rng(seed), sampling)
            coefs.append(fit_surrogate(drawn, model(drawn.masks)).coef[0])
        # The ridge penalty shrinks the weights of few samples a little; beyond that there is no bias.
        shrunk = np.mean(coefs, axis=0) / limit
        spread = np.std(coefs, axis=0) / np.sqrt(200) / np.abs(limit)
        large = np.abs(limit) > 0.3 * np.abs(limit).max()
        assert (np.abs(shrunk - 0.97)[large] < 0.03 + 4 * spread[large]).all()
        misses[sampling] = np.sqrt(np.mean((np.array(coefs) - limit) ** 2))
    assert misses["balanced"] < 0.7 * misses["bernoulli"]
