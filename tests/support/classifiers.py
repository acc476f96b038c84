"""Small Keras models, on whichever backend is active, and short ways to run them."""

from typing import Any

import keras

from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores

layers = keras.layers


def classifier(shape: tuple[int, ...] = (16, 16, 3), **last: Any) -> Any:
    """A convolutional classifier of three classes, with what real models have."""
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Rescaling(2.0, offset=0.1),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, **{"activation": "softmax", "kernel_initializer": "normal", **last}),
        ]
    )


def score(scorer: Any, plan: Plan, *wanted: int | str) -> Scores:
    answers: list[Scores] = list(scorer([plan], [wanted or ("predicted",)]))
    return answers[0]


def predict(model: Any, images: Any) -> Any:
    return model.predict(images, verbose=0)
