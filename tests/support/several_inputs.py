"""Models that take more than an image, as public training scripts have them."""

from typing import Any

import keras
import numpy as np

layers = keras.layers
SHAPE = (8, 8, 3)


def with_metadata(structure: str = "list") -> Any:
    """An image and two numbers about it; the sum of what both say decides."""
    image, age, site = keras.Input(SHAPE, name="image"), keras.Input((1,), name="age"), keras.Input((3,), name="site")
    seen = layers.Flatten()(layers.Conv2D(2, 3, activation="relu", kernel_initializer=_normal(1))(image))
    known = layers.Concatenate()([age, site])
    both = layers.Add()([layers.Dense(2, kernel_initializer=_normal(2))(each) for each in (seen, known)])
    outputs = layers.Softmax()(both)
    inputs: Any = [age, image, site]
    return keras.Model(inputs if structure == "list" else {each.name: each for each in inputs}, outputs)


def siamese() -> Any:
    """Two images through one network; how far they are apart."""
    left, right = keras.Input(SHAPE, name="left"), keras.Input(SHAPE, name="right")
    tower = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(4, kernel_initializer=_normal(3))])
    apart = layers.Subtract()([tower(left), tower(right)])
    return keras.Model([left, right], layers.Dense(1, activation="sigmoid", kernel_initializer=_normal(4))(apart))


class OwnClass(keras.Model):
    """A dictionary or a list, as its `call` likes it; does not say what it takes."""

    def __init__(self, as_list: bool = False) -> None:
        super().__init__()
        self.net, self.as_list = with_metadata(), as_list

    def call(self, inputs: Any, training: bool = False) -> Any:
        image, age, site = inputs if self.as_list else (inputs["photo"], inputs["age"], inputs["site"])
        return self.net([age, image, site])


def metadata(count: int, seed: int = 0) -> dict[Any, Any]:
    rng = np.random.default_rng(seed)
    return {"age": rng.normal(0, 2, (count, 1)), "site": np.eye(3)[rng.integers(0, 3, count)]}


def images(count: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed + 100).random((count, *SHAPE), np.float32)


def _normal(seed: int) -> Any:
    return keras.initializers.RandomNormal(stddev=0.4, seed=seed)
