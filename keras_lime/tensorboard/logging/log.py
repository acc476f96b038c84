"""`LimeLog`: what a session of explanations leaves in its run.

That is records for the plugin, and scalars and pictures for TensorBoard's own tabs. May import the core, Pillow, and
the records and writer beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.class_names import class_title
from keras_lime.core.diagnostics import SEGMENT_TEXTS, TARGET_TEXTS
from keras_lime.core.display import Display
from keras_lime.core.explanation import Explanation
from keras_lime.core.image import image_id
from keras_lime.core.localisation import object_share
from keras_lime.core.pipeline import Subject, fit_log_odds
from keras_lime.core.plan import Plan
from keras_lime.exceptions import warn
from keras_lime.shortcut import ClassSummary, Summary
from keras_lime.shortcut.monitor import EpochTests
from keras_lime.shortcut.probe_data import outline_kinds
from keras_lime.tensorboard.logging.event_writer import RunWriter
from keras_lime.tensorboard.logging.neighbour_parts import neighbour_parts
from keras_lime.tensorboard.logging.probe_columns import probe_columns
from keras_lime.tensorboard.logging.probe_image import image_fields
from keras_lime.tensorboard.logging.shortcut_parts import (
    shortcut_arrays,
    shortcut_header,
    shortcut_scalars,
    shortcut_text,
    swaps_parts,
)
from keras_lime.tensorboard.logging.written_probes import WrittenProbes
from keras_lime.tensorboard.records import (
    MANIFEST_TAG,
    NEIGHBOURS_TAG,
    SUMMARY_TAG,
    SWAPS_TAG,
    build,
    probe_tag,
    result_tag,
)

if TYPE_CHECKING:
    from keras_lime.training.nearest_images import Neighbours
    from keras_lime.training.outcome import EpochOutcome

__all__ = ["LimeLog", "manifest_parts", "probe_parts", "result_parts", "summary_parts"]

_PICTURE_SIZE = 256

_CLASSES_IN_SCALARS = 20
"""Classes that get scalars of their own: a thousand classes would make two thousand charts. The page shows them all."""

_COLUMNS = {
    "object_share": "class_object_share",
    "object_chance": "class_chance",
    "r2": "class_r2",
    "probability": "class_probability",
    "accuracy": "class_accuracy",
    "object_share_stderr": "class_object_share_stderr",
}


class LimeLog:
    """Writes one session of one run; thin over the builders below.

    Args:
        directory: the run's folder, such as `logs/run1/lime`; made if missing.
        name: name of the callback.
        class_names: names of the outputs, or None.
        settings: the explainer's settings as JSON values.
        shortcut: the shortcut tests' settings as JSON values, or None where there are none.
        fits: the steps at which the trainings that this run holds began, this one's last.
        written: the probes that this run holds already. Defaults to `None`, none.

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
        fits: Sequence[int] = (),
        written: WrittenProbes | None = None,
    ) -> None:
        self._directory = directory
        self._written = written or WrittenProbes()
        self._writer = RunWriter(directory)
        self._about: dict[str, Any] = {
            "name": name,
            "class_names": class_names,
            "settings": dict(settings),
            "shortcut": shortcut,
            "fits": list(fits),
        }
        self._shortcut = shortcut or {}
        self._told: Any = None
        self._told_carried: str | None = None
        self._class_names = class_names
        self._started = False

    def write(self, outcome: "EpochOutcome", plans: Sequence[Plan], subjects: Sequence[Subject]) -> None:
        """Writes an epoch: a record per probe, the summary and its scalars; before the first, what never changes.

        Args:
            outcome: the epoch's.
            plans: of the probes, in the order of its explanations.
            subjects: who they are.

        Raises:
            OSError: if the disk refuses; the epoch is lost, and the next call writes what never changes again.
        """
        step, explanations, summary = outcome.step, outcome.explanations, outcome.summary
        self._reopen_if_lost()
        if not self._started:
            self._writer.session_start(step)
            about = {**self._about, "output": outcome.output, "n_outputs": outcome.n_outputs}
            self._writer.record(MANIFEST_TAG, step, manifest_parts(about, plans, subjects))
            for row, (plan, subject) in enumerate(zip(plans, subjects, strict=True)):
                tag = probe_tag(image_id(plan.image))
                parts = probe_parts(plan, subject, _estimated_mask(outcome.tests, row))
                if self._written.needs(tag, step, parts, self._writer.path):
                    self._writer.record(tag, step, parts)
        for row, explanation in enumerate(explanations):
            agreement = None if outcome.agreements is None else outcome.agreements[row]
            parts = result_parts(explanation, cluster=int(outcome.heatmap_clusters[row]), gradient_agreement=agreement)
            self._writer.record(result_tag(image_id(explanation.image)), step, parts)
        costs = {"passes": outcome.passes, "epoch_share": outcome.epoch_share}
        parts = summary_parts(summary, outcome.tests, outcome.no_agreements, explanations, outcome.carried, costs)
        self._writer.record(SUMMARY_TAG, step, parts)
        if outcome.tests is not None:
            self._write_tests(step, outcome.tests)
        if outcome.carried not in (None, self._told_carried):
            self._told_carried = outcome.carried
            self._writer.text("carry_over", step, outcome.carried or "")
        if self._about["settings"].get("num_samples") == "auto" or outcome.carried is not None:
            self._writer.scalar("num_samples", step, float(np.mean([each.num_samples or 0 for each in explanations])))
        self._scalars("", step, summary.overall)
        # The classes are those of the probes, the same at every epoch, so the tags are too. All are in the summary.
        for label, numbers in list(summary.classes.items())[:_CLASSES_IN_SCALARS]:
            self._scalars(f"_by_class/{class_title(label, self._class_names)}", step, numbers)
        self._writer.flush()
        self._written.flushed()
        self._started = True

    def begin_anew(self, shortcut: Mapping[str, Any] | None) -> None:
        """Lets the next epoch write what never changes once more, since the objects of the probes have changed.

        Args:
            shortcut: the settings of the shortcut tests that the objects allow, or None where there are none.
        """
        self._about["shortcut"], self._shortcut = shortcut, shortcut or {}
        self._started, self._told = False, None

    def pictures(self, explanations: Sequence[Explanation]) -> None:
        """Writes overlays of the first target for TensorBoard's Images tab, at most 256 pixels high and wide."""
        if self._writer.lost is not None:
            return
        for explanation in explanations:
            overlay = Image.fromarray(explanation.overlay())
            overlay.thumbnail((_PICTURE_SIZE, _PICTURE_SIZE))
            tag = explanation.name or image_id(explanation.image)
            self._writer.image(tag, explanation.step or 0, _png(overlay), overlay.width, overlay.height)
        self._writer.flush()

    def swaps(self, outcome: "EpochOutcome") -> None:
        """Writes the swapped pictures that changed the predictions most, an empty record if none did."""
        swap = None if outcome.tests is None else outcome.tests.swap
        if swap is None or outcome.tests is None or self._writer.lost is not None:
            return
        # Of the tested images the explained ones come first, and they alone have names in the log.
        ids = [image_id(image) for image in swap.plan.images]
        names = [each.name for each in outcome.explanations]
        self._writer.record(SWAPS_TAG, outcome.step, swaps_parts(swap, ids, names, outcome.tests.display))
        self._writer.flush()

    def neighbours(self, step: int, found: "Neighbours", ids: Sequence[str], display: Display) -> None:
        """Writes the training images that are nearest to each probe.

        Args:
            step: the epoch.
            found: the images.
            ids: of the probes.
            display: how the images are shown.
        """
        if self._writer.lost is None:
            self._writer.record(NEIGHBOURS_TAG, step, neighbour_parts(found, ids, display))
            self._writer.flush()

    def close(self) -> None:
        """Flushes and closes the event file."""
        lost = self._writer.lost
        if lost is None:
            self._writer.close()
            return
        self._writer.abandon()
        warn(f"The log {self._writer.path} is lost: {lost}.")

    def _reopen_if_lost(self) -> None:
        """Goes on in a new file where nobody would read what is written to this one."""
        lost = self._writer.lost
        if lost is None:
            return
        path = self._writer.path
        self._writer.abandon()
        self._writer = RunWriter(self._directory)
        self._written.forget()
        self._started, self._told = False, None
        warn(f"The log {path} is lost: {lost}. From here on the epochs are in {self._writer.path}.")

    def _write_tests(self, step: int, tests: EpochTests) -> None:
        """Scalars, and a text where it tells something new: at first, and when a status changes."""
        for tag, value in shortcut_scalars(tests).items():
            self._writer.scalar(tag, step, value)
        told = (tests.verdict.status, tests.verdict.counted, *(result.status for result in tests.results))
        if told != self._told:
            self._told = told
            self._writer.text("shortcut", step, shortcut_text(tests, self._shortcut))

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


