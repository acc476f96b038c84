"""Superpixels → perturbations: which are shown (masks), how much each perturbation counts, what the hidden ones show.

May import numpy and scikit-image.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skimage.filters import gaussian

from keras_lime.core.segmentation import Segmentation

__all__ = ["BASELINES", "Baseline", "Neighborhood", "baseline_image", "kernel_weights"]

Baseline = (
    Literal["mean", "blur", "grey"]
    | float
    | Sequence[float]
    | NDArray[Any]
    | Callable[[NDArray[np.float32], NDArray[np.int32]], Any]
)

BASELINES = ("mean", "blur", "grey")


@dataclass(frozen=True, eq=False)
class Neighborhood:
    """The perturbations of one image, in mask space.

    Attributes:
        masks: bool array of shape (n_samples, n_segments); True shows the superpixel, False hides it. Row 0 shows all.
        weights: float64 array of shape (n_samples,), the kernel's weight of every perturbation.
        enumerated: whether the rows are all 2^n_segments masks, so that nothing was left to chance.
        groups: int array of shape (n_samples,): rows with the same number were drawn together and depend on each
            other; None if every row was drawn by itself.
    """

    masks: NDArray[np.bool_]
    weights: NDArray[np.float64]
    enumerated: bool = False
    groups: NDArray[np.int64] | None = None


def kernel_weights(masks: NDArray[np.bool_], kernel_width: float) -> NDArray[np.float64]:
    """LIME's weight of each perturbation.

    With k of d superpixels shown, the cosine distance to the image is `D = 1 − sqrt(k / d)` (1 if none is shown) and
    the weight `exp(−D² / (2 · kernel_width²))`. Source: Ribeiro et al. 2016, section 3.3, as the `lime` package has it;
    Garreau & Mardaoui 2021, equation 3.

    Args:
        masks: bool array of shape (n_samples, n_segments).
        kernel_width: > 0; LIME uses 0.25.

    Returns:
        float64 array of shape (n_samples,), each in (0, 1].
    """
    distance = 1.0 - np.sqrt(masks.mean(axis=1))
    weights: NDArray[np.float64] = np.exp(-(distance**2) / (2.0 * kernel_width**2))
    return weights


def baseline_image(
    image: NDArray[np.float32], segmentation: Segmentation, baseline: Baseline, grey: NDArray[np.float32]
) -> NDArray[np.float32]:
    """What hidden superpixels show.

    Args:
        image: float32 array of shape (h, w, c), model input.
        segmentation: its superpixels.
        baseline: `"mean"`, `"blur"`, `"grey"`, a colour (a number or c numbers), an image (h, w, c), or a callable
            from image (h, w, c) and labels (h, w) to such an image; `Settings.baseline` says which to choose.
        grey: float32 array of shape (c,): the middle of the display range as model input.

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
