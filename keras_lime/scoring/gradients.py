"""Integrated gradients, summed per superpixel: a second opinion beside LIME that owes nothing to perturbations.

It is a cross-check and no substitute: gradients follow the model along one straight line from the baseline to the
image, LIME averages over pictures with superpixels missing. Where both rank the superpixels alike, the finding does not
hang on the method; where they do not, neither is thereby wrong. May import Keras, its backends, and the scorer's call
of the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.core.explanation import Explanation
from keras_lime.core.fidelity import rank_agreement
from keras_lime.core.image import as_pixels
from keras_lime.exceptions import warn
from keras_lime.scoring.engines import EngineSpec, active_backend, fixed_batch_size
from keras_lime.scoring.engines.backends import GradientFunction
from keras_lime.scoring.engines.model_call import raw_scores
from keras_lime.scoring.outputs import Output
from keras_lime.scoring.scorer import make_scorer

__all__ = ["CrossCheck", "IntegratedGradients", "integrated_gradients"]

_BATCH = 16
_CHECK_STEPS = _BATCH - 1
_TINY, _GAP = 1.1754944e-38, 2.0**-24
"""Least probability, and least distance from 1, that float32 holds."""


@dataclass(frozen=True, eq=False)
class IntegratedGradients:
    """Attributions of the superpixels of one explanation.

    Attributes:
        weights: float64 array (n_targets, n_segments): what each superpixel adds to the target on the way from the
            baseline to the image; on the explanation's own scale, probability or log-odds.
        gap: float64 array (n_targets,): `f(image) − f(baseline)` less the sum of the weights. Exact integration would
            leave 0; raise `steps` where this is not small.
        agreement: float64 array (n_targets,): Spearman's rank correlation with LIME's weights, −1..1.
        target_names: names of the targets.
    """

    weights: NDArray[np.float64]
    gap: NDArray[np.float64]
    agreement: NDArray[np.float64]
    target_names: tuple[str, ...]


def integrated_gradients(model: Any, explanation: Explanation, *, steps: int = 32) -> IntegratedGradients:
    """Integrates the gradient from the explanation's own baseline to its image.

    Source: Sundararajan, Taly & Yan 2017, equation 3, by the trapezoidal rule. Works under every Keras backend, and
    costs `steps` + 1 passes forward and back.

    Args:
        model: the Keras model that was explained.
        explanation: its explanation, with the baseline, as `explain()` returns it.
        steps: intervals of the integration. Defaults to `32`.

    Returns:
        The `IntegratedGradients`.

    Raises:
        TypeError: if `model` is not a Keras model: a plain function has no gradients.
        ValueError: if `steps` is below 1, or the explanation came without its baseline.

    Example:
        >>> explanation = explain(model, image)
        >>> integrated_gradients(model, explanation).agreement
        array([0.81])
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model, for its gradients. Received: {type(model).__name__}.")
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"`steps` must be an integer of at least 1. Received: steps={steps!r}.")
    return _integrate(
        _gradient_function(model, explanation), explanation, fixed_batch_size(model) or min(_BATCH, steps + 1), steps
    )


class CrossCheck:
    """Compares a model's explanations with its gradients, epoch by epoch, as an independent opinion.

    Of each explanation one batch of 16 steps is integrated, which ranks superpixels as more steps do. What is compiled
    for some targets is kept for the next explanation of the same targets.
    """

    def __init__(self) -> None:
        self._model: Any = None
        self._runs: dict[tuple[Any, ...], GradientFunction] = {}
        self._problem: str | None = None

    def follow(self, model: Any) -> None:
        """Says which model is explained from now on; the same one again changes nothing."""
        if model is not self._model:
            self._model, self._runs, self._problem = model, {}, None

    def check(self, explanations: Sequence[Explanation]) -> list[NDArray[np.float64]] | str:
        """Rank agreement of weights and gradients.

        Args:
            explanations: those of one epoch, with their baselines.

        Returns:
            For each a float64 array (n_targets,) in −1..1, NaN where all gradients are zero; or why the model gives
            none, a sentence. That is warned of once for each model, and not tried again.
        """
        if self._problem is None:
            try:
                return [self._agreement(explanation) for explanation in explanations]
            except Exception as error:
                self._problem = f"The model gives no gradients to compare the weights with. {error}"
                warn(f"{self._problem} Explanations go on without `cross_check`.")
        return self._problem

    def _agreement(self, explanation: Explanation) -> NDArray[np.float64]:
        if not isinstance(self._model, keras.Model):
            raise TypeError("It is a plain function.")
        key = (explanation.targets, explanation.image.shape)
        if key not in self._runs:
            self._runs[key] = _gradient_function(self._model, explanation)
        size = fixed_batch_size(self._model) or _BATCH
        return _integrate(self._runs[key], explanation, size, _CHECK_STEPS).agreement


