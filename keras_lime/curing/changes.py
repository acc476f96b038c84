"""One measurement before and after a cure, on the same images, with the interval of its change.

May import numpy, SciPy and the core.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap, norm
from scipy.stats import t as student

from keras_lime.core.phrases import number

__all__ = ["LOST", "Change", "Outcome", "compare"]

_CONFIDENCE = 0.95
_RESAMPLES = 2000

_LEAST_PAIRS = 6
"""Fewer images cannot differ beyond doubt: five that all change alike do so by chance in one case of 16."""

LOST = 0.02
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
        low: lower end of the 95 % interval of `after - before`, by a bootstrap over the images; NaN if unknown, as for
            five images and fewer.
        high: its upper end.
        more_is_better: whether a higher value is a better one.
        n: number of images.
        decides: whether the receipt's outcome goes by it; else it explains.
    """

    name: str
    test: str | None
    before: float
    after: float
    low: float
    high: float
    more_is_better: bool
    n: int
    decides: bool = True

    @property
    def negligible(self) -> float:
        """A change below this is none."""
        return LOST if self.test is None else _NEGLIGIBLE

    @property
    def outcome(self) -> Outcome:
        """Better or worse where the interval leaves out zero, and the change is large enough to speak of.

        A shortcut that is as good as absent before and after did not change, whatever its number did.
        """
        absent = not self.more_is_better and max(self.before, self.after) < self.negligible
        if absent or not (self.low > 0 or self.high < 0) or abs(self.after - self.before) < self.negligible:
            return Outcome.NO_DIFFERENCE
        return Outcome.BETTER if (self.low > 0) == self.more_is_better else Outcome.WORSE

    def __str__(self) -> str:
        if not math.isfinite(self.before) or not math.isfinite(self.after):
            return f"{self.name}: not measured"
        between = f" (difference {self.low:+.2f} to {self.high:+.2f})" if self.low == self.low else ""
        return f"{self.name}: {number(self.before)} → {number(self.after)}{between}"


def compare(
    name: str,
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    *,
    more_is_better: bool,
    test: str | None = None,
    decides: bool = True,
    seed: int = 0,
) -> Change:
    """A measurement of the same images before and after.

    Args:
        name: what was measured, for people.
        before: a value per image, (n,), NaN where there is none.
        after: the same images' values.
        more_is_better: whether a higher value is a better one.
        test: the shortcut test that it belongs to. Defaults to `None`.
        decides: whether the receipt's outcome goes by it. Defaults to `True`.
        seed: of the bootstrap. Defaults to `0`.

    Returns:
        The `Change`, with the percentile interval of the mean difference over 2,000 resamples of the images (Efron &
        Tibshirani 1993, chapter 13), widened for few images as Student's interval is (Hesterberg 2015, "What Teachers
        Should Know About the Bootstrap", section 5.3).
    """
    known = np.isfinite(before) & np.isfinite(after)
    count = int(known.sum())
    if count == 0:
        nan = float("nan")
        return Change(name, test, nan, nan, nan, nan, more_is_better, 0, decides)
    low, high = _interval((after - before)[known], seed)
    means = float(before[known].mean()), float(after[known].mean())
    return Change(name, test, *means, low, high, more_is_better, count, decides)


def _interval(differences: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """Of the mean difference; NaN where the images are too few to be sure of anything."""
    if np.ptp(differences) == 0 and (len(differences) >= _LEAST_PAIRS or differences[0] == 0):
        return float(differences[0]), float(differences[0])
    count = len(differences)
    if count < _LEAST_PAIRS:
        return float("nan"), float("nan")
    tail = float(norm.cdf(-math.sqrt(count / (count - 1)) * student.isf((1 - _CONFIDENCE) / 2, count - 1)))
    found = bootstrap(
        (differences,),
        np.mean,
        confidence_level=1 - 2 * tail,
        n_resamples=_RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)
