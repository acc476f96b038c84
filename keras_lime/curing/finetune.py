"""`method="finetune"`: all layers learn some epochs more, on batches that are mostly composites. May import Keras."""

import math
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras

from keras_lime.curing.composites import check_classes
from keras_lime.curing.label_form import labels_are_rows
from keras_lime.curing.model_copy import check_trainable, copy_model, loss_of_labels
from keras_lime.curing.swap_backgrounds import SwapBackgrounds
from keras_lime.curing.swapped_dataset import swapped_dataset
from keras_lime.probes import ProbeSet

__all__ = ["EPOCHS", "MOST_EPOCHS", "finetune"]

EPOCHS = 4
"""Epochs of a cure in which the learning rate falls."""

MOST_EPOCHS = 5
"""A cure takes at most so many times as long, where objects must be learned from nothing."""

_BATCH_SIZE = 32
"""Of arrays."""

_SHARE = 0.75
"""Share of composites in each batch. The other images keep what else they taught, but keep the shortcut alive as well:
three quarters break a shortcut that half of them leaves (`examples/studies/cures`)."""

_RATE = 4e-3
"""Peak learning rate of Adam: high enough to leave the place where the shortcut was learned."""

_LEARNED = 0.1
"""Mistakes in training, in those of a guess, below which objects count as learned and the learning rate falls. It takes
two or three epochs where the features show the object, and a dozen where they must be learned from nothing."""

_STALLED, _LOWER = 4, 0.99
"""Waiting for that ends after so many epochs in which the loss did not fall below so much of its lowest."""


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

    A model that has read nothing but backgrounds knows no object, and a few epochs teach it none. So the learning rate
    stays at its peak until the model gets most of the composites right, and falls only then: at once where the last
    layer alone had chosen the background.

    Args:
        model: a Keras model.
        train_data: what `fit` was given: arrays `(images, labels)`, a `tf.data.Dataset`, a `PyDataset`, …
        pool: training images with labels and object masks.
        epochs: in which the learning rate falls; up to four times as many come before. Defaults to `4`.
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
    n_classes = max(2, model.output_shape[-1])
    layer = SwapBackgrounds(pool, _SHARE, seed)
    check_classes(layer.classes, n_classes)
    batches = swapped_dataset(train_data, layer, batch_size=_BATCH_SIZE, seed=seed, name="train_data")
    loss = loss_of_labels(model, from_logits, labels_are_rows(train_data))
    schedule = _Schedule(learning_rate, epochs, n_classes)
    with _python_seed(seed):
        cured = copy_model(model)
        cured.compile(keras.optimizers.Adam(learning_rate), loss, metrics=["accuracy"])
        cured.fit(batches, epochs=MOST_EPOCHS * epochs, callbacks=[schedule], verbose=verbose)
    return cured


@contextmanager
def _python_seed(seed: int) -> Iterator[None]:
    """Seeds Python's own generator, by which Keras shuffles batches and seeds layers, and puts it back."""
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)


class _Schedule(keras.callbacks.Callback):
    """Holds the learning rate until objects are learned, lowers it in half a cosine, and ends the training.

    It goes by epochs, so that it needs no count of batches, which a data set may not know.
    """

    def __init__(self, rate: float, epochs: int, n_classes: int) -> None:
        super().__init__()
        self._rate, self._epochs = rate, epochs
        self._learned = 1 - _LEARNED * (1 - 1 / n_classes)
        self._falling = 0
        self._lowest, self._stalled = math.inf, 0

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        rate = self._rate * (1 + math.cos(math.pi * self._falling / self._epochs)) / 2
        self.model.optimizer.learning_rate = rate

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        if self._falling or self._may_fall(epoch, logs or {}):
            self._falling += 1
        self.model.stop_training = self._falling >= self._epochs

    def _may_fall(self, epoch: int, logs: Mapping[str, float]) -> bool:
        loss = logs.get("loss", math.inf)
        self._stalled = 0 if loss < _LOWER * self._lowest else self._stalled + 1
        self._lowest = min(self._lowest, loss)
        if self._stalled >= _STALLED or epoch + 1 >= (MOST_EPOCHS - 1) * self._epochs:
            return True
        return logs.get("accuracy", 1.0) >= self._learned
