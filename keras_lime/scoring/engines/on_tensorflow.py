"""The TensorFlow engine: one `tf.function` of fixed batch shape. May import TensorFlow and Keras."""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from keras_lime.scoring.engines.engine import SLOTS, Form, raw_scores

__all__ = ["ENGINE", "TensorFlowEngine", "accelerated"]


class TensorFlowEngine:
    """A model on TensorFlow; see `Engine`."""

    def __init__(self, model: Any, form: Form) -> None:
        height, width, channels = form.pixel_shape
        self.batch_size = form.batch_size
        self.fixed = True
        self.outputs: Any = None
        self.traces = 0
        reference = weakref.ref(model)
        mix = _compiled_mix() or _mix

        def run(images: Any, baselines: Any, labels: Any, owner: Any, masks: Any) -> Any:
            self.traces += 1
            mixed = mix(images, baselines, labels, owner, masks)
            with keras.StatelessScope():
                scores, self.outputs = raw_scores(
                    reference(), tf.reshape(mixed, (form.batch_size, *form.image_shape)), form
                )
            return scores

        signature = [
            tf.TensorSpec((SLOTS, height * width, channels), tf.float32),
            tf.TensorSpec((SLOTS, height * width, channels), tf.float32),
            tf.TensorSpec((SLOTS, height * width), tf.int32),
            tf.TensorSpec((form.batch_size,), tf.int32),
            tf.TensorSpec((form.batch_size, None), tf.bool),
        ]

        def score(images: Any) -> Any:
            self.traces += 1
            with keras.StatelessScope():
                return raw_scores(reference(), images, form)[0]

        plain = tf.TensorSpec((form.batch_size, *form.image_shape), tf.float32)
        self._score = tf.function(score, input_signature=[plain], autograph=False)
        # Without autograph: Keras traces models without it too, and it would read this file's source.
        self._run = tf.function(run, input_signature=signature, autograph=False)
        self._run.get_concrete_function()

    def stage(
        self, images: NDArray[np.float32], baselines: NDArray[np.float32], labels: NDArray[np.int32]
    ) -> tuple[Any, ...]:
        """See `Engine.stage`."""
        flat = (SLOTS, -1, images.shape[-1])
        return tuple(map(tf.constant, (images.reshape(flat), baselines.reshape(flat), labels.reshape(SLOTS, -1))))

    def run(self, staged: tuple[Any, ...], owner: NDArray[np.int32], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """See `Engine.run`."""
        scores: NDArray[np.float32] = self._run(*staged, owner, masks).numpy()
        return scores

    def score(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.score`."""
        scores: NDArray[np.float32] = self._score(images).numpy()
        return scores


def accelerated(model: Any) -> bool:
    """Whether models run on an accelerator."""
    del model
    return any(device.device_type != "CPU" for device in tf.config.list_logical_devices())


def _mix(images: Any, baselines: Any, labels: Any, owner: Any, masks: Any) -> Any:
    """Shows or hides superpixels.

    In integers: `baseline ^ ((image ^ baseline) & mask)` gives every bit of either picture, has no branches, and is the
    fastest of the forms tried, a select, a multiplication and a gather from both pictures among them.
    """
    batch, channels = owner.shape[0], images.shape[-1]
    # One entry per channel, so that the gather reads what it writes and nothing is broadcast afterwards.
    bits = tf.repeat(-tf.cast(masks, tf.int32)[..., None], channels, axis=-1)
    shown = tf.gather(bits, tf.gather(labels, owner), batch_dims=1)
    hidden = tf.bitcast(baselines, tf.int32)
    difference = tf.bitwise.bitwise_xor(tf.bitcast(images, tf.int32), hidden)
    chosen = tf.bitwise.bitwise_and(tf.gather(difference, owner), shown)
    mixed = tf.bitcast(tf.bitwise.bitwise_xor(tf.gather(hidden, owner), chosen), tf.float32)
    return tf.reshape(mixed, (batch, labels.shape[1], channels))


@functools.cache
def _compiled_mix() -> Callable[..., Any] | None:
    """`_mix` as one XLA kernel, four times as fast as its operations; None where XLA is not to be had."""
    compiled: Callable[..., Any] = tf.function(_mix, jit_compile=True, autograph=False)
    try:
        pixels = tf.zeros((1, 1, 1))
        compiled(pixels, pixels, tf.zeros((1, 1), tf.int32), tf.zeros((1,), tf.int32), tf.zeros((1, 1), tf.bool))
    except tf.errors.OpError:
        return None
    return compiled


ENGINE = TensorFlowEngine
