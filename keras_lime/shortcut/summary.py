"""One epoch's explanations in numbers, over all probes and by class. May import numpy and the core."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_lime.core.explanation import Explanation
from keras_lime.core.localisation import object_share
from keras_lime.core.shares import mean_stderr

__all__ = ["ClassSummary", "Summary", "summarise"]


@dataclass(frozen=True)
class ClassSummary:
    """Means over the probes of one class, NaN where none of them says anything.

    Attributes:
        object_share: share of the positive weight on the object, 0..1.
        object_chance: the share that weights spread evenly over the picture would have.
        r2: R² of the surrogates.
        probability: the model's probability of the first target (regression: its output).
        accuracy: share of the probes whose predicted class is their label.
        object_share_stderr: standard error of the mean object share over the probes; NaN for less than two.
    """

    object_share: float
    object_chance: float
    r2: float
    probability: float
    accuracy: float
    object_share_stderr: float = float("nan")


@dataclass(frozen=True)
class Summary:
    """One epoch's explanations in numbers.

    Attributes:
        overall: means over all probes.
        classes: means by true label, for labels that occur.
    """

    overall: ClassSummary
    classes: dict[int, ClassSummary]


def summarise(explanations: Sequence[Explanation]) -> Summary:
    """Averages the first target of each explanation: the true class where it is known and explained.

    Args:
        explanations: one epoch's, at least one.

    Returns:
        The `Summary`.
    """
    labels = sorted({explanation.label for explanation in explanations if explanation.label is not None})
    return Summary(
        overall=_mean(explanations),
        classes={label: _mean([each for each in explanations if each.label == label]) for label in labels},
    )


def _mean(explanations: Sequence[Explanation]) -> ClassSummary:
    masks = [each.object_mask for each in explanations]
    shares = [object_share(each)[0] for each in explanations]
    hits = [float(each.predicted == each.label) for each in explanations if each.label is not None]
    return ClassSummary(
        object_share=_finite_mean(shares),
        object_chance=_finite_mean([float(mask.mean()) for mask in masks if mask is not None]),
        r2=_finite_mean([each.r2[0] for each in explanations]),
        probability=_finite_mean([each.prediction[0] for each in explanations]),
        accuracy=_finite_mean(hits),
        object_share_stderr=_stderr(shares),
    )


def _finite_mean(values: Sequence[float]) -> float:
    finite = [float(value) for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _stderr(values: Sequence[float]) -> float:
    finite = [float(value) for value in values if np.isfinite(value)]
    return mean_stderr(finite)
