"""The findings of a finished audit: its rows → `summary.json`.

So far: counts, accuracy, errors, R², object share, what the predictions owe to the background, and all of it by class.
Reads the rows file by file, so that memory does not grow with the data set. May import numpy, pyarrow and the schema.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keras_lime.auditing.schema import FORMAT_VERSION
from keras_lime.auditing.shards import read_json, write_json

__all__ = ["summarise"]

_COLUMNS = (
    "position",
    "label",
    "label_name",
    "predicted",
    "predicted_name",
    "target",
    "r2",
    "probability",
    "object_share",
    "object_chance",
    "swap_flip",
    "p_background",
    "p_object",
    "error",
)

_MEANS = ("r2", "object_share", "object_chance", "swap_flip", "p_background", "p_object")
"""Columns of which the mean over images is told, null where no image has a value."""

_MOST_ERRORS = 20


def summarise(folder: Path) -> dict[str, Any]:
    """Reads an audit's rows and writes `summary.json`.

    Each image counts once, by its predicted class's row. Keys: `format_version`, `images`, `explained`, `failed`,
    `rows`, `errors` (message to number of images), `labelled`, `accuracy`, the means of `r2`, `object_share`,
    `object_chance`, `swap_flip`, `p_background` and `p_object` with the number of images that have each under `n`,
    `swap_flip_stderr` (the standard deviation over images divided by the square root of their number), and `classes`:
    the same for each true class, with `label`, `name` and `confusions` (predicted name to number, wrong ones alone).

    Args:
        folder: the audit's folder, all shards done.

    Returns:
        What was written.
    """
    overall, classes = _Tally(), dict[int, _Tally]()
    rows, errors = 0, Counter[str]()
    names: dict[int, str] = dict(enumerate(read_json(folder / "audit.json").get("class_names") or ()))
    for image, count in _images(folder):
        rows += count
        if image["error"] is not None:
            errors[image["error"]] += 1
        if image["label"] is not None:
            names.setdefault(image["label"], image["label_name"])
            classes.setdefault(image["label"], _Tally()).add(image)
        overall.add(image)
    summary = {
        "format_version": FORMAT_VERSION,
        "rows": rows,
        **overall.describe(),
        "errors": dict(errors.most_common(_MOST_ERRORS)),
        "classes": [
            {"label": label, "name": name, **classes.get(label, _Tally()).describe()}
            for label, name in sorted(names.items())
        ],
    }
    write_json(folder / "summary.json", summary)
    return summary


def _images(folder: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """One row of each image, that of its predicted class where there is one, and how many rows it has."""
    import pyarrow.parquet as pq

    for file in sorted((folder / "rows").glob("part-*.parquet")):
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
            "swap_flip_stderr": _stderr(*self.sums["swap_flip"]),
            "n": {name: int(count) for name, (_, _, count) in self.sums.items()},
            "confusions": dict(self.confusions.most_common()),
        }


def _stderr(total: float, squares: float, count: float) -> float | None:
    if count < 2:
        return None
    return math.sqrt(max(squares - total * total / count, 0.0) / (count - 1) / count)
