"""Models: loaded from a file or taken as they are, and named by their content. May import Keras."""

import hashlib
import json
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_lime.data.arrays import to_numpy
from keras_lime.data.local_path import local_path
from keras_lime.scoring.prediction import prediction_of

__all__ = ["checked_file", "first_line", "input_shape", "load_file", "load_model", "model_hash"]


def load_model(path: str | PathLike[str]) -> Any:
    """Loads a `.keras` file, with its loss if that can be read.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be loaded, with the remedy.
    """
    return load_file(checked_file(path), str(path))


def checked_file(path: str | PathLike[str]) -> Path:
    """The path of a model's file.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    file = local_path("model", path)
    if not file.is_file():
        raise FileNotFoundError(f"`model` must be a Keras model or a .keras file. Received: {str(path)!r}, not there.")
    return file


def load_file(file: Path, shown: str, **options: Any) -> Any:
    """Loads a file that is called `shown` in errors; without its loss if that, or a metric, is not known."""
    try:
        return keras.saving.load_model(file, **options)
    except Exception:
        try:
            return keras.saving.load_model(file, compile=False, **options)
        except Exception as error:
            raise ValueError(
                f"`model` could not be loaded from {shown!r}: {first_line(error)} If it has layers or functions of "
                "your own, load it in Python, keras.saving.load_model(path, custom_objects={...}), and call "
                "keras_lime.audit(model, dataset, out) or keras_lime.explain(model, image)."
            ) from error


def input_shape(model: Any) -> tuple[int | None, ...] | None:
    """The shape of one image that a model takes; sizes that are free are None.

    None where the model does not say, as one that has its preprocessing attached: what that takes may be of any size.
    """
    inputs = getattr(model, "inputs", None)
    if isinstance(model, keras.Model) and prediction_of(model).preprocesses:
        return None
    return tuple(inputs[0].shape[1:]) if inputs and len(inputs) == 1 else None


def model_hash(model: Any) -> str:
    """Names a model by its layers and weights, however it came to be; a plain function by where it is defined."""
    if not isinstance(model, keras.Model):
        function = getattr(model, "func", model)
        name = f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
        return hashlib.sha256(name.encode()).hexdigest()
    digest = hashlib.sha256()
    for layer in model._flatten_layers():
        digest.update(type(layer).__name__.encode())
        if not isinstance(layer, keras.Model):
            digest.update(_config(layer).encode())
    for weight in model.weights:
        value = to_numpy(weight.value, "model")
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()


def _config(layer: Any) -> str:
    """A layer's configuration without its name, which counts layers of the session."""
    try:
        config = layer.get_config()
    except NotImplementedError:
        return ""
    config.pop("name", None)
    return json.dumps(config, sort_keys=True, default=lambda value: type(value).__name__)


def first_line(error: BaseException) -> str:
    """The first line of what an error says, as a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") + "." if lines else f"{type(error).__name__}."
