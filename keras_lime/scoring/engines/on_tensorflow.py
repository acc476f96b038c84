"""The TensorFlow engine: a compiled graph of fixed batches of perturbations, and one of any number of ready images.

May import TensorFlow and Keras.
"""

import functools
import logging
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_lime.scoring.engines.backends import GradientFunction
from keras_lime.scoring.engines.differentiable import checked_gradient
from keras_lime.scoring.engines.engine import EngineSpec
from keras_lime.scoring.engines.limits import fixed_batch_size
from keras_lime.scoring.engines.model_call import raw_scores

__all__ = ["BACKEND", "TensorFlowBackend", "TensorFlowEngine"]


class TensorFlowEngine:
    """A model on TensorFlow; see `Engine`.

    Graphs are made with `get_concrete_function` and never called through their `tf.function`: TensorFlow counts the
    tracings of all functions that come from one line of source, and would warn of retracing at the fifth model.
    """

    def __init__(self, model: Any, spec: EngineSpec) -> None:
        height, width, channels = spec.pixel_shape
        self.spec = spec
        self.fixed = True
        self.fixed_score = fixed_batch_size(model) is not None
        self.outputs: Any = None
        self.traces = 0
        reference = weakref.ref(model)
        mix = _mix_graph(spec.n_slots, height * width, channels, spec.batch_size) if _has_xla() else _mix

        def run(images: Any, baselines: Any, labels: Any, image_slot: Any, masks: Any, *others: Any) -> Any:
            self.traces += 1
            repeated = [tf.gather(other, image_slot) for other in others]
            mixed = tf.reshape(mix(images, baselines, labels, image_slot, masks), (spec.batch_size, *spec.image_shape))
            with keras.StatelessScope():
                scores, self.outputs = raw_scores(reference(), mixed, spec, repeated)
            return scores

        def score(images: Any, *others: Any) -> Any:
            self.traces += 1
            with keras.StatelessScope():
                return raw_scores(reference(), images, spec, others)[0]

        # Without autograph: Keras traces models without it too, and it would read this file's source.
        self._run = tf.function(run, autograph=False).get_concrete_function(
            *_mix_signature(spec.n_slots, height * width, channels, spec.batch_size), *_signature(spec, spec.n_slots)
        )
        self._score_function = tf.function(score, autograph=False)

    @functools.cached_property
    def _score(self) -> Any:
        """For any number of rows: ready images come in small numbers, of which a full batch would be half black."""
        if not self.fixed_score:
            try:
                return self._traced_score(None)
            except ValueError:
                # Some layers read the number of rows off the shape of what they get.
                self.fixed_score = True
        return self._traced_score(self.spec.batch_size)

    def _traced_score(self, n_rows: int | None) -> Any:
        ready = tf.TensorSpec((n_rows, *self.spec.image_shape), tf.float32)
        return self._score_function.get_concrete_function(ready, *_signature(self.spec, n_rows))

    def stage(
        self,
        images: NDArray[np.float32],
        baselines: NDArray[np.float32],
        labels: NDArray[np.int32],
        others: Sequence[NDArray[Any]] = (),
    ) -> tuple[Any, ...]:
        """See `Engine.stage`."""
        pixels = (len(images), -1, images.shape[-1])
        flat = images.reshape(pixels), baselines.reshape(pixels), labels.reshape(len(labels), -1)
        return tuple(map(tf.constant, (*flat, *others)))

    def run(
        self, staged: tuple[Any, ...], image_slot: NDArray[np.int32], masks: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """See `Engine.run`."""
        mixing = (*staged[:3], tf.constant(image_slot), tf.constant(masks))
        scores: NDArray[np.float32] = self._run(*mixing, *staged[3:]).numpy()
        return scores

    def score(self, images: NDArray[np.float32], others: Sequence[NDArray[Any]] = ()) -> NDArray[np.float32]:
        """See `Engine.score`."""
        graph, n_rows = self._score, len(images)
        missing = self.spec.batch_size - n_rows if self.fixed_score else 0
        given = [
            np.pad(each, [(0, missing), *[(0, 0)] * (each.ndim - 1)]) if missing else each for each in (images, *others)
        ]
        scores: NDArray[np.float32] = graph(*map(tf.constant, given)).numpy()[:n_rows]
        return scores


class TensorFlowBackend:
    """See `Backend`."""

    def compile(self, model: Any, spec: EngineSpec) -> TensorFlowEngine:
        """See `Backend.compile`."""
        return TensorFlowEngine(model, spec)

    def accelerators(self, model: Any) -> int:
        """How many there are; TensorFlow puts every model on the first."""
        del model
        return sum(device.device_type != "CPU" for device in tf.config.list_logical_devices())

    def release_weights(self, model: Any) -> None:
        """See `Backend.release_weights`; they are always in the model."""

    def predict_step(self, model: Any, inputs: Any) -> Any:
        """See `Backend.predict_step`."""
        return model.predict_step(inputs)

    def predict(self, model: Any, inputs: Any, batch_size: int) -> Any:
        """See `Backend.predict`; TensorFlow counts `predict` of all models together, and warns at the fifth."""
        logger = tf.get_logger()
        logger.addFilter(_is_no_retracing)
        try:
            return model.predict(inputs, batch_size=batch_size, verbose=0)
        finally:
            logger.removeFilter(_is_no_retracing)

    def gradients(self, model: Any, values: Callable[[Any], Any]) -> GradientFunction:
        """See `Backend.gradients`; eager, so that nothing is compiled for a few passes."""
        del model

        def run(images: NDArray[np.float32]) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
            tensor = tf.constant(images)
            with tf.GradientTape(persistent=True) as tape, keras.StatelessScope():
                tape.watch(tensor)
                columns = tf.unstack(values(tensor), axis=1)
            answers = np.stack([column.numpy() for column in columns], axis=1)
            gradients = [checked_gradient(tape.gradient(column, tensor)).numpy() for column in columns]
            return answers.astype(np.float64), gradients

        return run


BACKEND = TensorFlowBackend()


def _is_no_retracing(record: logging.LogRecord) -> bool:
    return "tf.function retracing" not in record.getMessage()


def _mix(images: Any, baselines: Any, labels: Any, image_slot: Any, masks: Any) -> Any:
    """Shows or hides superpixels.

    In integers: `baseline ^ ((image ^ baseline) & mask)` gives every bit of either picture, has no branches, and is the
    fastest of the forms tried, a select, a multiplication and a gather from both pictures among them.
    """
    batch, channels = image_slot.shape[0], images.shape[-1]
    # One entry per channel, so that the gather reads what it writes and nothing is broadcast afterwards.
    bits = tf.repeat(-tf.cast(masks, tf.int32)[..., None], channels, axis=-1)
    shown = tf.gather(bits, tf.gather(labels, image_slot), batch_dims=1)
    hidden = tf.bitcast(baselines, tf.int32)
    difference = tf.bitwise.bitwise_xor(tf.bitcast(images, tf.int32), hidden)
    chosen = tf.bitwise.bitwise_and(tf.gather(difference, image_slot), shown)
    mixed = tf.bitcast(tf.bitwise.bitwise_xor(tf.gather(hidden, image_slot), chosen), tf.float32)
    return tf.reshape(mixed, (batch, labels.shape[1], channels))


def _mix_signature(n_slots: int, n_pixels: int, channels: int, batch_size: int) -> list[Any]:
    """Specifications of `_mix`'s arguments, the width of the masks free."""
    pixels = tf.TensorSpec((n_slots, n_pixels, channels), tf.float32)
    labels = tf.TensorSpec((n_slots, n_pixels), tf.int32)
    return [pixels, pixels, labels, tf.TensorSpec((batch_size,), tf.int32), tf.TensorSpec((batch_size, None), tf.bool)]


def _signature(spec: EngineSpec, n_rows: int | None) -> list[Any]:
    """Specifications of the other inputs."""
    return [tf.TensorSpec((n_rows, *other.shape), other.dtype) for other in spec.layout.others]


@functools.lru_cache(maxsize=16)
def _mix_graph(n_slots: int, n_pixels: int, channels: int, batch_size: int) -> Any:
    """`_mix` as one XLA kernel, four times as fast as its operations; one for all models of an image shape."""
    compiled = tf.function(_mix, jit_compile=True, autograph=False)
    return compiled.get_concrete_function(*_mix_signature(n_slots, n_pixels, channels, batch_size))


@functools.cache
def _has_xla() -> bool:
    """Whether XLA is available: not every build of TensorFlow has it."""
    try:
        pixels = tf.zeros((1, 1, 1))
        labels = tf.zeros((1, 1), tf.int32)
        _mix_graph(1, 1, 1, 1)(pixels, pixels, labels, tf.zeros((1,), tf.int32), tf.zeros((1, 1), tf.bool))
    except tf.errors.OpError:
        return False
    return True
