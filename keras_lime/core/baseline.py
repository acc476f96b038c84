"""What hidden superpixels show, and which superpixels it cannot tell anything about.

May import numpy, scikit-image and the core.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skimage.filters import gaussian

from keras_lime.core.display import Display
from keras_lime.core.segmentation import Segmentation

__all__ = ["BASELINES", "BLIND_BELOW", "Baseline", "baseline_image", "blind_segments"]

Baseline = (
    Literal["mean", "blur", "grey", "noise", "dataset", "others"]
    | float
    | Sequence[float]
    | NDArray[Any]
    | Callable[[NDArray[np.float32], NDArray[np.int32]], Any]
)

BASELINES = ("mean", "blur", "grey", "noise", "dataset", "others")

BLIND_BELOW = 2 / 255
"""Root mean square difference, as a share of the display range, below which hiding a superpixel changes nothing: two of
the 256 steps of an 8-bit picture."""


def baseline_image(
    image: NDArray[np.float32],
    segmentation: Segmentation,
    baseline: Baseline,
    grey: NDArray[np.float32],
    display: Display,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """What hidden superpixels show.

    Args:
        image: float32 array of shape (h, w, c), model input.
        segmentation: its superpixels.
        baseline: see `Settings.baseline`; `"dataset"` and `"others"` must have been replaced.
        grey: float32 array of shape (c,): the middle of the display range as model input.
        display: gives the range of values for `"noise"`.
        rng: the source of `"noise"`.

    Returns:
        float32 array of shape (h, w, c).

    Raises:
        ValueError: for an unknown name, a wrong shape or values that are not finite.
    """
    if isinstance(baseline, str):
        match baseline:
            case "mean":
                filled = segmentation.mean_colours(image)[segmentation.labels]
            case "blur":
                filled = gaussian(image, sigma=max(image.shape[:2]) / 16, channel_axis=-1, preserve_range=True)
            case "grey":
                filled = np.broadcast_to(grey, image.shape)
            case "noise":
                filled = rng.uniform(display.low, display.high, image.shape)
            case "dataset":
                raise ValueError(
                    '`baseline` must not be "dataset" for one image: it shows the mean of several images that are '
                    "explained together. Pass your training set's mean: baseline=x_train.mean(axis=0)."
                )
            case "others":
                raise ValueError(
                    '`baseline` must not be "others" for one image: it shows other images that are explained together '
                    "with it. Pass some: baseline=keras_lime.core.reference_images.OtherPictures(x_train[:64])."
                )
            case _:
                raise ValueError(
                    f"`baseline` must be one of {', '.join(BASELINES)}, a colour, an image or a callable. "
                    f"Received: baseline={baseline!r}."
                )
    else:
        filled = _given(image, segmentation, baseline)
    result = np.ascontiguousarray(filled, dtype=np.float32)
    if not np.isfinite(result).all():
        raise ValueError("`baseline` must be finite. Received: values that are NaN or infinite.")
    return result


def blind_segments(
    image: NDArray[np.float32], baseline: NDArray[np.float32], segmentation: Segmentation, display: Display
) -> NDArray[np.bool_]:
    """Superpixels that look (nearly) the same hidden as shown, so that nothing can be learned about them.

    Their root mean square difference over pixels and channels is below `BLIND_BELOW` of the display range (with a
    `display_fn`: of the range that the images' values have). Source of the fault: Garreau & Mardaoui 2021, section 5.

    Args:
        image: float32 array (h, w, c), model input.
        baseline: float32 array (h, w, c), what hidden superpixels show.
        segmentation: the superpixels.
        display: gives the range.

    Returns:
        bool array (n_segments,).
    """
    squares = (image.astype(np.float64) - baseline) ** 2
    mean_squares = segmentation.mean_colours(squares).mean(axis=1)
    blind: NDArray[np.bool_] = np.sqrt(mean_squares) < BLIND_BELOW * (display.high - display.low)
    return blind


def _given(image: NDArray[np.float32], segmentation: Segmentation, baseline: Any) -> NDArray[Any]:
    filled = np.asarray(baseline(image, segmentation.labels) if callable(baseline) else baseline, dtype=np.float64)
    channels = image.shape[-1]
    if filled.shape == image.shape[:2] and channels == 1:
        filled = filled[..., None]
    if filled.shape not in {(), (channels,), image.shape}:
        raise ValueError(
            f"`baseline` must give a number, {channels} numbers (one per channel) or an image of shape {image.shape}. "
            f"Received: shape={filled.shape}."
        )
    return np.broadcast_to(filled, image.shape)
