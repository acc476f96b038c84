"""What users give to `ProbeSet` → checked, read-only arrays and names. May import numpy and what reads data."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.image import has_channels_first
from keras_lime.data.arrays import to_numpy
from keras_lime.data.datasets import class_ids
from keras_lime.probes.object_masks import masks_from_boxes, object_masks

__all__ = [
    "as_images",
    "as_labels",
    "as_masks",
    "as_names",
    "as_seed",
    "as_size",
    "as_strings",
    "check_count",
    "check_unequal",
    "class_name",
    "default_names",
]


def as_images(images: Any) -> NDArray[Any]:
    """Images as `ProbeSet` keeps them.

    Args:
        images: array (n, h, w, c), or a sequence of n arrays (h, w, c) or (h, w).

    Returns:
        Read-only copy (n, h, w, c) or (n, h, w), integer, bool or float32.

    Raises:
        TypeError: if the values are no real numbers.
        ValueError: if there is no image, or the shape or the values are not those of images.
    """
    if isinstance(images, list | tuple):
        if not images:
            raise ValueError("`images` must hold at least one image. Received: an empty sequence.")
        each = [to_numpy(image, "images") for image in images]
        shapes = {image.shape: index for index, image in reversed(list(enumerate(each)))}
        if len(shapes) > 1:
            (one, first), (other, second) = sorted(shapes.items(), key=lambda item: item[1])[:2]
            raise ValueError(
                f"`images` must have one shape. Received: image {first} of shape {one} and image {second} of shape "
                f"{other}. Resize or crop them to what the model takes."
            )
        if each[0].ndim not in (2, 3):
            raise ValueError(f"`images` must be a list of (h, w) or (h, w, c) arrays. Received: shape={each[0].shape}.")
        pixels = np.stack(each)
    else:
        pixels = np.array(to_numpy(images, "images"))
        if pixels.ndim != 4:
            remedy = ""
            if pixels.ndim == 3:
                remedy = (
                    " For grey images give images[..., None] if the model takes a channel axis, list(images) if it "
                    "takes none; for one image, images[None]."
                )
            raise ValueError(
                f"`images` must be an array of shape (n, h, w, c). Received: shape={pixels.shape}.{remedy}"
            )
    if pixels.size == 0:
        raise ValueError(f"`images` must hold at least one image. Received: shape={pixels.shape}.")
    if has_channels_first(pixels.shape[1:]):
        raise ValueError(
            f"`images` must have their channels last, (n, h, w, c). Received: shape={pixels.shape}. "
            "Give np.moveaxis(images, 1, -1), and a model that takes channels last."
        )
    if pixels.dtype.kind == "f":
        with np.errstate(over="ignore"):
            pixels = pixels.astype(np.float32, copy=False)
        broken = ~np.isfinite(pixels).reshape(len(pixels), -1).all(axis=1)
        if broken.any():
            indices = ", ".join(map(str, np.flatnonzero(broken)[:5]))
            raise ValueError(
                f"`images` must be finite. Received: NaN or infinite pixels in image {indices}. "
                "Repair these images or leave them out."
            )
    pixels.setflags(write=False)
    return pixels


def as_labels(labels: Any, count: int, class_names: tuple[str, ...] | None) -> NDArray[np.int64]:
    """Class ids, read-only int64 (n,), checked against the number of classes; see `datasets.class_ids`."""
    found = class_ids(labels, count)
    if class_names is not None and found.max() >= len(class_names):
        index = int(found.argmax())
        raise ValueError(
            f"`labels` must be below {len(class_names)}, the number of `class_names`. Received: {found[index]} for "
            f"image {index}."
        )
    result = found.copy()
    result.setflags(write=False)
    return result


def as_masks(masks: Any, boxes: Any, images: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Object masks of either argument, bool (n, h, w), or None; see `object_masks`."""
    count, height, width = images.shape[:3]
    if masks is not None and boxes is not None:
        raise ValueError("`masks` and `boxes` cannot both be given. Give the more exact ones, the masks.")
    if masks is not None:
        return object_masks(masks, (count, height, width))
    return None if boxes is None else masks_from_boxes(boxes, (count, height, width))


def as_strings(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """A tuple of strings of any sequence of them."""
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"`{name}` must be a sequence of strings. Received: {name}={values!r}.")
    return tuple(str(value) for value in values)


def as_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Names of `count` probes: unique, not empty."""
    found = as_strings("names", names)
    if len(found) != count:
        raise ValueError(f"`names` must have one entry for each of the {count} images. Received: {len(found)} names.")
    twice = [name for name, times in Counter(found).items() if times > 1]
    if twice or "" in found:
        received = f"{twice[0]!r} more than once" if twice else "an empty name"
        raise ValueError(f"`names` must be unique and not empty. Received: {received}.")
    return found


def default_names(
    ids: tuple[str, ...], labels: NDArray[np.int64] | None, class_names: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Unique names: the class and as much of the id as tells the images apart, at least six digits."""
    length = next(length for length in range(6, 17) if len({one[:length] for one in ids}) == len(ids))
    groups = ["image"] * len(ids) if labels is None else [class_name(label, class_names) for label in labels]
    return tuple(f"{group} · {one[:length]}" for group, one in zip(groups, ids, strict=True))


def class_name(label: int, class_names: tuple[str, ...] | None) -> str:
    """What a class is called where it has no name of its own."""
    return f"class {label}" if class_names is None else class_names[label]


def check_unequal(ids: tuple[str, ...]) -> None:
    """Refuses equal images, naming them."""
    first: dict[str, int] = {}
    for index, content in enumerate(ids):
        if content in first:
            raise ValueError(
                f"`images` must differ from each other. Received: images {first[content]} and {index} are equal. "
                "Leave one of them out."
            )
        first[content] = index


def check_count(name: str, value: Any) -> None:
    """Refuses what is no integer of at least 1."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be an integer of at least 1. Received: {name}={value!r}.")


def as_seed(seed: Any) -> int:
    """The seed as an integer."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise TypeError(f"`seed` must be an integer. Received: seed={seed!r}.")
    return int(seed)


def as_size(image_size: Any) -> tuple[int, int]:
    """(height, width) as two positive integers."""
    try:
        height, width = image_size
    except (TypeError, ValueError):
        height = width = 0
    sizes = [value for value in (height, width) if isinstance(value, int | np.integer) and value > 0]
    if len(sizes) != 2:
        raise ValueError(f"`image_size` must be (height, width) in pixels. Received: image_size={image_size!r}.")
    return int(height), int(width)
