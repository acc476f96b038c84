"""Names of classes: checked as users give them, and found in what they read their images with.

Data sets are recognised by what they can do, so that none of their libraries is imported for it. May import numpy.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

__all__ = ["ClassNames", "as_class_names", "find_class_names"]

ClassNames = Sequence[str] | Mapping[str, int] | Mapping[int, str]
"""Names in the order of the class ids, or by id."""

_LONGEST_CHAIN = 1000
"""Data sets that are visited on the way to the head of a chain; more would be a loop."""


def as_class_names(names: Any, argument: str = "class_names") -> tuple[str, ...]:
    """Checks names of classes.

    Args:
        names: a sequence of strings in the order of the class ids, or a dictionary, from the name to the id
            (`class_indices` of Keras' generators, `class_to_idx` of torchvision) or from the id to the name.
        argument: how the argument is called in errors.

    Returns:
        The names in the order of their ids, from 0.

    Raises:
        TypeError: if they are neither, or a set, which has no order.
        ValueError: if a dictionary's ids are not 0, 1, 2 and so on.
    """
    if isinstance(names, Mapping):
        return _by_id(names, argument)
    if isinstance(names, np.ndarray):
        names = names.tolist()
    if isinstance(names, AbstractSet):
        raise TypeError(
            f"`{argument}` must be in the order of the class ids, and a set has no order. Received: a set of "
            f"{len(names)}. Give a list; sorted({argument}) is the order that Keras gives to folders."
        )
    if isinstance(names, str | bytes) or not isinstance(names, Sequence):
        raise TypeError(
            f"`{argument}` must be a sequence of strings, or a dictionary of names and ids. Received: "
            f"{argument}={names!r}. For one name, give a list of it."
        )
    if not all(isinstance(name, str) for name in names):
        wrong = next(name for name in names if not isinstance(name, str))
        raise TypeError(f"`{argument}` must be a sequence of strings. Received: {wrong!r} in it.")
    return tuple(str(name) for name in names)


def find_class_names(dataset: Any) -> tuple[str, ...] | None:
    """Looks for names of classes in a data set and in those that it was made of.

    Looked at are `class_names` (`keras.utils.image_dataset_from_directory`), `class_indices` (Keras' generators),
    `classes` and `class_to_idx` (torchvision) and `features` (Hugging Face). A `tf.data.Dataset` is followed through
    `.map()`, `.batch()`, `.prefetch()` and the like to the head of its chain, a PyTorch `DataLoader` or `Subset` to the
    data set that it wraps.

    Args:
        dataset: anything.

    Returns:
        The names in the order of the class ids; None where there are none, or where several heads of one chain
        disagree.
    """
    found = {names for names in map(_own_names, _chain(dataset)) if names}
    return found.pop() if len(found) == 1 else None


def _by_id(names: Mapping[Any, Any], argument: str) -> tuple[str, ...]:
    """The names of a dictionary, whichever way round it is."""
    pairs = list(names.items())
    if pairs and all(isinstance(key, str) for key, _ in pairs):
        pairs = [(value, key) for key, value in pairs]
    if not all(_is_id(index) and isinstance(name, str) for index, name in pairs):
        raise TypeError(
            f"`{argument}` must be a dictionary from names to ids, or from ids to names. "
            f"Received: {dict(list(names.items())[:3])}."
        )
    by_id = {int(index): str(name) for index, name in pairs}
    if sorted(by_id) != list(range(len(pairs))):
        raise ValueError(
            f"`{argument}` must name the class ids 0 to {len(pairs) - 1}, each once. "
            f"Received: the ids {sorted(int(index) for index, _ in pairs)[:10]}."
        )
    return tuple(by_id[index] for index in range(len(pairs)))


def _is_id(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _chain(dataset: Any) -> Iterator[Any]:
    """The data set, and all that it was made of; what has names of its own is not followed further."""
    waiting = [dataset]
    for _ in range(_LONGEST_CHAIN):
        if not waiting:
            return
        current = waiting.pop()
        yield current
        if not _own_names(current):
            waiting += _made_of(current)


def _made_of(dataset: Any) -> list[Any]:
    inputs = getattr(dataset, "_inputs", None)
    if callable(inputs):
        # `tf.data`: every transformation of one data set or several knows them by this method.
        return list(inputs())
    wrapped = getattr(dataset, "dataset", None)
    found = [] if wrapped is None else [wrapped]
    # PyTorch's `ConcatDataset`, and the data sets of Grain.
    for attribute in ("datasets", "_parents"):
        several = getattr(dataset, attribute, None)
        if isinstance(several, list | tuple):
            found += several
    return found


def _own_names(dataset: Any) -> tuple[str, ...] | None:
    """The names that a data set itself carries, or None where it carries none or what is something else."""
    for attribute in ("class_names", "class_indices", "class_to_idx", "classes"):
        names = getattr(dataset, attribute, None)
        try:
            # `classes` of Keras' generators holds the ids of all images: numbers, and no names.
            return as_class_names(names) or None
        except (TypeError, ValueError):
            continue
    return _feature_names(getattr(dataset, "features", None))


def _feature_names(features: Any) -> tuple[str, ...] | None:
    """The names of the one class label among the features of a Hugging Face data set."""
    if not isinstance(features, Mapping):
        return None
    labels = [feature.names for feature in features.values() if isinstance(getattr(feature, "names", None), list)]
    return as_class_names(labels[0]) if len(labels) == 1 else None
