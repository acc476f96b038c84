"""Which outputs are explained: decides once, from a model or a function's first scores, what its `Output` means.

May import numpy, and Keras through `introspection`; runs no model.
"""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.scores import OutputKind
from keras_lime.scoring import introspection
from keras_lime.scoring.outputs import Output

__all__ = ["infer_function_output", "infer_output"]

_CHOICES = 'Pass output="softmax", "logits", "sigmoid", "multilabel" or "regression".'


def infer_output(
    model: Any,
    output: str = "auto",
    head: str | int | None = None,
    *,
    outputs: Any = None,
    sample: NDArray[np.floating[Any]] | None = None,
) -> Output:
    """Decides what the output of a Keras model means.

    `"auto"` reads the last activation on the way to the output, then, if that is linear or not known, the loss and its
    `from_logits`. The declared probabilities `"softmax"`, `"sigmoid"` and `"multilabel"` are taken from logits where
    the last activation is linear or the loss says so.

    Args:
        model: a built Keras model.
        output: `"auto"`, `"softmax"`, `"logits"`, `"sigmoid"`, `"multilabel"` or `"regression"`. Logits are explained
            through softmax, a single one through sigmoid. Defaults to `"auto"`.
        head: name or index of the output, for a model with several. Defaults to `None`.
        outputs: specification of the model's outputs (`shape` and `dtype`, in a dict or list if there are several);
            needed for subclassed models alone, which do not know it before they ran. Defaults to `None`.
        sample: raw outputs (n, n_columns) of a model with its own `predict_step`: what that does to the last layer's
            activation stands in no graph, but the numbers show it. Defaults to `None`.

    Returns:
        An `Output`.

    Raises:
        ValueError: if the model does not tell, or the output has not the columns that `output` needs; names `output`.
            If `head` is missing or wrong; names `head` and lists the outputs.
    """
    symbolic = introspection.output_specs(model)
    specs = symbolic if outputs is None else outputs
    if specs is None:
        raise ValueError("`outputs` must be given for a model that does not know its outputs. Received: outputs=None.")
    names = getattr(model, "output_names", None)
    chosen = introspection.pick(specs, head, names)[1]
    activation = None
    if symbolic is not None and sample is None:
        activation = introspection.last_activation(introspection.pick(symbolic, head, names)[0])
    family, loss_logits = introspection.loss_of(model, chosen)
    if sample is not None:
        activation = _activation_of(sample)
        if loss_logits and activation is None and _may_be_probabilities(sample):
            # Logits of the loss, or what a step made of them: numbers in 0..1 are both.
            family = None if output == "auto" else family
            loss_logits = False
    if output == "auto":
        meaning = _read(activation, family, loss_logits, chosen.columns)
        if meaning is None:
            raise ValueError(
                '`output` must be given: output="auto" finds neither in the last activation nor in the loss what the '
                f"output{'' if chosen.name is None else ' ' + repr(chosen.name)} means. "
                f"Received: {chosen.columns} column(s), last activation {activation or 'unknown'}, "
                f"loss {getattr(model, 'loss', None)!r}. {_CHOICES}"
            )
        kind, from_logits = meaning
    else:
        from_logits = activation in ("linear", "log_softmax") or (
            activation not in ("softmax", "sigmoid") and family != "regression" and loss_logits
        )
        kind, from_logits = _declared(output, from_logits, chosen.columns)
    return Output(kind, from_logits, chosen.columns, head, chosen.dtype)


def infer_function_output(
    raw: NDArray[np.floating[Any]], output: str = "auto", head: str | int | None = None
) -> Output:
    """Decides what the scores of a plain function mean.

    Args:
        raw: (n, n_columns), the first scores.
        output: see `infer_output`; `"auto"` knows rows of two and more columns, none negative, that sum to 1 within
            0.001. Declared `"sigmoid"` and `"multilabel"` are probabilities.
        head: the name or index by which the scores were picked.

    Returns:
        An `Output`.

    Raises:
        NonFiniteOutputError: if the scores are NaN or infinite.
        ValueError: if the scores do not tell, or have not the columns that `output` needs; names `output`.
    """
    columns = raw.shape[1]
    if output != "auto":
        return Output(*_declared(output, False, columns), columns, head)
    finite = Output("regression", False, columns, head)
    finite.convert(raw, ())
    sums = raw.sum(axis=1, dtype=np.float64)
    if columns < 2 or raw.min() < 0 or np.abs(sums - 1).max() > 1e-3:
        raise ValueError(
            '`output` must be given for this function: output="auto" knows probabilities of two and more classes. '
            f"Received: {columns} column(s), values from {raw.min():.4g} to {raw.max():.4g}, rows that sum to "
            f"{sums.min():.4g}..{sums.max():.4g}. {_CHOICES}"
        )
    return Output("softmax", False, columns, head)


def _activation_of(sample: NDArray[np.floating[Any]]) -> str | None:
    """`"softmax"` if the rows are probabilities of classes that exclude each other, else None."""
    sums = sample.sum(axis=1, dtype=np.float64)
    return "softmax" if sample.shape[1] > 1 and sample.min() >= 0 and np.abs(sums - 1).max() < 1e-2 else None


def _may_be_probabilities(sample: NDArray[np.floating[Any]]) -> bool:
    return bool(sample.min() >= 0 and sample.max() <= 1)


def _read(
    activation: str | None, family: str | None, loss_logits: bool, columns: int
) -> tuple[OutputKind, bool] | None:
    if activation in ("softmax", "log_softmax", "sigmoid"):
        found, from_logits = activation.removeprefix("log_"), activation == "log_softmax"
    elif family is None or (activation == "linear" and family != "regression" and not loss_logits):
        return None
    else:
        found, from_logits = family, loss_logits
    if found == "softmax" and columns < 2:
        return None
    if found == "sigmoid" and columns > 1:
        found = "multilabel"
    return cast(OutputKind, found), from_logits and found != "regression"


def _declared(output: str, from_logits: bool, columns: int) -> tuple[OutputKind, bool]:
    if output == "logits":
        return ("sigmoid" if columns == 1 else "softmax"), True
    if output == "regression":
        return "regression", False
    if output not in ("softmax", "sigmoid", "multilabel"):
        raise ValueError(f"`output` must be known. Received: output={output!r}. {_CHOICES}")
    if output == "softmax" and columns < 2:
        raise ValueError(
            f'`output` "softmax" needs two columns and more. Received: {columns} column. For one column pass '
            'output="sigmoid", or "logits" if it is no probability.'
        )
    if output == "sigmoid" and columns != 1:
        raise ValueError(
            f'`output` "sigmoid" needs one column. Received: {columns} columns. For several pass output="multilabel".'
        )
    return cast(OutputKind, output), from_logits
