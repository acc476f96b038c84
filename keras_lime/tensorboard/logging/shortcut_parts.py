"""What the shortcut tests leave in a run: arrays of the summary record, the swapped pictures, and a text.

Pure builders; `log` writes what they build. May import numpy, Pillow, the core, `shortcut` and the records.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.display import Display
from keras_lime.shortcut.decision import Evidence, least_accuracy
from keras_lime.shortcut.monitor import ShortcutResult
from keras_lime.shortcut.swap import SwapScores
from keras_lime.tensorboard.records import build

__all__ = ["shortcut_arrays", "shortcut_header", "shortcut_scalars", "shortcut_text", "swaps_parts"]

_PICTURES, _PICTURE_SIZE = 8, 160


def shortcut_arrays(result: ShortcutResult, class_ids: Sequence[int]) -> dict[str, NDArray[Any] | None]:
    """The arrays that the summary record gains; those of a test that was not made are None.

    Args:
        result: the epoch's tests.
        class_ids: the classes of the record, in order.

    Returns:
        By name: float32 () `swap_flip`, `swap_flip_stderr`, `p_background`, `p_object`, `swap_chance` (1 / number of
        classes), float32 (k,) `class_swap_flip`, `class_swap_flip_stderr`, `class_p_background`, `class_p_object`;
        float32 (8,) `occlusion_drop`, `occlusion_drop_stderr`, over `shortcut.occlusion.PLACES`, float32 (k, 8)
        `class_occlusion_drop`, float32 () `p_frame`; uint8 () `shortcut_counted`, `shortcut_alarm`, float32 ()
        `train_accuracy`, `accuracy_needed` (from which on a measurement counts). NaN where there is no number.
    """
    evidence, verdict = result.evidence, result.verdict
    accuracy = np.nan if verdict.accuracy is None else verdict.accuracy
    arrays: dict[str, Any] = {
        "shortcut_counted": np.uint8(verdict.counted),
        "shortcut_alarm": np.uint8(verdict.alarm),
        "train_accuracy": np.float32(accuracy),
        "accuracy_needed": np.float32(least_accuracy(evidence.n_classes)),
    }
    if evidence.swap is not None:
        overall, classes = evidence.swap.figures(), [evidence.swap.figures(label) for label in class_ids]
        for name in ("swap_flip", "swap_flip_stderr", "p_background", "p_object"):
            arrays[name] = np.float32(getattr(overall, name))
            arrays[f"class_{name}"] = np.array([getattr(each, name) for each in classes], np.float32)
        arrays["swap_chance"] = np.float32(evidence.swap.chance)
    if evidence.occlusion is not None:
        occlusion, labels = evidence.occlusion, evidence.labels
        arrays["occlusion_drop"] = occlusion.mean().astype(np.float32)
        arrays["occlusion_drop_stderr"] = occlusion.stderr().astype(np.float32)
        arrays["p_frame"] = np.float32(occlusion.frame.mean())
        if labels is not None and len(class_ids):
            rows = [occlusion.mean(labels == label) for label in class_ids]
            arrays["class_occlusion_drop"] = np.stack(rows).astype(np.float32)
    return {name: np.asarray(value) for name, value in arrays.items()}


def shortcut_header(result: ShortcutResult) -> dict[str, Any]:
    """What the summary record's header gains: `shortcut`.

    It says whether an alarm is on, and then the step at which it began, its words and readings; and what could not be
    measured, and why, where there is something.
    """
    verdict = result.verdict
    readings = [
        {"test": each.test, "subject": each.subject, "value": round(each.value, 4), "threshold": each.threshold}
        | ({"stderr": round(each.stderr, 4)} if np.isfinite(each.stderr) else {})
        for each in verdict.readings
    ]
    entry: dict[str, Any] = {"alarm": verdict.alarm, "began": result.alarm_step}
    if result.evidence.unmeasured:
        entry["unmeasured"] = list(result.evidence.unmeasured)
    # The words of calm epochs are in the text; the record stays small.
    return {"shortcut": entry | ({"words": verdict.words, "readings": readings} if verdict.alarm else {})}


def shortcut_scalars(evidence: Evidence) -> dict[str, float]:
    """Numbers for TensorBoard's Scalars tab by tag; finite ones alone."""
    found: dict[str, float] = {}
    if evidence.swap is not None:
        overall = evidence.swap.figures()
        found |= {name: getattr(overall, name) for name in ("swap_flip", "p_background", "p_object")}
    if evidence.occlusion is not None:
        found["occlusion_drop"] = float(evidence.occlusion.mean().max())
        found["p_frame"] = float(evidence.occlusion.frame.mean())
    return {f"shortcut/{name}": value for name, value in found.items() if np.isfinite(value)}


