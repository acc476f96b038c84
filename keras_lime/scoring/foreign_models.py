"""What people pass that is no Keras model and no function of images, and what to pass instead. May import Keras.

Models of other libraries are recognised by the module of their class, so that none of these is imported for it.
"""

from os import PathLike
from typing import Any

import keras

__all__ = ["check_model"]

_WANTED = "`model` must be a Keras model or a function from images to scores."


def check_model(model: Any) -> None:
    """Refuses what can be run neither as a Keras model nor as a function.

    Raises:
        TypeError: saying what it is, and how it is explained.
    """
    if isinstance(model, keras.Model):
        return
    received = _received(model)
    if received is not None:
        raise TypeError(f"{_WANTED} Received: {received}")


def _received(model: Any) -> str | None:
    """What the model is and the remedy, as sentences; None for a function."""
    name = type(model).__name__
    origins = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    if isinstance(model, keras.layers.Layer):
        return f"the layer {name}. Wrap it: keras.Sequential([layer])."
    if isinstance(model, str | PathLike):
        return (
            f"a path, {str(model)!r}. Load it first: keras.saving.load_model(path) for a .keras file; for a SavedModel "
            'folder layer = keras.layers.TFSMLayer(path, call_endpoint="serving_default"), and explain(lambda images: '
            "layer(images), image)."
        )
    if "tf_keras" in origins:
        return (
            f"the tf_keras model {name}, of Keras 2, which this package does not train with. Build it with Keras 3, or "
            "explain a function: explain(lambda images: model.predict(images, verbose=0), image)."
        )
    if "torch" in origins:
        return (
            f"the PyTorch module {name}. Pass a function that puts the channels where it takes them: explain(lambda "
            "images: module(torch.from_numpy(images).permute(0, 3, 1, 2)).softmax(-1), image), with module.eval() "
            "before."
        )
    if "tensorflow" in origins and hasattr(model, "signatures"):
        return (
            "what tf.saved_model.load gives. Pass a function: explain(lambda images: "
            'model.signatures["serving_default"](tf.constant(images)), image).'
        )
    if isinstance(model, type):
        return f"the class {model.__name__}. Make a model of it first."
    return None if callable(model) else f"{model!r}."
