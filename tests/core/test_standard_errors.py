"""Standard errors say how far the weights are from the limit of many samples."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from sklearn.linear_model import HuberRegressor, LinearRegression

from keras_lime.core.neighborhood import Neighborhood, kernel_weights
from keras_lime.core.ridge import design_matrix, influence_matrix
from keras_lime.core.sampling import sample_neighborhood
from keras_lime.core.standard_errors import standard_errors
from keras_lime.core.surrogate import fit_surrogate
from tests.core.test_design import grid_neighbours
from tests.support.closed_forms import detector_limit

SEGMENTS = 25


def curved(masks: np.ndarray) -> np.ndarray:
    """A model with pairs and a saturating output: what is left over by a line is no noise of one variance."""
    rng = np.random.default_rng(0)
    pairs = rng.normal(size=(SEGMENTS, SEGMENTS)) * 0.03
    shown = masks.astype(float)
    odds = shown @ (rng.normal(size=SEGMENTS) * 0.3) + (shown @ pairs * shown).sum(axis=1)
    return np.asarray(1 / (1 + np.exp(-odds)))[:, None]


def independent(num_samples: int, seed: int) -> Neighborhood:
    return sample_neighborhood(SEGMENTS, num_samples, 0.25, np.random.default_rng(seed), "bernoulli")


def mirrored(num_samples: int, seed: int) -> Neighborhood:
    """Every mask beside its complement, below the row of ones."""
    half = np.random.default_rng(seed).random(((num_samples - 1) // 2, SEGMENTS)) < 0.5
    masks = np.concatenate([np.ones((1, SEGMENTS), bool), half, ~half])
    groups = np.concatenate([[0], 1 + np.arange(len(half)), 1 + np.arange(len(half))])
    return Neighborhood(masks, kernel_weights(masks, 0.25), groups=groups)


@cache
def limit_of_curved() -> np.ndarray:
    many = independent(300_000, 10_000)
    influence = influence_matrix(design_matrix(many.masks), many.weights, 0.0)
    limit: np.ndarray = (influence @ curved(many.masks))[1:, 0]
    return limit


@pytest.mark.parametrize("draw", [independent, mirrored])
@pytest.mark.parametrize("num_samples", [257, 513])
def test_intervals_cover_the_limit(draw: object, num_samples: int) -> None:
    limit = limit_of_curved()
    covered = []
    for seed in range(120):
        drawn = draw(num_samples, seed)  # type: ignore[operator]
        fit = fit_surrogate(drawn, curved(drawn.masks))
        assert fit.stderr is not None
        covered.append(np.abs(fit.coef[0] - limit) <= 1.96 * fit.stderr[0])
    assert 0.92 <= np.mean(covered) <= 0.98


def test_each_row_alone_is_hc2_with_the_bias_of_the_penalty() -> None:
    """Against the textbook formula, written out row by row."""
    drawn = independent(60, 0)
    scores = curved(drawn.masks)
    fit = fit_surrogate(drawn, scores)
    design = np.concatenate([np.ones((60, 1)), drawn.masks], axis=1)
    root = np.sqrt(drawn.weights)[:, None]
    penalty = np.diag([0.0] + [1.0] * SEGMENTS)
    inverse = np.linalg.inv((design * root).T @ (design * root) + penalty)
    middle = np.zeros_like(inverse)
    for row, weight, score in zip(design, drawn.weights, scores[:, 0], strict=True):
        leverage = weight * row @ inverse @ row
        residual = (score - fit.intercept[0] - row[1:] @ fit.coef[0]) / np.sqrt(1 - leverage)
        middle += np.outer(row, row) * (weight * residual) ** 2
    residuals = scores[:, 0] - fit.intercept[0] - drawn.masks @ fit.coef[0]
    bias = inverse @ (design.T @ (drawn.weights * residuals))
    expected = np.sqrt(np.diag(inverse @ middle @ inverse) + bias**2)[1:]
    assert fit.stderr is not None
    np.testing.assert_allclose(fit.stderr[0], expected, rtol=1e-8)


def test_a_group_is_left_out_as_a_whole() -> None:
    """With alpha = 0 the inflated residuals of a pair are those of a fit without the pair."""
    drawn = mirrored(121, 3)
    scores = curved(drawn.masks)
    pair = drawn.groups == 7
    without = Neighborhood(drawn.masks[~pair], drawn.weights[~pair])
    left_out = fit_surrogate(without, scores[~pair], LinearRegression())
    full = fit_surrogate(drawn, scores, LinearRegression())
    residuals = (scores - full.intercept - drawn.masks @ full.coef.T)[:, 0]
    design = np.concatenate([np.ones((len(scores), 1)), drawn.masks], axis=1)
    weighted = design * drawn.weights[:, None]
    hat = design[pair] @ np.linalg.solve(design.T @ weighted, weighted[pair].T)
    jackknife = np.linalg.solve(np.eye(2) - hat, residuals[pair])
    expected = scores[pair, 0] - left_out.intercept - drawn.masks[pair] @ left_out.coef[0]
    np.testing.assert_allclose(jackknife, expected, rtol=1e-6)


def test_nothing_left_to_chance_has_no_error() -> None:
    drawn = sample_neighborhood(8, 256, 0.25, np.random.default_rng(0))
    errors = standard_errors(drawn, np.random.default_rng(0).normal(size=(256, 2)))
    assert errors.shape == (2, 8)
    assert not errors.any()


def test_a_linear_model_has_no_error_and_other_surrogates_none_at_all() -> None:
    drawn = independent(200, 0)
    linear = (drawn.masks @ np.arange(SEGMENTS))[:, None].astype(float)
    fit = fit_surrogate(drawn, linear, LinearRegression())
    assert fit.stderr is not None
    assert fit.stderr.max() < 1e-9
    assert fit_surrogate(drawn, linear, HuberRegressor()).stderr is None


def test_as_many_weights_as_samples_leave_the_error_open() -> None:
    drawn = sample_neighborhood(63, 65, 0.25, np.random.default_rng(0), "balanced")
    fit = fit_surrogate(drawn, np.random.default_rng(1).normal(size=(65, 1)), LinearRegression())
    assert fit.stderr is not None
    assert np.isinf(fit.stderr).all()
    assert fit.relative_error is not None
    assert np.isinf(fit.relative_error).all()


def test_balanced_masks_claim_the_error_that_they_have() -> None:
    """Steps of two, three and four superpixels in a row, and a sum of all; formulas for pairs of rows claim more."""
    d, neighbours = 40, grid_neighbours(5, 8)
    limit = np.stack([detector_limit(p, d, 0.25) for p in (2, 3, 4)] + [np.linspace(-1, 1, d)])
    misses, claims, formula = [], [], []
    for seed in range(40):
        drawn = sample_neighborhood(d, 257, 0.25, np.random.default_rng(seed), "balanced", neighbours)
        steps = [drawn.masks[:, :p].all(axis=1) for p in (2, 3, 4)]
        scores = np.stack([*steps, drawn.masks @ limit[3]], axis=1).astype(float)
        fit = fit_surrogate(drawn, scores, LinearRegression())
        assert fit.stderr is not None
        misses.append(fit.coef - limit)
        claims.append(fit.stderr)
        without = replace(drawn, dummies=None)
        formula.append(standard_errors(without, scores - fit.intercept - drawn.masks @ fit.coef.T, 0.0))
    errors, claimed = np.array(misses), np.array(claims)
    real = np.sqrt((errors**2).mean(axis=(0, 2)))
    ratio = np.sqrt((claimed**2).mean(axis=(0, 2)))[:3] / real[:3]
    assert (ratio > 0.85).all()
    # Three that touch are kept from the superpixels and not from every dummy.
    assert (ratio < [1.35, 2.5, 1.35]).all()
    assert 0.93 < np.mean(np.abs(errors[:, :3]) <= 1.96 * claimed[:, :3]) < 0.975
    assert (np.sqrt((np.array(formula) ** 2).mean(axis=(0, 2)))[:3] > [1, 2, 1.2] * real[:3]).all()
    assert claimed[:, 3].max() < 1e-9


@pytest.mark.parametrize(("n_segments", "num_samples"), [(63, 129), (127, 200)])
def test_where_no_column_is_free_the_formula_for_pairs_holds(n_segments: int, num_samples: int) -> None:
    drawn = sample_neighborhood(n_segments, num_samples, 0.25, np.random.default_rng(0))
    scores = np.random.default_rng(1).normal(size=(num_samples, 1))
    by_dummies, by_pairs = (fit_surrogate(each, scores).stderr for each in (drawn, replace(drawn, dummies=None)))
    assert by_dummies is not None
    assert by_pairs is not None
    np.testing.assert_array_equal(by_dummies, by_pairs)
