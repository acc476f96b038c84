"""Sums over the images of an audit, of all or of one class. May import the standard library and the core."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from keras_lime.core.shares import mean_stderr_of_sums

__all__ = ["MEANS", "ImageStatistics"]

MEANS = ("r2", "object_share", "object_chance", "swap_flip", "background_certainty", "object_certainty")
"""Columns of which the mean over images is told, null where no image has a value."""

_POOR_R2 = 0.2


@dataclass
class ImageStatistics:
    """Sums over images; a sum, a sum of squares and a number for each of `MEANS`."""

    images: int = 0
    failed: int = 0
    labelled: int = 0
    right: int = 0
    poor: int = 0
    confusions: Counter[str] = field(default_factory=Counter)
    sums: dict[str, list[float]] = field(default_factory=lambda: {name: [0.0, 0.0, 0] for name in MEANS})

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
    return mean_stderr_of_sums(total, squares, count)
