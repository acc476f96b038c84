"""The JAX engine: one jitted function that gets the weights at every call. May import JAX and Keras."""

import weakref
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.scoring.engines.engine import COLUMNS, SLOTS, Form, raw_scores

__all__ = ["ENGINE", "JaxEngine", "accelerated"]


class JaxEngine:
    """A model on JAX; see `Engine`."""

    def __init__(self, model: Any, form: Form) -> None:
        height, width, channels = form.pixel_shape
        self.batch_size = form.batch_size
        self.fixed = True
        self.outputs: Any = None
        self.traces = 0
        self._model = reference = weakref.ref(model)
        self._variables = variables = [weakref.ref(variable) for variable in model.variables]

        def run(values: list[Any], images: Any, baselines: Any, labels: Any, owner: Any, masks: Any) -> Any:
            self.traces += 1
            mixed = _mix(images, baselines, labels, owner, masks).reshape(form.batch_size, *form.image_shape)
            with keras.StatelessScope(list(zip([each() for each in variables], values, strict=True))):
                scores, self.outputs = raw_scores(reference(), mixed, form)
            return scores

        def score(values: list[Any], images: Any) -> Any:
            self.traces += 1
            with keras.StatelessScope(list(zip([each() for each in variables], values, strict=True))):
                return raw_scores(reference(), images, form)[0]

        self._run, self._score = jax.jit(run), jax.jit(score)
        pixels = jax.ShapeDtypeStruct((SLOTS, height * width, channels), np.float32)
        jax.eval_shape(
            self._run,
            self._values(),
            pixels,
            pixels,
            jax.ShapeDtypeStruct(pixels.shape[:2], np.int32),
            jax.ShapeDtypeStruct((form.batch_size,), np.int32),
            jax.ShapeDtypeStruct((form.batch_size, COLUMNS), np.bool_),
        )

    def stage(
        self, images: NDArray[np.float32], baselines: NDArray[np.float32], labels: NDArray[np.int32]
    ) -> tuple[Any, ...]:
        """See `Engine.stage`. The arrays are uncommitted: they follow the weights to whatever devices these are on."""
        flat = (SLOTS, -1, images.shape[-1])
        arrays = (images.reshape(flat), baselines.reshape(flat), labels.reshape(SLOTS, -1))
        return tuple(jax.device_put(array) for array in arrays)

    def run(self, staged: tuple[Any, ...], owner: NDArray[np.int32], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """See `Engine.run`."""
        return np.asarray(self._run(self._values(), *staged, owner, masks))

    def score(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.score`."""
        return np.asarray(self._score(self._values(), images))

    def _values(self) -> list[Any]:
        """The current weights.

        Within `fit` the trainer holds them outside the model; it is asked to put them back. Weights copied to several
        devices are taken from one of them, so that the others do not repeat the work.
        """
        model: Any = self._model()
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()
        variables: list[Any] = [each() for each in self._variables]
        if any(variable._value is None for variable in variables):
            raise RuntimeError(
                "The model's weights are held by the training of a model around it. Call `jax_state_sync()` of that "
                "model first."
            )
        values = [variable.value for variable in variables]
        if all(value.is_fully_replicated for value in values):
            return [value.addressable_data(0) if len(value.sharding.device_set) > 1 else value for value in values]
        return values


def accelerated(model: Any) -> bool:
    """Whether models run on an accelerator."""
    del model
    return str(jax.default_backend()) != "cpu"


def _mix(images: Any, baselines: Any, labels: Any, owner: Any, masks: Any) -> Any:
    """Shows or hides superpixels, in integers: `baseline ^ ((image ^ baseline) & mask)` gives every bit of either."""
    bits = jnp.repeat(-masks.astype(jnp.int32)[..., None], images.shape[-1], axis=-1)
    shown = jnp.take_along_axis(bits, labels[owner][..., None], axis=1)
    hidden = jax.lax.bitcast_convert_type(baselines, jnp.int32)
    difference = jax.lax.bitcast_convert_type(images, jnp.int32) ^ hidden
    return jax.lax.bitcast_convert_type(hidden[owner] ^ (difference[owner] & shown), jnp.float32)


ENGINE = JaxEngine
