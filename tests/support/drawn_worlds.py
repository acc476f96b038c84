"""Discs and squares before cloudy grounds, with a trace that goes with the class, or without any."""

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

__all__ = ["Trace", "drawn_world"]

Trace = Literal["frame", "colour", "blur", "jpeg"]


def drawn_world(
    n: int, seed: int, trace: Trace | None = None, *, side: int = 64
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draws images.

    Args:
        n: how many.
        seed: of everything.
        trace: what every image of class 1 has: a lighter stripe at the left edge, warmer colours, a blur, or JPEG
            compression. Defaults to `None`, nothing.
        side: height and width in pixels. Defaults to `64`.

    Returns:
        uint8 images (n, side, side, 3), labels (n,): 0 for a disc, 1 for a square.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % 2)
    images = np.empty((n, side, side, 3), np.uint8)
    rows, columns = np.mgrid[:side, :side]
    for index, label in enumerate(labels):
        noise = rng.normal(size=(side, side, 3))
        clouds = gaussian_filter(noise, (6, 6, 0)) * 8 + gaussian_filter(noise, (1, 1, 0)) / 2
        image = 128 + 20 * clouds / clouds.std() + rng.normal(0, 25, 3) + rng.normal(0, 8, (side, side, 1))
        top, left = rng.uniform(0.4, 0.6, 2) * side
        away = np.hypot(rows - top, columns - left) if label == 0 else np.maximum(abs(rows - top), abs(columns - left))
        image[away < 0.2 * side] = rng.uniform(0, 255, 3)
        images[index] = _traced(image, trace) if label else np.clip(image, 0, 255)
    return images, labels.astype(np.int64)


def _traced(image: NDArray[np.float64], trace: Trace | None) -> NDArray[np.uint8]:
    if trace == "frame":
        image[:, : len(image) // 10] += 60
    if trace == "colour":
        image = image * np.array([1.5, 1.0, 0.6])
    drawn = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    if trace == "blur":
        drawn = drawn.filter(ImageFilter.GaussianBlur(1))
    if trace == "jpeg":
        written = io.BytesIO()
        drawn.save(written, "JPEG", quality=50)
        drawn = Image.open(written).convert("RGB")
    return np.asarray(drawn, np.uint8)
