"""A probe's image in the log: once, as the picture for people and what the model has for each of its values.

Most images come from 8-bit files, by a scale or a normalisation of each channel. Then the PNG file of the picture says
it all, beside a table of 256 values a channel. May import numpy.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["image_fields"]


def image_fields(image: NDArray[Any], picture: NDArray[np.uint8]) -> dict[str, Any]:
    """The fields of a probe's record that say what the model gets, see the schema; nothing is lost.

    Args:
        image: array (h, w) or (h, w, c), as the model gets it.
        picture: uint8 array (h, w, 3), as people see it, which the record holds too.
    """
    fields: dict[str, Any] = {"dtype": image.dtype.str, "image_shape": list(image.shape)}
    found = [_of_picture(channel, picture) for channel in np.moveaxis(np.atleast_3d(image), -1, 0)]
    known = [each for each in found if each is not None]
    if len(known) < len(found):
        return {**fields, "image": image}
    return {
        **fields,
        "image_channels": [channel for channel, _ in known],
        "image_levels": np.stack([levels for _, levels in known]),
    }


def _of_picture(values: NDArray[Any], picture: NDArray[np.uint8]) -> tuple[int, NDArray[Any]] | None:
    """The channel of the picture whose values tell those of one of the image, and which; None if none does."""
    for channel in range(picture.shape[-1]):
        shown = picture[..., channel]
        levels = np.zeros(256, values.dtype)
        levels[shown] = values
        if np.array_equal(levels[shown], values):
            return channel, levels
    return None
