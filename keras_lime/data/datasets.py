"""Anything `model.fit` takes → numpy batches of images, class ids and object masks.

Tensors and data sets are recognised by what they can do, so that none of their libraries is imported for it. May import
numpy alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.data.arrays import to_numpy

__all__ = ["Batch", "class_ids", "read_batches"]

_SLICE = 256
_TAKEN = (
    "a tf.data.Dataset, a keras.utils.PyDataset, a torch DataLoader, an iterable of (images, labels) batches or a "
    "tuple of arrays (images, labels)"
)


@dataclass(frozen=True, eq=False)
class Batch:
    """Some images of a data set.

    Attributes:
        images: array (n, h, w, c) or, of grey images, (n, h, w).
        labels: int64 array (n,) of class ids, or None.
        masks: array (n, h, w) of object masks, as they came, or None.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None
    masks: NDArray[Any] | None


def read_batches(dataset: Any) -> Iterator[Batch]:
    """Reads a data set batch by batch, for as long as it goes on.

    Args:
        dataset: what `model.fit` takes: a `tf.data.Dataset` (under any Keras backend), a `keras.utils.PyDataset`, a
            torch `DataLoader`, a generator or other iterable, each of batches `images`, `(images,)`,
            `(images, labels)` or `(images, labels, third)`; or arrays, `images` or a tuple such as `(images, labels)`.
            `third` is taken for object masks if it has the images' height and width, (n, h, w) or (n, h, w, 1); sample
            weights are ignored.

    Yields:
        One `Batch` per batch.

    Raises:
        TypeError: if `dataset` or what it gives is nothing of the kind.
        ValueError: if the images or labels are not those of an image classifier.
    """
    for element in _elements(dataset):
        images, labels, third = _parts(element)
        images = to_numpy(_only_one(images, "images"), "dataset")
        labels = None if labels is None else to_numpy(_only_one(labels, "labels"), "labels")
        _check_shape(images, labels)
        ids = None if labels is None else class_ids(labels, len(images))
        yield Batch(images, ids, _masks(third, images))


def class_ids(labels: Any, n_images: int) -> NDArray[np.int64]:
    """Class ids from the forms in which labels come.

    Args:
        labels: ids of shape (n,) or (n, 1), or rows of shape (n, k) with one largest value, one-hot or smoothed.
        n_images: how many images they belong to.

    Returns:
        int64 array (n,), each at least 0.

    Raises:
        TypeError: if the labels are no numbers.
        ValueError: if the shape or the values are no class labels.
    """
    given = to_numpy(labels, "labels")
    forms = "class ids of shape (n,) or (n, 1), or one-hot rows of shape (n, k)"
    if given.ndim not in (1, 2) or len(given) != n_images:
        remedy = (
            "Labels per pixel belong to segmentation; give one class per image."
            if given.ndim > 2
            else f"There must be one label for each of the {n_images} images."
        )
        raise ValueError(f"`labels` must be {forms}. Received: shape={given.shape}. {remedy}")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        raise ValueError("`labels` must be finite. Received: NaN or infinite values.")
    if given.ndim == 2 and given.shape[1] > 1:
        largest = given.max(axis=1, keepdims=True)
        one_hot = (given >= 0).all(axis=1) & np.isclose(given.sum(axis=1), 1, atol=1e-2)
        wrong_rows = given[~one_hot | ((given == largest).sum(axis=1) > 1)]
        if len(wrong_rows):
            raise ValueError(
                f"`labels` of shape {given.shape} must be one-hot: rows that sum to 1, with one largest value. "
                f"Received: {wrong_rows[0].tolist()[:10]}. Where images have no single class (several labels, "
                "regression), leave the labels out."
            )
        return np.asarray(given.argmax(axis=1), dtype=np.int64)
    flat = given.reshape(-1)
    ids = flat.astype(np.int64)
    wrong = flat[(ids != flat) | (ids < 0)]
    if wrong.size:
        raise ValueError(
            f"`labels` must be class ids: whole numbers from 0 on. Received: {wrong[0].item()!r}. "
            "For a regression model leave the labels out."
        )
    return ids


