"""A TensorBoard log with `LimeCallback`'s records → the content of a report: runs beside each other, a chapter each.

May import numpy, `tensorboard.plugin` and the modules beside it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_lime.core.class_names import class_title
from keras_lime.core.phrases import count_of, percent
from keras_lime.report.epochs import alarms, chosen_row, curves, finite, summary_value, weights_over_epochs
from keras_lime.report.images import ReportImages
from keras_lime.report.setting_labels import setting_labels
from keras_lime.report.source_error import SourceError
from keras_lime.tensorboard.plugin.event_files import LoggedRun, logged_runs
from keras_lime.tensorboard.records import SUMMARY_TAG, Record, probe_tag, result_tag

__all__ = ["log_content"]

_MOST_IMAGES = 240
_MOST_RUNS = 12


def log_content(log_dir: Path) -> dict[str, Any]:
    """Gathers the report of a log directory.

    Args:
        log_dir: what TensorBoard gets as `--logdir`, or the folder of one run; links to folders are followed.

    Returns:
        `title`, `subtitle`, `alarms`, `runs`, `chapters` and `pictures`, JSON values; see
        `frontend/src/report/content.ts`.

    Raises:
        ValueError: if there is no run with records.
    """
    runs = logged_runs(log_dir)
    if not runs:
        raise SourceError(
            "`source` must hold an audit (audit.json) or TensorBoard logs of LimeCallback. "
            f"Received: {str(log_dir)!r}, which holds neither."
        )
    images, shown = ReportImages(), runs[:_MOST_RUNS]
    chapters = [_chapter(run, images, max(1, _MOST_IMAGES // len(shown)), len(runs) > 1) for run in shown]
    return {
        "title": f"What the training in {log_dir.resolve().name} looks at",
        "subtitle": f"The first {len(shown)} of {len(runs)} runs." if len(shown) < len(runs) else "",
        "alarms": [{"run": run.name if len(runs) > 1 else None, **alarm} for run in shown for alarm in alarms(run)],
        "runs": [_run_row(run) for run in runs],
        "chapters": chapters,
        "pictures": images.entries,
    }


def _run_row(run: LoggedRun) -> dict[str, Any]:
    """A row of the table of runs: the newest numbers, and since when there is an alarm."""
    records = run.series(SUMMARY_TAG)
    summary = records[-1][1] if records else None
    raised = alarms(run)
    tests = ("accuracy", "reliance", "reliance_stderr", "swap_flip", "swap_flip_stderr")
    weights = ("object_share", "object_share_stderr", "object_chance", "r2")
    said = {} if summary is None else _mapping(summary.header.get("shortcut"))
    return {
        "name": run.name,
        "epoch": records[-1][0] if records else None,
        "alarm": raised[0]["epoch"] if raised else None,
        "status": "alarm" if said.get("alarm") is True else said.get("status"),
        **{name: None if summary is None else summary_value(summary, name) for name in (*tests, *weights)},
    }


def _chapter(run: LoggedRun, images: ReportImages, most: int, titled: bool) -> dict[str, Any]:
    manifest = run.manifest
    header = {} if manifest is None else manifest.header
    names = _texts(header.get("class_names"))
    found = run.newest(SUMMARY_TAG)
    step, summary = (None, None) if found is None else found
    probes = [probe for probe in _list(header.get("probes")) if isinstance(probe, dict) and "id" in probe]
    drawn = (_image(run, str(probe["id"]), names, images) for probe in probes[:most])
    shown = [index for index in drawn if index is not None]
    wrong = [index for index in shown if _is_wrong(images.entries[index])]
    wrong.sort(key=lambda index: -(images.entries[index]["value"] or 0))
    flips = summary is not None and summary_value(summary, "swap_flip") is not None
    classes = [] if summary is None else _classes(summary, names, flips)
    return {
        "title": run.name if titled else None,
        "kind": "log",
        "findings": _sentences(summary, step, len(probes), len(shown)),
        "facts": _facts(run, header, step),
        "score": "swap_flip" if flips else "object",
        "classes": sorted(classes, key=lambda each: -(each["score"] or 0)) if flips else classes,
        "curves": curves(run),
        "confusions": None,
        "words": [],
        "typical": [{"title": "", "pictures": [index for index in shown if index not in set(wrong)]}],
        "wrong": {"count": len(wrong), "pictures": wrong},
        "failed": {"count": 0, "rows": []},
    }


def _image(run: LoggedRun, probe_id: str, names: Sequence[str], images: ReportImages) -> int | None:
    """Adds a probe with its weights over the epochs; None if the log lacks what is needed, or no room is left."""
    drawn, result = run.newest(probe_tag(probe_id)), run.newest(result_tag(probe_id))
    if drawn is None or result is None:
        return None
    picture, segments = drawn[1].array("picture"), drawn[1].array("segments")
    if picture is None or segments is None or segments.ndim != 2 or not segments.size:
        return None
    row = chosen_row(result[1], int(segments.max()) + 1)
    if row is None:
        return None
    header, probe = result[1].header, drawn[1].header
    predicted, label = header.get("predicted"), probe.get("label")
    about = {
        "name": str(probe.get("name") or probe_id),
        "label": class_title(label, names) if isinstance(label, int) else None,
        "predicted": class_title(predicted, names) if isinstance(predicted, int) else None,
        "value": finite(header.get("predicted_value")),
        "target": class_title(row.target, names),
        "r2": row.r2,
    }
    over_epochs = weights_over_epochs(run, probe_id, len(row.weights), names)
    return images.add(about, picture.tobytes(), segments, row.weights, row.stderr, over_epochs)


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
    for place, number in enumerate([] if ids is None else ids.reshape(-1).tolist()):
        values = {name: summary_value(summary, tag, place) for name, tag in columns.items()}
        score = values.pop("swap_flip") if flips else values["object_share"]
        rows.append(
            {
                **values,
                "name": class_title(int(number), names),
                "images": None,
                "score": score,
                "predictions": None,
                "status": None,
                "reason": None,
            }
        )
    return rows


def _sentences(summary: Record | None, step: int | None, probes: int, shown: int) -> list[str]:
    followed = f"The training followed {count_of(probes, 'image')}"
    lines = [f"{followed}." if step is None else f"{followed}; the newest logged epoch is {step}, counted from 0."]
    if summary is None:
        return lines
    names = ("accuracy", "reliance", "reliance_stderr", "swap_flip", "swap_flip_stderr", "same_flip")
    values = {name: summary_value(summary, name) for name in (*names, "object_share", "object_chance")}
    if values["accuracy"] is not None:
        lines.append(f"The model is right for {percent(values['accuracy'])} of them.")
    said = _mapping(summary.header.get("shortcut"))
    if said.get("alarm") is True:
        lines.append(f"Shortcut alarm: {said.get('words')}")
    elif said.get("status") in ("not tested", "cannot say"):
        lines.append(f"Shortcuts: {said['status']}. {' '.join(_texts(said.get('unmeasured')))}".rstrip())
    if values["reliance"] is not None:
        lines.append(
            f"{percent(values['reliance'], values['reliance_stderr'])} of the predictions follow the class of the "
            f"background. Backgrounds of the same class are the control: on these {percent(values['same_flip'])} of "
            "the predictions change, and that does not count."
        )
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
    facts = [["run", run.name]]
    if step is not None:
        facts.append(["epoch", str(step)])
    facts += setting_labels(_mapping(header.get("settings")))
    fits = [number for number in _list(header.get("fits")) if isinstance(number, int)]
    if len(fits) > 1:
        facts.append(["fits began at the epochs", ", ".join(map(str, fits))])
    if header.get("created"):
        facts.append(["begun", str(header["created"])[:16].replace("T", " ")])
    return facts


def _is_wrong(entry: Mapping[str, Any]) -> bool:
    return None not in (entry["label"], entry["predicted"]) and entry["label"] != entry["predicted"]


# What a log holds may have been written by another version, or by anybody.


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [str(each) for each in _list(value)]
