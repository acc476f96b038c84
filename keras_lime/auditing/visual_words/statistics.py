"""Sums over the rows of an audit, by class and visual word, from which `words` makes its table.

An image counts for the class that the model predicts, by that class's row. For each word of an image two numbers are
summed: its *evidence*, the sum of the weights of its superpixels, and its share of the picture. Weights keep their
sign: what is noise in them cancels within an image and over images, and what is left is the evidence's mean with a
standard error over images. Cutting each weight off at two standard errors instead would be kind to small strong things,
such as signs, and blind to large weak ones, such as the scenery behind them, where every superpixel matters a little.

Memory grows with classes times words, not with images. May import numpy and the modules beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.storage.row_batches import RowBatch, explained, row_batches
from keras_lime.auditing.visual_words.vocabulary import FEATURES, ROW_PART, Vocabulary, features

__all__ = ["LOOKS", "Example", "WordStatistics", "measure_presence", "word_statistics"]

_EXAMPLES = 4
"""Superpixels kept as examples of a class's word, each of another image."""

_PRESENT_FROM = 0.1
"""Words count as present in a picture if they cover a tenth of it together."""

_COVERED_FROM = 0.1
"""A word is at work in a picture if a tenth of the picture's positive evidence is its."""

_MOST_PATTERNS = 2048
"""Combinations of words that are kept per class as candidates for representative pictures."""

_PER_IMAGE = ("evidence", "evidence_squares", "area", "area_squares", "present_in")
_PER_SUPERPIXEL = ("positive", "with_mask", "off_object", "at_border", "superpixels")

LOOKS = (
    "lightness",
    "a",
    "b",
    "texture",
    "upright",
    "slanted",
    "area",
    "y",
    "x",
    "y_squares",
    "x_squares",
    "border",
    "total",
)
"""Columns of `WordStatistics.looks`."""

_COLUMNS = (*ROW_PART, "image_id", "predicted_name", "target_name", "predicted_value")
_SEGMENTS = (*FEATURES, "weights", "segment_at_border", "segment_on_object")


@dataclass(frozen=True, order=True)
class Example:
    """A superpixel that stands for a word: the larger its weight, the better."""

    weight: float
    position: int
    image_id: str
    segment: int


@dataclass(eq=False)
class WordStatistics:
    """Sums for C classes and k words.

    Attributes:
        n_words: k.
        names: name of each class by its number, in the order of the arrays' rows.
        images: float64 array (C,): explained images.
        sums: float64 arrays (C, k) over images: `evidence` and `evidence_squares`, `area` (share of the picture) and
            `area_squares`; over superpixels: `positive` weight, the same `with_mask`, that `off_object` and that
            `at_border`, their number `superpixels`; and the number of images that they are `present_in`.
        looks: float64 array (C, k, 11): sums of `LOOKS` over superpixels, weighted by area; `total` is the area.
        border: float64 array (2,): area of the superpixels at the border, and of all.
        examples: superpixels with the largest weights by class number and word.
        patterns: by class number, for each combination of words at work in a picture (a bit each), the probability and
            position of the picture that is predicted most surely.
    """

    n_words: int
    names: dict[int, str] = field(default_factory=dict)
    images: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    looks: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    border: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    examples: dict[tuple[int, int], list[Example]] = field(default_factory=dict)
    patterns: dict[int, dict[int, tuple[float, int]]] = field(default_factory=dict)

    def grow(self, found: dict[int, str]) -> None:
        """Makes room for classes that were not seen before."""
        new = {number: name for number, name in found.items() if number not in self.names}
        self.names |= new
        empty = np.zeros((len(new), self.n_words, len(LOOKS)))
        self.images = np.append(self.images, empty[:, 0, 0])
        self.looks = np.concatenate([self.looks.reshape(-1, *empty.shape[1:]), empty])
        for title in (*_PER_IMAGE, *_PER_SUPERPIXEL):
            known = self.sums.get(title, np.zeros((0, self.n_words)))
            self.sums[title] = np.concatenate([known, empty[..., 0]])


