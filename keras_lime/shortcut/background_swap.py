"""The test `swap`: do predictions follow the background when the same objects stand before other ones?

May import numpy, the core, and the pictures of `swap`; gets a scorer and runs it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.phrases import count_of, percent
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.capture import capture_hint
from keras_lime.shortcut.protocol import ProbeData
from keras_lime.shortcut.results import LEAST_SWAP_PROBES, Findings, Measurement, Obstacle, Predictions, at_probes
from keras_lime.shortcut.swap import (
    N_DONORS,
    SwapPlan,
    SwapScores,
    SwapStatistics,
    make_swap_plan,
    run_swap,
    why_no_swap,
)

__all__ = ["ANY_CERTAINTY", "ANY_FLIP", "RELIANCE_ERRORS", "RELIANCE_THRESHOLD", "BackgroundSwap"]

RELIANCE_THRESHOLD, RELIANCE_ERRORS = 0.1, 2.5
"""A model reads the background if so large a share of its predictions follows the background's class, by so many
standard errors above zero. Set on planted worlds: for 60 probes the share alone would do, the errors for 30."""

ANY_FLIP, ANY_CERTAINTY = 0.5, 0.7
"""Where backgrounds come with every class alike, as in probes of an unbiased world, none can be followed by its class.
A model whose certainty stays without the object, and whose answers change with the background, reads it anyway."""

UNSTABLE_FLIP = 0.3
"""Share of predictions that change on new backgrounds of the same class from which a model counts as unstable."""

_REMEDY = (
    "Give each class the backgrounds of the others: collect such images, or train with `keras_lime.SwapBackgrounds` or "
    "`keras_lime.cure`."
)

_MISTAKES = "mistakes on backgrounds of other classes"

_MOST_DONORS = 30
"""Backgrounds of each kind per probe at most where a model is tested once."""


@dataclass(frozen=True)
class BackgroundSwap:
    """Pastes each object on backgrounds of other classes and of its own; see `ShortcutTest` for the methods.

    Two measurements can fire: the reliance, and the share of changed predictions where the background alone keeps their
    certainty. A model that changes its mind on new backgrounds of the same class as well is unstable, which is no
    shortcut and no all-clear.
    """

    name: ClassVar[str] = "swap"
    title: ClassVar[str] = "objects on other backgrounds"
    stands_in_for: ClassVar[str | None] = None
    monitored: ClassVar[Mapping[str, float]] = {"swap_flip": 1.0, "reliance": 1.0}
    during_training: ClassVar[bool] = True

    def why_not(self, probes: ProbeData) -> Obstacle | None:
        """See `why_no_swap`; estimated outlines must be steady too."""
        return probes.no_outlines or why_no_swap(probes.labels, probes.masks)

    def prepare(self, probes: ProbeData, thorough: bool) -> SwapPlan:
        """Takes the objects out and draws the backgrounds."""
        if probes.labels is None or probes.masks is None:
            raise ValueError("`probes` must have labels and masks; ask `why_not` first.")
        n_donors = _MOST_DONORS if thorough else N_DONORS
        plan = make_swap_plan(
            probes.images,
            probes.labels,
            probes.masks,
            grey=probes.grey,
            n_donors=n_donors,
            n_same=n_donors,
            seed=probes.seed,
            inputs=probes.inputs,
        )
        hint = capture_hint(probes.shown, probes.labels)
        return replace(plan, estimated=probes.estimated, hint=hint)

    def passes(self, plan: SwapPlan) -> int:
        """Background, object and swaps of each probe."""
        return 2 * len(plan.probes) + int((plan.donors >= 0).sum() + (plan.same >= 0).sum())

    def run(self, plan: SwapPlan, scorer: ImageScorer, predictions: Predictions, threshold: float) -> Findings:
        """Asks the model for every swapped picture, every background and every object alone."""
        answers = run_swap(plan, scorer, predictions.classes.tolist(), predictions.values.tolist())
        scores = replace(answers, class_names=predictions.class_names)
        overall = scores.statistics()
        doubt, remedy = _doubt(overall)
        return Findings(
            (_follows_class(overall, threshold), _follows_any(overall, threshold)),
            {
                "reliance": overall.reliance,
                "swap_flip": overall.swap_flip,
                "same_flip": overall.same_flip,
                "p_background": overall.background_certainty,
                "p_object": overall.object_certainty,
            },
            overall.n,
            doubt=doubt,
            remedy=remedy,
            least_probes=LEAST_SWAP_PROBES,
            details=scores,
            gaps=_gaps(plan, predictions.n_classes),
            probe_values=_probe_values(scores),
            deciding=_MISTAKES,
        )

    def sentence(self, findings: Findings) -> str:
        """What the predictions follow and how many change, over all probes."""
        found: SwapStatistics = findings.details.statistics()
        return (
            f"{_by_estimate(findings)}{percent(found.reliance, found.reliance_stderr)} of the predictions follow the "
            "class of the background; "
            f"{percent(found.swap_flip)} change on backgrounds of other classes, {_same(found)} on others of the same "
            "class."
        )

    def alarm_sentence(self, findings: Findings, lasting: Sequence[Measurement], times: str) -> str:
        """The numbers over all probes, with the classes that change most."""
        found: SwapStatistics = findings.details.statistics()
        by_class = [each for each in lasting if each.region is None]
        limit = percent((by_class or lasting)[0].threshold)
        if by_class:
            share = percent(found.reliance, found.reliance_stderr)
            what = f"{share} of the predictions follow the class of the background, {times} (alarm above {limit})"
        else:
            share = percent(found.swap_flip, found.swap_flip_stderr)
            what = (
                f"With the object on other backgrounds {share} of the predictions change, {times} (alarm above {limit})"
            )
        return (
            f"{_suspicion(findings)}{what}; the model reads {_read(findings)}. On backgrounds of other classes "
            f"{percent(found.swap_flip)} of them change, on others of the same class {_same(found)}."
            f"{_worst(findings)} With the object taken out they keep {percent(found.background_certainty)} of their "
            f"certainty (0 % would be a guess). {findings.details.plan.hint or _REMEDY}"
        )


def _read(findings: Findings) -> str:
    """The background; where the classes differ in how their images were taken, that may be it too."""
    return "the background or how the images were taken" if findings.details.plan.hint else "the background"


def _by_estimate(findings: Findings) -> str:
    return "By estimated outlines, " if findings.details.plan.estimated else ""


def _suspicion(findings: Findings) -> str:
    return "Suspicion, by estimated outlines: " if findings.details.plan.estimated else ""


def _follows_class(found: SwapStatistics, threshold: float) -> Measurement:
    sure = found.reliance > threshold and found.reliance > RELIANCE_ERRORS * found.reliance_stderr
    fires = sure and found.n >= LEAST_SWAP_PROBES
    return Measurement("swap", found.reliance, found.reliance_stderr, threshold, bool(fires))


def _follows_any(found: SwapStatistics, threshold: float) -> Measurement:
    level = max(ANY_FLIP, threshold)
    sure = found.swap_flip > level and found.background_certainty > ANY_CERTAINTY
    fires = sure and found.n >= LEAST_SWAP_PROBES
    return Measurement("swap", found.swap_flip, found.swap_flip_stderr, level, bool(fires), region="any background")


def _doubt(found: SwapStatistics) -> tuple[str, str]:
    """Why there is no verdict though enough probes were tested, and what to do; empty where there is one."""
    if math.isnan(found.reliance):
        return "The backgrounds of the same and of other classes are too few to tell object and background apart.", ""
    if found.same_flip > UNSTABLE_FLIP:
        return (
            f"Predictions are unstable: {percent(found.same_flip)} change on other backgrounds of the same class, and "
            f"{percent(found.swap_flip)} on those of other classes. That is no shortcut, but no all-clear either.",
            "Train longer, with more data or with augmentation; check that objects are cut out whole.",
        )
    return "", ""


def _same(found: SwapStatistics) -> str:
    return percent(found.same_flip)


def _probe_values(scores: SwapScores) -> dict[str, NDArray[np.float64]]:
    probes, n = scores.plan.probes, len(scores.plan.images)
    certainty = (scores.background - scores.chance) / (1 - scores.chance)
    asked = scores.after >= 0
    wrong = (asked & (scores.after != scores.plan.labels[probes][:, None])).sum(axis=1) / asked.sum(axis=1)
    return {
        _MISTAKES: at_probes(wrong, probes, n),
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
    """The classes that change most, at most three; none where the predictions of all change alike."""
    scores: SwapScores = findings.details
    found = sorted(scores.classes().items(), key=lambda item: (-item[1].swap_flip, item[0]))
    worst = [
        f"{class_title(label, scores.class_names)} {percent(each.swap_flip)}"
        for label, each in found
        if each.swap_flip > 0
    ]
    return f" Most of all {', '.join(worst[:3])}." if worst else ""
