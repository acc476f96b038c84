"""`make_scorer`: one `Scorer` for whatever people give as a model. May import Keras."""

from typing import Any

import keras

from keras_lime.scoring.foreign_models import check_model
from keras_lime.scoring.function_scorer import FunctionScorer
from keras_lime.scoring.inputs import check_channels
from keras_lime.scoring.keras_scorer import KerasScorer

__all__ = ["make_scorer"]


def make_scorer(
    model: Any,
    image_shape: tuple[int, ...],
    output: str = "auto",
    head: str | int | None = None,
    batch_size: int | None = None,
) -> KerasScorer | FunctionScorer:
    """A scorer for images of one shape.

    A Keras model is compiled at the first call for a shape and never again, whatever the image and however many
    superpixels; the compiled function lives as long as the model. Every call of the scorer reads the current weights,
    runs with `training=False` and changes no state of the model. A plain function gets batches that NumPy perturbs.

    Args:
        model: a Keras model with one image input, or a function from a float32 batch (n, *image_shape) to scores
            (n, k). Both are fed what the image holds, as float32, never rescaled.
        image_shape: (h, w) or (h, w, c) of one image.
        output: what the model's outputs mean; see `Settings.output`. Defaults to `"auto"`.
        head: name or index of the output, for a model with several. Defaults to `None`.
        batch_size: images per forward pass. Defaults to `None`: by image size, and halved where memory runs out.

    Returns:
        A `Scorer`.

    Raises:
        ValueError: if the model has several inputs, takes images of another shape or channels first, or its output
            cannot be understood.
        TypeError: if `model` is neither a Keras model nor a function.

    Example:
        >>> scorer = make_scorer(model, (64, 64, 3))
        >>> (scores,) = scorer([plan], [("predicted",)])
    """
    shape = tuple(int(size) for size in image_shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(f"`image_shape` must be (h, w) or (h, w, c). Received: image_shape={image_shape}.")
    check_model(model)
    if isinstance(model, keras.Model):
        return KerasScorer(model, shape, output, head, batch_size)
    check_channels(shape)
    return FunctionScorer(model, shape, output, head, batch_size)
