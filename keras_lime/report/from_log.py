"""A TensorBoard log with `LimeCallback`'s records → the content of a report, a chapter per run, at the newest epoch.

May import numpy, `tensorboard.event_files` and the modules beside it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_lime.core.phrases import count_of, percent
from keras_lime.report.images import ReportImages
from keras_lime.report.setting_labels import setting_labels
from keras_lime.tensorboard.plugin.event_files import LoggedRun, logged_runs
from keras_lime.tensorboard.records import SUMMARY_TAG, Record, probe_tag, result_tag

__all__ = ["log_content"]

_MOST_PICTURES = 240
_MOST_RUNS = 12


def log_content(log_dir: Path) -> dict[str, Any]:
    """Gathers the report of a log directory.

    Args:
        log_dir: what TensorBoard gets as `--logdir`, or the folder of one run.

    Returns:
        `title`, `subtitle`, `chapters` and `pictures`, JSON values; see `frontend/src/report/types.ts`.

    Raises:
        ValueError: if there is no run with records.
    """
    runs = logged_runs(log_dir)
    if not runs:
        raise ValueError(
            "`source` must hold an audit (audit.json) or TensorBoard logs of LimeCallback. "
            f"Received: {str(log_dir)!r}, which holds neither."
        )
    images, told = ReportImages(), runs[:_MOST_RUNS]
    chapters = [_chapter(run, images, max(1, _MOST_PICTURES // len(told)), len(runs) > 1) for run in told]
    left = len(runs) - len(told)
    return {
        "title": f"What the training in {log_dir.resolve().name} looks at",
        "subtitle": f"The first {len(told)} of {len(runs)} runs." if left else "",
        "chapters": chapters,
        "pictures": images.entries,
    }


def _chapter(run: LoggedRun, images: ReportImages, most: int, titled: bool) -> dict[str, Any]:
    manifest = run.manifest
    header = {} if manifest is None else manifest.header
    names: Sequence[str] = header.get("class_names") or ()
    found = run.newest(SUMMARY_TAG)
    step, summary = (None, None) if found is None else found
    probes = [probe for probe in header.get("probes") or () if isinstance(probe, dict) and "id" in probe]
    shown = [
        each for each in (_picture(run, probe["id"], names, images) for probe in probes[:most]) if each is not None
    ]
    wrong = [place for place in shown if _is_wrong(images.entries[place])]
    wrong.sort(key=lambda place: -(images.entries[place]["value"] or 0))
    flips = summary is not None and _at(summary, "swap_flip") is not None
    classes = [] if summary is None else _classes(summary, names, flips)
    return {
        "title": run.name if titled else None,
        "kind": "log",
        "findings": _findings(summary, step, len(probes), len(shown)),
        "facts": _facts(run, header, step),
        "score": "swap_flip" if flips else "object",
        "classes": sorted(classes, key=lambda each: -(each["score"] or 0)) if flips else classes,
        "words": [],
        "typical": [{"title": "", "pictures": [place for place in shown if place not in set(wrong)]}],
        "wrong": {"count": len(wrong), "pictures": wrong},
        "failed": {"count": 0, "rows": []},
    }


def _picture(run: LoggedRun, probe_id: str, names: Sequence[str], images: ReportImages) -> int | None:
    """Puts a probe and its newest weights into the images; None if the log does not hold both."""
    drawn, result = run.newest(probe_tag(probe_id)), run.newest(result_tag(probe_id))
    if drawn is None or result is None:
        return None
    picture, segments = drawn[1].array("picture"), drawn[1].array("segments")
    targets, coef, r2 = (result[1].array(name) for name in ("targets", "coef", "r2"))
    if picture is None or segments is None or targets is None or coef is None or coef.shape[1] <= segments.max():
        return None
    header, probe = result[1].header, drawn[1].header
    predicted, label = header.get("predicted"), probe.get("label")
    row = int(np.flatnonzero(targets == predicted)[0]) if predicted in targets.tolist() else 0
    stderr = result[1].array("stderr")
    about = {
        "name": str(probe.get("name") or probe_id),
        "label": None if label is None else _class(label, names),
        "predicted": None if predicted is None else _class(predicted, names),
        "value": header.get("predicted_value"),
        "target": _class(int(targets[row]), names),
        "r2": None if r2 is None else _finite(r2[row]),
    }
    return images.add(about, picture.tobytes(), segments, coef[row], None if stderr is None else stderr[row])


def _classes(summary: Record, names: Sequence[str], flips: bool) -> list[dict[str, Any]]:
    ids = summary.array("class_ids")
    columns = {
        "accuracy": "class_accuracy",
        "swap_flip": "class_swap_flip",
        "stderr": "class_swap_flip_stderr",
        "object_share": "class_object_share",
        "object_chance": "class_chance",
        "r2": "class_r2",
    }
    rows: list[dict[str, Any]] = []
    for place, number in enumerate([] if ids is None else ids.tolist()):
        values = {name: _at(summary, tag, place) for name, tag in columns.items()}
        score = values.pop("swap_flip") if flips else values["object_share"]
        rows.append({**values, "name": _class(number, names), "images": None, "score": score})
    return rows


def _findings(summary: Record | None, step: int | None, probes: int, shown: int) -> list[str]:
    followed = f"The training followed {count_of(probes, 'image')}"
    lines = [f"{followed}." if step is None else f"{followed}; the newest logged epoch is {step}, counted from 0."]
    if summary is None:
        return lines
    values = {name: _at(summary, name) for name in ("accuracy", "swap_flip", "swap_flip_stderr")}
    values |= {name: _at(summary, name) for name in ("object_share", "object_chance")}
    if values["accuracy"] is not None:
        lines.append(f"The model is right for {percent(values['accuracy'])} of them.")
    said = summary.header.get("shortcut") or {}
    if isinstance(said, Mapping) and said.get("alarm"):
        lines.append(f"Shortcut alarm: {said.get('words')}")
    if values["swap_flip"] is not None:
        lines.append(
            f"When an object is put before the background of another class, the prediction changes in "
            f"{percent(values['swap_flip'], values['swap_flip_stderr'])} of the cases."
        )
    if values["object_share"] is not None and values["object_chance"] is not None:
        lines.append(
            f"Of the evidence for the explained classes, {percent(values['object_share'])} lies on the object, which "
            f"covers {percent(values['object_chance'])} of the image."
        )
    if shown < probes:
        lines.append(f"{shown} of the {probes} images are shown.")
    return lines


def _facts(run: LoggedRun, header: Mapping[str, Any], step: int | None) -> list[list[str]]:
    settings = header.get("settings") or {}
    facts = [["run", run.name]]
    if step is not None:
        facts.append(["epoch", str(step)])
    facts += setting_labels(settings)
    if header.get("created"):
        facts.append(["begun", str(header["created"])[:16].replace("T", " ")])
    return facts


def _is_wrong(entry: Mapping[str, Any]) -> bool:
    return None not in (entry["label"], entry["predicted"]) and entry["label"] != entry["predicted"]


def _class(number: int, names: Sequence[str]) -> str:
    return str(names[number]) if 0 <= number < len(names) else f"class {number}"


def _at(summary: Record, name: str, place: int | None = None) -> float | None:
    """A number of the summary, None if it is missing or not finite."""
    array = summary.array(name)
    if array is None or (place is not None and place >= len(array)):
        return None
    return _finite(array if place is None else array[place])


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
