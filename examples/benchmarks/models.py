"""Models and pictures to measure on, and as many plain forward passes as an explanation has samples."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.transform import resize
from stop_signs import build_model
from traffic_signs import draw_signs

__all__ = [
    "Subject",
    "compiled_forward",
    "photograph",
    "plain_passes",
    "seconds",
    "subjects",
    "trained_cnn",
    "untrained",
]

Image = NDArray[np.float32]
PHOTOGRAPHS = ("chelsea", "coffee", "astronaut", "rocket")


class Subject:
    """A model with the pictures that it takes.

    Args:
        name: how tables call it.
        model: takes square colour pictures in 0..255 and gives probabilities.
        samples: number of samples that it is timed with.
    """

    def __init__(self, name: str, model: Any, samples: int) -> None:
        self.name, self.model, self.samples = name, model, samples
        self.size = int(model.input_shape[1])

    def photographs(self, names: tuple[str, ...] = PHOTOGRAPHS) -> dict[str, Image]:
        """scikit-image's photographs, in the model's size."""
        return {name: photograph(name, self.size) for name in names}


def subjects(names: list[str], path: Path | None, quick: bool) -> list[Subject]:
    """The models that take part.

    Args:
        names: of `"small"`, `"file"`, `"mobilenet"` and `"inception"`.
        path: the file of `"file"`, or None to leave it out.
        quick: few samples.
    """
    found = []
    for name in names:
        if name == "small":
            found.append(Subject("small CNN", trained_cnn(quick), 64 if quick else 1024))
        elif name == "file" and path is not None:
            model = keras.saving.load_model(path, compile=False)
            found.append(Subject(path.stem, model, 64 if quick else 256))
        elif name in ("mobilenet", "inception"):
            found.append(Subject(name, untrained(name), 64 if quick else {"mobilenet": 256, "inception": 96}[name]))
    return found


def trained_cnn(quick: bool = False) -> Any:
    """The network of `stop_signs.py`, trained on drawn signs before any scene."""
    world = draw_signs(200 if quick else 2500, 0.2, seed=0)
    keras.utils.set_random_seed(0)
    model = build_model()
    model.fit(world.images, world.labels, epochs=1 if quick else 8, verbose=0)
    return model


def untrained(name: str) -> Any:
    """MobileNetV2 or InceptionV3 of `keras.applications` with random weights, which cost the same as trained ones."""
    keras.utils.set_random_seed(0)
    kind, size = {
        "mobilenet": (keras.applications.MobileNetV2, 224),
        "inception": (keras.applications.InceptionV3, 299),
    }[name]
    inputs = keras.Input((size, size, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    return keras.Model(inputs, kind(weights=None, input_shape=(size, size, 3))(scaled))


def photograph(name: str, size: int) -> Image:
    """The middle of one of scikit-image's photographs, square, float32 (size, size, 3) in 0..255."""
    picture = getattr(data, name)()
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    scaled = resize(picture[top : top + side, left : left + side], (size, size), order=3, anti_aliasing=True)
    return np.asarray(np.clip(scaled, 0, 1) * 255, dtype=np.float32)


def compiled_forward(model: Any) -> Callable[[Image], Callable[[], object]]:
    """A function from a batch to one compiled forward pass on it, with the batch on the device already."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            run = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
            return lambda batch: partial(lambda tensor: run(tensor).numpy(), tf.constant(batch))
        case "jax":
            import jax

            forward = jax.jit(lambda *given: model.stateless_call(*given, training=False)[0])

            def run_on(batch: Any) -> object:
                # Read anew: `fit` and `predict` give the arrays of the weights away and put others in their place.
                state = [
                    [each.value for each in part] for part in (model.trainable_variables, model.non_trainable_variables)
                ]
                return np.asarray(forward(*state, batch))

            return lambda batch: partial(run_on, jax.device_put(batch))
        case _:
            import torch

            def passed(tensor: Any) -> object:
                with torch.no_grad():
                    return model(tensor, training=False).cpu().numpy()

            return lambda batch: partial(passed, keras.ops.convert_to_tensor(batch))


def plain_passes(model: Any, image: Image, samples: int, sizes: tuple[int, ...]) -> tuple[Callable[[], object], int]:
    """As many plain forward passes as there are samples, at the fastest of some batch sizes that divide them."""
    forward = compiled_forward(model)
    found: list[tuple[float, Callable[[], object], int]] = []
    for size in (size for size in sizes if samples % size == 0):
        once = forward(np.repeat(image[None], size, axis=0))
        passes = partial(_repeat, once, samples // size)
        once()
        found.append((min(seconds(passes) for _ in range(2)), passes, size))
    _, fastest, size = min(found, key=lambda entry: entry[0])
    return fastest, size


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one run."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _repeat(run: Callable[[], object], count: int) -> None:
    for _ in range(count):
        run()
