"""How image and other inputs go into a model: `InputLayout`, read once from the model and what is given for it.

The image is perturbed, the others stay with their image. May import Keras; runs no model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import InputName, OtherInputs

__all__ = ["IMAGE_ALONE", "InputLayout", "OtherInput", "layout_of"]


@dataclass(frozen=True)
class OtherInput:
    """An input beside the image.

    Attributes:
        name: its name or position, as it was given.
        key: its name as the model has it.
        shape: of its value for one image.
        dtype: `"float32"`, `"int32"` or `"bool"`.
    """

    name: InputName
    key: InputName
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class InputLayout:
    """The structure of a model's inputs.

    Attributes:
        structure: `"alone"` for a model that takes the image itself, else how the model takes its inputs.
        image: name or position of the image's input; None where there is only that one.
        order: names of all inputs, in the order of a list.
        others: the inputs beside the image.
    """

    structure: Literal["alone", "dict", "list"] = "alone"
    image: InputName | None = None
    order: tuple[InputName, ...] = ()
    others: tuple[OtherInput, ...] = ()

    @property
    def names(self) -> tuple[InputName, ...]:
        """Names of the inputs beside the image."""
        return tuple(other.name for other in self.others)

    def arrange(self, images: Any, others: Sequence[Any]) -> Any:
        """What the model is called with.

        Args:
            images: tensor (n, h, w, c).
            others: a tensor (n, ...) for each of `others`.
        """
        if self.structure == "alone":
            return images
        values: dict[InputName | None, Any] = {
            other.key: value for other, value in zip(self.others, others, strict=True)
        }
        values[self.image] = images
        return values if self.structure == "dict" else [values[name] for name in self.order]

    def zeros(self, n_rows: int) -> list[NDArray[Any]]:
        """Arrays (n_rows, ...) for `others`."""
        return [np.zeros((n_rows, *other.shape), other.dtype) for other in self.others]

    def values_of(self, inputs: OtherInputs) -> list[NDArray[Any]]:
        """The arrays of `inputs` in the order of `others`.

        Raises:
            ValueError: if one is missing.
        """
        missing = [repr(name) for name in self.names if name not in inputs]
        if missing:
            raise ValueError(
                f"`inputs` must give every input of the model but the image's. Missing: {', '.join(missing)}."
            )
        return [inputs[name] for name in self.names]


IMAGE_ALONE = InputLayout()


def layout_of(model: Any, inputs: OtherInputs, image_input: InputName | None) -> InputLayout:
    """Reads how a model takes its inputs.

    Args:
        model: a Keras model, or a plain function, which takes a dictionary if it takes more than the image.
        inputs: the other inputs (n, ...), by name.
        image_input: name or position of the image's input; None for the one that `inputs` leaves over.

    Returns:
        The `InputLayout`.

    Raises:
        ValueError: if the model has other inputs than those given, or they have other shapes.
    """
    symbolic = getattr(model, "inputs", None) if isinstance(model, keras.Model) else None
    if not symbolic:
        return _of_unknown(inputs, image_input)
    tensors: list[Any] = list(symbolic)
    structure: Any = None if isinstance(model, keras.Sequential) else model.input
    named = isinstance(structure, dict)
    order: list[InputName] = list(structure) if named else [each.name for each in tensors]
    if named:
        tensors = [structure[name] for name in order]
    keys = {name: _named(name, order) for name in inputs}
    given = {keys[name]: values for name, values in inputs.items()}
    image = None if image_input is None else _named(image_input, order)
    if len(order) == 1 and not given and image in (None, *order):
        return InputLayout("dict", order[0], tuple(order)) if named else IMAGE_ALONE
    left = [name for name in order if name not in given] if image is None else [image]
    listing = ", ".join(f"{name!r} {tuple(tensor.shape)}" for name, tensor in zip(order, tensors, strict=True))
    if len(left) != 1 or left[0] not in order or set(given) != set(order) - set(left):
        raise ValueError(_wrong_inputs(listing, order, given, image))
    for name, tensor in zip(order, tensors, strict=True):
        if name in given and not _fits(tensor.shape[1:], given[name].shape[1:]):
            raise ValueError(
                f"`inputs[{name!r}]` must have the shape that the model takes, {tuple(tensor.shape)}. Received: "
                f"shape={given[name].shape}."
            )
    return InputLayout("dict" if named else "list", left[0], tuple(order), _others(inputs, keys))


def _of_unknown(inputs: OtherInputs, image_input: InputName | None) -> InputLayout:
    """The layout of a subclassed model or a function, which does not say what it takes: as `inputs` is written."""
    if not inputs:
        return IMAGE_ALONE if image_input is None else InputLayout("dict", image_input, (image_input,))
    if all(isinstance(name, int) for name in inputs):
        order = range(len(inputs) + 1)
        left = [position for position in order if position not in inputs]
        if len(left) == 1 and image_input in (None, left[0]):
            return InputLayout("list", left[0], tuple(order), _others(inputs, {}))
    if image_input is None or image_input in inputs:
        raise ValueError(
            "`image_input` must say under which name the model takes the image, or `inputs` at which positions it "
            f"takes the others, from 0. Received: image_input={image_input!r} and inputs for "
            f"{', '.join(map(repr, inputs))}."
        )
    return InputLayout("dict", image_input, (image_input, *inputs), _others(inputs, {}))


def _others(inputs: OtherInputs, keys: Mapping[InputName, InputName]) -> tuple[OtherInput, ...]:
    return tuple(
        OtherInput(name, keys.get(name, name), values.shape[1:], str(values.dtype)) for name, values in inputs.items()
    )


def _named(name: InputName, order: Sequence[InputName]) -> InputName:
    """The name of an input; a position stands for the name of the input there."""
    return order[name] if isinstance(name, int) and name not in order and 0 <= name < len(order) else name


def _fits(expected: Sequence[int | None], given: Sequence[int]) -> bool:
    sizes = list(expected)
    # Keras gives a column its axis where values come as (n,).
    if len(sizes) == len(given) + 1 and sizes[-1] in (1, None):
        sizes.pop()
    return len(sizes) == len(given) and all(size in (None, one) for size, one in zip(sizes, given, strict=True))


def _wrong_inputs(listing: str, order: Sequence[InputName], given: OtherInputs, image: InputName | None) -> str:
    example = ", ".join(f"{name!r}: ..." for name in order[1:])
    asked = "" if image is None else f"image_input={image!r} and "
    return (
        f"`inputs` must give every input of the model but the image's. Received: {asked}inputs for "
        f"{', '.join(map(repr, given)) or 'none'}, and a model with {len(order)} "
        f"{'input' if len(order) == 1 else 'inputs'}, {listing}. Pass inputs={{{example}}} to explain() or ProbeSet(): "
        f"the image is perturbed, the others stay with it. `image_input` says which is the image, such as "
        f"image_input={order[0]!r}."
    )
