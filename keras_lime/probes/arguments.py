"""What users give to `ProbeSet` → checked, read-only arrays. May import numpy and what reads data."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.image import has_channels_first
from keras_lime.core.model_input import InputName
from keras_lime.data.arrays import to_numpy
from keras_lime.data.labels import read_labels
from keras_lime.probes.sizes import DEFAULT_PROBES, DEFAULT_TESTED, Sizes

__all__ = [
    "Outlines",
    "as_images",
    "as_inputs",
    "as_labels",
    "as_outlines",
    "as_seed",
    "as_size",
    "as_sizes",
    "as_strings",
    "check_choice",
    "check_count",
]

Outlines = Literal["estimate"] | Callable[[NDArray[Any]], Any] | None
"""Where object outlines come from where there are no masks."""


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
        arrays = [to_numpy(image, "images") for image in images]
        shapes = {image.shape: index for index, image in reversed(list(enumerate(arrays)))}
        if len(shapes) > 1:
            (one, first), (other, second) = sorted(shapes.items(), key=lambda item: item[1])[:2]
            raise ValueError(
                f"`images` must have one shape. Received: image {first} of shape {one} and image {second} of shape "
                f"{other}. Resize or crop them to what the model takes."
            )
        if arrays[0].ndim not in (2, 3):
            raise ValueError(
                f"`images` must be a list of (h, w) or (h, w, c) arrays. Received: shape={arrays[0].shape}."
            )
        pixels = np.stack(arrays)
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


def as_labels(
    labels: Any, n_images: int, class_names: tuple[str, ...] | None
) -> tuple[NDArray[np.int64] | None, NDArray[np.bool_] | None]:
    """Labels as `ProbeSet` keeps them.

    Args:
        labels: see `keras_lime.data.labels.read_labels`, or None.
        n_images: number of images.
        class_names: names of the classes, or None.

    Returns:
        Class ids, read-only int64 (n,), or None; and the rows (n, k) of labels that are sets of classes, read-only
        bool, or None.

    Raises:
        TypeError: if they are no labels.
        ValueError: if they do not fit the images or the class names.
    """
    if labels is None:
        return None, None
    found = read_labels(labels, n_images, class_names)
    if found.ids is None:
        rows = np.array(found.multi_hot)
        if class_names is not None and rows.shape[1] != len(class_names):
            raise ValueError(
                f"`labels` must have one column for each of the {len(class_names)} `class_names`. Received: "
                f"{rows.shape[1]} columns."
            )
        rows.setflags(write=False)
        return None, rows
    if class_names is not None and found.ids.max() >= len(class_names):
        index = int(found.ids.argmax())
        raise ValueError(
            f"`labels` must be below {len(class_names)}, the number of `class_names`. Received: {found.ids[index]} for "
            f"image {index}."
        )
    ids = found.ids.copy()
    ids.setflags(write=False)
    return ids, None


def as_inputs(inputs: Any, n_images: int) -> Mapping[InputName, NDArray[Any]]:
    """The model's other inputs as `ProbeSet` keeps them.

    Args:
        inputs: dictionary from the name of an input, or its position, to an array (n, ...); or None.
        n_images: number of images.

    Returns:
        Read-only dictionary of read-only copies; floats become float32.

    Raises:
        TypeError: if it is no dictionary, or a value does not hold real numbers.
        ValueError: if an array has another length than the images, or is not finite.
    """
    if inputs is None:
        return MappingProxyType({})
    if not isinstance(inputs, Mapping) or not all(isinstance(name, str | int) for name in inputs):
        raise TypeError(
            "`inputs` must be a dictionary from the name of each other input of the model to its values, such as "
            f'{{"age": ages}}. Received: {type(inputs).__name__}.'
        )
    arrays: dict[InputName, NDArray[Any]] = {}
    for name, values in inputs.items():
        array = np.array(to_numpy(values, f"inputs[{name!r}]"))
        if array.ndim == 0 or len(array) != n_images:
            raise ValueError(
                f"`inputs` must have one row for each of the {n_images} images. Received: shape={array.shape} in "
                f"{name!r}."
            )
        if array.dtype.kind == "f":
            array = array.astype(np.float32, copy=False)
            if not np.isfinite(array).all():
                raise ValueError(f"`inputs` must be finite. Received: NaN or infinite values in {name!r}.")
        array.setflags(write=False)
        arrays[name] = array
    return MappingProxyType(arrays)


def as_outlines(outlines: Any) -> Outlines:
    """Where object outlines come from where there are no masks.

    Raises:
        ValueError: if it is neither None, `"estimate"` nor a function.
    """
    estimated = isinstance(outlines, str) and outlines == "estimate"
    if outlines is not None and not estimated and not callable(outlines):
        raise ValueError(
            '`outlines` must be "estimate", a function from an image to its object mask, or None. Received: '
            f"outlines={outlines!r}. For masks that you have, use `masks`."
        )
    given: Outlines = outlines
    return given


def as_strings(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """A tuple of strings of any sequence of them."""
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"`{name}` must be a sequence of strings. Received: {name}={values!r}.")
    return tuple(str(value) for value in values)


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


def as_sizes(per_class: Any, num_probes: Any, num_tested: Any) -> Sizes:
    """How many images are taken, with the defaults of `ProbeSet.from_dataset`.

    Raises:
        ValueError: if a number is no integer of at least 1.
    """
    for name, value in (("per_class", per_class), ("num_probes", num_probes), ("num_tested", num_tested)):
        if value is not None:
            check_count(name, value)
    if per_class is None and num_probes is None:
        num_probes = DEFAULT_PROBES
    return Sizes(per_class, num_probes, DEFAULT_TESTED if num_tested is None else num_tested)


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuses what is none of the choices."""
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}. Received: {name}={value!r}.")
