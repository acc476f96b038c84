"""Everything that is decided and checked before an audit begins: `prepare` gives a `Job` and the audit's identity.

Runs where the model is. May import Keras, the core, `scoring` and the modules beside it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import keras_lime
from keras_lime.auditing.explain_shard import Job, inputs_of_item, plan_image
from keras_lime.auditing.opened_model import OpenedModel
from keras_lime.auditing.preprocessing import Preprocessing
from keras_lime.auditing.shard import Shard
from keras_lime.auditing.storage.schema import FORMAT_VERSION
from keras_lime.core.display import Display
from keras_lime.core.image import check_image, image_id
from keras_lime.core.model_input import InputName
from keras_lime.core.normalisation import NORMALISATIONS
from keras_lime.core.pipeline import Subject, SubjectError, explain_plans
from keras_lime.core.plan import with_images
from keras_lime.core.scores import Scorer
from keras_lime.core.settings import Settings
from keras_lime.data.preprocess import Preprocess, describe_preprocess
from keras_lime.data.resize import Resize
from keras_lime.scoring import NonFiniteOutputError, check_agreement

__all__ = ["Request", "check_identity", "describe_settings", "prepare"]


_POOL = 64
"""Pictures that serve as each other's background; so many tell all of a data set's scenes."""


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked for, checked as far as it can be without the model.

    Attributes:
        folder: where the audit is written.
        settings: the explainer's.
        data: the source's description.
        encoded: whether the images are files that are decoded and resized.
        class_names: names of the classes, or None.
        image_size: (height, width), for models that take any, or None.
        value_range: what black and white of encoded images become.
        shard_size: images per shard.
        preprocess: see `Preprocessing`.
        resize: see `Preprocessing`.
        crop_to_aspect_ratio: see `Preprocessing`.
        image_input: name or position of the image's input, or None.
    """

    folder: Path
    settings: Settings
    data: Mapping[str, Any]
    encoded: bool
    class_names: tuple[str, ...] | None
    image_size: tuple[int, int] | None
    value_range: tuple[float, float]
    shard_size: int
    preprocess: Preprocess | None = None
    resize: Resize = "bilinear"
    crop_to_aspect_ratio: bool = False
    image_input: InputName | None = None


def prepare(model: OpenedModel, request: Request, first: Shard) -> tuple[Job, dict[str, Any]]:
    """Checks that model, data and settings fit, by explaining one image, and says what identifies the audit.

    Args:
        model: the model.
        request: what was asked for.
        first: the first images.

    Returns:
        The `Job` for the workers, and the content of `audit.json`.

    Raises:
        ValueError: if something does not fit, or the folder holds another audit.
    """
    settings = request.settings
    shape = _image_shape(model, request, first)
    preprocessing = Preprocessing(
        shape, request.value_range, request.preprocess, request.resize, request.crop_to_aspect_ratio
    )
    inputs = inputs_of_item(first.items[0])
    scorer = model.scorer(shape, settings, inputs, request.image_input)
    display = _display(request, preprocessing, first)
    n_outputs = scorer.n_outputs
    _check_classes(request, n_outputs)
    job = Job(
        request.folder,
        preprocessing,
        _settled(settings, preprocessing, first),
        display,
        n_outputs or 0,
        request.class_names,
        inputs,
        request.image_input,
    )
    identity = {
        "format_version": FORMAT_VERSION,
        "model": {"sha256": model.sha256, "input": list(shape)},
        "data": dict(request.data),
        "class_names": None if request.class_names is None else list(request.class_names),
        "settings": describe_settings(settings),
        "scale": settings.scale,
        "display": [display.low, display.high],
        "value_range": list(request.value_range),
        "shard_size": request.shard_size,
        "preprocess": describe_preprocess(request.preprocess),
        # Of data sets that are not read from files nothing is said, as in audits of earlier versions.
        "resize": request.resize if request.encoded else None,
        "crop_to_aspect_ratio": request.crop_to_aspect_ratio or None,
    }
    check_identity(request.folder, identity)
    _try(job, model, scorer, first)
    if n_outputs is None:
        n_outputs = scorer.n_outputs or 0
        _check_classes(request, n_outputs)
        job = replace(job, n_outputs=n_outputs)
    kind = None if scorer.output is None else scorer.output.kind
    if kind == "regression" and any(item.label is not None for item in first.items):
        raise ValueError(
            "`dataset` must have no labels for a regression model. Received: labels or a folder by class. Give a "
            "folder without subfolders, or images alone."
        )
    about = {
        "keras_lime": keras_lime.__version__,
        "model_name": model.name,
        "n_outputs": n_outputs,
        "output_kind": kind,
    }
    return job, identity | about


def describe_settings(settings: Settings) -> dict[str, Any]:
    """The settings as JSON values; arrays, which `Settings.describe` tells by their shape, by their content too."""
    described = settings.describe()
    for name in described:
        value = getattr(settings, name)
        if isinstance(value, np.ndarray):
            described[name] = f"array{value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    return described


