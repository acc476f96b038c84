"""Pictures, superpixels and masks as small image files. May import numpy and Pillow."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["mask_file", "picture_file", "segments_file"]

_LOSSLESS = 128 * 128
"""Pictures of so many pixels at most are PNG files: small ones are blurred by JPEG, and cost little."""

_QUALITY = 90


def picture_file(picture: NDArray[np.uint8]) -> bytes:
    """A PNG file, of large pictures a JPEG file.

    Args:
        picture: uint8 array (h, w, 3).
    """
    image = Image.fromarray(picture)
    if picture.shape[0] * picture.shape[1] <= _LOSSLESS:
        return _file(image, "PNG", compress_level=4)
    return _file(image, "JPEG", quality=_QUALITY)


def segments_file(labels: NDArray[np.int32]) -> bytes:
    """A 16-bit grey PNG file of a label map (h, w)."""
    return _file(Image.fromarray(labels.astype(np.uint16)), "PNG", compress_level=4)


def mask_file(mask: NDArray[np.bool_]) -> bytes:
    """A 1-bit PNG file of a mask (h, w), white on the object."""
    return _file(Image.fromarray(mask), "PNG")


def _file(image: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()
