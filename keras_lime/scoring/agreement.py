"""Does the scorer give what `model.predict` gives? Asked once, before anything is explained.

A model whose `predict` is Keras' own is explained as it predicts by construction, and not run. Of the others two images
are compared. May import Keras.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import OtherInputs, with_inputs
from keras_lime.core.scores import Scorer
from keras_lime.data.arrays import to_numpy
from keras_lime.exceptions import warn
from keras_lime.scoring import introspection
from keras_lime.scoring.engines import active_backend, fixed_batch_size
from keras_lime.scoring.keras_scorer import KerasScorer
from keras_lime.scoring.prediction import PREDICT_REMEDY, prediction_of

__all__ = ["check_agreement"]

_TOLERANCE, _HALF_TOLERANCE = 0.02, 0.1
"""Largest difference, in shares of the largest output; the second for models that compute in half precision."""


def check_agreement(
    model: Any,
    scorer: Scorer,
    images: Sequence[NDArray[Any]] | NDArray[Any],
    inputs: OtherInputs | None = None,
) -> str:
    """Refuses a model that would be explained otherwise than it predicts.

    Args:
        model: the Keras model, or plain function.
        scorer: its scorer, from `make_scorer`.
        images: some of those to be explained, in their own dtype; the first and the last are compared.
        inputs: what the model takes beside each of them, arrays (n, ...) by name. Defaults to `None`, nothing.

    Returns:
        What is known, in the words of a status line: `"agrees with predict"`, `"a function of its own"` or
        `"predict is random"`.

    Raises:
        ValueError: if the outputs differ; with both, and how `predict` itself is explained.
    """
    if not isinstance(scorer, KerasScorer):
        return "a function of its own"
    if not _must_be_compared(model, images[0]):
        return "agrees with predict"
    chosen = np.stack([images[0], images[-1]])
    ends = {name: values[[0, -1]] for name, values in (inputs or {}).items()}
    scored = next(scorer.raw_scores([with_inputs(image, ends, row) for row, image in enumerate(chosen)]))

    def predict(compared: NDArray[Any]) -> NDArray[np.float32]:
        return _predict(model, scorer, compared, ends)

    predicted = predict(chosen)
    tolerance = _tolerance(model, predicted)
    if _difference(scored, predicted) <= tolerance:
        return "agrees with predict"
    if _difference(predicted, predict(chosen)) > tolerance:
        warn(
            "`predict` of the model gives other outputs each time, so that it cannot be compared with what is "
            f"explained. {PREDICT_REMEDY}"
        )
        return "predict is random"
    as_floats = np.inf if chosen.dtype.kind == "f" else _difference(scored, predict(chosen.astype(np.float32)))
    raise ValueError(_message(model, chosen, scored, predicted, casts=as_floats <= tolerance))


def _must_be_compared(model: Any, image: NDArray[Any]) -> bool:
    """Whether the model's `predict` is not Keras' own, or may treat integers otherwise than the same numbers as floats.

    Models of layers cast what they get, whatever it is.
    """
    layered = isinstance(model, keras.Sequential) or bool(getattr(model, "inputs", None))
    return not prediction_of(model).is_plain or (image.dtype.kind != "f" and not layered)


def _predict(model: Any, scorer: KerasScorer, images: NDArray[Any], inputs: OtherInputs) -> NDArray[np.float32]:
    """Raw outputs (n, k) of `model.predict`, which must not move the state of the model: batch statistics, seeds."""
    size = fixed_batch_size(model) or len(images)
    arrays = [np.resize(array, (size, *array.shape[1:])) for array in (images, *scorer.layout.values_of(inputs))]
    state = [(variable, to_numpy(variable.value, "model").copy()) for variable in model.non_trainable_variables]
    try:
        outputs = active_backend().predict(model, scorer.layout.arrange(arrays[0], arrays[1:]), size)
    finally:
        for variable, value in state:
            variable.assign(value)
    several = isinstance(outputs, Mapping | tuple | list)
    names = getattr(model, "output_names", None)
    chosen = introspection.pick(outputs, scorer.output.head, names)[0] if several else outputs
    rows = to_numpy(chosen, "model").astype(np.float32)[: len(images)]
    return rows.reshape(len(rows), -1)


def _difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The largest difference; infinite where even the shapes differ."""
    if one.shape != other.shape:
        return float("inf")
    return float(np.abs(one.astype(np.float64) - other).max(initial=0))


def _tolerance(model: Any, predicted: NDArray[np.float32]) -> float:
    half = any(layer.compute_dtype != "float32" for layer in model._flatten_layers())
    return (_HALF_TOLERANCE if half else _TOLERANCE) * float(np.abs(predicted).max(initial=0)) + 1e-6


def _message(
    model: Any,
    images: NDArray[Any],
    scored: NDArray[np.float32],
    predicted: NDArray[np.float32],
    *,
    casts: bool,
) -> str:
    received = f"{_shown(predicted)} from `predict` and {_shown(scored)} from what would be explained"
    if casts:
        return (
            "`model` must treat images of integers as it treats the same numbers as float32: perturbed images are "
            f"float32. Received: {received}, for an image of dtype {images.dtype}. Give the images as float32 in the "
            "range that the network takes, or explain a function that converts: explain(lambda images: "
            f"model.predict(images.astype({str(images.dtype)!r}), verbose=0), image)."
        )
    own = prediction_of(model)
    names = [*own.replaced, *["predict_step"] * own.has_own_step, *["preprocess_samples"] * own.preprocesses]
    return (
        f"`model` must be explained as it predicts, but {type(model).__name__} has a "
        f"{' and a '.join(f'`{name}`' for name in names) or '`call`'} of its own that cannot be compiled. Received for "
        f"the first image: {received}. {PREDICT_REMEDY}"
    )


def _shown(rows: NDArray[np.float32]) -> str:
    """The first row, as people read it."""
    first = rows[0][:5]
    return f"[{', '.join(f'{value:.3g}' for value in first)}{', …' if len(rows[0]) > 5 else ''}]"
