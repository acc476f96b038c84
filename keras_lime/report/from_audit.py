"""An audit's folder → the content of its report. May import numpy, Pillow, pyarrow and the modules beside it."""

import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage.color import lab2rgb

from keras_lime.auditing.storage.parquet import opened_parquet
from keras_lime.auditing.storage.row_batches import rows_at
from keras_lime.auditing.storage.shards import read_json
from keras_lime.report.images import ReportImages, image_url
from keras_lime.report.setting_labels import setting_labels
from keras_lime.report.source_error import SourceError

__all__ = ["audit_content"]

_PICTURED_CLASSES = 12
"""Classes whose words are shown with examples; of the others they are told."""

_WORDS = 4
_EXAMPLES = 3
_WRONG = 24
_TYPICAL_CLASSES = 20
_MOST_CLASSES_TOLD = 300
_ABOUT = ("path", "label_name", "predicted", "predicted_name", "predicted_value", "target", "target_name", "r2")


def audit_content(folder: Path) -> dict[str, Any]:
    """Gathers the report of a finished audit.

    Args:
        folder: the audit's folder.

    Returns:
        `title`, `subtitle`, `chapters` (one) and `pictures`, JSON values; see `frontend/src/report/types.ts`.

    Raises:
        ValueError: if the audit was not finished.
    """
    if not (folder / "summary.json").exists():
        raise SourceError(
            f"`source` must be a finished audit. Received: {str(folder)!r} without summary.json. Run the audit again "
            "with the same arguments: it goes on where it was."
        )
    about, summary = read_json(folder / "audit.json"), read_json(folder / "summary.json")
    classes = sorted(summary["classes"], key=_doubt)
    words = _words_by_class(folder)
    shown = [each["label"] for each in classes if each["label"] in words]
    shown += [number for number in words if number not in set(shown)]

    images = ReportImages()
    wanted = _wanted(summary, classes, words, shown)
    index = _pictures(folder, wanted, images)
    chapter = {
        "title": None,
        "kind": "audit",
        "findings": summary["findings"],
        "facts": _facts(about, summary),
        "score": _score(classes),
        "classes": [_class_row(each) for each in classes],
        "words": [_class_words(words[number], place, index) for place, number in enumerate(shown[:_MOST_CLASSES_TOLD])],
        "curves": [],
        "confusions": _confusions(summary),
        "typical": _typical(summary, classes, index),
        "wrong": {
            "count": summary["labelled"] - round((summary["accuracy"] or 0) * summary["labelled"]),
            "pictures": _found((each["position"] for each in summary["wrong"][:_WRONG]), index),
        },
        "failed": {
            "count": summary["failed"],
            "rows": [{"name": _name(each), "error": each["error"]} for each in summary["failures"]],
        },
    }
    # The name of a Python type tells readers nothing.
    name = Path(str(about.get("dataset") or "")).name
    date = datetime.fromtimestamp((folder / "summary.json").stat().st_mtime, UTC)
    return {
        "title": f"Audit of an image classifier{f' on {name}' if _is_path(about.get('dataset')) else ''}",
        "subtitle": f"{summary['images']:,} pictures, {date:%d %B %Y}",
        "alarms": [],
        "runs": [],
        "chapters": [chapter],
        "pictures": images.entries,
    }


def _is_path(dataset: Any) -> bool:
    return isinstance(dataset, str) and any(mark in dataset for mark in ("/", "\\", "."))


def _doubt(entry: Mapping[str, Any]) -> tuple[float, float, int]:
    """The most doubtful class first; of equals the one with more mistakes."""
    score = entry["shortcut_score"]
    accuracy = entry["accuracy"]
    return (-score if score is not None else math.inf, accuracy if accuracy is not None else math.inf, entry["label"])


def _score(classes: Sequence[Mapping[str, Any]]) -> str | None:
    """What the column of scores holds."""
    sources = {each["shortcut_score_from"] for each in classes if each["shortcut_score"] is not None}
    return "swap_flip" if "swap_flip" in sources else "words" if sources else None


