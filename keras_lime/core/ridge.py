"""Weighted ridge regression on masks, as a linear map from scores to coefficients. May import numpy."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["design_matrix", "influence_matrix", "inverse_gram"]


def design_matrix(masks: NDArray[np.bool_]) -> NDArray[np.float64]:
    """A column of ones and the masks, float64 (n_samples, 1 + n_segments)."""
    design = np.ones((masks.shape[0], 1 + masks.shape[1]))
    design[:, 1:] = masks
    return design


def influence_matrix(design: NDArray[np.float64], weights: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """How much each score counts in each coefficient of the regression; the intercept is not penalised.

    With X the design, W the weights on a diagonal and P the identity without the intercept, this is the matrix
    `A⁻¹X'W` with `A = X'WX + alpha·P`: multiplied by the scores it gives the coefficients.

    Args:
        design: float64 array (n_samples, p), a column of ones first.
        weights: float64 array (n_samples,).
        alpha: the penalty, >= 0. With 0, coefficients that the samples do not tell apart share their effect.

    Returns:
        float64 array (p, n_samples).
    """
    weighted = design.T * weights
    return np.asarray(inverse_gram(weighted, design, alpha) @ weighted, dtype=np.float64)


def inverse_gram(weighted: NDArray[np.float64], design: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """`A⁻¹`, float64 (p, p), from `X'W` and `X`; see `influence_matrix`."""
    gram = weighted @ design
    penalised = np.arange(1, design.shape[1])
    gram[penalised, penalised] += alpha
    # The penalty keeps the matrix far from singular; inverting it is three times as fast as solving for every score.
    return np.asarray(np.linalg.inv(gram) if alpha > 0 else np.linalg.pinv(gram, hermitian=True), dtype=np.float64)
