"""What a weighted ridge regression does with any scores: everything about it that the masks alone decide.

A training's masks are the same at every epoch, so each regression on them is made once, see `Neighborhood.kept`. May
import numpy and the core.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.neighborhood import Neighborhood, kernel_weights
from keras_lime.core.ridge import inverse_gram

__all__ = ["DummyColumns", "Regression", "regression_of"]

_FEWEST_DUMMIES = 8
"""Fewer say too little about a variance."""

_LEAST_OWN = 0.25
"""Share of a dummy's variance that the superpixels must leave to it."""

_DETERMINED = 1e-9
"""`det(I − H_gg)` of a group of rows without which the fit would be undetermined."""


@dataclass(frozen=True, eq=False)
class DummyColumns:
    """Superpixels that are not there, as the regression sees them.

    Attributes:
        free: bool array (n_dummies,), those that the superpixels do not span.
        fitted: float64 array (p, n_free), the coefficients of the regression on each.
        squares: float64 array (n_free,), the sum of squares of what each row's score counts in the weight of each.
    """

    free: NDArray[np.bool_]
    fitted: NDArray[np.float64]
    squares: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regression:
    """A ridge regression without its scores, with the names of `keras_lime.core.ridge`.

    Attributes:
        alpha: the penalty.
        weights: float64 array (n_samples,), the kernel's, of every row.
        inverse: float64 array (p, p), `A⁻¹`.
        squares: float64 array (p,), the sum of squares of what each score counts in each coefficient.
        shrinkage: by how much the penalty shrinks a weight, 0..1, the mean over superpixels.
        left: for the groups of rows of each size, arrays (n_groups, size), what a fit leaves of their residuals,
            `I − H_gg` (n_groups, size, size); None where the others do not determine it without one of the groups.
        dummies: the columns of the design that no superpixel has; None where there are too few.
    """

    alpha: float
    weights: NDArray[np.float64]
    inverse: NDArray[np.float64]
    squares: NDArray[np.float64]
    shrinkage: float
    left: list[tuple[NDArray[np.intp], NDArray[np.float64]]] | None
    dummies: DummyColumns | None

    def coefficients(self, design: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """The coefficients (p, n_targets) of scores (n_samples, n_targets), with the masks' `design_matrix`."""
        return np.asarray(self.inverse @ (design.T @ (self.weights[:, None] * scores)))


def regression_of(
    neighborhood: Neighborhood, design: NDArray[np.float64], alpha: float, kernel_width: float | None = None
) -> Regression:
    """The regression on some masks; the one that was made before, where the neighborhood keeps them.

    Args:
        neighborhood: masks, weights, groups and dummies, n_samples rows.
        design: `design_matrix` of the masks.
        alpha: the penalty.
        kernel_width: gives the rows other weights. Defaults to `None`, those of the neighborhood.
    """
    kept, key = neighborhood.regressions, (alpha, kernel_width)
    if kept is not None and key in kept:
        return kept[key]
    weights = neighborhood.weights
    if kernel_width is not None:
        # Row 0 shows everything and has kernel weight 1: what it has more is the factor of enumerated masks.
        weights = weights[0] * kernel_weights(neighborhood.masks, kernel_width)
    found = _make(neighborhood, design, weights, alpha)
    if kept is not None:
        kept[key] = found
    return found


def _make(
    neighborhood: Neighborhood, design: NDArray[np.float64], weights: NDArray[np.float64], alpha: float
) -> Regression:
    weighted = design.T * weights
    inverse = inverse_gram(weighted, design, alpha)
    influence = inverse @ weighted
    shrinkage = 1.0 - float(np.einsum("pn,np->p", influence, design)[1:].mean())
    squares = np.einsum("pn,pn->p", influence, influence)
    left: list[tuple[NDArray[np.intp], NDArray[np.float64]]] | None = []
    dummies = None
    if not neighborhood.enumerated:
        left = _left(neighborhood, design, influence)
        dummies = _dummies(neighborhood, design, weights, influence)
    return Regression(alpha, weights, inverse, squares, shrinkage, left, dummies)


def _left(
    neighborhood: Neighborhood, design: NDArray[np.float64], influence: NDArray[np.float64]
) -> list[tuple[NDArray[np.intp], NDArray[np.float64]]] | None:
    """`Regression.left`."""
    found = []
    for rows in neighborhood.rows_of_groups:
        left = np.eye(rows.shape[1]) - np.einsum("gap,pgb->gab", design[rows], influence[:, rows])
        if np.abs(np.linalg.det(left)).min() < _DETERMINED:
            return None
        found.append((rows, left))
    return found


def _dummies(
    neighborhood: Neighborhood,
    design: NDArray[np.float64],
    weights: NDArray[np.float64],
    influence: NDArray[np.float64],
) -> DummyColumns | None:
    """`Regression.dummies`."""
    if neighborhood.dummies is None:
        return None
    columns = neighborhood.dummies.astype(np.float64)
    fitted = influence @ columns
    # What the superpixels' columns do not explain of each. Of few rows they span some, such as inverted columns.
    own = columns - design @ fitted
    sums = weights[:, None] * own
    # Weighted sums of the columns are those of their squares too.
    total = weights @ columns
    moving = total - total**2 / weights.sum()
    free: NDArray[np.bool_] = np.einsum("nj,nj->j", sums, own) > _LEAST_OWN * moving
    if np.count_nonzero(free) < _FEWEST_DUMMIES:
        return None
    return DummyColumns(free, fitted[:, free], np.einsum("nj,nj->j", sums, sums)[free])
