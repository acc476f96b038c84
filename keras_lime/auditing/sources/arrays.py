"""Images in memory → shards that hold their images. May import numpy and `data`."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.shard import Item, Shard
from keras_lime.auditing.sources.source import AddressableSource, Cutting, mixed_order
from keras_lime.data.arrays import to_numpy
from keras_lime.data.labels import class_ids

__all__ = ["ArraySource"]

_COMPARED = 64
"""Images whose pixels tell one data set from another: all of them may be more than can be read."""


class ArraySource(AddressableSource):
    """Arrays `(images,)`, `(images, labels)` or `(images, labels, masks)`.

    Args:
        arrays: images (n, h, w, c) or (n, h, w), of any array library; labels as in `class_ids`, −1 where one is not
            known; masks (n, h, w).
        cutting: how it is cut in shards.
        class_names: names of the classes, for labels that are names, or None.

    Raises:
        ValueError: if there are no images or the lengths differ.
    """

    encoded = False
    class_names: tuple[str, ...] | None = None

    def __init__(self, arrays: Sequence[Any], cutting: Cutting, class_names: Sequence[str] | None = None) -> None:
        images, labels, masks = (*arrays, None, None)[:3]
        count = len(images)
        if count == 0:
            raise ValueError("`dataset` must hold at least one image. Received: empty arrays.")
        if len(images.shape) not in (3, 4):
            raise ValueError(
                f"`dataset` must hold images (n, height, width, channels). Received: shape={tuple(images.shape)}."
            )
        self._images = images
        self._labels = None if labels is None else _labels(labels, count, class_names)
        self._masks = masks
        if masks is not None and len(masks) != count:
            raise ValueError(
                f"`masks` must have one mask for each of the {count} images. Received: {len(masks)} masks."
            )
        super().__init__(mixed_order(count, cutting.seed), cutting)

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`: shape, all labels, and some of the images and masks, which may be large."""
        digest = hashlib.sha256(f"{tuple(self._images.shape)} {self._images.dtype}".encode())
        if self._labels is not None:
            digest.update(self._labels.tobytes())
        for position in np.unique(np.linspace(0, len(self._images) - 1, _COMPARED).astype(int)):
            for array in (self._images, self._masks):
                if array is not None:
                    digest.update(np.ascontiguousarray(to_numpy(array[int(position)], "dataset")).tobytes())
        described = {"kind": "arrays", "images": self.n_images, "sha256": digest.hexdigest()}
        return described | {"masks": self._masks is not None}

    def reference(self, index: int, positions: NDArray[np.int64]) -> Shard:
        """See `AddressableSource.reference`: the shard itself, since no other process has the arrays."""
        return Shard(index, tuple(self._item(int(position)) for position in positions))

    def _item(self, position: int) -> Item:
        pixels = np.array(to_numpy(self._images[position], "dataset"))
        mask = None if self._masks is None else np.array(to_numpy(self._masks[position], "masks"))
        label = None if self._labels is None else int(self._labels[position])
        return Item(position, pixels, None, label, mask)


def _labels(labels: Any, count: int, class_names: Sequence[str] | None) -> NDArray[np.int64]:
    """Class ids; those below 0 and far too large ones stay, and each is judged with its image."""
    given = np.asarray(labels) if isinstance(labels, list | tuple | np.ndarray) else to_numpy(labels, "labels")
    if given.dtype.kind in "iu" and given.reshape(-1).shape == (count,):
        return given.reshape(-1).astype(np.int64)
    return class_ids(labels, count, class_names)