def check_identity(folder: Path, identity: Mapping[str, Any]) -> None:
    """Refuses a folder that holds another audit.

    Args:
        folder: the audit's folder, there or not.
        identity: what must be the same; entries of `audit.json` that it does not have may differ.

    Raises:
        ValueError: naming what differs.
    """
    from keras_lime.auditing.storage.shards import read_json

    file = folder / "audit.json"
    if not file.exists():
        return
    there = read_json(file)
    for name, wanted in identity.items():
        found = there.get(name)
        if found == wanted:
            continue
        if isinstance(wanted, dict) and isinstance(found, dict):
            names = [each for each in wanted if wanted[each] != found.get(each)]
            name, wanted, found = f"{name}: {names[0]}", wanted[names[0]], found.get(names[0])
        raise ValueError(
            f"`out` must be an empty folder or that of the same audit, to be continued. Received: {str(folder)!r} with "
            f"another audit; it differs in {name}: there {_short(found)}, now {_short(wanted)}. Choose another `out`, "
            "or delete the folder."
        )


def _image_shape(model: OpenedModel, request: Request, first: Shard) -> tuple[int, ...]:
    expected = model.input_shape
    if not request.encoded:
        found = next((item.content.shape for item in first.items if isinstance(item.content, np.ndarray)), None)
        if found is None:
            raise ValueError("`dataset` must give at least one image. Received: none.")
        if expected is not None and not (
            len(expected) == len(found)
            and all(size in (None, given) for size, given in zip(expected, found, strict=True))
        ):
            raise ValueError(
                f"`dataset` must give images of the shape that the model takes, {expected}. Received: shape={found}. "
                "Resize or convert them; folders of images and tables of image files are resized here."
            )
        return tuple(found)
    return model.file_shape(request.image_size)


def _settled(settings: Settings, preprocessing: Preprocessing, first: Shard) -> Settings:
    """The settings with the pictures that `"others"` shows: those of the first shard, at most 64."""
    if not any(isinstance(each, str) and each == "others" for each in (settings.baseline, settings.second_baseline)):
        return settings
    found: dict[str, Any] = {}
    failed = []
    for item in first.items[:_POOL]:
        try:
            image = preprocessing.image(item)
        except Exception as error:  # a damaged file gets its row later
            failed.append(str(error))
            continue
        found.setdefault(image_id(image), image)
    if len(found) < 2:
        reason = f" of the first {len(first.items[:_POOL])}; {failed[0]}" if failed else ""
        raise ValueError(
            f'`baseline`="others", the default, needs two different images. Received: {len(found)}{reason}. Pass '
            'baseline="grey", or mend the data.'
        )
    return with_images(settings, np.stack(list(found.values())))


def _display(request: Request, preprocessing: Preprocessing, first: Shard) -> Display:
    """How all images of the audit are shown; of arrays the first ones tell the range."""
    display_fn = request.settings.display_fn
    if request.encoded and isinstance(request.preprocess, str) and display_fn is None:
        return Display(*request.value_range, NORMALISATIONS[request.preprocess])
    if request.encoded and request.preprocess is None:
        return Display(*request.value_range, display_fn)
    if request.encoded:
        return Display.of(np.stack(_readable(preprocessing, first)), display_fn)
    images = [item.content for item in first.items if isinstance(item.content, np.ndarray)]
    finite = [image for image in images if image.shape == preprocessing.image_shape and np.isfinite(image).all()]
    if not finite:
        raise ValueError("`dataset` must give images that are finite. Received: NaN or infinity in all of the first.")
    check_image(finite[0], "dataset")
    return Display.of(np.stack(finite), request.settings.display_fn)


def _readable(preprocessing: Preprocessing, first: Shard) -> list[NDArray[Any]]:
    """The first images that can be read and prepared.

    Raises:
        ValueError: if there is none.
    """
    images = []
    reason = "no images"
    for item in first.items:
        try:
            images.append(preprocessing.image(item))
        except Exception as error:  # a damaged file gets its row later
            reason = str(error)
    if not images:
        raise ValueError(f"`dataset` must hold images that can be read. Received: none of the first, {reason}")
    return images


def _check_classes(request: Request, n_outputs: int | None) -> None:
    names = request.class_names
    if names is None or n_outputs is None or len(names) == n_outputs:
        return
    raise ValueError(
        f"`class_names` must hold one name for each of the model's {n_outputs} outputs. Received: {len(names)} names, "
        f"{_short(list(names))}. Pass all names in the order of the outputs; a folder by class, without `class_names`, "
        "must have one subfolder per output."
    )


def _try(job: Job, model: OpenedModel, scorer: Scorer, first: Shard) -> None:
    """Explains one image, so that settings that cannot work are found before anything is written."""
    for item in first.items:
        try:
            image = job.preprocessing.image(item)
        except Exception:  # a damaged file gets its row later
            continue
        check_agreement(model.model, scorer, [image], inputs_of_item(item))
        plan = plan_image(image, job, item)
        subject = Subject(f"image {item.path or item.position}")
        try:
            list(explain_plans([plan], [subject], scorer, job.settings, class_names=job.class_names))
        except SubjectError as error:
            if not isinstance(error.__cause__, NonFiniteOutputError):
                raise
            continue
        return


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
