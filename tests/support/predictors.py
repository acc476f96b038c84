"""Models whose `predict` is not `model(x)`, in the form of whichever backend is active."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

layers = keras.layers
_ON_JAX = keras.backend.backend() == "jax"
_Change = Callable[[Any], Any]


def unchanged(values: Any) -> Any:
    return values


def to_signed_unit(images: Any) -> Any:
    """From 0..255 to −1..1."""
    return images / 127.5 - 1


def network(shape: tuple[int, ...] = (8, 8, 3), activation: str | None = "softmax", seed: int = 0) -> Any:
    """A small network that tells images in −1..1 apart, and is saturated by images in 0..255."""
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(4, 3, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(seed)),
            layers.Flatten(),
            layers.Dense(
                2, activation=activation, kernel_initializer=keras.initializers.RandomNormal(stddev=0.3, seed=seed)
            ),
        ]
    )


class OwnStep(keras.Model):
    """Changes what goes into and what comes out of the network in its `predict_step`."""

    def __init__(self, net: Any, before: _Change = unchanged, after: _Change = unchanged) -> None:
        super().__init__()
        self.net, self.before, self.after = net, before, after

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.net(inputs, training=training)

    def predict_step(self, *arguments: Any) -> Any:
        *state, data = arguments
        images = self.before(data[0] if isinstance(data, tuple) else data)
        found = super().predict_step(*state, images)
        return (self.after(found[0]), found[1]) if _ON_JAX else self.after(found)


class OwnStepWithoutCall(keras.Model):
    """Predicts with one of the models it holds, and cannot be called."""

    def __init__(self, student: Any, teacher: Any) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher

    def predict_step(self, *arguments: Any) -> Any:
        images = to_signed_unit(arguments[-1])
        if not _ON_JAX:
            return self.student(images, training=False)
        trainable, others = arguments[0]
        pairs = zip(self.trainable_variables + self.non_trainable_variables, trainable + others, strict=True)
        with keras.StatelessScope(list(pairs)):
            return self.student(images, training=False), others


class OwnPredict(keras.Model):
    """Prepares the data in `predict`, before Keras sees it."""

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.net(inputs, training=training)

    def predict(self, x: Any, **options: Any) -> Any:
        return super().predict(to_signed_unit(np.asarray(x, np.float32)), **options)


def hub_classifier(image_size: tuple[int, int] = (24, 24), offset: float = -1.0) -> Any:
    """A KerasHub ResNet with random weights and the preprocessor that belongs to it: resizes, and scales to −1..1."""
    import keras_hub

    keras.utils.set_random_seed(1)
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64],
        stackwise_num_blocks=[1],
        stackwise_num_strides=[1],
        block_type="basic_block",
        image_shape=(None, None, 3),
    )
    converter = keras_hub.layers.ResNetImageConverter(image_size=image_size, scale=1 / 127.5, offset=offset)
    preprocessor = keras_hub.models.ResNetImageClassifierPreprocessor(converter)
    model = keras_hub.models.ResNetImageClassifier(
        backbone=backbone, preprocessor=preprocessor, num_classes=2, activation="softmax"
    )
    kernel, bias = model.output_dense.get_weights()
    model.output_dense.set_weights([20 * kernel, bias])
    return model
