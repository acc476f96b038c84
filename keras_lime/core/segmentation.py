"""Image → superpixels: a `Segmentation` whose labels are always 0..n_segments-1.

Works on pictures (h, w, 3) in 0..1, never on model input; `display.py` makes those. May import numpy and scikit-image.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb, find_boundaries, quickshift, slic

from keras_lime.exceptions import warn

__all__ = ["FEW_SEGMENTS", "SEGMENTATION_METHODS", "Segmentation", "SegmentationMethod", "segment"]

SegmentationMethod = (
    Literal["slic", "quickshift", "felzenszwalb", "grid"] | Callable[[NDArray[np.float64]], Any] | NDArray[np.integer]
)

SEGMENTATION_METHODS = ("slic", "quickshift", "felzenszwalb", "grid")

FEW_SEGMENTS = 8
"""Below this number of superpixels an explanation says little, and a warning is given."""


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
    gives equal rectangles. None of them draws random numbers.

    Args:
        picture: float array of shape (h, w, 3), RGB in 0..1.
        method: one of the names above, a callable that maps `picture` to an integer label map (h, w), or such a map.
        n_segments: wanted number of superpixels for the named methods; ready maps and callables decide for themselves.

    Returns:
        The `Segmentation`. A named method that finds fewer than two superpixels is replaced by `"grid"`, with a
        warning; fewer than 8 superpixels warn too.

    Raises:
        ValueError: if a callable or a ready map gives labels of a wrong shape or type, or one superpixel only.
    """
    if isinstance(method, str):
        found = _named(picture, method, n_segments)
        if found.n_segments < 2:
            warn(
                f"segmentation={method!r} found one superpixel only (a picture of noise or of one colour?); "
                'segmentation="grid" is used for this image.'
            )
            found = _named(picture, "grid", n_segments)
        hint = "Raise `n_segments`, or choose another `segmentation`."
    else:
        found = _given(picture, method)
        hint = "Make the labels of `segmentation` finer."
    if found.n_segments < FEW_SEGMENTS:
        warn(f"The image has {found.n_segments} superpixels: too few to tell the object from its surroundings. {hint}")
    return found


def _named(picture: NDArray[np.float64], method: str, n_segments: int) -> Segmentation:
    match method:
        case "slic":
            labels = slic(picture, n_segments=n_segments, compactness=10, start_label=0, channel_axis=-1)
        case "quickshift":
            labels = _quickshift(picture, n_segments)
        case "felzenszwalb":
            labels = _felzenszwalb(picture, n_segments)
        case "grid":
            labels = _grid(picture.shape[0], picture.shape[1], n_segments)
        case _:
            raise ValueError(
                f"`segmentation` must be one of {', '.join(SEGMENTATION_METHODS)}, a callable or a label map. "
                f"Received: segmentation={method!r}."
            )
    return Segmentation.from_labels(labels)


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


def _grid(height: int, width: int, n_segments: int) -> NDArray[np.integer]:
    rows = min(height, max(1, round(math.sqrt(n_segments * height / width))))
    columns = min(width, max(1, round(n_segments / rows)))
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    labels: NDArray[np.integer] = row[:, None] * columns + column
    return labels


def _quickshift(picture: NDArray[np.float64], n_segments: int) -> NDArray[np.integer]:
    """Builds quickshift's tree once and cuts its longest links, so that about the wanted number of trees is left."""
    height, width = picture.shape[:2]
    kernel_size = max(1.0, math.sqrt(height * width / n_segments) / 10)
    _, parents, links = quickshift(
        picture, kernel_size=kernel_size, max_dist=math.inf, ratio=0.5, return_tree=True, rng=0, channel_axis=-1
    )
    parent, link = np.asarray(parents).ravel().astype(np.intp), np.asarray(links).ravel()
    roots = parent == np.arange(parent.size)
    # Single pixels of an odd colour have the longest links of all; cut only what carries a superpixel.
    large = _subtree_sizes(parent) >= parent.size / (n_segments * 8)
    by_length = np.argsort(-np.where(large & ~roots, link, -1.0), kind="stable")
    to_cut = by_length[: min(max(0, n_segments - int(roots.sum())), int((large & ~roots).sum()))]
    parent[to_cut] = to_cut
    while not np.array_equal(parent, parent[parent]):
        parent = parent[parent]
    return parent.reshape(height, width)


def _subtree_sizes(parent: NDArray[np.intp]) -> NDArray[np.int64]:
    """Pixels below each pixel of a forest, itself included."""
    sizes = np.zeros(parent.size, dtype=np.int64)
    nodes = np.arange(parent.size)
    while nodes.size:
        sizes += np.bincount(nodes, minlength=parent.size)
        nodes = parent[nodes[parent[nodes] != nodes]]
    return sizes


def _felzenszwalb(picture: NDArray[np.float64], n_segments: int) -> NDArray[np.integer]:
    """Bisects felzenszwalb's `scale`, on a logarithmic axis, for about the wanted number of superpixels."""
    min_size = max(2, picture.shape[0] * picture.shape[1] // (n_segments * 6))
    low, high = math.log(1e-2), math.log(1e4)
    best, best_miss = _grid(picture.shape[0], picture.shape[1], n_segments), math.inf
    for _ in range(9):
        middle = (low + high) / 2
        labels: NDArray[np.integer] = felzenszwalb(
            picture, scale=math.exp(middle), sigma=0.5, min_size=min_size, channel_axis=-1
        )
        count = int(labels.max()) + 1
        if abs(count - n_segments) < best_miss:
            best, best_miss = labels, abs(count - n_segments)
        if count > n_segments:
            low = middle
        else:
            high = middle
    return best
