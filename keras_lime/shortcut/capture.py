"""How the images were taken: do sharpness, compression or light tell the class? For the words of an alarm only.

A model that reads blur or JPEG traces changes its mind with the background too, since both halves of an image carry
them. These statistics say whether the classes differ in that; they prove nothing about the model. May import numpy,
SciPy and scikit-image.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import laplace
from skimage.color import rgb2lab

from keras_lime.core.phrases import listing

__all__ = ["CAPTURES", "LEAST_AGREEMENT", "Capture", "capture_findings", "capture_hint", "capture_values"]

CAPTURES = ("sharpness", "compression", "brightness", "warmth")
"""What is measured, in order."""

LEAST_AGREEMENT = 0.4
"""Cohen's kappa from which a difference is named."""


@dataclass(frozen=True)
class Capture:
    """One statistic against the class.

    Attributes:
        name: one of `CAPTURES`.
        agreement: Cohen's kappa between the true class and the class predicted from this number alone, each image by
            the others: 0 by chance, 1 always right.
        means: mean of the statistic by class.
    """

    name: str
    agreement: float
    means: dict[int, float]


def capture_findings(images: NDArray[Any], labels: NDArray[np.int64]) -> list[Capture]:
    """All statistics, the most telling first.

    Args:
        images: uint8 array (n, h, w, 3), as shown to people.
        labels: int array (n,).
    """
    values = capture_values(images)
    classes, places = np.unique(labels, return_inverse=True)
    found = [
        Capture(
            name,
            _agreement(column, places),
            {int(label): float(column[places == k].mean()) for k, label in enumerate(classes)},
        )
        for name, column in zip(CAPTURES, values.T, strict=True)
    ]
    return sorted(found, key=lambda each: -each.agreement)


def capture_values(images: NDArray[Any]) -> NDArray[np.float64]:
    """Statistics of each image, (n, 4), in the order of `CAPTURES`."""
    return np.array([_values(image) for image in images])


def _values(image: NDArray[Any]) -> tuple[float, float, float, float]:
    pixels = image.astype(np.float64).reshape(*image.shape[:2], -1) / 255
    pixels = np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels[..., :3]
    lab = rgb2lab(pixels)
    light = lab[..., 0]
    # The median is blind to the few pixels of edges, which tell the object more than the camera.
    sharpness = float(np.log(np.median(np.abs(laplace(light))) + 0.05))
    brightness, warmth = float(light.mean()), float(lab[..., 2].mean())
    steps = [np.abs(np.diff(light, axis=axis)).mean(axis=1 - axis) for axis in (0, 1)]
    # JPEG codes blocks of 8 by 8 pixels: its traces are steps across every eighth line.
    blocks = [
        float(step[7::8].mean() / (np.delete(step, np.s_[7::8]).mean() + 0.05)) for step in steps if len(step) > 8
    ]
    return sharpness, float(np.log(np.mean(blocks) + 0.01)) if blocks else 0.0, brightness, warmth


def _agreement(values: NDArray[np.float64], places: NDArray[np.int64]) -> float:
    """Kappa of the nearest class mean, the image itself left out of its class's mean."""
    counts = np.bincount(places).astype(float)
    sums: NDArray[np.float64] = np.bincount(places, values).astype(np.float64)
    n = len(values)
    left_counts, left_sums = np.tile(counts, (n, 1)), np.tile(sums, (n, 1))
    rows = np.arange(n)
    left_counts[rows, places] -= 1
    left_sums[rows, places] -= values
    means = np.where(left_counts > 0, left_sums / np.maximum(left_counts, 1), np.inf)
    guessed = np.abs(means - values[:, None]).argmin(axis=1)
    chance = float((np.bincount(guessed, minlength=len(counts)) * counts).sum() / n**2)
    return (float((guessed == places).mean()) - chance) / max(1e-9, 1 - chance)


def capture_hint(images: NDArray[Any], labels: NDArray[np.int64]) -> str:
    """What the classes differ in beside what they show, as a sentence; empty where nothing does.

    Args:
        images: uint8 array (n, h, w, 3), as shown to people.
        labels: int array (n,).
    """
    telling = [found for found in capture_findings(images, labels) if found.agreement >= LEAST_AGREEMENT]
    if not telling:
        return ""
    return (
        f"A hint only: the classes of the probes differ in {listing([found.name for found in telling])}, so the model "
        "may read how the images were taken rather than a scene. Compare where the images of each class come from."
    )
