"""What the shortcut tests leave in a run: arrays of the summary record, the swapped pictures, and a text.

Pure builders; `log` writes what they build. May import numpy, Pillow, the core, `shortcut` and the records.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.class_names import class_title
from keras_lime.core.display import Display
from keras_lime.core.phrases import count_of, number
from keras_lime.shortcut.decision import least_accuracy
from keras_lime.shortcut.markers import MarkerScores
from keras_lime.shortcut.monitor import EpochTests
from keras_lime.shortcut.occlusion import Occlusion
from keras_lime.shortcut.registry import shortcut_test
from keras_lime.shortcut.swap import SwapScores
from keras_lime.tensorboard.records import build

__all__ = ["shortcut_arrays", "shortcut_header", "shortcut_scalars", "shortcut_text", "swaps_parts"]

_PICTURES, _PICTURE_SIZE = 8, 160

_STORED = {
    "swap_flip": "swap_flip",
    "swap_flip_stderr": "swap_flip_stderr",
    "same_flip": "same_flip",
    "reliance": "reliance",
    "reliance_stderr": "reliance_stderr",
    "p_background": "background_certainty",
    "p_object": "object_certainty",
}
"""Stored names of the swap's statistics; some are those of old logs."""

_BY_CLASS = ("swap_flip", "swap_flip_stderr", "p_background", "p_object")
"""The ones that are stored by class too: reliance is known to be right over all probes alone."""


def shortcut_arrays(tests: EpochTests, class_ids: Sequence[int]) -> dict[str, NDArray[Any] | None]:
    """The arrays that the summary record gains; those of a test that was not made are left out.

    Args:
        tests: the epoch's tests.
        class_ids: the classes of the record, in order.

    Returns:
        By name, as the rows of the schema's `summary` describe them. NaN where there is no number.
    """
    verdict, swap, occlusion = tests.verdict, tests.swap, tests.details("occlusion")
    accuracy = np.nan if verdict.accuracy is None else verdict.accuracy
    arrays: dict[str, Any] = {
        "shortcut_counted": np.uint8(verdict.counted),
        "shortcut_alarm": np.uint8(verdict.alarm),
        "train_accuracy": np.float32(accuracy),
        "accuracy_needed": np.float32(least_accuracy(tests.n_classes)),
    }
    if swap is not None:
        overall, classes = swap.statistics(), [swap.statistics(label) for label in class_ids]
        for stored, name in _STORED.items():
            arrays[stored] = np.float32(getattr(overall, name))
            if stored in _BY_CLASS:
                arrays[f"class_{stored}"] = np.array([getattr(each, name) for each in classes], np.float32)
        arrays["swap_chance"] = np.float32(swap.chance)
    if isinstance(occlusion, Occlusion):
        arrays["occlusion_drop"] = occlusion.mean().astype(np.float32)
        arrays["occlusion_drop_stderr"] = occlusion.stderr().astype(np.float32)
        arrays["p_frame"] = np.float32(occlusion.frame.mean())
        if tests.labels is not None and len(class_ids):
            rows = [occlusion.mean(tests.labels == label) for label in class_ids]
            arrays["class_occlusion_drop"] = np.stack(rows).astype(np.float32)
    return {name: np.asarray(value) for name, value in arrays.items()}


def shortcut_header(tests: EpochTests, probes: Sequence[tuple[str, str | None]] = ()) -> dict[str, Any]:
    """What the summary record's header gains: `shortcut`.

    It holds the verdict's status, whether an alarm is on, and then the step at which it began, its message,
    measurements and markers; each test's status with the reason and its numbers; and what was not tested, and why.

    Args:
        tests: the epoch's tests.
        probes: id and name of each probe that is in the log, in order. Defaults to none.
    """
    verdict = tests.verdict
    readings: list[dict[str, Any]] = [
        {"test": each.kind, "subject": each.subject, "value": round(each.value, 4), "threshold": each.threshold}
        | ({"stderr": round(each.stderr, 4)} if np.isfinite(each.stderr) else {})
        for each in verdict.measurements
    ]
    entry: dict[str, Any] = {
        "alarm": verdict.alarm,
        "began": tests.alarm_step,
        "status": verdict.status.value,
        "tests": [
            {
                "test": result.test,
                "title": shortcut_test(result.test).title,
                "status": result.status.value,
                "reason": result.reason,
                "remedy": result.remedy,
                "statistics": {
                    name: round(float(value), 6) for name, value in result.statistics.items() if np.isfinite(value)
                },
            }
            for result in tests.results
        ],
    }
    if tests.untested:
        entry["unmeasured"] = list(tests.untested)
    # The messages of calm epochs are in the text; the record stays small.
    said: dict[str, Any] = {"words": verdict.message, "readings": readings}
    if any(each.test == "markers" for each in verdict.measurements):
        said["markers"] = _markers(tests.details("markers"), probes)
    return {"shortcut": entry | (said if verdict.alarm else {})}


