"""`explain()`: one image or a batch, any model, one call. May import the core and, through `scoring`, Keras."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, Unpack, overload

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.diagnostics import TARGET_TEXTS, TargetDiagnostic
from keras_lime.core.explanation import Explanation
from keras_lime.core.image import check_image
from keras_lime.core.model_input import InputName, as_other_inputs
from keras_lime.core.phrases import listing
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import SettingsDict, make_settings
from keras_lime.data.arrays import to_numpy
from keras_lime.data.class_names import ClassNames, as_class_names
from keras_lime.data.labels import class_ids
from keras_lime.exceptions import warn

__all__ = ["explain"]

Model = Any | Callable[[NDArray[np.float32]], Any]
OneImage = np.ndarray[tuple[int, int], Any] | np.ndarray[tuple[int, int, int], Any]
Batch = list[Any] | tuple[Any, ...] | np.ndarray[tuple[int, int, int, int], Any]
"""A type checker takes an array whose number of axes it does not know for one image; `list(images)` says otherwise."""


@overload
def explain(
    model: Model,
    image: OneImage,
    *,
    label: int | str | None = None,
    class_names: ClassNames | None = None,
    inputs: Mapping[InputName, Any] | None = None,
    image_input: InputName | None = None,
    **settings: Unpack[SettingsDict],
) -> Explanation: ...
@overload
def explain(
    model: Model,
    image: Batch,
    *,
    label: Sequence[int | str] | None = None,
    class_names: ClassNames | None = None,
    inputs: Mapping[InputName, Any] | None = None,
    image_input: InputName | None = None,
    **settings: Unpack[SettingsDict],
) -> list[Explanation]: ...
@overload
def explain(
    model: Model,
    image: Any,
    *,
    label: int | str | Sequence[int | str] | None = None,
    class_names: ClassNames | None = None,
    inputs: Mapping[InputName, Any] | None = None,
    image_input: InputName | None = None,
    **settings: Unpack[SettingsDict],
) -> Any: ...
def explain(
    model: Model,
    image: Any,
    *,
    label: int | str | Sequence[int | str] | None = None,
    class_names: ClassNames | None = None,
    inputs: Mapping[InputName, Any] | None = None,
    image_input: InputName | None = None,
    **settings: Unpack[SettingsDict],
) -> Any:
    """Explains what a model sees in an image, with LIME.

    Args:
        model: a Keras model, or a function from a float32 batch (n, h, w, c) to scores (n, n_classes).
        image: one image, (h, w) or (h, w, c), exactly as the model takes it, in its range of values; or a batch,
            (n, h, w, c) or a list of images of one shape. A 3-D array is always one image.
        label: true label, or one per image of a batch, as index or as name in `class_names`; it is explained beside
            the predicted class.
        class_names: names of the model's outputs in order, or a dictionary of names and indices, either way round.
        inputs: what the model takes beside the image, by name, or by position where it takes a list: for one image its
            values, for a batch an array (n, ...) each. The image is perturbed, they stay as they are. Defaults to
            `None`, nothing.
        image_input: name or position of the image's input, where `inputs` does not tell it. Defaults to `None`.
        **settings: see `keras_lime.Settings`.

    Returns:
        An `Explanation`; for a batch, a list of them.

    Raises:
        ValueError: if an argument does not fit the model or the image; the message says which and what to do.
        TypeError: for an unknown setting.

    Example:
        >>> explanation = explain(model, image, num_samples=500)
        >>> explanation.plot()
    """
    from keras_lime.scoring import check_agreement, make_scorer

    names = None if class_names is None else as_class_names(class_names)
    chosen = make_settings(settings, class_names=names)
    images, single = _images(image)
    labels = _labels(label, len(images), single, names)
    others = as_other_inputs(_batched(inputs) if single else inputs, len(images))
    scorer = make_scorer(
        model, images[0].shape, chosen.output, chosen.head, chosen.batch_size, inputs=others, image_input=image_input
    )
    check_agreement(model, scorer, images, others)
    plans = make_plans(images, chosen, others)
    subjects = [
        Subject("`image`" if single else f"`image` {position}", label=each) for position, each in enumerate(labels)
    ]
    explanations = list(explain_plans(plans, subjects, scorer, chosen, class_names=names))
    _warn_if_still(explanations, subjects)
    return explanations[0] if single else explanations


def _warn_if_still(explanations: Sequence[Explanation], subjects: Sequence[Subject]) -> None:
    """Says once which images have a target whose scores hardly move, and what helps."""
    for code in (TargetDiagnostic.SATURATED, TargetDiagnostic.STILL):
        titles = [
            subject.title
            for explanation, subject in zip(explanations, subjects, strict=True)
            if explanation.diagnostic_bits is not None and explanation.diagnostic_bits.has(code).any()
        ]
        if titles:
            sentence, remedy = TARGET_TEXTS[code]
            warn(f"{listing(titles, at_most=1)}: for at least one target, {sentence[0].lower()}{sentence[1:]} {remedy}")
            return


def _batched(inputs: Any) -> Any:
    """The other inputs of one image, as a batch of one."""
    if not isinstance(inputs, Mapping):
        return inputs
    return {name: to_numpy(value, f"inputs[{name!r}]")[None] for name, value in inputs.items()}


def _images(image: Any) -> tuple[list[NDArray[Any]], bool]:
    """The images as arrays, and whether one was asked for."""
    if isinstance(image, str | PathLike):
        raise TypeError(
            f"`image` must be an array, as the model takes it. Received: the path {str(image)!r}. Read it in the "
            "model's size, keras.utils.img_to_array(keras.utils.load_img(path, target_size=(height, width))), and "
            "preprocess it as in training."
        )
    if hasattr(image, "subjects"):
        raise TypeError(
            "`image` must be an array. Received: a ProbeSet. Pass what it holds: explain(model, probes.images, "
            "label=probes.labels, class_names=probes.class_names)."
        )
    if isinstance(image, list | tuple):
        images, single = [_array(each) for each in image], False
    else:
        array = _array(image)
        single = array.ndim != 4
        images = [array] if single else list(array)
    if not images:
        raise ValueError("`image` must hold at least one image. Received: an empty batch.")
    for position, each in enumerate(images):
        check_image(each, "image" if single else f"image[{position}]")
        if each.shape != images[0].shape:
            raise ValueError(
                f"`image` must hold images of one shape. Received: {images[0].shape} and, at {position}, {each.shape}. "
                "Explain images of different shapes one by one."
            )
    return images, single


def _array(image: Any) -> NDArray[Any]:
    """A NumPy array of any array or tensor, also one on an accelerator or with gradients."""
    array = to_numpy(image, "image")
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _labels(
    label: int | str | Sequence[int | str] | None, count: int, single: bool, class_names: Sequence[str] | None
) -> list[int | None]:
    if label is None:
        return [None] * count
    if any(isinstance(each, str) for each in np.asarray(label, dtype=object).flat):
        ids: list[int | None] = class_ids(np.atleast_1d(np.asarray(label)), count, class_names).tolist()
        return ids
    labels = np.asarray(label)
    if labels.dtype.kind not in "iu" or labels.size != count or labels.ndim > 1 or labels.min() < 0:
        wanted = "one class index or name" if single else f"{count} class indices or names, one per image"
        raise ValueError(f"`label` must be {wanted}. Received: label={label!r}.")
    return [int(each) for each in labels.ravel()]
