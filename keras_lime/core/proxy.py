"""Weights adjusted by a proxy: the same passes, with the weights of several times as many masks.

The proxy of `keras_lime.core.estimated`, superpixels and pairs that touch in log-odds, is fitted to the scores that are
there and estimates the answers to more masks of the same design. What it gets wrong on the scored masks is put right
for all by the design, so the weights tend to the same limit however wrong the proxy is (regression-adjusted Monte
Carlo; regression estimator: Cochran 1977, chapter 7). The standard errors cover both parts. No model call is made. May
import numpy and the core.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from keras_lime.core.estimated import estimate
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.plan import Plan
from keras_lime.core.sampling import block_size, pool_size
from keras_lime.core.scores import Scores
from keras_lime.core.surrogate import Fit, fit_surrogate, unresolved

__all__ = ["adjusted_fit"]


def adjusted_fit(plan: Plan, scores: Scores, surrogate: Any, scale: str) -> Fit:
    """The surrogates of the scores, with the weights and standard errors that the proxy allows.

    R² stays that of the scored masks.

    Args:
        plan: its `pool` begins with the scored masks.
        scores: the model's answers to `plan.neighborhood`.
        surrogate: see `fit_surrogate`; ridge regression or least squares.
        scale: `"probability"` or `"logit"`.

    Returns:
        The `Fit`; that of the scores alone where the plan has no pool, of less than a block of
        them, and where the scores stand for the model's already.
    """
    logit = scale == "logit"
    values = scores.log_odds if logit else scores.values
    plain, rows = fit_surrogate(plan.neighborhood, values, surrogate), len(values)
    # Of less than a block the proxy fits the noise, and the errors that it leaves would claim too little.
    few = rows < block_size(plan.segmentation.n_segments)
    if plan.pool is None or plain.stderr is None or scores.asked is not None or few:
        return plain
    pool = _weighted(plan.pool.rows(0, pool_size(rows)), rows)
    estimates = estimate(replace(plan, neighborhood=pool), np.arange(rows), scores, None)
    stand_in = estimates.stand_in(pool)
    better = fit_surrogate(pool, stand_in.log_odds if logit else stand_in.values, surrogate)
    if better.stderr is None:
        return plain
    still = unresolved(values)
    return replace(
        plain,
        coef=np.where(still[:, None], plain.coef, better.coef),
        intercept=np.where(still, plain.intercept, better.intercept),
        local_prediction=np.where(still, plain.local_prediction, better.local_prediction),
        stderr=np.where(still[:, None], plain.stderr, better.stderr),
    )


def _weighted(pool: Neighborhood, rows: int) -> Neighborhood:
    """The ridge penalty means the same as it does for so many rows."""
    return replace(pool, weights=pool.weights * rows / len(pool.weights))
