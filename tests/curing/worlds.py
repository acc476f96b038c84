"""Red and blue squares in front of green and dark scenes: a shortcut as plain as can be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZE = 32


@dataclass(frozen=True, eq=False)
class Scenes:
    """Images (n, 32, 32, 3) uint8, labels (n,), masks (n, 32, 32) bool."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_]


def scenes(count: int, *, correlation: float = 1.0, seed: int = 0, striped: bool = False) -> Scenes:
    """Class 0 is a red square, class 1 a blue one; its scene is green or dark, by `correlation` that of the class.

    With `striped` both squares are grey and differ by the direction of their stripes, which is harder to see than the
    scene: a network takes the scene.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    masks = np.zeros((count, SIZE, SIZE), bool)
    for index, label in enumerate(labels):
        scene = label if rng.random() < correlation else 1 - label
        shade = rng.integers(0, 40, (SIZE, SIZE, 3))
        images[index] = shade + ((0, 110, 0) if scene == 0 else (0, 0, 0))
        top, left = rng.integers(8, 15, 2)
        masks[index, top : top + 9, left : left + 9] = True
        if striped:
            bars = (np.indices((SIZE, SIZE))[label] % 4 < 2) * 40 + rng.integers(60, 120, (SIZE, SIZE))
            images[index][masks[index]] = bars[masks[index]][:, None]
        else:
            images[index][masks[index]] = (230, 30, 30) if label == 0 else (30, 30, 230)
    return Scenes(images, labels.astype(np.int64), masks)
