"""Numbers in sentences: one style for counts, numbers, shares and their errors. Standard library alone.

The page has the same style in `frontend/src/model/numbers.ts`.
"""

import math
from collections.abc import Sequence

__all__ = ["count_of", "listing", "number", "percent", "points"]

NOTHING = "–"
"""In place of a number that is unknown."""


def count_of(count: int, noun: str, plural: str | None = None) -> str:
    """`"1 probe"`, `"3 probes"`, `"2,000 probes"`.

    Args:
        count: how many.
        noun: of one.
        plural: of several. Defaults to `None`, `noun` with an s.
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def number(value: float | None, error: float | None = None, digits: int = 2) -> str:
    """`"0.71"`, `"0.71 ± 0.06"`; a dash for what is unknown.

    Args:
        value: the number; None and NaN are unknown.
        error: its standard error; None, NaN and infinity are left out.
        digits: after the point. Defaults to `2`.
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    spread = "" if error is None or not math.isfinite(error) else f" ± {error:.{digits}f}"
    return f"{value:.{digits}f}{spread}"


def percent(share: float | None, error: float | None = None) -> str:
    """`"71 %"`, `"71 ± 6 %"`, `"less than 1 %"`: never 0 or 100 for what is not; a dash for what is unknown.

    Args:
        share: 0..1; None and NaN are unknown.
        error: its standard error; None, NaN and infinity are left out.
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    if error is not None and math.isfinite(error):
        digits = 0 if error >= 0.01 or error == 0 else 1
        return f"{100 * share:.{digits}f} ± {100 * error:.{digits}f} %"
    if 0 < share < 0.01:
        return "less than 1 %"
    if 0.99 < share < 1:
        return "more than 99 %"
    return f"{100 * share:.0f} %"


def points(difference: float | None) -> str:
    """`"+42 points"`, `"−3 points"`: a difference of shares in percentage points; a dash for what is unknown."""
    if difference is None or not math.isfinite(difference):
        return NOTHING
    rounded = round(100 * difference)
    return f"{'−' if rounded < 0 else '+'}{abs(rounded)} points"


def listing(things: Sequence[object], at_most: int = 5) -> str:
    """`"4, 7 and 9"`, `"4, 7, 9 and 12 more"`.

    Args:
        things: any number.
        at_most: how many are named. Defaults to `5`.
    """
    named = [str(thing) for thing in things[:at_most]]
    if len(things) > at_most:
        named.append(f"{len(things) - at_most} more")
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}" if named else ""
