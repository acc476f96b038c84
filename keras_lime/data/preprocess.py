"""What a model is given of an image file's pixels: a function, or one of Keras' own by name. May import the core."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.normalisation import NORMALISATIONS
from keras_lime.data.arrays import to_numpy

__all__ = ["Preprocess", "check_preprocess", "describe_preprocess", "preprocess_image"]

Preprocess = Callable[[NDArray[np.float32]], Any] | Literal["imagenet", "caffe", "tf"]
"""A function of a float32 batch (n, h, w, c) in 0..255, such as the `preprocess_input` of a model in
`keras.applications`, or the name of a `Normalisation`."""


def check_preprocess(preprocess: Any) -> None:
    """Refuses what is neither a function nor a name.

    Raises:
        ValueError: if it is not.
    """
    if preprocess is None or callable(preprocess) or (isinstance(preprocess, str) and preprocess in NORMALISATIONS):
        return
    raise ValueError(
        f"`preprocess` must be a function of a batch of images in 0..255, or one of {', '.join(NORMALISATIONS)}. "
        f"Received: preprocess={preprocess!r}."
    )


def preprocess_image(pixels: NDArray[np.float32], preprocess: Preprocess) -> NDArray[np.float32]:
    """Model input of one image.

    Args:
        pixels: array (h, w, c) or (h, w), RGB or grey in 0..255.
        preprocess: see `Preprocess`.

    Returns:
        Array of the same shape.

    Raises:
        ValueError: if a function gives another shape or values that are not finite, or a name does not fit the image.
    """
    if isinstance(preprocess, str):
        if pixels.ndim != 3 or pixels.shape[-1] != 3:
            raise ValueError(f"preprocess={preprocess!r} is for images of three channels, these have {pixels.shape}")
        return NORMALISATIONS[preprocess].apply(pixels)
    # A copy, because Keras' own functions work in place.
    prepared = to_numpy(preprocess(pixels[None].copy()), "preprocess")
    if prepared.shape != (1, *pixels.shape):
        raise ValueError(
            f"`preprocess` must keep the shape of a batch, {(1, *pixels.shape)}. Received: shape={prepared.shape}."
        )
    if not np.isfinite(prepared).all():
        raise ValueError("`preprocess` must give finite values. Received: NaN or infinite values.")
    image: NDArray[np.float32] = prepared[0].astype(np.float32)
    return image


def describe_preprocess(preprocess: Preprocess | None) -> str | None:
    """Its name, as a JSON value."""
    if preprocess is None or isinstance(preprocess, str):
        return preprocess
    function = getattr(preprocess, "func", preprocess)
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__qualname__)}"
