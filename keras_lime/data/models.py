"""The model of an audit: loaded from a file or taken as it is, named by its content, sent to other processes.

May import Keras.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_lime.data.arrays import to_numpy

__all__ = ["PackedModel", "input_shape", "load_model", "model_hash", "pack", "pack_file"]


def load_model(path: str | PathLike[str]) -> Any:
    """Loads a `.keras` file, with its loss if that can be read.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be loaded, with the remedy.
    """
    return _load(_checked(path), str(path))


def _checked(path: str | PathLike[str]) -> Path:
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"`model` must be a Keras model or a .keras file. Received: {str(path)!r}, not there.")
    return file


def _load(file: Path, shown: str, **options: Any) -> Any:
    """Loads a file that is called `shown` in errors; without its loss if that, or a metric, is not known."""
    try:
        return keras.saving.load_model(file, **options)
    except Exception:
        try:
            return keras.saving.load_model(file, compile=False, **options)
        except Exception as error:
            raise ValueError(
                f"`model` could not be loaded from {shown!r}: {_first_line(error)} If it has layers or functions of "
                "your own, load it in Python, keras.saving.load_model(path, custom_objects={...}), and call "
                "keras_lime.audit(model, dataset, out) or keras_lime.explain(model, image)."
            ) from error


def input_shape(model: Any) -> tuple[int | None, ...] | None:
    """The shape of one image that a model takes, None where it does not say; sizes that are free are None."""
    inputs = getattr(model, "inputs", None)
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


@dataclass(frozen=True, eq=False)
class PackedModel:
    """A model that can be sent to another process; `unpack` gives it back.

    Attributes:
        content: a `.keras` file, or None for a plain function.
        shown: the file's path, for errors; empty for a model that was in memory.
        function: the function, or None.
        custom_objects: classes of layers that are not Keras' own, by name.
    """

    content: bytes | None
    shown: str = ""
    function: Any = None
    custom_objects: Mapping[str, type] = field(default_factory=dict)

    def unpack(self) -> Any:
        """The model.

        Raises:
            ValueError: see `load_model`.
        """
        if self.content is None:
            return self.function
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            file.write_bytes(self.content)
            # A model that was in memory may run its own code; a file may not, as everywhere in Keras.
            return _load(file, self.shown, custom_objects=dict(self.custom_objects), safe_mode=bool(self.shown))


def pack_file(path: Path) -> PackedModel:
    """Packs a `.keras` file without loading it.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    return PackedModel(_checked(path).read_bytes(), str(path))


def pack(model: Any) -> PackedModel:
    """Packs a model.

    Raises:
        ValueError: if it cannot be saved.
    """
    if not isinstance(model, keras.Model):
        return PackedModel(None, function=model)
    custom = {
        type(layer).__name__: type(layer)
        for layer in model._flatten_layers()
        if not type(layer).__module__.startswith("keras.")
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
        except Exception as error:
            raise ValueError(
                f'`model` must be one that can be saved, to be sent to the workers of engine="ray": '
                f'{_first_line(error)} Use engine="local".'
            ) from error
        return PackedModel(file.read_bytes(), custom_objects=custom)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") + "." if lines else f"{type(error).__name__}."
