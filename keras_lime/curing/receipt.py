"""The receipt of a cure: the same measurements before and after, on the same images, and what they say together.

A cure for one shortcut can feed another (Li et al. 2023, "A Whac-A-Mole Dilemma"), so every shortcut test there is runs
on both models. May import numpy, SciPy, the core and `shortcut`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from keras_lime.core.phrases import number
from keras_lime.shortcut.results import Status, TestResult

__all__ = ["Change", "Outcome", "Receipt", "compare", "make_receipt"]

_CONFIDENCE = 0.95
_RESAMPLES = 2000

_LOST = 0.02
"""Validation accuracy that a cure may cost before it counts as a loss."""

_NEGLIGIBLE = 0.05
"""Changes of a shortcut test below this count for nothing, however sure they are."""


class Outcome(StrEnum):
    """What a receipt says."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    ANOTHER_SHORTCUT = "another shortcut grew"


@dataclass(frozen=True)
class Change:
    """One measurement before and after, over the same images.

    Attributes:
        name: what was measured, for people.
        test: the shortcut test that it belongs to, or None.
        before: mean before, NaN where it cannot be measured.
        after: mean after.
        low: lower end of the 95 % interval of `after - before`, by a bootstrap over the images; NaN if unknown.
        high: its upper end.
        more_is_better: whether a higher value is a better one.
        n: number of images.
    """

    name: str
    test: str | None
    before: float
    after: float
    low: float
    high: float
    more_is_better: bool
    n: int

    @property
    def outcome(self) -> Outcome:
        """Better or worse where the interval leaves out zero, and the change is large enough to speak of.

        A shortcut that is as good as absent before and after did not change, whatever its number did.
        """
        negligible = _LOST if self.test is None else _NEGLIGIBLE
        absent = not self.more_is_better and max(self.before, self.after) < negligible
        if absent or not (self.low > 0 or self.high < 0) or abs(self.after - self.before) < negligible:
            return Outcome.NO_DIFFERENCE
        return Outcome.BETTER if (self.low > 0) == self.more_is_better else Outcome.WORSE

    def __str__(self) -> str:
        if not math.isfinite(self.before) or not math.isfinite(self.after):
            return f"{self.name}: not measured"
        between = f" (difference {self.low:+.2f} to {self.high:+.2f})" if self.low == self.low else ""
        return f"{self.name}: {number(self.before)} → {number(self.after)}{between}"


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
            between = "" if math.isnan(change.low) else f"  {change.low:+.3f} to {change.high:+.3f}  {change.outcome}"
            lines.append(f"{change.name:<{width}}  {_shown(change.before):>7}{_shown(change.after):>7}{between}")
        return "\n".join([*lines, "", *self.sentences])


def compare(
    name: str,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    *,
    more_is_better: bool,
    test: str | None = None,
    seed: int = 0,
) -> Change:
    """A measurement of the same images before and after.

    Args:
        name: what was measured, for people.
        before: a value per image, (n,), NaN where there is none.
        after: the same images' values.
        more_is_better: whether a higher value is a better one.
        test: the shortcut test that it belongs to. Defaults to `None`.
        seed: of the bootstrap. Defaults to `0`.

    Returns:
        The `Change`, with the percentile interval of the mean difference over 2,000 resamples of the images (Efron &
        Tibshirani 1993, chapter 13).
    """
    known = np.isfinite(before) & np.isfinite(after)
    count = int(known.sum())
    if count == 0:
        nan = float("nan")
        return Change(name, test, nan, nan, nan, nan, more_is_better, 0)
    differences = (after - before)[known]
    low = high = float("nan")
    if count > 1:
        if np.ptp(differences) == 0:
            low = high = float(differences[0])
        else:
            found = bootstrap(
                (differences,),
                np.mean,
                confidence_level=_CONFIDENCE,
                n_resamples=_RESAMPLES,
                method="percentile",
                rng=np.random.default_rng(seed),
            ).confidence_interval
            low, high = float(found.low), float(found.high)
    return Change(name, test, float(before[known].mean()), float(after[known].mean()), low, high, more_is_better, count)


def make_receipt(changes: Sequence[Change], before: Sequence[TestResult], after: Sequence[TestResult]) -> Receipt:
    """Says what the changes mean together.

    A cure is better if a shortcut test improves and nothing is lost; worse if validation accuracy falls beyond doubt by
    more than two percentage points, or a number of a test gets worse beyond doubt without raising an alarm and no other
    of its numbers gets better; "another shortcut grew" if a test raises an alarm that it did not raise before.
    """
    accuracy = [change for change in changes if change.test is None and change.more_is_better]
    tests = [change for change in changes if change.test is not None]
    grown = _grown(before, after)
    lost = [change for change in accuracy if change.outcome is Outcome.WORSE]
    improved = {change.test for change in tests if change.outcome is Outcome.BETTER}
    # Numbers of one test that contradict each other say nothing: a head that is surer of everything is surer of bare
    # backgrounds too, while fewer of its predictions follow them.
    worse = [change for change in tests if change.outcome is Outcome.WORSE and change.test not in improved]
    better = [change for change in [*tests, *accuracy] if change.outcome is Outcome.BETTER]
    sentences = []
    if grown:
        outcome = Outcome.ANOTHER_SHORTCUT
        sentences.append(f"Another shortcut grew: {' '.join(result.reason for result in grown)}")
    elif lost or worse:
        outcome = Outcome.WORSE
        sentences.append(f"Worse: {'; '.join(map(str, lost or worse))}.")
    elif better:
        outcome = Outcome.BETTER
        sentences.append(f"Better: {'; '.join(map(str, better))}.")
    else:
        outcome = Outcome.NO_DIFFERENCE
        sentences.append("No difference that these images could show.")
    sentences += [
        f"Still an alarm: {each.reason}" for each in after if each.status is Status.ALARM and each not in grown
    ]
    sentences += [
        f"{'Not tested' if each.status is Status.NOT_TESTED else 'Cannot say'}: {each.reason} {each.remedy}".rstrip()
        for each in after
        if each.status in (Status.NOT_TESTED, Status.CANNOT_SAY) and not each.stands_in
    ]
    return Receipt(tuple(changes), tuple(before), tuple(after), outcome, tuple(sentences))


def _grown(before: Sequence[TestResult], after: Sequence[TestResult]) -> list[TestResult]:
    """Tests that raise an alarm now, and raised none before."""
    loud = {result.test for result in before if result.status is Status.ALARM}
    return [result for result in after if result.status is Status.ALARM and result.test not in loud]


def _shown(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
