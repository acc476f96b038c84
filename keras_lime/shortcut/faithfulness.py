"""How good the explanations themselves are: deletion and insertion.

May import numpy and the core; gets a scorer and runs it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.explanation import Explanation
from keras_lime.core.model_input import ModelInput
from keras_lime.core.plan import Plan
from keras_lime.core.scores import ImageScorer

__all__ = ["deletion_insertion"]

_STEPS = 10


def deletion_insertion(
    plans: Sequence[Plan], explanations: Sequence[Explanation], scorer: ImageScorer
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Areas under the deletion and insertion curves of the first target (Petsiuk et al. 2018), over superpixels.

    By falling weight the superpixels are hidden, or shown from nothing, in ten steps; hidden ones show the plan's
    baseline.

    Args:
        plans: n plans.
        explanations: theirs.
        scorer: the model.

    Returns:
        Mean probability over the curve when deleting (low is good) and when inserting (high is good), (n,) each.
    """
    scores = scorer.score_images(_curves(plans, explanations)).reshape(len(plans), 2, _STEPS + 1, -1)
    targets = np.array([each.targets[0] for each in explanations])
    shown = np.take_along_axis(scores, targets[:, None, None, None], axis=3)[..., 0]
    areas = ((shown[..., 1:] + shown[..., :-1]) / 2).mean(axis=2)
    return areas[:, 0], areas[:, 1]


def _curves(plans: Sequence[Plan], explanations: Sequence[Explanation]) -> Iterator[NDArray[np.float32] | ModelInput]:
    for plan, explanation in zip(plans, explanations, strict=True):
        ranks = np.empty(plan.segmentation.n_segments)
        ranks[np.argsort(-explanation.fit.coef[0], kind="stable")] = np.arange(len(ranks))
        for inserting in (False, True):
            for step in range(_STEPS + 1):
                first = ranks < step / _STEPS * len(ranks)
                visible = (first if inserting else ~first)[plan.segmentation.labels][..., None]
                picture = np.where(visible, plan.pixels, plan.baseline).reshape(plan.image.shape)
                yield ModelInput(picture, plan.inputs) if plan.inputs else picture
