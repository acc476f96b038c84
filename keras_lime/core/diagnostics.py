"""What limits an explanation: flags on superpixels, caveats on targets, and plain sentences about both.

Flags and caveats are small bit masks, because they are logged with every explanation. May import numpy and the core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.fidelity import Fidelity, measure_fidelity, rank_agreement, weighted_spread
from keras_lime.core.kernel_path import KernelWidthPath, default_widths, fit_path
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores
from keras_lime.core.surrogate import Fit

__all__ = ["CAVEAT_TEXTS", "FLAG_TEXTS", "Caveat", "Flag", "Limits", "find_limits", "sentences"]


class Flag(IntFlag):
    """What is doubtful about the weight of one superpixel for one target."""

    SIGN_FLIPS = 1
    BLIND = 2
    CONTRADICTED = 4


class Caveat(IntFlag):
    """What is doubtful about the explanation of one target."""

    POOR_FIT = 1
    FEW_SAMPLES = 2
    SATURATED = 4
    CLIPPED = 8
    BLIND = 16
    SIGN_FLIPS = 32
    BASELINES = 64
    UNSURE = 128


FLAG_TEXTS: Mapping[Flag, str] = {
    Flag.SIGN_FLIPS: "The sign of this weight depends on the kernel width.",
    Flag.BLIND: "Cannot be judged: hidden, this superpixel looks as it does shown. Choose another baseline.",
    Flag.CONTRADICTED: "With the second baseline this weight has the other sign.",
}

CAVEAT_TEXTS: Mapping[Caveat, str] = {
    Caveat.POOR_FIT: "R² is below 0.2: a linear surrogate does not describe the model near this image. Do not read the "
    "weights as its reasons.",
    Caveat.FEW_SAMPLES: "The kernel leaves few effective samples for so many superpixels. Raise `num_samples` or "
    "`kernel_width`, or lower `n_segments`.",
    Caveat.SATURATED: "The probability hardly moves, whatever is hidden: the weights are noise around zero. Pass "
    'scale="logit".',
    Caveat.CLIPPED: "The model's probabilities are saturated, and its logits are not to be had: the log-odds are only "
    'the limit of its precision. Give the model a linear last layer, and output="logits".',
    Caveat.BLIND: "Some superpixels look the same hidden as shown and cannot be judged with this baseline.",
    Caveat.SIGN_FLIPS: "The sign of some weights depends on the kernel width.",
    Caveat.BASELINES: "With the second baseline the superpixels rank otherwise: what is seen depends on the baseline.",
    Caveat.UNSURE: "`max_samples` was reached before the weights were as sure as `tolerance` asks for. Raise "
    "`max_samples` or `tolerance`, or lower `n_segments`.",
}
"""One general sentence each, for readers of logs; `sentences` gives those of one explanation, with its numbers."""

_POOR_R2 = 0.2
_SAMPLES_PER_COEFFICIENT = 2.0
_LEAST_HIDDEN = 10
_SATURATED_FROM = 0.99
_SATURATED_SPREAD = 0.01
_CLIPPED_SHARE = 0.01
_POOR_AGREEMENT = 0.5


@dataclass(frozen=True, eq=False)
class Limits:
    """What is doubtful about one explanation.

    Attributes:
        flags: uint8 array (n_targets, n_segments), sums of `Flag`.
        caveats: uint8 array (n_targets,), sums of `Caveat`.
    """

    flags: NDArray[np.uint8]
    caveats: NDArray[np.uint8]

    def where(self, flag: Flag) -> NDArray[np.bool_]:
        """Where a flag is set, bool array (n_targets, n_segments)."""
        return np.asarray(self.flags & np.uint8(flag), dtype=bool)


def find_limits(plan: Plan, scores: Scores, fit: Fit, second: Fit | None, settings: Mapping[str, Any]) -> Limits:
    """Judges an explanation by what is there already: no model call is made.

    Args:
        plan: what was perturbed, and how.
        scores: the model's answers.
        fit: the surrogates.
        second: the surrogates of the second baseline, or None.
        settings: the explainer's settings as JSON values.

    Returns:
        The `Limits`.
    """
    neighborhood, logit = plan.neighborhood, settings.get("scale") == "logit"
    n_targets, n_segments = fit.coef.shape
    flags, caveats = np.zeros((n_targets, n_segments), np.uint8), np.zeros(n_targets, np.uint8)
    if fit.alpha is not None and fit.stderr is not None:
        own = float(settings.get("kernel_width", 0.25))
        others = np.setdiff1d(default_widths(own), [own])
        refits = fit_path(neighborhood, scores.log_odds if logit else scores.values, fit.alpha, others)
        coef, stderr = (
            np.concatenate([one[None], more]) for one, more in zip((fit.coef, fit.stderr), refits, strict=True)
        )
        path = KernelWidthPath(np.append(own, others), coef, stderr, own, ())
        flags[path.sign_flips] |= np.uint8(Flag.SIGN_FLIPS)
    if plan.blind is not None:
        flags[:, plan.blind] |= np.uint8(Flag.BLIND)
    if second is not None:
        flags[_contradicted(fit, second)] |= np.uint8(Flag.CONTRADICTED)
        caveats[rank_agreement(fit.coef, second.coef) < _POOR_AGREEMENT] |= np.uint8(Caveat.BASELINES)
    with np.errstate(invalid="ignore"):
        caveats[fit.r2 < _POOR_R2] |= np.uint8(Caveat.POOR_FIT)
    fidelity = measure_fidelity(neighborhood, fit.r2)
    few = fidelity.effective_samples < _SAMPLES_PER_COEFFICIENT * (n_segments + 1)
    if few or (not neighborhood.enumerated and fidelity.samples_per_superpixel.min() < _LEAST_HIDDEN):
        caveats |= np.uint8(Caveat.FEW_SAMPLES)
    if settings.get("num_samples") == "auto" and fit.relative_error is not None:
        caveats[fit.relative_error > settings["tolerance"]] |= np.uint8(Caveat.UNSURE)
    if not logit and scores.predicted is not None:
        caveats[_saturated(scores, neighborhood)] |= np.uint8(Caveat.SATURATED)
    if logit and scores.saturated is not None:
        share = neighborhood.weights @ scores.saturated / neighborhood.weights.sum()
        caveats[share > _CLIPPED_SHARE] |= np.uint8(Caveat.CLIPPED)
    for flag, caveat in ((Flag.BLIND, Caveat.BLIND), (Flag.SIGN_FLIPS, Caveat.SIGN_FLIPS)):
        caveats[(flags & np.uint8(flag)).any(axis=1)] |= np.uint8(caveat)
    return Limits(flags, caveats)


def _saturated(scores: Scores, neighborhood: Neighborhood) -> NDArray[np.bool_]:
    """Targets (n_targets,) whose probability is next to 0 or 1 and hardly moves, while the log-odds do."""
    extreme = np.abs(scores.values[0] - 0.5) >= _SATURATED_FROM - 0.5
    still = weighted_spread(scores.values, neighborhood.weights) < _SATURATED_SPREAD
    moving = np.ptp(scores.log_odds, axis=0) > 1e-5 * np.abs(scores.log_odds).max(axis=0)
    saturated: NDArray[np.bool_] = extreme & still & moving
    return saturated


def _contradicted(fit: Fit, second: Fit) -> NDArray[np.bool_]:
    """Weights that are beyond two standard errors with both baselines, with opposite signs."""
    beyond = [np.abs(each.coef) > (0.0 if each.stderr is None else 2 * each.stderr) for each in (fit, second)]
    opposite: NDArray[np.bool_] = beyond[0] & beyond[1] & (fit.coef * second.coef < 0)
    return opposite


def sentences(
    limits: Limits,
    names: Sequence[str],
    *,
    r2: NDArray[np.float64],
    prediction: NDArray[np.float64],
    agreement: NDArray[np.float64] | None = None,
    error: NDArray[np.float64] | None = None,
    fidelity: Fidelity | None = None,
) -> tuple[str, ...]:
    """Plain sentences about one explanation.

    Args:
        limits: its flags and caveats.
        names: names of the targets.
        r2: R² (n_targets,).
        prediction: the model's probabilities (n_targets,).
        agreement: rank agreement with the second baseline (n_targets,), or None.
        error: `Fit.relative_error` (n_targets,), or None.
        fidelity: where it is known.

    Returns:
        One sentence or two per caveat; what holds for all targets alike is said once, else the target's name stands
        first.
    """
    n_segments = limits.flags.shape[1]
    details: dict[Caveat, list[str]] = {
        Caveat.POOR_FIT: [f"{value:.2f}" for value in r2],
        Caveat.SATURATED: [f"p = {value:.4f}" for value in prediction],
        Caveat.BLIND: [_listing(row) for row in limits.where(Flag.BLIND)],
        Caveat.SIGN_FLIPS: [_listing(row) for row in limits.where(Flag.SIGN_FLIPS)],
    }
    if agreement is not None:
        details[Caveat.BASELINES] = [f"rank agreement {value:.2f}" for value in agreement]
    if error is not None:
        details[Caveat.UNSURE] = [f"typical error {value:.2f} of the largest weight" for value in error]
    if fidelity is not None:
        details[Caveat.FEW_SAMPLES] = [f"{fidelity.effective_samples:.0f} for {n_segments}"] * len(names)
    found = []
    for caveat, text in CAVEAT_TEXTS.items():
        rows = np.flatnonzero(limits.caveats & np.uint8(caveat)).tolist()
        said = [_with_detail(text, details[caveat][row] if caveat in details else "") for row in rows]
        if len(rows) == len(names) and len(set(said)) == 1:
            found.append(said[0])
        else:
            found += [f"{names[row]}: {each}" for row, each in zip(rows, said, strict=True)]
    return tuple(found)


def _with_detail(text: str, detail: str) -> str:
    """The text with the detail in brackets where its first clause ends."""
    first = min((text.find(mark) for mark in (": ", ". ") if mark in text), default=len(text) - 1)
    return f"{text[:first]} ({detail}){text[first:]}" if detail else text


def _listing(chosen: NDArray[np.bool_]) -> str:
    """`"3 of 50: 4, 7, 9"`, at most five by number."""
    indices = np.flatnonzero(chosen)
    shown = ", ".join(map(str, indices[:5])) + (", …" if len(indices) > 5 else "")
    return f"{len(indices)} of {len(chosen)}: {shown}"
