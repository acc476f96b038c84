"""Plans → batches of masks: which perturbations of which images are scored together. May import numpy and the core."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.plan import Plan

__all__ = ["Batch", "Rows"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Perturbations that are scored together.

    Attributes:
        plans: positions of the plans that are on the device; one slot each.
        owner: int32 array (size,), slot of the image that each row perturbs; padding rows have slot 0.
        masks: bool array (size, columns), padded with False.
        parts: position of a plan, and the rows of the batch that are its next perturbations.
        stop: the row after the last of this batch, in the sequence of all rows.
    """

    plans: range
    owner: NDArray[np.int32]
    masks: NDArray[np.bool_]
    parts: tuple[tuple[int, slice], ...]
    stop: int


class Rows:
    """The perturbations of several plans, one after another."""

    def __init__(self, plans: Sequence[Plan], slots: int, columns: int) -> None:
        """Counts the rows.

        Args:
            plans: images of one shape.
            slots: images that fit on the device at once.
            columns: least number of columns of the masks; with more superpixels four times as many, and so on.
        """
        self._plans = plans
        self._slots = slots
        self._ends = np.cumsum([len(plan.neighborhood.masks) for plan in plans], dtype=np.int64)
        self.total = int(self._ends[-1]) if len(plans) else 0
        self._columns = columns
        while self._columns < max((plan.segmentation.n_segments for plan in plans), default=0):
            self._columns *= 4

    def batch(self, start: int, size: int, loaded: range) -> Batch:
        """The batch that begins with row `start`.

        Args:
            start: below `total`.
            size: rows of the batch; where fewer remain, or more than `slots` images would be needed, it is padded.
            loaded: plans that are on the device; kept if they are all that the batch needs.
        """
        first = self._plan(start)
        reach = range(first, min(first + self._slots, len(self._plans)))
        stop = min(start + size, int(self._ends[reach[-1]]))
        plans = loaded if first in loaded and self._plan(stop - 1) in loaded else reach
        owner, masks = np.zeros(size, np.int32), np.zeros((size, self._columns), bool)
        parts = []
        for position, taken, into in self._parts(start, stop):
            owner[into] = position - plans.start
            masks[into, : taken.shape[1]] = taken
            parts.append((position, into))
        return Batch(plans, owner, masks, tuple(parts), stop)

    def images(self, plans: range) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        """Images (slots, h, w, c), baselines and labels (slots, h, w) of some plans; slots left over hold zeros."""
        chosen = [self._plans[position] for position in plans]
        pixels = np.zeros((self._slots, *chosen[0].pixels.shape), np.float32)
        baselines, labels = np.zeros_like(pixels), np.zeros(pixels.shape[:3], np.int32)
        for slot, plan in enumerate(chosen):
            pixels[slot], baselines[slot], labels[slot] = plan.pixels, plan.baseline, plan.segmentation.labels
        return pixels, baselines, labels

    def _plan(self, row: int) -> int:
        return int(np.searchsorted(self._ends, row, side="right"))

    def _parts(self, start: int, stop: int) -> Iterator[tuple[int, NDArray[np.bool_], slice]]:
        row = start
        while row < stop:
            position = self._plan(row)
            masks = self._plans[position].neighborhood.masks
            end = min(stop, int(self._ends[position]))
            offset = int(self._ends[position]) - len(masks)
            yield position, masks[row - offset : end - offset], slice(row - start, end - start)
            row = end
