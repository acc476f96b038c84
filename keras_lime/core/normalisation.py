"""The three ways in which `keras.applications` prepares images, both ways round: 0..255 to model input, and back.

The constants are those of `keras.applications.imagenet_utils.preprocess_input`. May import numpy alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NORMALISATIONS", "RECOGNISED", "Normalisation"]

_SLACK = 0.02
"""How far values may lie outside of their range, as a share of it: resizing with a cubic kernel overshoots."""

_LEAST_CONTRAST = 0.25
"""Share of the range that images must span to be taken for it; anything would fit with less."""


@dataclass(frozen=True)
class Normalisation:
    """A shift and a factor for each channel, and the order of the channels; calling it gives RGB.

    Attributes:
        label: what it is, in words.
        mean: of the channels in the model's order, 0..255: what is subtracted.
        deviation: what the difference is divided by, 0..255.
        reverses: whether the model's channels are blue, green, red.
    """

    label: str
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    reverses: bool = False

    def __call__(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """RGB in 0..1 of model input (..., 3): a `display_fn`."""
        pixels = (image.astype(np.float64) * self.deviation + self.mean) / 255
        return np.clip(pixels[..., ::-1] if self.reverses else pixels, 0.0, 1.0)

    def apply(self, images: NDArray[Any]) -> NDArray[np.float32]:
        """Model input of RGB (..., 3) in 0..255."""
        pixels = images[..., ::-1] if self.reverses else images
        prepared: NDArray[np.float32] = ((pixels - np.array(self.mean)) / self.deviation).astype(np.float32)
        return prepared

    @property
    def grey(self) -> NDArray[np.float32]:
        """Model input of middle grey, (3,)."""
        return self.apply(np.full(3, 127.5))

    def fits(self, images: NDArray[Any]) -> bool:
        """Whether images (..., 3) may be prepared so: each channel keeps to its range, and together they use it."""
        if images.ndim < 3 or images.shape[-1] != 3:
            return False
        channels = images.reshape(-1, 3).astype(np.float64) * self.deviation + self.mean
        lowest, highest = channels.min(axis=0), channels.max(axis=0)
        inside = lowest.min() >= -255 * _SLACK and highest.max() <= 255 * (1 + _SLACK)
        return bool(inside and (highest - lowest).max() >= 255 * _LEAST_CONTRAST)


_CAFFE_MEAN = (103.939, 116.779, 123.68)

NORMALISATIONS: Mapping[str, Normalisation] = {
    "imagenet": Normalisation(
        "mean and standard deviation of ImageNet", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    ),
    "caffe": Normalisation("BGR minus the mean of ImageNet, as in Caffe", _CAFFE_MEAN, (1.0, 1.0, 1.0), reverses=True),
    "tf": Normalisation("−1 to 1", (127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
}
"""By the names that `keras_lime.audit(preprocess=...)` takes. Keras calls `"imagenet"` `"torch"`."""

RECOGNISED = (
    NORMALISATIONS["imagenet"],
    NORMALISATIONS["caffe"],
    Normalisation("RGB minus the mean of ImageNet", _CAFFE_MEAN[::-1], (1.0, 1.0, 1.0)),
)
"""What images outside of the usual ranges are tried for, in this order. Black pixels tell BGR from RGB: the mean of red
is higher than that of blue."""
