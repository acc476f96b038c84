"""A sample of images → what tells their class beside the object. May import numpy and the modules beside it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.phrases import count_of, listing
from keras_lime.data_check.agreement import FOLDS, Agreement, agreement
from keras_lime.data_check.copies import Copies, find_copies
from keras_lime.data_check.features import PROPERTIES
from keras_lime.data_check.result import DataCheck, Telling
from keras_lime.data_check.sample import Sample
from keras_lime.shortcut.results import Status

__all__ = ["LEAST_KAPPA", "judge", "telling", "why_untellable"]

LEAST_KAPPA = 0.1
"""Less is nothing to speak of, however sure."""

_ERRORS = 3
"""Standard errors above zero from which a kappa counts: eight properties are looked at."""

_SHUFFLES = 5
_EXAMPLES = 6
_SHOWN_CLASSES = 4


def judge(sample: Sample, probes: tuple[Sequence[str], NDArray[np.uint8]] | None = None, *, seed: int = 0) -> DataCheck:
    """Says what tells the class.

    Args:
        sample: of the data set.
        probes: names and thumbnails (m, s, s, 3) of the probes. Defaults to `None`.
        seed: of cross-validation and shuffles.
    """
    thumbnails = np.stack([image.thumbnail for image in sample.images])
    names = [image.name for image in sample.images]
    copies = find_copies(thumbnails)
    labels = sample.labels
    same, conflicts = _sorted_pairs(copies, names, labels)
    leaks = () if probes is None else _leaks(thumbnails, names, probes)
    usable, obstacle, gaps = _usable(sample)
    found = () if obstacle else _properties(sample, usable, copies, seed)
    if not sample.complete:
        gaps.append(f"The data set was read up to image {sample.n_seen:,}; raise `max_scan` for more.")
    alarm = any(each.found for each in found) or bool(conflicts or leaks)
    status = Status.ALARM if alarm else Status.CANNOT_SAY if obstacle else Status.PASSED
    if alarm and obstacle:
        gaps.insert(0, obstacle)
    return DataCheck(
        status,
        "" if alarm else obstacle,
        found,
        len(names),
        sample.n_seen,
        _counts(labels, sample.class_names),
        same,
        conflicts,
        leaks,
        sample.unreadable,
        tuple(gaps),
    )


def why_untellable(labels: NDArray[np.int64] | None) -> str:
    """Why classes cannot be compared, a sentence; empty where they can."""
    if labels is None:
        return "The images have no labels."
    classes, counts = np.unique(labels, return_counts=True)
    if len(classes) < 2:
        return "All images are of one class."
    if (counts >= FOLDS).sum() < 2:
        return f"The images are too few: it takes {FOLDS} of each of two classes, and 50 of each do well."
    return ""


def telling(
    name: str,
    columns: NDArray[np.float64],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64] | None = None,
    *,
    class_names: tuple[str, ...] | None = None,
    positions: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> Telling:
    """How well one property tells the class.

    Args:
        name: of the property.
        columns: float array (n, d).
        labels: class ids (n,), of each class at least `FOLDS`.
        groups: see `agreement`. Defaults to `None`.
        class_names: names of the classes, or None.
        positions: of the images, for the examples. Defaults to `None`, 0 to n − 1.
        seed: of cross-validation and shuffles.
    """
    found = agreement(columns, labels, groups=groups, seed=seed)
    clean = _ERRORS * found.chance_stderr
    finds = found.kappa > max(_ERRORS * found.stderr, clean, LEAST_KAPPA)
    if finds:
        rng = np.random.default_rng(seed)
        shuffled = (agreement(columns, rng.permutation(labels), groups=groups, seed=seed) for _ in range(_SHUFFLES))
        clean = max(clean, *(each.kappa for each in shuffled))
        finds = found.kappa > clean
    classes, examples = _best(found, labels, class_names, np.arange(len(labels)) if positions is None else positions)
    return Telling(name, found.kappa, found.stderr, clean, bool(finds), classes, examples)


def _best(
    found: Agreement, labels: NDArray[np.int64], class_names: tuple[str, ...] | None, positions: NDArray[np.int64]
) -> tuple[tuple[tuple[str, float], ...], tuple[tuple[str, tuple[int, ...]], ...]]:
    """The classes that are recognised best, with the share recognised, and examples of them."""
    right = found.guesses == labels
    shares = {int(label): float(right[labels == label].mean()) for label in np.unique(labels)}
    best = sorted(shares, key=lambda label: -shares[label])[:_SHOWN_CLASSES]
    examples = [
        (class_title(label, class_names), tuple(positions[right & (labels == label)][:_EXAMPLES].tolist()))
        for label in best
    ]
    return tuple((class_title(label, class_names), shares[label]) for label in best), tuple(examples)


def _usable(sample: Sample) -> tuple[NDArray[np.int64], str, list[str]]:
    """Positions of the images whose classes can be compared, why there are none, and what is left out."""
    labels = sample.labels
    obstacle = why_untellable(labels)
    if obstacle or labels is None:
        if sample.several:
            obstacle = "The images have several classes each, or none."
        return np.empty(0, np.int64), obstacle, []
    classes, counts = np.unique(labels, return_counts=True)
    few = classes[counts < FOLDS]
    gaps = []
    if len(few):
        shown = listing([class_title(int(label), sample.class_names) for label in few])
        gaps.append(f"{count_of(len(few), 'class', 'classes')} with fewer than {FOLDS} images left out: {shown}.")
    if counts[counts >= FOLDS].min() < 10 * FOLDS:
        gaps.append("Some classes have fewer than 50 images, so that only strong traces are found.")
    return np.flatnonzero(~np.isin(labels, few)), "", gaps


def _properties(sample: Sample, usable: NDArray[np.int64], copies: Copies, seed: int) -> tuple[Telling, ...]:
    labels = sample.labels
    if labels is None or copies.groups is None:
        return ()
    found = []
    for name in PROPERTIES:
        columns = sample.columns(name)
        if columns is not None:
            found.append(
                telling(
                    name,
                    columns[usable],
                    labels[usable],
                    copies.groups[usable],
                    class_names=sample.class_names,
                    positions=usable,
                    seed=seed,
                )
            )
    # Light, colour and sharpness are in the frame too; where one of them tells as much, it is the better word.
    return tuple(sorted(found, key=lambda each: (not each.found, -round(each.kappa, 1), each.name == "frame")))


def _sorted_pairs(
    copies: Copies, names: Sequence[str], labels: NDArray[np.int64] | None
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    """Pairs of names within a class, and those under two labels."""
    same: list[tuple[str, str]] = []
    conflicts: list[tuple[str, str]] = []
    for first, second in copies.pairs.tolist():
        differ = labels is not None and labels[first] != labels[second]
        (conflicts if differ else same).append((names[first], names[second]))
    return tuple(same), tuple(conflicts)


def _leaks(
    thumbnails: NDArray[np.uint8], names: Sequence[str], probes: tuple[Sequence[str], NDArray[np.uint8]]
) -> tuple[tuple[str, str], ...]:
    probe_names, others = probes
    pairs = find_copies(thumbnails, others).pairs.tolist()
    return tuple((names[first], f"probe {probe_names[second]}") for first, second in pairs)


def _counts(labels: NDArray[np.int64] | None, class_names: tuple[str, ...] | None) -> dict[str, int]:
    if labels is None:
        return {}
    classes, counts = np.unique(labels, return_counts=True)
    return {
        class_title(label, class_names): count for label, count in zip(classes.tolist(), counts.tolist(), strict=True)
    }
