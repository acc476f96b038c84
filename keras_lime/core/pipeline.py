"""Plans + scorer → explanations. May import numpy, scikit-learn and the core."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, Ridge

from keras_lime.core.adaptive import Answer, score_in_rounds
from keras_lime.core.carry_over import CarryOver
from keras_lime.core.explanation import Explanation
from keras_lime.core.one_thread import one_thread
from keras_lime.core.plan import Plan
from keras_lime.core.proxy import adjusted_fit
from keras_lime.core.scores import Scorer, Scores
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import Fit, fit_surrogate

__all__ = ["Subject", "SubjectError", "check_classes", "explain_plans", "fit_log_odds"]


class SubjectError(ValueError):
    """What is wrong with one image, its title before it.

    Attributes:
        position: place of the image among those that were to be explained.
    """

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position

    def __reduce__(self) -> tuple[Any, ...]:
        """Keeps the position when it is sent to another process."""
        return type(self), (str(self), self.position)


@dataclass(frozen=True, eq=False)
class Subject:
    """What is known about an image beside its pixels.

    Attributes:
        title: how messages call it, such as `image 3` or `probe 'stop · 1a2b'`.
        label: true label.
        name: the probe's name.
        object_mask: bool array (h, w), True on the object.
        classes: true classes of an image that has several; `label` is None then.
    """

    title: str
    label: int | None = None
    name: str | None = None
    object_mask: NDArray[np.bool_] | None = None
    classes: tuple[int, ...] = ()


def explain_plans(
    plans: Sequence[Plan],
    subjects: Sequence[Subject],
    scorer: Scorer,
    settings: Settings,
    *,
    class_names: tuple[str, ...] | None = None,
    step: int | None = None,
    carry_over: CarryOver | None = None,
) -> Iterator[Explanation]:
    """Scores all plans in shared batches and fits each image's surrogates as soon as its scores are there.

    With `num_samples="auto"` that is when all images are sure enough, see `keras_lime.core.adaptive`. With a second
    baseline the same perturbations are scored twice; nothing else costs a model call.

    Args:
        plans: one per image.
        subjects: one per image.
        scorer: the model.
        settings: those that made the plans.
        class_names: names of the outputs.
        step: the epoch.
        carry_over: what earlier epochs left of the same plans; it takes up this one. Defaults to `None`, each epoch is
            explained by itself.

    Returns:
        Iterator over one `Explanation` per plan, in order.

    Raises:
        ValueError: what `check_classes` raises.
        SubjectError: a `ValueError`, for what the scorer says of one image.
    """
    check_classes(scorer, subjects, class_names)
    description: dict[str, Any] = settings.describe()
    wanted = [settings.wanted(subject.label, subject.classes) for subject in subjects]
    answers: Iterator[Answer]

    def told(place: int) -> AbstractContextManager[object]:
        return _titled(subjects[place], place)

    def fit(plan: Plan, scores: Scores) -> Fit:
        return _fit(plan, scores, settings)

    if carry_over is not None:
        settled = carry_over(plans, wanted, scorer, fit, told)
        answers = iter(settled)
    elif settings.num_samples == "auto":
        settled = score_in_rounds(plans, wanted, scorer, fit, settings.tolerance, told)
        # The second baseline gets the same perturbations and no others.
        plans, answers = [answer.plan for answer in settled], iter(settled)
    else:
        answers = (
            Answer(plan, scores, fit(plan, scores)) for plan, scores in zip(plans, scorer(plans, wanted), strict=True)
        )
    others = [replace(plan, baseline=plan.second_baseline) for plan in plans if plan.second_baseline is not None]
    second_answers = scorer(others, wanted) if others else None
    for place, subject in enumerate(subjects):
        with told(place):
            answer = next(answers)
            second = None if second_answers is None else next(second_answers)
        with one_thread():
            explanation = Explanation.assemble(
                answer.plan,
                answer.scores,
                answer.fit,
                second=None if second is None else fit(answer.plan, second),
                settings=description,
                class_names=class_names,
                label=subject.label,
                name=subject.name,
                step=step,
                object_mask=subject.object_mask,
            )
        yield explanation


@contextmanager
def _titled(subject: Subject, position: int) -> Iterator[None]:
    """Puts the image's title before what is wrong with it."""
    try:
        yield
    except ValueError as error:
        raise SubjectError(f"{subject.title}: {error}", position) from error


def _fit(plan: Plan, scores: Scores, settings: Settings) -> Fit:
    with one_thread():
        return adjusted_fit(plan, scores, settings.surrogate, settings.scale)


def fit_log_odds(explanation: Explanation) -> Fit | None:
    """The same surrogate of the log-odds, from the answers that are there: no model call is made.

    A probability next to 0 or 1 hardly moves, whatever is hidden; its log-odds do, and rank the superpixels.

    Args:
        explanation: one that knows its perturbations.

    Returns:
        The `Fit`; None for a regression, an explanation that is of the log-odds itself, one without its perturbations,
        and a surrogate that is neither ridge regression nor least squares.
    """
    neighborhood, scores, alpha = explanation.neighborhood, explanation.scores, explanation.fit.alpha
    of_probability = explanation.predicted is not None and explanation.settings.get("scale") != "logit"
    if not of_probability or neighborhood is None or scores is None or alpha is None:
        return None
    surrogate = None if alpha == 1.0 else Ridge(alpha=alpha) if alpha else LinearRegression()
    with one_thread():
        return fit_surrogate(neighborhood, scores.log_odds, surrogate)


def check_classes(scorer: Scorer, subjects: Sequence[Subject], class_names: tuple[str, ...] | None) -> None:
    """Refuses labels and names that do not fit the model's outputs, where their number is known.

    Raises:
        ValueError: if a label is out of range, or there is not one name per output.
    """
    outputs = scorer.n_outputs
    if outputs is None:
        return
    for subject in subjects:
        labels = subject.classes if subject.label is None else (subject.label,)
        if labels and max(labels) >= outputs:
            raise ValueError(
                f"The true label of each image must be below the model's {outputs} outputs. Received: label="
                f"{max(labels)} for {subject.title}. For regression, leave labels out."
            )
    if class_names is not None and len(class_names) != outputs:
        raise ValueError(
            f"`class_names` must hold one name for each of the model's {outputs} outputs. "
            f"Received: {len(class_names)} names, {list(class_names[:5])}. Pass the names of the outputs, in their "
            "order; a data set whose labels were changed on the way may still know the old ones."
        )
