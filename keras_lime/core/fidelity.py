"""How much the perturbations of one image can tell, and how far two explanations agree. May import numpy and SciPy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from keras_lime.core.neighborhood import Neighborhood

__all__ = ["Fidelity", "measure_fidelity", "rank_agreement", "weighted_spread"]


@dataclass(frozen=True, eq=False)
class Fidelity:
    """How well a surrogate stands for its model, and on how many samples it rests.

    Attributes:
        r2: float64 array (n_targets,): weighted R² of the surrogates.
        effective_samples: as many equally weighted perturbations would tell as much: `(Σw)² / Σw²` with the kernel's
            weights w (Kish 1965). Infinite where all masks were enumerated, because nothing was left to chance.
        samples_per_superpixel: int64 array (n_segments,): in how many perturbations each superpixel is hidden.
    """

    r2: NDArray[np.float64]
    effective_samples: float
    samples_per_superpixel: NDArray[np.int64]


def measure_fidelity(neighborhood: Neighborhood, r2: NDArray[np.float64]) -> Fidelity:
    """`Fidelity` of a fit with these perturbations and this R² (n_targets,)."""
    weights = neighborhood.weights
    effective = np.inf if neighborhood.enumerated else float(weights.sum() ** 2 / (weights**2).sum())
    return Fidelity(r2, effective, (~neighborhood.masks).sum(axis=0))


def weighted_spread(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation of values (n_samples, n_targets) with the kernel's weights (n_samples,), (n_targets,)."""
    centred = values - weights @ values / weights.sum()
    spread: NDArray[np.float64] = np.sqrt(weights @ centred**2 / weights.sum())
    return spread


def rank_agreement(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's rank correlation of two sets of weights (n_targets, n_segments), row by row.

    Returns:
        float64 array (n_targets,) in −1..1; NaN where a row is constant or not finite.
    """
    return np.array([_spearman(*rows) for rows in zip(one, other, strict=True)])


def _spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    if not (np.isfinite(one).all() and np.isfinite(other).all()) or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])
