"""Both designs draw from the same distribution; the balanced one is balanced."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from keras_lime.core.neighborhood import kernel_weights
from keras_lime.core.ridge import design_matrix, influence_matrix
from keras_lime.core.sampling import SAMPLINGS, Sampling, block_size, enumerated_in_blocks, sample_neighborhood
from keras_lime.core.surrogate import fit_surrogate
from tests.support.closed_forms import detector_limit


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
            assert drawn.groups is not None
            for group in np.flatnonzero(np.bincount(drawn.groups) == 2):
                one, other = drawn.masks[drawn.groups == group]
                assert np.array_equal(one, ~other)


@given(st.integers(7, 70), st.integers(2, 400), st.integers(1, 300), st.sampled_from(SAMPLINGS))
def test_fewer_samples_are_the_first_of_more(n_segments: int, num_samples: int, more: int, sampling: Sampling) -> None:
    few, many = (
        sample_neighborhood(n_segments, count, 0.25, np.random.default_rng(1), sampling)
        for count in (num_samples, num_samples + more)
    )
    if few.enumerated or many.enumerated:
        return
    first = many.rows(0, num_samples)
    np.testing.assert_array_equal(few.masks, first.masks)
    np.testing.assert_array_equal(few.weights, first.weights)
    assert (few.groups is None) == (first.groups is None)
    if few.groups is not None and first.groups is not None:
        np.testing.assert_array_equal(few.groups, first.groups)


@pytest.mark.parametrize("n_segments", [7, 15, 40, 63])
def test_a_whole_block_is_orthogonal(n_segments: int) -> None:
    rows = block_size(n_segments)
    drawn = sample_neighborhood(n_segments, rows + 1, 0.25, np.random.default_rng(0), "balanced")
    if drawn.enumerated:
        pytest.fail("choose a number of superpixels that is not enumerated")
    levels = drawn.masks[1:] * 2 - 1
    np.testing.assert_array_equal(levels.T @ levels, rows * np.eye(n_segments))
    assert not levels.sum(axis=0).any()
    assert drawn.groups is not None
    assert np.bincount(drawn.groups).tolist() == [1] + [2] * (rows // 2)


@pytest.mark.parametrize("n_segments", [9, 16, 40, 63, 64, 100])
def test_a_sum_of_superpixels_is_found_exactly_by_one_row_per_column(n_segments: int) -> None:
    """Half a block, before any complement, is orthogonal already: no more rows are needed than for independent ones."""
    slopes = np.random.default_rng(1).normal(size=n_segments)
    order = block_size(n_segments) // 2
    for num_samples in (order + 1, order + 2, 3 * order // 2, 2 * order + 1, 3 * order):
        drawn = sample_neighborhood(n_segments, num_samples, 0.25, np.random.default_rng(2), "balanced")
        if not drawn.enumerated:
            fit = fit_surrogate(drawn, (drawn.masks @ slopes)[:, None], LinearRegression())
            np.testing.assert_allclose(fit.coef[0], slopes, atol=1e-9)


def _coefs(
    scores: Callable[[np.ndarray], np.ndarray], d: int, num_samples: int, runs: int, sampling: Sampling, first: int = 0
) -> np.ndarray:
    """Least squares on the rows from `first` on of many draws, (runs, d); the superpixels are neighbours in a chain."""
    chain = np.stack([np.arange(d - 1), np.arange(1, d)], axis=1)
    coefs = []
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        drawn = sample_neighborhood(d, num_samples, 0.25, rng, sampling, chain).rows(first, num_samples)
        influence = influence_matrix(design_matrix(drawn.masks), drawn.weights, 0.0)
        coefs.append((influence @ scores(drawn.masks.astype(float)))[1:])
    return np.array(coefs)


def _pairs(d: int) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """A model of pairs of superpixels, and its limit: a sum of the limits of detectors of two."""
    strength = np.triu(np.random.default_rng(3).normal(size=(d, d)), 1)
    both, other = detector_limit(2, d, 0.25)[[0, 2]]
    limit = (both - other) * (strength.sum(axis=0) + strength.sum(axis=1)) + other * strength.sum()
    return lambda masks: ((masks @ strength) * masks).sum(axis=1), limit


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("num_samples", [50, 65, 129, 200])
def test_pairs_of_superpixels_tend_to_the_closed_form(sampling: Sampling, num_samples: int) -> None:
    """Whole blocks or not, no design is off the limit of Garreau & Mardaoui 2021, beyond what its row of ones adds."""
    scores, limit = _pairs(30)
    coefs = _coefs(scores, 30, num_samples, 400, sampling, first=1)
    error = coefs.std(axis=0, ddof=1) / np.sqrt(len(coefs))
    off = (coefs.mean(axis=0) - limit) / error
    # Weighted regression has a bias of its own that falls with the number of samples; it is LIME's.
    assert np.sqrt(np.mean(off**2)) < (1.8 if sampling == "bernoulli" else 1.4)
    if sampling == "balanced" and num_samples > 64:
        assert error.max() < 0.01 * np.abs(limit).max()


def test_the_row_of_ones_adds_the_same_to_both_designs() -> None:
    scores, limit = _pairs(30)
    independent, balanced = (_coefs(scores, 30, 129, 600, each) for each in get_args(Sampling))
    error = np.sqrt(sum(coefs.var(axis=0, ddof=1) / len(coefs) for coefs in (independent, balanced)))
    off = (independent.mean(axis=0) - balanced.mean(axis=0)) / error
    assert np.sqrt(np.mean(off**2)) < 1.4
    assert np.abs(balanced.mean(axis=0) - limit).max() < 0.05 * np.abs(limit).max()


@pytest.mark.parametrize("n_segments", [9, 30, 63])
def test_a_whole_block_gives_the_limit_of_pairs_itself(n_segments: int) -> None:
    """Where all masks count the same, a pair b·z_i·z_j has the weights b / 2 at i and at j."""
    pairs = np.triu(np.random.default_rng(4).normal(size=(n_segments, n_segments)), 1)
    rows = block_size(n_segments)
    drawn = sample_neighborhood(n_segments, rows + 1, 1e6, np.random.default_rng(0), "balanced").rows(1, rows + 1)
    shown = drawn.masks.astype(float)
    scores = (shown @ pairs * shown).sum(axis=1, keepdims=True)
    fit = fit_surrogate(drawn, scores, LinearRegression())
    np.testing.assert_allclose(fit.coef[0], (pairs.sum(axis=0) + pairs.sum(axis=1)) / 2, atol=1e-9)


def test_what_neighbours_do_together_leaks_less() -> None:
    """Triples of a chain: knowing who touches whom halves the error, and leaves the limit where it is."""
    d = 30
    strength = np.random.default_rng(5).normal(size=d - 2)
    three, other = detector_limit(3, d, 0.25)[[0, 3]]
    limit = np.full(d, other * strength.sum())
    for offset in range(3):
        limit[offset : d - 2 + offset] += (three - other) * strength

    def scores(masks: np.ndarray) -> np.ndarray:
        return np.asarray((masks[:, :-2] * masks[:, 1:-1] * masks[:, 2:]) @ strength)

    known = _coefs(scores, d, 257, 150, "balanced", first=1)
    rng_only = []
    for seed in range(150):
        drawn = sample_neighborhood(d, 257, 0.25, np.random.default_rng(seed), "balanced").rows(1, 257)
        influence = influence_matrix(design_matrix(drawn.masks), drawn.weights, 0.0)
        rng_only.append((influence @ scores(drawn.masks.astype(float)))[1:])
    errors = [np.sqrt(np.mean((coefs - limit) ** 2)) for coefs in (known, np.array(rng_only))]
    assert errors[0] < 0.75 * errors[1]
    off = (known.mean(axis=0) - limit) / (known.std(axis=0, ddof=1) / np.sqrt(len(known)))
    assert np.sqrt(np.mean(off**2)) < 1.5


def test_the_designs_have_the_same_limit_and_the_balanced_one_comes_nearer() -> None:
    d = 30
    rng = np.random.default_rng(0)
    alone, pairs = rng.normal(size=d), rng.normal(size=(d, d)) * 0.2

    def model(masks: np.ndarray) -> np.ndarray:
        shown = masks.astype(float)
        return np.asarray(np.tanh(shown @ alone / 4 + (shown @ pairs * shown).sum(axis=1) / 8))[:, None]

    many = sample_neighborhood(d, 400_000, 0.25, rng)
    influence = influence_matrix(design_matrix(many.masks), many.weights, 1.0)
    limit = (influence @ model(many.masks))[1:, 0]
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


@pytest.mark.parametrize("n_segments", [5, 8, 9, 10])
def test_all_masks_block_by_block(n_segments: int) -> None:
    size = block_size(n_segments)
    drawn = enumerated_in_blocks(n_segments, 2000, 0.25, np.random.default_rng(0))
    whole = sample_neighborhood(n_segments, 2000, 0.25, np.random.default_rng(0))
    codes = drawn.masks @ (1 << np.arange(n_segments))
    assert sorted(codes.tolist()) == list(range(2**n_segments))
    assert drawn.masks[0].all()
    assert drawn.enumerated
    np.testing.assert_allclose(drawn.weights.sum(), whole.weights.sum())
    for start in range(0, len(codes), size):
        signs = 2.0 * drawn.masks[start : start + size] - 1
        np.testing.assert_array_equal(signs.T @ signs, size * np.eye(n_segments))
        np.testing.assert_array_equal(signs[::2], -signs[1::2])
    some = drawn.rows(0, size)
    assert not some.enumerated
    assert some.unseen == 1 - size / 2**n_segments
    assert drawn.rows(0, len(codes)).enumerated
