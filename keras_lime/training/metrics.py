"""The keys that the callback puts in `logs`: never NaN, and never a reward for a network that has died."""

import math
from collections.abc import Mapping

from keras_lime.shortcut.results import Status
from keras_lime.training.outcome import EpochOutcome

__all__ = ["logs_of"]


def logs_of(
    outcome: EpochOutcome | None, name: str, object_chance: float | None, monitored: Mapping[str, float]
) -> dict[str, float]:
    """The keys of one epoch.

    A monitor that compares with NaN would never act again, so the worst value stands for what cannot be said: R² 0, the
    object share that chance gives, and for a shortcut test its own worst value. The same stands for a network that
    predicts one class for probes of several, and for a shortcut test of a network that guesses: it changes no
    prediction because it looks at nothing, and `EarlyStopping` would keep that epoch as the best.

    Args:
        outcome: the newest explained epoch's, or None before the first.
        name: prefix of the keys.
        object_chance: share of the pictures that the objects cover, or None: no object share is told.
        monitored: statistics of the shortcut tests, with the worst value of each.

    Returns:
        Finite numbers by key.
    """
    overall = None if outcome is None or outcome.one_class else outcome.summary.overall
    keys = {"r2": _finite(None if overall is None else overall.r2, 0.0)}
    if object_chance is not None:
        keys["object_share"] = _finite(None if overall is None else overall.object_share, object_chance)
    for statistic, worst in monitored.items():
        keys[statistic] = _statistic(outcome, statistic, worst)
    return {f"{name}_{key}": value for key, value in keys.items()}


def _statistic(outcome: EpochOutcome | None, statistic: str, worst: float) -> float:
    if outcome is None or outcome.tests is None:
        return worst
    for result in outcome.tests.results:
        if statistic in result.statistics:
            silent = result.status is not Status.ALARM and outcome.uninformative is not None
            return worst if silent else _finite(result.statistics[statistic], worst)
    return worst


def _finite(value: float | None, fallback: float) -> float:
    return fallback if value is None or not math.isfinite(value) else float(value)