def _estimated_mask(tests: EpochTests | None, row: int) -> NDArray[np.bool_] | None:
    estimated = tests is not None and tests.outlines is not None and tests.outlines[row] == "estimated"
    return None if tests is None or tests.masks is None or not estimated else tests.masks[row]


def _outline(mask: NDArray[np.bool_] | None, estimated: NDArray[np.bool_] | None) -> str | None:
    """What the outline of the object is: see the schema."""
    if mask is not None:
        return outline_kinds(mask[None])[0]
    return None if estimated is None else "estimated"


def probe_parts(plan: Plan, subject: Subject, estimated: NDArray[np.bool_] | None = None) -> list[bytes]:
    """Builds the record of what stays the same for a probe: its picture, image, superpixels and object.

    Args:
        plan: the probe's.
        subject: who it is.
        estimated: bool array (h, w), the estimated outline of the object. Defaults to `None`, there is none.
    """
    mask, segmentation = subject.object_mask, plan.segmentation
    values = {
        "id": image_id(plan.image),
        "name": subject.name,
        "label": subject.label,
        "height": plan.picture.shape[0],
        "width": plan.picture.shape[1],
        "picture": np.frombuffer(_png(Image.fromarray(plan.picture)), dtype=np.uint8),
        **image_fields(plan.image, plan.picture),
        "segments": segmentation.labels.astype(np.uint16 if segmentation.n_segments <= 1 << 16 else np.int32),
        "object_mask": mask,
        "outline": _outline(mask, estimated),
        "estimated_mask": estimated,
        "object_fraction": None if mask is None else segmentation.share_inside(mask),
    }
    return build("probe", values)