def word_statistics(folder: Path, vocabulary: Vocabulary, *, normalise: bool = False) -> WordStatistics:
    """Goes through all rows once.

    Args:
        folder: the audit's folder.
        vocabulary: the words.
        normalise: divide an image's weights by the sum of their magnitudes. Weights on the scale of probabilities need
            it not: those of an image sum to what its probability loses when all is hidden, at most about 1, and no
            image can outweigh the others. Log-odds and regressions know no such bound. Defaults to `False`.

    Returns:
        The `WordStatistics`.
    """
    statistics = WordStatistics(len(vocabulary))
    for rows, words in _worded(folder, vocabulary, _COLUMNS, _SEGMENTS):
        _add(statistics, rows, words, normalise)
    return statistics


def measure_presence(
    folder: Path, vocabulary: Vocabulary, classes: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """In how many pictures some words of each class are present: cover a tenth of the picture together.

    Args:
        folder: the audit's folder.
        vocabulary: the words.
        classes: int64 array (C,): numbers of the classes.
        chosen: bool array (C, k): which words, for each class.

    Returns:
        float64 array (C, 2): share of the pictures predicted as the class that have them, and of all others; NaN where
        there are none.
    """
    found, seen = np.zeros((len(classes), 2)), np.zeros((len(classes), 2))
    for rows, words in _worded(folder, vocabulary, ROW_PART, FEATURES):
        area = _by_word(rows, words, rows.segments["segment_area"], len(vocabulary))
        present = np.einsum("nk,ck->nc", area, chosen.astype(np.float64)) >= _PRESENT_FROM
        own = rows.columns["target"][:, None] == classes
        for side, members in enumerate((own, ~own)):
            found[:, side] += (present & members).sum(axis=0)
            seen[:, side] += members.sum(axis=0)
    return np.divide(found, seen, out=np.full_like(found, np.nan), where=seen > 0)


def _worded(
    folder: Path, vocabulary: Vocabulary, columns: tuple[str, ...], segments: tuple[str, ...]
) -> Iterator[tuple[RowBatch, NDArray[np.int64]]]:
    """The rows that count, batch by batch, with the word of each superpixel."""
    for batch in row_batches(folder, columns, segments):
        rows = batch.take(explained(batch))
        if len(rows.row):
            yield rows, vocabulary.words(features(rows))


def _by_word(rows: RowBatch, words: NDArray[np.int64], values: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """Sums over superpixels by image and word, (n, k)."""
    sums = np.bincount(rows.row * k + words, weights=values, minlength=len(rows) * k)
    return np.asarray(sums, np.float64).reshape(-1, k)


def _add(statistics: WordStatistics, rows: RowBatch, words: NDArray[np.int64], normalise: bool) -> None:
    k, target = statistics.n_words, rows.columns["target"].astype(np.int64)
    statistics.grow(dict(zip(target.tolist(), map(str, rows.columns["target_name"]), strict=True)))
    order = {number: row for row, number in enumerate(statistics.names)}
    place = np.array([order[number] for number in target.tolist()])
    weights = rows.segments["weights"]
    if normalise:
        total = np.bincount(rows.row, weights=np.abs(weights), minlength=len(rows))
        weights = weights / np.where(total > 0, total, 1.0)[rows.row]
    positive, area = np.maximum(weights, 0.0), rows.segments["segment_area"]
    border, inside = rows.segments["segment_at_border"], rows.segments["segment_on_object"]
    masked = np.isfinite(inside)

    evidence, covered = _by_word(rows, words, weights, k), _by_word(rows, words, area, k)
    by_image = (evidence, evidence**2, covered, covered**2, (covered > 0).astype(np.float64))
    for title, summands in zip(_PER_IMAGE, by_image, strict=True):
        np.add.at(statistics.sums[title], place, summands)
    cell = place[rows.row] * k + words
    with_mask = np.where(masked, positive, 0.0)
    off_object = with_mask * (1 - np.where(masked, inside, 0.0))
    by_superpixel = (positive, with_mask, off_object, positive * border, np.ones_like(area))
    for title, values in zip(_PER_SUPERPIXEL, by_superpixel, strict=True):
        statistics.sums[title] += np.bincount(cell, weights=values, minlength=len(order) * k).reshape(-1, k)
    look = rows.segments
    y, x = look["segment_y"], look["segment_x"]
    colour = (look["segment_lightness"], look["segment_a"], look["segment_b"])
    stripes = (np.nan_to_num(look["segment_upright"]), np.nan_to_num(look["segment_slanted"]))
    columns = (*colour, look["segment_texture"], *stripes, area, y, x, y**2, x**2, border, np.ones_like(area))
    for column, values in enumerate(columns):
        summed = np.bincount(cell, weights=values * area, minlength=len(order) * k)
        statistics.looks[..., column] += summed.reshape(-1, k)
    statistics.images += np.bincount(place, minlength=len(order))
    statistics.border += ((border * area).sum(), area.sum())
    _keep_examples(statistics, rows, words, target)
    _keep_patterns(statistics, rows, target, np.maximum(evidence, 0.0))


def _keep_examples(
    statistics: WordStatistics, rows: RowBatch, words: NDArray[np.int64], target: NDArray[np.int64]
) -> None:
    """The superpixels of the largest weights of each class and word, one an image."""
    weights, k = rows.segments["weights"], statistics.n_words
    useful = np.flatnonzero(weights > 0)
    # The strongest of each image and word, then the first few of each class and word.
    useful = useful[np.lexsort((-weights[useful], rows.row[useful] * k + words[useful]))]
    useful = useful[np.unique(rows.row[useful] * k + words[useful], return_index=True)[1]]
    keys = target[rows.row[useful]] * k + words[useful]
    ordered = np.lexsort((-weights[useful], keys))
    useful, keys = useful[ordered], keys[ordered]
    starts = np.unique(keys, return_index=True)[1]
    rank = np.arange(len(keys)) - np.repeat(starts, np.diff(np.append(starts, len(keys))))
    for each, key in zip(useful[rank < _EXAMPLES].tolist(), keys[rank < _EXAMPLES].tolist(), strict=True):
        row = int(rows.row[each])
        position, name = int(rows.columns["position"][row]), str(rows.columns["image_id"][row])
        found = Example(float(weights[each]), position, name, int(rows.segment[each]))
        held = statistics.examples.setdefault(divmod(key, k), [])
        held.append(found)
        held.sort(key=lambda one: (-one.weight, one.position))
        del held[_EXAMPLES:]


def _keep_patterns(
    statistics: WordStatistics, rows: RowBatch, target: NDArray[np.int64], positive: NDArray[np.float64]
) -> None:
    """The surest picture of each class and combination of words at work."""
    total = positive.sum(axis=1, keepdims=True)
    at_work = (positive > 0) & (positive >= _COVERED_FROM * total)
    # Up to 64 words: one number says which.
    bits = (at_work.astype(np.uint64) << np.arange(positive.shape[1], dtype=np.uint64)).sum(axis=1, dtype=np.uint64)
    values = np.nan_to_num(rows.columns["predicted_value"])
    for number, pattern, value, position in zip(
        target.tolist(), bits.tolist(), values.tolist(), rows.columns["position"].astype(np.int64).tolist(), strict=True
    ):
        held = statistics.patterns.setdefault(number, {})
        best = held.get(pattern)
        if best is None:
            if pattern and len(held) < _MOST_PATTERNS:
                held[pattern] = value, position
        elif (-value, position) < (-best[0], best[1]):
            held[pattern] = value, position
