"""What the explanations of a class have in common: clusters of similar heatmaps, and regions that all of them point to.

For people to look at; no alarm is made of either. May import numpy, scikit-learn and the core.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import SpectralClustering

from keras_lime.core.explanation import Explanation

__all__ = ["LEAST_CLUSTERED", "CommonRegion", "cluster_by_class", "cluster_heatmaps", "common_region"]

LEAST_CLUSTERED = 20
"""Probes of a class from which on its heatmaps are clustered."""

_LEAST_SHARED, _GRID, _NEIGHBORS, _MOST_CLUSTERS = 5, 16, 6, 6


@dataclass(frozen=True)
class CommonRegion:
    """A region that a class's explanations share, though the object is not known.

    Attributes:
        concentration: how much more the positive weight lies on pixels that are alike within the class, and not between
            classes, than it would if spread evenly; up to 1.
        row: of its strongest pixel, share of the height from the top.
        column: share of the width from the left.
    """

    concentration: float
    row: float
    column: float


def cluster_heatmaps(explanations: Sequence[Explanation], seed: int = 0) -> NDArray[np.int64] | None:
    """Clusters the explanations of one class, by spectral clustering as in SpRAy (Lapuschkin et al. 2019).

    The positive weights are averaged on a grid of 16 × 16; the affinity is that of nearest neighbours, and the number
    of clusters, up to six, is where the spectrum of its Laplacian has the largest gap.

    Args:
        explanations: those of one class, by their first targets.
        seed: of the clustering. Defaults to `0`.

    Returns:
        Cluster of each, 0 the largest, (n,); None for fewer than `LEAST_CLUSTERED` explanations.
    """
    if len(explanations) < LEAST_CLUSTERED:
        return None
    points = np.stack([_coarse(_heat(each)).ravel() for each in explanations])
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    nearest = np.argsort(distances, axis=1, kind="stable")[:, 1 : _NEIGHBORS + 1]
    linked = np.zeros_like(distances)
    np.put_along_axis(linked, nearest, 1.0, axis=1)
    # A little of everything keeps the graph in one piece, which the clustering wants.
    affinity = np.maximum(linked, linked.T) + 1e-3
    degrees = affinity.sum(axis=1)
    spectrum = np.sort(np.linalg.eigvalsh(np.eye(len(affinity)) - affinity / np.sqrt(np.outer(degrees, degrees))))
    count = int(np.diff(spectrum[: _MOST_CLUSTERS + 1]).argmax()) + 1
    if count == 1:
        return np.zeros(len(explanations), np.int64)
    clustering = SpectralClustering(count, affinity="precomputed", random_state=seed, assign_labels="cluster_qr")
    clusters = clustering.fit_predict(affinity)
    order = np.argsort(-np.bincount(clusters, minlength=count), kind="stable")
    ranks = np.empty(count, np.int64)
    ranks[order] = np.arange(count)
    ranked: NDArray[np.int64] = ranks[clusters]
    return ranked


def cluster_by_class(explanations: Sequence[Explanation], seed: int = 0) -> NDArray[np.int64]:
    """Clusters the explanations of each class by themselves; see `cluster_heatmaps`.

    Args:
        explanations: one epoch's.
        seed: of the clustering. Defaults to `0`.

    Returns:
        Cluster of each among those of its true class, 0 the largest, (n,); -1 where a class has fewer than
        `LEAST_CLUSTERED`, or a probe no label.
    """
    cluster_ids = np.full(len(explanations), -1, np.int64)
    labels = np.array([-1 if each.label is None else each.label for each in explanations])
    for label in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == label)
        clusters = cluster_heatmaps([explanations[int(index)] for index in members], seed)
        if clusters is not None:
            cluster_ids[members] = clusters
    return cluster_ids


def common_region(
    explanations: Sequence[Explanation], images: NDArray[Any], chosen: NDArray[np.bool_]
) -> CommonRegion | None:
    """Where the explanations of one class look for pixels that its images share.

    Args:
        explanations: of all images.
        images: array (n, h, w, c) or (n, h, w).
        chosen: bool array (n,), True for the class.

    Returns:
        The `CommonRegion`; None for fewer than five images of the class or of the others.
    """
    if min(chosen.sum(), (~chosen).sum()) < _LEAST_SHARED:
        return None
    pixels = images.reshape(*images.shape[:3], -1).astype(np.float64)
    overall, within = pixels.std(axis=0).mean(axis=-1), pixels[chosen].std(axis=0).mean(axis=-1)
    alike = np.clip(1 - within / np.maximum(overall, 1e-9), 0, 1) * (overall > 1e-9)
    heats = [_heat(each) for each, taken in zip(explanations, chosen, strict=True) if taken]
    heat = np.mean(heats, axis=0)
    if heat.sum() == 0:
        return None
    both = heat / heat.sum() * alike
    row, column = np.unravel_index(int(both.argmax()), both.shape)
    height, width = both.shape
    return CommonRegion(float(both.sum() - alike.mean()), (int(row) + 0.5) / height, (int(column) + 0.5) / width)


def _heat(explanation: Explanation) -> NDArray[np.float64]:
    """Positive weights of the first target per pixel, summing to 1 where there are any."""
    heat = np.maximum(explanation.fit.coef[0] / explanation.segmentation.areas, 0)[explanation.segmentation.labels]
    total = heat.sum()
    scaled: NDArray[np.float64] = heat / total if total > 0 else heat
    return scaled


def _coarse(heat: NDArray[np.float64]) -> NDArray[np.float64]:
    rows, columns = (-(-np.arange(min(_GRID, size)) * size // min(_GRID, size)) for size in heat.shape)
    return np.add.reduceat(np.add.reduceat(heat, rows, axis=0), columns, axis=1)
