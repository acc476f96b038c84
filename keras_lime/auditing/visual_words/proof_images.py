"""The images with which suspicious words are proved: which ones are taken, and model input from what the audit stored.

Pictures are read back from the audit's own folder, so that a proof is the same for every source of images, streams
included, and after every interruption. May import numpy, Pillow, the core, `shortcut` and the modules beside it.
"""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.auditing.storage.row_batches import explained, row_batches, rows_at
from keras_lime.auditing.visual_words.vocabulary import FEATURES, ROW_PART, Vocabulary, draw, features
from keras_lime.core.display import Display
from keras_lime.shortcut.outlines import estimate_outline

__all__ = ["IMAGES", "Candidate", "Pool", "ProofImage", "Source", "choose_images", "read_images"]

Candidate = tuple[int, int]
"""A predicted class and a word that is suspected of speaking for it."""

IMAGES = 16
"""Images from which a word's patches are cut, images of a class that lend their surroundings, and images of other
classes that get either: each is used once, so that the pastes are independent."""

_LEAST_AREA = 0.02
"""Share of an image that a word must cover, to be cut from it."""


@dataclass(frozen=True, eq=False)
class Source:
    """An image from which a word's patches are cut.

    Attributes:
        position: in the data set.
        segments: int64 array, the word's superpixels in it.
        drawn: its number in the draw; the smallest are taken.
    """

    position: int
    segments: NDArray[np.int64]
    drawn: float


@dataclass(frozen=True)
class Pool:
    """Which images a proof needs, by position in the data set.

    Attributes:
        sources: for each candidate images of the class that have the word, drawn from the seed. Not those in which it
            speaks most: chosen for that, some images pull in any model.
        of_class: for each predicted class some of its images, drawn likewise.
        labels: true class of each of the latter, −1 where it is not known.
    """

    sources: Mapping[Candidate, Sequence[Source]]
    of_class: Mapping[int, Sequence[int]]
    labels: Mapping[int, int]

    def others(self, number: int) -> dict[int, int]:
        """Images that are neither predicted as a class nor of it, with their predicted classes.

        Two of each other class at a time, so that most have another one of their own class beside them, and beginning
        with the class that follows: where there are more classes than images to take, none is the background of all.
        """
        classes = [other for other in sorted(self.of_class) if other > number]
        classes += [other for other in sorted(self.of_class) if other < number]
        rows = {other: [each for each in self.of_class[other] if self.labels[each] != number] for other in classes}
        turns = [
            (each, other)
            for start in range(0, IMAGES, 2)
            for other, row in rows.items()
            for each in row[start : start + 2]
        ]
        return dict(turns[:IMAGES])


@dataclass(frozen=True, eq=False)
class ProofImage:
    """An image of the audit.

    Attributes:
        picture: uint8 array (h, w, 3), as shown to people.
        pixels: float32 array, model input of the same; what 8 bits and JPEG keep of it.
        segments: int array (h, w).
        mask: bool array (h, w), True on the object: the audit's mask, else an estimated outline.
    """

    picture: NDArray[np.uint8]
    pixels: NDArray[np.float32]
    segments: NDArray[np.int64]
    mask: NDArray[np.bool_]


def choose_images(folder: Path, candidates: Collection[Candidate], vocabulary: Vocabulary, seed: int) -> Pool:
    """Goes through all rows once; what is kept grows with classes and words, not with images."""
    sources: dict[Candidate, list[Source]] = {each: [] for each in candidates}
    of_class: dict[int, list[tuple[float, int, int]]] = {}
    words_of: dict[int, list[int]] = {}
    for number, word in candidates:
        words_of.setdefault(number, []).append(word)
    for batch in row_batches(folder, (*ROW_PART, "label"), FEATURES):
        rows = batch.take(explained(batch))
        words = vocabulary.words(features(rows))
        drawn = draw(rows.columns["position"], seed)
        labels = np.nan_to_num(rows.columns["label"], nan=-1)
        ends = np.searchsorted(rows.row, np.arange(len(rows) + 1))
        for row in range(len(rows)):
            position, number = int(rows.columns["position"][row]), int(rows.columns["target"][row])
            known = of_class.setdefault(number, [])
            known.append((float(drawn[row]), position, int(labels[row])))
            known.sort()
            del known[IMAGES:]
            for word in words_of.get(number, ()):
                own = ends[row] + np.flatnonzero(words[ends[row] : ends[row + 1]] == word)
                if rows.segments["segment_area"][own].sum() < _LEAST_AREA:
                    continue
                first = sources[number, word]
                first.append(Source(position, rows.segment[own], float(drawn[row])))
                first.sort(key=lambda each: (each.drawn, each.position))
                del first[IMAGES:]
    return Pool(
        sources,
        {number: [position for _, position, _ in known] for number, known in of_class.items()},
        {position: label for known in of_class.values() for _, position, label in known},
    )


def read_images(
    folder: Path, positions: Iterable[int], display: Display, image_shape: tuple[int, ...]
) -> dict[int, ProofImage]:
    """The images by position; `display` must be invertible."""
    found = {}
    for row in rows_at(folder, "pictures", set(positions), ("picture", "segments", "object_mask")):
        picture = _decoded(row["picture"]).astype(np.uint8)
        mask = row["object_mask"]
        found[row["position"]] = ProofImage(
            picture,
            display.model_input(picture, image_shape),
            _decoded(row["segments"]).astype(np.int64),
            estimate_outline(picture)[0] if mask is None else _decoded(mask).astype(bool),
        )
    return found


def _decoded(file: bytes) -> NDArray[Any]:
    with Image.open(io.BytesIO(file)) as opened:
        return np.asarray(opened)
