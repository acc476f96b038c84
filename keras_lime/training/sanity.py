"""What a user should know before trusting the probes: which they are, and whether the model knows them.

May import the probes and SciPy.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binom

from keras_lime.core.phrases import count_of, percent
from keras_lime.exceptions import warn
from keras_lime.probes import ProbeSet
from keras_lime.training.outcome import EpochOutcome

__all__ = ["compare_accuracy", "introduce"]

_CHANCE, _DIFFERENCE = 0.01, 0.2
"""Probes are worse than validation if so few right ones are this improbable, and their share is lower by this much."""


def introduce(probes: ProbeSet, agreement: str = "") -> str:
    """`"20 probes of 5 classes; agrees with predict"`.

    Args:
        probes: the probes.
        agreement: how the scorer compares with `predict`; may be empty.
    """
    labels = probes.labels
    classes = "" if labels is None else f" of {count_of(len(np.unique(labels)), 'class', 'classes')}"
    return f"{count_of(len(probes), 'probe')}{classes or ' without labels'}{f'; {agreement}' if agreement else ''}"


def compare_accuracy(outcome: EpochOutcome, logs: Mapping[str, Any] | None) -> bool:
    """Compares the probes' accuracy with the validation's, and warns where the model hardly knows the probes.

    Args:
        outcome: an explained epoch.
        logs: what `fit` logged for it.

    Returns:
        Whether both were known.
    """
    validation = _validation_accuracy(logs)
    hits = [each.predicted == each.label for each in outcome.explanations if each.label is not None]
    if validation is None or not hits:
        return False
    right, n = sum(hits), len(hits)
    if binom.cdf(right, n, validation) < _CHANCE and right / n < validation - _DIFFERENCE:
        warn(
            f"The model predicts {right} of {count_of(n, 'probe')} right ({percent(right / n)}), but validation "
            f"{percent(validation)}: explanations and shortcut tests may be of images that it does not know. Check "
            "that the probes have the value range and preprocessing of the validation data, and that their labels are "
            "in the order of the model's outputs."
        )
    return True


def _validation_accuracy(logs: Mapping[str, Any] | None) -> float | None:
    """`val_accuracy`, `val_acc`, or what begins and ends like that, in 0..1; None if there is none."""
    names = [name for name in logs or {} if name.startswith("val_") and name.endswith(("accuracy", "acc"))]
    for name in sorted(names, key=lambda name: (name not in ("val_accuracy", "val_acc"), name)):
        try:
            value = float((logs or {})[name])
        except (TypeError, ValueError):
            continue
        if math.isfinite(value) and 0 <= value <= 1:
            return value
    return None
