"""One shard of images → rows and pictures on the disk. The same in every engine.

What concerns one image alone (a damaged file, a wrong size, a model that gives NaN) becomes a row with its `error`. May
import numpy, the core, `shortcut` and the modules beside it; gets a scorer and runs it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.preprocessing import Intake, Item, Shard
from keras_lime.auditing.storage.pictures import mask_file, picture_file, segments_file
from keras_lime.auditing.storage.schema import PICTURE_COLUMNS, ROW_COLUMNS
from keras_lime.auditing.storage.shards import Manifest, write_shard
from keras_lime.auditing.visual_words.descriptors import describe_segments
from keras_lime.core.display import Display
from keras_lime.core.explanation import Explanation
from keras_lime.core.image import image_id
from keras_lime.core.localisation import object_share
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import Plan, make_plan
from keras_lime.core.scores import Scorer
from keras_lime.core.segmentation import segment
from keras_lime.core.settings import Settings
from keras_lime.scoring import NonFiniteOutputError
from keras_lime.shortcut.swap import make_swap_plan, run_swap

__all__ = ["Job", "plan_of", "work"]

_DONORS = 4
"""Backgrounds of other classes per image, as in `LimeCallback`."""

_Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Job:
    """What is the same for all shards of an audit.

    Attributes:
        folder: where it is written.
        intake: how images become model input.
        settings: the explainer's.
        display: how images are shown.
        n_outputs: number of the model's outputs.
        class_names: their names, or None.
    """

    folder: Path
    intake: Intake
    settings: Settings
    display: Display
    n_outputs: int
    class_names: tuple[str, ...] | None = None


@dataclass(eq=False)
class _Subject:
    """An image on its way: what is known so far."""

    item: Item
    image_id: str | None = None
    plan: Plan | None = None
    mask: NDArray[np.bool_] | None = None
    explanation: Explanation | None = None
    error: str | None = None
    swap: tuple[float, float, float] | None = None

    @property
    def title(self) -> str:
        """How errors call it."""
        return f"image {self.item.position}"


def work(shard: Shard, job: Job, scorer: Scorer, tick: Callable[[], object] = lambda: None) -> Manifest:
    """Explains a shard's images and writes its files.

    Args:
        shard: the images.
        job: how.
        scorer: the model, from `keras_lime.scoring.make_scorer`.
        tick: called after each image.

    Returns:
        The shard's `Manifest`.
    """
    subjects = [_prepared(item, job) for item in shard.items]
    ready = [subject for subject in subjects if subject.error is None]
    for _ in range(len(subjects) - len(ready)):
        tick()
    _explain(ready, job, scorer, tick)
    _swap([subject for subject in ready if subject.explanation is not None], job, scorer)
    rows = [row for subject in subjects for row in _rows(subject, job)]
    pictures = [_picture(subject) for subject in ready]
    failed = sum(subject.error is not None for subject in subjects)
    ids = [subject.image_id for subject in subjects]
    return write_shard(
        job.folder, shard.index, _columns(rows, ROW_COLUMNS), _columns(pictures, PICTURE_COLUMNS), ids, failed
    )


def plan_of(image: NDArray[Any], job: Job) -> Plan:
    """The plan of one image of an audit; see `keras_lime.core.plan`."""
    settings = job.settings
    found = segment(job.display.picture(image), settings.segmentation, settings.n_segments)
    return make_plan(image, settings, job.display, found)


def _prepared(item: Item, job: Job) -> _Subject:
    subject = _Subject(item)
    try:
        image = job.intake.image(item)
        subject.image_id = image_id(image)
        subject.mask = job.intake.mask(item)
    except Exception as error:  # damaged files make Pillow raise half a dozen kinds of exceptions
        subject.error = _words(error)
        return subject
    if item.label is not None and item.label >= job.n_outputs:
        subject.error = f"the true class is {item.label}, the model has {job.n_outputs} outputs"
        return subject
    try:
        subject.plan = plan_of(image, job)
    except ValueError as error:
        subject.error = _words(error)
    return subject


def _explain(subjects: Sequence[_Subject], job: Job, scorer: Scorer, tick: Callable[[], object]) -> None:
    """Gives each subject its explanation, or says why there is none."""
    waiting = list(subjects)
    while waiting:
        plans = [subject.plan for subject in waiting if subject.plan is not None]
        known = [Subject(subject.title, label=subject.item.label, object_mask=subject.mask) for subject in waiting]
        answered = 0
        try:
            for found in explain_plans(plans, known, scorer, job.settings, class_names=job.class_names):
                waiting[answered].explanation = found
                answered += 1
                tick()
        except ValueError as error:
            # The others share batches with the one that failed, and are asked for anew.
            failed = [each for each in waiting[answered:] if str(error).startswith(f"{each.title}: ")]
            if not failed:
                raise
            failed[0].error = _words(error.__cause__ or error)
            waiting = [each for each in waiting[answered:] if each is not failed[0]]
            tick()
        else:
            waiting = []


def _swap(subjects: Sequence[_Subject], job: Job, scorer: Scorer) -> None:
    """Puts the objects before the backgrounds of the shard's other classes."""
    if job.n_outputs < 2:
        return
    members = [
        (subject, subject.explanation, subject.plan, subject.mask)
        for subject in subjects
        if subject.mask is not None and subject.item.label is not None
    ]
    chosen = [
        (subject, found.predicted, found.predicted_value, plan.image, mask)
        for subject, found, plan, mask in members
        if found is not None and found.predicted is not None and plan is not None and mask is not None
    ]
    if len({subject.item.label for subject, *_ in chosen}) < 2:
        return
    before, values = [each[1] for each in chosen], [each[2] for each in chosen]
    plan = make_swap_plan(
        np.stack([each[3] for each in chosen]),
        np.array([subject.item.label for subject, *_ in chosen], np.int64),
        np.stack([each[4] for each in chosen]),
        grey=job.display.grey(chosen[0][3]),
        n_donors=_DONORS,
        seed=job.settings.seed,
    )
    if not len(plan.probes):
        return
    try:
        scores = run_swap(plan, scorer, before, values)
    except NonFiniteOutputError:
        return
    flips = scores.changed.sum(axis=1) / (scores.after >= 0).sum(axis=1)
    certain = [(each - scores.chance) / (1 - scores.chance) for each in (scores.background, scores.object)]
    for probe, *figures in zip(plan.probes, flips, *certain, strict=True):
        chosen[probe][0].swap = (float(figures[0]), float(figures[1]), float(figures[2]))


