"""Which images a Keras model takes: checked before anything is traced or run. May import Keras."""

from typing import Any

import keras
import numpy as np

from keras_lime.core.image import has_channels_first
from keras_lime.scoring.input_layout import IMAGE_ALONE, InputLayout
from keras_lime.scoring.prediction import has_call, models_within, prediction_of

__all__ = ["build", "check_channels", "check_inputs"]


def check_inputs(
    model: Any, image_shape: tuple[int, ...], batch_size: int | None, layout: InputLayout = IMAGE_ALONE
) -> None:
    """Refuses a model that cannot take such images.

    Args:
        model: a Keras model, built or not.
        image_shape: (h, w) or (h, w, c) of one image.
        batch_size: rows asked for, or None.
        layout: how the model takes the image. Defaults to the image alone.

    Raises:
        ValueError: if the model takes channels first, another shape or another number of rows.
    """
    inputs = getattr(model, "inputs", None) or []
    image = layout.order.index(layout.image) if inputs and layout.image is not None else 0
    if layout.structure == "dict" and inputs:
        inputs = [model.input[name] for name in layout.order]
    # Attached preprocessing may resize: the model's own input shape says nothing about the images.
    expected = tuple(inputs[image].shape[1:]) if inputs and not prediction_of(model).preprocesses else None
    if expected is not None and len(expected) == 3:
        check_channels(expected, "a model for images")
    if expected is not None and not _fits(expected, image_shape):
        raise ValueError(
            f"`image` must have the shape that the model takes, {expected}. Received: shape={image_shape}. "
            f"{_remedy(expected, image_shape)}"
        )
    fixed = inputs[0].shape[0] if inputs else None
    if fixed is not None and batch_size not in (None, fixed):
        raise ValueError(f"`batch_size` must be {fixed}, the model's own. Received: batch_size={batch_size}.")


def check_channels(shape: tuple[int | None, ...], what: str = "an image") -> None:
    """Refuses a shape (c, h, w).

    Args:
        shape: of one image, with its own sizes or a model's.
        what: of what it is the shape, for the error.

    Raises:
        ValueError: if the first axis holds the channels.
    """
    if has_channels_first(shape):
        raise ValueError(
            f"Images must have their channels last, (h, w, c). Received: {what} of shape {shape}. Put a Permute layer "
            "before a channels-first model: keras.Sequential([keras.Input((h, w, c)), keras.layers.Permute((3, 1, 2)), "
            "model])."
        )


def build(model: Any, image_shape: tuple[int, ...], layout: InputLayout = IMAGE_ALONE) -> None:
    """Creates the weights of a model that has none yet.

    Args:
        model: a Keras model.
        image_shape: (h, w) or (h, w, c) of one image.
        layout: how the model takes it. Defaults to the image alone.

    Raises:
        ValueError: if the model cannot be called, or cannot be built for such images.
    """
    if not has_call(model) and not prediction_of(model).has_own_step:
        raise ValueError(_no_call(model))
    unbuilt = [layer for layer in model._flatten_layers() if not layer.built]
    # A model without `call` is never built itself; what it holds is.
    if not unbuilt or (unbuilt == [model] and not has_call(model)):
        return
    try:
        if isinstance(model, keras.Sequential):
            model.build((None, *image_shape))
        else:
            model(layout.arrange(np.zeros((1, *image_shape), np.float32), layout.zeros(1)), training=False)
    except Exception as error:
        raise ValueError(
            f"`model` must accept images of shape {image_shape}. It could not be built for them: {error}"
        ) from error


def _no_call(model: Any) -> str:
    found = models_within(model)
    name = found[0] if found else "classifier"
    holds = f", which holds the models {', '.join(found)}" if found else ""
    return (
        "`model` must have a `call`, or it must be said which part of it is explained. Received: "
        f"{type(model).__name__}{holds}. Pass the part that classifies: explain(model.{name}, image), or "
        f"LimeCallback(probes, log_dir, model=lambda model: model.{name})."
    )


def _fits(expected: tuple[int | None, ...], image_shape: tuple[int, ...]) -> bool:
    return len(expected) == len(image_shape) and all(
        size is None or size == given for size, given in zip(expected, image_shape, strict=True)
    )


def _remedy(expected: tuple[int | None, ...], image_shape: tuple[int, ...]) -> str:
    if len(expected) == 3 and len(image_shape) == 2:
        if expected[2] == 1:
            return "Add the channel: image[..., None]."
        return f"For a grey image repeat it: np.repeat(image[..., None], {expected[2]}, axis=-1)."
    if len(expected) == 2 and len(image_shape) == 3 and image_shape[2] == 1:
        return "Drop the channel: image[..., 0]."
    if len(expected) == 3 and len(image_shape) == 3 and expected[2] not in (None, image_shape[2]):
        if image_shape[2] == 1:
            return f"For a grey image repeat it: np.repeat(image, {expected[2]}, axis=-1)."
        return "Convert its channels."
    if len(expected) == len(image_shape):
        return f"Resize it first: keras.ops.image.resize(image, {tuple(expected[:2])})."
    if len(expected) > 3:
        return (
            "That is a volume or a sequence of images, and superpixels are cut in one image: explain a function of one "
            "slice, explain(lambda images: model.predict(put_in_place(images), verbose=0), slice), where put_in_place "
            "makes an input of the model of it."
        )
    return "Flattened images cannot be cut in superpixels: put a Reshape layer before the model."
