"""What a Keras backend must provide, and the registry of those that do.

A further backend is one module with a `Backend` and one entry in `BACKENDS`; nothing else asks which backend is active.
May import Keras; imports a backend's module only when that backend is the active one.
"""

import importlib
from collections.abc import Callable
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.scoring.engines.engine import Engine, EngineSpec

__all__ = ["BACKENDS", "Backend", "GradientFunction", "active_backend", "release_weights"]

GradientFunction = Callable[[NDArray[np.float32]], tuple[NDArray[np.float64], list[NDArray[np.float64]]]]
"""From images (n, h, w, c) to the targets' values (n, n_targets) and, for each target, its gradient (n, h, w, c)."""


class Backend(Protocol):
    """Everything that differs between Keras' backends."""

    def compile(self, model: Any, spec: EngineSpec) -> Engine:
        """Compiles a built model, as far as the backend compiles at all.

        Raises:
            ValueError: if the model does not accept such images, or `spec.head` names no output.
        """

    def accelerators(self, model: Any) -> int:
        """How many accelerators there are, of which the model runs on one; 0 if it runs on processors."""

    def release_weights(self, model: Any) -> None:
        """Puts the current weights in a model that is being trained, where its trainer holds them elsewhere."""

    def predict_step(self, model: Any, inputs: Any) -> Any:
        """Calls a model's own `predict_step`, within a `keras.StatelessScope` that holds the weights.

        Args:
            model: a Keras model.
            inputs: what the model takes, in tensors of the backend.

        Returns:
            The model's outputs.
        """

    def predict(self, model: Any, inputs: Any, batch_size: int) -> Any:
        """Calls `model.predict` and leaves no trace of it: no warning, and the mode of training as it was.

        Args:
            model: a Keras model.
            inputs: what the model takes, NumPy arrays.
            batch_size: rows of each.

        Returns:
            The model's outputs, NumPy arrays in its own structure.
        """

    def gradients(self, model: Any, values: Callable[[Any], Any]) -> GradientFunction:
        """Differentiates a function of the images.

        Args:
            model: the Keras model that `values` runs.
            values: from a tensor of images (n, h, w, c) to the targets' values (n, n_targets).

        Returns:
            A function that reads the current weights at every call.
        """


BACKENDS: dict[str, str | Backend] = {
    name: f"keras_lime.scoring.engines.on_{name}" for name in ("tensorflow", "jax", "torch")
}
"""For each name of `keras.backend.backend()` the `Backend`, or the module whose `BACKEND` it is."""


def active_backend() -> Backend:
    """The backend that Keras runs on.

    Raises:
        ValueError: if it is not registered.
    """
    name = keras.backend.backend()
    if name not in BACKENDS:
        raise ValueError(f"Keras must run on one of {', '.join(BACKENDS)}. Received: KERAS_BACKEND={name}.")
    registered = BACKENDS[name]
    if isinstance(registered, str):
        found: Backend = importlib.import_module(registered).BACKEND
        return found
    return registered


def release_weights(model: Any) -> None:
    """Puts the current weights in a model that is being trained, so that models within it can be run.

    Args:
        model: the Keras model whose `fit` is running, or None.
    """
    if model is not None:
        active_backend().release_weights(model)
