"""How the items of a shard become model input and object masks. May import numpy, Pillow, the core and `data`."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.shard import Item
from keras_lime.core.image import check_image
from keras_lime.data.image_files import ColorMode, decode
from keras_lime.data.mask_files import read_mask
from keras_lime.data.preprocess import Preprocess, preprocess_image
from keras_lime.data.resize import Resize

__all__ = ["Preprocessing", "color_mode"]


@dataclass(frozen=True)
class Preprocessing:
    """Items → model input and object masks.

    Attributes:
        image_shape: (h, w) or (h, w, c) that the model takes.
        value_range: what black and white of an encoded image become.
        preprocess: what makes model input of an encoded image in 0..255, in place of `value_range`, or None.
        resize: how an encoded image is resized, see `keras_lime.data.resize.RESIZES`.
        crop_to_aspect_ratio: whether it is cropped before, and not distorted.
    """

    image_shape: tuple[int, ...]
    value_range: tuple[float, float] = (0.0, 255.0)
    preprocess: Preprocess | None = None
    resize: Resize = "bilinear"
    crop_to_aspect_ratio: bool = False

    def image(self, item: Item) -> NDArray[Any]:
        """Model input of `image_shape`: a file is decoded and resized, pixels are taken as they are.

        Raises:
            ValueError: if pixels are not of that shape or not finite.
            Exception: of half a dozen kinds, Pillow's, if a file is damaged or no image.
        """
        if item.content is None:
            raise ValueError(item.error or "the image is missing")
        if not isinstance(item.content, bytes):
            return self._checked(item.content)
        height, width = self.image_shape[:2]
        pixels = decode(
            io.BytesIO(item.content),
            (height, width),
            color_mode(self.image_shape),
            resize=self.resize,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
        )
        if len(self.image_shape) == 2:
            pixels = pixels[..., 0]
        if self.preprocess is not None:
            return preprocess_image(pixels, self.preprocess)
        low, high = self.value_range
        if (low, high) == (0.0, 255.0):
            return pixels
        return (low + pixels * ((high - low) / 255)).astype(np.float32)

    def mask(self, item: Item) -> NDArray[np.bool_] | None:
        """Where the object is, bool (h, w), or None.

        A mask file is read by `keras_lime.data.mask_files.read_mask`.

        Raises:
            ValueError: if a mask array has not the image's height and width, or other values than 0 and 1.
            Exception: Pillow's, if a file is damaged or no image.
        """
        if item.mask is None:
            return None
        height, width = self.image_shape[:2]
        if isinstance(item.mask, bytes):
            return read_mask(io.BytesIO(item.mask), (height, width), crop_to_aspect_ratio=self.crop_to_aspect_ratio)
        values = np.asarray(item.mask)
        if values.shape == (height, width, 1):
            values = values[..., 0]
        if values.shape != (height, width):
            raise ValueError(f"the object mask has shape {values.shape}, the model takes {(height, width)}")
        if values.dtype.kind != "b" and not np.isin(values, (0, 1)).all():
            raise ValueError(f"the object mask has values from {values.min():.4g} to {values.max():.4g}, not 0 and 1")
        return values.astype(bool)

    def _checked(self, content: NDArray[Any]) -> NDArray[Any]:
        if content.shape != self.image_shape:
            raise ValueError(f"the image has shape {content.shape}, the model takes {self.image_shape}")
        check_image(content)
        # As everywhere in this package; an image's identity depends on its dtype.
        return content.astype(np.float32) if content.dtype.kind == "f" else content


_MODES: Mapping[int, ColorMode] = {1: "grayscale", 3: "rgb", 4: "rgba"}


def color_mode(image_shape: tuple[int, ...]) -> ColorMode:
    """How files are decoded for a model that takes images (h, w) or (h, w, c).

    Raises:
        ValueError: if the model takes neither grey nor colour images.
    """
    channels = image_shape[2] if len(image_shape) == 3 else 1
    if channels not in _MODES:
        raise ValueError(
            f"`model` must take images of 1, 3 or 4 channels, to read image files. Received: a model of {channels} "
            "channels. Give its input as arrays or as a data set."
        )
    return _MODES[channels]
