"""One image as the package handles it: checked, as float32 pixels, and named by its content. May import numpy."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_pixels", "check_image", "has_channels_first", "image_id"]

_CHANNELS = (1, 2, 3, 4)
"""Sizes that are taken for channels where a shape alone must tell which axis they are on."""


def as_pixels(image: NDArray[Any]) -> NDArray[np.float32]:
    """Float32 (h, w, c) of an image (h, w) or (h, w, c); integers keep their range."""
    pixels = image.astype(np.float32)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def image_id(image: NDArray[Any]) -> str:
    """Names an image by its content: 16 hexadecimal digits of the SHA-256 of dtype, shape and bytes."""
    digest = hashlib.sha256(f"{image.dtype.str}{image.shape}".encode())
    digest.update(np.ascontiguousarray(image).tobytes())
    return digest.hexdigest()[:16]


def has_channels_first(shape: tuple[int | None, ...]) -> bool:
    """Whether the first axis of one image's shape holds the channels, (c, h, w).

    Args:
        shape: of an image, or of what a model takes, with None for free sizes.
    """
    if len(shape) != 3 or shape[0] not in _CHANNELS or shape[2] in _CHANNELS:
        return False
    return shape[1] is None or shape[1] > max(_CHANNELS)


def check_image(image: NDArray[Any], name: str = "image") -> None:
    """Refuses what is no image.

    Args:
        image: one image.
        name: how the argument is called in the error.

    Raises:
        ValueError: if it is not (h, w) or (h, w, c), empty, or not finite.
        TypeError: if its values are no real numbers.
    """
    if image.dtype.kind not in "biuf":
        raise TypeError(f"`{name}` must hold real numbers. Received: dtype={image.dtype}.")
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(
            f"`{name}` must be one image of shape (height, width) or (height, width, channels). "
            f"Received: shape={image.shape}."
        )
    if not np.isfinite(image).all():
        raise ValueError(f"`{name}` must be finite. Received: pixels that are NaN or infinite.")
