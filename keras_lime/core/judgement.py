"""Sets the diagnostics of an explanation, from what is there already: no model call is made.

May import numpy, SciPy and the core.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from keras_lime.core.diagnostics import POOR_R2, DiagnosticBits, SegmentDiagnostic, TargetDiagnostic
from keras_lime.core.fidelity import measure_fidelity, rank_agreement, weighted_spread
from keras_lime.core.kernel_path import KernelWidthPath, default_widths, fit_path
from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores
from keras_lime.core.segmentation import FEWEST, MOST, SEGMENTATION_METHODS
from keras_lime.core.surrogate import Fit, unresolved

__all__ = ["find_diagnostics"]

_SAMPLES_PER_COEFFICIENT = 2.0
_LEAST_HIDDEN = 10
_SMALL_SPREAD = 0.01
"""Standard deviation of a probability, below which it hardly moves."""
_SATURATED_FROM = 0.99
_CLIPPED_SHARE = 0.01
_POOR_AGREEMENT = 0.5
_SHRUNK = 0.1


def find_diagnostics(
    plan: Plan, scores: Scores, fit: Fit, second: Fit | None, settings: Mapping[str, Any]
) -> DiagnosticBits:
    """Judges an explanation.

    Args:
        plan: what was perturbed, and how.
        scores: the model's answers.
        fit: the surrogates.
        second: the surrogates of the second baseline, or None.
        settings: the explainer's settings as JSON values.

    Returns:
        The `DiagnosticBits`.
    """
    segments, logit = np.zeros(fit.coef.shape, np.uint8), settings.get("scale") == "logit"
    fitted_to = scores.log_odds if logit else scores.values
    still, small, saturated = _movement(plan, scores, fit, fitted_to, logit)
    segments[_sign_flips(plan, fitted_to, fit, settings)] |= np.uint8(SegmentDiagnostic.SIGN_FLIPS)
    if plan.blind is not None:
        segments[:, plan.blind] |= np.uint8(SegmentDiagnostic.BLIND)
    if second is not None:
        segments[_contradicted(fit, second)] |= np.uint8(SegmentDiagnostic.CONTRADICTED)
    everywhere, nowhere = np.ones(len(fit.coef), dtype=bool), np.zeros(len(fit.coef), dtype=bool)
    judged = fit.r2 if fit.r2_adjusted is None else fit.r2_adjusted
    found = {
        TargetDiagnostic.POOR_FIT: (np.nan_to_num(judged, nan=1.0) < POOR_R2) & ~still,
        TargetDiagnostic.FEW_SAMPLES: everywhere & _has_few_samples(plan, fit),
        TargetDiagnostic.STILL: still,
        TargetDiagnostic.SMALL: small,
        TargetDiagnostic.SATURATED: saturated,
        TargetDiagnostic.CLIPPED: _clipped(plan, scores) & logit,
        TargetDiagnostic.BLIND: (segments & np.uint8(SegmentDiagnostic.BLIND)).any(axis=1),
        TargetDiagnostic.SIGN_FLIPS: (segments & np.uint8(SegmentDiagnostic.SIGN_FLIPS)).any(axis=1),
        TargetDiagnostic.BASELINES: nowhere if second is None else _disagree(fit, second),
        TargetDiagnostic.UNSURE: everywhere & _is_unsure(fit, settings),
        TargetDiagnostic.SHRUNK: everywhere & (fit.shrinkage is not None and fit.shrinkage > _SHRUNK),
        TargetDiagnostic.SEGMENTS: everywhere & _has_other_number(plan, settings),
    }
    targets = np.zeros(len(fit.coef), np.uint16)
    for code, where in found.items():
        targets[where] |= np.uint16(code)
    return DiagnosticBits(segments, targets)


def _movement(
    plan: Plan, scores: Scores, fit: Fit, fitted_to: NDArray[np.float64], logit: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Targets (n_targets,) whose weights are noise around zero, those with small weights, and saturated ones.

    Of a probability a small spread says that it hardly moves; of log-odds and of a regression's values, which have no
    size of their own, only what is beyond their floating-point resolution counts as movement.
    """
    unmoved = unresolved(fitted_to)
    if logit or scores.predicted is None:
        return unmoved, np.zeros_like(unmoved), np.zeros_like(unmoved)
    hardly = unmoved | (weighted_spread(scores.values, plan.neighborhood.weights) < _SMALL_SPREAD)
    still: NDArray[np.bool_] = unmoved | (hardly & ~_is_determined(fit))
    extreme = np.asarray(np.abs(scores.values[0] - 0.5) >= _SATURATED_FROM - 0.5)
    return still, hardly & ~still, hardly & extreme & ~unresolved(scores.log_odds)


