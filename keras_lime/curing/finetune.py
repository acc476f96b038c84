"""`method="finetune"`: all layers learn a few epochs more, on batches that are mostly composites. May import Keras."""

import math
from typing import Any

import keras

from keras_lime.curing.model_copy import check_trainable, copy_model, loss_of_labels
from keras_lime.curing.swap_backgrounds import SwapBackgrounds
from keras_lime.probes import ProbeSet

__all__ = ["EPOCHS", "finetune"]

EPOCHS = 4
"""Epochs of a cure."""

_SHARE = 0.75
"""Share of composites in each batch. The other images keep what else they taught, but keep the shortcut alive as well:
three quarters break a shortcut that half of them leaves (`examples/studies/cures.py`)."""

_RATE = 4e-3
"""Peak learning rate of Adam: high enough to leave the place where the shortcut was learned."""


def finetune(
    model: Any,
    train_data: Any,
    pool: ProbeSet,
    *,
    epochs: int = EPOCHS,
    learning_rate: float = _RATE,
    from_logits: bool = False,
    seed: int = 0,
    verbose: int = 0,
) -> Any:
    """Trains a copy of a model on its training images with swapped backgrounds.

    Args:
        model: a Keras model.
        train_data: what `fit` was given: arrays `(images, labels)`, a `tf.data.Dataset`, a `PyDataset`, …
        pool: training images with labels and object masks.
        epochs: how long. Defaults to `4`.
        learning_rate: of Adam at the start; it falls to zero in half a cosine. Defaults to `4e-3`.
        from_logits: whether the outputs are logits, for a model that was not compiled. Defaults to `False`.
        seed: of composites and shuffling. Defaults to `0`.
        verbose: as of `fit`. Defaults to `0`.

    Returns:
        The trained copy, compiled.

    Raises:
        ValueError: if the model is frozen or cannot be copied, or the pool does not fit.
    """
    check_trainable(model)
    cured = copy_model(model)
    batches = SwapBackgrounds(pool, _SHARE, seed).dataset(train_data)
    cured.compile(keras.optimizers.Adam(learning_rate), loss_of_labels(model, from_logits), metrics=["accuracy"])
    cured.fit(batches, epochs=epochs, callbacks=[_HalfCosine(learning_rate, epochs)], verbose=verbose)
    return cured


class _HalfCosine(keras.callbacks.LearningRateScheduler):
    """The learning rate falls by epochs, so that it needs no count of batches, which a data set may not know."""

    def __init__(self, rate: float, epochs: int) -> None:
        super().__init__(lambda epoch: rate * (1 + math.cos(math.pi * epoch / epochs)) / 2)
