"""Backgrounds: pictures with their object taken out. May import numpy, SciPy and scikit-image."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, zoom
from skimage.restoration import inpaint_biharmonic

__all__ = ["can_be_swapped", "remove_object", "remove_objects"]

_DILATION = 1 / 32
"""A mask grows by this share of the picture's side, and by 2 pixels at least, before its object is taken out: else the
rim would be smeared over the hole."""

_LEAST_BACKGROUND = 0.1
"""Share of the picture that must stay outside the grown mask."""

_MOST_PIXELS = 4000
"""Larger holes are filled on a coarser grid: the time for biharmonic inpainting grows faster than the hole."""


def can_be_swapped(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each mask tells an object from a background.

    Args:
        masks: bool array (n, h, w), True on the object.

    Returns:
        bool array (n,): False for a mask that covers nothing or (nearly) everything.
    """
    return np.array([mask.any() and 1 - _grown(mask).mean() >= _LEAST_BACKGROUND for mask in masks], bool)


def remove_objects(images: NDArray[Any], masks: NDArray[np.bool_]) -> NDArray[Any]:
    """`remove_object` of several images.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        masks: bool array (n, h, w), each of them as `can_be_swapped` wants it.

    Returns:
        Array like `images`.
    """
    return np.stack([remove_object(image, mask) for image, mask in zip(images, masks, strict=True)])


def remove_object(image: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Fills an object's place from its surroundings by biharmonic inpainting.

    The mask grows before by a 32nd of the picture's side, 2 pixels at least. A hole of more than 4,000 pixels is filled
    on a coarser grid and scaled up: smooth either way.

    Args:
        image: array (h, w, c) or (h, w), of any range.
        mask: bool array (h, w), True on the object.

    Returns:
        The background: array like `image`, of the same dtype and within the range of the image; pixels outside the
        grown mask are the image's own.
    """
    hole = _grown(mask)
    pixels = image.astype(np.float64).reshape(*image.shape[:2], -1)
    factor = math.ceil(math.sqrt(hole.sum() / _MOST_PIXELS))
    filled = _inpaint(pixels, hole) if factor <= 1 else _inpaint_coarsely(pixels, hole, factor)
    result = np.where(hole[..., None], np.clip(filled, pixels.min(), pixels.max()), pixels).reshape(image.shape)
    if image.dtype.kind in "iub":
        result = np.rint(result)
    return result.astype(image.dtype)


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    grown: NDArray[np.bool_] = binary_dilation(mask, iterations=max(2, round(_DILATION * min(mask.shape))))
    return grown


def _inpaint(pixels: NDArray[np.float64], hole: NDArray[np.bool_]) -> NDArray[np.float64]:
    filled: NDArray[np.float64] = inpaint_biharmonic(pixels, hole, channel_axis=-1)
    return filled


def _inpaint_coarsely(pixels: NDArray[np.float64], hole: NDArray[np.bool_], factor: int) -> NDArray[np.float64]:
    """Averages the known pixels of each factor × factor block, fills blocks of which most is missing, and scales up."""
    height, width, channels = pixels.shape
    rows, columns = -(-height // factor), -(-width // factor)
    blocks = (np.arange(height) // factor)[:, None] * columns + np.arange(width) // factor
    known = ~hole
    counts = np.bincount(blocks[known], minlength=rows * columns)
    means = np.stack(
        [np.bincount(blocks[known], pixels[..., k][known], rows * columns) for k in range(channels)], axis=-1
    )
    coarse = (means / np.maximum(counts, 1)[:, None]).reshape(rows, columns, channels)
    missing = (counts < np.bincount(blocks.ravel()) / 2).reshape(rows, columns)
    coarse = _inpaint(coarse, missing) if missing.any() and not missing.all() else coarse
    enlarged: NDArray[np.float64] = zoom(coarse, (factor, factor, 1), order=1, mode="nearest", grid_mode=True)
    return enlarged[:height, :width]
