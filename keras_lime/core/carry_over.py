"""From one explained epoch to the next: half of the perturbations are scored, the others are estimated.

A model's answer to a mask says much about its answer an epoch later. From the second explained epoch on the model is
asked about another quarter of twice as many masks. `keras_lime.core.estimated` estimates the answers to the others, and
what it gets wrong on the quarter is put right for all by the design, so the weights tend to the same limit however
wrong the estimates are (regression estimator: Cochran 1977, chapter 7). The standard errors cover both parts. Where the
estimates leave too much open, all of `num_samples` are scored. May import numpy and the core.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.adaptive import Answer
from keras_lime.core.estimated import Estimates, estimate
from keras_lime.core.one_thread import one_thread
from keras_lime.core.phrases import count_of
from keras_lime.core.plan import Plan, longer
from keras_lime.core.sampling import block_size
from keras_lime.core.scores import Scorer, Scores
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import Fit, ridge_penalty

__all__ = ["CarryOver", "check_carry_over"]

_MOVED = 0.6
"""Share u of what linear weights leave over that may be news: at most 1.2 times the error of scoring all, for its
square is (1 − u) / 2 + 2u times as large. Twice the masks share the first part, half of them the second."""


def check_carry_over(settings: Settings) -> None:
    """Refuses settings with which nothing can be carried over.

    Raises:
        ValueError: naming the setting.
    """
    problem = None
    if settings.num_samples == "auto":
        problem = 'a fixed `num_samples`. Received: num_samples="auto"'
    elif settings.sampling != "balanced":
        problem = f"balanced masks. Received: sampling={settings.sampling!r}"
    elif settings.second_baseline is not None:
        problem = f"one baseline alone. Received: second_baseline={settings.second_baseline!r}"
    elif settings.surrogate is not None and ridge_penalty(settings.surrogate) is None:
        problem = f"ridge regression or least squares. Received: surrogate={settings.surrogate!r}"
    if problem is not None:
        raise ValueError(f"`carry_over` needs {problem}. Leave one of the two out.")


@dataclass(frozen=True, eq=False)
class _Memory:
    """What earlier epochs left of one image: what each target's answers are thought to be, and the next quarter."""

    answers: Mapping[int, NDArray[np.float64]]
    turn: int

    def earlier(self, targets: tuple[int, ...]) -> NDArray[np.float64]:
        """The answers (n_masks, n_targets); zeros, which say nothing, for a target that was not explained before."""
        nothing = np.zeros_like(next(iter(self.answers.values())))
        return np.stack([self.answers.get(target, nothing) for target in targets], axis=1)

    def after(self, estimates: Estimates, turn: int) -> "_Memory":
        """The memory of the next epoch."""
        return _Memory({**self.answers, **dict(zip(estimates.scores.targets, estimates.updated.T, strict=True))}, turn)


