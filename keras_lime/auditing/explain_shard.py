"""One shard of images → rows and pictures on the disk. The same in every runner.

What concerns one image alone (a damaged file, a wrong size, a model that gives NaN) becomes a row with its `error`. May
import numpy, the core, `shortcut` and the modules beside it; gets a scorer and runs it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.image_rows import AuditedImage, by_column, image_rows, picture_row
from keras_lime.auditing.preprocessing import Preprocessing
from keras_lime.auditing.shard import Item, Shard
from keras_lime.auditing.storage.schema import PICTURE_COLUMNS, ROW_COLUMNS
from keras_lime.auditing.storage.shards import ShardManifest, write_shard
from keras_lime.core.display import Display
from keras_lime.core.image import image_id
from keras_lime.core.model_input import InputName, OtherInputs, as_other_inputs, inputs_of
from keras_lime.core.pipeline import Subject, SubjectError, explain_plans
from keras_lime.core.plan import Plan, make_plan
from keras_lime.core.scores import Scorer
from keras_lime.core.segmentation import segment
from keras_lime.core.settings import Settings
from keras_lime.scoring import NonFiniteOutputError
from keras_lime.shortcut.swap import make_swap_plan, run_swap

__all__ = ["Job", "explain_shard", "inputs_of_item", "plan_image"]

_DONORS = 4
"""Backgrounds of other classes per image, as in `LimeCallback`."""


@dataclass(frozen=True, eq=False)
class Job:
    """What is the same for all shards of an audit.

    Attributes:
        folder: where it is written.
        preprocessing: how images become model input.
        settings: the explainer's.
        display: how images are shown.
        n_outputs: number of the model's outputs.
        class_names: their names, or None.
        inputs: what the model takes beside the first image, arrays (1, ...) by name, for their names and shapes.
        image_input: name or position of the image's input, or None.
    """

    folder: Path
    preprocessing: Preprocessing
    settings: Settings
    display: Display
    n_outputs: int
    class_names: tuple[str, ...] | None = None
    inputs: OtherInputs = field(default_factory=dict)
    image_input: InputName | None = None


def explain_shard(shard: Shard, job: Job, scorer: Scorer, tick: Callable[[], object] = lambda: None) -> ShardManifest:
    """Explains a shard's images and writes its files.

    Args:
        shard: the images.
        job: how.
        scorer: the model, from `keras_lime.scoring.make_scorer`.
        tick: called after each image.

    Returns:
        The shard's `ShardManifest`.
    """
    images = [_prepared(item, job) for item in shard.items]
    ready = [image for image in images if image.error is None]
    for _ in range(len(images) - len(ready)):
        tick()
    _explain(ready, job, scorer, tick)
    _swap(ready, job, scorer)
    rows = [row for image in images for row in image_rows(image, job.class_names)]
    pictures = [picture_row(image) for image in ready]
    return write_shard(
        job.folder,
        shard.index,
        by_column(rows, ROW_COLUMNS),
        by_column(pictures, PICTURE_COLUMNS),
        [image.image_id for image in images],
        failed=sum(image.error is not None for image in images),
    )


def plan_image(pixels: NDArray[Any], job: Job, item: Item) -> Plan:
    """The plan of one image of an audit; see `keras_lime.core.plan`.

    Raises:
        ValueError: if no plan can be made, or the image has other inputs than the first one.
    """
    settings = job.settings
    segmentation = segment(job.display.picture(pixels), settings.segmentation, settings.n_segments)
    inputs = inputs_of_item(item)
    shapes = {name: values.shape for name, values in job.inputs.items()}
    if {name: values.shape for name, values in inputs.items()} != shapes:
        raise ValueError(f"its other inputs are not like those of the first image, {shapes}")
    return replace(make_plan(pixels, settings, job.display, segmentation), inputs=inputs_of(inputs, 0))


def inputs_of_item(item: Item) -> OtherInputs:
    """What the model takes beside an image, arrays (1, ...) by name."""
    return as_other_inputs({name: np.asarray(value)[None] for name, value in item.inputs.items()}, 1)


def _prepared(item: Item, job: Job) -> AuditedImage:
    # Data sets without labels, or with some, often say −1.
    image = AuditedImage(item, None if item.label == -1 else item.label)
    try:
        pixels = job.preprocessing.image(item)
        image.image_id = image_id(pixels)
        image.mask = job.preprocessing.mask(item)
    except Exception as error:  # damaged files make Pillow raise half a dozen kinds of exceptions
        image.error = _reason(error)
    if image.label is not None and not 0 <= image.label < job.n_outputs:
        # Without a label in the row: the number may be larger than its column holds, and it names no class.
        image.error = image.error or f"the true class is {image.label}, the model has {job.n_outputs} outputs"
        image.label = None
    if image.error is None:
        try:
            image.plan = plan_image(pixels, job, item)
        except ValueError as error:
            image.error = _reason(error)
    return image


def _explain(images: Sequence[AuditedImage], job: Job, scorer: Scorer, tick: Callable[[], object]) -> None:
    """Gives each image its explanation, or says why there is none."""
    waiting = list(images)
    while waiting:
        plans = [image.plan for image in waiting if image.plan is not None]
        subjects = [Subject(f"image {image.item.position}", image.label, None, image.mask) for image in waiting]
        answered = 0
        try:
            for explanation in explain_plans(plans, subjects, scorer, job.settings, class_names=job.class_names):
                waiting[answered].explanation = explanation
                answered += 1
                tick()
        except SubjectError as error:
            # The others share batches with the one that failed, and are asked for anew.
            failed = waiting[error.position]
            failed.error = _reason(error.__cause__ or error)
            waiting = [image for image in waiting[answered:] if image is not failed]
            tick()
        else:
            waiting = []


def _swap(images: Sequence[AuditedImage], job: Job, scorer: Scorer) -> None:
    """Puts the objects before the backgrounds of the shard's other classes."""
    if job.n_outputs < 2:
        return
    chosen = [
        (image, explanation.predicted, explanation.predicted_value, plan, mask, label)
        for image in images
        if (explanation := image.explanation) is not None
        and explanation.predicted is not None
        and (plan := image.plan) is not None
        and (mask := image.mask) is not None
        and (label := image.label) is not None
    ]
    if len({label for *_, label in chosen}) < 2:
        return
    _, before, values, plans, masks, labels = zip(*chosen, strict=True)
    pixels = [plan.image for plan in plans]
    swap_plan = make_swap_plan(
        np.stack(pixels),
        np.array(labels, np.int64),
        np.stack(masks),
        grey=job.display.grey(pixels[0]),
        n_donors=_DONORS,
        n_same=0,
        seed=job.settings.seed,
        inputs={name: np.stack([plan.inputs[name] for plan in plans]) for name in job.inputs},
    )
    if not len(swap_plan.probes):
        return
    try:
        scores = run_swap(swap_plan, scorer, before, values)
    except NonFiniteOutputError:
        return
    flips = scores.changed.sum(axis=1) / (scores.after >= 0).sum(axis=1)
    certainties = [(each - scores.chance) / (1 - scores.chance) for each in (scores.background, scores.object)]
    for probe, flip, background, alone in zip(swap_plan.probes, flips, *certainties, strict=True):
        chosen[probe][0].swap = (float(flip), float(background), float(alone))


def _reason(error: BaseException) -> str:
    """What went wrong, the same in every process."""
    if isinstance(error, NonFiniteOutputError):
        return f"the model gave {error.value} in output {error.output}"
    # Pillow names the object in memory that it could not read, by its address.
    text = re.sub(r" ?<[^<>]* object at 0x[0-9a-f]+>", "", str(error)) or type(error).__name__
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"
