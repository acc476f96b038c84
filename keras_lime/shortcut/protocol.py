"""The protocol of shortcut tests: what a test is given, what it answers, and how its status follows.

A test is one class in one file with one row in `registry`. Callback, report, log and page know the protocol alone. May
import numpy, SciPy and the core; gets a scorer and runs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from keras_lime.core.class_names import class_title
from keras_lime.core.display import Display
from keras_lime.core.model_input import OtherInputs
from keras_lime.core.phrases import count_of
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.results import Findings, Measurement, Obstacle, Predictions, Status, TestResult

__all__ = ["PreparedTest", "ProbeData", "ShortcutTest", "prepare_test", "run_test", "why_uninformative"]

_GUESSING = 0.05
"""Probability from which on as many right predictions may come from guessing."""


@dataclass(frozen=True, eq=False)
class ProbeData:
    """The probes as tests get them.

    Attributes:
        images: array (n, h, w, c) or (n, h, w), model input.
        display: how they are shown; its `grey` is model input that shows as middle grey.
        labels: int array (n,), true classes, or None.
        masks: bool array (n, h, w), True on the object, or None.
        outlines: what each mask is: `"mask"` (drawn), `"box"` or `"estimated"`; None for all drawn.
        class_names: names of the classes, or None.
        seed: of whatever a test draws. Defaults to `0`.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to nothing.
        no_outlines: why outlines could not be estimated though they were asked for, or None.
        names: of the images, for the words of an alarm. Defaults to nothing: they go by their number.
    """

    images: NDArray[Any]
    display: Display
    labels: NDArray[np.int64] | None = None
    masks: NDArray[np.bool_] | None = None
    outlines: tuple[str, ...] | None = None
    class_names: tuple[str, ...] | None = None
    seed: int = 0
    inputs: OtherInputs = field(default_factory=dict)
    no_outlines: Obstacle | None = None
    names: tuple[str, ...] = ()

    @property
    def shown(self) -> NDArray[np.uint8]:
        """The images as people see them, uint8 (n, h, w, 3)."""
        pictures = (self.display.picture(image) for image in self.images)
        return np.stack([np.floor(255 * picture + 0.5).astype(np.uint8) for picture in pictures])

    @property
    def estimated(self) -> bool:
        """Whether the masks are estimates: what rests on them is a suspicion."""
        return self.outlines is not None and "estimated" in self.outlines

    @property
    def grey(self) -> NDArray[np.floating[Any]]:
        """Float array (c,), model input that is shown as middle grey."""
        return self.display.grey(self.images[0])


class ShortcutTest(Protocol):
    """One way to ask a model whether it reads a shortcut.

    Attributes:
        name: key in records, logs and reports; lower case.
        title: what is tested, as it follows "Tested:"; for people.
        stands_in_for: name of the test in whose place this one is made during training; None for a test by itself.
        monitored: the statistics that `logs` gains, lower being better, as `<callback>_<statistic>`, with the value of
            each for a model of which nothing can be said.
        during_training: whether it is cheap enough to be made at every explained epoch.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    stands_in_for: ClassVar[str | None]
    monitored: ClassVar[Mapping[str, float]]
    during_training: ClassVar[bool]

    def why_not(self, probes: ProbeData) -> Obstacle | None:
        """Why it cannot be made with such probes; None if it can."""

    def prepare(self, probes: ProbeData, thorough: bool) -> Any:
        """Whatever does not depend on the model, made once: what `run` gets as its plan.

        Args:
            probes: such that `why_not` is None.
            thorough: whether the model is tested once, so that more images may be asked than at every epoch.
        """

    def passes(self, plan: Any) -> int:
        """About how many images `run` asks a model about, with the plan of `prepare`."""

    def run(self, plan: Any, scorer: ImageScorer, predictions: Predictions, threshold: float) -> Findings:
        """Asks a model.

        Args:
            plan: of `prepare`.
            scorer: the model.
            predictions: for the unchanged probes.
            threshold: share of the predictions that may follow a shortcut.
        """

    def sentence(self, findings: Findings) -> str:
        """What was measured, in sentences for people."""

    def alarm_sentence(self, findings: Findings, lasting: Sequence[Measurement], times: str) -> str:
        """The alarm in sentences.

        Args:
            findings: of the newest epoch.
            lasting: this test's measurements that raised it, at least one.
            times: `"for 2 measurements in a row"`.
        """


