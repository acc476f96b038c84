"""`ShortcutMonitor`: what a training's shortcut tests keep from epoch to epoch.

May import numpy, the core and the tests beside it; gets a scorer and runs it.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.display import Display, DisplayFn
from keras_lime.core.model_input import OtherInputs, with_inputs
from keras_lime.core.phrases import count_of, listing, number
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.background_swap import ANY_CERTAINTY, ANY_FLIP, RELIANCE_ERRORS, RELIANCE_THRESHOLD
from keras_lime.shortcut.decision import Alarm, Verdict
from keras_lime.shortcut.hidden_regions import OCCLUSION_THRESHOLD
from keras_lime.shortcut.occlusion import REGIONS, run_occlusion
from keras_lime.shortcut.probe_data import OutlineSource, prepare_probes
from keras_lime.shortcut.protocol import PreparedTest, ProbeData, prepare_test, run_test
from keras_lime.shortcut.registry import shortcut_tests
from keras_lime.shortcut.results import LEAST_SWAP_PROBES, Obstacle, Predictions, TestResult
from keras_lime.shortcut.swap import SwapScores

__all__ = ["EpochTests", "ShortcutMonitor", "predictions_of"]


_KINDS = {"mask": "masks", "box": "boxes", "estimated": "estimated outlines"}


@dataclass(frozen=True, eq=False)
class EpochTests:
    """One epoch's shortcut tests.

    Attributes:
        results: of each test, in the order of the registry.
        verdict: the decision.
        alarm_step: the epoch at which the alarm that is on began, or None.
        n_classes: number of the model's classes.
        labels: int array (n,), true classes of the probes, or None.
        class_names: names of the classes, or None.
        display: how the probes are shown.
        masks: bool array (n, h, w), the outlines by which objects were told from backgrounds, or None.
        outlines: what each of them is, see `ProbeData`; None without.
    """

    results: tuple[TestResult, ...]
    verdict: Verdict
    alarm_step: int | None
    n_classes: int
    labels: NDArray[np.int64] | None
    class_names: tuple[str, ...] | None
    display: Display
    masks: NDArray[np.bool_] | None = None
    outlines: tuple[str, ...] | None = None

    def details(self, test: str) -> Any:
        """The answers to the test of that name, or None where it was not made."""
        return next((result.details for result in self.results if result.test == test), None)

    @property
    def swap(self) -> SwapScores | None:
        """The answers to the background swap, or None."""
        found = self.details("swap")
        return found if isinstance(found, SwapScores) else None

    @property
    def untested(self) -> tuple[str, ...]:
        """What was not tested, or not fully, and why, as sentences."""
        reasons = [result.reason for result in self.results if result.findings is None]
        gaps = [gap for result in self.results if result.findings is not None for gap in result.findings.gaps]
        return tuple(dict.fromkeys([*reasons, *gaps]))


class ShortcutMonitor:
    """Measures and judges, epoch by epoch. What does not depend on the model is prepared once, by `prepare`.

    Every registered test is made that the probes allow; one that stands in for another only where that one is
    impossible.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        labels: int array (n,), or None.
        masks: bool array (n, h, w), True on the object, or None.
        outlines: where outlines come from if there are none, see `prepare_probes`. Defaults to `None`, nowhere.
        class_names: names of the classes, or None.
        display_fn: the user's conversion of model input to RGB, or None.
        threshold: share of the predictions that may follow the class of the background. Defaults to `0.1`.
        patience: see `Alarm`. Defaults to `2`.
        seed: of the draw of backgrounds. Defaults to `0`.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.
        names: of the images, for the words of an alarm. Defaults to `()`: they go by their number.

    Raises:
        ValueError: if `threshold` is no share or `patience` no positive integer.
    """

    def __init__(
        self,
        images: NDArray[Any],
        labels: NDArray[np.int64] | None,
        masks: NDArray[np.bool_] | None,
        *,
        outlines: OutlineSource = None,
        class_names: tuple[str, ...] | None = None,
        display_fn: DisplayFn | None = None,
        threshold: float = RELIANCE_THRESHOLD,
        patience: int = 2,
        seed: int = 0,
        inputs: OtherInputs | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        _check(threshold, patience)
        self._images, self._labels, self._masks, self._outlines = images, labels, masks, outlines
        self._class_names, self._display_fn, self._seed = class_names, display_fn, seed
        self._threshold, self._patience = threshold, patience
        self._inputs, self._names = inputs or {}, names
        self._probes: ProbeData | None = None
        self._tests: tuple[PreparedTest, ...] = ()
        self.reset()

    def reset(self) -> None:
        """Forgets all measurements: a new training begins."""
        self._alarm = Alarm(self._patience)
        self._alarm_step: int | None = None

    def fresh(self) -> Self:
        """A monitor of another training, with the same tests and plans."""
        copied = copy(self)
        copied.reset()
        return copied

    def with_masks(self, masks: NDArray[np.bool_] | None, outlines: OutlineSource) -> Self:
        """A monitor of the same training, whose probes have other object masks from here on.

        Args:
            masks: bool array (n, h, w), True on the object, or None.
            outlines: see `ProbeData`.
        """
        copied = copy(self)
        copied._masks, copied._outlines, copied._probes = masks, outlines, None
        return copied

    def prepare(self) -> ProbeData:
        """Chooses the tests and makes their plans, at the first call."""
        if self._probes is None:
            probes = self._probes = prepare_probes(
                self._images,
                self._labels,
                self._masks,
                outlines=self._outlines,
                display_fn=self._display_fn,
                class_names=self._class_names,
                seed=self._seed,
                inputs=self._inputs,
                names=self._names,
            )
            tests = [test for test in shortcut_tests() if test.during_training]
            possible = {test.name: test.why_not(probes) is None for test in tests}
            chosen = [test for test in tests if not possible.get(test.stands_in_for or "", False)]
            self._tests = tuple(prepare_test(test, self._probes) for test in chosen)
        return self._probes

    @property
    def monitored(self) -> dict[str, float]:
        """The statistics that `logs` gains, and the value of each where nothing can be said."""
        self.prepare()
        tests = [prepared.test for prepared in self._tests if prepared.obstacle is None]
        return {statistic: worst for test in tests for statistic, worst in test.monitored.items()}

    def test(
        self,
        step: int,
        scorer: ImageScorer,
        classes: Sequence[int | None],
        values: Sequence[float],
        logs: Mapping[str, Any] | None = None,
    ) -> EpochTests:
        """Measures and judges one epoch.

        Args:
            step: the epoch.
            scorer: the model.
            classes: predicted class of each probe, or of the first ones: the model is asked about the others. None for
                a regression, of which nothing is measured.
            values: probability of each.
            logs: what `fit` logged for the epoch; see `Alarm.judge`.
        """
        probes = self.prepare()
        n_classes = getattr(scorer, "n_outputs", None) or 0
        predictions = predictions_of(*self._completed(scorer, classes, values), n_classes, self._class_names)
        results = tuple(run_test(test, probes, scorer, predictions, self._threshold) for test in self._tests)
        verdict = self._alarm.judge(results, n_classes, logs)
        if verdict.began:
            self._alarm_step = step
            where = "" if isinstance(predictions, Obstacle) else self._locate(results, scorer, predictions)
            verdict = replace(verdict, message=f"{where} {verdict.message}".lstrip())
        began = self._alarm_step if verdict.alarm else None
        return EpochTests(
            results,
            verdict,
            began,
            n_classes,
            self._labels,
            self._class_names,
            probes.display,
            probes.masks,
            probes.outlines,
        )

    def describe(self) -> dict[str, Any]:
        """The settings and what cannot be measured, as JSON values."""
        self.prepare()
        plan = next((test.plan for test in self._tests if test.test.name == "swap"), None)
        obstacles = [str(test.obstacle) for test in self._tests if test.obstacle is not None]
        return {
            "reliance_threshold": self._threshold,
            "reliance_errors": RELIANCE_ERRORS,
            "threshold": max(ANY_FLIP, self._threshold),
            "patience": self._patience,
            "least_probes": LEAST_SWAP_PROBES,
            "background_threshold": ANY_CERTAINTY,
            "occlusion_threshold": OCCLUSION_THRESHOLD,
            "swap": plan is not None,
            "n_swapped": 0 if plan is None else len(plan.probes),
            "n_donors": 0 if plan is None else plan.donors.shape[1],
            "tests": [
                {"test": test.test.name, "title": test.test.title} for test in self._tests if test.obstacle is None
            ],
            "unmeasured": obstacles,
        }

    def passes(self, n_explained: int) -> int:
        """About how many images one epoch's tests ask the model for.

        Args:
            n_explained: how many of the tested images are explained, so that their predictions are known.
        """
        self.prepare()
        made = sum(test.test.passes(test.plan) for test in self._tests if test.obstacle is None)
        return made + max(0, len(self._images) - n_explained)

    @property
    def tested(self) -> str:
        """Which tests will be made and which will not, as a sentence or two."""
        self.prepare()
        made = [test.test.title for test in self._tests if test.obstacle is None]
        missing = [f"Not tested: {test.test.title}. {test.obstacle}" for test in self._tests if test.obstacle]
        return " ".join(([f"Tested: {listing(made, len(made))}, {self._material}."] if made else []) + missing)

    @property
    def _material(self) -> str:
        """What the tests are made on: `"on 60 images with estimated outlines"`."""
        kinds = self.prepare().outlines
        found = " and ".join(word for kind, word in _KINDS.items() if kinds is not None and kind in kinds)
        return f"on {count_of(len(self._images), 'image')}{f' with {found}' if found else ''}"

    def _completed(
        self, scorer: ImageScorer, classes: Sequence[int | None], values: Sequence[float]
    ) -> tuple[Sequence[int | None], Sequence[float]]:
        """The predictions with those for the probes that were not explained."""
        rows = range(len(classes), len(self._images))
        if not rows or None in classes:
            return classes, values
        scores = scorer.score_images(with_inputs(self._images[row], self._inputs, row) for row in rows)
        return [*classes, *scores.argmax(axis=1).tolist()], [*values, *scores.max(axis=1).tolist()]

    def _locate(self, results: Sequence[TestResult], scorer: ImageScorer, predictions: Predictions) -> str:
        """Where the background that is read lies, as a sentence; empty if it is in no corner and no border."""
        if any(result.test == "occlusion" for result in results):
            return ""
        probes = self.prepare()
        classes, values = predictions.classes.tolist(), predictions.values.tolist()
        occlusion = run_occlusion(probes.images, scorer, classes, values, probes.grey, probes.inputs)
        drops = occlusion.mean()
        region = int(drops.argmax())
        if not drops[region] - 2 * occlusion.stderr()[region] > OCCLUSION_THRESHOLD:
            return ""
        return (
            f"Hiding the {REGIONS[region]} alone takes {number(float(drops[region]))} off the probability: look there "
            "first, for a watermark or the like."
        )


def predictions_of(
    classes: Sequence[int | None], values: Sequence[float], n_classes: int, class_names: tuple[str, ...] | None = None
) -> Predictions | Obstacle:
    """A model's predictions for the unchanged probes; of a regression the reason why there are none."""
    known = [each for each in classes if each is not None]
    if len(known) < len(classes) or n_classes < 2:
        return Obstacle("The model gives no probabilities of two or more classes, so no prediction can change.")
    return Predictions(np.array(known, np.int64), np.array(values, np.float64), n_classes, class_names)


def _check(threshold: Any, patience: Any) -> None:
    is_number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if not is_number or not 0 <= threshold <= 1:
        raise ValueError(
            "`shortcut_threshold` must be a share of the predictions, 0 to 1, or None for no shortcut tests. "
            f"Received: shortcut_threshold={threshold!r}."
        )
    if not isinstance(patience, int) or isinstance(patience, bool) or patience < 1:
        raise ValueError(f"`patience` must be an integer of at least 1. Received: patience={patience!r}.")
