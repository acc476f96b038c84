"""Perturbations in mask space: which superpixels each shows, and how much it counts. May import numpy."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from keras_lime.core.regression import Regression

__all__ = ["Neighborhood", "kernel_weights"]


@dataclass(frozen=True, eq=False)
class Neighborhood:
    """The perturbations of one image, in mask space.

    Attributes:
        masks: bool array of shape (n_samples, n_segments); True shows the superpixel, False hides it. Row 0 shows all.
        weights: float64 array of shape (n_samples,), the kernel's weight of every perturbation.
        enumerated: whether the rows are all 2^n_segments masks, so that nothing was left to chance.
        groups: int array of shape (n_samples,): rows with the same number were drawn together and depend on each
            other; None if every row was drawn by itself.
        dummies: bool array (n_samples, n_dummies): columns of the same design that no superpixel has, so that nothing
            but chance moves the scores with them; None where there are none. See `keras_lime.core.standard_errors`.
        unseen: share of all masks that are not among the rows, where none of these is there twice: what is left to
            chance, and the factor of variances (finite population: Cochran 1977, section 2.6). 1 where masks may come
            twice.
        regressions: those that were made on these masks, by penalty and kernel width; None where they are not kept,
            see `kept`.
    """

    masks: NDArray[np.bool_]
    weights: NDArray[np.float64]
    enumerated: bool = False
    groups: NDArray[np.int64] | None = None
    dummies: NDArray[np.bool_] | None = None
    unseen: float = 1.0
    # Not an argument, so that `dataclasses.replace` never gives the regressions of some masks to others.
    regressions: "dict[tuple[float, float | None], Regression] | None" = field(default=None, init=False, repr=False)

    def kept(self) -> "Neighborhood":
        """The same, for perturbations that are scored again and again: what regressions need of them is made once.

        It takes about as much memory as five times 150 numbers a superpixel, so one explanation alone does without.
        """
        lasting = replace(self)
        object.__setattr__(lasting, "regressions", {})
        return lasting

    @cached_property
    def rows_of_groups(self) -> list[NDArray[np.intp]]:
        """The rows of every group, groups of one size together: arrays (n_groups, size)."""
        if self.groups is None:
            return [np.arange(len(self.masks))[:, None]]
        order = np.argsort(self.groups, kind="stable")
        sorted_groups = self.groups[order]
        starts = np.flatnonzero(np.diff(sorted_groups, prepend=sorted_groups[0] - 1))
        sizes = np.diff(starts, append=len(order))
        return [order[starts[sizes == size][:, None] + np.arange(size)] for size in np.unique(sizes)]

    def rows(self, start: int, stop: int) -> "Neighborhood":
        """The perturbations from row `start` up to, and without, row `stop`."""
        return self.take(slice(start, stop))

    def take(self, rows: slice | NDArray[np.intp]) -> "Neighborhood":
        """The perturbations of some rows, in their order."""
        masks, unseen = self.masks[rows], self.unseen
        if unseen < 1:
            unseen = 1 - len(masks) / 2 ** masks.shape[1]
        groups = None if self.groups is None else self.groups[rows]
        dummies = None if self.dummies is None else self.dummies[rows]
        everything = self.enumerated and len(masks) == len(self.masks)
        return Neighborhood(masks, self.weights[rows], everything, groups, dummies, unseen)

    def __getstate__(self) -> dict[str, Any]:
        """What is pickled: nothing that can be made anew."""
        return {name: value for name, value in vars(self).items() if name not in ("regressions", "rows_of_groups")}


def kernel_weights(masks: NDArray[np.bool_], kernel_width: float) -> NDArray[np.float64]:
    """LIME's weight of each perturbation.

    With k of d superpixels shown, the cosine distance to the image is `D = 1 − sqrt(k / d)` (1 if none is shown) and
    the weight `exp(−D² / (2 · kernel_width²))`. Source: Ribeiro et al. 2016, section 3.3, as the `lime` package has it;
    Garreau & Mardaoui 2021, equation 3.

    Args:
        masks: bool array of shape (n_samples, n_segments).
        kernel_width: > 0; LIME uses 0.25.

    Returns:
        float64 array of shape (n_samples,), each in (0, 1].
    """
    distance = 1.0 - np.sqrt(masks.mean(axis=1))
    weights: NDArray[np.float64] = np.exp(-(distance**2) / (2.0 * kernel_width**2))
    return weights
