"""Outcomes → Markdown: rates with Wilson bounds, tuning and set-aside worlds apart."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy.stats import spearmanr
from trial import MATERIALS, Outcome

__all__ = ["table", "wilson"]

_Z = 1.96


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Bounds of a share, 95 % (Wilson 1927)."""
    if n == 0:
        return 0.0, 1.0
    share, spread = hits / n, _Z**2 / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def table(outcomes: Sequence[Outcome]) -> str:
    """The findings as Markdown."""
    lines = []
    for title, aside in (("Worlds set aside", True), ("Worlds for tuning", False)):
        chosen = [each for each in outcomes if each.set_aside == aside]
        if chosen:
            lines += [f"## {title}", "", *_rates(chosen), "", *_agreement(chosen), ""]
    seconds = sum(each.seconds for each in outcomes)
    lines.append(f"{len(outcomes)} networks, {seconds / 60:.0f} minutes of CPU time.")
    return "\n".join(lines) + "\n"


def _rates(outcomes: Sequence[Outcome]) -> list[str]:
    lines = [f"| networks with an alarm | {' | '.join(MATERIALS)} |", f"|---|{'---|' * len(MATERIALS)}"]
    for when, title in (("late", "at the last epoch"), ("early", "at the second epoch that counts")):
        for name, belongs in _groups("reliance" if when == "late" else "early_reliance"):
            members = [each for each in outcomes if belongs(each)]
            if members:
                cells = [_cell([bool(getattr(each, when).get(kind)) for each in members]) for kind in MATERIALS]
                lines.append(f"| {name}, {title} | {' | '.join(cells)} |")
    return lines


def _groups(reliance: str) -> list[tuple[str, Callable[[Outcome], bool]]]:
    """Name and test of each group of networks, by the reliance that they have at the epoch in question."""

    def within(kind: Callable[[Outcome], bool], low: float, high: float = math.inf) -> Callable[[Outcome], bool]:
        return lambda each: kind(each) and low <= getattr(each, reliance) < high

    marker, capture = (partial(_is, kind=kind) for kind in ("marker", "capture"))
    return [
        ("clean, false alarms", lambda each: each.clean),
        ("… held-out accuracy at most .7", lambda each: each.clean and each.accuracy <= 0.7),
        ("background, reliance of .5 and more", within(_background, 0.5)),
        ("… of .3 to .5", within(_background, 0.3, 0.5)),
        ("… of .1 to .3", within(_background, 0.1, 0.3)),
        ("marker, reliance of .5 and more", within(marker, 0.5)),
        ("… of .3 to .5", within(marker, 0.3, 0.5)),
        ("way of taking the image, reliance of .3 and more", within(capture, 0.3)),
    ]


def _background(outcome: Outcome) -> bool:
    return not outcome.clean and outcome.kind in ("scene", "texture")


def _is(outcome: Outcome, kind: str) -> bool:
    return not outcome.clean and outcome.kind == kind


def _cell(alarms: Sequence[bool]) -> str:
    low, high = wilson(sum(alarms), len(alarms))
    return f"{sum(alarms)} of {len(alarms)} ({100 * low:.0f}–{100 * high:.0f} %)"


def _agreement(outcomes: Sequence[Outcome]) -> list[str]:
    """How the score agrees with the truth, over clean networks and those with a background."""
    lines = []
    for kind in MATERIALS:
        pairs = [
            (each.reliance, each.scores[kind])
            for each in outcomes
            if (each.clean or _background(each)) and math.isfinite(each.scores.get(kind, math.nan))
        ]
        if len(pairs) > 2:
            truth, score = np.array(pairs).T
            rank, error = float(spearmanr(truth, score).statistic), float(np.abs(truth - score).mean())
            lines.append(f"- {kind}: Spearman {rank:.2f}, mean error {error:.2f}, {len(pairs)} networks.")
    return lines
