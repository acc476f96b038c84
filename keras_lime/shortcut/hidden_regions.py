"""The test `occlusion`: does the prediction hang on a corner or border, where watermarks sit? Needs no masks.

May import numpy, the core, and the pictures of `occlusion`; gets a scorer and runs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.phrases import number, percent
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.occlusion import REGIONS, Occlusion, run_occlusion
from keras_lime.shortcut.protocol import ProbeData
from keras_lime.shortcut.results import LEAST_CLASS_PROBES, LEAST_PROBES, Findings, Measurement, Obstacle, Predictions

__all__ = ["OCCLUSION_THRESHOLD", "HiddenRegions"]

OCCLUSION_THRESHOLD = 0.05
"""Fall of probability above which a hidden corner or border counts; on clean models it stays below 0.01."""

_MOST_TOLD = 2


@dataclass(frozen=True)
class HiddenRegions:
    """Hides four corners and four borders, one at a time; see `ShortcutTest` for the methods.

    A region counts above a fall of 0.05 if that is two standard errors above zero, for a class by itself above 0.05.
    """

    name: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "hidden corners and borders"
    stands_in_for: ClassVar[str | None] = "swap"
    monitored: ClassVar[Mapping[str, float]] = {}
    during_training: ClassVar[bool] = True

    def why_not(self, probes: ProbeData) -> Obstacle | None:
        """Any probes will do."""
        return None

    def prepare(self, probes: ProbeData, thorough: bool) -> ProbeData:
        """Nothing is prepared: hiding costs little."""
        return probes

    def passes(self, plan: ProbeData) -> int:
        """Each region, and the frame."""
        return (len(REGIONS) + 1) * len(plan.images)

    def run(self, plan: ProbeData, scorer: ImageScorer, predictions: Predictions, threshold: float) -> Findings:
        """Asks the model for nine pictures a probe: a region hidden in each of eight, the frame alone in the last."""
        occlusion = run_occlusion(
            plan.images, scorer, predictions.classes.tolist(), predictions.values.tolist(), plan.grey, plan.inputs
        )
        measurements = _measure(occlusion, None, None, None)
        labels = plan.labels
        for label in [] if labels is None else np.unique(labels).tolist():
            title = class_title(label, predictions.class_names)
            measurements += _measure(occlusion, labels == label, label, title)
        return Findings(
            tuple(measurements),
            {"occlusion_drop": float(occlusion.mean().max()), "p_frame": float(occlusion.frame.mean())},
            len(plan.images),
            details=occlusion,
            probe_values={"certainty from the outer frame alone": occlusion.frame},
        )

    def sentence(self, findings: Findings) -> str:
        """The region that takes most, and what the frame alone keeps."""
        occlusion: Occlusion = findings.details
        highest = max((each for each in findings.measurements if each.label is None), key=lambda each: each.value)
        return (
            f"The most that hiding a corner or border takes off the probability is {number(highest.value)} "
            f"({highest.region}). A hint only: with the outer frame alone the predictions keep "
            f"{percent(max(float(occlusion.frame.mean()), 0.0))} of their certainty."
        )

    def alarm_sentence(self, findings: Findings, lasting: Sequence[Measurement], times: str) -> str:
        """The first two regions."""
        told = " ".join(
            f"Hiding the {each.region} takes {number(each.value, each.stderr)} off the probability of the prediction"
            f"{'' if each.class_title is None else f' for {each.class_title}'} (alarm above {number(each.threshold)}), "
            f"{times}; the model reads something there, such as a watermark."
            for each in lasting[:_MOST_TOLD]
        )
        return f"{told} Crop it off, or cover it in all images, for training and for prediction."


def _measure(
    occlusion: Occlusion, members: NDArray[np.bool_] | None, label: int | None, title: str | None
) -> list[Measurement]:
    """The eight regions, over all probes or those of a class, the highest fall first."""
    values, errors = occlusion.mean(members), occlusion.stderr(members)
    count = len(occlusion.drops) if members is None else int(members.sum())
    least, floor = (LEAST_PROBES, 0.0) if label is None else (LEAST_CLASS_PROBES, OCCLUSION_THRESHOLD)
    found = []
    for region, value, error in zip(REGIONS, values.tolist(), errors.tolist(), strict=True):
        fires = count >= least and value > OCCLUSION_THRESHOLD and value - 2 * error > floor
        found.append(Measurement("occlusion", value, error, OCCLUSION_THRESHOLD, fires, label, title, region))
    return sorted(found, key=lambda each: -each.value)
