"""The alarm's decision over epochs: test results in, verdict out. Runs no model; may import what stands beside it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keras_lime.core.phrases import count_of, number
from keras_lime.shortcut.background_swap import BackgroundSwap
from keras_lime.shortcut.registry import shortcut_test
from keras_lime.shortcut.results import Measurement, Status, TestResult, overall_status

__all__ = ["Alarm", "Verdict", "least_accuracy", "training_accuracy"]

LEAST_CLASS_ACCURACY = 0.8
"""Training accuracy from which on a class by itself counts: single classes waver longer than all of them together."""

_HEADLINES: Mapping[Status, str] = {
    Status.PASSED: "No alarm.",
    Status.ALARM: "Shortcut alarm.",
    Status.NOT_TESTED: "Not tested.",
    Status.CANNOT_SAY: "Cannot say.",
}


@dataclass(frozen=True)
class Verdict:
    """The decision after one epoch's tests.

    Attributes:
        status: `Status.ALARM` where measurements stayed above their thresholds long enough; else what the tests that
            stand by themselves say: cannot say, passed, not tested, whichever of these comes first among them.
        began: whether this is the epoch at which the alarm began.
        message: what was found, in sentences.
        counted: whether the epoch counted: training accuracy had got far enough, or was not known.
        accuracy: the training accuracy it went by, or None.
        measurements: the numbers above their thresholds for long enough, highest first.
    """

    status: Status
    began: bool
    message: str
    counted: bool
    accuracy: float | None
    measurements: tuple[Measurement, ...] = ()

    @property
    def alarm(self) -> bool:
        """Whether there is a shortcut, by at least `patience` measurements in a row."""
        return self.status is Status.ALARM

    @property
    def headline(self) -> str:
        """`"No alarm."`, `"Shortcut alarm."`, `"Not tested."` or `"Cannot say."`."""
        return _HEADLINES[self.status]


@dataclass(eq=False)
class Alarm:
    """Counts measurements in a row. One for each training.

    Args:
        patience: measurements in a row above the threshold that make an alarm.
    """

    patience: int = 2
    _streaks: dict[tuple[str, int | None, str | None], int] = field(default_factory=dict)
    _on: bool = False

    def judge(self, results: Sequence[TestResult], n_classes: int, logs: Mapping[str, Any] | None = None) -> Verdict:
        """Takes one epoch in.

        Args:
            results: its tests.
            n_classes: number of the model's classes.
            logs: what `fit` logged for the epoch. It counts only once the training accuracy in it is at least
                `least_accuracy`, for a class by itself 0.8; where there is none, every epoch counts.
        """
        accuracy = training_accuracy(logs)
        counted = accuracy is None or accuracy >= least_accuracy(n_classes)
        classes_counted = accuracy is None or accuracy >= LEAST_CLASS_ACCURACY
        measurements = [measurement for result in results for measurement in result.measurements]
        self._streaks = {
            each.key: self._streaks.get(each.key, 0) + 1
            for each in measurements
            if each.fires and counted and (classes_counted or each.label is None)
        }
        lasting = tuple(each for each in measurements if self._streaks.get(each.key, 0) >= self.patience)
        began = bool(lasting) and not self._on
        self._on = bool(lasting)
        status = Status.ALARM if lasting else _calm_status(results, counted)
        if lasting:
            message = self._alarm_message(results, lasting)
        else:
            message = _calm_message(status, results, counted, accuracy, n_classes)
        return Verdict(status, began, message, counted, accuracy, lasting)

    def _alarm_message(self, results: Sequence[TestResult], lasting: Sequence[Measurement]) -> str:
        times = f"for {count_of(max(self._streaks[each.key] for each in lasting), 'measurement')} in a row"
        parts = []
        # What names a place comes first: a watermark lies in the background, and "the background" would be too vague.
        for result in sorted(results, key=lambda result: result.test == BackgroundSwap.name):
            own = [each for each in lasting if each.test == result.test]
            if own and result.findings is not None:
                parts.append(shortcut_test(result.test).alarm_sentence(result.findings, own, times))
        return " ".join(parts)


def least_accuracy(n_classes: int) -> float:
    """Training accuracy from which on measurements count: 0.5, for two classes 0.65. Before, a model guesses."""
    return max(0.5, 1.3 / max(n_classes, 2))


def training_accuracy(logs: Mapping[str, Any] | None) -> float | None:
    """The training accuracy among an epoch's logs: `accuracy`, `acc`, or what ends like that; None if there is none."""
    names = [name for name in logs or {} if name.endswith(("accuracy", "acc")) and not name.startswith("val_")]
    for name in sorted(names, key=lambda name: (name not in ("accuracy", "acc"), name)):
        try:
            value = float((logs or {})[name])
        except (TypeError, ValueError):
            continue
        if math.isfinite(value):
            return value
    return None


def _calm_status(results: Sequence[TestResult], counted: bool) -> Status:
    """Of an epoch without an alarm. One that does not count, or fires and waits for another, is no all-clear."""
    status = overall_status(results)
    waits = status is Status.ALARM or (status is Status.PASSED and not counted)
    return Status.CANNOT_SAY if waits else status


def _calm_message(
    status: Status, results: Sequence[TestResult], counted: bool, accuracy: float | None, n_classes: int
) -> str:
    parts = [_HEADLINES[status]]
    # Reasons that tests share, such as a model that guesses, are told once.
    for result in results:
        told = [result.reason, result.remedy] if result.status is not Status.ALARM else []
        told.append(result.sentence)
        parts += [sentence for sentence in told if sentence and sentence not in parts]
    if any(result.status is Status.ALARM for result in results) and counted:
        parts.append("That is above the threshold; it takes more measurements in a row to make an alarm.")
    if not counted and accuracy is not None:
        parts.append(
            f"This does not count yet: training accuracy is {number(accuracy)}, and counts from "
            f"{number(least_accuracy(n_classes))} on."
        )
    if accuracy is None and any(result.findings is not None for result in results):
        parts.append("No training accuracy is logged, so every measurement counts; compile with metrics=['accuracy'].")
    parts += [gap for result in results if result.findings is not None for gap in result.findings.gaps]
    return " ".join(parts)
