"""The test `markers`: do small things off the object, such as a letter or a dot at any place, carry predictions?

May import numpy, the core, and the images of `markers`; gets a scorer and runs it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.model_input import with_inputs
from keras_lime.core.phrases import number
from keras_lime.core.scores import ImageScorer
from keras_lime.core.shares import mean_stderr
from keras_lime.shortcut.markers import MarkerScores, grid_weights, make_marker_plan, run_halving, run_markers
from keras_lime.shortcut.protocol import ProbeData, why_uninformative
from keras_lime.shortcut.results import Findings, Measurement, Obstacle, Predictions, at_probes
from keras_lime.shortcut.swap import why_no_swap

__all__ = ["MarkerSearch"]

MARKER, CLASS_MARKER = 0.05, 0.12
"""Strength of markers, mean over all images and over those of a class, above which they count. In the study clean
models stayed below .03 and .06."""

LEAST_IMAGES, LEAST_CLASS_IMAGES, _QUICK_CLASS_IMAGES = 20, 4, 8
"""Images with an outline below which the mean over all of them, and over those of a class, says nothing; at an epoch,
where a block is pasted once alone, it takes more of a class."""

_MOST_SHOWN = 3
"""Images named by an alarm."""

_STRENGTH = "certainty that hangs on a small thing off the object"


@dataclass(frozen=True)
class MarkerSearch:
    """Hides the block that weighs most off the object, and pastes it into images of other classes.

    See `ShortcutTest` for the methods. 170 passes a probe where a model is tested once, most of them for the weights,
    and at most ten at an epoch, where blocks are found by halving.
    """

    name: ClassVar[str] = "markers"
    title: ClassVar[str] = "small things off the object"
    stands_in_for: ClassVar[str | None] = None
    monitored: ClassVar[Mapping[str, float]] = {"marker_strength": 1.0}
    during_training: ClassVar[bool] = True

    def why_not(self, probes: ProbeData) -> Obstacle | None:
        """As for the background swap: it takes labels and outlines."""
        return probes.no_outlines or why_no_swap(probes.labels, probes.masks)

    def prepare(self, probes: ProbeData, thorough: bool) -> "_Plan":
        """Nothing is prepared: which blocks are tested depends on the model."""
        return _Plan(probes, thorough)

    def passes(self, plan: "_Plan") -> int:
        """About as many: which blocks are tested depends on the model."""
        return (170 if plan.thorough else 10) * len(plan.probes.images)

    def run(self, plan: "_Plan", scorer: ImageScorer, predictions: Predictions, threshold: float) -> Findings:
        """Asks the model for blocks that it may read, and then for the images with a block hidden or pasted."""
        scores = (
            _thorough(plan.probes, scorer, predictions) if plan.thorough else _quick(plan.probes, scorer, predictions)
        )
        if scores is None:
            empty = Measurement("markers", math.nan, math.nan, MARKER, False)
            return Findings((empty,), {}, 0, least_probes=LEAST_IMAGES)
        scores = replace(scores, names=plan.probes.names, estimated=plan.probes.estimated)
        return Findings(
            tuple(_measurements(scores, predictions, plan)),
            {"marker_strength": float(scores.strengths.mean())},
            len(scores.rows),
            least_probes=LEAST_IMAGES,
            details=scores,
            probe_values={_STRENGTH: at_probes(scores.strengths, scores.rows, len(plan.probes.images))},
            deciding=_STRENGTH,
        )

    def sentence(self, findings: Findings) -> str:
        """The mean strength over all images."""
        if findings.details is None:
            return "No image has a block off its object that could be tested."
        overall = findings.measurements[0]
        return (
            f"{'By estimated outlines, small' if findings.details.estimated else 'Small'} things off the object carry "
            f"{number(overall.value, overall.stderr)} of the probability, by hiding them and by pasting them into "
            "images of other classes."
        )

    def alarm_sentence(self, findings: Findings, lasting: Sequence[Measurement], times: str) -> str:
        """The strength, and the images in which the block is strongest."""
        scores: MarkerScores = findings.details
        strongest = np.argsort(-scores.strengths, kind="stable")[:_MOST_SHOWN]
        places = "; ".join(
            f"{_name(scores, row)}, rows {top} to {bottom}, columns {left} to {right}"
            for row, (top, left, bottom, right) in zip(strongest, scores.blocks[strongest].tolist(), strict=True)
        )
        parts = [
            f"{'' if each.class_title is None else f'For {each.class_title}, '}small things off the object carry "
            f"{number(each.value, each.stderr)} of the probability (alarm above {number(each.threshold)}), {times}."
            for each in lasting
        ]
        suspicion = "Suspicion, by estimated outlines: " if scores.estimated else ""
        return (
            f"{suspicion}{' '.join(parts)} Look at {places}: the model reads something there, such as a letter or a "
            "stamp. Remove or cover it in all images, for training and for prediction."
        )


def _name(scores: MarkerScores, row: int) -> str:
    """The image of a row, by its name where it has one."""
    index = int(scores.rows[row])
    return scores.names[index] if scores.names else f"image {index}"


@dataclass(frozen=True, eq=False)
class _Plan:
    """The probes, and whether a model is tested once."""

    probes: ProbeData
    thorough: bool


def _outlined(probes: ProbeData) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    if probes.labels is None or probes.masks is None:
        raise ValueError("`plan` must have labels and masks; ask `why_not` first.")
    return probes.labels, probes.masks


def _thorough(probes: ProbeData, scorer: ImageScorer, predictions: Predictions) -> MarkerScores | None:
    labels, masks = _outlined(probes)
    images, predicted, seed, inputs = probes.images, predictions.classes, probes.seed, probes.inputs
    before = scorer.score_images(with_inputs(image, inputs, row) for row, image in enumerate(images))
    weights = grid_weights(images, probes.grey, predicted, scorer, seed=seed, inputs=inputs)
    blocks = make_marker_plan(images, masks, weights, predicted, labels, seed=seed, inputs=inputs)
    return run_markers(blocks, scorer, before) if len(blocks.rows) else None


def _quick(probes: ProbeData, scorer: ImageScorer, predictions: Predictions) -> MarkerScores | None:
    labels, masks = _outlined(probes)
    return run_halving(
        probes.images,
        masks,
        labels,
        predictions.classes,
        predictions.values,
        scorer,
        seed=probes.seed,
        inputs=probes.inputs,
    )


def _measurements(scores: MarkerScores, predictions: Predictions, plan: _Plan) -> list[Measurement]:
    """Over all images, and of each predicted class with enough of them.

    None fires for a model that predicts no more probes right than guesses do: one that was trained on few images
    changes its mind with any patch, and a shortcut that goes with the classes of the probes would pay.
    """
    least = LEAST_CLASS_IMAGES if plan.thorough else _QUICK_CLASS_IMAGES
    informed = why_uninformative(predictions, plan.probes.labels) is None
    strengths, classes = scores.strengths, scores.classes
    value = float(strengths.mean())
    fires = informed and len(strengths) >= LEAST_IMAGES and value > MARKER
    found = [Measurement("markers", value, mean_stderr(strengths), MARKER, fires)]
    for label in np.unique(classes).tolist():
        own = strengths[classes == label]
        if len(own) >= least:
            mean = float(own.mean())
            title, fires = class_title(label, predictions.class_names), informed and mean > CLASS_MARKER
            found.append(Measurement("markers", mean, mean_stderr(own), CLASS_MARKER, fires, label, title))
    return found