def result_parts(
    explanation: Explanation, *, cluster: int = -1, gradient_agreement: NDArray[np.float64] | None = None
) -> list[bytes]:
    """Builds the record of one probe at one epoch.

    Args:
        explanation: the probe's.
        cluster: its cluster among the heatmaps of its class. Defaults to `-1`, none.
        gradient_agreement: rank agreement with the gradients, (n_targets,). Defaults to `None`, not asked for.

    Returns:
        The record's parts.
    """
    fit, bits, agreement = explanation.fit, explanation.diagnostic_bits, explanation.agreement
    log_odds = fit_log_odds(explanation)
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
        "coef_logit": None if log_odds is None else log_odds.coef,
        "stderr_logit": None if log_odds is None else log_odds.stderr,
        "r2_logit": None if log_odds is None else log_odds.r2,
    }
    return build("result", values if cluster < 0 else {**values, "group": cluster})


def summary_parts(
    summary: Summary,
    tests: EpochTests | None = None,
    no_agreements: str | None = None,
    explanations: Sequence[Explanation] = (),
    carried: str | None = None,
    costs: Mapping[str, float | None] | None = None,
) -> list[bytes]:
    """Builds the record of an epoch's means and shortcut tests, over all probes and per class.

    Args:
        summary: the means.
        tests: the shortcut tests, or None.
        no_agreements: why there are no gradients to compare with, or None.
        explanations: of each probe, in order. Defaults to none.
        carried: how the probes were scored where answers are carried over, or None.
        costs: `passes` and `epoch_share`, see the schema. Defaults to `None`, unknown.

    Returns:
        The record's parts.
    """
    values: dict[str, Any] = {"class_ids": list(summary.classes), **(costs or {})}
    if explanations:
        values |= probe_columns(explanations)
    for name, class_name in _COLUMNS.items():
        values[name] = getattr(summary.overall, name)
        values[class_name] = [getattr(numbers, name) for numbers in summary.classes.values()]
    if no_agreements is not None:
        values["cross_check"] = no_agreements
    if carried is not None:
        values["carried"] = carried
    if tests is not None:
        probes = [(image_id(each.image), each.name) for each in explanations]
        values |= shortcut_header(tests, probes) | shortcut_arrays(tests, list(summary.classes))
    return build("summary", values)


def _png(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.save(stream, format="PNG")
    return stream.getvalue()
