"""A small real training with the real callback: what the browser tests look at."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.explanation import Explanation

CLASS_NAMES = ("disc", "square", "cross")
EPOCHS = 4
PROBES = 9
SIZE = 32


@dataclass(frozen=True, eq=False)
class Training:
    """Logs of two runs, and what the last epoch of the first looked like in Python.

    Attributes:
        log_dir: holds `honest/lime`, where shape and background are independent, and `biased/lime`, where they are one.
        explanations: the newest epoch of `honest/lime`, with the float32 weights that the log keeps.
    """

    log_dir: Path
    explanations: tuple[Explanation, ...]


def train(log_dir: Path) -> Training:
    """Trains two small models and explains nine probes of each, epoch by epoch."""
    import keras

    from keras_lime import LimeCallback, ProbeSet

    images, labels, masks = draw(PROBES, biased=False, seed=99)
    probes = ProbeSet(images, labels, masks=masks, class_names=CLASS_NAMES)
    explanations: list[Explanation] = []
    for run, biased in (("honest", False), ("biased", True)):
        keras.utils.set_random_seed(7)
        model = keras.Sequential(
            [
                keras.layers.Input((SIZE, SIZE, 3)),
                keras.layers.Rescaling(1 / 255),
                keras.layers.Conv2D(12, 5, strides=2, activation="relu"),
                keras.layers.Conv2D(24, 3, strides=2, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(len(CLASS_NAMES), activation="softmax"),
            ]
        )
        model.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
        data, truth, _ = draw(600, biased=biased, seed=1)
        # The biased run deserves its alarm; test_shortcuts.py looks at alarms.
        options: dict[str, Any] = {"num_samples": 64, "shortcut_threshold": None, "on_error": "raise"}
        options |= {"cross_check": True, "second_baseline": "blur"}
        callback = LimeCallback(probes, log_dir / run, **options, neighbours=(data, truth))
        model.fit(data, truth, epochs=EPOCHS - 1, batch_size=16, verbose=0, callbacks=[callback])
        # The last epoch goes through the door for training loops of one's own, which hands the explanations out.
        by_hand = LimeCallback(probes, log_dir / run, **options)
        newest = by_hand.explain(model, EPOCHS - 1)
        by_hand.close()
        explanations = explanations or newest
    return Training(log_dir, tuple(as_logged(explanation) for explanation in explanations))


def as_logged(explanation: Explanation) -> Explanation:
    """Rounds weights and errors to the float32 and float16 of the log."""
    coef = explanation.fit.coef.astype(np.float32).astype(np.float64)
    errors = explanation.fit.stderr
    stderr = None if errors is None else errors.astype(np.float16).astype(np.float64)
    return replace(explanation, fit=replace(explanation.fit, coef=coef, stderr=stderr))


def draw(n: int, *, biased: bool, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.bool_]]:
    """Draws shapes on coloured stripes: images uint8 (n, 32, 32, 3), labels (n,), masks (n, 32, 32)."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(CLASS_NAMES)
    y, x = np.mgrid[:SIZE, :SIZE]
    images, masks = [], []
    for label in labels:
        scene = label if biased else rng.integers(len(CLASS_NAMES))
        (top, left), radius = rng.integers(9, SIZE - 9, 2), rng.integers(5, 8)
        across, down = np.abs(x - left), np.abs(y - top)
        shapes = (
            np.hypot(across, down) <= radius,
            np.maximum(across, down) <= radius - 1,
            (np.minimum(across, down) <= 1) & (np.maximum(across, down) <= radius),
        )
        stripes = np.sin(np.array([x, y, x + y])[scene] * 0.9)[..., None]
        colour = np.array([(90, 140, 80), (90, 120, 160), (150, 130, 90)])[scene]
        image = colour + 25 * stripes + rng.normal(0, 8, (SIZE, SIZE, 3))
        image[shapes[label]] = (225, 60, 50)
        images.append(np.clip(image, 0, 255).astype(np.uint8))
        masks.append(shapes[label])
    return np.stack(images), labels.astype(np.int64), np.stack(masks)
