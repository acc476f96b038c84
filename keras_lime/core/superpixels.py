"""The named ways to cut a picture in about so many superpixels: picture and number → labels of any numbering.

A new one is a row of `METHODS`. May import numpy and scikit-image.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import felzenszwalb, quickshift, slic

__all__ = ["METHODS", "wanted_number"]

_LEAST_PIXELS = 4
"""Pixels of a superpixel, on average: single ones are their own mean colour, and nobody sees a weight on them."""

_COMPACTNESS = (10.0, 20.0, 40.0, 80.0, 160.0, 320.0)
"""Of slic, tried in turn: on fine texture small values cut the picture in shreds, which are then merged to very few."""

_KERNELS = 2
"""Kernels that quickshift tries, each half as wide again as the one before."""


def wanted_number(picture: NDArray[np.float64], n_segments: int) -> int:
    """`n_segments`, or as many as a small picture (h, w, 3) has room for; at least 2."""
    return max(2, min(n_segments, picture[..., 0].size // _LEAST_PIXELS))


def _slic(picture: NDArray[np.float64], n_segments: int) -> NDArray[np.integer]:
    """Slic with the least compactness that gives between three quarters and one and a half times the number."""
    best: NDArray[np.integer] = np.zeros(picture.shape[:2], np.int64)
    best_miss = math.inf
    for compactness in _COMPACTNESS:
        labels: NDArray[np.integer] = slic(
            picture, n_segments=n_segments, compactness=compactness, start_label=0, channel_axis=-1
        )
        ratio = int(labels.max() + 1) / n_segments
        if 0.75 <= ratio <= 1.5:
            return labels
        if abs(math.log(ratio)) < best_miss:
            best, best_miss = labels, abs(math.log(ratio))
    return best


def _grid(picture: NDArray[np.float64], n_segments: int) -> NDArray[np.integer]:
    height, width = picture.shape[:2]
    rows = min(height, max(1, round(math.sqrt(n_segments * height / width))))
    columns = min(width, max(1, round(n_segments / rows)))
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    labels: NDArray[np.integer] = row[:, None] * columns + column
    return labels


def _quickshift(picture: NDArray[np.float64], n_segments: int) -> NDArray[np.integer]:
    """Builds quickshift's tree and cuts its longest links, so that about the wanted number of trees is left.

    Cutting gives more trees, never fewer: where there are too many from the start, on fine texture, the density is
    estimated over a wider kernel, which joins them.
    """
    height, width = picture.shape[:2]
    if np.ptp(picture) == 0:
        # A wide kernel would cut one colour somewhere, but nothing is there to cut by.
        return np.zeros((height, width), np.int64)
    kernel_size = max(1.0, math.sqrt(height * width / n_segments) / 10)
    for _ in range(_KERNELS):
        _, parents, links = quickshift(
            picture, kernel_size=kernel_size, max_dist=math.inf, ratio=0.5, return_tree=True, rng=0, channel_axis=-1
        )
        parent, link = np.asarray(parents).ravel().astype(np.intp), np.asarray(links).ravel()
        roots = parent == np.arange(parent.size)
        if roots.sum() <= 1.5 * n_segments:
            break
        kernel_size *= 1.5
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
    best, best_miss = _grid(picture, n_segments), math.inf
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


METHODS: Mapping[str, Callable[[NDArray[np.float64], int], NDArray[np.integer]]] = MappingProxyType(
    {"slic": _slic, "quickshift": _quickshift, "felzenszwalb": _felzenszwalb, "grid": _grid}
)
"""Each gives labels (h, w) for a picture (h, w, 3) in 0..1 and the number of superpixels that is wanted."""
