"""`SwapBackgrounds`: the layer that puts a share of composites into every batch of a training. May import Keras."""

import itertools
import sys
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.curing.composites import make_compositor
from keras_lime.curing.swapped_dataset import swapped_dataset
from keras_lime.data.arrays import to_numpy
from keras_lime.probes import ProbeSet
from keras_lime.shortcut.outlines import refine_box
from keras_lime.shortcut.probe_data import prepare_probes

__all__ = ["SwapBackgrounds", "check_pool"]

_OTHER_RANGE = 8.0
"""Pool and batch have different ranges (0..255 and 0..1, say) when their largest values differ by this factor."""

_ROUNDING = 0.01
"""Rows of float16 labels add up to one within this."""


@keras.saving.register_keras_serializable("keras_lime")
class SwapBackgrounds(keras.layers.Layer):
    """Replaces a share of every batch by objects on other backgrounds, so that backgrounds stop telling the class.

    For a `tf.data` pipeline, under every Keras backend: `train_ds = train_ds.map(SwapBackgrounds(pool))`. For arrays, a
    `PyDataset`, a torch `DataLoader` and iterators of batches: `train_ds = SwapBackgrounds(pool).dataset(train_ds)`.
    Objects come from a small pool of images whose object is outlined; each is pasted, with soft edges, before the
    background of any image of the pool, drawn evenly over the classes. 250 outlined images do well, 30 help.

    A composite takes the place of an image, and its label that of the image's label; sample weights stay. Images and
    labels keep their dtype. The compositing runs in NumPy on the host, as data pipelines do.

    Args:
        pool: training images with labels and object masks or boxes; without these, outlines are estimated, which
            brings less. A `ProbeSet` of images like those that the model takes, same shape and same range. It must hold
            images of every class, and none of the probes with which the model is judged.
        share: share of each batch that is replaced, 0..1. Defaults to `0.5`.
        seed: decides the composites; the same seed and order of batches give the same composites. Defaults to `0`.

    Attributes:
        classes: int64 array, the classes that composites show.

    Raises:
        TypeError: if `pool` is no `ProbeSet`.
        ValueError: if `pool` has no labels, no outlines are given or can be estimated, it holds one class alone, or
            does not fit the images or labels of a batch.

    Example:
        >>> pool = ProbeSet(x_train[:250], y_train[:250], boxes=boxes)
        >>> model.fit(SwapBackgrounds(pool).dataset((x_train, y_train), batch_size=32), epochs=8)
    """

    def __init__(self, pool: ProbeSet, share: float = 0.5, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(trainable=False, **kwargs)
        labels, masks = check_pool(pool)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise ValueError(f"`share` must be a share of each batch, 0 to 1. Received: share={share!r}.")
        self.pool, self.share, self.seed = pool, float(share), int(seed)
        self._masks = masks
        self._compositor = make_compositor(pool.images, labels, masks)
        self.classes = np.unique(self._compositor.labels)
        # Counting is one step of Python, whichever thread of a pipeline asks.
        self._numbers = itertools.count()

    def __call__(self, *inputs: Any, training: bool = True) -> Any:
        """Swaps backgrounds in one batch: `(images, labels)`, `(images, labels, sample_weight)`, or a dict of them.

        Keras would convert what it is given to tensors of its own backend; here a batch stays what it is, so that the
        layer works inside `tf.data` under every backend.
        """
        batch = inputs[0] if len(inputs) == 1 else inputs
        if not training:
            return batch
        if isinstance(batch, Mapping):
            images, labels = self._swap(batch["images"], batch["labels"])
            return {**batch, "images": images, "labels": labels}
        images, labels, *rest = batch
        return (*self._swap(images, labels), *rest)

    def dataset(self, data: Any, *, batch_size: int = 32) -> Any:
        """A data set for `fit` with backgrounds swapped in every batch.

        Args:
            data: a batched `tf.data.Dataset`, a `keras.utils.PyDataset`, a torch `DataLoader`, arrays
                `(images, labels)`, or an iterator of batches.
            batch_size: of arrays, which are also shuffled at every epoch. Defaults to `32`.

        Returns:
            Something of the same kind; for arrays a `PyDataset`.

        Raises:
            TypeError: if `data` is nothing of the kind.
        """
        return swapped_dataset(data, self, batch_size=batch_size, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        """What makes the same layer again, its pool included."""
        pool = {"images": self.pool.images, "labels": self.pool.labels, "masks": self._masks}
        arrays = {name: keras.saving.serialize_keras_object(np.asarray(value)) for name, value in pool.items()}
        return {**super().get_config(), "pool": arrays, "share": self.share, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SwapBackgrounds":
        """Makes the layer of `get_config`."""
        arrays = {name: keras.saving.deserialize_keras_object(value) for name, value in config["pool"].items()}
        kept = {name: config[name] for name in ("name", "share", "seed")}
        return cls(ProbeSet(arrays["images"], arrays["labels"], masks=arrays["masks"]), **kept)

    def _swap(self, images: Any, labels: Any) -> tuple[Any, Any]:
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is None or not tensorflow.is_tensor(images):
            return self._swap_arrays(to_numpy(images, "images"), to_numpy(labels, "labels"))
        # Python runs beside the graph: NumPy composes the same images under every backend.
        swapped, classes = tensorflow.numpy_function(self._swap_arrays, (images, labels), (images.dtype, labels.dtype))
        swapped.set_shape(images.shape)
        classes.set_shape(labels.shape)
        return swapped, classes

    def _swap_arrays(self, images: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        rng = np.random.default_rng([self.seed, next(self._numbers)])
        self._check_fit(images, labels)
        # Rounded by chance, so that a share of one half is one half of batches of odd size too.
        count = min(len(images), int(self.share * len(images) + rng.random()))
        if count == 0:
            return images, labels
        rows = rng.choice(len(images), count, replace=False)
        composites, classes = self._compositor.draw(count, rng)
        swapped, changed = images.copy(), labels.copy()
        swapped[rows] = _like(composites.reshape(count, *images.shape[1:]), images.dtype)
        changed[rows] = _as_labels(classes, labels)
        return swapped, changed

    def _check_fit(self, images: NDArray[Any], labels: NDArray[Any]) -> None:
        shape, own = images.shape[1:], self.pool.images.shape[1:]
        if images.ndim not in (3, 4) or (shape != own and (*shape, 1) != own and shape != (*own, 1)):
            raise ValueError(
                f"`pool` must hold images of the shape of a batch's. Received: shape={own} for batches of shape "
                f"{images.shape}. Swap backgrounds after batching, and give a pool of the same size."
            )
        largest, known = (float(np.abs(array).max()) for array in (images, self.pool.images))
        if min(largest, known) > 0 and max(largest, known) / min(largest, known) > _OTHER_RANGE:
            raise ValueError(
                f"`pool` must hold images in the range of a batch's. Received: values up to {known:g} for batches with "
                f"values up to {largest:g}. Rescale the pool as the training images are rescaled."
            )
        if labels.ndim == 2 and labels.shape[1] > 1 and labels.shape[1] <= self.classes[-1]:
            raise ValueError(
                f"`pool` must have labels below the number of classes. Received: label {self.classes[-1]} for one-hot "
                f"labels of {labels.shape[1]} classes."
            )
        missing = np.setdiff1d(_class_ids(labels), self.classes)
        if len(missing):
            raise ValueError(
                "`pool` must hold images with a usable mask of every class, or composites would teach that the others "
                f"do not exist. Received: none of class {missing[0]}, which a batch holds. Add some of it."
            )


def check_pool(pool: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Refuses a pool without what composites need.

    Returns:
        Its labels, and its masks: those that were given, boxes without what looks like their surroundings, else
        estimated ones (`ProbeSet(outlines=...)`).

    Raises:
        TypeError: if it is no `ProbeSet`.
        ValueError: if it has no labels, or neither masks nor boxes and its outlines cannot be estimated.
    """
    if not isinstance(pool, ProbeSet):
        raise TypeError(f"`pool` must be a ProbeSet. Received: {type(pool).__name__}.")
    if pool.labels is None:
        raise ValueError("`pool` must have labels. Received: images alone. Give them: ProbeSet(images, labels, ...).")
    data = prepare_probes(pool.images, pool.labels, pool.masks, outlines=pool.outlines)
    if data.masks is None or data.outlines is None:
        why = "a ProbeSet without object masks or boxes." if data.no_outlines is None else data.no_outlines.reason
        raise ValueError(
            f"`pool` must have labels, and object masks, boxes or outlines that can be estimated. Received: {why} "
            "Give them: ProbeSet(images, labels, boxes=boxes)."
        )
    if "box" not in data.outlines:
        return pool.labels, data.masks
    # The corners of a box hold its own scene, and a composite with them would teach it once more.
    refined = [
        refine_box(image, mask) if kind == "box" else mask
        for image, mask, kind in zip(data.shown, data.masks, data.outlines, strict=True)
    ]
    return pool.labels, np.stack(refined)


def _like(composites: NDArray[np.float32], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind not in "iu":
        return composites.astype(dtype)
    bounds = np.iinfo(dtype)
    return np.clip(np.rint(composites), bounds.min, bounds.max).astype(dtype)


def _class_ids(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Classes of a batch's labels, (n,)."""
    rows = labels.ndim == 2 and labels.shape[1] > 1
    values = labels.astype(np.float64)
    if (rows and (values.sum(axis=1) > 1 + _ROUNDING).any()) or (not rows and (values % 1 != 0).any()):
        raise ValueError(
            "Labels must give one class each, as ids or one-hot rows: a composite shows one object. Received: "
            + ("rows of several classes." if rows else f"numbers such as {values[values % 1 != 0][0]:g}.")
        )
    return (values.argmax(axis=1) if rows else values.reshape(-1)).astype(np.int64)


def _as_labels(classes: NDArray[np.int64], labels: NDArray[Any]) -> NDArray[Any]:
    """Class ids in the form of a batch's labels: ids (n,) or (n, 1), or one-hot rows (n, k)."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return np.eye(labels.shape[1], dtype=labels.dtype)[classes]
    return classes.reshape(-1, *labels.shape[1:]).astype(labels.dtype)
