"""The object share: how much of an explanation lies on the object. May import numpy and the core."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.explanation import Explanation

__all__ = ["ClassSummary", "Summary", "object_share", "summarise"]


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


def object_share(explanation: Explanation) -> NDArray[np.float64]:
    """Share of each target's positive weight that lies on the object.

    A superpixel counts by the fraction of it inside the object's mask: with weights w and fractions a the share is
    `sum(max(w, 0) · a) / sum(max(w, 0))`. Source: relevance mass accuracy of Arras et al. 2022, equation 1, over
    superpixels.

    Args:
        explanation: one with an `object_mask`.

    Returns:
        float64 array (n_targets,) in 0..1; NaN without a mask or without positive weight.
    """
    positive = np.maximum(explanation.fit.coef, 0.0)
    total = positive.sum(axis=1)
    if explanation.object_mask is None:
        return np.full(len(total), np.nan)
    inside = positive @ explanation.segmentation.share_inside(explanation.object_mask)
    share: NDArray[np.float64] = np.divide(inside, total, out=np.full(len(total), np.nan), where=total > 0)
    return share


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
        r2=_finite_mean([each.fit.r2[0] for each in explanations]),
        probability=_finite_mean([each.prediction[0] for each in explanations]),
        accuracy=_finite_mean(hits),
        object_share_stderr=_stderr(shares),
    )


def _finite_mean(values: Sequence[float]) -> float:
    finite = [float(value) for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def _stderr(values: Sequence[float]) -> float:
    finite = [float(value) for value in values if np.isfinite(value)]
    return float(np.std(finite, ddof=1) / np.sqrt(len(finite))) if len(finite) > 1 else float("nan")
