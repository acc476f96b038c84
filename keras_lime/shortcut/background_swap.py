"""The test `swap`: do predictions change when the same objects stand before backgrounds of other classes?

May import numpy, the core, and the pictures of `swap`; gets a scorer and runs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.phrases import count_of, percent
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.protocol import ProbeData
from keras_lime.shortcut.results import (
    LEAST_CLASS_PROBES,
    LEAST_PROBES,
    Findings,
    Measurement,
    Obstacle,
    Predictions,
    at_probes,
)
from keras_lime.shortcut.swap import (
    N_DONORS,
    SwapPlan,
    SwapScores,
    SwapStatistics,
    make_swap_plan,
    run_swap,
    why_no_swap,
)

__all__ = ["BACKGROUND_THRESHOLD", "BackgroundSwap"]

BACKGROUND_THRESHOLD = 0.15
"""Certainty that the background alone must carry, 0 a guess and 1 certain: a model that still wavers changes its mind
with any picture, and has no opinion of a background."""

_MOST_DONORS = 30
"""Backgrounds per probe at most where a model is tested once."""


@dataclass(frozen=True)
class BackgroundSwap:
    """Pastes each object on backgrounds of other classes; see `ShortcutTest` for the methods.

    Over all probes the share of changed predictions counts as soon as it is above the threshold, a class by itself if
    it is above by two standard errors: there are many of them, of few probes each. Either only if the background alone
    carries some of the predictions' certainty.
    """

    name: ClassVar[str] = "swap"
    title: ClassVar[str] = "objects on backgrounds of other classes"
    stands_in_for: ClassVar[str | None] = None
    monitored: ClassVar[str | None] = "swap_flip"
    worst: ClassVar[float] = 1.0

    def why_not(self, probes: ProbeData) -> Obstacle | None:
        """See `why_no_swap`."""
        return why_no_swap(probes.labels, probes.masks)

    def prepare(self, probes: ProbeData, thorough: bool) -> SwapPlan:
        """Takes the objects out and draws the backgrounds."""
        if probes.labels is None or probes.masks is None:
            raise ValueError("`probes` must have labels and masks; ask `why_not` first.")
        return make_swap_plan(
            probes.images,
            probes.labels,
            probes.masks,
            grey=probes.grey,
            n_donors=_MOST_DONORS if thorough else N_DONORS,
            seed=probes.seed,
            inputs=probes.inputs,
        )

    def run(self, plan: SwapPlan, scorer: ImageScorer, predictions: Predictions, threshold: float) -> Findings:
        """Asks the model for every swapped picture, every background and every object alone."""
        scores = run_swap(plan, scorer, predictions.classes.tolist(), predictions.values.tolist())
        overall = scores.statistics()
        measurements = [_measure(overall, threshold, overall.swap_flip > threshold, LEAST_PROBES)]
        for label, one in sorted(scores.classes().items(), key=lambda item: -item[1].swap_flip):
            sure = one.swap_flip - 2 * one.swap_flip_stderr > threshold
            title = class_title(label, predictions.class_names)
            measurements.append(_measure(one, threshold, sure, LEAST_CLASS_PROBES, label, title))
        wavers = overall.swap_flip > threshold and not measurements[0].fires
        return Findings(
            tuple(measurements),
            {
                "swap_flip": overall.swap_flip,
                "p_background": overall.background_certainty,
                "p_object": overall.object_certainty,
            },
            overall.n,
            doubt=f"{percent(overall.swap_flip)} of the predictions change, yet the background alone carries little of "
            "their certainty: the model wavers, or objects cut out of their scenes are strange to it."
            if wavers
            else "",
            details=scores,
            gaps=_gaps(plan, predictions.n_classes),
            probe_values=_probe_values(scores),
        )

    def sentence(self, findings: Findings) -> str:
        """The share over all probes."""
        overall = findings.measurements[0]
        changed = percent(overall.value, overall.stderr)
        return f"With the object on backgrounds of other classes {changed} of the predictions change."

    def alarm_sentence(self, findings: Findings, lasting: Sequence[Measurement], times: str) -> str:
        """The share over all probes with the worst classes, else the classes by themselves."""
        scores: SwapScores = findings.details
        overall = [each for each in lasting if each.label is None]
        if overall:
            parts = [
                f"With the object on backgrounds of other classes {percent(overall[0].value, overall[0].stderr)} of "
                f"the predictions change, {times} (alarm above {percent(overall[0].threshold)}); the model reads the "
                f"background.{_worst(findings)}"
            ]
        else:
            parts = [
                f"For {each.class_title}, with the object on another background "
                f"{percent(each.value, each.stderr)} of the predictions change, {times} (alarm above "
                f"{percent(each.threshold)}); the model reads the background."
                for each in lasting
            ]
        parts.append(
            f"With the object taken out the predictions keep {percent(scores.statistics().background_certainty)} of "
            "their certainty (0 % would be a guess)."
        )
        return " ".join(parts)


def _measure(
    found: SwapStatistics, threshold: float, sure: bool, least: int, label: int | None = None, title: str | None = None
) -> Measurement:
    fires = bool(sure) and found.n >= least and found.background_certainty > BACKGROUND_THRESHOLD
    return Measurement("swap", found.swap_flip, found.swap_flip_stderr, threshold, fires, label, title)


def _probe_values(scores: SwapScores) -> dict[str, NDArray[np.float64]]:
    probes, n = scores.plan.probes, len(scores.plan.images)
    certainty = (scores.background - scores.chance) / (1 - scores.chance)
    return {
        "predictions that change with the background": at_probes(scores.shares, probes, n),
        "certainty from the background alone": at_probes(certainty, probes, n),
    }


def _gaps(plan: SwapPlan, n_classes: int) -> tuple[str, ...]:
    gaps = []
    missing, tested = len(plan.images) - len(plan.probes), len(np.unique(plan.labels[plan.probes]))
    if missing:
        verb = "is" if missing == 1 else "are"
        gaps.append(
            f"{missing} of {count_of(len(plan.images), 'probe')} {verb} left out of the swap: the mask covers nothing, "
            "or nearly all of the picture."
        )
    if tested < n_classes:
        verb = "has" if n_classes - tested == 1 else "have"
        gaps.append(f"{n_classes - tested} of {n_classes} classes {verb} no probe in the swap.")
    return tuple(gaps)


def _worst(findings: Findings) -> str:
    """The classes that change most, at most three."""
    classes = [each for each in findings.measurements if each.label is not None and each.value > 0]
    worst = sorted(classes, key=lambda each: (-each.value, each.label or 0))[:3]
    return f" Most of all {', '.join(f'{each.class_title} {percent(each.value)}' for each in worst)}." if worst else ""
