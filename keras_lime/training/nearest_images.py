"""`NearestImages`: the training images that a model's own features place closest to each probe.

Without the images that a model was trained on its explanations are hard to judge: what looks odd on a probe may be
usual among them. May import Keras and the data readers.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.data.datasets import read_batches
from keras_lime.exceptions import warn
from keras_lime.scoring.prediction import prediction_of

__all__ = ["NearestImages", "Neighbours"]

_MOST_IMAGES, _MOST_BYTES = 2_000, 256 << 20
"""Training images that are compared at most, and what they may take in memory."""

_NEAREST, _MOST_PROBES = 5, 60
_BATCH = 64


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The nearest training images at one epoch, m of n probes.

    Attributes:
        images: array (t, h, w, c), the training images that are compared.
        labels: int array (t,), their classes, or None.
        nearest: int array (m, k), for each of the first m probes the positions of the nearest ones, nearest first.
        similarity: float array (m, k), cosine of the features, −1..1.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None
    nearest: NDArray[np.int64]
    similarity: NDArray[np.float64]


class NearestImages:
    """Keeps some training images and compares their features with those of probes.

    Args:
        dataset: training data, what `model.fit` takes; its first 2,000 images are kept, fewer where they are large.
        image_shape: (h, w, c) of the probes.
        class_names: names of the classes, for labels that are names.

    Raises:
        ValueError: if its images are of another shape, or there is none.
    """

    def __init__(self, dataset: Any, image_shape: tuple[int, ...], class_names: Sequence[str] | None) -> None:
        self._images, self._labels = _read(dataset, image_shape, class_names)
        self._model: Any = None
        self._features: Any = None

    def follow(self, model: Any) -> None:
        """Says which model is compared from now on; one without such features is told once, and not compared."""
        if model is self._model:
            return
        self._model, self._features = model, None
        try:
            self._features = penultimate(model)
        except ValueError as error:
            warn(f"`neighbours` cannot be shown: {error} Everything else goes on.")

    def fresh(self) -> "NearestImages":
        """The same images for another training."""
        copied = copy(self)
        copied._model, copied._features = None, None
        return copied

    def find(self, probes: NDArray[Any]) -> Neighbours | None:
        """Compares the features that the model has now.

        Args:
            probes: array (n, h, w, c), of which the first 60 are compared.

        Returns:
            The `Neighbours`; None for a model without such features.
        """
        if self._features is None:
            return None
        theirs, own = self._of(self._images), self._of(probes[:_MOST_PROBES])
        cosines = own @ theirs.T
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :_NEAREST]
        return Neighbours(self._images, self._labels, nearest, np.take_along_axis(cosines, nearest, axis=1))

    def _of(self, images: NDArray[Any]) -> NDArray[np.float64]:
        """Features of length 1, (n, d); feature maps count by their mean."""
        rows = []
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH].astype(np.float32)
            found = np.asarray(keras.ops.convert_to_numpy(self._features(batch, training=False)), np.float64)
            rows.append(found.reshape(len(found), -1, found.shape[-1]).mean(axis=1))
        features = np.concatenate(rows)
        unit: NDArray[np.float64] = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
        return unit


def penultimate(model: Any) -> Any:
    """A model that gives what goes into the last layer with weights.

    Raises:
        ValueError: if there is no such layer, or the images take another way to it; a sentence for users.
    """
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise ValueError("The model is no functional or sequential Keras model, so its last features are unknown.")
    if len(model.inputs) != 1:
        raise ValueError("The model has several inputs, and training images alone do not give its features.")
    if not prediction_of(model).is_plain:
        raise ValueError("The model's `predict` is not what calling it gives, so its features are not those it uses.")
    try:
        # A list of one would have Keras warn of images that come without a list.
        found = keras.Model(model.inputs[0], _last_features(model))
        if not found.weights:
            raise ValueError("its last layer sees the image itself")
        return found
    except (AttributeError, ValueError) as error:
        raise ValueError(f"The model has no features before its last layer that could be compared ({error}).") from None


def _last_features(model: Any) -> Any:
    """Symbolic input of the last layer with weights; where a model is used as that layer, its own last features."""
    graph = _graph_of(model)
    layer = next((each for each in reversed(graph.layers) if each.weights), None)
    if layer is None:
        raise ValueError("no layer has weights")
    if not isinstance(layer, keras.Model) or not getattr(layer, "inputs", None):
        return layer.input
    entering, features = _input_of(layer, graph), _last_features(layer)
    if any(features is given for given in layer.inputs):
        return entering
    return keras.Model(layer.inputs[0], features)(entering)


def _graph_of(model: Any) -> Any:
    """The functional model that a sequential one keeps."""
    return getattr(model, "_functional", None) or model


def _input_of(inner: Any, outer: Any) -> Any:
    """What a model used as a layer of another gets there; it has another input where it was made."""
    known = set(map(id, outer.operations))
    for node in inner._inbound_nodes:
        tensors = node.input_tensors
        if len(tensors) == 1 and id(tensors[0]._keras_history.operation) in known:
            return tensors[0]
    raise ValueError("its last part is a model that cannot be followed")


def _read(
    dataset: Any, image_shape: tuple[int, ...], class_names: Sequence[str] | None
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    images: list[NDArray[Any]] = []
    labels: list[NDArray[np.int64] | None] = []
    room = _MOST_IMAGES
    for batch in read_batches(dataset, class_names=class_names, unknown_below_0=True):
        pixels = batch.images if batch.images.ndim == 4 else batch.images[..., None]
        if pixels.shape[1:] != image_shape:
            raise ValueError(
                f"`neighbours` must give images of the probes' shape {image_shape}. Received: shape={pixels.shape[1:]}."
            )
        if not images:
            room = max(1, min(room, _MOST_BYTES // pixels[0].nbytes))
        images.append(pixels[:room])
        labels.append(None if batch.labels is None else batch.labels[:room])
        room -= len(images[-1])
        if room <= 0:
            break
    if not images:
        raise ValueError("`neighbours` must give training images. Received: a data set without any.")
    known = [each for each in labels if each is not None]
    return np.concatenate(images), np.concatenate(known) if len(known) == len(labels) else None
