"""What a cure needs, from a folder of training images by class and a file of boxes. May import `data` and `probes`."""

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from keras_lime.probes import ProbeSet
from keras_lime.probes.boxes import read_boxes_file

__all__ = ["CureData", "read_cure_data"]

_ONE_IN = 5
"""Of so many boxed images of a class one is kept out of the pool, for the proof."""

_MOST_PER_CLASS = 2000


@dataclass(frozen=True, eq=False)
class CureData:
    """Training images, pool and probes, none of which is in two of the last.

    Attributes:
        images: float32 array (n, h, w, c), the training images without the probes.
        labels: int64 array (n,).
        pool: boxed images of the training.
        probes: boxed images for the shortcut tests before and after.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    pool: ProbeSet
    probes: ProbeSet


def read_cure_data(
    folder: str | PathLike[str],
    boxes: str | PathLike[str],
    image_size: tuple[int, int],
    class_names: list[str] | None = None,
) -> CureData:
    """Reads a folder and divides what has boxes: a fifth of each class are probes, the others are the pool.

    Args:
        folder: holds one folder of images per class; at most 2,000 of each are read, in memory.
        boxes: a JSON file, `{"version": 1, "boxes": {"<id or path>": [[top, left, bottom, right], ...]}}`, in pixels of
            images of that size, by image id (as the page saves them) or by path inside the folder.
        image_size: (height, width) of the model's input.
        class_names: names of the subfolders in the order of the outputs. Defaults to `None`, sorted.

    Returns:
        The `CureData`.

    Raises:
        FileNotFoundError: if folder or file are not there.
        ValueError: if the boxes name no image of the folder, or too few of a class for pool and probes.
    """
    found = ProbeSet.from_directory(
        folder, image_size=image_size, per_class=_MOST_PER_CLASS, class_names=class_names, outlines=None
    )
    masks = read_boxes_file(boxes, image_size)
    known = [masks.get(image_id, masks.get(name)) for image_id, name in zip(found.ids, found.names, strict=True)]
    boxed = np.array([mask is not None and mask.any() for mask in known], bool)
    labels = found.labels
    if labels is None or not boxed.any():
        raise ValueError(
            f"`boxes` must name images of the folder, by id or by path. Received: none of its {len(masks)} names is an "
            f"image of {str(folder)!r}. A path is written as in {found.names[0]!r}."
        )
    kept_out = np.zeros(len(found), bool)
    for label in np.unique(labels):
        members = np.flatnonzero(boxed & (labels == label))
        if len(members) < _ONE_IN:
            name = found.class_names[label] if found.class_names else str(label)
            raise ValueError(
                f"`boxes` must hold boxes of {_ONE_IN} images of every class, for pool and probes. Received: "
                f"{len(members)} of class {name!r}."
            )
        kept_out[members[::_ONE_IN]] = True

    def chosen(rows: NDArray[np.bool_]) -> ProbeSet:
        return ProbeSet(
            found.images[rows],
            labels[rows],
            masks=[mask for mask, row in zip(known, rows, strict=True) if row],
            names=[name for name, row in zip(found.names, rows, strict=True) if row],
            class_names=found.class_names,
        )

    return CureData(found.images[~kept_out], labels[~kept_out], chosen(boxed & ~kept_out), chosen(boxed & kept_out))
