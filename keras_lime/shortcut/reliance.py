"""Reliance: the share of a model's predictions that follow the class of the background. Imports numpy alone.

Sources: Cameron, Gelbach & Miller 2011 (errors clustered two ways); Agresti & Caffo 2000 (errors that are never zero).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Reliance", "reliance"]


@dataclass(frozen=True)
class Reliance:
    """What swapped images are taken for, shared out between object and background; NaN where it cannot be.

    Attributes:
        background: share of the predictions that follow the class of the background, −1..1: the accuracy lost when an
            object stands before another class's background instead of one of its own.
        stderr: its standard error; never zero.
        object: share of the predictions that follow the class of the object.
    """

    background: float
    stderr: float
    object: float


def reliance(
    predicted: NDArray[np.int64],
    probes: NDArray[np.int64],
    donors: NDArray[np.int64],
    labels: NDArray[np.int64],
    n_classes: int,
) -> Reliance:
    """Least squares over all swapped images and classes.

    Whether an image is given class c = a share of each class as such + the object's share, if c is the object's class
    + the background's share, if c is the background's. A model that goes by the background with a chance of r gets r,
    whatever else it does: what changes its mind at random falls into the classes' shares. Swaps within a class keep a
    weak model's general unrest out of it, and those between classes tell by what the prediction turned *into*, which
    is worth more than that it turned.

    Args:
        predicted: int array (s,), the class that each swapped image is given.
        probes: int array (s,), positions of the probes whose objects they show.
        donors: int array (s,), positions of the probes whose backgrounds they show.
        labels: int array (n,), true classes of the probes.
        n_classes: k, number of the model's classes.

    Returns:
        The `Reliance`; NaN where the swaps do not tell object and background apart.
    """
    unknown = Reliance(math.nan, math.nan, math.nan)
    if not len(predicted):
        return unknown
    units = np.eye(max(n_classes, int(labels.max(initial=0)) + 1))
    answer, thing, scene = (_centred(units[classes]) for classes in (predicted, labels[probes], labels[donors]))
    design = np.stack([thing, scene], axis=-1)
    normal = np.einsum("ski,skj->ij", design, design)
    if np.linalg.matrix_rank(normal) < 2:
        return unknown
    inverse = np.linalg.inv(normal)
    shares = inverse @ np.einsum("ski,sk->i", design, answer)
    residual = answer - design @ shares
    parts = np.einsum("ski,sk->si", design, residual) @ inverse[1]
    # Swaps share probes and donors; what a swap shares with itself is in both sums and is taken off once.
    variance = (np.bincount(probes, parts) ** 2).sum() + (np.bincount(donors, parts) ** 2).sum() - (parts**2).sum()
    # As if one more probe had half followed its background and another half defied it: five swaps that all agree leave
    # a doubt.
    floor = 1 / (len(np.unique(probes)) + 2) ** 2
    thing_share, scene_share = np.clip(shares, -1, 1).tolist()
    return Reliance(scene_share, math.sqrt(max(float(variance), 0.0) + floor), thing_share)


def _centred(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows and columns of mean zero: takes the classes' own shares out."""
    centred: NDArray[np.float64] = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    return centred
