"""The alarm's decision: numbers in, verdict out. May import numpy and what measures beside it; runs no model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.shortcut.occlusion import PLACES, Occlusion
from keras_lime.shortcut.swap import Figures, SwapScores

__all__ = ["Alarm", "Evidence", "Reading", "Verdict", "class_title", "least_accuracy", "readings", "training_accuracy"]

OCCLUSION_THRESHOLD = 0.05
"""Fall of probability above which a hidden corner or border counts; on clean models it stays below 0.01."""

BACKGROUND_THRESHOLD = 0.15
"""Certainty that the background alone must carry, 0 a guess and 1 certain: a model that still wavers changes its mind
with any picture, and has no opinion of a background."""

LEAST_PROBES, LEAST_CLASS_PROBES = 8, 5
"""Fewer probes measure but raise no alarm, altogether and for a class by itself."""

LEAST_CLASS_ACCURACY = 0.8
"""Training accuracy from which on a class by itself counts: single classes waver longer than all of them together."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one epoch's tests found.

    Attributes:
        n_classes: number of the model's classes.
        swap: answers to the background swap, None if it was not measured.
        occlusion: answers to the hidden corners and borders, None if they were not measured.
        labels: int array (n,), true classes of the probes in `occlusion`, or None.
        class_names: names of the classes, or None.
        unmeasured: what could not be measured, and why, as sentences.
    """

    n_classes: int
    swap: SwapScores | None = None
    occlusion: Occlusion | None = None
    labels: NDArray[np.int64] | None = None
    class_names: tuple[str, ...] | None = None
    unmeasured: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """A number that can raise the alarm.

    Attributes:
        test: `"swap"`, `"class swap"`, `"occlusion"` or `"class occlusion"`.
        subject: the class or the place; empty for the swap over all probes.
        value: share of the predictions that change, or fall of probability.
        stderr: its standard error over the probes.
        threshold: the value above which it counts.
        fires: whether it is above, beyond doubt where many numbers are looked at.
    """

    test: str
    subject: str
    value: float
    stderr: float
    threshold: float
    fires: bool


@dataclass(frozen=True)
class Verdict:
    """The decision after one measurement.

    Attributes:
        alarm: whether there is a shortcut, by at least `patience` measurements in a row.
        began: whether this is the measurement at which the alarm began.
        words: what was found, in sentences.
        counted: whether the measurement counted: training accuracy had got far enough, or was not known.
        accuracy: the training accuracy it went by, or None.
        readings: the numbers above their thresholds for long enough, highest first.
    """

    alarm: bool
    began: bool
    words: str
    counted: bool
    accuracy: float | None
    readings: tuple[Reading, ...] = ()


@dataclass(eq=False)
class Alarm:
    """Counts measurements in a row. One for each training.

    Args:
        threshold: share of the predictions that may change when backgrounds are swapped.
        patience: measurements in a row above the threshold that make an alarm.
    """

    threshold: float = 0.25
    patience: int = 2
    _streaks: dict[tuple[str, str], int] = field(default_factory=dict)
    _on: bool = False

    def judge(self, evidence: Evidence, logs: Mapping[str, Any] | None = None) -> Verdict:
        """Takes one measurement in.

        Args:
            evidence: what was measured.
            logs: what `fit` logged for the epoch. A measurement counts only once the training accuracy in it is at
                least `least_accuracy`, that of a class by itself 0.8; where there is none, every measurement counts.
        """
        accuracy = training_accuracy(logs)
        counted = accuracy is None or accuracy >= least_accuracy(evidence.n_classes)
        classes_counted = accuracy is None or accuracy >= LEAST_CLASS_ACCURACY
        found = readings(evidence, self.threshold)
        self._streaks = {
            (each.test, each.subject): self._streaks.get((each.test, each.subject), 0) + 1
            for each in found
            if each.fires and counted and (classes_counted or not each.test.startswith("class"))
        }
        lasting = tuple(each for each in found if self._streaks.get((each.test, each.subject), 0) >= self.patience)
        began, self._on = bool(lasting) and not self._on, bool(lasting)
        streak = max((self._streaks[each.test, each.subject] for each in lasting), default=0)
        words = _alarm_words(lasting, evidence, streak) if lasting else _calm_words(found, evidence, accuracy, counted)
        return Verdict(bool(lasting), began, words, counted, accuracy, lasting)


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


def readings(evidence: Evidence, threshold: float = 0.25) -> list[Reading]:
    """The numbers that can raise an alarm, highest first within each test.

    Over all probes the swap's share counts as soon as it is above the threshold, a class by itself if it is above by
    two standard errors: there are many of them, of few probes each. Either only if the background alone carries some of
    the predictions' certainty, more than 0.15. A corner or border counts above 0.05 if it is two standard errors above
    zero, for a class by itself above 0.05.
    """
    found: list[Reading] = []
    if evidence.swap is not None:
        overall = evidence.swap.figures()
        found.append(_swap_reading("swap", "", overall, threshold, overall.swap_flip > threshold, LEAST_PROBES))
        classes = sorted(evidence.swap.classes().items(), key=lambda item: -item[1].swap_flip)
        for label, figures in classes:
            sure = figures.swap_flip - 2 * figures.swap_flip_stderr > threshold
            title = class_title(label, evidence.class_names)
            found.append(_swap_reading("class swap", title, figures, threshold, sure, LEAST_CLASS_PROBES))
    if evidence.occlusion is not None:
        found += _occlusion_readings("occlusion", "", evidence.occlusion, None, LEAST_PROBES)
        labels = evidence.labels
        for label in [] if labels is None else np.unique(labels):
            title, chosen = class_title(int(label), evidence.class_names), labels == label
            found += _occlusion_readings("class occlusion", title, evidence.occlusion, chosen, LEAST_CLASS_PROBES)
    return found


def class_title(label: int, class_names: tuple[str, ...] | None) -> str:
    """`"class stop"`, or `"class 3"` for a class without a name."""
    return f"class {label}" if class_names is None or label >= len(class_names) else f"class {class_names[label]}"


def _swap_reading(test: str, subject: str, figures: Figures, threshold: float, sure: bool, least: int) -> Reading:
    fires = bool(sure) and figures.n >= least and figures.p_background > BACKGROUND_THRESHOLD
    return Reading(test, subject, figures.swap_flip, figures.swap_flip_stderr, threshold, fires)


def _occlusion_readings(
    test: str, title: str, occlusion: Occlusion, chosen: NDArray[np.bool_] | None, least: int
) -> list[Reading]:
    values, errors = occlusion.mean(chosen), occlusion.stderr(chosen)
    count = len(occlusion.drops) if chosen is None else int(chosen.sum())
    made = [
        Reading(
            test,
            f"{title}, {place}" if title else place,
            float(value),
            float(error),
            OCCLUSION_THRESHOLD,
            bool(count >= least and value - 2 * error > (OCCLUSION_THRESHOLD if title else 0))
            and bool(value > OCCLUSION_THRESHOLD),
        )
        for place, value, error in zip(PLACES, values, errors, strict=True)
    ]
    return sorted(made, key=lambda each: -each.value)


def _alarm_words(lasting: Sequence[Reading], evidence: Evidence, streak: int) -> str:
    by_test = {test: [each for each in lasting if each.test == test] for test in ("swap", "class swap")}
    places = [each for each in lasting if each.test in ("occlusion", "class occlusion")]
    times = f"for {streak} measurements in a row"
    parts = []
    if by_test["swap"]:
        (overall,) = by_test["swap"]
        parts.append(
            f"With the object on backgrounds of other classes {_percent(overall)} of the predictions change, {times} "
            f"(alarm above {overall.threshold:.0%}); the model reads the background.{_worst(evidence)}"
        )
    elif by_test["class swap"]:
        parts += [
            f"{_capital(each.subject)}: with the object on another background {_percent(each)} of the predictions "
            f"change, {times} (alarm above {each.threshold:.0%}); the model reads the background."
            for each in by_test["class swap"]
        ]
    if evidence.swap is not None and parts:
        parts.append(
            f"With the object taken out the predictions keep {evidence.swap.figures().p_background:.0%} of their "
            "certainty (0% would be a guess)."
        )
    parts += [
        f"Hiding the {each.subject.split(', ')[-1]} takes {each.value:.2f} (± {each.stderr:.2f}) off the probability "
        f"of the prediction{_of_class(each)} (alarm above {each.threshold}), {times}; the model reads something there, "
        "such as a watermark."
        for each in places[:2]
    ]
    return " ".join(parts)


def _calm_words(found: Sequence[Reading], evidence: Evidence, accuracy: float | None, counted: bool) -> str:
    parts = ["No alarm."]
    if evidence.swap is not None:
        overall = found[0]
        count = evidence.swap.figures().n
        parts.append(f"With the object on backgrounds of other classes {_percent(overall)} of the predictions change.")
        if count < LEAST_PROBES:
            parts.append(
                f"{count} probes are too few to raise an alarm; it takes {LEAST_PROBES}, and 20 to 30 do well."
            )
    if evidence.occlusion is not None:
        highest = max((each for each in found if each.test == "occlusion"), key=lambda each: each.value)
        parts.append(
            f"The most that hiding a corner or border takes off the probability is {highest.value:.2f} "
            f"({highest.subject})."
        )
        parts.append(
            f"A hint only: with the outer frame alone the predictions keep {evidence.occlusion.frame.mean():.0%} of "
            "their certainty."
        )
    if not counted and accuracy is not None:
        least = least_accuracy(evidence.n_classes)
        parts.append(f"This does not count yet: training accuracy is {accuracy:.2f}, and counts from {least:.2f} on.")
    if accuracy is None:
        parts.append("No training accuracy is logged, so every measurement counts; compile with metrics=['accuracy'].")
    return " ".join([*parts, *evidence.unmeasured])


def _worst(evidence: Evidence) -> str:
    if evidence.swap is None:
        return ""
    classes = [(each.swap_flip, label) for label, each in evidence.swap.classes().items() if each.swap_flip > 0]
    worst = [
        f"{class_title(label, evidence.class_names)} {share:.0%}"
        for share, label in sorted(classes, key=lambda each: (-each[0], each[1]))[:3]
    ]
    return f" Most of all {', '.join(worst)}." if worst else ""


def _of_class(reading: Reading) -> str:
    return f" in {reading.subject.split(', ')[0]}" if reading.test == "class occlusion" else ""


def _percent(reading: Reading) -> str:
    error = f" (± {reading.stderr:.0%})" if math.isfinite(reading.stderr) else ""
    return f"{reading.value:.0%}{error}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
