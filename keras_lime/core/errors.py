"""How far the weights would move with other perturbations: standard errors of the surrogate's coefficients.

Needs the scores that are there already and no further model call. May import numpy and the core.
"""

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.perturbation import Neighborhood
from keras_lime.core.ridge import design_matrix, influences

__all__ = ["clustered_errors", "standard_errors"]


def standard_errors(
    neighborhood: Neighborhood, residuals: NDArray[np.float64], alpha: float = 1.0
) -> NDArray[np.float64]:
    """Standard errors of the weights of a ridge surrogate, robust to residuals of any shape.

    Args:
        neighborhood: masks, weights and groups, n_samples rows.
        residuals: float64 array (n_samples, n_targets): score minus surrogate.
        alpha: the ridge penalty of the surrogate.

    Returns:
        float64 array (n_targets, n_segments); zero where all masks were enumerated, because nothing was left to chance.
    """
    design = design_matrix(neighborhood.masks)
    influence = influences(design, neighborhood.weights[None], alpha)
    return clustered_errors(neighborhood, design, influence, residuals[None])[0]


def clustered_errors(
    neighborhood: Neighborhood,
    design: NDArray[np.float64],
    influence: NDArray[np.float64],
    residuals: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Standard errors of several regressions on the same masks.

    What a linear surrogate leaves over is structure of the model and not noise of one variance, so the classic formula
    does not hold. With the names of `keras_lime.core.ridge`, the covariance is `A⁻¹ (Σ_g s_g s_g') A⁻¹` with
    `s_g = X_g'W_g (I − H_gg)⁻¹ e_g`, `H = X A⁻¹ X'W`, and the sum over groups of rows that were drawn together: HC3
    (MacKinnon & White 1985, equation 11) where every row is a group, and its cluster form CR3 (Bell & McCaffrey 2002,
    section 3) for fold-over pairs.

    Args:
        neighborhood: masks and groups, n_samples rows.
        design: float64 array (n_samples, p).
        influence: float64 array (n_fits, p, n_samples), from `influences`.
        residuals: float64 array (n_fits, n_samples, n_targets).

    Returns:
        float64 array (n_fits, n_targets, p − 1), without the intercept; zero where all masks were enumerated.
    """
    n_fits, width = influence.shape[:2]
    if neighborhood.enumerated:
        return np.zeros((n_fits, residuals.shape[2], width - 1))
    squares: NDArray[np.float64]
    if neighborhood.groups is None:
        leverage = np.einsum("np,kpn->kn", design, influence)
        squares = influence[:, 1:] ** 2 @ (residuals / (1 - leverage)[..., None]) ** 2
        return np.sqrt(squares).transpose(0, 2, 1)
    order = np.argsort(neighborhood.groups, kind="stable")
    sorted_groups = neighborhood.groups[order]
    starts = np.flatnonzero(np.diff(sorted_groups, prepend=sorted_groups[0] - 1))
    inflated = _inflate(residuals, design, influence, order, starts)
    moved = [
        np.add.reduceat((influence[:, 1:] * column[:, None])[..., order], starts, axis=2)
        for column in inflated.transpose(2, 0, 1)
    ]
    return np.stack([np.sqrt((each**2).sum(axis=2)) for each in moved], axis=1)


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
        columns = influence[:, :, rows].transpose(0, 2, 1, 3)
        hat = design[rows] @ columns
        inflated[:, rows] = np.linalg.solve(np.eye(size) - hat, residuals[:, rows])
    return inflated
