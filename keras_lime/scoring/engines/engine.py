"""What an engine is: the interface that the engines of all backends share. May import numpy; no backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keras_lime.scoring.input_layout import IMAGE_ALONE, InputLayout

__all__ = ["IMAGES_PER_BATCH", "MASK_WIDTH", "Engine", "EngineSpec", "OutputSpec"]

IMAGES_PER_BATCH = 4
"""So many images can share a batch."""

MASK_WIDTH = 256
"""Masks have so many columns, or four times as many and so on, so that one compiled function fits all superpixels."""

_STAGED_BYTES = 64 * 2**20
"""Images that are staged together take no more than this; a single one may."""


@dataclass(frozen=True)
class EngineSpec:
    """What an engine is compiled for.

    Attributes:
        image_shape: (h, w) or (h, w, c), as the model takes one image.
        head: name or index of the output, None for the only one.
        batch_size: rows per batch.
        layout: how the model takes the image, and what beside it.
    """

    image_shape: tuple[int, ...]
    head: str | int | None
    batch_size: int
    layout: InputLayout = IMAGE_ALONE

    @property
    def pixel_shape(self) -> tuple[int, int, int]:
        """(h, w, c) with c = 1 for an image (h, w)."""
        height, width, *channels = self.image_shape
        return height, width, channels[0] if channels else 1

    @property
    def n_slots(self) -> int:
        """Images that are on the device at once: `IMAGES_PER_BATCH`, fewer of very large ones."""
        height, width, channels = self.pixel_shape
        return min(max(_STAGED_BYTES // (4 * height * width * channels), 1), IMAGES_PER_BATCH)


@dataclass(frozen=True)
class OutputSpec:
    """Shape and dtype of an output; unlike a symbolic tensor it keeps no model alive."""

    shape: tuple[int | None, ...]
    dtype: str


class Engine(Protocol):
    """A model compiled for one `EngineSpec`. Holds the model by weak reference only; reads its weights at every run.

    Attributes:
        spec: what it is compiled for; `spec.batch_size` rows per batch at most.
        fixed: whether every batch of `run` must have exactly so many rows, so that nothing is compiled anew.
        fixed_score: the same for `score`.
        outputs: `OutputSpec`s of all outputs of the model, in the model's own structure.
        traces: how often the model has been traced.
    """

    spec: EngineSpec
    fixed: bool
    fixed_score: bool
    outputs: Any
    traces: int

    def stage(
        self,
        images: NDArray[np.float32],
        baselines: NDArray[np.float32],
        labels: NDArray[np.int32],
        others: Sequence[NDArray[Any]] = (),
    ) -> tuple[Any, ...]:
        """Puts images on the device.

        Args:
            images: (spec.n_slots, h, w, c).
            baselines: like `images`, what hidden superpixels show.
            labels: (spec.n_slots, h, w), superpixel of each pixel.
            others: for each of `spec.layout.others` an array (spec.n_slots, ...).

        Returns:
            What `run` takes, for as many batches as wanted.
        """

    def run(
        self, staged: tuple[Any, ...], image_slot: NDArray[np.int32], masks: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """Scores one batch.

        Args:
            staged: images, from `stage`.
            image_slot: (n,), slot of the image that each row perturbs.
            masks: (n, mask width), True shows the superpixel. Another width may compile anew.

        Returns:
            Raw outputs (n, k) of the head.
        """

    def score(self, images: NDArray[np.float32], others: Sequence[NDArray[Any]] = ()) -> NDArray[np.float32]:
        """Scores ready images, compiled at the first call.

        Args:
            images: (n, *image_shape), n like for `run`.
            others: for each of `spec.layout.others` an array (n, ...).

        Returns:
            Raw outputs (n, k) of the head.
        """
