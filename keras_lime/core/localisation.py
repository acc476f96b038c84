"""How much of an explanation lies on the object: object share, pointing game, relevance rank.

May import numpy and the core.
"""

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.explanation import Explanation

__all__ = ["object_share", "pointing_game", "relevance_rank"]


def object_share(explanation: Explanation) -> NDArray[np.float64]:
    """Share of each target's positive weight that lies on the object.

    A superpixel counts by the fraction of it inside the object's mask: with weights w and fractions a the share is
    `sum(max(w, 0) · a) / sum(max(w, 0))`. Source: relevance mass accuracy of Arras et al. 2022, equation 1, over
    superpixels.

    Args:
        explanation: one with an `object_mask`.

    Returns:
        float64 array (n_targets,) in 0..1; NaN without a mask, without positive weight, and where the scores
        do not move.
    """
    positive = np.maximum(explanation.fit.coef, 0.0)
    total = positive.sum(axis=1)
    if explanation.object_mask is None:
        return np.full(len(total), np.nan)
    # What does not move has no R², and weights that are noise lie on the object by chance.
    total = np.where(np.isnan(explanation.fit.r2), 0.0, total)
    inside = positive @ explanation.segmentation.share_inside(explanation.object_mask)
    share: NDArray[np.float64] = np.divide(inside, total, out=np.full(len(total), np.nan), where=total > 0)
    return share


def pointing_game(explanation: Explanation, target: int = 0) -> float:
    """Whether the most relevant superpixel lies on the object, by its share inside the mask.

    After Zhang et al. 2016, who look at the most relevant pixel: of a superpixel every pixel is.

    Args:
        explanation: one with an `object_mask`.
        target: position among its targets. Defaults to `0`.

    Returns:
        0..1; NaN without a mask, where it covers nothing, and where the scores do not move.
    """
    mask = explanation.object_mask
    if mask is None or not mask.any() or np.isnan(explanation.fit.r2[target]):
        return float("nan")
    return float(explanation.segmentation.share_inside(mask)[int(explanation.fit.coef[target].argmax())])


def relevance_rank(explanation: Explanation, target: int = 0) -> float:
    """Share of the K most relevant pixels that lie on the object, K being the pixels of the object.

    Relevance rank accuracy of Arras et al. 2022, equation 2, over superpixels: they are taken whole by falling weight,
    the last one in part.

    Args:
        explanation: one with an `object_mask`.
        target: position among its targets. Defaults to `0`.

    Returns:
        0..1; NaN without a mask, where it covers nothing, and where the scores do not move.
    """
    mask = explanation.object_mask
    if mask is None or not mask.any() or np.isnan(explanation.fit.r2[target]):
        return float("nan")
    order = np.argsort(-explanation.fit.coef[target], kind="stable")
    areas = explanation.segmentation.areas[order].astype(np.float64)
    wanted = float(mask.sum())
    before = np.concatenate([[0.0], areas.cumsum()[:-1]])
    taken = np.clip(wanted - before, 0, areas)
    return float(taken @ explanation.segmentation.share_inside(mask)[order] / wanted)
