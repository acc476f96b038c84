"""Which model a callback explains: the one in training, or what `model=` makes of it. May import Keras."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

__all__ = ["check_model", "explained_model"]


def check_model(given: Any) -> None:
    """Refuses what can be no model.

    Raises:
        TypeError: naming `model`.
    """
    if given is not None and (isinstance(given, type) or not callable(given)):
        raise TypeError(
            "`model` must be a Keras model, a function from images to scores, or a function from the model in training "
            f"to one of these. Received: model={given!r}. To explain the student of a distiller: "
            "LimeCallback(probes, log_dir, model=lambda model: model.student)."
        )


def explained_model(given: Any, trained: Any, images: NDArray[Any]) -> Any:
    """What `model=` of a callback stands for.

    A function may take images, as in `explain()`, or the model in training. Which one it is shows when it is called
    with the model: what gives back a model or a function takes the model, everything else takes images.

    Args:
        given: a Keras model, either kind of function, or None for the model in training.
        trained: the model in training.
        images: the probes (n, h, w, c), two of which a function must take.

    Returns:
        A Keras model, or a function from images to scores.

    Raises:
        TypeError: if a function takes neither.
    """
    if given is None:
        return trained
    if isinstance(given, keras.layers.Layer):
        return given
    reason = "what it returns is neither a model nor a function"
    try:
        found = given(trained)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    else:
        if isinstance(found, keras.Model) or (callable(found) and not hasattr(found, "shape")):
            return found
    try:
        given(images[:2].astype(np.float32))
    except Exception as error:
        raise TypeError(
            "`model` must be a function from images to scores, or from the model in training to what is explained. "
            f"Received: one that takes neither. With the model: {reason}. With images of shape {images[:2].shape}: "
            f"{type(error).__name__}: {error}"
        ) from error
    return given
