"""Pictures, superpixels and masks as small image files. May import numpy and Pillow."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["encode_image", "encode_mask", "encode_segments"]

_LOSSLESS = 128 * 128
"""Pictures of so many pixels at most are PNG files: small ones are blurred by JPEG, and cost little."""

_QUALITY = 90


def encode_image(picture: NDArray[np.uint8]) -> bytes:
    """A PNG file, of large pictures a JPEG file.

    Args:
        picture: uint8 array (h, w, 3).
    """
    image = Image.fromarray(picture)
    if picture.shape[0] * picture.shape[1] <= _LOSSLESS:
        return _file(image, "PNG", compress_level=4)
    return _file(image, "JPEG", quality=_QUALITY)


def encode_segments(labels: NDArray[np.int32]) -> bytes:
    """A 16-bit grey PNG file of a label map (h, w)."""
    return _file(Image.fromarray(labels.astype(np.uint16)), "PNG", compress_level=4)


def encode_mask(mask: NDArray[np.bool_]) -> bytes:
    """A 1-bit PNG file of a mask (h, w), white on the object."""
    return _file(Image.fromarray(mask), "PNG")


def _file(image: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()
