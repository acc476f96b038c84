"""Object masks and bounding boxes → bool masks. May import numpy and `data.arrays`."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.data.arrays import to_numpy

__all__ = ["masks_from_boxes", "object_masks"]


def object_masks(masks: Any, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Checks masks.

    Args:
        masks: array (n, h, w) or (n, h, w, 1), or a list of n arrays (h, w), of booleans or of 0 and 1.
        shape: (n, h, w) of the images.

    Returns:
        bool array (n, h, w), read-only, True on the object. An image without the object may have an empty mask.

    Raises:
        TypeError: if the masks are no numbers.
        ValueError: if the shape does not fit the images or other values than 0 and 1 occur.
    """
    given = to_numpy(masks, "masks")
    if given.shape == (*shape, 1):
        given = given[..., 0]
    if given.shape != shape:
        raise ValueError(
            f"`masks` must have the shape of the images without channels, {shape}. Received: shape={given.shape}."
        )
    if given.dtype.kind != "b" and not np.isin(given, (0, 1)).all():
        raise ValueError(
            f"`masks` must be booleans, or 0 and 1. Received: values from {given.min():.4g} to {given.max():.4g}. "
            "Compare them with a threshold, for instance masks > 127."
        )
    result = given.astype(bool)
    result.setflags(write=False)
    return result


def masks_from_boxes(boxes: Any, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Fills bounding boxes.

    Args:
        boxes: one box (top, left, bottom, right) per image, shape (n, 4), or a sequence of n arrays (k, 4) with any
            number of boxes each (an empty one: no object). In pixels, rows top <= y < bottom and columns
            left <= x < right; fractions are rounded outwards.
        shape: (n, h, w) of the images.

    Returns:
        bool array (n, h, w), read-only, True in any of an image's boxes.

    Raises:
        TypeError: if the boxes are no numbers.
        ValueError: if their number or shape is wrong, or a box is empty or leaves the image.
    """
    n_images, height, width = shape
    rows: Sequence[Any] = boxes if isinstance(boxes, list | tuple) else list(to_numpy(boxes, "boxes"))
    if len(rows) != n_images:
        raise ValueError(
            f"`boxes` must have one entry for each of the {n_images} images, shape ({n_images}, 4) or a list of arrays "
            f"of shape (k, 4). Received: {len(rows)} entries."
        )
    boxes_of = [_boxes_of(row, index) for index, row in enumerate(rows)]
    coordinates = np.array([number for found in boxes_of for box in found for number in box])
    if coordinates.size and coordinates.max() <= 1 and (coordinates % 1).any():
        raise ValueError(
            "`boxes` must be in pixels. Received: coordinates between 0 and 1 only. Multiply them by height and width."
        )
    result = np.zeros(shape, dtype=bool)
    for index, found in enumerate(boxes_of):
        for top, left, bottom, right in found:
            if not (0 <= top < bottom <= height and 0 <= left < right <= width):
                raise ValueError(
                    f"`boxes` must be (top, left, bottom, right) in pixels inside the image of height {height} and "
                    f"width {width}. Received: {(top, left, bottom, right)} for image {index}. Check the order of the "
                    "numbers, and clip boxes at the image's edge."
                )
            inside = slice(int(top), int(np.ceil(bottom))), slice(int(left), int(np.ceil(right)))
            result[(index, *inside)] = True
    result.setflags(write=False)
    return result


def _boxes_of(row: Any, index: int) -> list[list[float]]:
    found = np.asarray([] if row is None else to_numpy(row, "boxes"), dtype=np.float64)
    if found.size == 0:
        return []
    if found.ndim == 1:
        found = found[None]
    if found.ndim != 2 or found.shape[1] != 4 or not np.isfinite(found).all():
        raise ValueError(
            "`boxes` must hold four finite numbers per box, (top, left, bottom, right). "
            f"Received: shape={found.shape} for image {index}."
        )
    boxes: list[list[float]] = found.tolist()
    return boxes
