"""Estimated object outlines: what stands out from the image's own border, for probes that have no masks.

Source of the idea: background priors in saliency detection (Wei et al. 2012, "Geodesic Saliency Using Background
Priors"). May import numpy, SciPy and scikit-image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_fill_holes, gaussian_filter, label, uniform_filter
from skimage.color import rgb2lab
from skimage.filters import threshold_otsu
from skimage.transform import resize

__all__ = ["LEAST_STEADINESS", "Outlines", "estimate_outline", "estimate_outlines", "refine_box"]

LEAST_STEADINESS = 0.42
"""Mean steadiness of a probe set below which its outlines decide nothing. Sets of images with an object lie between .5
and .7, scenes without one and periodic patterns between .30 and .35."""

_LEAST_SIDE = 24
"""Smaller images have border strips of too few pixels for the statistics."""

_WORKING_SIDE = 96
"""Larger images are scaled down to this side: outlines need no finer detail, and time grows with the pixels."""

_STRIP = 1 / 12
"""Width of the border strips, in sides of the image."""

_FLOOR = np.diag([9.0, 4.0, 4.0, 1.0])
"""Variance added to a strip's covariance (lightness, a, b, texture): a strip of one colour would make every tint an
object. Lightness varies most by shading alone."""

_CENTRE = 0.33
"""Standard deviation of the centre prior, in sides of the image."""

_LEAST_PART = 0.25
"""Parts whose summed distance is below this share of the strongest part's are dropped."""

_FLAT = 2.0
"""Standard deviation of lightness and colour (CIELAB units) below which an image shows nothing."""

_MOST_AREA, _LEAST_AREA = 0.7, 0.004
"""Shares of the image between which an outline tells an object from a background."""

_AROUND = 0.25
"""Width of what is looked at around a box, in its longer sides."""

_LEAST_OF_BOX = 0.3
"""Share of a box that an object fills at least: somebody drew it around something."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Estimated outlines of a probe set.

    Attributes:
        masks: bool array (n, h, w), True on what is taken for the object; all False where there is no estimate.
        steadiness: float array (n,), area at 1.3 times the threshold over area at .7 times the threshold, 0..1: how
            little the outline depends on where the line is drawn. 0 where there is no estimate.
        reasons: for each image why there is no estimate, or None.
    """

    masks: NDArray[np.bool_]
    steadiness: NDArray[np.float64]
    reasons: tuple[str | None, ...]

    @property
    def mean_steadiness(self) -> float:
        """Mean over the images that have an outline; 0 without any."""
        known = self.steadiness[self.masks.any(axis=(1, 2))]
        return float(known.mean()) if len(known) else 0.0

    def why_unusable(self) -> str | None:
        """Why these outlines cannot carry a test, as a sentence; None if they can."""
        missing = sum(reason is not None for reason in self.reasons)
        if missing > len(self.reasons) / 2:
            common = max({each for each in self.reasons if each}, key=self.reasons.count)
            return f"No object was found in {missing} of {len(self.reasons)} images: {common}."
        if self.mean_steadiness < LEAST_STEADINESS:
            return (
                "The estimated outlines are not reliable: objects hardly stand out from what surrounds them "
                f"(steadiness {self.mean_steadiness:.2f}; {LEAST_STEADINESS} is needed)."
            )
        return None


def estimate_outlines(
    images: NDArray[Any], outline_fn: Callable[[NDArray[Any]], NDArray[np.bool_]] | None = None
) -> Outlines:
    """Estimates the outline of the object in each image.

    Args:
        images: uint8 array (n, h, w, 3), as shown to people; or (n, h, w) or (n, h, w, 1) for grey images.
        outline_fn: finds the object in one image, (h, w, 3) → bool (h, w), instead of border statistics: a
            segmentation network, for instance. Its outlines count as steady. Defaults to `None`.

    Returns:
        The `Outlines`.
    """
    found = [estimate_outline(image) if outline_fn is None else _given(image, outline_fn) for image in images]
    return Outlines(
        np.stack([mask for mask, _, _ in found]),
        np.array([steadiness for _, steadiness, _ in found]),
        tuple(reason for _, _, reason in found),
    )


