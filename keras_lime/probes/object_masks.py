"""Object masks and boxes as users give them → bool arrays. May import numpy, `data` and the modules of boxes."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.data.arrays import to_numpy
from keras_lime.exceptions import warn
from keras_lime.probes.box_order import warn_of_wrong_order
from keras_lime.probes.boxes import BoxOrder, fill_boxes, parse_boxes, read_boxes_file

__all__ = ["masks_by_id", "masks_of_boxes", "masks_of_either", "object_masks"]


def masks_of_either(masks: Any, boxes: Any, order: BoxOrder | None, images: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Object masks of one argument or the other, bool (n, h, w); None without both."""
    count, height, width = images.shape[:3]
    if masks is not None and boxes is not None:
        raise ValueError("`masks` and `boxes` cannot both be given. Give the more exact ones, the masks.")
    if order is not None and boxes is None:
        raise ValueError(f"`order` is that of the numbers in `boxes`. Received: order={order!r} without boxes.")
    if masks is not None:
        return object_masks(masks, (count, height, width))
    return None if boxes is None else masks_of_boxes(boxes, order, images)


def masks_of_boxes(boxes: Any, order: BoxOrder | None, images: NDArray[Any]) -> NDArray[np.bool_]:
    """Masks of boxes; without an `order` the images are asked whether the boxes stand in another one."""
    count, height, width = images.shape[:3]
    parsed = parse_boxes(boxes, (count, height, width), order or "tlbr")
    masks = fill_boxes(parsed, (count, height, width))
    if order is None:
        warn_of_wrong_order(images, parsed, masks)
    return masks


def masks_by_id(
    path: str | PathLike[str],
    ids: Sequence[str],
    masks: NDArray[np.bool_] | None,
    image_size: tuple[int, int],
) -> NDArray[np.bool_]:
    """Masks with those of a file in place of the old ones.

    Args:
        path: see `read_boxes_file`.
        ids: of the probes.
        masks: the probes' present masks, (n, h, w), or None.
        image_size: (height, width) of the probes.

    Returns:
        Bool array (n, h, w), read-only; empty for a probe that has neither boxes nor a mask.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no file of boxes, or names none of the probes.
    """
    saved = read_boxes_file(path, image_size)
    unknown = [probe_id for probe_id in saved if probe_id not in ids]
    if saved and len(unknown) == len(saved):
        raise ValueError(
            f"`boxes` must name probes of this set. Received: {str(path)!r} with {len(saved)} probes, {unknown[:3]}, "
            f"none of them here; these are {list(ids)[:3]}. The boxes were saved for other images, or for the same "
            "ones in another size."
        )
    if unknown:
        warn(f"{path} has boxes for {len(unknown)} probes that are not in this set, {unknown[:3]}; they are ignored.")
    result = np.zeros((len(ids), *image_size), bool) if masks is None else masks.copy()
    for index, probe_id in enumerate(ids):
        if probe_id in saved:
            result[index] = saved[probe_id]
    result.setflags(write=False)
    return result


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
