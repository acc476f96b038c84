"""A second model that is trained further, while the given one stays as it is. May import Keras."""

import tempfile
from pathlib import Path
from typing import Any

import keras

from keras_lime.data.models import first_line

__all__ = ["check_model", "check_trainable", "copy_model", "loss_of_labels"]


def copy_model(model: Any) -> Any:
    """A model with the same layers and the same weights, uncompiled.

    Args:
        model: a Keras model.

    Returns:
        The copy; the two share nothing that training changes.

    Raises:
        TypeError: if `model` is no Keras model.
        ValueError: if it cannot be saved, and so not copied.
    """
    check_model(model)
    # The model's own classes need not be registered for that here.
    parts = {type(layer).__name__: type(layer) for layer in (model, *model._flatten_layers())}
    own = {name: kind for name, kind in parts.items() if not kind.__module__.startswith("keras.")}
    remedy = "Call it once on a batch before, and give layers of your own a `get_config` and a `build`."
    try:
        with keras.saving.custom_object_scope(own):
            copied = _saved_and_loaded(model)
    except Exception as error:
        raise ValueError(f"`model` must be one that can be saved: {first_line(error)} {remedy}") from error
    if not model.built or len(copied.weights) != len(model.weights):
        raise ValueError(f"`model` must be built and saveable. Received: one whose copy has other weights. {remedy}")
    return copied


def _saved_and_loaded(model: Any) -> Any:
    """Without its optimizer, unlike `copy.deepcopy`: that of a partly frozen model would make Keras warn."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        model.save(file)
        return keras.saving.load_model(file, compile=False, safe_mode=False)


def check_model(model: Any) -> None:
    """Refuses what is no Keras model.

    Raises:
        TypeError: if it is none.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"`model` must be a Keras model, or there is nothing to train further. Received: {type(model).__name__}."
        )


def check_trainable(model: Any) -> None:
    """Refuses a model of which nothing can be trained.

    Raises:
        ValueError: if all its layers are frozen.
    """
    if not model.trainable_weights:
        raise ValueError(
            "`model` must have trainable weights. Received: a model whose layers are all frozen. Set "
            "`layer.trainable = True` on those that may change."
        )


def loss_of_labels(model: Any, from_logits: bool, rows: bool | None = None) -> Any:
    """The loss that a copy is trained with: the model's own where it fits the labels, else cross-entropy.

    Args:
        model: the given model; its loss is used where it was compiled with one that takes such labels.
        from_logits: whether the outputs are logits.
        rows: whether the labels are one-hot rows; None where it is unknown.
    """
    own = getattr(model, "loss", None)
    if own is not None and rows is None:
        return own
    name = getattr(own, "__name__", None) or getattr(own, "name", own)
    # A network may have been trained with rows and get ids now, from a folder, say.
    if own is not None and name != ("sparse_categorical_crossentropy" if rows else "categorical_crossentropy"):
        return own
    losses = keras.losses
    return (losses.CategoricalCrossentropy if rows else losses.SparseCategoricalCrossentropy)(from_logits=from_logits)