def estimate_outline(image: NDArray[Any]) -> tuple[NDArray[np.bool_], float, str | None]:
    """Estimates the outline of the object in one image by border statistics.

    Each pixel's Mahalanobis distance to the colours and textures of each border strip is taken, and the two smallest
    are added: what differs from at least three sides of the image stands out, and an object may touch one of them.
    Weighted towards the centre and cut at Otsu's threshold, the distances give the outline.

    Args:
        image: array (h, w, 3), (h, w, 1) or (h, w), uint8.

    Returns:
        Mask (h, w), steadiness in 0..1, and why there is no estimate or None.
    """
    shape = image.shape[:2]
    nothing = np.zeros(shape, bool)
    if min(shape) < _LEAST_SIDE:
        return nothing, 0.0, f"images of {shape[0]}×{shape[1]} pixels are too small for it"
    features = _features(image)
    if features[..., :3].std(axis=(0, 1)).max() < _FLAT:
        return nothing, 0.0, "the image is of one colour"
    distance = _distance(features)
    level = threshold_otsu(distance)
    steadiness = float((distance > 1.3 * level).sum() / max(1, (distance > 0.7 * level).sum()))
    mask = _solid(distance, level)
    area = mask.mean()
    if area > _MOST_AREA:
        return nothing, 0.0, "what stands out fills the image"
    if area < _LEAST_AREA:
        return nothing, 0.0, "nothing stands out from the border"
    if mask.shape != shape:
        mask = resize(mask.astype(np.float32), shape, order=1) > 0.5
    return binary_dilation(mask, iterations=max(1, round(min(shape) / _WORKING_SIDE))), steadiness, None


def refine_box(image: NDArray[Any], box: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Takes off a box what looks like its surroundings: the corners around a round object, say.

    Args:
        image: array (h, w, 3), (h, w, 1) or (h, w), uint8.
        box: bool array (h, w), True in one rectangle.

    Returns:
        Mask (h, w) within the box; the box itself where nothing in it stands out.
    """
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    if not len(rows):
        return box
    around = max(4, round(_AROUND * max(len(rows), len(columns))))
    seen = (
        slice(max(0, int(rows[0]) - around), int(rows[-1]) + 1 + around),
        slice(max(0, int(columns[0]) - around), int(columns[-1]) + 1 + around),
    )
    refined = np.zeros_like(box)
    refined[seen] = estimate_outline(image[seen])[0]
    refined &= box
    return refined if refined.sum() >= _LEAST_OF_BOX * box.sum() else box


def _given(
    image: NDArray[Any], outline_fn: Callable[[NDArray[Any]], NDArray[np.bool_]]
) -> tuple[NDArray[np.bool_], float, str | None]:
    mask = np.asarray(outline_fn(image))
    if mask.shape != image.shape[:2]:
        raise ValueError(
            f"`outlines` must give masks of the image's height and width, {image.shape[:2]}. "
            f"Received: shape={mask.shape}."
        )
    mask = mask.astype(bool)
    return mask, float(mask.any()), None if mask.any() else "the given function found no object"


def _features(image: NDArray[Any]) -> NDArray[np.float64]:
    """Lightness, a, b and local contrast, (h, w, 4), at working size."""
    pixels = image.astype(np.float64).reshape(*image.shape[:2], -1) / 255
    pixels = np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels[..., :3]
    height, width = pixels.shape[:2]
    factor = _WORKING_SIDE / min(height, width)
    if factor < 1:
        pixels = resize(pixels, (round(height * factor), round(width * factor)), order=1, anti_aliasing=True)
    lab = rgb2lab(np.clip(pixels, 0, 1))
    light = lab[..., 0]
    window = 2 * max(1, round(min(light.shape) / 32)) + 1
    spread = uniform_filter(light**2, window) - uniform_filter(light, window) ** 2
    return np.dstack([lab, np.sqrt(np.maximum(spread, 0))])


def _distance(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much each pixel stands out, (h, w)."""
    height, width = features.shape[:2]
    wide = max(2, round(_STRIP * min(height, width)))
    strips = (features[:wide], features[-wide:], features[:, :wide], features[:, -wide:])
    distances = []
    for strip in strips:
        sample = strip.reshape(-1, features.shape[-1])
        inverse = np.linalg.inv(np.cov(sample, rowvar=False) + _FLOOR)
        away = features - sample.mean(axis=0)
        distances.append(np.sqrt(np.einsum("hwi,ij,hwj->hw", away, inverse, away)))
    total = np.sort(np.stack(distances), axis=0)[:2].sum(axis=0)
    rows, columns = np.mgrid[:height, :width]
    squared = ((rows + 0.5) / height - 0.5) ** 2 + ((columns + 0.5) / width - 0.5) ** 2
    weighted: NDArray[np.float64] = gaussian_filter(total, 1.0) * np.exp(-squared / (2 * _CENTRE**2))
    return weighted


def _solid(distance: NDArray[np.float64], level: float) -> NDArray[np.bool_]:
    """What lies above the threshold, without holes and without weak parts."""
    mask = binary_fill_holes(distance > level)
    parts, count = label(mask)
    if count > 1:
        strength = np.bincount(parts.ravel(), (distance * mask).ravel(), count + 1)
        strength[0] = 0
        mask = (strength >= _LEAST_PART * strength.max())[parts] & mask
    solid: NDArray[np.bool_] = mask
    return solid
