"""The JAX engine: one jitted function that gets the weights at every call. May import JAX and Keras."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.scoring.engines.backends import GradientFunction
from keras_lime.scoring.engines.engine import MASK_WIDTH, EngineSpec
from keras_lime.scoring.engines.model_call import raw_scores

__all__ = ["BACKEND", "JaxBackend", "JaxEngine"]


class JaxEngine:
    """A model on JAX; see `Engine`."""

    def __init__(self, model: Any, spec: EngineSpec) -> None:
        height, width, channels = spec.pixel_shape
        self.spec = spec
        self.fixed = self.fixed_score = True
        self.outputs: Any = None
        self.traces = 0
        self._model = reference = weakref.ref(model)
        self._variables = variables = [weakref.ref(variable) for variable in model.variables]

        def run(values: list[Any], staged: tuple[Any, ...], image_slot: Any, masks: Any) -> Any:
            self.traces += 1
            images, baselines, labels, *others = staged
            repeated = [other[image_slot] for other in others]
            mixed = _mix(images, baselines, labels, image_slot, masks).reshape(spec.batch_size, *spec.image_shape)
            with keras.StatelessScope(list(zip([each() for each in variables], values, strict=True))):
                scores, self.outputs = raw_scores(reference(), mixed, spec, repeated)
            return scores

        def score(values: list[Any], images: Any, others: Sequence[Any]) -> Any:
            self.traces += 1
            with keras.StatelessScope(list(zip([each() for each in variables], values, strict=True))):
                return raw_scores(reference(), images, spec, others)[0]

        self._run, self._score = jax.jit(run), jax.jit(score)
        pixels = jax.ShapeDtypeStruct((spec.n_slots, height * width, channels), np.float32)
        others = [
            jax.ShapeDtypeStruct((spec.n_slots, *other.shape), np.dtype(other.dtype)) for other in spec.layout.others
        ]
        jax.eval_shape(
            self._run,
            self._values(),
            (pixels, pixels, jax.ShapeDtypeStruct(pixels.shape[:2], np.int32), *others),
            jax.ShapeDtypeStruct((spec.batch_size,), np.int32),
            jax.ShapeDtypeStruct((spec.batch_size, MASK_WIDTH), np.bool_),
        )

    def stage(
        self,
        images: NDArray[np.float32],
        baselines: NDArray[np.float32],
        labels: NDArray[np.int32],
        others: Sequence[NDArray[Any]] = (),
    ) -> tuple[Any, ...]:
        """See `Engine.stage`. The arrays are uncommitted: they follow the weights to whatever devices these are on."""
        pixels = (len(images), -1, images.shape[-1])
        arrays = (images.reshape(pixels), baselines.reshape(pixels), labels.reshape(len(labels), -1), *others)
        return tuple(jax.device_put(array) for array in arrays)

    def run(
        self, staged: tuple[Any, ...], image_slot: NDArray[np.int32], masks: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """See `Engine.run`."""
        return np.asarray(self._run(self._values(), staged, image_slot, masks))

    def score(self, images: NDArray[np.float32], others: Sequence[NDArray[Any]] = ()) -> NDArray[np.float32]:
        """See `Engine.score`."""
        return np.asarray(self._score(self._values(), images, list(others)))

    def _values(self) -> list[Any]:
        """The current weights.

        Within `fit` the trainer holds them outside the model; it is asked to put them back. Weights copied to several
        devices are taken from one of them, so that the others do not repeat the work.
        """
        BACKEND.release_weights(self._model())
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


class JaxBackend:
    """See `Backend`."""

    def compile(self, model: Any, spec: EngineSpec) -> JaxEngine:
        """See `Backend.compile`."""
        return JaxEngine(model, spec)

    def accelerators(self, model: Any) -> int:
        """How many there are; JAX puts every model on the first."""
        del model
        return 0 if jax.default_backend() == "cpu" else jax.local_device_count()

    def release_weights(self, model: Any) -> None:
        """See `Backend.release_weights`: during a training the weights live in the trainer until they are asked for."""
        if hasattr(model, "jax_state_sync"):
            model.jax_state_sync()

    def predict_step(self, model: Any, inputs: Any) -> Any:
        """See `Backend.predict_step`; JAX' takes the weights, which the scope holds, and gives back the new ones."""
        state = tuple(
            [each.value for each in part] for part in (model.trainable_variables, model.non_trainable_variables)
        )
        return model.predict_step(state, inputs)[0]

    def predict(self, model: Any, inputs: Any, batch_size: int) -> Any:
        """See `Backend.predict`."""
        return model.predict(inputs, batch_size=batch_size, verbose=0)

    def gradients(self, model: Any, values: Callable[[Any], Any]) -> GradientFunction:
        """See `Backend.gradients`; compiled, one backward pass for each target."""
        variables = list(model.variables)

        def answer(weights: list[Any], images: Any) -> Any:
            with keras.StatelessScope(list(zip(variables, weights, strict=True))):
                return values(images)

        def both(weights: list[Any], images: Any) -> Any:
            answers, pull_back = jax.vjp(lambda pixels: answer(weights, pixels), images)
            units = jnp.eye(answers.shape[1], dtype=answers.dtype)
            return answers, [pull_back(jnp.broadcast_to(unit, answers.shape))[0] for unit in units]

        compiled = jax.jit(both)

        def run(images: NDArray[np.float32]) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
            self.release_weights(model)
            answers, gradients = compiled([variable.value for variable in variables], images)
            return np.asarray(answers, np.float64), [np.asarray(gradient, np.float64) for gradient in gradients]

        return run


BACKEND = JaxBackend()


def _mix(images: Any, baselines: Any, labels: Any, image_slot: Any, masks: Any) -> Any:
    """Shows or hides superpixels, in integers: `baseline ^ ((image ^ baseline) & mask)` gives every bit of either."""
    bits = jnp.repeat(-masks.astype(jnp.int32)[..., None], images.shape[-1], axis=-1)
    shown = jnp.take_along_axis(bits, labels[image_slot][..., None], axis=1)
    hidden = jax.lax.bitcast_convert_type(baselines, jnp.int32)
    difference = jax.lax.bitcast_convert_type(images, jnp.int32) ^ hidden
    return jax.lax.bitcast_convert_type(hidden[image_slot] ^ (difference[image_slot] & shown), jnp.float32)