class CarryOver:
    """Scores the probes of one training, epoch by epoch.

    Args:
        settings: the explainer's, see `check_carry_over`.

    Attributes:
        sentence: how the probes were scored at the latest epoch, in words; None at the first.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pools: list[Plan | None] = []
        self._memories: list[_Memory | None] = []
        self.sentence: str | None = None

    def __call__(
        self,
        plans: Sequence[Plan],
        wanted: Sequence[Sequence[int | str]],
        scorer: Scorer,
        fit: Callable[[Plan, Scores], Fit],
        told: Callable[[int], AbstractContextManager[object]],
    ) -> list[Answer]:
        """Scores an epoch.

        Args:
            plans: the same at every epoch.
            wanted: the targets of each image, see `Scorer`.
            scorer: the model.
            fit: scores → surrogates.
            told: gives, for the position of an image, the context in which its scores are taken.

        Returns:
            One `Answer` per plan, in order. Where answers were carried over, its plan holds twice the masks, and its
            scores stand for the model's, see `Scores.asked`.
        """
        if not self._pools:
            self._pools = [_pool(plan, self._settings) for plan in plans]
            self._memories = [None] * len(plans)
        memories = list(self._memories)
        answers: dict[int, Answer] = {}
        again: dict[int, tuple[Plan, _Memory, Scores]] = {}
        arriving = scorer(
            [
                plan if pool is None or memory is None else _taken(pool, _quarter(pool, memory.turn))
                for plan, pool, memory in zip(plans, self._pools, memories, strict=True)
            ],
            wanted,
        )
        for place, (plan, pool, memory) in enumerate(zip(plans, self._pools, memories, strict=True)):
            with told(place):
                scores = next(arriving)
            if pool is None or memory is None:
                answers[place] = Answer(plan, scores, fit(plan, scores))
                if pool is not None:
                    rows = _half(pool, 0)
                    with one_thread():
                        memories[place] = _Memory({}, 0).after(estimate(pool, rows, scores.take(rows), None), 2)
                continue
            with one_thread():
                news = estimate(pool, _quarter(pool, memory.turn), scores, memory.earlier(scores.targets))
                moved = news.unexplained(pool.neighborhood).max() > _MOVED
                stand_in = None if moved else news.stand_in(pool.neighborhood)
            if stand_in is not None:
                answers[place] = Answer(pool, stand_in, fit(pool, stand_in))
                memories[place] = memory.after(news, (memory.turn + 1) % 4)
            else:
                again[place] = (pool, memory, scores)
        arriving = scorer(
            [_taken(pool, _rest(pool, memory.turn)) for pool, memory, _ in again.values()],
            [scores.targets for _, _, scores in again.values()],
        )
        for place, (pool, memory, scores) in again.items():
            with told(place):
                more = next(arriving)
            rows = _half(pool, memory.turn)
            order = np.argsort(np.concatenate([_quarter(pool, memory.turn), _rest(pool, memory.turn)]))
            scores = scores.joined(more).take(order)
            half = _taken(pool, rows)
            # By themselves they have the weights of any `num_samples` perturbations.
            weights = half.neighborhood.weights / pool.neighborhood.weights[0]
            half = replace(half, neighborhood=replace(half.neighborhood, weights=weights))
            answers[place] = Answer(half, scores, fit(half, scores))
            with one_thread():
                news = estimate(pool, rows, scores, memory.earlier(scores.targets))
            memories[place] = memory.after(news, 2 if memory.turn < 2 else 0)
        if any(memory is not None for memory in self._memories):
            few = sum(pool is None for pool in self._pools)
            self.sentence = _sentence(len(plans), len(again), few)
        self._memories = memories
        return [answers[place] for place in range(len(plans))]


def _pool(plan: Plan, settings: Settings) -> Plan | None:
    """The plan with twice the masks; None where a quarter of them is less than a block, or all are enumerated."""
    quarter = settings.most_samples // 2
    if quarter < block_size(plan.segmentation.n_segments):
        return None
    pool = longer(plan, settings, 4 * quarter)
    if plan.neighborhood.enumerated or pool.neighborhood.enumerated:
        return None
    # The ridge penalty means the same as it does for `num_samples`.
    weights = pool.neighborhood.weights * settings.most_samples / (4 * quarter)
    return replace(pool, neighborhood=replace(pool.neighborhood, weights=weights).kept())


def _quarter(pool: Plan, turn: int) -> NDArray[np.intp]:
    """The rows of a quarter: a whole block, or several, but for the last row, in whose place the image itself is."""
    size = len(pool.neighborhood.masks) // 4
    return np.append(0, np.arange(turn * size + 1, (turn + 1) * size))


def _half(pool: Plan, turn: int) -> NDArray[np.intp]:
    """The rows of the half that a quarter belongs to: a design of `num_samples`."""
    size = len(pool.neighborhood.masks) // 2
    return np.append(0, np.arange(turn // 2 * size + 1, (turn // 2 + 1) * size))


def _rest(pool: Plan, turn: int) -> NDArray[np.intp]:
    return np.setdiff1d(_half(pool, turn), _quarter(pool, turn))


def _taken(plan: Plan, rows: NDArray[np.intp]) -> Plan:
    return replace(plan, neighborhood=plan.neighborhood.take(rows))


def _sentence(probes: int, moved: int, few: int) -> str:
    """How many probes were scored in full, and why."""
    reasons = [
        f"{number} because {reason}"
        for number, reason in (
            (moved, "the model had moved too far"),
            (few, "`num_samples` is too small to be halved, or all perturbations are enumerated"),
        )
        if number
    ]
    said = (
        f"{probes - moved - few} of {count_of(probes, 'probe')} explained from half of the passes and earlier answers"
    )
    return f"{said}; in full: {', '.join(reasons)}." if reasons else f"{said}."