def _class_row(entry: Mapping[str, Any]) -> dict[str, Any]:
    measured = entry["shortcut_score_from"] == "swap_flip"
    return {
        "name": entry["name"],
        "images": entry["images"] or entry["predictions"],
        "accuracy": entry["accuracy"],
        "score": entry["shortcut_score"],
        "stderr": entry["swap_flip_stderr"] if measured else None,
        "object_share": entry["object_share"],
        "object_chance": entry["object_chance"],
        "r2": entry["r2"],
        "predictions": entry["predictions"],
        "status": entry.get("status"),
        "reason": entry.get("reason"),
    }


def _words_by_class(folder: Path) -> dict[int, list[dict[str, Any]]]:
    import pyarrow.compute as pc

    found: dict[int, list[dict[str, Any]]] = {}
    with opened_parquet(folder / "words.parquet") as file:
        rows = file.read()
    for row in rows.filter(pc.less_equal(rows["rank"], _WORDS)).to_pylist():
        found.setdefault(row["class"], []).append(row)
    return found


def _wanted(
    summary: Mapping[str, Any],
    classes: Sequence[Mapping[str, Any]],
    words: Mapping[int, Sequence[Mapping[str, Any]]],
    shown: Sequence[int],
) -> list[int]:
    """Positions of the pictures to show, the most needed first."""
    positions = [each["position"] for each in summary["representatives"]]
    for number in shown[:_PICTURED_CLASSES]:
        for row in words[number]:
            positions += row["example_positions"][:_EXAMPLES]
    positions += [each["position"] for each in summary["wrong"][:_WRONG]]
    for entry in classes[:_TYPICAL_CLASSES]:
        positions += [each["position"] for each in entry["representatives"]]
    return list(dict.fromkeys(positions))


def _pictures(folder: Path, wanted: Sequence[int], images: ReportImages) -> dict[int, int]:
    """Puts pictures into the images; their indices by position."""
    rows: dict[int, dict[str, Any]] = {}
    for row in rows_at(folder, "rows", wanted, (*_ABOUT, "weights", "stderr")):
        # Of an image's rows that of its predicted class says why it was predicted.
        if row["position"] not in rows or row["target"] == row["predicted"]:
            rows[row["position"]] = row
    drawn = {row["position"]: row for row in rows_at(folder, "pictures", wanted, ("picture", "segments"))}
    index: dict[int, int] = {}
    for position in wanted:
        if position not in rows or position not in drawn or rows[position]["weights"] is None:
            continue
        row, picture = rows[position], drawn[position]
        with Image.open(io.BytesIO(picture["segments"])) as opened:
            segments = np.asarray(opened).astype(np.int32)
        about = {
            "name": _name(row),
            "label": row["label_name"],
            "predicted": row["predicted_name"],
            "value": row["predicted_value"],
            "target": row["target_name"],
            "r2": row["r2"],
        }
        place = images.add(about, picture["picture"], segments, row["weights"], row["stderr"])
        if place is not None:
            index[position] = place
    return index


def _class_words(rows: Sequence[Mapping[str, Any]], place: int, index: Mapping[int, int]) -> dict[str, Any]:
    first = rows[0]
    # One picture a class: of the first word that was tested.
    tested = next((row for row in rows if row.get("proof_picture") is not None), None)
    return {
        "name": first["class_name"],
        "predictions": first["class_images"],
        "presence": first["presence"],
        "presence_elsewhere": first["presence_elsewhere"],
        "words": [
            {
                "description": row["description"],
                "colour": _colour(row),
                "suspicious": row["suspicious"],
                "share": row["share"],
                "area": row["area"],
                "exclusivity": row["exclusivity"],
                "off_object": row["off_object"],
                "measured": row["off_object_measured"],
                "proof": _proof(row, pictured=row is tested and place < _PICTURED_CLASSES),
                "examples": _examples(row, index) if place < _PICTURED_CLASSES else [],
            }
            for row in rows
        ],
    }


