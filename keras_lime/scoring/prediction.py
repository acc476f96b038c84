"""What `model.predict` computes beside `model(x)`: the way from a batch of images to outputs that people see.

Keras' own `predict` calls `predict_step`, which calls the model. Three things may stand in between, and a network that
is explained without them is explained on images that it never sees: preprocessing that is attached to the model
(KerasHub), a `predict_step` of the model's own, and a `predict` or `make_predict_function` of its own. The first two
are compiled with the model; the last cannot be, and is compared instead, see `agreement`. Reads, never runs. May import
Keras.
"""

from dataclasses import dataclass
from typing import Any

import keras

__all__ = ["PREDICT_REMEDY", "Prediction", "has_call", "models_within", "prediction_of"]

PREDICT_REMEDY = (
    "Explain `predict` itself: explain(lambda images: model.predict(images, verbose=0), image), or "
    "LimeCallback(probes, log_dir, model=lambda model: lambda images: model.predict(images, verbose=0))."
)

_PREPROCESSING_PREDICT = "PipelineModel.predict"
"""KerasHub's `predict`: it runs `preprocess_samples` on the data, and then Keras' own."""


@dataclass(frozen=True)
class Prediction:
    """How a model's `predict` differs from calling it.

    Attributes:
        preprocesses: whether `model.preprocess_samples` is run on the images first.
        has_own_step: whether the model has a `predict_step` of its own.
        replaced: names of the methods that are the model's own and cannot be compiled.
    """

    preprocesses: bool = False
    has_own_step: bool = False
    replaced: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether `predict` gives what calling the model gives."""
        return not (self.preprocesses or self.has_own_step or self.replaced)


def prediction_of(model: Any) -> Prediction:
    """Reads how a Keras model predicts."""
    predict = _function(model, "predict")
    is_pipeline = getattr(predict, "__qualname__", "") == _PREPROCESSING_PREDICT
    replaced = [name for name in ("predict", "make_predict_function") if _is_own(model, name)]
    if is_pipeline:
        replaced.remove("predict")
    # A preprocessor that was taken off leaves the method, which then gives back what it got.
    preprocesses = is_pipeline and getattr(model, "preprocessor", True) is not None
    return Prediction(preprocesses, _is_own(model, "predict_step"), tuple(replaced))


def has_call(model: Any) -> bool:
    """Whether a model can be called: those that only hold other models, such as distillers, often cannot."""
    return type(model).call is not keras.Model.call


def models_within(model: Any) -> list[str]:
    """Names of the attributes of a model that hold a model."""
    # PyTorch keeps modules in a dictionary of their own.
    attributes = {**vars(model), **vars(model).get("_modules", {})}
    return [name for name, value in attributes.items() if isinstance(value, keras.Model) and not name.startswith("_")]


def _is_own(model: Any, name: str) -> bool:
    return _function(model, name) is not getattr(keras.Model, name)


def _function(model: Any, name: str) -> Any:
    """A method as a plain function, whether it is the class' or was set on the model itself."""
    method = getattr(model, name)
    return getattr(method, "__func__", method)
