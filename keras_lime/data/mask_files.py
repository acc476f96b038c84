"""Object masks in image files: which belongs to which image, and how one is read. May import numpy and Pillow."""

from os import PathLike
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.data.image_files import image_files, open_image
from keras_lime.data.resize import crop_box

__all__ = ["find_mask_files", "read_mask", "stem"]


def find_mask_files(masks: str | PathLike[str]) -> dict[str, str]:
    """Lists the masks of a folder.

    Args:
        masks: a folder of mask files with the paths of the images, whatever their endings.

    Returns:
        Paths inside the folder, by the path without its ending.

    Raises:
        FileNotFoundError: if there is no such folder.
    """
    folder = Path(masks)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"`masks` must be a folder of mask images. Received: masks={str(masks)!r}, not a folder."
        )
    return {stem(file): file for file in sorted(image_files(folder, "."))}


def stem(file: str) -> str:
    """A path without its ending: what an image and its mask have in common."""
    return file.rpartition(".")[0]


def read_mask(
    file: Path | IO[bytes], image_size: tuple[int, int], *, crop_to_aspect_ratio: bool = False
) -> NDArray[np.bool_]:
    """Reads a mask.

    It is resized to the nearest pixels. What is brighter than half of its brightest value is the object (of a file with
    a palette the numbers of the colours count), so that 0 and 1 serve as well as black and white.

    Args:
        file: the file, or its content opened for reading.
        image_size: (height, width) in pixels.
        crop_to_aspect_ratio: as its image was read. Defaults to `False`.

    Returns:
        Bool array (height, width), True on the object.

    Raises:
        ValueError: if Pillow does not know the format.
        OSError: or another exception of Pillow's, if the file is damaged.
    """
    height, width = image_size
    with open_image(file) as opened:
        grey = opened if opened.mode in ("1", "L", "P") or opened.mode[0] in "IF" else opened.convert("L")
        if crop_to_aspect_ratio:
            top, left, cut_height, cut_width = crop_box((grey.height, grey.width), image_size)
            grey = grey.crop((left, top, left + cut_width, top + cut_height))
        values = np.asarray(grey.resize((width, height), Image.Resampling.NEAREST)).astype(np.float64)
    return np.asarray(values > values.max() / 2)
