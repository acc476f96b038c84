"""The kernel-width path: the weights that other kernel widths would have given, from the same scores.

The masks do not depend on the kernel, only their weights in the fit do, so the path costs no model call. May import
numpy and the core; the figure comes from `keras_lime.plotting`, imported when one is asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.regression import regression_of
from keras_lime.core.ridge import design_matrix
from keras_lime.core.standard_errors import errors_of_regression

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["KernelWidthPath", "default_widths", "fit_path", "kernel_width_path"]

_FACTORS = (0.5, 0.75, 1.0, 2.0, 8.0)
"""Of the explanation's own kernel width; at eight times LIME's 0.25 all perturbations count nearly the same."""

_LEAST = 0.01
"""Weights below this share of the largest are nobody's sign, not even where enumerated masks leave no error."""


@dataclass(frozen=True, eq=False)
class KernelWidthPath:
    """Weights against kernel width.

    Attributes:
        widths: float64 array (n_widths,), rising.
        coef: float64 array (n_widths, n_targets, n_segments).
        stderr: float64 array like `coef`; 0 where all masks were enumerated.
        kernel_width: the width that the explanation itself has.
        target_names: names of the targets.
    """

    widths: NDArray[np.float64]
    coef: NDArray[np.float64]
    stderr: NDArray[np.float64]
    kernel_width: float
    target_names: tuple[str, ...]

    @property
    def sign_flips(self) -> NDArray[np.bool_]:
        """Where the sign depends on the kernel width, bool array (n_targets, n_segments).

        True where the weight is beyond two standard errors, and beyond 1 % of the largest weight at the same width,
        above zero at one width and below zero at another. Source of the fault: Garreau & Mardaoui 2021, section 4.
        """
        largest = np.abs(self.coef).max(axis=2, keepdims=True)
        beyond = np.maximum(2 * self.stderr, _LEAST * largest)
        flips: NDArray[np.bool_] = (self.coef > beyond).any(axis=0) & (self.coef < -beyond).any(axis=0)
        return flips

    def plot(self, target: int = 0) -> "Figure":
        """The weights of the strongest superpixels, and of those whose sign flips, over the kernel width.

        Args:
            target: position of the target in `target_names`. Defaults to `0`.

        Returns:
            A figure that notebooks show by themselves; `savefig(path)` writes it to a file.
        """
        from keras_lime.plotting import plot_widths

        return plot_widths(self, target)


def default_widths(kernel_width: float) -> NDArray[np.float64]:
    """The grid around a kernel width, from half of it to eight times as much, float64 (5,)."""
    return kernel_width * np.array(_FACTORS)


def fit_path(
    neighborhood: Neighborhood, scores: NDArray[np.float64], alpha: float, widths: Sequence[float] | NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fits the ridge surrogate once per kernel width.

    Args:
        neighborhood: the masks, n_samples rows.
        scores: float64 array (n_samples, n_targets).
        alpha: the ridge penalty.
        widths: kernel widths, each > 0.

    Returns:
        Weights and standard errors, float64 arrays (n_widths, n_targets, n_segments).
    """
    design, centred = design_matrix(neighborhood.masks), scores - scores[0]
    coefs, errors = [], []
    # One by one: the matrices of all widths together would leave the processor's caches.
    for width in widths:
        regression = regression_of(neighborhood, design, alpha, float(width))
        solution = regression.coefficients(design, centred)
        coefs.append(solution[1:].T)
        errors.append(errors_of_regression(neighborhood, regression, design, centred - design @ solution))
    return np.stack(coefs), np.stack(errors)


def kernel_width_path(
    neighborhood: Neighborhood,
    scores: NDArray[np.float64],
    alpha: float | None,
    *,
    own: float,
    widths: Sequence[float] | None,
    target_names: tuple[str, ...],
) -> KernelWidthPath:
    """Checks the arguments and fits; `Explanation.kernel_width_path` documents it."""
    chosen = default_widths(own) if widths is None else np.sort(np.asarray(widths, dtype=np.float64).ravel())
    if chosen.size == 0 or not np.isfinite(chosen).all() or chosen.min() <= 0:
        raise ValueError(f"`widths` must be positive numbers. Received: widths={widths!r}.")
    if alpha is None:
        raise ValueError(
            "`kernel_width_path()` needs an explanation by ridge regression or least squares. Received: one with "
            "another `surrogate`. Explain with the default surrogate, or once per `kernel_width`."
        )
    coef, stderr = fit_path(neighborhood, scores, alpha, chosen)
    return KernelWidthPath(chosen, coef, stderr, own, target_names)
