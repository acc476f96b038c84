"""The test `markers`: do small things off the object, such as a letter or a dot at any place, carry predictions?

May import numpy, the core, and the images of `markers`; gets a scorer and runs it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.model_input import with_inputs
from keras_lime.core.phrases import number
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.markers import MarkerScores, grid_weights, make_marker_plan, run_markers
from keras_lime.shortcut.protocol import ProbeData
from keras_lime.shortcut.results import Findings, Measurement, Obstacle, Predictions, at_probes
from keras_lime.shortcut.swap import why_no_swap

__all__ = ["MarkerSearch"]

MARKER, CLASS_MARKER = 0.05, 0.12
"""Strength of markers, mean over all images and over those of a class, above which they count. In the study clean
models stayed below .03 and .06."""

LEAST_IMAGES, LEAST_CLASS_IMAGES = 20, 4
"""Images with an outline below which the mean over all of them, and over those of a class, says nothing."""

_MOST_SHOWN = 3
"""Images named by an alarm."""


@dataclass(frozen=True)
class MarkerSearch:
    """Hides the block that weighs most off the object, and pastes it into images of other classes.

    See `ShortcutTest` for the methods. 170 passes a probe, most of them for the weights: it is made where a model is
    tested once, and not at every epoch.
    """

    name: ClassVar[str] = "markers"
    title: ClassVar[str] = "small things off the object"
    stands_in_for: ClassVar[str | None] = None
    monitored: ClassVar[Mapping[str, float]] = {}
    during_training: ClassVar[bool] = False

    def why_not(self, probes: ProbeData) -> Obstacle | None:
        """As for the background swap: it takes labels and outlines."""
        return probes.no_outlines or why_no_swap(probes.labels, probes.masks)

    def prepare(self, probes: ProbeData, thorough: bool) -> ProbeData:
        """Nothing is prepared: which blocks are tested depends on the model."""
        return probes

    def run(self, plan: ProbeData, scorer: ImageScorer, predictions: Predictions, threshold: float) -> Findings:
        """Asks the model for the weights, and then for the images with a block hidden or pasted."""
        if plan.labels is None or plan.masks is None:
            raise ValueError("`plan` must have labels and masks; ask `why_not` first.")
        images, predicted = plan.images, predictions.classes
        before = scorer.score_images(with_inputs(image, plan.inputs, row) for row, image in enumerate(images))
        weights = grid_weights(images, plan.grey, predicted, scorer, seed=plan.seed, inputs=plan.inputs)
        blocks = make_marker_plan(
            images, plan.masks, weights, predicted, plan.labels, seed=plan.seed, inputs=plan.inputs
        )
        if not len(blocks.rows):
            empty = Measurement("markers", math.nan, math.nan, MARKER, False)
            return Findings((empty,), {}, 0, least_probes=LEAST_IMAGES)
        scores = run_markers(blocks, scorer, before)
        return Findings(
            tuple(_measurements(scores, predictions)),
            {"marker_strength": float(scores.strengths.mean())},
            len(blocks.rows),
            least_probes=LEAST_IMAGES,
            details=scores,
            probe_values={
                "certainty that hangs on a small thing off the object": at_probes(
                    scores.strengths, blocks.rows, len(images)
                )
            },
        )

    def sentence(self, findings: Findings) -> str:
        """The mean strength over all images."""
        if findings.details is None:
            return "No image has a block off its object that could be tested."
        overall = findings.measurements[0]
        return (
            f"Small things off the object carry {number(overall.value, overall.stderr)} of the probability, by hiding "
            "them and by pasting them into images of other classes."
        )

    def alarm_sentence(self, findings: Findings, lasting: Sequence[Measurement], times: str) -> str:
        """The strength, and the images in which the block is strongest."""
        scores: MarkerScores = findings.details
        strongest = np.argsort(-scores.strengths, kind="stable")[:_MOST_SHOWN]
        places = "; ".join(
            f"image {scores.plan.rows[row]}, rows {top} to {bottom}, columns {left} to {right}"
            for row, (top, left, bottom, right) in zip(strongest, scores.plan.blocks[strongest].tolist(), strict=True)
        )
        parts = [
            f"{'' if each.class_title is None else f'For {each.class_title}, '}small things off the object carry "
            f"{number(each.value, each.stderr)} of the probability (alarm above {number(each.threshold)}), {times}."
            for each in lasting
        ]
        return f"{' '.join(parts)} Look at {places}: the model reads something there."


def _measurements(scores: MarkerScores, predictions: Predictions) -> list[Measurement]:
    """Over all images, and of each predicted class with enough of them."""
    strengths, classes = scores.strengths, scores.plan.predicted[scores.plan.rows]
    value = float(strengths.mean())
    fires = len(strengths) >= LEAST_IMAGES and value > MARKER
    found = [Measurement("markers", value, _stderr(strengths), MARKER, fires)]
    for label in np.unique(classes).tolist():
        own = strengths[classes == label]
        if len(own) >= LEAST_CLASS_IMAGES:
            mean = float(own.mean())
            title = class_title(label, predictions.class_names)
            found.append(Measurement("markers", mean, _stderr(own), CLASS_MARKER, mean > CLASS_MARKER, label, title))
    return found


def _stderr(values: NDArray[np.float64]) -> float:
    """Standard error of a mean of values in −1..1, as if one image for and one against half a marker had been seen."""
    n = len(values)
    return math.sqrt(float(values.var()) / max(1, n - 1) + 0.5 / (n + 2) ** 2)
