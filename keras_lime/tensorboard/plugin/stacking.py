"""Stacking: the records of many steps as one array per name.

A page draws curves and moves a slider over the steps, so it wants `coef` as (steps, targets, superpixels) rather than
five hundred records. The explained targets may change from step to step; shorter ones are padded with NaN, target -1.
An array that no step has is left out: older logs lack what was added later.

May import numpy and the record reader.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.tensorboard.plugin.reader import StepRecord, count_steps
from keras_lime.tensorboard.records import Record

__all__ = ["shortcut_findings", "stack_results", "stack_summaries"]

Arrays = dict[str, NDArray[Any] | None]

_PER_TARGET = (
    "intercept",
    "r2",
    "local_prediction",
    "prediction",
    "object_share",
    "agreement",
    "gradient_agreement",
)
_OPTIONAL = ("stderr", "object_share", "flags", "caveats", "agreement", "gradient_agreement", "group")
_SUMMARY = ("object_share", "object_chance", "r2", "probability", "accuracy")
_PER_CLASS = ("class_object_share", "class_chance", "class_r2", "class_probability", "class_accuracy")
_SWAP = ("swap_flip", "swap_flip_stderr", "p_background", "p_object")
_SHORTCUT = (*_SWAP, "object_share_stderr", "swap_chance", "p_frame")
_VERDICT = ("shortcut_counted", "shortcut_alarm", "train_accuracy", "accuracy_needed")
_SHORTCUT_PER_CLASS = (*(f"class_{name}" for name in _SWAP), "class_object_share_stderr")
PLACES = 8
"""Corners and borders that are hidden, see `shortcut.occlusion.PLACES`."""
_PLACES = ("occlusion_drop", "occlusion_drop_stderr")


def stack_results(records: Sequence[StepRecord]) -> tuple[Arrays, list[str]]:
    """Stacks a probe's results over the steps.

    Args:
        records: Its `result` records by step.

    Returns:
        The arrays, with s steps, T targets at most and d superpixels: `steps` int32 (s,), `wall_times` float64 (s,),
        `targets` int32 (s, T), `coef` and `stderr` float32 (s, T, d), `intercept`, `r2`, `local_prediction`,
        `prediction`, `object_share`, `agreement` and `gradient_agreement` float32 (s, T), `flags` uint8 (s, T, d) and
        `caveats` uint8 (s, T) with 0 for none, `predicted` and `group` int32 (s,) with -1 for none, `predicted_value`
        float32 (s,). `stderr`, `object_share`, `agreement`, `gradient_agreement`, `flags`, `caveats` and `group` are
        there if a step has them. And notices on steps that were left out: those without weights, and those of an
        earlier session that cut the image in another number of superpixels.
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
        "flags": np.zeros((s, t, d), np.uint8),
        "caveats": np.zeros((s, t), np.uint8),
        **{name: np.full((s, t), np.nan, np.float32) for name in _PER_TARGET},
        "predicted": np.array([_index(entry.record, "predicted") for entry in kept], np.int32),
        "group": np.array([_index(entry.record, "group") for entry in kept], np.int32),
        "predicted_value": np.array(
            [_number(entry.record.header.get("predicted_value")) for entry in kept], np.float32
        ),
    }
    seen = {"group"} if any(_index(entry.record, "group") >= 0 for entry in kept) else set()
    for row, entry in enumerate(kept):
        shape = _coef(entry.record).shape
        for name in ("targets", "coef", "stderr", "flags", "caveats", *_PER_TARGET):
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

        Of the shortcut tests, where a step has them: float32 (s,) for `swap_flip`, `swap_flip_stderr`,
        `p_background`, `p_object`, `swap_chance`, `object_share_stderr`, `p_frame`, `shortcut_counted` and
        `shortcut_alarm` (0 or 1), `train_accuracy` and `accuracy_needed`; float32 (s, k) for the first four and
        `object_share_stderr` by class, their names with `class_` in front; float32 (s, 8) for `occlusion_drop` and
        `occlusion_drop_stderr`, float32 (s, k, 8) for `class_occlusion_drop`, over corners and borders.
    """
    ids = [_class_ids(entry.record) for entry in records]
    class_ids = np.unique(np.concatenate([np.zeros(0, np.int32), *ids]))
    whole, classes = _Columns(records), _Columns(records, class_ids, ids)
    arrays: Arrays = {
        **_axis(records),
        "class_ids": class_ids,
        **{name: whole.stack(name) for name in _SUMMARY},
        **{name: classes.stack(name) for name in _PER_CLASS},
        **{name: whole.stack(name, optional=True) for name in (*_SHORTCUT, *_VERDICT)},
        **{name: whole.stack(name, (PLACES,), optional=True) for name in _PLACES},
        **{name: classes.stack(name, optional=True) for name in _SHORTCUT_PER_CLASS},
        "class_occlusion_drop": classes.stack("class_occlusion_drop", (PLACES,), optional=True),
    }
    return {name: array for name, array in arrays.items() if array is not None}


def shortcut_findings(records: Sequence[StepRecord]) -> dict[str, Any]:
    """Collects what the shortcut tests of a run say in words.

    Args:
        records: Its `summary` records by step.

    Returns:
        JSON: `alarms`, for each step at which an alarm is on `step`, `began` (the step of its first measurement),
        `words` and `readings`; `unmeasured`, what could not be measured at the newest step and why, as sentences; and
        `cross_check`, why gradients could not be had at the newest step, or null.
    """
    alarms = []
    for entry in records:
        found = _object(entry.record.header.get("shortcut"))
        if found.get("alarm") is True:
            said = {name: found.get(name) for name in ("began", "words", "readings")}
            alarms.append({"step": entry.step, **said})
    newest = records[-1].record.header if records else {}
    unmeasured = _object(newest.get("shortcut")).get("unmeasured")
    return {
        "alarms": alarms,
        "unmeasured": unmeasured if isinstance(unmeasured, list) else [],
        "cross_check": newest.get("cross_check"),
    }


class _Columns:
    """Stacks one array of every summary, over all probes or by class; what does not fit is NaN."""

    def __init__(
        self,
        records: Sequence[StepRecord],
        class_ids: NDArray[Any] | None = None,
        ids: Sequence[NDArray[Any]] = (),
    ) -> None:
        self._records, self._class_ids, self._ids = records, class_ids, ids

    def stack(self, name: str, tail: tuple[int, ...] = (), optional: bool = False) -> NDArray[Any] | None:
        """Array (s, *tail), by class (s, k, *tail); `None` where no step has it and it is optional."""
        classes = () if self._class_ids is None else (len(self._class_ids),)
        stack = np.full((len(self._records), *classes, *tail), np.nan, np.float32)
        seen = False
        for row, entry in enumerate(self._records):
            values = entry.record.array(name)
            if values is None:
                continue
            expected = tail if self._class_ids is None else (*self._ids[row].shape, *tail)
            # A single number may have come as an array of one.
            if values.shape != expected and (expected or values.size != 1):
                continue
            seen = True
            if self._class_ids is None:
                stack[row] = values.reshape(tail)
            else:
                stack[row, np.searchsorted(self._class_ids, self._ids[row])] = values
        return stack if seen or not optional else None


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


def _index(record: Record, name: str) -> int:
    value = record.header.get(name)
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else -1


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
