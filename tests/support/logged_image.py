"""A probe's image as the model gets it, from its record by what the schema says."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.tensorboard.records import Record

__all__ = ["logged_image"]


def logged_image(record: Record) -> NDArray[Any]:
    """The image, bit for bit."""
    image, levels, picture = (record.array(name) for name in ("image", "image_levels", "picture"))
    if image is None:
        assert levels is not None
        assert picture is not None
        shown = np.asarray(Image.open(io.BytesIO(picture.tobytes())).convert("RGB"))
        channels = record.header["image_channels"]
        image = np.stack([table[shown[..., read]] for table, read in zip(levels, channels, strict=True)], axis=-1)
    return image.reshape(record.header["image_shape"])