def _integrate(run: GradientFunction, explanation: Explanation, size: int, steps: int) -> IntegratedGradients:
    """Equation 3 by the trapezoidal rule, in batches of `size`."""
    if explanation.baseline is None:
        raise ValueError(
            "`explanation` must have its baseline. Received: one without, as those read back from a log are. "
            "Make it anew with explain()."
        )
    image, baseline = as_pixels(explanation.image), explanation.baseline
    # Padded with steps that count nothing, so that all batches have one shape.
    padding = -(steps + 1) % size
    shares = np.concatenate([np.linspace(0, 1, steps + 1), np.zeros(padding)])
    counts = np.concatenate([[0.5], np.ones(steps - 1), [0.5], np.zeros(padding)]) / steps
    sums = np.zeros((len(explanation.targets), *image.shape))
    values = []
    for start in range(0, len(shares), size):
        part = shares[start : start + size, None, None, None].astype(np.float32)
        answers, gradients = run(baseline + part * (image - baseline))
        values.append(answers)
        for row, gradient in enumerate(gradients):
            sums[row] += np.tensordot(counts[start : start + size], gradient, axes=1)
    attributions = (sums * (image - baseline.astype(np.float64))).sum(axis=-1)
    labels = explanation.segmentation.labels.ravel()
    weights = np.stack([np.bincount(labels, attribution.ravel()) for attribution in attributions]).astype(np.float64)
    ends = np.concatenate(values)[[0, steps]]
    return IntegratedGradients(
        weights=weights,
        gap=ends[1] - ends[0] - weights.sum(axis=1),
        agreement=rank_agreement(weights, explanation.fit.coef),
        target_names=explanation.target_names,
    )


def _gradient_function(model: Any, explanation: Explanation) -> GradientFunction:
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model, for its gradients. Received: {type(model).__name__}.")
    if len(getattr(model, "inputs", None) or ()) > 1:
        raise ValueError("`model` must have one input, the image. Received: a model with several.")
    settings = explanation.settings
    head = settings.get("head")
    output = make_scorer(model, explanation.image.shape, output=settings.get("output", "auto"), head=head).output
    if output is None:
        raise ValueError("`model` must be one whose outputs are known before it runs.")
    logit = settings.get("scale") == "logit"
    spec = EngineSpec(explanation.image.shape, head, 0)

    def values(images: Any) -> Any:
        raw = raw_scores(model, keras.ops.reshape(images, (-1, *spec.image_shape)), spec)[0]
        return keras.ops.stack([_target(raw, output, target, logit) for target in explanation.targets], axis=1)

    return active_backend().gradients(model, values)


def _target(raw: Any, output: Output, target: int, logit: bool) -> Any:
    """One target's probability or log-odds (n,), as `Output.convert` gives them, but differentiable."""
    ops = keras.ops
    if output.kind == "regression":
        return raw[:, target]
    if output.kind == "softmax":
        column, others = raw[:, target], ops.concatenate([raw[:, :target], raw[:, target + 1 :]], axis=1)
        if output.from_logits:
            odds = column - ops.logsumexp(others, axis=1)
            return odds if logit else ops.sigmoid(odds)
        rest = ops.sum(others, axis=1)
        return ops.log(ops.maximum(column, _TINY)) - ops.log(ops.maximum(rest, _TINY)) if logit else column
    flipped = output.kind == "sigmoid" and target == 0
    column = raw[:, 0 if output.kind == "sigmoid" else target]
    if output.from_logits:
        odds = -column if flipped else column
        return odds if logit else ops.sigmoid(odds)
    if logit:
        odds = ops.log(ops.maximum(column, _TINY)) - ops.log(ops.maximum(1 - column, _GAP))
        return -odds if flipped else odds
    return 1 - column if flipped else column
