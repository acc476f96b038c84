"""Stacking: the records of many steps as one array per name.

A page draws curves and moves a slider over the steps, so it wants `coef` as (steps, targets, superpixels) rather than
five hundred records. The explained targets may change from step to step; shorter ones are padded with NaN, target -1.

May import numpy and the record reader.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.tensorboard.reader import StepRecord, count_steps
from keras_lime.tensorboard.records import Record

__all__ = ["stack_results", "stack_summaries"]

Arrays = dict[str, NDArray[Any] | None]

_PER_TARGET = ("intercept", "r2", "local_prediction", "prediction", "object_share")
_OPTIONAL = ("stderr", "object_share")
_SUMMARY = ("object_share", "object_chance", "r2", "probability", "accuracy")
_PER_CLASS = ("class_object_share", "class_chance", "class_r2", "class_probability", "class_accuracy")


def stack_results(records: Sequence[StepRecord]) -> tuple[Arrays, list[str]]:
    """Stacks a probe's results over the steps.

    Args:
        records: Its `result` records by step.

    Returns:
        The arrays, with s steps, T targets at most and d superpixels: `steps` int32 (s,), `wall_times` float64 (s,),
        `targets` int32 (s, T), `coef` and `stderr` float32 (s, T, d), `intercept`, `r2`, `local_prediction`,
        `prediction` and `object_share` float32 (s, T), `predicted` int32 (s,) with -1 for none, `predicted_value`
        float32 (s,). `stderr` and `object_share` are `None` if no step has them. And notices on steps that were left
        out: those without weights, and those of an earlier session that cut the image in another number of superpixels.
    """
    whole = [entry for entry in records if _is_result(entry.record)]
    d = _coef(whole[-1].record).shape[1] if whole else 0
    kept = [entry for entry in whole if _coef(entry.record).shape[1] == d]
    notices = []
    if len(whole) < len(records):
        notices.append(f"{count_steps(len(records) - len(whole))} left out: no weights are there.")
    if len(kept) < len(whole):
        count = count_steps(len(whole) - len(kept))
        notices.append(f"{count} left out: an earlier session cut this image in another number of superpixels.")
    s = len(kept)
    t = max((_coef(entry.record).shape[0] for entry in kept), default=0)
    arrays: Arrays = {
        **_axis(kept),
        "targets": np.full((s, t), -1, np.int32),
        "coef": np.full((s, t, d), np.nan, np.float32),
        "stderr": np.full((s, t, d), np.nan, np.float32),
        **{name: np.full((s, t), np.nan, np.float32) for name in _PER_TARGET},
        "predicted": np.array([_predicted(entry.record) for entry in kept], np.int32),
        "predicted_value": np.array(
            [_number(entry.record.header.get("predicted_value")) for entry in kept], np.float32
        ),
    }
    seen: set[str] = set()
    for row, entry in enumerate(kept):
        shape = _coef(entry.record).shape
        for name in ("targets", "coef", "stderr", *_PER_TARGET):
            values, stack = entry.record.array(name), arrays[name]
            if values is not None and stack is not None and values.shape == shape[: stack.ndim - 1]:
                stack[row, : shape[0]] = values
                seen.add(name)
    return {name: array for name, array in arrays.items() if name not in _OPTIONAL or name in seen}, notices


def stack_summaries(records: Sequence[StepRecord]) -> Arrays:
    """Stacks a run's summaries over the steps.

    Args:
        records: Its `summary` records by step.

    Returns:
        The arrays, with s steps and k classes: `steps` int32 (s,), `wall_times` float64 (s,), `class_ids` int32 (k,),
        sorted, float32 (s,) for `object_share`, `object_chance`, `r2`, `probability` and `accuracy`, and float32 (s, k)
        for `class_object_share`, `class_chance`, `class_r2`, `class_probability` and `class_accuracy`; NaN where a step
        has no value.
    """
    ids = [_class_ids(entry.record) for entry in records]
    class_ids = np.unique(np.concatenate([np.zeros(0, np.int32), *ids]))
    s, k = len(records), len(class_ids)
    arrays: Arrays = {**_axis(records), "class_ids": class_ids}
    for name in _SUMMARY:
        column = np.full(s, np.nan, np.float32)
        for row, entry in enumerate(records):
            value = entry.record.array(name)
            if value is not None and value.size == 1:
                column[row] = value.reshape(())
        arrays[name] = column
    for name in _PER_CLASS:
        table = np.full((s, k), np.nan, np.float32)
        for row, entry in enumerate(records):
            values = entry.record.array(name)
            if values is not None and values.shape == ids[row].shape:
                table[row, np.searchsorted(class_ids, ids[row])] = values
        arrays[name] = table
    return arrays


def _axis(records: Sequence[StepRecord]) -> Arrays:
    return {
        "steps": np.array([entry.step for entry in records], np.int32),
        "wall_times": np.array([entry.wall_time for entry in records], np.float64),
    }


def _is_result(record: Record) -> bool:
    coef, targets = record.array("coef"), record.array("targets")
    return coef is not None and coef.ndim == 2 and targets is not None and targets.shape == coef.shape[:1]


def _coef(record: Record) -> NDArray[Any]:
    return record.arrays["coef"]


def _class_ids(record: Record) -> NDArray[Any]:
    ids = record.array("class_ids")
    return np.zeros(0, np.int32) if ids is None or ids.ndim != 1 else ids.astype(np.int32)


def _predicted(record: Record) -> int:
    predicted = record.header.get("predicted")
    return predicted if isinstance(predicted, int) and 0 <= predicted < 1 << 31 else -1


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
