"""Masks, weights and scores → the linear surrogate `Fit`. May import numpy, scikit-learn and the core."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LinearRegression, Ridge

from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.regression import Regression, regression_of
from keras_lime.core.ridge import design_matrix
from keras_lime.core.standard_errors import leave_out

__all__ = ["RESOLUTION", "Fit", "fit_surrogate", "ridge_penalty", "unresolved"]

RESOLUTION = 1e-5
"""Movement of scores, as a share of the largest, that says nothing: about a hundred steps of float32."""


@dataclass(frozen=True, eq=False)
class Fit:
    """Linear surrogates of one image, one per target, on the scale that they were fitted on.

    Attributes:
        coef: float64 array (n_targets, n_segments): by how much showing a superpixel raises the target.
        intercept: float64 array (n_targets,): the surrogate's value with every superpixel hidden.
        r2: float64 array (n_targets,): R² weighted with the kernel's weights, at most 1, as in the `lime` package;
            NaN if the scores do not move, see `unresolved`.
        local_prediction: float64 array (n_targets,): the surrogate's value for the unperturbed image.
        stderr: float64 array like `coef`: standard errors, see `keras_lime.core.standard_errors`; None for a surrogate
            that is neither ridge regression nor least squares.
        alpha: the ridge penalty, 0 for least squares; None for other surrogates.
        r2_adjusted: float64 array (n_targets,): R² less what fitting so many weights gains by chance, an estimate of
            what the surrogate would have with unlimited samples; NaN like `r2`, None like `stderr`.
        shrinkage: by how much the penalty shrinks a weight, 0..1, the mean over superpixels; None like `stderr`.
    """

    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    r2: NDArray[np.float64]
    local_prediction: NDArray[np.float64]
    stderr: NDArray[np.float64] | None = None
    alpha: float | None = None
    r2_adjusted: NDArray[np.float64] | None = None
    shrinkage: float | None = None

    @property
    def relative_error(self) -> NDArray[np.float64] | None:
        """The typical standard error of each target's weights as a share of its largest absolute weight, (n_targets,).

        The root mean square over superpixels, so that a few that are sure do not speak for the others. 0 where the
        scores do not vary and there is nothing to be unsure of; None where the standard errors are unknown.
        """
        if self.stderr is None:
            return None
        typical, largest = np.sqrt((self.stderr**2).mean(axis=1)), np.abs(self.coef).max(axis=1)
        still = np.isnan(self.r2) | (typical == 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(still, 0.0, typical / largest)


def fit_surrogate(neighborhood: Neighborhood, scores: NDArray[np.float64], surrogate: Any = None) -> Fit:
    """Fits the weighted linear surrogate of Ribeiro et al. 2016 (equation 2, algorithm 1) to all targets.

    Args:
        neighborhood: masks and weights, n_samples rows.
        scores: float64 array (n_samples, n_targets), the model's answer to each mask.
        surrogate: scikit-learn regressor with `coef_` whose `fit` takes `sample_weight`; it is cloned and fitted once
            per target. Defaults to `Ridge(alpha=1)`, as in the `lime` package, all targets in one fit.

    Returns:
        The `Fit`.
    """
    if surrogate is None:
        return _fit_ridge(neighborhood, scores)
    masks, weights = neighborhood.masks.astype(np.float64), neighborhood.weights
    models = [clone(surrogate).fit(masks, column, sample_weight=weights) for column in scores.T]
    coef = np.stack([np.ravel(model.coef_) for model in models]).astype(np.float64)
    intercept = np.array([float(np.squeeze(getattr(model, "intercept_", 0.0))) for model in models])
    predicted = np.stack([np.ravel(model.predict(masks)) for model in models], axis=1)
    alpha, design = ridge_penalty(surrogate), design_matrix(neighborhood.masks)
    regression = None if alpha is None else regression_of(neighborhood, design, alpha)
    return _judged(neighborhood, design, scores, predicted, coef, intercept, regression)


def _fit_ridge(neighborhood: Neighborhood, scores: NDArray[np.float64]) -> Fit:
    # Without scikit-learn's `Ridge`, whose checks take longer than its solution.
    design = design_matrix(neighborhood.masks)
    # Relative to the image itself: scores that are all equal give weights that are exactly zero.
    regression = regression_of(neighborhood, design, 1.0)
    solution = regression.coefficients(design, scores - scores[0])
    predicted = design @ solution + scores[0]
    coef, intercept = solution[1:].T.copy(), solution[0] + scores[0]
    return _judged(neighborhood, design, scores, predicted, coef, intercept, regression)


def _judged(
    neighborhood: Neighborhood,
    design: NDArray[np.float64],
    scores: NDArray[np.float64],
    predicted: NDArray[np.float64],
    coef: NDArray[np.float64],
    intercept: NDArray[np.float64],
    regression: Regression | None,
) -> Fit:
    """The `Fit` with what can be said about its quality; no `regression` where `ridge_penalty` knows no penalty."""
    unmoved = unresolved(scores)
    weights = neighborhood.weights
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = 1 - weights @ (scores - predicted) ** 2 / (weights @ (scores - weights @ scores / weights.sum()) ** 2)
    fit = Fit(coef, intercept, np.where(unmoved, np.nan, r2), predicted[0].astype(np.float64))
    if regression is None:
        return fit
    left_out = leave_out(neighborhood, regression, design, scores - predicted)
    # What does not move beyond its resolution is as unsure as the resolution is coarse, however well it is fitted.
    coarse = np.where(unmoved, RESOLUTION * np.abs(scores).max(axis=0), 0.0)
    return replace(
        fit,
        alpha=regression.alpha,
        stderr=np.maximum(left_out.stderr, coarse[:, None]),
        r2_adjusted=np.where(unmoved, np.nan, left_out.adjusted_r2(scores)),
        shrinkage=left_out.shrinkage,
    )


def unresolved(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Columns of scores (n_samples, n_targets) that move no further than floating-point numbers of a network may.

    The answers of a network to equal images differ in the last digits of float32 with the batch that they come in.
    """
    still: NDArray[np.bool_] = np.ptp(scores, axis=0) <= RESOLUTION * np.abs(scores).max(axis=0)
    return still


def ridge_penalty(surrogate: Any) -> float | None:
    """The ridge penalty of a surrogate whose standard errors are known, else None."""
    if not getattr(surrogate, "fit_intercept", False) or getattr(surrogate, "positive", False):
        return None
    if isinstance(surrogate, LinearRegression):
        return 0.0
    return float(surrogate.alpha) if isinstance(surrogate, Ridge) and np.ndim(surrogate.alpha) == 0 else None
