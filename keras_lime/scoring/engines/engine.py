"""What an engine is, and what the engines of all backends share: the call of the model.

May import numpy, Keras and `heads`; no backend.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.scoring import introspection

__all__ = ["COLUMNS", "SLOTS", "Engine", "Form", "Spec", "fixed_batch_size", "is_out_of_memory", "raw_scores"]

SLOTS = 4
"""So many images can share a batch."""

COLUMNS = 256
"""Masks have so many columns, or four times as many and so on, so that one compiled function fits all superpixels."""

_OUT_OF_MEMORY = ("resource_exhausted", "out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True)
class Form:
    """What an engine is compiled for.

    Attributes:
        image_shape: (h, w) or (h, w, c), as the model takes one image.
        head: name or index of the output, None for the only one.
        batch_size: rows per batch.
    """

    image_shape: tuple[int, ...]
    head: str | int | None
    batch_size: int

    @property
    def pixel_shape(self) -> tuple[int, int, int]:
        """(h, w, c) with c = 1 for an image (h, w)."""
        height, width, *channels = self.image_shape
        return height, width, channels[0] if channels else 1


@dataclass(frozen=True)
class Spec:
    """Shape and dtype of an output; unlike a symbolic tensor it keeps no model alive."""

    shape: tuple[int | None, ...]
    dtype: str


class Engine(Protocol):
    """A model compiled for one `Form`. Holds the model by weak reference only and reads its weights at every run.

    Attributes:
        batch_size: rows per batch at most.
        fixed: whether every batch must have exactly so many rows, so that nothing is compiled anew.
        outputs: `Spec`s of all outputs of the model, in the model's own structure.
        traces: how often the model has been traced.
    """

    batch_size: int
    fixed: bool
    outputs: Any
    traces: int

    def stage(
        self, images: NDArray[np.float32], baselines: NDArray[np.float32], labels: NDArray[np.int32]
    ) -> tuple[Any, ...]:
        """Puts images on the device.

        Args:
            images: (SLOTS, h, w, c).
            baselines: (SLOTS, h, w, c), what hidden superpixels show.
            labels: (SLOTS, h, w), superpixel of each pixel.

        Returns:
            What `run` takes, for as many batches as wanted.
        """

    def run(self, staged: tuple[Any, ...], owner: NDArray[np.int32], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Scores one batch.

        Args:
            staged: images, from `stage`.
            owner: (n,), slot of the image that each row perturbs.
            masks: (n, columns), True shows the superpixel. Another number of columns may compile anew.

        Returns:
            Raw outputs (n, k) of the head.
        """

    def score(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores ready images, compiled at the first call.

        Args:
            images: (n, *image_shape), n like for `run`.

        Returns:
            Raw outputs (n, k) of the head.
        """


def raw_scores(model: Any, images: Any, form: Form) -> tuple[Any, Any]:
    """Runs a model in inference mode on a batch of its own backend's tensors.

    Call it within a `keras.StatelessScope`, so that no state of the model changes.

    Args:
        model: a built Keras model.
        images: (n, *image_shape), float32.
        form: what is wanted of it.

    Returns:
        The head's outputs (n, k), float32, and the `Spec`s of all outputs.

    Raises:
        ValueError: if the model fails on such images or does not give one row per image, or `head` names no output.
    """
    named = bool(getattr(model, "inputs", None)) and not isinstance(model, keras.Sequential)
    inputs = dict.fromkeys(model.input, images) if named and isinstance(model.input, dict) else images
    try:
        outputs = model(inputs, training=False)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ValueError(
            f"`model` must accept float32 images of shape {form.image_shape}. It failed on a batch of shape "
            f"{tuple(images.shape)} with {type(error).__name__}: {error}\nGive images in the shape it was trained on; "
            "image[..., None] adds a channel to a grey image (h, w)."
        ) from error
    scores, head = introspection.pick(outputs, form.head, getattr(model, "output_names", None))
    if not scores.shape or scores.shape[0] != images.shape[0]:
        raise ValueError(
            f"`model` must give one row of scores per image. Received: shape={tuple(scores.shape)} for "
            f"{images.shape[0]} images."
        )
    return keras.ops.cast(keras.ops.reshape(scores, (images.shape[0], head.columns)), "float32"), _specs(outputs)


def _specs(outputs: Any) -> Any:
    """`Spec`s in the structure of `outputs`."""
    if isinstance(outputs, Mapping):
        return {key: _specs(value) for key, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return [_specs(value) for value in outputs]
    if not hasattr(outputs, "shape"):
        return None
    return Spec(tuple(outputs.shape), str(keras.backend.standardize_dtype(outputs.dtype)))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any backend says that memory ran out."""
    named = type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError", "MemoryError")
    return named or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def fixed_batch_size(model: Any) -> int | None:
    """Rows that a model with a fixed batch dimension takes; None for the others."""
    inputs = getattr(model, "inputs", None)
    size = inputs[0].shape[0] if inputs else None
    return None if size is None else int(size)
