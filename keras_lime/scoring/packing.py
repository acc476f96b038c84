"""Plans → batches of masks: which perturbations of which images are scored together. May import numpy and the core."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.plan import Plan
from keras_lime.scoring.input_layout import InputLayout

__all__ = ["MaskBatch", "MaskPacker"]


@dataclass(frozen=True, eq=False)
class MaskBatch:
    """Perturbations that are scored together.

    Attributes:
        staged: positions of the plans that are on the device; one slot each.
        image_slot: int32 array (size,), slot of the image that each row perturbs; padding rows have slot 0.
        masks: bool array (size, mask width), padded with False.
        parts: position of a plan, and the rows of the batch that are its next perturbations.
        stop: the row after the last of this batch, in the sequence of all rows.
    """

    staged: range
    image_slot: NDArray[np.int32]
    masks: NDArray[np.bool_]
    parts: tuple[tuple[int, slice], ...]
    stop: int


class MaskPacker:
    """The perturbations of several plans, one after another, cut into batches.

    All masks of all plans stand in one sequence of rows. A batch is a stretch of that sequence, whatever images it
    belongs to: 20 images of 257 masks each fill 41 batches of 128 rows, not 60. What bounds a batch beside its size is
    the number of images that fit on the device at once.
    """

    def __init__(self, plans: Sequence[Plan], n_slots: int, mask_width: int) -> None:
        """Counts the rows.

        Args:
            plans: images of one shape.
            n_slots: images that fit on the device at once.
            mask_width: least number of columns of the masks; with more superpixels four times as many, and so on.
        """
        self._plans = plans
        self._n_slots = n_slots
        self._ends = np.cumsum([len(plan.neighborhood.masks) for plan in plans], dtype=np.int64)
        self.n_rows = int(self._ends[-1]) if len(plans) else 0
        self._mask_width = mask_width
        while self._mask_width < max((plan.segmentation.n_segments for plan in plans), default=0):
            self._mask_width *= 4

    def batch(self, start: int, size: int, staged: range) -> MaskBatch:
        """The batch that begins with row `start`.

        Args:
            start: below `n_rows`.
            size: rows of the batch; where fewer remain, or more images would be needed than fit, it is padded.
            staged: plans that are on the device; kept if they are all that the batch needs.
        """
        first = self._plan_of(start)
        # Images are staged several at a time, so that the next batches find theirs there: copying one costs as much as
        # a good part of a batch.
        reach = range(first, min(first + self._n_slots, len(self._plans)))
        stop = min(start + size, int(self._ends[reach[-1]]))
        wanted = staged if first in staged and self._plan_of(stop - 1) in staged else reach
        image_slot, masks = np.zeros(size, np.int32), np.zeros((size, self._mask_width), bool)
        parts = []
        for position, taken, rows in self._parts(start, stop):
            image_slot[rows] = position - wanted.start
            masks[rows, : taken.shape[1]] = taken
            parts.append((position, rows))
        return MaskBatch(wanted, image_slot, masks, tuple(parts), stop)

    def images(self, positions: range) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        """Images (slots, h, w, c), baselines and labels (slots, h, w) of some plans; slots left over hold zeros."""
        chosen = [self._plans[position] for position in positions]
        pixels = np.zeros((self._n_slots, *chosen[0].pixels.shape), np.float32)
        baselines, labels = np.zeros_like(pixels), np.zeros(pixels.shape[:3], np.int32)
        for slot, plan in enumerate(chosen):
            pixels[slot], baselines[slot], labels[slot] = plan.pixels, plan.baseline, plan.segmentation.labels
        return pixels, baselines, labels

    def others(self, positions: range, layout: InputLayout) -> list[NDArray[Any]]:
        """For each input beside the image an array (slots, ...) of some plans; slots left over hold zeros."""
        arrays = layout.zeros(self._n_slots)
        for slot, position in enumerate(positions):
            for array, value in zip(arrays, layout.values_of(self._plans[position].inputs), strict=True):
                array[slot] = value
        return arrays

    def _plan_of(self, row: int) -> int:
        """Position of the plan that a row belongs to."""
        return int(np.searchsorted(self._ends, row, side="right"))

    def _parts(self, start: int, stop: int) -> Iterator[tuple[int, NDArray[np.bool_], slice]]:
        """The stretch `start..stop` cut at the ends of plans: position, masks, and the rows of the batch for them."""
        row = start
        while row < stop:
            position = self._plan_of(row)
            masks = self._plans[position].neighborhood.masks
            end = min(stop, int(self._ends[position]))
            # Row of the sequence at which this plan's masks begin.
            offset = int(self._ends[position]) - len(masks)
            yield position, masks[row - offset : end - offset], slice(row - start, end - start)
            row = end
