"""Model input → pictures for people: the range of the values, RGB in 0..1, and the middle of the range.

Superpixels are cut on these pictures and overlays are drawn on them; the model itself never sees them. May import numpy
alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.normalisation import RECOGNISED, Normalisation
from keras_lime.exceptions import warn

__all__ = ["Display", "DisplayFn"]

DisplayFn = Callable[[NDArray[Any]], Any]

_KNOWN_RANGES = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))


@dataclass(frozen=True)
class Display:
    """How the images of one call or one probe set are shown.

    Attributes:
        low: model input that is black.
        high: model input that is white.
        display_fn: the user's own conversion, or that of a recognised way of preparing images, or None.
    """

    low: float
    high: float
    display_fn: DisplayFn | None = None

    @classmethod
    def of(cls, images: NDArray[Any], display_fn: DisplayFn | None = None) -> "Display":
        """Reads the range from all images at once: 0..1, −1..1 or 0..255, by dtype and extremes.

        Colour images outside of these ranges are compared with what `keras.applications` makes of images: less the mean
        of ImageNet and divided by its standard deviation, or Caffe's BGR less the mean.

        Args:
            images: array of any shape.
            display_fn: maps one image as given to RGB; no range is read then.

        Returns:
            The `Display`. An unusual range warns, names the range, and is stretched to black..white.
        """
        lowest, highest = float(images.min()), float(images.max())
        if display_fn is not None:
            return cls(lowest, highest, display_fn)
        if images.dtype.kind == "b" or (images.dtype.kind in "iu" and highest <= 1 and images.dtype != np.uint8):
            return cls(0.0, 1.0)
        if images.dtype == np.uint8:
            return cls(0.0, 255.0)
        for low, high in _KNOWN_RANGES:
            # Resizing with a cubic kernel overshoots the range by a little; values normalised by mean and standard
            # deviation stay below 3 and must not pass for a dark picture in 0..255.
            slack = 0.02 * (high - low)
            if low - slack <= lowest and highest <= high + slack and (high == 1 or highest > 16):
                return cls(low, high)
        for normalisation in RECOGNISED:
            if normalisation.fits(images):
                return cls(lowest, highest, normalisation)
        warn(
            f"The images have values from {lowest:.4g} to {highest:.4g}, which is none of the usual ranges 0..1, −1..1 "
            "and 0..255, nor what keras.applications makes of them. They are stretched from black to white for "
            "superpixels and pictures; the model gets them as they are. Pass `display_fn` to say how model input "
            "becomes RGB."
        )
        return cls(lowest, highest)

    def picture(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """RGB of one image.

        Args:
            image: array (h, w) or (h, w, c). One channel is shown as grey; of more than three the first
                three are shown.

        Returns:
            float64 array of shape (h, w, 3) in 0..1.

        Raises:
            ValueError: if `display_fn` gives another shape or values that are not finite.
        """
        if self.display_fn is not None:
            return _converted(image, self.display_fn)
        span = self.high - self.low
        scaled = np.clip((image.astype(np.float64) - self.low) / (span if span > 0 else 1.0), 0.0, 1.0)
        return _three_channels(scaled)

    @property
    def invertible(self) -> bool:
        """Whether `model_input` can give model input back: not where a user's own `display_fn` made the RGB."""
        return self.display_fn is None or isinstance(self.display_fn, Normalisation)

    def model_input(self, picture: NDArray[np.uint8], image_shape: tuple[int, ...]) -> NDArray[np.float32]:
        """What `picture` was made of, as far as 8 bits and the range keep it.

        Args:
            picture: uint8 array (h, w, 3), RGB of an image.
            image_shape: (h, w) or (h, w, c) of the model input; at most three channels.

        Returns:
            float32 array of that shape.

        Raises:
            ValueError: if RGB does not hold all channels, or was made by a user's `display_fn`.
        """
        if not self.invertible or (len(image_shape) == 3 and image_shape[-1] > 3):
            raise ValueError("`display` must keep all of an image. Received: one that cannot be undone.")
        if isinstance(self.display_fn, Normalisation):
            return self.display_fn.apply(picture.astype(np.float64))
        values = (self.low + picture * ((self.high - self.low) / 255)).astype(np.float32)
        return values[..., 0] if len(image_shape) == 2 else values[..., : image_shape[-1]]

    def grey(self, image: NDArray[Any]) -> NDArray[np.float32]:
        """The model input that is shown as middle grey, shape (c,).

        With a `display_fn` it is found by a linear least-squares fit of the image's pixels to their RGB, which is exact
        for the usual conversions (a shift and a factor per channel, channels swapped).
        """
        channels = 1 if image.ndim == 2 else image.shape[-1]
        if self.display_fn is None:
            return np.full(channels, (self.low + self.high) / 2, dtype=np.float32)
        if isinstance(self.display_fn, Normalisation):
            return self.display_fn.grey
        shown = self.picture(image).reshape(-1, 3)
        inside = ((shown > 0) & (shown < 1)).all(axis=1)
        pixels = image.reshape(-1, channels).astype(np.float64)
        if inside.sum() >= 8:
            shown, pixels = shown[inside], pixels[inside]
        design = np.concatenate([shown - 0.5, np.ones((len(shown), 1))], axis=1)
        solution, *_ = np.linalg.lstsq(design, pixels, rcond=None)
        middle: NDArray[np.float32] = solution[-1].astype(np.float32)
        return middle


def _converted(image: NDArray[Any], display_fn: DisplayFn) -> NDArray[np.float64]:
    shown = np.asarray(display_fn(image.copy()))
    height, width = image.shape[:2]
    if shown.shape not in {(height, width), (height, width, 1), (height, width, 3)}:
        raise ValueError(
            f"`display_fn` must give RGB of shape {(height, width, 3)} (or grey, {(height, width)}). "
            f"Received: shape={shown.shape}."
        )
    if not np.isfinite(shown).all():
        raise ValueError("`display_fn` must give finite values. Received: NaN or infinite values.")
    scaled = shown.astype(np.float64)
    if shown.dtype.kind in "iu" or scaled.max() > 2.0:
        scaled = scaled / 255.0
    return _three_channels(np.clip(scaled, 0.0, 1.0))


def _three_channels(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    if scaled.ndim == 2:
        scaled = scaled[..., None]
    match scaled.shape[-1]:
        case 1:
            return np.repeat(scaled, 3, axis=-1)
        case 2:
            return np.concatenate([scaled, scaled.mean(axis=-1, keepdims=True)], axis=-1)
        case _:
            return scaled[..., :3]
