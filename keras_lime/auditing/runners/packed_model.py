"""A model on its way to another process, with all that is its user's own. May import Keras; Ray when packing.

Ray's workers do not have what a script or a notebook defines: layers, functions that layers apply, what was registered
with Keras. Such objects travel by value.
"""

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType
from typing import Any

import keras

from keras_lime.data.models import checked_file, first_line, load_file

__all__ = ["PackedModel", "pack"]


@dataclass(frozen=True, eq=False)
class PackedModel:
    """A model that can be sent to another process; `unpack` gives it back.

    Attributes:
        content: a `.keras` file, or None for a plain function.
        shown: the file's path, for errors; empty for a model that was in memory.
        function: the function, or None.
        custom_objects: classes and functions that are not Keras' own, by the names under which Keras looks for them.
    """

    content: bytes | None
    shown: str = ""
    function: Any = None
    custom_objects: Mapping[str, Any] = field(default_factory=dict)

    def unpack(self) -> Any:
        """The model.

        Raises:
            ValueError: see `keras_lime.data.models.load_model`.
        """
        if self.content is None:
            return self.function
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "model.keras"
            file.write_bytes(self.content)
            # A model that was in memory may run its own code; a file may not, as everywhere in Keras.
            shown = self.shown or "the model in memory"
            return load_file(file, shown, custom_objects=dict(self.custom_objects), safe_mode=bool(self.shown))


def pack(model: Any) -> bytes:
    """Packs a model, or the path of a `.keras` file, which is not loaded here.

    Returns:
        A `PackedModel`, pickled.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the model cannot be saved.
    """
    from ray import cloudpickle

    if not isinstance(model, keras.Model) and callable(model):
        packed = PackedModel(None, function=model)
        own: Iterable[Any] = [model]
    elif not isinstance(model, keras.Model):
        objects = _by_name(_registered())
        packed = PackedModel(checked_file(model).read_bytes(), str(model), custom_objects=objects)
        own = objects.values()
    else:
        objects = _by_name([*_registered(), *_used(model)])
        packed = PackedModel(_saved(model), custom_objects=objects)
        own = objects.values()
    with _by_value(own):
        content: bytes = cloudpickle.dumps(packed)
    return content


def _saved(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        try:
            model.save(file)
        except Exception as error:
            raise ValueError(
                f'`model` must be one that can be saved, to be sent to the workers of engine="ray": '
                f'{first_line(error)} Use engine="local".'
            ) from error
        return file.read_bytes()


def _by_name(objects: Iterable[Any]) -> dict[str, Any]:
    return {keras.saving.get_registered_name(each): each for each in objects}


def _registered() -> list[Any]:
    """What the user's own code registered with Keras."""
    return [each for each in keras.saving.get_custom_objects().values() if _is_own(each)]


def _used(model: Any) -> Iterator[Any]:
    """Classes of layers and of what they hold, and functions that they apply, unless they are Keras' own."""
    for layer in model._flatten_layers():
        for value in (layer, *vars(layer).values()):
            found = value if isinstance(value, FunctionType | type) else type(value)
            if (isinstance(found, FunctionType) or hasattr(found, "get_config")) and not _module(found).startswith(
                ("keras.", "builtins")
            ):
                yield found


def _module(value: Any) -> str:
    return getattr(value, "__module__", None) or "builtins"


def _is_own(value: Any) -> bool:
    """Whether an object is of a module that is not installed, such as a script."""
    file = getattr(sys.modules.get(_module(value)), "__file__", None)
    return _module(value) == "__main__" or (file is not None and "site-packages" not in Path(file).parts)


@contextmanager
def _by_value(objects: Iterable[Any]) -> Iterator[None]:
    """Pickles modules that are not installed by value, since other machines do not have them."""
    from ray import cloudpickle

    with ExitStack() as stack:
        for name in {_module(each) for each in objects if _is_own(each)} - {"__main__"}:
            if not name.startswith("keras_lime."):
                module = sys.modules[name]
                cloudpickle.register_pickle_by_value(module)
                stack.callback(cloudpickle.unregister_pickle_by_value, module)
        yield
