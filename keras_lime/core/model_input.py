"""What a model takes beside the image: numbers that stay as they are while the image is perturbed. May import numpy."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["InputName", "ModelInput", "OtherInputs", "as_other_inputs", "inputs_of", "split_inputs", "with_inputs"]

InputName = str | int
"""Name of a model's input; for a model that takes a list, its position from 0."""

OtherInputs = Mapping[InputName, NDArray[Any]]
"""For each input but the image's an array (n, ...): one entry for each image."""


@dataclass(frozen=True, eq=False)
class ModelInput:
    """An image with what the model takes beside it.

    Attributes:
        image: array (h, w) or (h, w, c).
        others: for each other input its array for this image, without a batch axis.
    """

    image: NDArray[Any]
    others: OtherInputs


def as_other_inputs(inputs: Any, count: int, names: str = "images") -> dict[InputName, NDArray[Any]]:
    """Checked, read-only copies of the other inputs of some images.

    Args:
        inputs: mapping from the input's name to an array (n, ...), or None for none.
        count: n.
        names: what the n images are called, for errors.

    Returns:
        float32, int32 or bool arrays (n, ...); empty for None.

    Raises:
        TypeError: if it is no mapping, or an array holds no real numbers.
        ValueError: if an array has not one entry for each image, or numbers that are not finite.
    """
    if inputs is None:
        return {}
    if not isinstance(inputs, Mapping):
        raise TypeError(
            '`inputs` must map the name of each input but the image\'s to its values, such as inputs={"age": ages}. '
            f"Received: {type(inputs).__name__}."
        )
    return {name: _checked(name, values, count, names) for name, values in inputs.items()}


def inputs_of(inputs: OtherInputs, index: int) -> OtherInputs:
    """The other inputs of one image."""
    return {name: values[index] for name, values in inputs.items()}


def with_inputs(image: NDArray[Any], inputs: OtherInputs, index: int) -> NDArray[Any] | ModelInput:
    """An image with the other inputs of the probe that it was made of; the image alone where there are none."""
    return ModelInput(image, inputs_of(inputs, index)) if inputs else image


def split_inputs(
    images: Iterable[NDArray[Any] | ModelInput], names: Iterable[InputName]
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Images apart from their other inputs.

    Args:
        images: n images.
        names: the other inputs of the model.

    Returns:
        The images, and for each name an array (n, ...).
    """
    pairs = [each if isinstance(each, ModelInput) else ModelInput(each, {}) for each in images]
    return [pair.image for pair in pairs], [np.stack([pair.others[name] for pair in pairs]) for name in names]


def _checked(name: InputName, values: Any, count: int, names: str) -> NDArray[Any]:
    argument = f"inputs[{name!r}]"
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"`{argument}` must hold real numbers. Received: dtype {array.dtype}. Encode words as the model's own "
            "preprocessing does."
        )
    if array.ndim == 0 or len(array) != count:
        raise ValueError(
            f"`{argument}` must have one entry for each of the {count} {names}. Received: shape={array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"`{argument}` must be finite. Received: NaN or infinite values.")
    # What every backend takes: 64 bits are not on by default on all of them.
    wanted = {"f": np.float32, "i": np.int32, "u": np.int32, "b": np.bool_}[array.dtype.kind]
    copy: NDArray[Any] = array.astype(wanted)
    copy.setflags(write=False)
    return copy
