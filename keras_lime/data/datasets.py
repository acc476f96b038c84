"""Anything `model.fit` takes → NumPy batches of images, labels, object masks and further inputs.

Data sets are recognised by what they can do, so that none of their libraries is imported for it. May import numpy.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import InputName
from keras_lime.data.arrays import to_numpy
from keras_lime.data.batch_parts import pick_image, pick_labels, split_element
from keras_lime.data.labels import read_labels

__all__ = ["Batch", "read_batches"]

_SLICE = 256
"""Images that are taken at once from whole arrays."""

_EXPECTED = (
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
        multi_hot: bool array (n, k) of labels that are rows of 0 and 1; see `keras_lime.data.labels.Labels`.
        inputs: the model's other inputs by name, or by position where they have none, each an array (n, ...).
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None
    masks: NDArray[Any] | None
    multi_hot: NDArray[np.bool_] | None = None
    inputs: Mapping[InputName, NDArray[Any]] = field(default_factory=dict)


def read_batches(
    dataset: Any,
    *,
    class_names: Sequence[str] | None = None,
    image_input: InputName | None = None,
    unknown_below_0: bool = False,
) -> Iterator[Batch]:
    """Reads a data set batch by batch, for as long as it goes on.

    Args:
        dataset: what `model.fit` takes: a `tf.data.Dataset` (under any Keras backend), a `keras.utils.PyDataset`, a
            torch `DataLoader`, a generator or other iterable, each of batches `images`, `(images,)`,
            `(images, labels)` or `(images, labels, third)`; or arrays, `images` or a tuple such as `(images, labels)`.
            For a model with several inputs `images` is a dictionary or a tuple of them. `third` is taken for object
            masks if it has the images' height and width, (n, h, w) or (n, h, w, 1); sample weights are ignored.
        class_names: names of the classes, for labels that are names. Defaults to `None`.
        image_input: name or position of the image among several inputs. Defaults to `None`: the only one of shape
            (n, h, w, c).
        unknown_below_0: let labels below 0 stand, which mean that the class is not known; otherwise they are refused.
            Defaults to `False`.

    Yields:
        One `Batch` per batch.

    Raises:
        TypeError: if `dataset` or what it gives is nothing of the kind.
        ValueError: if the images or labels are not those of an image classifier.
    """
    for element in _elements(dataset):
        given_images, given_labels, third = split_element(element)
        images, inputs = pick_image(given_images, image_input)
        labels = pick_labels(given_labels)
        _check_shape(images, labels)
        read = None if labels is None else read_labels(labels, len(images), class_names, unknown_below_0)
        yield Batch(
            images,
            labels=None if read is None else read.ids,
            masks=_masks(third, images),
            multi_hot=None if read is None else read.multi_hot,
            inputs=inputs,
        )


def _elements(dataset: Any) -> Iterator[Any]:
    """The batches of a data set, whatever kind it is."""
    if isinstance(dataset, str | PathLike):
        raise TypeError(
            f"`dataset` must be {_EXPECTED}. Received: a path, {str(dataset)!r}. For a folder of images by class use "
            "ProbeSet.from_directory()."
        )
    _refuse_hugging_face(dataset)
    if hasattr(dataset, "shape"):
        return _slices((dataset,))
    if _is_arrays(dataset):
        return _slices(dataset)
    if hasattr(dataset, "num_batches") and hasattr(dataset, "__getitem__"):
        return _indexed(dataset)
    if not isinstance(dataset, Mapping) and (hasattr(dataset, "__iter__") or hasattr(dataset, "__next__")):
        iterable: Iterable[Any] = dataset
        return iter(iterable)
    remedy = " Call the generator function and pass what it returns." if callable(dataset) else ""
    raise TypeError(f"`dataset` must be {_EXPECTED}. Received: {type(dataset).__name__}.{remedy}")


def _refuse_hugging_face(dataset: Any) -> None:
    """Hugging Face's data sets give single rows, of images of any size, in which nothing says what is the image."""
    if not hasattr(dataset, "column_names"):
        return
    if isinstance(dataset, Mapping):
        raise TypeError(
            f"`dataset` must be one data set. Received: {type(dataset).__name__} of {list(dataset)}. "
            f"Give one of them: dataset[{next(iter(dataset), 'train')!r}]."
        )
    raise TypeError(
        f"`dataset` must give batches (images, labels). Received: rows of the columns {dataset.column_names}. Resize "
        'the images to one size with dataset.map(), and then pass dataset.to_tf_dataset(columns="image", '
        'label_cols="label", batch_size=32) and class_names=dataset.features["label"].names.'
    )


def _is_arrays(dataset: Any) -> bool:
    """Whether a tuple holds whole arrays, (images, labels), and not batches.

    The images of several inputs are a dictionary or list of arrays. A list of arrays may as well be a batch
    (images, labels): only an array beside it, and no second list, tells them apart.
    """
    if not isinstance(dataset, tuple) or not dataset:
        return False
    images, *others = dataset
    if hasattr(images, "shape") or isinstance(images, Mapping):
        return True
    several = isinstance(images, list | tuple) and len(images) > 0 and all(hasattr(one, "shape") for one in images)
    return several and len(others) > 0 and all(other is None or hasattr(other, "shape") for other in others)


def _slices(arrays: tuple[Any, ...]) -> Iterator[Any]:
    """Goes through whole arrays in pieces, so that converting them never doubles the memory."""
    images, *others = arrays
    entries = list(images.values()) if isinstance(images, Mapping) else images if _several(images) else [images]
    total = len(entries[0]) if entries else 0
    others = [pick_labels(other) if isinstance(other, Mapping) else other for other in others]
    for other in [*entries, *others]:
        if other is not None and (np.ndim(other) == 0 or len(other) != total):
            raise ValueError(
                f"`dataset` must be arrays of one length. Received: {total} images and an array of shape "
                f"{np.shape(other)}."
            )
    for start in range(0, total, _SLICE):
        piece = slice(start, start + _SLICE)
        if isinstance(images, Mapping):
            part: Any = {name: entry[piece] for name, entry in images.items()}
        elif _several(images):
            part = tuple(entry[piece] for entry in images)
        else:
            part = images[piece]
        yield (part, *(None if other is None else other[piece] for other in others))


def _several(images: Any) -> bool:
    return isinstance(images, list | tuple)


def _indexed(dataset: Any) -> Iterator[Any]:
    batches = dataset.num_batches
    for index in count() if batches is None else range(int(batches)):
        yield dataset[index]


def _check_shape(images: NDArray[Any], labels: Any) -> None:
    # A grey batch (n, h, w) and a single image (h, w, c) look alike but for the labels and the number of channels.
    labelled = labels is not None and np.shape(labels)[:1] == images.shape[:1]
    if images.ndim == 4 or (images.ndim == 3 and images.shape[-1] > 4 and labelled):
        return
    remedy = ""
    if images.ndim in (2, 3):
        remedy = " Batch single images, dataset.batch(32), and give grey images a channel axis, images[..., None]."
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
