"""Superpixels of a whole data set → visual words: groups that look alike, learned from a bounded sample.

A superpixel is described by its mean CIELAB colour and spread, texture and the way of
its stripes, size and place, standardised over the data set,
and k-means (MiniBatchKMeans of scikit-learn; Sculley 2010) finds the words. Colour counts most and place least, so that
one meadow is one word wherever it lies; but what always sits in one corner, as a watermark does, is still told apart.

The sample is chosen by a hash of the images' positions, so it depends neither on the shards nor on the order in which
they are read. May import numpy, scikit-learn, threadpoolctl and the modules beside it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits

from keras_lime.auditing.storage.row_batches import RowBatch, count_images, explained, row_batches

__all__ = ["FEATURES", "MOST_WORDS", "ROW_PART", "Vocabulary", "draw", "features", "learn_vocabulary"]

FEATURES = (
    "segment_lightness",
    "segment_a",
    "segment_b",
    "segment_spread",
    "segment_texture",
    "segment_area",
    "segment_y",
    "segment_x",
    "segment_upright",
    "segment_slanted",
)
"""Columns of the rows that describe a superpixel."""

ROW_PART = ("position", "target", "predicted")
"""Columns of the rows that are needed beside them."""

MOST_WORDS = 64

_COUNTS = np.array([1, 1, 1, 0.5, 0.5, 0.3, 0.25, 0.25, 0.7, 0.7])
"""How much each feature counts once it is standardised."""

_SAMPLE = 65_536
"""A thousand for each word: more move no centre by what counts, and would grow with the data set."""
_PER_WORD = 8


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """k visual words.

    Attributes:
        centres: float64 array (k, 10), in standardised features.
        mean: float64 array (10,), of the features over the sample.
        scale: float64 array (10,), what a feature is divided by.
        texture_range: textures between these two are neither smooth nor textured: the terciles of the sample.
        size_range: half and twice the median area: between them a superpixel is neither small nor large.
    """

    centres: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    texture_range: tuple[float, float]
    size_range: tuple[float, float]

    def __len__(self) -> int:
        return len(self.centres)

    def words(self, described: NDArray[np.float64]) -> NDArray[np.int64]:
        """The word of each superpixel.

        Args:
            described: float64 array (m, 10), what `features` gives.

        Returns:
            int64 array (m,): the nearest centre's number.
        """
        points = (described - self.mean) / self.scale
        # |p − c|² without |p|², which is the same for all centres.
        far = (self.centres**2).sum(axis=1) - 2 * np.einsum("mf,kf->mk", points, self.centres)
        nearest: NDArray[np.int64] = far.argmin(axis=1)
        return nearest


def features(batch: RowBatch) -> NDArray[np.float64]:
    """Describes the superpixels of a batch of rows: float64 array (m, 10), in the order of `FEATURES`.

    Spread, texture and area have long tails, which roots and logarithms shorten.
    """
    raw = np.stack([batch.segments[name] for name in FEATURES], axis=1)
    raw[:, 3:5] = np.log1p(np.maximum(raw[:, 3:5], 0))
    raw[:, 5] = np.sqrt(np.maximum(raw[:, 5], 0))
    # Audits of 0.1 do not know which way stripes run.
    raw[:, 8:] = np.nan_to_num(raw[:, 8:])
    return raw


def learn_vocabulary(folder: Path, n_words: int, seed: int = 0) -> Vocabulary | None:
    """Learns the visual words of an audit.

    Memory is bounded: at most some 65,000 superpixels are looked at together, those of images drawn evenly from all.

    Args:
        folder: the audit's folder.
        n_words: wanted number of words, at most 64.
        seed: of the sample and of k-means. Defaults to `0`.

    Returns:
        The `Vocabulary`; fewer words if there are few superpixels, None if there are none.
    """
    sample = _sample(folder, seed)
    if len(sample) == 0:
        return None
    mean, spread = sample.mean(axis=0), sample.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0) / _COUNTS
    texture, size = np.expm1(np.quantile(sample[:, 4], (1 / 3, 2 / 3))), float(np.median(sample[:, 5]) ** 2)
    # In place: the sample of a large data set is a good part of what its summary needs.
    points = np.divide(np.subtract(sample, mean, out=sample), scale, out=sample)
    wanted = min(n_words, MOST_WORDS)
    k = max(1, min(wanted, _distinct(points, wanted * _PER_WORD) // _PER_WORD))
    means = MiniBatchKMeans(k, random_state=seed, n_init=5, batch_size=4096)
    # Sums of several threads depend on which is first.
    with threadpool_limits(limits=1):
        centres = means.fit(points).cluster_centers_
    return Vocabulary(
        np.asarray(centres, np.float64),
        mean,
        scale,
        (float(texture[0]), float(texture[1])),
        (size / 2, size * 2),
    )


def _distinct(points: NDArray[np.float64], enough: int) -> int:
    """How many different rows there are; where the first ones are enough, how many among those."""
    for rows in (points[: 16 * enough], points):
        found = len(np.unique(rows.round(6), axis=0))
        if found >= enough:
            break
    return found


def _sample(folder: Path, seed: int) -> NDArray[np.float64]:
    """Features of at most about `_SAMPLE` superpixels, all those of the images that the draw takes."""
    images, parts, taken, share = count_images(folder), [np.empty((0, len(FEATURES)))], 0, 1.0
    for batch in row_batches(folder, ROW_PART, FEATURES):
        if taken == 0 and len(batch.row):
            per_image = len(batch.row) / len(batch)
            share = min(1.0, _SAMPLE / max(1.0, images * per_image))
        drawn = explained(batch) & (draw(batch.columns["position"], seed) < share)
        described = features(batch)[drawn[batch.row]]
        taken += len(described)
        parts.append(described)
        if taken > 2 * _SAMPLE:
            break
    return np.concatenate(parts)


def draw(positions: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """A number in 0..1 for each position, by the finaliser of SplitMix64 (Steele, Lea & Flood 2014)."""
    with np.errstate(over="ignore"):
        state = positions.astype(np.uint64) + np.uint64(seed + 1) * np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: NDArray[Any] = state ^ (state >> np.uint64(31))
    return mixed / 2.0**64
