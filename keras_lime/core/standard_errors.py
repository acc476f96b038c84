"""How far the weights would move with other perturbations: standard errors of the surrogate's coefficients.

What a superpixel that is not there seems to weigh is an error, and nothing else. The design has columns for some, its
dummies, drawn like those of the superpixels: their weights have the errors that the superpixels' weights have, with
whatever the design keeps out of both. Formulas for independent rows do not know of that and claim too much.

Needs the scores that are there already and no further model call. May import numpy and the core.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.ridge import design_matrix, influence_matrix

__all__ = ["LeftOut", "errors_of_influence", "leave_out", "row_groups", "standard_errors"]

_FEWEST_DUMMIES = 8
"""Fewer say too little about a variance."""

_LEAST_OWN = 0.25
"""Share of a dummy's variance that the superpixels must leave to it."""

_DETERMINED = 1e-9
"""`det(I − H_gg)` of a group of rows without which the fit would be undetermined."""


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

    Masks without dummies, such as those of the `lime` package, get HC3 (MacKinnon & White 1985, equation 11), or for
    rows in groups its cluster form CR3 (Bell & McCaffrey 2002, section 3): with the names of `keras_lime.core.ridge`,
    `A⁻¹ (Σ_g s_g s_g') A⁻¹` with `s_g = X_g'W_g (I − H_gg)⁻¹ e_g` and `H = X A⁻¹ X'W`. So do those with fewer than
    eight dummies that the superpixels do not span.

    Args:
        neighborhood: masks, weights, groups and dummies, n_samples rows.
        residuals: float64 array (n_samples, n_targets): score minus surrogate.
        alpha: the ridge penalty of the surrogate.

    Returns:
        float64 array (n_targets, n_segments); zero where all masks were enumerated, because nothing was left to chance,
        and infinite where least squares has no more samples than weights.
    """
    return leave_out(neighborhood, residuals, alpha).stderr


def leave_out(neighborhood: Neighborhood, residuals: NDArray[np.float64], alpha: float) -> LeftOut:
    """`LeftOut` of a ridge surrogate; the arguments are those of `standard_errors`."""
    design = design_matrix(neighborhood.masks)
    influence = influence_matrix(design, neighborhood.weights, alpha)
    shrinkage = 1.0 - float(np.einsum("pn,np->p", influence, design)[1:].mean())
    stderr, deleted = _errors_and_deleted(neighborhood, design, influence, residuals, row_groups(neighborhood))
    return LeftOut(neighborhood, residuals, deleted, stderr, shrinkage)


def errors_of_influence(
    neighborhood: Neighborhood,
    design: NDArray[np.float64],
    influence: NDArray[np.float64],
    residuals: NDArray[np.float64],
    groups: Sequence[NDArray[np.intp]],
) -> NDArray[np.float64]:
    """`standard_errors` where `design_matrix`, `influence_matrix` and `row_groups` are known already.

    Args:
        neighborhood: masks, weights, groups and dummies, n_samples rows.
        design: float64 array (n_samples, p).
        influence: float64 array (p, n_samples).
        residuals: float64 array (n_samples, n_targets).
        groups: what `row_groups` gave.

    Returns:
        float64 array (n_targets, p − 1); infinite where a weight hangs on one group of rows alone.
    """
    return _errors_and_deleted(neighborhood, design, influence, residuals, groups)[0]


def _errors_and_deleted(
    neighborhood: Neighborhood,
    design: NDArray[np.float64],
    influence: NDArray[np.float64],
    residuals: NDArray[np.float64],
    groups: Sequence[NDArray[np.intp]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`LeftOut.stderr` and `LeftOut.deleted`."""
    squares = np.zeros((len(influence) - 1, residuals.shape[1]))
    if neighborhood.enumerated:
        return squares.T, residuals
    of_dummies = _errors_of_dummies(neighborhood, design, influence, residuals)
    deleted = np.empty_like(residuals)
    for rows in groups:
        # (I − H_gg) of every group of this size.
        left = np.eye(rows.shape[1]) - np.einsum("gap,pgb->gab", design[rows], influence[:, rows])
        if np.abs(np.linalg.det(left)).min() < _DETERMINED:
            return np.full(squares.T.shape, np.inf), np.full_like(residuals, np.nan)
        inflated = np.linalg.solve(left, residuals[rows])
        deleted[rows] = inflated
        if of_dummies is not None:
            continue
        for one in range(rows.shape[1]):
            for other in range(one + 1):
                products = influence[1:, rows[:, one]] * influence[1:, rows[:, other]]
                twice = 1 if one == other else 2
                squares += twice * neighborhood.unseen * products @ (inflated[:, one] * inflated[:, other])
    errors: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0.0)).T if of_dummies is None else of_dummies
    return errors, deleted


def _errors_of_dummies(
    neighborhood: Neighborhood,
    design: NDArray[np.float64],
    influence: NDArray[np.float64],
    residuals: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Standard errors (n_targets, p − 1) from the weights of dummies; None where there are too few."""
    if neighborhood.dummies is None:
        return None
    columns = neighborhood.dummies.astype(np.float64)
    weights = neighborhood.weights[:, None]
    # What the superpixels' columns do not explain of each. Of few rows they span some, such as inverted columns.
    own = columns - design @ (influence @ columns)
    moving = columns - (weights * columns).sum(axis=0) / weights.sum()
    free = (weights * own**2).sum(axis=0) > _LEAST_OWN * (weights * moving**2).sum(axis=0)
    if np.count_nonzero(free) < _FEWEST_DUMMIES:
        return None
    sums = weights * own[:, free]
    variance = ((sums.T @ residuals) ** 2 / (sums**2).sum(axis=0)[:, None]).mean(axis=0) * neighborhood.unseen
    # What the penalty takes from the weights: the residuals hold it, and fitted once more they give it.
    shrunk = (influence[1:] @ residuals).T
    errors: NDArray[np.float64] = np.sqrt(variance[:, None] * (influence[1:] ** 2).sum(axis=1) + shrunk**2)
    return errors


def row_groups(neighborhood: Neighborhood) -> list[NDArray[np.intp]]:
    """The rows of every group, groups of one size together: arrays (n_groups, size)."""
    if neighborhood.groups is None:
        return [np.arange(len(neighborhood.masks))[:, None]]
    order = np.argsort(neighborhood.groups, kind="stable")
    sorted_groups = neighborhood.groups[order]
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=sorted_groups[0] - 1))
    sizes = np.diff(starts, append=len(order))
    return [order[starts[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes)]
