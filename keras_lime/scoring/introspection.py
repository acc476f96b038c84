"""What a Keras model says about its outputs: which it has, the last activation of one, the loss it is trained with.

Reads, never runs. May import numpy and Keras.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

__all__ = ["OutputHead", "last_activation", "loss_of", "output_specs", "pick"]

PASSING = "passing"
"""What `last_activation` gives where nothing on the way changes the meaning of a value."""

_PASSING_OPERATIONS = {"Cast", "Dropout", "ExpandDims", "Flatten", "Identity", "InputLayer", "Reshape", "Squeeze"}

_ACTIVATION_OPERATIONS = {
    "HardSigmoid": "sigmoid",
    "LogSoftmax": "log_softmax",
    "Sigmoid": "sigmoid",
    "Softmax": "softmax",
}

_ACTIVATION_NAMES = {"hard_sigmoid": "sigmoid"}

_LOSSES = {
    "softmax": (
        "categoricalcrossentropy",
        "categoricalfocalcrossentropy",
        "categoricalgeneralizedcrossentropy",
        "kldivergence",
        "sparsecategoricalcrossentropy",
    ),
    "sigmoid": ("binarycrossentropy", "binaryfocalcrossentropy"),
    "regression": (
        "huber",
        "logcosh",
        "meanabsoluteerror",
        "meanabsolutepercentageerror",
        "meansquarederror",
        "meansquaredlogarithmicerror",
        "poisson",
    ),
}

_FAMILIES = {name: family for family, names in _LOSSES.items() for name in names}


_ONE = "The model's output"


@dataclass(frozen=True)
class OutputHead:
    """One output of a model.

    Attributes:
        name: its key or name, None for the only output of a model that names none.
        position: its place among the outputs, from 0; those of a dict stand in the order of their names.
        columns: values per image.
        dtype: name of the model's own dtype for it.
    """

    name: str | None
    position: int
    columns: int
    dtype: str = "float32"


def pick(outputs: Any, head: str | int | None, names: Sequence[str] | None = None) -> tuple[Any, OutputHead]:
    """The wanted output among all of a model's.

    Args:
        outputs: what the model returns for a batch, or its specification: anything with `shape` and `dtype`, or a dict
            or list of such.
        head: name or index (of a dict: in the order of the names); None where there is one output only.
        names: names of the outputs of a list.

    Returns:
        The output and what is known of it.

    Raises:
        ValueError: if `head` is missing or names no output.
    """
    keys: list[Any]
    if isinstance(outputs, Mapping):
        # Sorted, as Keras flattens them: the order in which a model returns them depends on the backend.
        keys = sorted(outputs)
        values = [outputs[key] for key in keys]
    elif isinstance(outputs, list | tuple):
        keys, values = list(names or (None,) * len(outputs)), list(outputs)
    else:
        keys, values = list(names or (None,))[:1], [outputs]
    listing = ", ".join(str(position) if key is None else repr(key) for position, key in enumerate(keys))
    position = None
    if head is None and len(values) == 1:
        position = 0
    elif isinstance(head, str) and head in keys:
        position = keys.index(head)
    elif isinstance(head, int | np.integer) and not isinstance(head, bool) and 0 <= head < len(values):
        position = int(head)
    if position is None:
        asked = "says which is explained" if head is None else f"must be one of them. Received: head={head!r}"
        ways = [f"head={position if key is None else key!r}" for position, key in enumerate(keys)]
        # Two ways are enough to show how it is written.
        remedy = "" if len(values) == 1 else f" Pass {' or '.join(ways[:2])}.".replace("'", '"')
        raise ValueError(f"The model has {len(values)} output(s): {listing}. `head` {asked}.{remedy}")
    value = values[position]
    if not hasattr(value, "shape"):
        raise ValueError(
            f"`head` must name an output that is an array. Received: head={head!r}, which is a {type(value).__name__}."
        )
    _check_axes(value, _ONE if len(values) == 1 else f"`head`={keys[position]!r}")
    if None in value.shape[1:]:
        raise ValueError(
            f"The model's output must have a fixed size, one score per class. Received: shape={tuple(value.shape)}."
        )
    columns = math.prod(value.shape[1:])
    return value, OutputHead(keys[position], position, columns, str(keras.backend.standardize_dtype(value.dtype)))


def _check_axes(value: Any, which: str) -> None:
    """Refuses an output that is no row of scores: one number per pixel, a feature map, a sequence."""
    sizes = [size for size in value.shape[1:] if size != 1]
    if len(sizes) > 1:
        raise ValueError(
            f"{which} must be one row of scores per image. Received: shape={tuple(value.shape)}, as of scores for "
            "every pixel or of a feature map. Explain a number that is made of it, such as the mean: explain(lambda "
            'images: np.mean(model.predict(images, verbose=0), axis=(1, 2)), image, output="regression"), in a '
            "training LimeCallback(probes, log_dir, model=lambda model: lambda images: ...)."
        )


def output_specs(model: Any) -> Any:
    """The outputs of a functional or sequential model in their own structure, None where it cannot be known."""
    outputs = getattr(model, "outputs", None)
    if not outputs:
        return None
    if isinstance(model, keras.Sequential):
        return outputs[0]
    return model.output


def last_activation(output: Any) -> str | None:
    """Name of the activation that made an output of a functional model.

    Walks back through what leaves values alone: linear activations and casts (the idiom of mixed precision), reshapes,
    dropout; and into models used as layers.

    Args:
        output: symbolic output of the model.

    Returns:
        `"softmax"`, `"sigmoid"`, `"linear"`, any other activation's name, `PASSING` if the output is the model's own
        input, or None if an operation on the way is not known.
    """
    operation, node_index, tensor_index = output._keras_history
    found = _activation_of(operation, tensor_index)
    if found != PASSING:
        return found
    inputs = operation._inbound_nodes[node_index].input_tensors
    return last_activation(inputs[0]) if len(inputs) == 1 else PASSING


def _activation_of(operation: Any, tensor_index: int) -> str | None:
    kind = type(operation).__name__
    if kind in _ACTIVATION_OPERATIONS:
        return _ACTIVATION_OPERATIONS[kind]
    if kind in _PASSING_OPERATIONS:
        return PASSING
    if isinstance(operation, keras.Model):
        outputs = getattr(operation, "outputs", None)
        return last_activation(outputs[tensor_index]) if outputs else None
    activation = getattr(operation, "activation", None)
    if isinstance(activation, keras.Operation):
        return _activation_of(activation, 0)
    name = getattr(activation, "__name__", None)
    if name == "linear" and isinstance(operation, keras.layers.Activation):
        return PASSING
    return _ACTIVATION_NAMES.get(name, name) if name else None


def loss_of(model: Any, head: OutputHead) -> tuple[str | None, bool]:
    """What the loss of an output says about it.

    Args:
        model: a Keras model, compiled or not.
        head: the output.

    Returns:
        `"softmax"`, `"sigmoid"`, `"regression"` or None if the loss says nothing; and whether it takes logits.
    """
    loss = getattr(model, "loss", None)
    if isinstance(loss, Mapping):
        loss = loss.get(head.name, next(iter(loss.values())) if len(loss) == 1 and head.name is None else None)
    elif isinstance(loss, list | tuple):
        loss = loss[head.position] if head.position < len(loss) else None
    return _read_loss(loss)


def _read_loss(loss: Any) -> tuple[str | None, bool]:
    if isinstance(loss, str):
        try:
            return _read_loss(keras.losses.get(loss))
        except ValueError:
            return None, False
    if isinstance(loss, functools.partial):
        return _read_loss(loss.func)[0], bool(loss.keywords.get("from_logits", False))
    if isinstance(loss, keras.losses.Loss):
        kinds = [_family(kind.__name__) for kind in type(loss).__mro__] + [_family_of(getattr(loss, "fn", None))]
        family = next((kind for kind in kinds if kind), None)
        arguments = getattr(loss, "_fn_kwargs", None) or {}
        return family, bool(getattr(loss, "from_logits", arguments.get("from_logits", False)))
    return _family_of(loss), False


def _family_of(function: Callable[..., Any] | None) -> str | None:
    return _family(getattr(function, "__name__", ""))


def _family(name: str) -> str | None:
    return _FAMILIES.get(name.replace("_", "").lower())
