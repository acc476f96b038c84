"""A regression is made once for masks that are kept, and is of those masks and weights alone."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from keras_lime.core.kernel_path import default_widths, fit_path
from keras_lime.core.neighborhood import Neighborhood, kernel_weights
from keras_lime.core.regression import regression_of
from keras_lime.core.ridge import design_matrix, influence_matrix
from keras_lime.core.sampling import Sampling, sample_neighborhood
from keras_lime.core.surrogate import fit_surrogate


def drawn(sampling: Sampling = "balanced") -> Neighborhood:
    return sample_neighborhood(20, 129, 0.25, np.random.default_rng(0), sampling)


def test_a_regression_gives_what_its_influence_matrix_gives() -> None:
    neighborhood = drawn()
    design, scores = design_matrix(neighborhood.masks), np.random.default_rng(1).normal(size=(129, 2))
    for width, weights in ((None, neighborhood.weights), (1.5, kernel_weights(neighborhood.masks, 1.5))):
        regression = regression_of(neighborhood, design, 1.0, width)
        influence = influence_matrix(design, weights, 1.0)
        np.testing.assert_allclose(regression.coefficients(design, scores), influence @ scores, atol=1e-12)
        np.testing.assert_allclose(regression.squares, (influence**2).sum(axis=1), rtol=1e-9)
        assert regression.left is not None
        leverages = np.concatenate([1 - left.diagonal(axis1=1, axis2=2).ravel() for _, left in regression.left])
        np.testing.assert_allclose(leverages.sum(), np.trace(influence @ design), rtol=1e-9)


@pytest.mark.parametrize("sampling", ["balanced", "bernoulli"])
def test_kept_masks_give_the_same_fits_at_every_epoch(sampling: Sampling) -> None:
    once, kept = drawn(sampling), drawn(sampling).kept()
    for seed in range(2):
        scores = np.random.default_rng(seed).normal(size=(129, 2))
        fits = [fit_surrogate(each, scores) for each in (once, kept)]
        for name in ("coef", "stderr", "intercept", "r2_adjusted"):
            np.testing.assert_array_equal(getattr(fits[0], name), getattr(fits[1], name))
        path, kept_path = (fit_path(each, scores, 1.0, default_widths(0.25)) for each in (once, kept))
        np.testing.assert_array_equal(path, kept_path)
    assert once.regressions is None
    assert kept.regressions is not None
    assert len(kept.regressions) == 6


def test_what_is_kept_never_reaches_other_masks_or_a_file() -> None:
    kept = drawn().kept()
    fit_surrogate(kept, np.random.default_rng(0).normal(size=(129, 1)))
    assert kept.regressions
    assert replace(kept, weights=kept.weights / 2).regressions is None
    assert kept.rows(0, 60).regressions is None
    copied = pickle.loads(pickle.dumps(kept))
    assert copied.regressions is None
    np.testing.assert_array_equal(copied.masks, kept.masks)
    assert [rows.shape for rows in copied.rows_of_groups] == [(1, 1), (64, 2)]
