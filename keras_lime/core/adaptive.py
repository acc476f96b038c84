"""`num_samples="auto"`: scores in rounds, until every image's weights are sure enough. May import numpy and the core.

An image's perturbations are drawn once, as many as there may be at most, and each round scores the next of them: what
was scored stays, and another epoch of a training takes the same ones, as far as it takes them.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np

from keras_lime.core.plan import Plan
from keras_lime.core.sampling import block_size
from keras_lime.core.scores import Scorer, Scores
from keras_lime.core.surrogate import Fit

__all__ = ["Answer", "score_in_rounds"]

_GROWTH = 2.0
"""A round asks for no more than this many times the rows so far: the first estimates of an error are rough."""

_FALL = 1.5
"""Half of an error takes 2 to this many times the rows: fewer than independent ones, with the balanced design."""

_STEPS = 8
"""Stops per block after the first. Its rows come in pairs, and any number of pairs will do."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known of one image.

    Attributes:
        plan: its plan, with the perturbations that were scored and no others.
        scores: the model's answers to them.
        fit: the surrogates.
    """

    plan: Plan
    scores: Scores
    fit: Fit


def score_in_rounds(
    plans: Sequence[Plan],
    wanted: Sequence[Sequence[int | str]],
    scorer: Scorer,
    fit: Callable[[Plan, Scores], Fit],
    tolerance: float,
    told: Callable[[int], AbstractContextManager[object]],
) -> list[Answer]:
    """Scores, round by round, all images that are not sure enough yet, in shared batches.

    The first round is a block of the balanced design. The next end with an eighth of one, or with the last perturbation
    of the plan; how many they take follows from the error, but rows at most double. Of few superpixels all masks are
    there, none twice, and the error is zero after the last.

    Args:
        plans: one per image; each holds as many perturbations as may be scored.
        wanted: the targets of each image, see `Scorer`.
        scorer: the model.
        fit: scores → surrogates, with standard errors.
        tolerance: relative error that is small enough, for every target, see `_largest_error`.
        told: gives, for the position of an image, the context in which its scores are taken.

    Returns:
        One `Answer` per plan, in order.
    """
    answers: list[Answer | None] = [None] * len(plans)
    stops = {place: _first_stop(plan) for place, plan in enumerate(plans)}
    while stops:
        parts, targets = [], []
        for place, stop in stops.items():
            known = answers[place]
            start = 0 if known is None else len(known.plan.neighborhood.masks)
            parts.append(replace(plans[place], neighborhood=plans[place].neighborhood.rows(start, stop)))
            targets.append(wanted[place] if known is None else known.scores.targets)
        arriving = scorer(parts, targets)
        for place, stop in list(stops.items()):
            with told(place):
                scores = next(arriving)
            known, neighborhood = answers[place], plans[place].neighborhood
            taken = replace(plans[place], neighborhood=neighborhood.rows(0, stop))
            scores = scores if known is None else known.scores.joined(scores)
            answer = answers[place] = Answer(taken, scores, fit(taken, scores))
            error = _largest_error(answer.fit)
            if error <= tolerance or stop == len(neighborhood.masks):
                del stops[place]
            else:
                stops[place] = _next_stop(plans[place], stop, error / tolerance)
    return [answer for answer in answers if answer is not None]


def _first_stop(plan: Plan) -> int:
    neighborhood, block = plan.neighborhood, block_size(plan.segmentation.n_segments)
    # Without dummies nothing but all of the masks tells how sure the weights are: they are few.
    if neighborhood.enumerated and neighborhood.dummies is None:
        return len(neighborhood.masks)
    return min(len(neighborhood.masks), _unpaired(plan) + block)


def _next_stop(plan: Plan, stop: int, excess: float) -> int:
    rows, unpaired = len(plan.neighborhood.masks), _unpaired(plan)
    # Where all masks are there, the error falls to zero with them.
    least = 1 / rows if plan.neighborhood.enumerated else 0.0
    more = least + (1 / stop - least) / excess**_FALL
    needed: float = min(1 / max(more, 1e-9), _GROWTH * stop)
    step = block_size(plan.segmentation.n_segments) // _STEPS
    steps = max(math.ceil((needed - unpaired) / step), (stop - unpaired) // step + 1)
    return min(rows, unpaired + steps * step)


def _unpaired(plan: Plan) -> int:
    """Rows before the first block: the image itself, which is part of it where all masks are there."""
    return 0 if plan.neighborhood.enumerated else 1


def _largest_error(fit: Fit) -> float:
    """The least sure target's relative error; infinite where it is unknown, and where chance alone has such weights.

    The largest of d weights that are nothing but error is some sqrt(2 ln d) errors (Cramér 1946, section 28.6). This
    much of the largest weight's square is not counted: else few rows, with large errors, make themselves look small.
    """
    relative = fit.relative_error
    if relative is None:
        return math.inf
    chance = 2 * math.log(fit.coef.shape[1])
    squares = relative**2
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.sqrt(np.max(np.where(squares * chance < 1, squares / (1 - squares * chance), np.inf))))
