"""`make_scorer`: one `Scorer` for whatever people give as a model. May import Keras."""

from typing import Any

import keras

from keras_lime.core.model_input import InputName, OtherInputs
from keras_lime.scoring.foreign_models import check_model
from keras_lime.scoring.function_scorer import FunctionScorer
from keras_lime.scoring.input_layout import layout_of
from keras_lime.scoring.inputs import check_channels
from keras_lime.scoring.keras_scorer import KerasScorer

__all__ = ["make_scorer"]


def make_scorer(
    model: Any,
    image_shape: tuple[int, ...],
    output: str = "auto",
    head: str | int | None = None,
    batch_size: int | None = None,
    inputs: OtherInputs | None = None,
    image_input: InputName | None = None,
) -> KerasScorer | FunctionScorer:
    """A scorer for images of one shape.

    A Keras model is compiled at the first call for a shape and never again, whatever the image and however many
    superpixels; the compiled function lives as long as the model. Every call of the scorer reads the current weights,
    runs with `training=False` and changes no state of the model. A plain function gets batches that NumPy perturbs.

    Args:
        model: a Keras model, or a function from a float32 batch (n, *image_shape) to scores (n, k); with `inputs` it
            gets a dictionary. Both are fed what the image holds, as float32, never rescaled.
        image_shape: (h, w) or (h, w, c) of one image.
        output: what the model's outputs mean; see `Settings.output`. Defaults to `"auto"`.
        head: name or index of the output, for a model with several. Defaults to `None`.
        batch_size: images per forward pass. Defaults to `None`: by image size, and halved where memory runs out.
        inputs: for a model with several inputs what it takes beside the image, arrays (n, ...) by name, for their
            names and shapes; the values come with the plans. Defaults to `None`, nothing.
        image_input: name or position of the image's input. Defaults to `None`: the one that `inputs` leaves over.

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
    layout = layout_of(model, inputs or {}, image_input)
    if isinstance(model, keras.Model):
        return KerasScorer(model, shape, output, head, batch_size, layout)
    check_channels(shape)
    return FunctionScorer(model, shape, output, head, batch_size, layout)