@dataclass(frozen=True, eq=False)
class PreparedTest:
    """A test with its plan, or with the obstacle that prevents it."""

    test: ShortcutTest
    plan: Any = None
    obstacle: Obstacle | None = None


def prepare_test(test: ShortcutTest, probes: ProbeData, thorough: bool = False) -> PreparedTest:
    """Makes a test's plan where the probes allow it."""
    obstacle = test.why_not(probes)
    return PreparedTest(test, None if obstacle else test.prepare(probes, thorough), obstacle)


def run_test(
    prepared: PreparedTest,
    probes: ProbeData,
    scorer: ImageScorer,
    predictions: Predictions | Obstacle,
    threshold: float,
) -> TestResult:
    """Makes one test and says what its result means.

    Args:
        prepared: the test.
        probes: what it was prepared for.
        scorer: the model.
        predictions: for the unchanged probes, or why there are none.
        threshold: share of the predictions that may follow a shortcut.

    Returns:
        The `TestResult`: an alarm where a measurement fires; else "cannot say" where the probes are too few, the model
        tells nothing about them, or the test itself has its doubts; only else passed.
    """
    test = prepared.test
    obstacle = prepared.obstacle or (predictions if isinstance(predictions, Obstacle) else None)
    stands_in = test.stands_in_for is not None
    if obstacle is not None or isinstance(predictions, Obstacle):
        why = obstacle or Obstacle("")
        return TestResult(test.name, why.status, why.reason, remedy=why.remedy, stands_in=stands_in)
    findings = test.run(prepared.plan, scorer, predictions, threshold)
    sentence = test.sentence(findings)
    if any(measurement.fires for measurement in findings.measurements):
        return TestResult(test.name, Status.ALARM, sentence, sentence, findings, stands_in=stands_in)
    doubt = _why_unsure(findings, predictions, probes)
    status = Status.PASSED if doubt is None else Status.CANNOT_SAY
    reason, remedy = (sentence, "") if doubt is None else (doubt.reason, doubt.remedy)
    return TestResult(test.name, status, reason, sentence, findings, remedy, stands_in)


def _why_unsure(findings: Findings, predictions: Predictions, probes: ProbeData) -> Obstacle | None:
    """Why a test without an alarm is no all-clear, the plainest reason first; None if it is one."""
    dumb = why_uninformative(predictions, probes.labels)
    if dumb is not None:
        return dumb
    if findings.n_probes < findings.least_probes:
        return Obstacle(
            f"{count_of(findings.n_probes, 'probe')} {'is' if findings.n_probes == 1 else 'are'} too few for a "
            "verdict.",
            f"It takes {findings.least_probes}, and {2 * findings.least_probes} do well.",
        )
    return Obstacle(findings.doubt, findings.remedy) if findings.doubt else None


def why_uninformative(predictions: Predictions, labels: NDArray[np.int64] | None) -> Obstacle | None:
    """Why the predictions say nothing about how a model sees the probes; None if they do.

    They say nothing if they are all the same though the probes are not, or are no more often right than predictions
    that do not look at the images: a binomial test whose chance is the agreement expected of the two marginal
    distributions, as in Cohen's kappa.

    Args:
        predictions: for the unchanged probes.
        labels: int array (n,), true classes, or None.
    """
    classes, n = predictions.classes, len(predictions.classes)
    several = n > 1 if labels is None else len(np.unique(labels)) > 1
    check = "Check the probes' value range and preprocessing, and whether training has got anywhere."
    if several and len(np.unique(classes)) == 1:
        title = class_title(int(classes[0]), predictions.class_names)
        return Obstacle(f"The model predicts {title} for all {count_of(n, 'probe')}, whatever they show.", check)
    if labels is None or not several:
        return None
    right = int((classes == labels).sum())
    chance = sum(float((classes == label).mean() * (labels == label).mean()) for label in np.unique(labels))
    if right and binom.sf(right - 1, n, chance) < _GUESSING:
        return None
    return Obstacle(f"The model predicts {right} of {count_of(n, 'probe')} right, as guessing may do.", check)
