"""A model's raw outputs → probabilities and log-odds of the explained targets: `Output`.

`infer_output.py` decides which `Output` a model has. May import numpy and the core's scores; runs no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.scores import OutputKind, Scores

__all__ = ["Converted", "NonFiniteOutputError", "Output"]


_SUM_TOLERANCE = 1e-2
"""Half-precision softmax rows of a thousand classes miss 1 by about this much."""

_REGRESSION_OUTPUTS = 5
"""So many outputs of a regression are explained where `"predicted"` is asked for."""

_FLOAT32 = (1.1754944e-38, 2.0**-24)

_RESOLUTION = {"float16": (6e-8, 2.0**-11), "bfloat16": (1.1754944e-38, 2.0**-8)}
"""Least probability and least distance from 1 that a dtype can hold; `_FLOAT32` otherwise."""


class NonFiniteOutputError(ValueError):
    """A model gave NaN or infinity.

    Attributes:
        output: index of the first output that is not finite.
        position: position of the image among those asked for, None while unknown.
    """

    def __init__(self, output: int, value: float, position: int | None = None) -> None:
        self.output, self.value, self.position = output, value, position
        where = "" if position is None else f" for image {position}"
        super().__init__(
            f"The model's output must be finite. Received: {value} in output {output}{where}. "
            "Look at the model's weights and at the range of the images."
        )


class Converted(NamedTuple):
    """Numbers made from raw outputs.

    Attributes:
        values: float64 (n, n_targets), probabilities; for regression the outputs.
        log_odds: float64 (n, n_targets), `log p − log(1 − p)`, finite; for regression the outputs.
        saturated: bool (n, n_targets), True where p or 1 − p was 0 in the model's own dtype, so that the log-odds are
            only its limit.
    """

    values: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    saturated: NDArray[np.bool_]


@dataclass(frozen=True)
class Output:
    """What a model's output means.

    Attributes:
        kind: `"softmax"` (classes that exclude each other), `"sigmoid"` (one column; class 1 has p, class 0 has 1 − p),
            `"multilabel"` (one probability per column), `"regression"`.
        from_logits: whether the columns are logits.
        n_columns: columns per image.
        head: the name or index by which it was asked for.
        dtype: the model's own dtype, which limits how near to 0 and 1 a probability can come.
    """

    kind: OutputKind
    from_logits: bool
    n_columns: int
    head: str | int | None = None
    dtype: str = "float32"

    @property
    def n_outputs(self) -> int:
        """Number of classes or outputs that can be explained."""
        return 2 if self.kind == "sigmoid" else self.n_columns

    def choose(self, first: NDArray[np.floating[Any]], wanted: Sequence[int | str]) -> tuple[int, ...]:
        """The wanted targets as indices.

        Args:
            first: raw outputs (n_columns,) for the unperturbed image.
            wanted: indices, `"predicted"` and `"top<k>"`. For regression `"predicted"` means all outputs up to five,
                and `"top<k>"` the first k.

        Returns:
            Unique indices in the order of `wanted`.

        Raises:
            ValueError: if an index is out of range or a name unknown.
        """
        order = (
            np.arange(self.n_outputs) if self.kind == "regression" else np.argsort(-self._ranks(first), kind="stable")
        )
        chosen: list[int] = []
        for entry in wanted:
            if entry == "predicted":
                chosen += order[: _REGRESSION_OUTPUTS if self.kind == "regression" else 1].tolist()
            elif isinstance(entry, str) and entry.startswith("top") and entry[3:].isdigit() and int(entry[3:]) > 0:
                chosen += order[: int(entry[3:])].tolist()
            elif isinstance(entry, int | np.integer) and not isinstance(entry, bool) and 0 <= entry < self.n_outputs:
                chosen.append(int(entry))
            else:
                raise ValueError(
                    f'`targets` must be indices from 0 to {self.n_outputs - 1}, "predicted" or "top<k>": the model has '
                    f"{self.n_outputs} {'outputs' if self.kind == 'regression' else 'classes'}. Received: {entry!r}."
                )
        return tuple(dict.fromkeys(chosen))

    def predict(self, first: NDArray[np.floating[Any]], targets: Sequence[int] = (0,)) -> tuple[int | None, float]:
        """The most probable class and its probability; for regression None and the first target's value.

        Args:
            first: raw outputs (n_columns,) for the unperturbed image.
            targets: the explained outputs, for regression. Defaults to the first.
        """
        index = targets[0] if self.kind == "regression" else int(np.argmax(self._ranks(first)))
        value = float(self.convert(first[None], (index,)).values[0, 0])
        return (None if self.kind == "regression" else index), value

    def convert(self, raw: NDArray[np.floating[Any]], targets: Sequence[int]) -> Converted:
        """Probabilities and log-odds of some targets, from the same raw outputs.

        From logits both are exact. From softmax probabilities the log-odds are `log p_c − log Σ_{j≠c} p_j`, finite
        also where 1 − p_c is 0 in float32; from a sigmoid's probability they end where the dtype's resolution does.

        Args:
            raw: (n, n_columns) raw outputs.
            targets: indices below `n_outputs`.

        Returns:
            A `Converted`.

        Raises:
            NonFiniteOutputError: if any output is NaN or infinite.
            ValueError: if outputs taken for probabilities are none.
        """
        if not np.isfinite(raw).all():
            column = int(np.argmin(np.isfinite(raw).all(axis=0)))
            raise NonFiniteOutputError(column, float(raw[~np.isfinite(raw[:, column]), column][0]))
        scores, picked = raw.astype(np.float64), list(targets)
        if self.kind == "regression":
            return Converted(scores[:, picked], scores[:, picked], np.zeros((len(raw), len(picked)), bool))
        if not self.from_logits:
            self._check_probabilities(scores)
        if self.kind == "softmax":
            return _of_logits(scores, picked) if self.from_logits else self._of_probabilities(scores, picked)
        single = self.kind == "sigmoid"
        columns = scores[:, [0] * len(picked) if single else picked]
        flipped = np.array([single and index == 0 for index in picked], bool)
        if self.from_logits:
            return _of_log_odds(np.where(flipped, -columns, columns))
        return self._of_sigmoids(columns, flipped)

    def probabilities(self, raw: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Probabilities of all targets at once.

        Args:
            raw: (n, n_columns) raw outputs.

        Returns:
            float64 (n, n_outputs); for regression the outputs themselves.

        Raises:
            NonFiniteOutputError: if any output is NaN or infinite.
            ValueError: if outputs taken for probabilities are none.
        """
        self.convert(raw, ())
        values = raw.astype(np.float64)
        if self.from_logits and self.kind == "softmax":
            values = np.exp(values - values.max(axis=1, keepdims=True))
            values /= values.sum(axis=1, keepdims=True)
        elif self.from_logits and self.kind != "regression":
            values = np.exp(-np.logaddexp(0.0, -values))
        return np.concatenate([1 - values, values], axis=1) if self.kind == "sigmoid" else values

    def scores(self, raw: NDArray[np.floating[Any]], wanted: Sequence[int | str]) -> Scores:
        """`Scores` of one image from all its raw outputs (n_samples, n_columns), row 0 the unperturbed image.

        Raises:
            ValueError: see `choose` and `convert`.
        """
        targets = self.choose(raw[0], wanted)
        converted = self.convert(raw, targets)
        return Scores(
            targets, converted.values, converted.log_odds, *self.predict(raw[0], targets), converted.saturated
        )

    def _ranks(self, first: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Numbers (n_outputs,) that rise with the probability."""
        ranks = first.astype(np.float64)
        if self.kind == "sigmoid":
            middle = 0.0 if self.from_logits else 0.5
            return np.array([middle - ranks[0], ranks[0] - middle])
        return ranks

    def _check_probabilities(self, scores: NDArray[np.float64]) -> None:
        low, high = float(scores.min()), float(scores.max())
        received = f"values from {low:.4g} to {high:.4g}"
        wrong = low < -1e-3 or high > 1 + 1e-3
        if self.kind == "softmax" and not wrong:
            sums = scores.sum(axis=1)
            wrong = bool((np.abs(sums - 1) > _SUM_TOLERANCE).any())
            received = f"rows that sum to {sums.min():.4g}..{sums.max():.4g}"
        if wrong:
            raise ValueError(
                f"`output` is taken as {self.kind}, but the model's outputs are no such probabilities. "
                f'Received: {received}. If they are logits, pass output="logits".'
            )

    def _of_probabilities(self, scores: NDArray[np.float64], picked: list[int]) -> Converted:
        least = _RESOLUTION.get(self.dtype, _FLOAT32)[0]
        shown = scores[:, picked]
        # The sum of the others, never 1 − p: that difference is 0 long before the sum is.
        rest = np.stack([scores[:, :each].sum(1) + scores[:, each + 1 :].sum(1) for each in picked] or [shown], axis=-1)
        rest = rest.reshape(shown.shape)
        log_odds = np.log(np.maximum(shown, least)) - np.log(np.maximum(rest, least))
        return Converted(shown, log_odds, (shown < least) | (rest < least))

    def _of_sigmoids(self, columns: NDArray[np.float64], flipped: NDArray[np.bool_]) -> Converted:
        least, gap = _RESOLUTION.get(self.dtype, _FLOAT32)
        clipped = np.clip(columns, least, 1 - gap)
        log_odds = np.log(clipped) - np.log1p(-clipped)
        saturated = (columns < least) | (columns > 1 - gap)
        return Converted(np.where(flipped, 1 - columns, columns), np.where(flipped, -log_odds, log_odds), saturated)


def _of_logits(scores: NDArray[np.float64], picked: list[int]) -> Converted:
    log_odds = np.empty((len(scores), len(picked)))
    for place, column in enumerate(picked):
        others = np.delete(scores, column, axis=1)
        largest = others.max(axis=1)
        log_odds[:, place] = scores[:, column] - largest - np.log(np.exp(others - largest[:, None]).sum(axis=1))
    return _of_log_odds(log_odds)


def _of_log_odds(log_odds: NDArray[np.float64]) -> Converted:
    return Converted(np.exp(-np.logaddexp(0.0, -log_odds)), log_odds, np.zeros(log_odds.shape, bool))