def _is_determined(fit: Fit) -> NDArray[np.bool_]:
    """Targets (n_targets,) of which at least one weight is beyond what chance makes of so many zeros (Bonferroni)."""
    if fit.stderr is None:
        return np.ones(len(fit.coef), dtype=bool)
    beyond = -float(ndtri(0.025 / fit.coef.shape[1]))
    return np.asarray((np.abs(fit.coef) > beyond * fit.stderr).any(axis=1), dtype=bool)


def _sign_flips(plan: Plan, fitted_to: NDArray[np.float64], fit: Fit, settings: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Weights (n_targets, n_segments) whose sign depends on the kernel width."""
    if fit.alpha is None or fit.stderr is None:
        return np.zeros(fit.coef.shape, dtype=bool)
    width = float(settings.get("kernel_width", 0.25))
    other_widths = np.setdiff1d(default_widths(width), [width])
    refits = fit_path(plan.neighborhood, fitted_to, fit.alpha, other_widths)
    coef, stderr = (
        np.concatenate([known[None], more]) for known, more in zip((fit.coef, fit.stderr), refits, strict=True)
    )
    flips = KernelWidthPath(np.append(width, other_widths), coef, stderr, width, ()).sign_flips
    return flips & ~unresolved(fitted_to)[:, None]


def _contradicted(fit: Fit, second: Fit) -> NDArray[np.bool_]:
    """Weights that are beyond two standard errors with both baselines, with opposite signs."""
    beyond = [np.abs(one.coef) > (0.0 if one.stderr is None else 2 * one.stderr) for one in (fit, second)]
    opposite: NDArray[np.bool_] = beyond[0] & beyond[1] & (fit.coef * second.coef < 0)
    return opposite


def _disagree(fit: Fit, second: Fit) -> NDArray[np.bool_]:
    """Targets (n_targets,) whose superpixels the second baseline ranks differently; not those without any ranking."""
    return np.asarray(np.nan_to_num(rank_agreement(fit.coef, second.coef), nan=1.0) < _POOR_AGREEMENT)


def _has_few_samples(plan: Plan, fit: Fit) -> bool:
    fidelity = measure_fidelity(plan.neighborhood, fit.r2)
    if fidelity.effective_samples < _SAMPLES_PER_COEFFICIENT * (fit.coef.shape[1] + 1):
        return True
    return not plan.neighborhood.enumerated and bool(fidelity.samples_per_superpixel.min() < _LEAST_HIDDEN)


def _is_unsure(fit: Fit, settings: Mapping[str, Any]) -> NDArray[np.bool_] | bool:
    if settings.get("num_samples") != "auto" or fit.relative_error is None:
        return False
    return np.asarray(fit.relative_error > settings["tolerance"])


def _clipped(plan: Plan, scores: Scores) -> NDArray[np.bool_] | bool:
    if scores.saturated is None:
        return False
    weights = plan.neighborhood.weights
    return np.asarray(weights @ scores.saturated / weights.sum() > _CLIPPED_SHARE)


def _has_other_number(plan: Plan, settings: Mapping[str, Any]) -> bool:
    """Whether a named method gave far fewer or far more superpixels than were asked for."""
    wanted, named = settings.get("n_segments"), settings.get("segmentation") in SEGMENTATION_METHODS
    return named and wanted is not None and not FEWEST <= plan.segmentation.n_segments / wanted <= MOST
