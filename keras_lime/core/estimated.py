"""Answers to masks that were not scored, estimated from those that were and from earlier epochs' answers to all.

The estimate is a sum of superpixels, of pairs of them that touch, and of the earlier answer, fitted to log-odds by
ridge regression (of a regression's outputs to these themselves): a probability that saturates makes all superpixels act
together, and its log-odds do not. May import numpy and the core.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtri

from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.plan import Plan
from keras_lime.core.ridge import design_matrix, influence_matrix
from keras_lime.core.scores import Scores

__all__ = ["Estimates", "estimate"]

_ALONE, _PAIRS, _EARLIER = 0.01, 5.0, 0.01
"""Ridge penalties of a superpixel, a pair and the earlier answer. What is linear is put right by the design anyway."""

_NEGLIGIBLE = 1e-3
"""News of this share of the range of the scores is none: single precision makes some, and the penalties do."""

_LARGEST = 14.0
"""Log-odds beyond are not followed: single precision knows no more of a probability near 1."""


@dataclass(frozen=True, eq=False)
class Estimates:
    """What the model is thought to answer to every mask of a plan.

    Attributes:
        log_odds: float64 array (n_masks, n_targets); for regression the outputs.
        rows: int array (n_scored,), the masks that were scored, row 0 first.
        scores: the model's answers to them.
        freedom: float64 array (n_targets,): share of a scored answer's news that the fit leaves in its residual.
    """

    log_odds: NDArray[np.float64]
    rows: NDArray[np.intp]
    scores: Scores
    freedom: NDArray[np.float64]

    @property
    def updated(self) -> NDArray[np.float64]:
        """The estimates with the scored answers in their places, like `log_odds`."""
        known = self.log_odds.copy()
        known[self.rows] = _working(self.scores)
        return known

    def unexplained(self, neighborhood: Neighborhood) -> NDArray[np.float64]:
        """How much of what linear weights leave over is news, (n_targets,): 0 none, 1 all of it.

        Args:
            neighborhood: the plan's, all masks.
        """
        scored = neighborhood.take(self.rows)
        design = design_matrix(scored.masks)
        influence = influence_matrix(design, scored.weights, 1e-9)
        shares = []
        for values in (self.scores.values, self.scores.values - self._values()[self.rows]):
            left = values - design @ (influence @ values)
            shares.append(scored.weights @ left**2)
        whole, news = shares
        negligible = scored.weights.sum() * (_NEGLIGIBLE * np.ptp(self.scores.values, axis=0)) ** 2
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(news <= negligible, 0.0, news / self.freedom / whole)

    def stand_in(self, neighborhood: Neighborhood) -> Scores:
        """Scores of all masks, of which every fit gives the weights of the estimates, corrected by what was scored.

        The linear part of what the estimates get wrong on the scored masks is added to all. The rest of it, which no
        weight takes up, stays on the scored masks, enlarged so that it counts in errors as much as if all were scored.

        Args:
            neighborhood: the plan's, all masks.
        """
        scores, n_targets = self.scores, self.log_odds.shape[1]
        asked = np.zeros(len(self.log_odds), dtype=bool)
        asked[self.rows] = True
        corrected = self._corrected(
            neighborhood,
            np.concatenate([self._values(), self.log_odds], axis=1),
            np.concatenate([scores.values, _working(scores)], axis=1),
        )
        values, log_odds = corrected[:, :n_targets], corrected[:, n_targets:]
        return replace(scores, values=values, log_odds=log_odds, saturated=None, asked=asked)

    def _values(self) -> NDArray[np.float64]:
        """The estimates on the scale of the scores."""
        if self.scores.predicted is None:
            return self.log_odds
        return np.asarray(1 / (1 + np.exp(-self.log_odds)))

    def _corrected(
        self, neighborhood: Neighborhood, estimates: NDArray[np.float64], answers: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        rows = self.rows
        times = (len(estimates) - 1) / (len(rows) - 1)
        wrong = answers - estimates[rows]
        # Row 0 is scored at every epoch and is there once, among all masks as among the scored ones.
        weights = neighborhood.weights[rows].copy()
        weights[0] /= times
        design = design_matrix(neighborhood.masks)
        linear = design @ (influence_matrix(design[rows], weights, 1e-9) @ wrong)
        corrected = estimates + linear
        corrected[rows] += times * (wrong - linear[rows]) / np.sqrt(np.tile(self.freedom, 2))
        corrected[0] = answers[0]
        return corrected


def estimate(plan: Plan, rows: NDArray[np.intp], scores: Scores, earlier: NDArray[np.float64] | None) -> Estimates:
    """Fits the estimates of one epoch.

    Args:
        plan: all masks.
        rows: int array (n_scored,), those that were scored, row 0 first.
        scores: the model's answers to them.
        earlier: `Estimates.updated` of the last epoch, or None.

    Returns:
        The `Estimates`.
    """
    working = _working(scores)
    weights = plan.neighborhood.weights[rows] / plan.neighborhood.weights[0]
    pairs = plan.segmentation.neighbours()
    scored = _features(plan.neighborhood.masks[rows], pairs)
    centre = weights @ scored / weights.sum()
    mean = weights @ working / weights.sum()
    weighted = (scored - centre).T * weights
    # X'WX + I by its triangular root: a third of an inverse's time.
    root, _ = dpotrf(weighted @ scored + np.eye(len(centre)), lower=True, overwrite_a=True)

    def smooth(answers: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the features say of all masks, given answers to the scored ones, (n_masks, n_targets)."""
        found, _ = dpotrs(root, weighted @ answers, lower=True)
        smoothed: NDArray[np.float64] = _combined(plan.neighborhood.masks, pairs, found) - centre @ found
        return smoothed

    # The trace of (X'WX + I)⁻¹ is what the penalty leaves of the features.
    penalised = float((dtrtri(root, lower=True)[0] ** 2).sum())
    found = mean + smooth(working - mean)
    freedom = np.full(working.shape[1], 1 - (len(centre) - penalised + 1) / len(rows))
    if earlier is not None:
        # The earlier answer is one more feature, joined by its part that the others do not explain.
        shift = earlier - weights @ earlier[rows] / weights.sum()
        own = shift - smooth(shift[rows])
        left = working - found[rows]
        moving = (weights[:, None] * shift[rows] * own[rows]).sum(axis=0) + _EARLIER
        slope = (weights[:, None] * shift[rows] * left).sum(axis=0) / moving
        found = found + own * slope
        freedom = freedom - 1 / len(rows)
    return Estimates(found, rows, scores, np.maximum(freedom, 0.1))


def _features(masks: NDArray[np.bool_], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Superpixels and pairs that touch, each over the root of its penalty, (n_masks, n_features)."""
    signs, (one, other) = masks - 0.5, pairs.T
    return np.concatenate([signs / np.sqrt(_ALONE), 2 * signs[:, one] * signs[:, other] / np.sqrt(_PAIRS)], axis=1)


def _combined(
    masks: NDArray[np.bool_], pairs: NDArray[np.int64], coefficients: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`_features @ coefficients`, (n_masks, n_targets), as a quadratic form: the features of all masks are many."""
    signs, (one, other), d = masks - 0.5, pairs.T, masks.shape[1]
    combined = signs @ (coefficients[:d] / np.sqrt(_ALONE))
    for target, of_pairs in enumerate(2 * coefficients[d:].T / np.sqrt(_PAIRS)):
        form = np.zeros((d, d))
        form[one, other] = of_pairs
        combined[:, target] += np.einsum("nd,nd->n", signs @ form, signs)
    return np.asarray(combined)


def _working(scores: Scores) -> NDArray[np.float64]:
    return scores.log_odds if scores.predicted is None else np.clip(scores.log_odds, -_LARGEST, _LARGEST)
