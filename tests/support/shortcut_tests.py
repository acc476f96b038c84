"""A shortcut test as a maintainer would add one: in one file, nothing else changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from keras_lime.core.phrases import percent
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.protocol import ProbeData
from keras_lime.shortcut.results import Findings, Measurement, Obstacle, Predictions

__all__ = ["Inverted"]


@dataclass(frozen=True)
class Inverted:
    """Do predictions change when the pictures are turned upside down?"""

    name: ClassVar[str] = "inverted"
    title: ClassVar[str] = "pictures upside down"
    stands_in_for: ClassVar[str | None] = None
    monitored: ClassVar[Mapping[str, float]] = {"changed": 1.0}
    during_training: ClassVar[bool] = True

    def why_not(self, probes: ProbeData) -> Obstacle | None:
        return None if probes.labels is not None else Obstacle("There are no labels.", "Give labels.")

    def prepare(self, probes: ProbeData, thorough: bool) -> ProbeData:
        return probes

    def passes(self, plan: ProbeData) -> int:
        return len(plan.images)

    def run(self, plan: ProbeData, scorer: ImageScorer, predictions: Predictions, threshold: float) -> Findings:
        after = scorer.score_images(plan.images[:, ::-1]).argmax(axis=1)
        changed = (after != predictions.classes).astype(np.float64)
        share, error = float(changed.mean()), float(changed.std(ddof=1) / np.sqrt(len(changed)))
        measurement = Measurement(self.name, share, error, threshold, share > threshold)
        return Findings((measurement,), {"changed": share}, len(changed))

    def sentence(self, findings: Findings) -> str:
        return f"Upside down, {percent(findings.statistics['changed'])} of the predictions change."

    def alarm_sentence(self, findings: Findings, lasting: Sequence[Measurement], times: str) -> str:
        return f"{self.sentence(findings)} That lasts {times}."
