"""The receipt of a cure: the same measurements before and after, on the same images, and what they say together.

A cure for one shortcut can feed another (Li et al. 2023, "A Whac-A-Mole Dilemma"), so every shortcut test there is runs
on both models. May import numpy, SciPy, the core and `shortcut`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import norm

from keras_lime.curing.changes import LOST, Change, Outcome
from keras_lime.shortcut.results import Measurement, Status, TestResult

__all__ = ["Receipt", "make_receipt"]

_DOUBT = 0.025
"""Chance, over all measurements of a test, that one of them rises so much though nothing changed."""


@dataclass(frozen=True, eq=False)
class Receipt:
    """What a cure changed; print it.

    Attributes:
        changes: every measurement, before and after.
        before: results of the shortcut tests before.
        after: results after.
        outcome: what they say together.
        sentences: the same in words, with what could not be tested.
    """

    changes: tuple[Change, ...]
    before: tuple[TestResult, ...]
    after: tuple[TestResult, ...]
    outcome: Outcome
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        width = max((len(change.name) for change in self.changes), default=0)
        lines = [f"{'':<{width}}  {'before':>7}{'after':>7}  95 % interval of the difference"]
        for change in self.changes:
            outcome = change.outcome if change.decides else f"({change.outcome})"
            between = "" if math.isnan(change.low) else f"  {change.low:+.3f} to {change.high:+.3f}  {outcome}"
            lines.append(f"{change.name:<{width}}  {_shown(change.before):>7}{_shown(change.after):>7}{between}")
        return "\n".join([*lines, "", *self.sentences])


def make_receipt(changes: Sequence[Change], before: Sequence[TestResult], after: Sequence[TestResult]) -> Receipt:
    """Says what the changes mean together.

    The outcome goes by what predictions do on whole images: right or wrong on the validation set, right or wrong where
    the object stands before other classes' backgrounds, and hanging on a small thing or not. It is, the first of these
    that is so beyond doubt,

    - worse, if validation accuracy falls by more than two percentage points, or mistakes on other backgrounds rise;
    - "another shortcut grew", if a test raises an alarm that it did not raise before, and the number behind it rose;
    - better, if one of them improves.

    So few numbers decide that chance rarely does, each of them at 2.5 % on either side. How sure a model is of a bare
    background, and where its heatmaps lie, explains the outcome and does not decide it: a last layer that is surer of
    everything is surer of backgrounds too, while fewer of its predictions follow them.
    """
    deciding = [change for change in changes if change.decides]
    lost = [change for change in deciding if change.outcome is Outcome.WORSE]
    better = [change for change in deciding if change.outcome is Outcome.BETTER]
    grown = _grown(before, after, {change.test for change in better})
    gained = f"Better: {'; '.join(map(str, better))}."
    sentences = []
    if lost:
        outcome = Outcome.WORSE
        sentences.append(f"Worse: {'; '.join(map(str, lost))}.")
    elif grown:
        outcome = Outcome.ANOTHER_SHORTCUT
        sentences.append(f"Another shortcut grew: {' '.join(result.reason for result in grown)}")
    elif better:
        outcome = Outcome.BETTER
        sentences.append(gained)
    else:
        outcome = Outcome.NO_DIFFERENCE
        measured = any(change.n for change in changes)
        sentences.append(
            "No difference that these images could show."
            if measured
            else "Nothing was measured. Give `validation_data`, and `probes` with labels and masks."
        )
    if better and outcome is not Outcome.BETTER:
        sentences.append(f"All the same {gained[0].lower()}{gained[1:]}")
    sentences += [*_doubts(deciding, outcome), *_statuses(after, grown)]
    return Receipt(tuple(changes), tuple(before), tuple(after), outcome, tuple(sentences))


def _doubts(deciding: Sequence[Change], outcome: Outcome) -> list[str]:
    """What so few images cannot exclude."""
    found = []
    for change in deciding:
        if change.n == 0 or change.outcome is not Outcome.NO_DIFFERENCE:
            continue
        largest = max(-change.low, change.high)
        if math.isnan(largest):
            found.append(f"{change.name}: {change.n} images are too few to tell. Give more.")
        elif change.test is None and outcome is not Outcome.WORSE and -change.low > LOST:
            found.append(f"{change.name}: these {change.n} images do not exclude a loss of {-change.low:.2f}.")
        elif change.test is not None and outcome is Outcome.NO_DIFFERENCE and largest > 2 * change.negligible:
            found.append(f"{change.name}: {change.n} probes would not show changes below {largest:.2f}. Give more.")
    return found


def _statuses(after: Sequence[TestResult], grown: Sequence[TestResult]) -> list[str]:
    """Alarms that remain, and what was not tested."""
    alarms = [f"Still an alarm: {each.reason}" for each in after if each.status is Status.ALARM and each not in grown]
    return alarms + [
        f"{'Not tested' if each.status is Status.NOT_TESTED else 'Cannot say'}: {each.reason} {each.remedy}".rstrip()
        for each in after
        if each.status in (Status.NOT_TESTED, Status.CANNOT_SAY) and not each.stands_in
    ]


def _grown(before: Sequence[TestResult], after: Sequence[TestResult], improved: set[str | None]) -> list[TestResult]:
    """Tests that raise an alarm now and raised none before, by a number that rose beyond doubt.

    A number that was just below the threshold and is now just above it did not grow, and a test whose mistakes became
    fewer measures no other shortcut.
    """
    earlier = {result.test: result for result in before}
    found = []
    for result in after:
        known = earlier.get(result.test)
        silent = known is None or known.status is not Status.ALARM
        if result.status is Status.ALARM and silent and result.test not in improved:
            measured = {} if known is None else {each.key: each for each in known.measurements}
            if not result.measurements or _rose(result.measurements, measured):
                found.append(result)
    return found


def _rose(after: Sequence[Measurement], before: dict[tuple[str, int | None, str | None], Measurement]) -> bool:
    """Whether one that fires is higher than before, by so many errors that no number of the test would be by chance."""
    errors = float(norm.isf(_DOUBT / len(after)))
    for each in after:
        own = before.get(each.key)
        # What was not there to be measured was not read.
        value, error = (0.0, 0.0) if own is None or math.isnan(own.value) else (own.value, own.stderr)
        doubt = errors * math.hypot(*(0.0 if math.isnan(stderr) else stderr for stderr in (each.stderr, error)))
        if each.fires and each.value - value > doubt:
            return True
    return False


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
