"""Images in files: which a folder holds, by class, and how one is decoded. May import numpy and Pillow."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["SUFFIXES", "ColorMode", "class_folders", "decode", "image_files"]

ColorMode = Literal["rgb", "rgba", "grayscale"]

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
"""Endings of the files that are taken for images, in lower case."""

_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}


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


def decode(file: Path | IO[bytes], image_size: tuple[int, int], color_mode: ColorMode) -> NDArray[np.uint8]:
    """Reads an image file with Pillow and resizes it bilinearly, without keeping the aspect ratio.

    Pillow smooths when it makes images smaller, TensorFlow's loaders do not; the rotation that a camera notes in EXIF
    is ignored by both.

    Args:
        file: the image file, or its content opened for reading; of an animation the first frame is taken.
        image_size: (height, width) in pixels.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.

    Returns:
        uint8 array (height, width, c) in 0..255, c = 3, 4 or 1.

    Raises:
        OSError: or another exception of Pillow's, if the file is damaged or no image.
    """
    height, width = image_size
    with Image.open(file) as opened:
        image: Image.Image = opened
        if opened.mode.startswith("I;16"):
            # Pillow would clip 16 bits at 255 instead of scaling them.
            image = Image.fromarray((np.asarray(opened).astype(np.uint16) >> 8).astype(np.uint8))
        resized = image.convert(_MODES[color_mode]).resize((width, height), Image.Resampling.BILINEAR)
    pixels: NDArray[Any] = np.asarray(resized, dtype=np.uint8)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def image_files(path: Path, name: str) -> list[str]:
    """Paths inside a folder, with slashes, of all image files below one of its folders, at any depth, in no order."""
    found = []
    for folder, _, files in os.walk(path / name):
        inside = Path(folder).relative_to(path)
        found += [(inside / file).as_posix() for file in files if file.lower().endswith(SUFFIXES) and file[0] != "."]
    return found
