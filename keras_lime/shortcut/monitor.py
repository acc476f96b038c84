"""`ShortcutWatch`: what a training's shortcut tests keep from epoch to epoch.

May import numpy, the core and the tests beside it; gets a scorer and runs it.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.display import Display, DisplayFn
from keras_lime.core.scores import ImageScorer
from keras_lime.exceptions import LimeWarning
from keras_lime.shortcut.decision import (
    BACKGROUND_THRESHOLD,
    LEAST_PROBES,
    OCCLUSION_THRESHOLD,
    Alarm,
    Evidence,
    Verdict,
)
from keras_lime.shortcut.occlusion import PLACES, Occlusion, run_occlusion
from keras_lime.shortcut.swap import SwapPlan, make_swap_plan, run_swap, why_no_swap

__all__ = ["ShortcutResult", "ShortcutWatch", "display_of"]

_DONORS = 4


@dataclass(frozen=True, eq=False)
class ShortcutResult:
    """One epoch's shortcut tests.

    Attributes:
        evidence: what was measured.
        verdict: the decision.
        alarm_step: the epoch at which the alarm that is on began, or None.
        display: how the probes are shown.
    """

    evidence: Evidence
    verdict: Verdict
    alarm_step: int | None
    display: Display


class ShortcutWatch:
    """Measures and judges, epoch by epoch. Backgrounds are prepared once, by `prepare`.

    With masks and labels the background swap is measured; without, corners, borders and the frame.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        labels: int array (n,), or None.
        masks: bool array (n, h, w), True on the object, or None.
        class_names: names of the classes, or None.
        display_fn: the user's conversion of model input to RGB, or None.
        threshold: see `Alarm`. Defaults to `0.25`.
        patience: see `Alarm`. Defaults to `2`.
        seed: of the draw of backgrounds. Defaults to `0`.

    Raises:
        ValueError: if `threshold` is no share or `patience` no positive integer.
    """

    def __init__(
        self,
        images: NDArray[Any],
        labels: NDArray[np.int64] | None,
        masks: NDArray[np.bool_] | None,
        *,
        class_names: tuple[str, ...] | None = None,
        display_fn: DisplayFn | None = None,
        threshold: float = 0.25,
        patience: int = 2,
        seed: int = 0,
    ) -> None:
        _check(threshold, patience)
        self._images, self._labels, self._masks, self._class_names = images, labels, masks, class_names
        self._threshold, self._patience, self._seed = threshold, patience, seed
        self._display_fn = display_fn
        self._no_swap = why_no_swap(labels, masks)
        self._plan: SwapPlan | None = None
        self._display: Display | None = None
        self.reset()

    @property
    def measures_swap(self) -> bool:
        """Whether the probes allow the background swap."""
        return self._no_swap is None

    def reset(self) -> None:
        """Forgets all measurements: a new training begins."""
        self._alarm = Alarm(self._threshold, self._patience)
        self._alarm_step: int | None = None

    def prepare(self) -> Display:
        """Takes the objects out of the probes, at the first call; says how they are shown."""
        if self._display is not None:
            return self._display
        self._display = display_of(self._images, self._display_fn)
        if self._no_swap is None and self._labels is not None and self._masks is not None:
            self._plan = make_swap_plan(
                self._images,
                self._labels,
                self._masks,
                grey=self._display.grey(self._images[0]),
                n_donors=_DONORS,
                seed=self._seed,
            )
        return self._display

    def test(
        self,
        step: int,
        scorer: ImageScorer,
        before: Sequence[int | None],
        before_values: Sequence[float],
        logs: Mapping[str, Any] | None = None,
    ) -> ShortcutResult:
        """Measures and judges one epoch.

        Args:
            step: the epoch.
            scorer: the model.
            before: predicted class of each probe; None for a regression, of which nothing is measured.
            before_values: probability of each.
            logs: what `fit` logged for the epoch; see `Alarm.judge`.
        """
        evidence = self.measure(scorer, before, before_values)
        verdict = self.judge(evidence, logs)
        if verdict.began:
            self._alarm_step = step
            if evidence.swap is not None:
                where = self._locate(scorer, before, before_values)
                verdict = replace(verdict, words=f"{verdict.words} {where}".rstrip())
        return ShortcutResult(evidence, verdict, self._alarm_step if verdict.alarm else None, self.prepare())

    def measure(self, scorer: ImageScorer, before: Sequence[int | None], before_values: Sequence[float]) -> Evidence:
        """Asks the model; see `test`."""
        self.prepare()
        classes: list[int] = [each for each in before if each is not None]
        n_classes = getattr(scorer, "n_outputs", None) or 0
        if len(classes) < len(before) or n_classes < 2:
            why = "The model gives no probabilities of two and more classes, so no prediction can change."
            return Evidence(n_classes, unmeasured=(why,))
        swap = None if self._plan is None else run_swap(self._plan, scorer, classes, before_values)
        occlusion = None if self._plan is not None else self._occlude(scorer, classes, before_values)
        left_out = tuple(self._left_out(n_classes))
        return Evidence(n_classes, swap, occlusion, self._labels, self._class_names, left_out)

    def judge(self, evidence: Evidence, logs: Mapping[str, Any] | None = None) -> Verdict:
        """The decision; see `Alarm.judge`."""
        return self._alarm.judge(evidence, logs)

    def _locate(self, scorer: ImageScorer, before: Sequence[int | None], before_values: Sequence[float]) -> str:
        """Where the background that is read lies, as a sentence; empty if it is in no corner and no border."""
        occlusion = self._occlude(scorer, [each or 0 for each in before], before_values)
        drops = occlusion.mean()
        place = int(drops.argmax())
        if not drops[place] - 2 * occlusion.stderr()[place] > 0.05:
            return ""
        return (
            f"Hiding the {PLACES[place]} alone takes {drops[place]:.2f} off the probability: look there, for a "
            "watermark or the like."
        )

    def describe(self) -> dict[str, Any]:
        """The settings and what cannot be measured, as JSON values."""
        return {
            "threshold": self._threshold,
            "patience": self._patience,
            "least_probes": LEAST_PROBES,
            "background_threshold": BACKGROUND_THRESHOLD,
            "occlusion_threshold": OCCLUSION_THRESHOLD,
            "swap": self.measures_swap,
            "n_swapped": 0 if self._plan is None else len(self._plan.probes),
            "n_donors": 0 if self._plan is None else self._plan.donors.shape[1],
            "unmeasured": [] if self._no_swap is None else [self._no_swap],
        }

    def _occlude(self, scorer: ImageScorer, before: Sequence[int], before_values: Sequence[float]) -> Occlusion:
        grey = self.prepare().grey(self._images[0])
        return run_occlusion(self._images, scorer, before, before_values, grey)

    def _left_out(self, n_classes: int) -> list[str]:
        """What the tests do not cover, in sentences."""
        if self._no_swap is not None:
            return [self._no_swap]
        plan = self._plan
        if plan is None:
            return []
        notes = []
        missing = len(plan.images) - len(plan.probes)
        if missing:
            notes.append(
                f"{missing} of {len(plan.images)} probes are left out of the swap: their mask covers nothing, or "
                "nearly all of the picture."
            )
        tested = len(np.unique(plan.labels[plan.probes]))
        if tested < n_classes:
            notes.append(f"{n_classes - tested} of {n_classes} classes have no probe in the swap.")
        return notes


def display_of(images: NDArray[Any], display_fn: DisplayFn | None) -> Display:
    """How the probes are shown. An unusual range is not warned of again: the plans' makers did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LimeWarning)
        return Display.of(images, display_fn)


def _check(threshold: Any, patience: Any) -> None:
    number = isinstance(threshold, int | float) and not isinstance(threshold, bool)
    if not number or not 0 <= threshold <= 1:
        raise ValueError(
            "`shortcut_threshold` must be a share of the predictions, 0 to 1, or None for no shortcut tests. "
            f"Received: shortcut_threshold={threshold!r}."
        )
    if not isinstance(patience, int) or isinstance(patience, bool) or patience < 1:
        raise ValueError(f"`patience` must be an integer of at least 1. Received: patience={patience!r}.")
