"""How well numbers of images tell their class: Cohen's kappa, cross-validated. May import numpy and scikit-learn.

Kappa is the share of right guesses, less what guesses without the images would get, over what is left: 0 where nothing
is told, 1 where all is. It does not depend on how many classes there are, or how large (Cohen 1960).
"""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

__all__ = ["FOLDS", "Agreement", "agreement"]

FOLDS = 5
"""Parts of the cross-validation; a class with fewer images cannot be told."""

_FEW_COLUMNS = 8
"""So many numbers need no shrinkage."""

_NOISE = 0.01
"""Noise that is added, in standard deviations: numbers that are constant within a class leave nothing to divide by."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far guesses and classes agree.

    Attributes:
        kappa: 0 by chance, 1 where every guess is right.
        stderr: its standard error over images.
        chance_stderr: the standard error that it has where the numbers say nothing, around 0.
        guesses: int64 array (n,), the class guessed for each image by what was learned from the others.
    """

    kappa: float
    stderr: float
    chance_stderr: float
    guesses: NDArray[np.int64]

    @property
    def least(self) -> float:
        """Two standard errors below kappa."""
        return self.kappa - 2 * max(self.stderr, self.chance_stderr)


def agreement(
    columns: NDArray[np.float64], labels: NDArray[np.int64], *, groups: NDArray[np.int64] | None = None, seed: int = 0
) -> Agreement:
    """Guesses the class of each image from its numbers, and those of the other images with their classes.

    A linear discriminant of the numbers and their squares learns from four fifths of the images and guesses the rest,
    five times. Where there are many numbers, their covariance is shrunk after Ledoit and Wolf. It is fast, and nothing
    in it has to be tuned.

    Args:
        columns: (n, d), finite.
        labels: class ids (n,), at least two classes, of each at least `FOLDS` images.
        groups: images of one group are never in both parts, as copies must not be. Defaults to `None`, all single.
        seed: of the five parts. Defaults to `0`.

    Returns:
        The `Agreement`.
    """
    if not np.ptp(columns, axis=0).any():
        guesses: NDArray[np.int64] = np.full(len(labels), np.bincount(labels).argmax(), np.int64)
        return _compare(guesses, labels, len(labels))
    shrinkage = "auto" if columns.shape[1] > _FEW_COLUMNS else None
    discriminant = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage)
    model = make_pipeline(StandardScaler(), FunctionTransformer(_with_squares), discriminant)
    noise = np.random.default_rng(seed).normal(0, _NOISE, columns.shape) * columns.std(axis=0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    if groups is not None and len(np.unique(groups)) < len(groups):
        folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Groups may leave a part without one of the classes; its guesses are then wrong, as they should be.
        warnings.simplefilter("ignore")
        guesses = cross_val_predict(model, columns + noise, labels, groups=groups, cv=folds)
    return _compare(guesses.astype(np.int64), labels, len(labels) if groups is None else len(np.unique(groups)))


def _with_squares(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Also tells a class in the middle from those on either side; far outliers are drawn in."""
    near = np.clip(columns, -4, 4)
    return np.concatenate([near, near**2], axis=1)


def _compare(guesses: NDArray[np.int64], labels: NDArray[np.int64], n: int) -> Agreement:
    """Kappa, with its errors for n independent images."""
    size = 1 + int(max(guesses.max(), labels.max()))
    shares = np.bincount(guesses, minlength=size) * np.bincount(labels, minlength=size) / len(labels) ** 2
    by_chance, right = float(shares.sum()), float((guesses == labels).mean())
    left = max(1 - by_chance, 1e-9)
    # Agresti and Coull's interval is never of width zero, not even where every guess is right.
    middle = (right * n + 2) / (n + 4)
    return Agreement(
        (right - by_chance) / left,
        float(np.sqrt(middle * (1 - middle) / (n + 4))) / left,
        float(np.sqrt(by_chance / (n * left))),
        guesses,
    )
