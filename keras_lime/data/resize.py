"""Images of any size → the model's size, as Keras does it. May import numpy and Pillow.

Keras' loaders do not smooth when they shrink an image, Pillow's `resize` does: the two give a model different pixels,
and some images another prediction. What a model is explained on has to be resized as its training data were.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["RESIZES", "Resize", "crop_box", "resize_image"]

Resize = Literal["bilinear", "nearest", "antialias"]


def resize_image(
    pixels: NDArray[np.uint8], image_size: tuple[int, int], resize: Resize, crop_to_aspect_ratio: bool
) -> NDArray[np.float32]:
    """Resizes one image.

    Args:
        pixels: array (height, width, c).
        image_size: (height, width) of the result.
        resize: one of `RESIZES`.
        crop_to_aspect_ratio: cut the largest centred window of the result's aspect ratio first, instead of distorting.

    Returns:
        Array (*image_size, c) in 0..255.
    """
    if crop_to_aspect_ratio:
        top, left, height, width = crop_box(pixels.shape[:2], image_size)
        pixels = pixels[top : top + height, left : left + width]
    if pixels.shape[:2] == tuple(image_size):
        return pixels.astype(np.float32)
    return RESIZES[resize](pixels, image_size)


def crop_box(size: tuple[int, ...], image_size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The largest centred window of an aspect ratio, as `keras.preprocessing.image.smart_resize` cuts it.

    Args:
        size: (height, width) of the image.
        image_size: (height, width) whose aspect ratio is wanted.

    Returns:
        Top, left, height and width of the window, in pixels.
    """
    height, width = size
    # Keras computes in float32, which decides between two whole numbers in rare sizes.
    crop_height = max(1, min(height, int(np.float32(width * image_size[0]) / np.float32(image_size[1]))))
    crop_width = max(1, min(width, int(np.float32(height * image_size[1]) / np.float32(image_size[0]))))
    return (height - crop_height) // 2, (width - crop_width) // 2, crop_height, crop_width


def _bilinear(pixels: NDArray[np.uint8], image_size: tuple[int, int]) -> NDArray[np.float32]:
    """`tf.image.resize(method="bilinear", antialias=False)`: the four pixels around each sample, and no others."""
    (top, bottom, down), (left, right, along) = (
        _neighbours(old, new) for old, new in zip(pixels.shape[:2], image_size, strict=True)
    )
    along = along[None, :, None]
    upper = _between(pixels[top][:, left], pixels[top][:, right], along)
    lower = _between(pixels[bottom][:, left], pixels[bottom][:, right], along)
    return _between(upper, lower, down[:, None, None])


def _neighbours(old: int, new: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """For each sample the pixels before and after it, and how far it lies between them, 0..1."""
    step = np.float32(old) / np.float32(new)
    places = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5)
    before = np.floor(places)
    share = (places - before).astype(np.float32)
    after = np.minimum(np.ceil(places), old - 1)
    return np.maximum(before, 0).astype(np.intp), after.astype(np.intp), share


def _between(one: NDArray[Any], other: NDArray[Any], share: NDArray[np.float32]) -> NDArray[np.float32]:
    first = one.astype(np.float32)
    mixed: NDArray[np.float32] = first + (other.astype(np.float32) - first) * share
    return mixed


def _with_pillow(method: Image.Resampling) -> Callable[[NDArray[np.uint8], tuple[int, int]], NDArray[np.float32]]:
    def resized(pixels: NDArray[np.uint8], image_size: tuple[int, int]) -> NDArray[np.float32]:
        height, width = image_size
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).resize((width, height), method)
        return np.asarray(image, dtype=np.float32).reshape(height, width, pixels.shape[-1])

    return resized


RESIZES: Mapping[str, Callable[[NDArray[np.uint8], tuple[int, int]], NDArray[np.float32]]] = {
    "bilinear": _bilinear,
    "nearest": _with_pillow(Image.Resampling.NEAREST),
    "antialias": _with_pillow(Image.Resampling.BILINEAR),
}
"""`"bilinear"` is what `keras.utils.image_dataset_from_directory` does, `"nearest"` what `keras.utils.load_img` does,
and `"antialias"` Pillow's bilinear filter, which smooths when it shrinks, as torchvision does."""
