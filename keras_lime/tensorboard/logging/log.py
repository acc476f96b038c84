"""`LimeLog`: what a session of explanations leaves in its run.

That is records for the plugin, and scalars and pictures for TensorBoard's own tabs. May import the core, Pillow, and
the records and writer beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.diagnostics import SEGMENT_TEXTS, TARGET_TEXTS
from keras_lime.core.explanation import Explanation
from keras_lime.core.image import image_id
from keras_lime.core.localisation import object_share
from keras_lime.core.pipeline import Subject
from keras_lime.core.plan import Plan
from keras_lime.shortcut import ClassSummary, Summary
from keras_lime.shortcut.heatmap_clusters import group_by_class
from keras_lime.shortcut.monitor import ShortcutResult
from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.logging.shortcut_parts import (
    shortcut_arrays,
    shortcut_header,
    shortcut_scalars,
    shortcut_text,
    swaps_parts,
)
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, SWAPS_TAG, build, probe_tag, result_tag

__all__ = ["LimeLog", "manifest_parts", "probe_parts", "result_parts", "summary_parts"]

_PICTURE_SIZE = 256

_COLUMNS = {
    "object_share": "class_object_share",
    "object_chance": "class_chance",
    "r2": "class_r2",
    "probability": "class_probability",
    "accuracy": "class_accuracy",
    "object_share_stderr": "class_object_share_stderr",
}
_SCALES = ((1.0, 0.0), (1 / 255, 0.0), (1 / 127.5, -1.0))
"""Factor and offset of the usual float images that came from 8-bit files."""


class LimeLog:
    """Writes one session of one run; thin over the builders below.

    Args:
        directory: the run's folder, such as `logs/run1/lime`; made if missing.
        name: name of the callback.
        class_names: names of the outputs, or None.
        settings: the explainer's settings as JSON values.
        shortcut: the shortcut tests' settings as JSON values, or None where there are none.

    Raises:
        OSError: if the folder cannot be written.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        class_names: tuple[str, ...] | None,
        settings: Mapping[str, Any],
        shortcut: Mapping[str, Any] | None = None,
    ) -> None:
        self._writer = RunWriter(directory)
        self._about: dict[str, Any] = {
            "name": name,
            "class_names": class_names,
            "settings": dict(settings),
            "shortcut": shortcut,
        }
        self._shortcut, self._seed = shortcut or {}, int(settings.get("seed", 0))
        self._said: Any = None
        self._class_names = class_names
        self._started = False

    def write(
        self,
        step: int,
        plans: Sequence[Plan],
        subjects: Sequence[Subject],
        explanations: Sequence[Explanation],
        summary: Summary,
        shortcut: ShortcutResult | None = None,
        gradients: Sequence[NDArray[np.float64]] | str | None = None,
        output: tuple[str, int] | None = None,
    ) -> None:
        """Writes an epoch: a record per probe, the summary and its scalars; before the first, what never changes.

        Args:
            step: the epoch.
            plans: of the probes, as `subjects` and `explanations`.
            subjects: who they are.
            explanations: the epoch's.
            summary: their means.
            shortcut: the epoch's shortcut tests, or None.
            gradients: rank agreement with them, (n_targets,) a probe; why they are not to be had; or None.
            output: what the model's output means, such as `"softmax"`, and how many outputs there are; or None.

        Raises:
            OSError: if the disk refuses; the epoch is lost, and the next call writes what never changes again.
        """
        if not self._started:
            self._writer.session_start(step)
            kind, n_outputs = output or (None, None)
            about = {**self._about, "output": kind, "n_outputs": n_outputs}
            self._writer.record(MANIFEST_TAG, step, manifest_parts(about, plans, subjects))
            for plan, subject in zip(plans, subjects, strict=True):
                self._writer.record(probe_tag(image_id(plan.image)), step, probe_parts(plan, subject))
        groups = group_by_class(explanations, self._seed)
        for row, explanation in enumerate(explanations):
            agreement = None if gradients is None or isinstance(gradients, str) else gradients[row]
            parts = result_parts(explanation, group=int(groups[row]), gradient_agreement=agreement)
            self._writer.record(result_tag(image_id(explanation.image)), step, parts)
        self._writer.record(SUMMARY_TAG, step, summary_parts(summary, shortcut, gradients))
        if shortcut is not None:
            self._write_shortcut(step, shortcut)
        if self._about["settings"].get("num_samples") == "auto":
            self._writer.scalar("num_samples", step, float(np.mean([each.num_samples or 0 for each in explanations])))
        self._scalars("", step, summary.overall)
        for label, numbers in summary.classes.items():
            self._scalars(f"_by_class/{_class_name(label, self._class_names)}", step, numbers)
        self._writer.flush()
        self._started = True

    def pictures(self, explanations: Sequence[Explanation]) -> None:
        """Writes overlays of the first target for TensorBoard's Images tab, at most 256 pixels high and wide."""
        for explanation in explanations:
            overlay = Image.fromarray(explanation.overlay(boundaries=True))
            overlay.thumbnail((_PICTURE_SIZE, _PICTURE_SIZE))
            tag = explanation.name or image_id(explanation.image)
            self._writer.image(tag, explanation.step or 0, _png(overlay), overlay.width, overlay.height)
        self._writer.flush()

    def swaps(self, step: int, shortcut: ShortcutResult, explanations: Sequence[Explanation]) -> None:
        """Writes the swapped pictures that changed the predictions most, an empty record if none did."""
        if shortcut.evidence.swap is None:
            return
        ids, names = [image_id(each.image) for each in explanations], [each.name for each in explanations]
        self._writer.record(SWAPS_TAG, step, swaps_parts(shortcut.evidence.swap, ids, names, shortcut.display))
        self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the event file."""
        self._writer.close()

    def _write_shortcut(self, step: int, shortcut: ShortcutResult) -> None:
        """Scalars, and a text where it says something new: at first, when an alarm begins or ends."""
        for tag, value in shortcut_scalars(shortcut.evidence).items():
            self._writer.scalar(tag, step, value)
        news = (shortcut.verdict.alarm, shortcut.verdict.counted)
        if news != self._said:
            self._said = news
            self._writer.text("shortcut", step, shortcut_text(shortcut, self._shortcut))

    def _scalars(self, suffix: str, step: int, numbers: ClassSummary) -> None:
        for name in ("object_share", "r2", "probability"):
            value = getattr(numbers, name)
            if np.isfinite(value):
                self._writer.scalar(name + suffix, step, value)


def manifest_parts(about: Mapping[str, Any], plans: Sequence[Plan], subjects: Sequence[Subject]) -> list[bytes]:
    """Builds the record that says which probes and settings a session has."""
    from keras_lime import __version__

    probes = [
        {
            "id": image_id(plan.image),
            "name": subject.name,
            "label": subject.label,
            "height": plan.picture.shape[0],
            "width": plan.picture.shape[1],
            "n_segments": plan.segmentation.n_segments,
            "chance": None if subject.object_mask is None else float(subject.object_mask.mean()),
        }
        for plan, subject in zip(plans, subjects, strict=True)
    ]
    values = {
        **about,
        "keras_lime": __version__,
        "probes": probes,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        # What the bits of the result records mean, in words for the reader.
        "flags": {str(int(code)): text for code, text in SEGMENT_TEXTS.items()},
        "caveats": {str(int(code)): " ".join(texts) for code, texts in TARGET_TEXTS.items()},
    }
    return build("manifest", values)


def probe_parts(plan: Plan, subject: Subject) -> list[bytes]:
    """Builds the record of what stays the same for a probe: its picture, image, superpixels and object."""
    stored, scale = _compact(plan.image)
    mask, segmentation = subject.object_mask, plan.segmentation
    values = {
        "id": image_id(plan.image),
        "name": subject.name,
        "label": subject.label,
        "height": plan.picture.shape[0],
        "width": plan.picture.shape[1],
        "dtype": plan.image.dtype.str,
        "image_scale": scale,
        "picture": np.frombuffer(_png(Image.fromarray(plan.picture)), dtype=np.uint8),
        "image": stored,
        "segments": segmentation.labels.astype(np.uint16 if segmentation.n_segments <= 1 << 16 else np.int32),
        "object_mask": mask,
        "object_fraction": None if mask is None else segmentation.share_inside(mask),
    }
    return build("probe", values)


def result_parts(
    explanation: Explanation, *, group: int = -1, gradient_agreement: NDArray[np.float64] | None = None
) -> list[bytes]:
    """Builds the record of one probe at one epoch.

    Args:
        explanation: the probe's.
        group: its group among the heatmaps of its class, see `shortcut.groups`. Defaults to `-1`, none.
        gradient_agreement: rank agreement with the gradients, (n_targets,). Defaults to `None`, not asked for.

    Returns:
        The record's parts.
    """
    fit, bits, agreement = explanation.fit, explanation.diagnostic_bits, explanation.agreement
    values = {
        "predicted": explanation.predicted,
        "predicted_value": round(explanation.predicted_value, 7),
        "num_samples": explanation.num_samples,
        "targets": explanation.targets,
        "coef": fit.coef,
        # Half precision says enough about an error, and halves its room in the log.
        "stderr": fit.stderr,
        "intercept": fit.intercept,
        "r2": explanation.r2,
        "local_prediction": fit.local_prediction,
        "prediction": explanation.prediction,
        "object_share": None if explanation.object_mask is None else object_share(explanation),
        # Bit masks, see `core.diagnostics`; most often no superpixel has any.
        "flags": bits.segments if bits is not None and bits.segments.any() else None,
        "caveats": None if bits is None else bits.targets,
        "agreement": agreement,
        "gradient_agreement": gradient_agreement,
    }
    return build("result", values if group < 0 else {**values, "group": group})


def summary_parts(summary: Summary, shortcut: ShortcutResult | None = None, gradients: object = None) -> list[bytes]:
    """Builds the record of an epoch's means and shortcut tests, over all probes and per class.

    Args:
        summary: the means.
        shortcut: the tests, or None.
        gradients: why there are none to compare with, as a sentence; anything else leaves it out.

    Returns:
        The record's parts.
    """
    values: dict[str, Any] = {"class_ids": list(summary.classes)}
    for name, class_name in _COLUMNS.items():
        values[name] = getattr(summary.overall, name)
        values[class_name] = [getattr(numbers, name) for numbers in summary.classes.values()]
    if isinstance(gradients, str):
        values["cross_check"] = gradients
    if shortcut is not None:
        values |= shortcut_header(shortcut) | shortcut_arrays(shortcut, list(summary.classes))
    return build("summary", values)


def _class_name(label: int, class_names: tuple[str, ...] | None) -> str:
    return class_names[label] if class_names is not None else f"class {label}"


def _png(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.save(stream, format="PNG")
    return stream.getvalue()


def _compact(image: NDArray[Any]) -> tuple[NDArray[Any], list[float] | None]:
    """The image as 8-bit steps with factor and offset where that loses nothing, else as it is."""
    if image.dtype.kind != "f":
        return image, None
    for factor, offset in _SCALES:
        steps = np.round((image - offset) / factor)
        if steps.min() < 0 or steps.max() > 255:
            continue
        if np.array_equal((steps * factor + offset).astype(image.dtype), image):
            return steps.astype(np.uint8), [factor, offset]
    return image, None