def _proof(row: Mapping[str, Any], *, pictured: bool) -> dict[str, Any] | None:
    """What pasting said of a word; None for words that never looked suspicious, and in audits of earlier versions."""
    if row.get("proof") is None:
        return None
    return {
        "status": row["proof"],
        "reason": row["proof_reason"],
        "pull": row["pull"],
        "random": row["pull_random"],
        "around": row["around"],
        "aroundRandom": row["around_random"],
        "images": row["proof_images"],
        "picture": image_url(row["proof_picture"]) if pictured else None,
    }


def _examples(row: Mapping[str, Any], index: Mapping[int, int]) -> list[list[int]]:
    pairs = zip(row["example_positions"], row["example_segments"], strict=True)
    return [[index[position], segment] for position, segment in pairs if position in index][:_EXAMPLES]


def _colour(row: Mapping[str, Any]) -> str:
    red, green, blue = np.rint(255 * np.clip(lab2rgb([row["lightness"], row["a"], row["b"]]), 0, 1)).astype(int)
    return f"rgb({red} {green} {blue})"


_MOST_CONFUSED = 12
"""Classes of the matrix of mistakes: those with most of them."""


def _confusions(summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """The mistakes by true and predicted class, of the classes that have most of them.

    Returns:
        `names`, `images` (those of each true class that were predicted) and `counts`, rows by true class, columns by
        predicted one; `left`, number of mistakes outside the matrix. None where no mistake was made.
    """
    mistakes: Counter[str] = Counter()
    for entry in summary["classes"]:
        for predicted, count in entry["confusions"].items():
            mistakes[entry["name"]] += count
            mistakes[predicted] += count
    if not mistakes:
        return None
    names = [name for name, _ in mistakes.most_common(_MOST_CONFUSED)]
    by_name = {entry["name"]: entry for entry in summary["classes"]}
    rows = [by_name.get(name) for name in names]
    counts = [[0 if row is None else row["confusions"].get(name, 0) for name in names] for row in rows]
    for place, row in enumerate(rows):
        if row is not None:
            counts[place][place] = round((row["accuracy"] or 0) * row["labelled"])
    everything = sum(sum(entry["confusions"].values()) for entry in summary["classes"])
    shown = sum(map(sum, counts)) - sum(counts[place][place] for place in range(len(names)))
    return {
        "names": names,
        "images": [0 if row is None else row["labelled"] for row in rows],
        "counts": counts,
        "left": everything - shown,
    }


def _typical(
    summary: Mapping[str, Any], classes: Sequence[Mapping[str, Any]], index: Mapping[int, int]
) -> list[dict[str, Any]]:
    groups = [("Over all classes", summary["representatives"])]
    groups += [(each["name"], each["representatives"]) for each in classes[:_TYPICAL_CLASSES]]
    told = [
        {"title": title, "pictures": _found((each["position"] for each in picked), index)} for title, picked in groups
    ]
    return [each for each in told if each["pictures"]]


def _found(positions: Iterable[int], index: Mapping[int, int]) -> list[int]:
    return [index[position] for position in positions if position in index]


def _name(row: Mapping[str, Any]) -> str:
    return str(row["path"]) if row["path"] is not None else f"picture {row['position']}"


def _facts(about: Mapping[str, Any], summary: Mapping[str, Any]) -> list[list[str]]:
    settings, model = about.get("settings") or {}, about.get("model") or {}
    facts = [["pictures", f"{summary['images']:,}"]]
    if model.get("sha256"):
        facts.append(["model (SHA-256)", str(model["sha256"])[:12]])
    facts += setting_labels(settings)
    if summary["r2"] is not None:
        facts.append(["mean R²", f"{summary['r2']:.2f}"])
    return facts
