"""Bounding boxes → object masks: in which order their numbers stand, and the file that the page saves them in.

May import numpy and `data.arrays`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from keras_lime.data.arrays import to_numpy

__all__ = ["BOX_ORDERS", "BoxOrder", "fill_boxes", "parse_boxes", "read_boxes_file"]

BoxOrder = Literal["tlbr", "ltrb", "ltwh"]

BOX_ORDERS: Mapping[str, str] = {
    "tlbr": "(top, left, bottom, right)",
    "ltrb": "(left, top, right, bottom)",
    "ltwh": "(left, top, width, height)",
}
"""Orders of a box's four numbers: this package's own, that of PIL, PyTorch and Pascal VOC, and that of COCO."""

_FILE_VERSION = 1

Boxes = list[list[tuple[float, float, float, float]]]
"""For each image its boxes (top, left, bottom, right), in pixels."""


def parse_boxes(boxes: Any, shape: tuple[int, int, int], order: str) -> Boxes:
    """Reads and checks boxes.

    Args:
        boxes: one box per image, shape (n, 4), or a sequence of n arrays (k, 4) with any number of boxes each (an
            empty one, or None: no object). In pixels, rows top <= y < bottom and columns left <= x < right.
        shape: (n, h, w) of the images.
        order: one of `BOX_ORDERS`.

    Returns:
        The boxes of each image as (top, left, bottom, right).

    Raises:
        TypeError: if the boxes are no numbers.
        ValueError: if their number or shape is wrong, or a box is empty or leaves the image.
    """
    if order not in BOX_ORDERS:
        raise ValueError(f"`order` must be one of {', '.join(BOX_ORDERS)}. Received: order={order!r}.")
    n_images, height, width = shape
    rows: Sequence[Any] = boxes if isinstance(boxes, list | tuple) else list(to_numpy(boxes, "boxes"))
    if len(rows) != n_images:
        raise ValueError(
            f"`boxes` must have one entry for each of the {n_images} images, shape ({n_images}, 4) or a list of arrays "
            f"of shape (k, 4). Received: {len(rows)} entries."
        )
    given = [_numbers(row, index) for index, row in enumerate(rows)]
    _refuse_shares([number for boxes_of_one in given for box in boxes_of_one for number in box])
    for index, boxes_of_one in enumerate(given):
        for box in boxes_of_one:
            if not _fits(_reordered(box, order), height, width):
                raise ValueError(_misfit(box, order, f"image {index}", given, height, width))
    return [[_reordered(box, order) for box in boxes_of_one] for boxes_of_one in given]


def fill_boxes(boxes: Boxes, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Masks of checked boxes, bool (n, h, w), read-only, True in any of an image's boxes; fractions round outwards."""
    masks = np.zeros(shape, dtype=bool)
    for mask, boxes_of_one in zip(masks, boxes, strict=True):
        for top, left, bottom, right in boxes_of_one:
            mask[int(top) : math.ceil(bottom), int(left) : math.ceil(right)] = True
    masks.setflags(write=False)
    return masks


def read_boxes_file(path: str | PathLike[str], image_size: tuple[int, int]) -> dict[str, NDArray[np.bool_]]:
    """Reads boxes by probe, as the page's objects view saves them.

    Args:
        path: a JSON file, `{"version": 1, "boxes": {"<probe id>": [[top, left, bottom, right], ...]}}`, in pixels; an
            empty list: no object.
        image_size: (height, width) of the probes.

    Returns:
        A bool mask (h, w) for each probe id.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it holds anything else, with the probe's id.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"`boxes` must be boxes or a JSON file of them. Received: {str(path)!r}, no file.")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"`boxes` must be a JSON file. Received: {str(path)!r}, which is none: {error}.") from error
    boxes = content.get("boxes") if isinstance(content, dict) else None
    if not isinstance(boxes, dict):
        raise ValueError(
            f'`boxes` must be a file of {{"version": 1, "boxes": {{"<probe id>": [[top, left, bottom, right]]}}}}. '
            f"Received: {str(path)!r} without `boxes` by probe id."
        )
    if content.get("version") != _FILE_VERSION:
        raise ValueError(
            f"`boxes` must be a file of version {_FILE_VERSION}. Received: {str(path)!r} of version "
            f"{content.get('version')!r}. Save the boxes again with the page of this version."
        )
    return {probe_id: _mask_of(probe_id, rows, image_size) for probe_id, rows in boxes.items()}


def _mask_of(probe_id: str, rows: Any, image_size: tuple[int, int]) -> NDArray[np.bool_]:
    flat = isinstance(rows, list) and all(
        isinstance(box, list) and len(box) == 4 and all(_is_number(number) for number in box) for box in rows
    )
    if not flat:
        raise ValueError(
            f"`boxes` must hold a list of boxes [top, left, bottom, right] for each probe. Received: {rows!r:.80} for "
            f"probe {probe_id!r}."
        )
    height, width = image_size
    for box in rows:
        if not _fits(tuple(box), height, width):
            raise ValueError(_misfit(box, "tlbr", f"probe {probe_id!r}", [rows], height, width))
    mask: NDArray[np.bool_] = fill_boxes([[tuple(box) for box in rows]], (1, height, width))[0]
    return mask


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(row: Any, index: int) -> list[list[float]]:
    """The boxes of one image as they came."""
    given = np.asarray([] if row is None else to_numpy(row, "boxes"), dtype=np.float64)
    if given.size == 0:
        return []
    if given.ndim == 1:
        given = given[None]
    if given.ndim != 2 or given.shape[1] != 4 or not np.isfinite(given).all():
        raise ValueError(
            "`boxes` must hold four finite numbers per box, (top, left, bottom, right). "
            f"Received: shape={given.shape} for image {index}."
        )
    boxes: list[list[float]] = given.tolist()
    return boxes


def _refuse_shares(numbers: Sequence[float]) -> None:
    if numbers and max(numbers) <= 1 and any(number % 1 for number in numbers):
        raise ValueError(
            "`boxes` must be in pixels. Received: coordinates between 0 and 1 only. Multiply them by height and width."
        )


def _reordered(box: Sequence[float], order: str) -> tuple[float, float, float, float]:
    """A box as (top, left, bottom, right)."""
    first, second, third, fourth = box
    if order == "ltrb":
        return second, first, fourth, third
    if order == "ltwh":
        return second, first, second + fourth, first + third
    return first, second, third, fourth


def _fits(box: Sequence[float], height: int, width: int) -> bool:
    top, left, bottom, right = box
    return 0 <= top < bottom <= height and 0 <= left < right <= width


def _misfit(
    box: Sequence[float], order: str, where: str, given: Sequence[Sequence[Sequence[float]]], height: int, width: int
) -> str:
    """Why a box is refused, with the order in which all boxes would fit, if there is one."""
    fitting = [
        name
        for name in BOX_ORDERS
        if all(_fits(_reordered(one, name), height, width) for boxes_of_one in given for one in boxes_of_one)
    ]
    remedy = "Check the order of the numbers, and clip boxes at the image's edge."
    if fitting:
        remedy += f' All boxes fit as {BOX_ORDERS[fitting[0]]}: if that is their order, pass order="{fitting[0]}".'
    return (
        f"`boxes` must be {BOX_ORDERS[order]} in pixels inside the image of height {height} and width {width}. "
        f"Received: {tuple(box)} for {where}. {remedy}"
    )
