"""The choice of probes: balanced by class, and by image content, so that order, batch size and run do not matter.

May import numpy, the core and `datasets`.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.image import image_id
from keras_lime.data.datasets import Batch
from keras_lime.exceptions import warn

__all__ = ["Candidate", "Pool", "choose", "seeded_key"]


@dataclass(eq=False)
class Candidate:
    """An image that may become a probe.

    Attributes:
        key: its place in the seeded order, smallest first.
        id: `image_id` of the image.
        image: array (h, w, c) or (h, w).
        label: class id, or None.
        mask: object mask (h, w), or None.
    """

    key: str
    id: str
    image: NDArray[Any]
    label: int | None
    mask: NDArray[Any] | None


class Pool:
    """The best candidates so far; never holds more of them than can still be chosen.

    Each class ranks its images by key. Chosen are the images of rank 0 of all classes, by key, then those of rank 1 and
    so on: a class with few images leaves its places to the others. A further image can only worsen the ranks of those
    already there, so what falls out would not have come back.

    Args:
        per_class: how many of each class at most, or None.
        num_probes: how many altogether at most, or None.
    """

    def __init__(self, per_class: int | None, num_probes: int | None) -> None:
        self._per_class = per_class
        self._num_probes = num_probes
        self._classes: dict[int | None, list[Candidate]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._classes.values()))

    def add(self, candidate: Candidate) -> bool:
        """Takes a candidate in, if it is good enough and new; says whether it was."""
        ranked = self._classes.setdefault(candidate.label, [])
        place = bisect_left(ranked, candidate.key, key=lambda other: other.key)
        if place < len(ranked) and ranked[place].key == candidate.key:
            return False
        ranked.insert(place, candidate)
        if self._per_class is not None and len(ranked) > self._per_class:
            return ranked.pop() is not candidate
        if self._num_probes is not None and len(self) > self._num_probes:
            worst = max(self._classes.values(), key=lambda rank: (len(rank), rank[-1].key))
            dropped = worst.pop()
            if not worst:
                del self._classes[dropped.label]
            return dropped is not candidate
        return True

    def chosen(self) -> list[Candidate]:
        """The choice, by class and within a class by key; an image with two labels keeps the lower one."""
        ordered = [one for label in sorted(self._classes, key=lambda x: (x is None, x)) for one in self._classes[label]]
        unique: dict[str, Candidate] = {}
        for one in ordered:
            unique.setdefault(one.id, one)
        return list(unique.values())


def seeded_key(seed: int, content: str) -> str:
    """A place in an order that depends on `seed` and on nothing but the content."""
    return hashlib.sha256(f"{seed}:{content}".encode()).hexdigest()


def choose(
    batches: Iterable[Batch], *, per_class: int | None, num_probes: int | None, seed: int, max_scan: int | None
) -> list[Candidate]:
    """Scans batches and chooses.

    Args:
        batches: the data set.
        per_class: how many of each class at most, or None.
        num_probes: how many altogether at most, or None.
        seed: orders the images.
        max_scan: images to look at, or None for all.

    Returns:
        The chosen candidates; equal images count once.

    Raises:
        ValueError: if images differ in shape, or only some have labels or masks, or `per_class` finds no labels.
    """
    pool, seen, scanned = Pool(per_class, num_probes), set[str](), 0
    first: Batch | None = None
    for batch in batches:
        first = first or batch
        _check_alike(first, batch, per_class)
        for index, image in enumerate(_stored(batch.images)):
            if scanned == max_scan:
                _warn_unread(scanned, len(seen))
                return pool.chosen()
            scanned += 1
            content = image_id(image)
            seen.add(content)
            label = None if batch.labels is None else int(batch.labels[index])
            candidate = Candidate(seeded_key(seed, content), content, image, label, None)
            if pool.add(candidate):
                # A view would keep the whole batch in memory.
                candidate.image = image.copy()
                candidate.mask = None if batch.masks is None else batch.masks[index].copy()
    return pool.chosen()


def _stored(images: NDArray[Any]) -> NDArray[Any]:
    """As `ProbeSet` keeps them: only then is a candidate's id the probe's."""
    return images.astype(np.float32, copy=False) if images.dtype.kind == "f" else images


def _check_alike(first: Batch, batch: Batch, per_class: int | None) -> None:
    if first.images.shape[1:] != batch.images.shape[1:]:
        raise ValueError(
            f"`dataset` must give images of one shape. Received: {first.images.shape[1:]} and "
            f"{batch.images.shape[1:]}. Resize or crop them to what the model takes."
        )
    for what, one, other in (("labels", first.labels, batch.labels), ("masks", first.masks, batch.masks)):
        if (one is None) != (other is None):
            raise ValueError(
                f"`dataset` must give {what} with every batch or with none. Received: only some have them."
            )
    if per_class is not None and batch.labels is None:
        raise ValueError(
            f"`per_class` needs labels. Received: per_class={per_class} and a `dataset` without labels. "
            "Use `num_probes`."
        )


def _warn_unread(scanned: int, distinct: int) -> None:
    # An endless data set that repeats itself has been read in full.
    if 2 * distinct > scanned:
        warn(
            f"The probes were chosen among the first {scanned} images: `dataset` has more than `max_scan`. If it is "
            "shuffled, augmented or sorted by class, another run may choose others, or miss classes. Raise `max_scan` "
            "(None reads all), or pass a fixed data set."
        )
