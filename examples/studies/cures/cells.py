"""What the study measures, one cell at a time, and what was found there."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

__all__ = ["BASE", "METHODS", "OUTLINES", "WORLDS", "Cell", "Outcome", "cells", "truth"]

WORLDS = ("signs", "toys")
METHODS = ("new", "finetune", "head", "afr")
OUTLINES = ("masks", "boxes", "estimates")

BASE = "as trained"

_GAIN, _LOSS = 0.05, 0.02
"""Accuracy before other scenes that a cure must bring to be better, and accuracy before its own that it may cost."""


@dataclass(frozen=True)
class Cell:
    """One network and what is done with it.

    Attributes:
        world: one of `WORLDS`.
        correlation: of scene and class in training; 0.2 is none, a clean network.
        seed: of everything.
        n_images: of the training.
        method: `"as trained"` or one of `METHODS`.
        pool: number of training images with an outline.
        outlines: what these are, one of `OUTLINES`; empty where none is needed.
    """

    world: str
    correlation: float
    seed: int
    n_images: int
    method: str = BASE
    pool: int = 0
    outlines: str = ""

    @property
    def name(self) -> str:
        """What was done."""
        return f"{self.method} {self.pool} {self.outlines}" if self.pool else self.method


@dataclass(frozen=True)
class Outcome:
    """What was found; accuracies are those on many new images.

    Attributes:
        cell: what was done.
        elsewhere: accuracy with the objects before another class's scene.
        same: accuracy on images like the training's.
        gain: what the cure changed in the first.
        gain_error: standard error of that, paired.
        change: what it changed in the second.
        change_error: standard error of that.
        receipt: the receipt's outcome; empty where there is none.
        sentence: its first sentence.
        seconds: of CPU time.
    """

    cell: Cell
    elsewhere: float
    same: float
    gain: float = 0.0
    gain_error: float = 0.0
    change: float = 0.0
    change_error: float = 0.0
    receipt: str = ""
    sentence: str = ""
    seconds: float = 0.0

    @property
    def right(self) -> bool | None:
        """Whether the receipt says what the accuracies show; None without a receipt."""
        return self.receipt == truth(self.gain, self.change) if self.receipt else None

    @property
    def decided(self) -> bool:
        """Whether two standard errors more or less of either change would show the same."""
        outcomes = {
            truth(self.gain + one * self.gain_error, self.change + two * self.change_error)
            for one, two in product((-2, 0, 2), repeat=2)
        }
        return len(outcomes) == 1


def truth(gain: float, change: float) -> str:
    """What a receipt should say of so much accuracy more elsewhere, and on images like the training's."""
    if change < -_LOSS or gain < -_GAIN:
        return "worse"
    return "better" if gain > _GAIN else "no difference"


def cells(
    worlds: Sequence[str],
    correlations: Sequence[float],
    seeds: Sequence[int],
    methods: Sequence[str],
    pools: Sequence[int],
    outlines: Sequence[str],
    n_images: int,
) -> list[Cell]:
    """The cells of a part of the study; a new training and the last layer are measured with masks alone."""
    found = []
    for world, correlation, seed in product(worlds, correlations, seeds):
        found.append(Cell(world, correlation, seed, n_images))
        if "afr" in methods:
            found.append(Cell(world, correlation, seed, n_images, "afr"))
        for pool, kind, method in product(pools, outlines, methods):
            if method == "finetune" or (method in ("new", "head") and kind == "masks"):
                found.append(Cell(world, correlation, seed, n_images, method, pool, kind))
    return found
