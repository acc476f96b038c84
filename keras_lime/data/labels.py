"""True labels in the forms in which they come → class ids, or sets of classes. May import numpy alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.data.arrays import to_numpy

__all__ = ["Labels", "class_ids", "read_labels", "true_classes"]


@dataclass(frozen=True, eq=False)
class Labels:
    """The true labels of some images.

    Attributes:
        ids: int64 array (n,) of class ids, or None if an image has several classes, or none.
        multi_hot: bool array (n, k), True for each class of an image; None if the labels are no rows of 0 and 1.
            One-hot labels have both: whether they are meant as sets of classes shows in other images of their data set.
    """

    ids: NDArray[np.int64] | None
    multi_hot: NDArray[np.bool_] | None = None


def read_labels(
    labels: Any, n_images: int, class_names: Sequence[str] | None = None, unknown_below_0: bool = False
) -> Labels:
    """Reads labels.

    Args:
        labels: ids of shape (n,) or (n, 1), names of classes of the same shapes, or rows of shape (n, k): one-hot,
            smoothed, or multi-hot (0 and 1, with any number of ones).
        n_images: how many images they belong to.
        class_names: names of the classes in the order of their ids, needed for labels that are names.
        unknown_below_0: let whole numbers below 0 stand. Defaults to `False`.

    Returns:
        The `Labels`.

    Raises:
        TypeError: if the labels are neither numbers nor names.
        ValueError: if the shape or the values are no class labels.
    """
    names = _as_text(labels)
    given = to_numpy(labels, "labels") if names is None else _ids_of(names, class_names)
    _check_shape(given, n_images)
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        raise ValueError("`labels` must be finite. Received: NaN or infinite values.")
    if given.ndim == 2 and given.shape[1] > 1:
        return _of_rows(given)
    flat = given.reshape(-1)
    ids = flat.astype(np.int64)
    wrong = flat[(ids != flat) | ((ids < 0) & (not unknown_below_0))]
    if wrong.size:
        raise ValueError(
            f"`labels` must be class ids: whole numbers from 0 on. Received: {wrong[0].item()!r}. "
            "For a regression model leave the labels out."
        )
    return Labels(ids)


def class_ids(labels: Any, n_images: int, class_names: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Class ids, one for each image; see `read_labels`.

    Returns:
        int64 array (n,), each at least 0.

    Raises:
        TypeError: if the labels are neither numbers nor names.
        ValueError: if they are no class labels, or several for one image.
    """
    found = read_labels(labels, n_images, class_names)
    if found.ids is None:
        row = to_numpy(labels, "labels")
        wrong = row[(row > 0).sum(axis=1) != 1][0]
        raise ValueError(
            f"`labels` of shape {row.shape} must be one-hot: rows with one largest value. "
            f"Received: {wrong.tolist()[:10]}. Where images have no single class, leave the labels out."
        )
    return found.ids


def true_classes(row: NDArray[np.bool_]) -> tuple[int, ...]:
    """The classes of one image, in order, of its multi-hot row."""
    return tuple(np.flatnonzero(row).tolist())


def _check_shape(given: NDArray[Any], n_images: int) -> None:
    if given.ndim in (1, 2) and len(given) == n_images:
        return
    if given.ndim > 2:
        remedy = (
            "Labels per pixel belong to segmentation; give one class per image. If these are images, a model's second "
            'input, name the inputs: ({"left": images, "right": others}, labels).'
        )
    else:
        remedy = f"There must be one label for each of the {n_images} images."
    raise ValueError(
        "`labels` must be class ids of shape (n,) or (n, 1), or one-hot rows of shape (n, k). "
        f"Received: shape={given.shape}. {remedy}"
    )


def _of_rows(given: NDArray[Any]) -> Labels:
    """One-hot, smoothed and multi-hot rows (n, k)."""
    largest = given.max(axis=1, keepdims=True)
    sums_to_one = (given >= 0).all(axis=1) & np.isclose(given.sum(axis=1), 1, atol=1e-2)
    single = sums_to_one & ((given == largest).sum(axis=1) == 1)
    ids = given.argmax(axis=1).astype(np.int64)
    if np.isin(given, (0, 1)).all():
        return Labels(ids if single.all() else None, given.astype(bool))
    if not single.all():
        raise ValueError(
            f"`labels` of shape {given.shape} must be rows of 0 and 1, or rows that sum to 1 with one largest value. "
            f"Received: {given[~single][0].tolist()[:10]}. For a regression model leave the labels out."
        )
    return Labels(ids)


def _as_text(labels: Any) -> NDArray[np.str_] | None:
    """Labels that are text, or None; TensorFlow gives bytes."""
    value = labels.numpy() if callable(getattr(labels, "numpy", None)) and not hasattr(labels, "detach") else labels
    if not isinstance(value, list | tuple | np.ndarray) or len(np.shape(value[:1])) > 2:
        return None
    array = np.asarray(value, dtype=object)
    if array.size == 0 or not all(isinstance(one, str | bytes) for one in array.flat):
        return None
    decoded = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in array.flat]
    return np.array(decoded, dtype=str).reshape(array.shape)


def _ids_of(names: NDArray[np.str_], class_names: Sequence[str] | None) -> NDArray[np.int64]:
    """Class ids of labels that are names."""
    if class_names is None:
        some = sorted(set(names.ravel().tolist()))[:5]
        raise ValueError(
            f"`labels` that are names need `class_names`, in the order of the model's outputs. Received: {some}. "
            "Where the model was trained on sorted names, pass class_names=sorted(set(labels))."
        )
    ids = {name: index for index, name in enumerate(class_names)}
    unknown = sorted(set(names.ravel().tolist()) - set(ids))
    if unknown:
        raise ValueError(
            f"`labels` that are names must be among `class_names`. Received: {unknown[:5]}. "
            f"Known are: {list(class_names)[:10]}."
        )
    return np.array([ids[name] for name in names.flat], dtype=np.int64).reshape(names.shape)
