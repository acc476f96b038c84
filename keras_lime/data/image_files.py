"""Image files: which a folder holds, by class, and how one is read. May import numpy and Pillow."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from keras_lime.data.resize import Resize, resize_image

__all__ = ["SUFFIXES", "ColorMode", "as_rgb", "class_folders", "decode", "image_files", "open_image"]

ColorMode = Literal["rgb", "rgba", "grayscale"]

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Endings of the files that are taken for images, in lower case."""

_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}

_LEAST_SAMPLE, _LARGEST_SAMPLE = 340, 341
"""Tags of TIFF files, `SMinSampleValue` and `SMaxSampleValue`."""

_DARKEST = 16.0
"""Numbers up to 255 are taken for grey levels if one is at least this bright; measurements of other kinds are not."""


def class_folders(path: Path, class_names: Sequence[str] | None) -> tuple[str, ...]:
    """Names of the classes of a folder.

    Args:
        path: the folder.
        class_names: names of the subfolders to use, in the order of the class ids, or None for all, sorted.

    Returns:
        The names; their places are the class ids that `keras.utils.image_dataset_from_directory` gives too.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it has no subfolders, or not those of `class_names`.
    """
    if not path.is_dir():
        raise FileNotFoundError(
            f"`path` must be a folder of images by class. Received: path={str(path)!r}, not a folder."
        )
    found = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not found:
        raise ValueError(
            f"`path` must hold one folder per class. Received: path={str(path)!r} without folders. "
            "For images without classes decode them and use ProbeSet(images)."
        )
    if class_names is None:
        return tuple(found)
    missing = [name for name in class_names if name not in found]
    if missing:
        raise ValueError(
            f"`class_names` must name folders inside `path`. Received: {missing[:5]}. Folders are: {found[:20]}."
        )
    return tuple(class_names)


def decode(
    file: Path | IO[bytes],
    image_size: tuple[int, int],
    color_mode: ColorMode,
    *,
    resize: Resize = "bilinear",
    crop_to_aspect_ratio: bool = False,
) -> NDArray[np.float32]:
    """Reads an image file, as `keras.utils.image_dataset_from_directory` does unless told otherwise.

    Pillow decodes. Of PNG, BMP and GIF files the pixels are exactly those of Keras' loader; TensorFlow's faster
    JPEG decoder differs from Pillow's, which `keras.utils.load_img` uses, by one grey level on average. The rotation
    that a camera notes in EXIF is ignored by all of them.

    Args:
        file: the image file, or its content opened for reading; of an animation the first frame is taken.
        image_size: (height, width) in pixels.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        resize: see `keras_lime.data.resize.RESIZES`. Defaults to `"bilinear"`, Keras' own.
        crop_to_aspect_ratio: cut the largest centred window of the aspect ratio first, instead of distorting. Defaults
            to `False`.

    Returns:
        Array (height, width, c) in 0..255, c = 3, 4 or 1.

    Raises:
        ValueError: if the file has more than 8 bits per pixel and nothing says which value is white.
        OSError: or another exception of Pillow's, if the file is damaged or no image.
    """
    with open_image(file) as opened:
        pixels = np.asarray(_eight_bits(opened).convert(_MODES[color_mode]), dtype=np.uint8)
    return resize_image(pixels.reshape(*pixels.shape[:2], -1), image_size, resize, crop_to_aspect_ratio)


def open_image(file: Path | IO[bytes]) -> Image.Image:
    """Opens an image file; what Pillow does not know is said in words.

    Raises:
        ValueError: if Pillow does not know the format.
        OSError: or another exception of Pillow's, if the file is damaged.
    """
    try:
        return Image.open(file)
    except UnidentifiedImageError as error:
        raise ValueError(
            "it is no image, or of a kind that Pillow does not read, such as a TIFF of coloured floats. Save it as PNG."
        ) from error


def as_rgb(opened: Image.Image) -> Image.Image:
    """An opened image in three channels of 8 bits.

    Raises:
        ValueError: if it has more than 8 bits per pixel and nothing says which value is white.
        OSError: or another exception of Pillow's, if the file is damaged.
    """
    return _eight_bits(opened).convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """An image of more than 8 bits per pixel, scaled to 8; any other as it is.

    Pillow's own conversion would clip at 255, so that the image is black or white.
    """
    sixteen = image.mode.startswith("I;16")
    if not sixteen and image.mode not in ("I", "F"):
        return image
    values = np.asarray(image).astype(np.float64)
    low, high = _declared_range(image) or ((0, 65535) if sixteen else _usual_range(values))
    if (low, high) == (0, 65535):
        eight_bits = values // 256  # the upper byte, as in TensorFlow
    else:
        eight_bits = np.round(np.clip((values - low) / (high - low), 0, 1) * 255)
    return Image.fromarray(eight_bits.astype(np.uint8))


def _declared_range(image: Image.Image) -> tuple[float, float] | None:
    """The values that a TIFF file declares as its least and largest, or None."""
    tags = getattr(image, "tag_v2", {})
    low, high = (tags.get(tag) for tag in (_LEAST_SAMPLE, _LARGEST_SAMPLE))
    low, high = (value[0] if isinstance(value, tuple) and value else value for value in (low, high))
    if not isinstance(high, int | float) or high <= (low or 0):
        return None
    return float(low or 0), float(high)


def _usual_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Black and white of values that keep to a usual range.

    Raises:
        ValueError: if they do not.
    """
    lowest, highest = float(values.min()), float(values.max())
    for white, least in ((1.0, 0.0), (255.0, _DARKEST)):
        if lowest >= 0 and least <= highest <= white:
            return 0.0, white
    raise ValueError(
        f"its pixels are 32-bit numbers from {lowest:.4g} to {highest:.4g}, and nothing says which value is white. "
        "Save it with 8 or 16 bits per channel."
    )


def image_files(path: Path, name: str) -> list[str]:
    """Paths inside a folder, with slashes, of all image files below one of its folders, at any depth, in no order."""
    found = []
    for folder, _, files in os.walk(path / name):
        inside = Path(folder).relative_to(path)
        found += [(inside / file).as_posix() for file in files if file.lower().endswith(SUFFIXES) and file[0] != "."]
    return found