def shortcut_text(result: ShortcutResult, settings: Mapping[str, Any]) -> str:
    """The epoch's findings as Markdown."""
    evidence, verdict = result.evidence, result.verdict
    lines = [f"**{'Shortcut alarm' if verdict.alarm else 'Shortcut tests'}** — {verdict.words}"]
    if evidence.swap is not None:
        rows = [("all", evidence.swap.figures())]
        rows += [(_name(label, evidence), each) for label, each in evidence.swap.classes().items()]
        lines += ["", "| | probes | swap flip | background only | object only |", "|---|---|---|---|---|"]
        for title, each in rows:
            flip = f"{each.swap_flip:.2f}{_plus_minus(each.swap_flip_stderr)}"
            lines.append(f"| {title} | {each.n} | {flip} | {each.p_background:.2f} | {each.p_object:.2f} |")
        lines += [
            "",
            "Swap flip: share of the predictions that change when the object is pasted on backgrounds of other classes "
            f"(alarm above {settings['threshold']} for {settings['patience']} measurements in a row). The other two: "
            "probability of the predicted class with one part alone; 1 is certain, 0 a guess.",
        ]
    return "\n".join(lines)


def swaps_parts(swap: SwapScores, ids: Sequence[str], names: Sequence[str | None], display: Display) -> list[bytes]:
    """Builds the record of the swapped pictures that changed the prediction most, one a class, at most eight.

    Args:
        swap: the epoch's answers.
        ids: ids of all probes.
        names: their names.
        display: how they are shown.

    Returns:
        The record's parts: header `pairs`, a list of `probe` and `donor` (ids), `name`, `label`, `before`, `after`
        (classes), `before_value`, `after_value` (their probabilities); arrays `picture_0`, `picture_1`, …: the bytes of
        a PNG file each, at most 160 pixels high and wide. No pair if no prediction changed.
    """
    pairs: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for row, column in _most_changed(swap):
        probe, donor = int(swap.plan.probes[row]), int(swap.plan.donors[row, column])
        shown = display.picture(swap.plan.swapped(probe, donor))
        picture = Image.fromarray(np.floor(255 * shown + 0.5).astype(np.uint8))
        picture.thumbnail((_PICTURE_SIZE, _PICTURE_SIZE))
        stream = BytesIO()
        picture.save(stream, format="PNG")
        arrays[f"picture_{len(pairs)}"] = np.frombuffer(stream.getvalue(), np.uint8)
        pairs.append(
            {
                "probe": ids[probe],
                "donor": ids[donor],
                "name": names[probe],
                "label": int(swap.plan.labels[probe]),
                "before": int(swap.before[row]),
                "before_value": round(float(swap.before_value[row]), 4),
                "after": int(swap.after[row, column]),
                "after_value": round(float(swap.after_value[row, column]), 4),
            }
        )
    return build("swaps", {"pairs": pairs, **arrays})


def _most_changed(swap: SwapScores) -> list[tuple[int, int]]:
    """Of each class the change between the surest two predictions; the surest of all first."""
    sureness = np.where(swap.changed, swap.before_value[:, None] + np.nan_to_num(swap.after_value), -1.0)
    labels = swap.plan.labels[swap.plan.probes]
    best = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        row, column = np.unravel_index(int(sureness[rows].argmax()), sureness[rows].shape)
        best.append((float(sureness[rows][row, column]), int(rows[row]), int(column)))
    return [(row, column) for value, row, column in sorted(best, key=lambda each: -each[0])[:_PICTURES] if value >= 0]


def _name(label: int, evidence: Evidence) -> str:
    names = evidence.class_names
    return f"class {label}" if names is None or label >= len(names) else names[label]


def _plus_minus(error: float) -> str:
    return f" ± {error:.2f}" if np.isfinite(error) else ""
