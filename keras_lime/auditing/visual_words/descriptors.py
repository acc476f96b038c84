"""What each superpixel looks like and where it is: numbers by which superpixels of many images can be compared.

May import numpy, scikit-image and the core.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from keras_lime.core.segmentation import Segmentation

__all__ = ["Descriptors", "describe_segments"]

_LEAST_ENERGY = 1.0
"""Squared gradient of L* below which a superpixel counts as smooth rather than striped."""


@dataclass(frozen=True, eq=False)
class Descriptors:
    """One entry per superpixel; float32 or bool arrays (n_segments,).

    Attributes:
        area: share of the picture, 0..1; they sum to 1.
        y: centre from the top, 0..1.
        x: centre from the left, 0..1.
        at_border: whether it touches the picture's border.
        lightness: mean CIELAB L*, 0..100.
        a: mean CIELAB a*, green negative, red positive.
        b: mean CIELAB b*, blue negative, yellow positive.
        spread: root mean square distance (CIE 1976, ΔE*ab) of its pixels from that mean colour.
        texture: mean magnitude of the gradient of L* over its pixels, by central differences, per pixel.
        upright: which way its stripes run, −1..1: 1 upright, −1 level, 0 neither or no stripes; the cosine of twice the
            gradient's angle, by the structure tensor (Bigün & Granlund 1987), times its coherence.
        slanted: the sine of it: 1 stripes that rise to the right, −1 stripes that fall.
    """

    area: NDArray[np.float32]
    y: NDArray[np.float32]
    x: NDArray[np.float32]
    at_border: NDArray[np.bool_]
    lightness: NDArray[np.float32]
    a: NDArray[np.float32]
    b: NDArray[np.float32]
    spread: NDArray[np.float32]
    texture: NDArray[np.float32]
    upright: NDArray[np.float32]
    slanted: NDArray[np.float32]


def describe_segments(picture: NDArray[np.uint8], segmentation: Segmentation) -> Descriptors:
    """Measures all superpixels of a picture.

    Args:
        picture: uint8 array (h, w, 3), RGB (sRGB, white point D65).
        segmentation: its superpixels.

    Returns:
        The `Descriptors`.
    """
    labels, count = segmentation.labels.ravel(), segmentation.n_segments
    pixels = np.bincount(labels, minlength=count).astype(np.float64)

    def mean(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(labels, weights=np.ravel(values), minlength=count) / pixels

    height, width = segmentation.labels.shape
    lab = rgb2lab(picture)
    colour = np.stack([mean(lab[..., channel]) for channel in range(3)], axis=1)
    distances = ((lab.reshape(-1, 3) - colour[labels]) ** 2).sum(axis=1)
    slopes = np.gradient(lab[..., 0]) if min(height, width) > 1 else [np.zeros((height, width))] * 2
    down, across = slopes
    energy = mean(down**2 + across**2) + _LEAST_ENERGY
    border = np.zeros((height, width), bool)
    border[[0, -1]] = True
    border[:, [0, -1]] = True
    rows, columns = np.mgrid[:height, :width]
    return Descriptors(
        area=(pixels / pixels.sum()).astype(np.float32),
        y=((mean(rows) + 0.5) / height).astype(np.float32),
        x=((mean(columns) + 0.5) / width).astype(np.float32),
        at_border=np.bincount(labels[border.ravel()], minlength=count) > 0,
        lightness=colour[:, 0].astype(np.float32),
        a=colour[:, 1].astype(np.float32),
        b=colour[:, 2].astype(np.float32),
        spread=np.sqrt(mean(distances)).astype(np.float32),
        texture=mean(np.hypot(*slopes)).astype(np.float32),
        upright=(mean(across**2 - down**2) / energy).astype(np.float32),
        slanted=(mean(2 * down * across) / energy).astype(np.float32),
    )