def _rows(subject: _Subject, job: Job) -> Iterator[_Row]:
    """A row per target, or one for an image that failed; columns that are missing are null."""
    item, found = subject.item, subject.explanation
    common: _Row = {
        "position": item.position,
        "image_id": subject.image_id,
        "path": item.path,
        "label": item.label,
        "label_name": _name(item.label, job.class_names),
        "error": subject.error,
    }
    if found is None:
        yield common
        return
    looks = describe_segments(found.picture, found.segmentation)
    inside = None if subject.mask is None else found.segmentation.share_inside(subject.mask).astype(np.float32)
    common |= {
        "predicted": found.predicted,
        "predicted_name": found.predicted_name,
        "predicted_value": found.predicted_value,
        "effective_samples": found.fidelity.effective_samples,
        "num_samples": found.num_samples,
        "object_chance": None if subject.mask is None else float(subject.mask.mean()),
        "n_segments": found.segmentation.n_segments,
        "segment_area": looks.area,
        "segment_y": looks.y,
        "segment_x": looks.x,
        "segment_at_border": looks.at_border,
        "segment_lightness": looks.lightness,
        "segment_a": looks.a,
        "segment_b": looks.b,
        "segment_spread": looks.spread,
        "segment_texture": looks.texture,
        "segment_on_object": inside,
    }
    if subject.swap is not None:
        common |= dict(zip(("swap_flip", "p_background", "p_object"), subject.swap, strict=True))
    shares, fit = object_share(found), found.fit
    for place, (target, name) in enumerate(zip(found.targets, found.target_names, strict=True)):
        yield common | {
            "target": target,
            "target_name": name,
            "probability": float(found.prediction[place]),
            "r2": _finite(fit.r2[place]),
            "intercept": float(fit.intercept[place]),
            "local_prediction": float(fit.local_prediction[place]),
            "caveats": 0 if found.limits is None else int(found.limits.caveats[place]),
            "object_share": _finite(shares[place]),
            "weights": fit.coef[place].astype(np.float32),
            "stderr": None if fit.stderr is None else fit.stderr[place].astype(np.float32),
            "flags": None if found.limits is None else found.limits.flags[place],
        }


def _picture(subject: _Subject) -> Mapping[str, Any]:
    plan = subject.plan
    if plan is None:
        raise ValueError(f"Image {subject.item.position} has no plan.")
    height, width = plan.segmentation.labels.shape
    return {
        "position": subject.item.position,
        "image_id": subject.image_id,
        "height": height,
        "width": width,
        "picture": picture_file(plan.picture),
        "segments": segments_file(plan.segmentation.labels),
        "object_mask": None if subject.mask is None else mask_file(subject.mask),
    }


def _columns(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows] for name in names}


def _name(label: int | None, class_names: tuple[str, ...] | None) -> str | None:
    if label is None:
        return None
    return class_names[label] if class_names is not None and label < len(class_names) else f"class {label}"


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _words(error: BaseException) -> str:
    """What went wrong, the same in every process."""
    if isinstance(error, NonFiniteOutputError):
        return f"the model gave {error.value} in output {error.output}"
    text = re.sub(r" ?<[^<>]* object at 0x[0-9a-f]+>", "", str(error)) or type(error).__name__
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"
