"""How far the weights would move with other perturbations: standard errors of the surrogate's coefficients.

Needs the scores that are there already and no further model call. May import numpy.
"""

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.perturbation import Neighborhood

__all__ = ["standard_errors"]


def standard_errors(
    neighborhood: Neighborhood, residuals: NDArray[np.float64], alpha: float = 1.0
) -> NDArray[np.float64]:
    """Standard errors of the weights of a ridge surrogate, robust to residuals of any shape.

    What a linear surrogate leaves over is structure of the model and not noise of one variance, so the classic formula
    does not hold. With design X (a column of ones and the masks), kernel weights W and `A = X'WX + alpha·P` (P: the
    identity without the intercept), the covariance is `A⁻¹ (Σ_g s_g s_g') A⁻¹` with `s_g = X_g'W_g (I − H_gg)⁻¹ e_g`,
    `H = X A⁻¹ X'W`, and the sum over groups of rows that were drawn together: HC3 (MacKinnon & White 1985, equation 11)
    where every row is a group, and its cluster form CR3 (Bell & McCaffrey 2002, section 3) for fold-over pairs.

    Args:
        neighborhood: masks, weights and groups, n_samples rows.
        residuals: float64 array (n_samples, n_targets): score minus surrogate.
        alpha: the ridge penalty of the surrogate.

    Returns:
        float64 array (n_targets, n_segments); zero where all masks were enumerated, because nothing was left to chance.
    """
    n_samples, n_segments = neighborhood.masks.shape
    if neighborhood.enumerated:
        return np.zeros((residuals.shape[1], n_segments))
    design = np.concatenate([np.ones((n_samples, 1)), neighborhood.masks], axis=1)
    gram = design.T @ (design * neighborhood.weights[:, None])
    gram[np.arange(1, n_segments + 1), np.arange(1, n_segments + 1)] += alpha
    # Row i of the hat matrix is design[i] @ influence.
    influence = np.linalg.lstsq(gram, design.T, rcond=None)[0] * neighborhood.weights
    groups = np.arange(n_samples) if neighborhood.groups is None else neighborhood.groups
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    inflated = _inflate(residuals, design, influence, order, starts)
    errors = [
        np.sqrt((np.add.reduceat((influence * column)[:, order], starts, axis=1)[1:] ** 2).sum(axis=1))
        for column in inflated.T
    ]
    return np.stack(errors)


def _inflate(
    residuals: NDArray[np.float64],
    design: NDArray[np.float64],
    influence: NDArray[np.float64],
    order: NDArray[np.intp],
    starts: NDArray[np.intp],
) -> NDArray[np.float64]:
    """The residuals that each group would have had without taking part in the fit, groups of one size at a time."""
    inflated = np.empty_like(residuals)
    sizes = np.diff(starts, append=len(order))
    for size in np.unique(sizes):
        rows = order[starts[sizes == size][:, None] + np.arange(size)]
        hat = np.einsum("gaj,jgb->gab", design[rows], influence[:, rows])
        inflated[rows] = np.linalg.solve(np.eye(size) - hat, residuals[rows])
    return inflated
