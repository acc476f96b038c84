"""Which images of a data set become probes: balanced by class, and by content, so that order and batches do not matter.

May import numpy, the core and `data.datasets`.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import InputName
from keras_lime.data.datasets import Batch
from keras_lime.data.labels import true_classes
from keras_lime.exceptions import warn
from keras_lime.probes.frame_check import FrameCheck
from keras_lime.probes.identity import probe_id
from keras_lime.probes.sizes import Sizes

__all__ = ["Candidate", "Pool", "Scan", "scan", "seeded_key"]

_NO_CLASS = -1
"""Group of the images that have no class, or of which none is known."""


@dataclass(eq=False)
class Candidate:
    """An image that may become a probe.

    Attributes:
        key: its place in the seeded order, smallest first.
        id: `image_id` of the image.
        image: array (h, w, c) or (h, w).
        label: class id, or None.
        mask: object mask (h, w), or None.
        classes: true classes, where the labels are rows of 0 and 1, or None.
        inputs: its rows of the model's other inputs.
    """

    key: str
    id: str
    image: NDArray[Any]
    label: int | None
    mask: NDArray[Any] | None = None
    classes: tuple[int, ...] | None = None
    inputs: Mapping[InputName, NDArray[Any]] = field(default_factory=dict)

    @property
    def group(self) -> int:
        """The class by which the selection is balanced: of several the lowest."""
        if self.classes:
            return self.classes[0]
        return _NO_CLASS if self.label is None else self.label


class Pool:
    """The best candidates so far; never holds more of them than can still be taken.

    Each class ranks its images by key. All images are then in one order: rank 0 of all classes, by key, then rank 1 and
    so on, so that a class with few images leaves its places to the others. Every selection is the head of this order.
    A further image can only worsen the ranks of those already there, so what falls out would not have come back.

    Args:
        sizes: how many images are taken.
    """

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._ranked: dict[int, list[Candidate]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._ranked.values()))

    def add(self, candidate: Candidate) -> bool:
        """Takes a candidate in, if it is good enough and new; says whether it was."""
        ranked = self._ranked.setdefault(candidate.group, [])
        rank = bisect_left(ranked, candidate.key, key=lambda other: other.key)
        if rank < len(ranked) and ranked[rank].key == candidate.key:
            return False
        ranked.insert(rank, candidate)
        if len(self) <= self._sizes.taken(map(len, self._ranked.values())):
            return True
        return self._drop_the_last() is not candidate

    def selected(self) -> tuple[list[Candidate], list[Candidate]]:
        """The explained images, and the further ones for tests; each by class and within a class by key.

        An image with two labels keeps the lower one.
        """
        places = sorted(
            (rank, candidate.key, candidate.group)
            for ranked in self._ranked.values()
            for rank, candidate in enumerate(ranked)
        )
        head = {(key, group) for _, key, group in places[: self._sizes.explained(map(len, self._ranked.values()))]}
        by_class = [candidate for group in sorted(self._ranked) for candidate in self._ranked[group]]
        explained: dict[str, Candidate] = {}
        further: dict[str, Candidate] = {}
        for candidate in by_class:
            if (candidate.key, candidate.group) in head:
                explained.setdefault(candidate.id, candidate)
        for candidate in by_class:
            if candidate.id not in explained:
                further.setdefault(candidate.id, candidate)
        return list(explained.values()), list(further.values())

    def _drop_the_last(self) -> Candidate:
        last = max(self._ranked.values(), key=lambda ranked: (len(ranked), ranked[-1].key))
        dropped = last.pop()
        if not last:
            del self._ranked[dropped.group]
        return dropped


def seeded_key(seed: int, content: str) -> str:
    """A place in an order that depends on `seed` and on nothing but the content."""
    return hashlib.sha256(f"{seed}:{content}".encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Scan:
    """What a data set was found to hold.

    Attributes:
        explained: the images that are explained.
        further: those that shortcut tests use besides.
        n_images: how many images were looked at, equal ones counted once.
    """

    explained: list[Candidate]
    further: list[Candidate]
    n_images: int


def scan(
    batches: Iterable[Batch],
    sizes: Sizes,
    *,
    seed: int,
    max_scan: int | None,
    frame_check: FrameCheck | None = None,
) -> Scan:
    """Scans batches and selects.

    Args:
        batches: the data set.
        sizes: how many images are taken; `num_tested` counts where there are labels.
        seed: orders the images.
        max_scan: images to look at, or None for all.
        frame_check: looks at the images too. Defaults to `None`.

    Returns:
        The `Scan`; equal images count once.

    Raises:
        ValueError: if images differ in shape, or only some have labels, masks or further inputs, or `per_class` finds
            no labels.
    """
    pool = Pool(sizes)
    seen: set[str] = set()
    scanned = 0
    first: Batch | None = None
    for batch in batches:
        first = first or batch
        _check_alike(first, batch, sizes.per_class)
        for index, image in enumerate(_stored(batch.images)):
            if scanned == max_scan:
                _warn_unread(scanned, len(seen))
                return Scan(*pool.selected(), len(seen))
            scanned += 1
            inputs = {name: rows[index] for name, rows in batch.inputs.items()}
            content = probe_id(image, inputs)
            if frame_check is not None and batch.labels is not None and content not in seen:
                frame_check.look(image, int(batch.labels[index]))
            seen.add(content)
            candidate = Candidate(
                seeded_key(seed, content),
                content,
                image,
                label=None if batch.labels is None else int(batch.labels[index]),
                classes=None if batch.multi_hot is None else true_classes(batch.multi_hot[index]),
            )
            if pool.add(candidate):
                # Views would keep the whole batch in memory.
                candidate.image = image.copy()
                candidate.inputs = {name: row.copy() for name, row in inputs.items()}
                candidate.mask = None if batch.masks is None else batch.masks[index].copy()
    return Scan(*pool.selected(), len(seen))


def _stored(images: NDArray[Any]) -> NDArray[Any]:
    """As `ProbeSet` keeps them: only then is a candidate's id the probe's."""
    return images.astype(np.float32, copy=False) if images.dtype.kind == "f" else images


def _check_alike(first: Batch, batch: Batch, per_class: int | None) -> None:
    if first.images.shape[1:] != batch.images.shape[1:]:
        raise ValueError(
            f"`dataset` must give images of one shape. Received: {first.images.shape[1:]} and "
            f"{batch.images.shape[1:]}. Resize or crop them to what the model takes."
        )
    parts = {
        "labels": (_is_labelled(first), _is_labelled(batch)),
        "masks": (first.masks is not None, batch.masks is not None),
        "the same inputs": (True, first.inputs.keys() == batch.inputs.keys()),
    }
    for what, (before, now) in parts.items():
        if before is not now:
            raise ValueError(
                f"`dataset` must give {what} with every batch or with none. Received: only some have them."
            )
    if per_class is not None and not _is_labelled(batch):
        raise ValueError(
            f"`per_class` needs labels. Received: per_class={per_class} and a `dataset` without labels. "
            "Use `num_probes`."
        )


def _is_labelled(batch: Batch) -> bool:
    return batch.labels is not None or batch.multi_hot is not None


def _warn_unread(scanned: int, distinct: int) -> None:
    # An endless data set that repeats itself has been read in full.
    if 2 * distinct > scanned:
        warn(
            f"The probes were chosen among the first {scanned} images: `dataset` has more than `max_scan`. If it is "
            "shuffled, augmented or sorted by class, another run may choose others, or miss classes. Raise `max_scan` "
            "(None reads all), or pass a fixed data set."
        )