def _markers(scores: MarkerScores, probes: Sequence[tuple[str, str | None]]) -> list[dict[str, Any]]:
    """The strongest blocks among the probes whose images are in the log."""
    order = np.argsort(-scores.strengths, kind="stable")
    shown = [place for place in order.tolist() if scores.rows[place] < len(probes) and scores.strengths[place] > 0]
    return [
        {
            "probe": probes[scores.rows[place]][0],
            "name": probes[scores.rows[place]][1],
            "label": int(scores.classes[place]),
            "strength": round(float(scores.strengths[place]), 4),
            "box": scores.blocks[place].tolist(),
        }
        for place in shown[:_PICTURES]
    ]


def shortcut_scalars(tests: EpochTests) -> dict[str, float]:
    """Numbers for TensorBoard's Scalars tab by tag; finite ones alone."""
    return {
        f"shortcut/{name}": float(value)
        for result in tests.results
        for name, value in result.statistics.items()
        if np.isfinite(value)
    }


def shortcut_text(tests: EpochTests, settings: Mapping[str, Any]) -> str:
    """The epoch's verdict as Markdown: the headline first, then what each test says."""
    verdict, swap = tests.verdict, tests.swap
    message = verdict.message.removeprefix(verdict.headline).lstrip()
    lines = [f"**{verdict.headline.rstrip('.')}** — {message}", ""]
    lines += [f"- {result.test}: {result.status}" for result in tests.results]
    if swap is not None:
        overall = swap.statistics()
        rows = [("all", overall)]
        rows += [(class_title(label, tests.class_names), each) for label, each in swap.classes().items()]
        lines += ["", "| | probes | swap flip | background only | object only |", "|---|---|---|---|---|"]
        for title, each in rows:
            flip = number(each.swap_flip, each.swap_flip_stderr)
            background, alone = number(each.background_certainty), number(each.object_certainty)
            lines.append(f"| {title} | {each.n} | {flip} | {background} | {alone} |")
        lines += [
            "",
            f"Over all probes, {number(overall.reliance, overall.reliance_stderr)} of the predictions follow the class "
            f"of the background (alarm above {settings['reliance_threshold']} for "
            f"{count_of(settings['patience'], 'measurement')} in a row), and {number(overall.same_flip)} change on "
            "other backgrounds of the same class. Swap flip: share of the predictions that change when the object is "
            "pasted on backgrounds of other classes. The other two: probability of the predicted class with one part "
            "alone; 1 is certain, 0 a guess.",
        ]
    return "\n".join(lines)


def swaps_parts(swap: SwapScores, ids: Sequence[str], names: Sequence[str | None], display: Display) -> list[bytes]:
    """Builds the record of the swapped pictures that changed the prediction most, one a class, at most eight.

    Args:
        swap: the epoch's answers.
        ids: ids of all tested images.
        names: names of the first of them, which are in the log.
        display: how they are shown.

    Returns:
        The record's parts: header `pairs`, a list of `probe` and `donor` (ids), `name`, `label`, `before`, `after`
        (classes), `before_value`, `after_value` (their probabilities); arrays `picture_0`, `picture_1`, …: the bytes of
        a PNG file each, at most 160 pixels high and wide. No pair if no prediction changed.
    """
    pairs: list[dict[str, Any]] = []
    arrays: dict[str, NDArray[Any]] = {}
    for row, column in _most_changed(swap, len(names)):
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


def _most_changed(swap: SwapScores, n_logged: int) -> list[tuple[int, int]]:
    """Of each class the change between the surest two predictions; the surest of all first."""
    logged = (swap.plan.probes < n_logged)[:, None]
    sureness = np.where(swap.changed & logged, swap.before_value[:, None] + np.nan_to_num(swap.after_value), -1.0)
    labels = swap.plan.labels[swap.plan.probes]
    best = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        row, column = np.unravel_index(int(sureness[rows].argmax()), sureness[rows].shape)
        best.append((float(sureness[rows][row, column]), int(rows[row]), int(column)))
    return [(row, column) for value, row, column in sorted(best, key=lambda each: -each[0])[:_PICTURES] if value >= 0]
