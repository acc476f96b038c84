"""The findings of a finished audit: its rows → `words.parquet` and `summary.json`.

Reads the rows file by file, so that memory does not grow with the data set. May import pyarrow and the modules beside
it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_lime.auditing.sentences import findings
from keras_lime.auditing.storage.completeness import IncompleteAuditError
from keras_lime.auditing.storage.schema import FORMAT_VERSION
from keras_lime.auditing.storage.shards import ShardManifest, done_shards, read_json, write_json
from keras_lime.auditing.submodular_pick import Representative, pick_representatives
from keras_lime.auditing.visual_words.words import find_words, write_words

__all__ = ["summarise"]

_COLUMNS = (
    "position",
    "path",
    "label",
    "label_name",
    "predicted",
    "predicted_name",
    "predicted_value",
    "target",
    "r2",
    "probability",
    "object_share",
    "object_chance",
    "swap_flip",
    "background_certainty",
    "object_certainty",
    "error",
)

_MEANS = ("r2", "object_share", "object_chance", "swap_flip", "background_certainty", "object_certainty")
"""Columns of which the mean over images is told, null where no image has a value."""

_MOST_ERRORS = 20
_MOST_WRONG = 50
_MOST_FAILED = 100
_MOST_WORDS = 6
"""Words told of a class; `words.parquet` has them all."""

_POOR_R2 = 0.2


def summarise(folder: Path, manifests: Mapping[int, ShardManifest] | None = None) -> dict[str, Any]:
    """Reads an audit's rows, writes `words.parquet` and at last `summary.json`.

    Each image counts once, by its predicted class's row. Keys of the summary, grown within a `format_version` only:

    - `findings`: plain sentences, what was looked at first.
    - `images`, `explained`, `failed`, `rows`; `errors`: message to number of images; `failures`: position, path and
      error of the first 100.
    - `labelled`, `accuracy`; `confusions`: predicted name to number, of wrong predictions alone; `wrong`: the 50 surest
      wrong predictions, surest first, with position, path, names and probability.
    - means over images, null where none has a value: `r2`, `object_share`, `object_chance`, `swap_flip`,
      `background_certainty`, `object_certainty`; `n`: number of images that have each; `object_share_stderr` and
      `swap_flip_stderr`: standard deviation over images divided by the square root of their number; `poor_fits`: number
      of images with R² below 0.2.
    - `representatives`: pictures picked over all classes, each with position, class and words at work.
    - `classes`: for each class the same numbers over the images that *are* of it (true label), with `label` and `name`;
      and over the images *predicted* as it `predictions` (their number), `words` (the first six of `words.parquet`, in
      short), `surroundings` (share of the evidence of its suspicious words, null without words) and `representatives`.
      `shortcut_score` is the class's swap flip where it was measured, else `surroundings`, and `shortcut_score_from`
      says which: `"swap_flip"` or `"words"`.

    Args:
        folder: the audit's folder, all shards done.
        manifests: of all shards, which must be there. Defaults to `None`: those that are there.

    Returns:
        What was written.
    """
    overall, classes = _Tally(), dict[int, _Tally]()
    wrong: list[dict[str, Any]] = []
    failures: list[dict[str, Any]] = []
    rows, errors = 0, Counter[str]()
    about = read_json(folder / "audit.json")
    names: dict[int, str] = dict(enumerate(about.get("class_names") or ()))
    for image, count in _images(folder):
        rows += count
        if image["error"] is not None:
            errors[image["error"]] += 1
            if len(failures) < _MOST_FAILED:
                failures.append({name: image[name] for name in ("position", "path", "label_name", "error")})
        elif None not in (image["label"], image["predicted"]) and image["label"] != image["predicted"]:
            wrong = _surest([*wrong, image])
        if image["label"] is not None:
            names.setdefault(image["label"], image["label_name"])
            classes.setdefault(image["label"], _Tally()).add(image)
        overall.add(image)
    expected = None if manifests is None else sum(manifest.images for manifest in manifests.values())
    if expected not in (None, overall.images):
        raise IncompleteAuditError(
            f"The audit in {str(folder)!r} lost shards while it was summed up: {overall.images:,} of {expected:,} "
            "images are left. Run it again with the same arguments."
        )
    words = find_words(folder)
    write_words(folder, words)
    by_class = words.by_class
    picked = {} if words.statistics is None else pick_representatives(words.statistics)
    names = ({} if words.statistics is None else words.statistics.names) | names
    summary: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "rows": rows,
        **overall.describe(),
        "errors": dict(errors.most_common(_MOST_ERRORS)),
        "failures": failures,
        "wrong": [{name: each[name] for name in _WRONG} for each in wrong],
        "representatives": [_representative(each, names) for each in picked.get(None, ())],
        "classes": [
            {"label": label, "name": name, **classes.get(label, _Tally()).describe()}
            | _evidence(label, by_class, picked.get(label, []), names)
            for label, name in sorted(names.items())
        ],
    }
    for entry in summary["classes"]:
        measured = entry["swap_flip"] is not None
        entry["shortcut_score"] = entry["swap_flip"] if measured else entry["surroundings"]
        entry["shortcut_score_from"] = "swap_flip" if measured else "words"
    baseline = (about.get("settings") or {}).get("baseline")
    summary = {"format_version": FORMAT_VERSION, "findings": findings(summary, baseline), **summary}
    write_json(folder / "summary.json", summary)
    return summary


_WRONG = ("position", "path", "label", "label_name", "predicted", "predicted_name", "predicted_value")

_WORD = (
    "word",
    "description",
    "suspicious",
    "share",
    "area",
    "exclusivity",
    "off_object",
    "presence",
    "presence_elsewhere",
)


def _surest(wrong: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(wrong, key=lambda each: (-each["predicted_value"], each["position"]))[:_MOST_WRONG]


def _evidence(
    label: int, by_class: dict[int, list[dict[str, Any]]], picked: list[Representative], names: dict[int, str]
) -> dict[str, Any]:
    """What is known of the pictures predicted as a class."""
    rows = by_class.get(label, [])
    return {
        "predictions": rows[0]["class_images"] if rows else 0,
        "surroundings": sum(row["share"] for row in rows if row["suspicious"]) if rows else None,
        "words": [{name: row[name] for name in _WORD} for row in rows[:_MOST_WORDS]],
        "representatives": [_representative(each, names) for each in picked],
    }


def _representative(each: Representative, names: dict[int, str]) -> dict[str, Any]:
    return {"position": each.position, "class": each.number, "name": names[each.number], "words": list(each.words)}


def _images(folder: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """One row of each image, that of its predicted class where there is one, and how many rows it has."""
    import pyarrow.parquet as pq

    for shard in done_shards(folder):
        file = folder / "rows" / f"part-{shard:06d}.parquet"
        chosen: dict[int, tuple[dict[str, Any], int]] = {}
        for row in pq.read_table(file, columns=list(_COLUMNS)).to_pylist():
            known, count = chosen.get(row["position"], (row, 0))
            chosen[row["position"]] = (row if row["target"] == row["predicted"] else known, count + 1)
        yield from chosen.values()


@dataclass
class _Tally:
    """Sums over images; a sum, a sum of squares and a number for each of `_MEANS`."""

    images: int = 0
    failed: int = 0
    labelled: int = 0
    right: int = 0
    poor: int = 0
    confusions: Counter[str] = field(default_factory=Counter)
    sums: dict[str, list[float]] = field(default_factory=lambda: {name: [0.0, 0.0, 0] for name in _MEANS})

    def add(self, image: dict[str, Any]) -> None:
        """Counts an image."""
        self.images += 1
        if image["error"] is not None:
            self.failed += 1
            return
        if image["label"] is not None and image["predicted"] is not None:
            self.labelled += 1
            self.right += image["label"] == image["predicted"]
            if image["label"] != image["predicted"]:
                self.confusions[image["predicted_name"]] += 1
        self.poor += image["r2"] is not None and image["r2"] < _POOR_R2
        for name, entry in self.sums.items():
            value = image[name]
            if value is not None and math.isfinite(value):
                entry[0] += value
                entry[1] += value * value
                entry[2] += 1

    def describe(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "images": self.images,
            "explained": self.images - self.failed,
            "failed": self.failed,
            "labelled": self.labelled,
            "accuracy": self.right / self.labelled if self.labelled else None,
            **{name: total / count if count else None for name, (total, _, count) in self.sums.items()},
            **{f"{name}_stderr": _stderr(*self.sums[name]) for name in ("object_share", "swap_flip")},
            "poor_fits": self.poor,
            "n": {name: int(count) for name, (_, _, count) in self.sums.items()},
            "confusions": dict(self.confusions.most_common()),
        }


def _stderr(total: float, squares: float, count: float) -> float | None:
    if count < 2:
        return None
    return math.sqrt(max(squares - total * total / count, 0.0) / (count - 1) / count)
