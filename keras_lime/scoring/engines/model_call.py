"""The call of the model that the engines of all backends share. May import Keras and `introspection`; no backend."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from keras_lime.scoring import introspection
from keras_lime.scoring.engines.backends import active_backend
from keras_lime.scoring.engines.engine import EngineSpec, OutputSpec
from keras_lime.scoring.engines.limits import is_out_of_memory
from keras_lime.scoring.prediction import PREDICT_REMEDY, Prediction, prediction_of

__all__ = ["raw_scores"]


def raw_scores(model: Any, images: Any, spec: EngineSpec, others: Sequence[Any] = ()) -> tuple[Any, Any]:
    """Runs a model as its `predict` does on a batch of its own backend's tensors.

    Call it within a `keras.StatelessScope`, so that no state of the model changes.

    Args:
        model: a built Keras model.
        images: (n, *image_shape), float32.
        spec: what is wanted of it.
        others: for each of `spec.layout.others` a tensor (n, ...).

    Returns:
        The head's outputs (n, k), float32, and the `OutputSpec`s of all outputs.

    Raises:
        ValueError: if the model fails on such images or does not give one row per image, or `head` names no output.
    """
    prediction = prediction_of(model)
    try:
        outputs = _predict(model, spec.layout.arrange(images, others), prediction)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        own = f" It has its own way to predict, which has to be compiled. {PREDICT_REMEDY}"
        raise ValueError(
            f"`model` must accept float32 images of shape {spec.image_shape}. It failed on a batch of shape "
            f"{tuple(images.shape)} with {type(error).__name__}: {error}\nGive images in the shape it was trained on; "
            f"image[..., None] adds a channel to a grey image (h, w).{'' if prediction.is_plain else own}"
        ) from error
    scores, head = introspection.pick(outputs, spec.head, getattr(model, "output_names", None))
    if not scores.shape or scores.shape[0] != images.shape[0]:
        raise ValueError(
            f"`model` must give one row of scores per image. Received: shape={tuple(scores.shape)} for "
            f"{images.shape[0]} images."
        )
    # The number of rows may be free.
    rows = keras.ops.reshape(scores, (-1, head.columns))
    return keras.ops.cast(rows, "float32"), _output_specs(outputs)


def _predict(model: Any, inputs: Any, prediction: Prediction) -> Any:
    """What `model.predict` computes for one batch."""
    if prediction.preprocesses:
        inputs = keras.utils.unpack_x_y_sample_weight(model.preprocess_samples(inputs))[0]
    if prediction.has_own_step:
        return active_backend().predict_step(model, inputs)
    return model(inputs, training=False)


def _output_specs(outputs: Any) -> Any:
    """`OutputSpec`s in the structure of `outputs`."""
    if isinstance(outputs, Mapping):
        return {key: _output_specs(value) for key, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return [_output_specs(value) for value in outputs]
    if not hasattr(outputs, "shape"):
        return None
    return OutputSpec(tuple(outputs.shape), str(keras.backend.standardize_dtype(outputs.dtype)))