def _elements(dataset: Any) -> Iterator[Any]:
    if isinstance(dataset, str | PathLike):
        raise TypeError(
            f"`dataset` must be {_TAKEN}. Received: a path, {str(dataset)!r}. For a folder of images by class use "
            "ProbeSet.from_directory()."
        )
    if isinstance(dataset, tuple) and dataset and hasattr(dataset[0], "shape"):
        return _slices(dataset)
    if hasattr(dataset, "shape"):
        return _slices((dataset,))
    if hasattr(dataset, "num_batches") and hasattr(dataset, "__getitem__"):
        return _indexed(dataset)
    if not isinstance(dataset, Mapping) and (hasattr(dataset, "__iter__") or hasattr(dataset, "__next__")):
        iterable: Iterable[Any] = dataset
        return iter(iterable)
    remedy = " Call the generator function and pass what it returns." if callable(dataset) else ""
    raise TypeError(f"`dataset` must be {_TAKEN}. Received: {type(dataset).__name__}.{remedy}")


def _slices(arrays: tuple[Any, ...]) -> Iterator[Any]:
    """Goes through whole arrays in pieces, so that converting them never doubles the memory."""
    images, *others = arrays
    others = [None if other is None else to_numpy(other, "dataset") for other in others]
    for other in others:
        if other is not None and (other.ndim == 0 or len(other) != len(images)):
            raise ValueError(
                f"`dataset` must be arrays of one length. Received: {len(images)} images and an array of shape "
                f"{other.shape}."
            )
    for start in range(0, len(images), _SLICE):
        piece = slice(start, start + _SLICE)
        yield (images[piece], *(None if other is None else other[piece] for other in others))


def _indexed(dataset: Any) -> Iterator[Any]:
    batches = dataset.num_batches
    for index in count() if batches is None else range(int(batches)):
        yield dataset[index]


def _parts(element: Any) -> tuple[Any, Any, Any]:
    if isinstance(element, Mapping) and len(element) > 1:
        raise ValueError(
            f"`dataset` must give (images, labels) tuples. Received: a dictionary with the keys {list(element)}. "
            'Map it first, for instance with dataset.map(lambda row: (row["image"], row["label"])).'
        )
    if not isinstance(element, tuple | list):
        return element, None, None
    if not 1 <= len(element) <= 3:
        raise ValueError(
            f"`dataset` must give (images, labels) or (images, labels, third). Received: {len(element)} parts."
        )
    images, labels, third = (*element, None, None)[:3]
    return images, labels, third


def _only_one(value: Any, what: str) -> Any:
    """Takes a dictionary or sequence of one entry apart; several inputs or outputs are refused."""
    if isinstance(value, Mapping):
        names, entries = [repr(name) for name in value], list(value.values())
    elif isinstance(value, tuple) or (isinstance(value, list) and value and hasattr(value[0], "shape")):
        names, entries = [str(index) for index in range(len(value))], list(value)
    else:
        return value
    if len(entries) == 1:
        return entries[0]
    raise ValueError(
        f"`dataset` must give one array of {what} per batch. Received: {len(entries)} of them ({', '.join(names)}). "
        f"Map it to the {what} that belong to the explained {'input' if what == 'images' else 'output'}."
    )


def _check_shape(images: NDArray[Any], labels: NDArray[Any] | None) -> None:
    # A grey batch (n, h, w) and a single image (h, w, c) look alike but for the labels and the number of channels.
    labelled = labels is not None and labels.shape[:1] == images.shape[:1]
    if images.ndim == 4 or (images.ndim == 3 and images.shape[-1] > 4 and labelled):
        return
    remedy = ""
    if images.ndim in (2, 3):
        remedy = (
            " Single images are to be batched, dataset.batch(32); grey images need a channel axis, images[..., None]."
        )
    raise ValueError(
        f"`dataset` must give batches of images, (n, height, width, channels). Received: shape={images.shape}.{remedy}"
    )


def _masks(third: Any, images: NDArray[Any]) -> NDArray[Any] | None:
    if third is None or isinstance(third, Mapping):
        return None
    masks = to_numpy(third, "dataset")
    if masks.ndim < 3:
        return None
    if masks.ndim == 4 and masks.shape[-1] == 1:
        masks = masks[..., 0]
    if masks.shape != images.shape[:3]:
        raise ValueError(
            f"`dataset` must give object masks of shape {images.shape[:3]} as third part (or sample weights of shape "
            f"{images.shape[:1]}). Received: shape={masks.shape}."
        )
    return masks
