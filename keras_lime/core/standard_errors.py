"""How far the weights would move with other perturbations: standard errors of the surrogate's coefficients.

What a superpixel that is not there seems to weigh is an error, and nothing else. The design has columns for some, its
dummies, drawn like those of the superpixels: their weights have the errors that the superpixels' weights have, with
whatever the design keeps out of both. Formulas for independent rows do not know of that and claim too much.

Needs the scores that are there already and no further model call. May import numpy and the core.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.regression import DummyColumns, Regression, regression_of
from keras_lime.core.ridge import design_matrix

__all__ = ["LeftOut", "errors_of_regression", "leave_out", "standard_errors"]


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What a fit tells about itself when each group of rows is left out of it in turn.

    Attributes:
        neighborhood: masks, weights, groups and dummies, n_samples rows.
        residuals: float64 array (n_samples, n_targets): score minus surrogate.
        deleted: float64 array like `residuals`: score minus the surrogate that was fitted without the row's group; NaN
            where the others do not determine it. The residuals themselves where all masks were enumerated.
        stderr: float64 array (n_targets, n_segments), see `standard_errors`.
        shrinkage: by how much the penalty shrinks a weight, 0..1, the mean over superpixels.
    """

    neighborhood: Neighborhood
    residuals: NDArray[np.float64]
    deleted: NDArray[np.float64]
    stderr: NDArray[np.float64]
    shrinkage: float

    def adjusted_r2(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """R² of the surrogate that unlimited samples would give, estimated from these.

        The fit leaves `1 − h` of a row's variance in its residual, h being its leverage, so the product of residual and
        deleted residual estimates the variance without bias (the idea of HC2, MacKinnon & White 1985). Unlike the usual
        adjusted R² it holds for weighted rows and rows in groups.

        Args:
            scores: float64 array (n_samples, n_targets).

        Returns:
            float64 array (n_targets,), at most 1 and below 0 where a constant does better; NaN where it is unknown.
        """
        weights = self.neighborhood.weights
        left = weights @ (self.residuals * self.deleted)
        total = weights @ (scores - weights @ scores / weights.sum()) ** 2
        if not self.neighborhood.enumerated:
            total /= 1 - (weights**2).sum() / weights.sum() ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(1 - left / total)


def standard_errors(
    neighborhood: Neighborhood, residuals: NDArray[np.float64], alpha: float = 1.0
) -> NDArray[np.float64]:
    """Standard errors of the weights of a ridge surrogate.

    A weight's error is a sum of residuals, `Σ a_i e_i`, and so is the weight of a dummy when it joins the surrogate.
    With `σ²` the mean of `(Σ a_i e_i)² / Σ a_i²` over the dummies, the standard error of a weight is `σ sqrt(Σ a_i²)`
    (Plackett & Burman 1946: dummy factors). To its square that of the bias is added which the penalty makes: beside the
    small errors of a model that is nearly linear it counts.

    Masks without dummies, such as those of the `lime` package, get HC2 (MacKinnon & White 1985, equation 8), with its
    cluster form CR2 for rows in groups (Bell & McCaffrey 2002, section 3): with the names of `keras_lime.core.ridge`,
    `A⁻¹ X'W (Σ_g e_g e_g' (I − H_gg)⁻¹) W X A⁻¹`, made symmetric, and `H = X A⁻¹ X'W`; and the square of the bias. So
    do those with fewer than eight dummies that the superpixels do not span.

    Args:
        neighborhood: masks, weights, groups and dummies, n_samples rows.
        residuals: float64 array (n_samples, n_targets): score minus surrogate.
        alpha: the ridge penalty of the surrogate.

    Returns:
        float64 array (n_targets, n_segments); zero where all masks were enumerated, because nothing was left to chance,
        and infinite where least squares has no more samples than weights.
    """
    design = design_matrix(neighborhood.masks)
    return errors_of_regression(neighborhood, regression_of(neighborhood, design, alpha), design, residuals)


def leave_out(
    neighborhood: Neighborhood, regression: Regression, design: NDArray[np.float64], residuals: NDArray[np.float64]
) -> LeftOut:
    """`LeftOut` of a ridge surrogate; the arguments are those of `errors_of_regression`."""
    if neighborhood.enumerated:
        deleted = residuals
    elif regression.left is None:
        deleted = np.full_like(residuals, np.nan)
    else:
        deleted = np.empty_like(residuals)
        for rows, left in regression.left:
            deleted[rows] = np.linalg.solve(left, residuals[rows])
    stderr = errors_of_regression(neighborhood, regression, design, residuals)
    return LeftOut(neighborhood, residuals, deleted, stderr, regression.shrinkage)


def errors_of_regression(
    neighborhood: Neighborhood, regression: Regression, design: NDArray[np.float64], residuals: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`standard_errors` of a regression that was made already.

    Args:
        neighborhood: groups and dummies; the weights are those of the regression.
        regression: made on its masks.
        design: `design_matrix` of the masks.
        residuals: float64 array (n_samples, n_targets).

    Returns:
        float64 array (n_targets, p − 1); infinite where a weight hangs on one group of rows alone.
    """
    shape = residuals.shape[1], design.shape[1] - 1
    if neighborhood.enumerated:
        return np.zeros(shape)
    if regression.left is None:
        return np.full(shape, np.inf)
    if neighborhood.dummies is not None and regression.dummies is not None:
        columns = neighborhood.dummies[:, regression.dummies.free].astype(np.float64)
        return _errors_of_dummies(regression, regression.dummies, columns, design, residuals, neighborhood.unseen)
    influence = regression.inverse @ (design.T * regression.weights)
    squares = np.zeros(shape[::-1])
    for rows, left in regression.left:
        inflated = np.linalg.solve(left, residuals[rows])
        for one in range(rows.shape[1]):
            for other in range(one + 1):
                products = influence[1:, rows[:, one]] * influence[1:, rows[:, other]]
                crossed = residuals[rows[:, one]] * inflated[:, other] + inflated[:, one] * residuals[rows[:, other]]
                squares += (0.5 if one == other else 1) * neighborhood.unseen * products @ crossed
    shrunk = _shrunk(regression, design.T @ (regression.weights[:, None] * residuals))
    return np.asarray(np.sqrt(np.maximum(squares, 0.0).T + shrunk**2))


def _errors_of_dummies(
    regression: Regression,
    dummies: DummyColumns,
    columns: NDArray[np.float64],
    design: NDArray[np.float64],
    residuals: NDArray[np.float64],
    unseen: float,
) -> NDArray[np.float64]:
    """Standard errors (n_targets, p − 1) from the weights of dummies, their free columns (n_samples, n_free)."""
    weighted = regression.weights[:, None] * residuals
    moments = design.T @ weighted
    # The weight of each dummy, were it to join the surrogate, but for its scale.
    weights = columns.T @ weighted - dummies.fitted.T @ moments
    variance = (weights**2 / dummies.squares[:, None]).mean(axis=0) * unseen
    shrunk = _shrunk(regression, moments)
    return np.asarray(np.sqrt(variance[:, None] * regression.squares[1:] + shrunk**2))


def _shrunk(regression: Regression, moments: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the penalty takes from the weights, (n_targets, p − 1), of `X'W e`: fitted anew, the residuals give it."""
    return np.asarray((regression.inverse[1:] @ moments).T)
