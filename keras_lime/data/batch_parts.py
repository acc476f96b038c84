"""One batch as a data set gives it → its images, its labels, and the model's other inputs. May import numpy alone."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from keras_lime.core.model_input import InputName
from keras_lime.data.arrays import to_numpy

__all__ = ["pick_image", "pick_labels", "split_element"]


def split_element(element: Any) -> tuple[Any, Any, Any]:
    """Images, labels and the third part of a batch; None for what it does not have.

    Raises:
        ValueError: if the batch is a dictionary of everything, or has more than three parts.
    """
    if isinstance(element, Mapping) and len(element) > 1:
        raise ValueError(
            f"`dataset` must give (images, labels) tuples. Received: a dictionary with the keys {list(element)}. "
            'Map it first, for instance with dataset.map(lambda row: (row["image"], row["label"])).'
        )
    if not isinstance(element, tuple | list):
        return element, None, None
    if not 1 <= len(element) <= 3:
        raise ValueError(
            f"`dataset` must give (images, labels) or (images, labels, third). Received: {len(element)} parts."
        )
    images, labels, third = (*element, None, None)[:3]
    return images, labels, third


def pick_image(given: Any, image_input: InputName | None) -> tuple[NDArray[Any], dict[InputName, NDArray[Any]]]:
    """The image among the inputs of a model.

    Args:
        given: an array; or a dictionary, list or tuple of one or several.
        image_input: name or position of the image, or None to take the only one of shape (n, h, w, c).

    Returns:
        The images (n, h, w, c) or (n, h, w), and all other inputs by name or position, each of length n.

    Raises:
        TypeError: if an input does not hold real numbers.
        ValueError: if nothing says which of several is the image, or the inputs differ in length.
    """
    entries = _by_name(given)
    if entries is None:
        return to_numpy(given, "dataset"), {}
    arrays = {name: to_numpy(value, "dataset") for name, value in entries.items()}
    name = _image_name(arrays, image_input)
    images = arrays.pop(name)
    for other, array in arrays.items():
        if array.ndim == 0 or len(array) != len(images):
            raise ValueError(
                f"`dataset` must give inputs of one length. Received: {len(images)} images in {name!r} and shape "
                f"{array.shape} in {other!r}."
            )
    return images, arrays


def pick_labels(given: Any) -> Any:
    """The labels of one output, as they came.

    Raises:
        ValueError: if there are several outputs.
    """
    entries = _by_name(given) if isinstance(given, Mapping) or _holds_arrays(given) else None
    if entries is None:
        return given
    if len(entries) == 1:
        return next(iter(entries.values()))
    names = list(entries)
    raise ValueError(
        f"`dataset` must give the labels of one output. Received: those of {len(names)}, {names}. Keep those of the "
        f"explained output: dataset.map(lambda x, y: (x, y[{names[0]!r}])), or the array alone."
    )


def _by_name(given: Any) -> dict[InputName, Any] | None:
    """The entries of a dictionary or sequence of arrays; None for what is one array."""
    if isinstance(given, Mapping):
        return dict(given)
    if isinstance(given, tuple) or _holds_arrays(given):
        return dict(enumerate(given))
    return None


def _holds_arrays(given: Any) -> bool:
    """Whether this is a sequence of arrays, and not nested lists of numbers; single numbers have an empty shape."""
    return isinstance(given, list | tuple) and len(given) > 0 and all(getattr(one, "shape", ()) != () for one in given)


def _image_name(arrays: Mapping[InputName, NDArray[Any]], image_input: InputName | None) -> InputName:
    names = list(arrays)
    if len(names) == 1:
        return names[0]
    if image_input is not None:
        if image_input not in names:
            raise ValueError(
                f"`image_input` must name one of the inputs, {names}. Received: image_input={image_input!r}."
            )
        return image_input
    of_images = [name for name, array in arrays.items() if array.ndim == 4]
    if len(of_images) == 1:
        return of_images[0]
    shapes = {name: array.shape for name, array in arrays.items()}
    example = repr((of_images or names)[0])
    raise ValueError(
        f"`dataset` gives {len(arrays)} inputs, and {'several' if of_images else 'none'} of them have the shape of "
        f"images. Received: {shapes}. Say which one is explained: image_input={example}."
    )
