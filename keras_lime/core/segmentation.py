"""Image → superpixels: a `Segmentation` whose labels are always 0..n_segments-1.

Works on pictures (h, w, 3) in 0..1, never on model input; `display.py` makes those. May import numpy and scikit-image.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import find_boundaries

from keras_lime.core.phrases import count_of
from keras_lime.core.superpixels import METHODS, wanted_number
from keras_lime.exceptions import warn

__all__ = [
    "FEWEST",
    "FEW_SEGMENTS",
    "MOST",
    "SEGMENTATION_METHODS",
    "Segmentation",
    "SegmentationMethod",
    "cut",
    "segment",
]

SegmentationMethod = (
    Literal["slic", "quickshift", "felzenszwalb", "grid"] | Callable[[NDArray[np.float64]], Any] | NDArray[np.integer]
)

SEGMENTATION_METHODS = tuple(METHODS)

FEW_SEGMENTS = 8
"""Below this number of superpixels an explanation says little, and a warning is given."""

FEWEST, MOST = 0.5, 1.5
"""Superpixels of a named method as a share of the wanted number, beyond which the grid takes its place."""


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The superpixels of one image.

    Attributes:
        labels: int32 array of shape (h, w) with the values 0..n_segments-1, each of them present.
    """

    labels: NDArray[np.int32]

    @classmethod
    def from_labels(cls, labels: NDArray[np.integer]) -> "Segmentation":
        """Renumbers any integer label map of shape (h, w) to 0..n_segments-1, in the order of the old labels."""
        values, renumbered = np.unique(labels, return_inverse=True)
        del values
        relabelled = renumbered.reshape(labels.shape).astype(np.int32)
        relabelled.setflags(write=False)
        return cls(relabelled)

    @property
    def n_segments(self) -> int:
        """Number of superpixels."""
        return int(self.labels.max()) + 1

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels per superpixel, shape (n_segments,)."""
        return np.bincount(self.labels.ravel(), minlength=self.n_segments)

    def neighbours(self) -> NDArray[np.int64]:
        """Pairs of superpixels that share an edge, shape (n_pairs, 2), the smaller number first, in rising order."""
        labels = self.labels.astype(np.int64)
        sides = [(labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])]
        low, high = (np.concatenate([f(*side).ravel() for side in sides]) for f in (np.minimum, np.maximum))
        codes = np.unique(low[low < high] * self.n_segments + high[low < high])
        return np.stack(np.divmod(codes, self.n_segments), axis=1)

    def boundaries(self) -> NDArray[np.bool_]:
        """True where one of the four neighbours belongs to another superpixel, shape (h, w)."""
        # find_boundaries takes label 0 for background, which has no rim of its own.
        rim: NDArray[np.bool_] = find_boundaries(self.labels + 1, mode="inner", connectivity=1)
        return rim

    def share_inside(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Fraction of every superpixel that lies inside `mask` (h, w), shape (n_segments,), 0..1."""
        inside = np.bincount(self.labels.ravel(), weights=mask.ravel().astype(float), minlength=self.n_segments)
        return inside / self.areas

    def mean_colours(self, image: NDArray[Any]) -> NDArray[np.float64]:
        """Channel-wise mean of `image` (h, w, c) over every superpixel, shape (n_segments, c)."""
        flat, pixels = self.labels.ravel(), image.reshape(self.labels.size, -1).astype(float)
        sums = [np.bincount(flat, weights=channel, minlength=self.n_segments) for channel in pixels.T]
        return np.stack(sums, axis=1) / self.areas[:, None]


def segment(picture: NDArray[np.float64], method: SegmentationMethod = "slic", n_segments: int = 50) -> Segmentation:
    """Cuts a picture in superpixels.

    `"slic"` (Achanta et al. 2012), `"quickshift"` (Vedaldi & Soatto 2008) and `"felzenszwalb"` (Felzenszwalb &
    Huttenlocher 2004) are scikit-image's, tuned to give about `n_segments` superpixels at any image size; `"grid"`
    gives equal rectangles. None of them draws random numbers. A small image gets fewer superpixels, so that each has
    several pixels.

    Args:
        picture: float array of shape (h, w, 3), RGB in 0..1.
        method: one of the names above, a callable that maps `picture` to an integer label map (h, w), or such a map.
        n_segments: wanted number of superpixels for the named methods; ready maps and callables decide for themselves.

    Returns:
        The `Segmentation`. A named method that finds far fewer or far more superpixels is replaced by `"grid"`, with a
        warning; fewer than 8 superpixels warn too.

    Raises:
        ValueError: if a callable or a ready map gives labels of a wrong shape or type, or one superpixel only.
    """
    found, remarks = cut(picture, method, n_segments)
    for remark in remarks:
        warn(remark)
    return found


def cut(
    picture: NDArray[np.float64], method: SegmentationMethod, n_segments: int
) -> tuple[Segmentation, tuple[str, ...]]:
    """`segment` with its warnings as sentences, for threads, where a warning would point at no line of the user's."""
    remarks = []
    if isinstance(method, str):
        wanted = wanted_number(picture, n_segments)
        found = _named(picture, method, wanted)
        if not FEWEST <= found.n_segments / wanted <= MOST:
            remarks.append(
                f"segmentation={method!r} found {count_of(found.n_segments, 'superpixel')} where {wanted} were wanted "
                '(a picture of noise or of one colour?); segmentation="grid" is used for this image.'
            )
            found = _named(picture, "grid", wanted)
        hint = "Raise `n_segments`, or choose another `segmentation`."
    else:
        found = _given(picture, method)
        hint = "Make the labels of `segmentation` finer."
    if found.n_segments < FEW_SEGMENTS:
        remarks.append(
            f"The image has {found.n_segments} superpixels: too few to tell the object from its surroundings. {hint}"
        )
    return found, tuple(remarks)


def _named(picture: NDArray[np.float64], method: str, wanted: int) -> Segmentation:
    if method not in METHODS:
        raise ValueError(
            f"`segmentation` must be one of {', '.join(METHODS)}, a callable or a label map. "
            f"Received: segmentation={method!r}."
        )
    return Segmentation.from_labels(METHODS[method](picture, wanted))


def _given(picture: NDArray[np.float64], method: Any) -> Segmentation:
    labels = np.asarray(method(picture) if callable(method) else method)
    height, width = picture.shape[:2]
    if labels.shape != (height, width) or labels.dtype.kind not in "iub":
        raise ValueError(
            f"`segmentation` must give integer labels of shape {(height, width)}. "
            f"Received: shape={labels.shape}, dtype={labels.dtype}. The picture that a callable gets is RGB, "
            f"shape {(height, width, 3)}, float in 0..1."
        )
    found = Segmentation.from_labels(labels)
    if found.n_segments < 2:
        raise ValueError(
            "`segmentation` must give at least two superpixels. Received: one label everywhere. "
            "With one superpixel there is nothing to compare."
        )
    return found
