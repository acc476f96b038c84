"""Stacking: the records of many steps as one array per name.

A page draws curves and moves a slider over the steps, so it wants `coef` as (steps, targets, superpixels) rather than
five hundred records. The explained targets may change from step to step; shorter ones are padded with NaN, target -1.
What is stacked, in which dtype, and what stands where a step has no value, is the schema's; an optional field that no
step has is left out: older logs lack what was added later.

May import numpy, the schema and the record reader.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import keras_lime.tensorboard.schema as schema
from keras_lime.tensorboard.plugin.reader import StepRecord, count_steps
from keras_lime.tensorboard.records import Record

__all__ = ["shortcut_findings", "stack_results", "stack_summaries"]

Arrays = dict[str, NDArray[Any] | None]

# A log may claim any number of targets, superpixels and classes; what is served is bounded, the newest epochs first.
_MOST_WEIGHTS = 1 << 22
_MOST_STACKED = 1 << 26
_MOST_CLASS_CELLS = 1 << 23

_MOST_TESTS = 20

_TOLD = ("passed", "alarm")
"""Statuses whose reasons are told by numbers and words elsewhere."""

N_REGIONS = 8
"""Corners and borders that are hidden, see `shortcut.occlusion`."""


def stack_results(records: Sequence[StepRecord]) -> tuple[Arrays, list[str]]:
    """Stacks a probe's results over the steps.

    Args:
        records: Its `result` records by step.

    Returns:
        The arrays of the schema's `result`, the steps in front, with s steps, T targets at most and d superpixels:
        `coef` (s, T, d), `r2` (s, T) and so on; numbers of its header are (s,). Beside them `steps` int32 and
        `wall_times` float64, (s,). And notices on steps that were left out: those without weights, and those of an
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
    kept, left_out = _bounded(kept, d)
    notices += left_out
    sizes = {"targets": max((_coef(entry.record).shape[0] for entry in kept), default=0), "segments": d}
    arrays: Arrays = _axis(kept)
    for field in schema.SCHEMA.header("result").values():
        if field.dtype == "number":
            arrays[field.name] = _stack_numbers(kept, field)
    for field in schema.SCHEMA.arrays("result").values():
        arrays[field.name] = _stack_arrays(kept, field, sizes)
    return {name: array for name, array in arrays.items() if array is not None}, notices


def _bounded(records: list[StepRecord], d: int) -> tuple[list[StepRecord], list[str]]:
    """Those that can be stacked within bounds, and notices on the others."""
    notices = []
    small = [entry for entry in records if _coef(entry.record).size <= _MOST_WEIGHTS]
    if len(small) < len(records):
        notices.append(f"{count_steps(len(records) - len(small))} left out: no image has so many weights.")
    t = max((_coef(entry.record).shape[0] for entry in small), default=0)
    most = max(1, _MOST_STACKED // max(t * d, 1))
    if len(small) > most:
        notices.append(
            f"{count_steps(len(small) - most)} left out: the newest {most} are all that can be shown at once."
        )
    return small[-most:], notices


def _stack_numbers(records: Sequence[StepRecord], field: schema.Field) -> NDArray[Any] | None:
    """Numbers of the header over the steps, (s,)."""
    whole = field.served == "int32"
    read = [
        _index(entry.record, field.name) if whole else _number(entry.record.header.get(field.name)) for entry in records
    ]
    stack = np.array(read, field.served)
    unused = bool((stack == -1).all() if whole else np.isnan(stack).all())
    return None if field.optional and unused else stack


def _stack_arrays(records: Sequence[StepRecord], field: schema.Field, sizes: Mapping[str, int]) -> NDArray[Any] | None:
    """An array over the steps; shorter ones are padded, what does not fit counts as missing."""
    axes = field.shape or ()
    found = [(row, entry.record.array(field.name)) for row, entry in enumerate(records)]
    fitting = [
        (row, values)
        for row, values in found
        if values is not None and values.shape == _coef(records[row].record).shape[: len(axes)]
    ]
    if field.optional and not fitting:
        return None
    stack = np.full((len(records), *(sizes[axis] for axis in axes)), field.missing, field.served)
    for row, values in fitting:
        stack[row, ...][tuple(slice(size) for size in values.shape)] = values
    return stack


def stack_summaries(records: Sequence[StepRecord]) -> Arrays:
    """Stacks a run's summaries over the steps.

    Args:
        records: Its `summary` records by step.

    Returns:
        The arrays of the schema's `summary` as float32, the steps in front, with s steps, k classes and 8 regions:
        `r2` (s,), `class_r2` (s, k), `class_occlusion_drop` (s, k, 8) and so on; NaN where a step has no value. Beside
        them `steps` int32 and `wall_times` float64, (s,), and `class_ids` int32 (k,), sorted.
    """
    ids = [_class_ids(entry.record) for entry in records]
    class_ids = np.unique(np.concatenate([np.zeros(0, np.int32), *ids]))
    if len(class_ids) * len(records) > _MOST_CLASS_CELLS:
        class_ids, ids = class_ids[:0], [own[:0] for own in ids]
    whole, classes = _Columns(records), _Columns(records, class_ids, ids)
    # What is listed by probe counts for the newest session's probes alone.
    probe_set = records[-1].record.header.get("probe_set") if records else None
    probes = _Columns(records, kept=[entry.record.header.get("probe_set") == probe_set for entry in records])
    listed = records[-1].record.array("probe_predicted") if records else None
    n_probes = 0 if listed is None or len(records) * listed.size > _MOST_CLASS_CELLS else listed.size
    sizes = {"regions": N_REGIONS, "probes": n_probes}
    arrays: Arrays = {**_axis(records), "class_ids": class_ids}
    for field in schema.SCHEMA.arrays("summary").values():
        axes = field.shape or ()
        if field.name == "class_ids":
            continue
        columns = classes if "classes" in axes else probes if "probes" in axes else whole
        arrays[field.name] = columns.stack(field, tuple(sizes[axis] for axis in axes if axis != "classes"))
    return {name: array for name, array in arrays.items() if array is not None}


def shortcut_findings(records: Sequence[StepRecord]) -> dict[str, Any]:
    """Collects what the shortcut tests of a run say in words.

    Args:
        records: Its `summary` records by step.

    Returns:
        JSON: `alarms`, for each step at which an alarm is on `step`, `began` (the step of its first measurement),
        `words`, `readings` and `markers`; `statuses`, the decision at each step or null; `tests`, at each step a list
        of `test`, `title` and `status`, with `reason` and `remedy` where a test says neither passed nor alarm;
        `unmeasured`, what could not be measured at the newest step and why, as sentences; and `cross_check`, why
        gradients could not be had at the newest step, or null.
    """
    alarms = []
    for entry in records:
        found = _object(entry.record.header.get("shortcut"))
        if found.get("alarm") is True:
            said = {name: found.get(name) for name in ("began", "words", "readings", "markers")}
            alarms.append({"step": entry.step, **said})
    newest = records[-1].record.header if records else {}
    unmeasured = _object(newest.get("shortcut")).get("unmeasured")
    return {
        "alarms": alarms,
        "statuses": [_object(entry.record.header.get("shortcut")).get("status") for entry in records],
        "tests": [_tests(_object(entry.record.header.get("shortcut"))) for entry in records],
        "unmeasured": unmeasured if isinstance(unmeasured, list) else [],
        "cross_check": newest.get("cross_check"),
    }


def _tests(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every test's status; what passed or fired is in the curves and the alarm's words."""
    listed = found.get("tests")
    tests = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    told = ("test", "title", "status")
    return [
        {name: each.get(name) for name in (told if each.get("status") in _TOLD else (*told, "reason", "remedy"))}
        for each in tests[:_MOST_TESTS]
    ]


class _Columns:
    """Stacks one array of every summary, over all probes or by class; what does not fit counts as missing."""

    def __init__(
        self,
        records: Sequence[StepRecord],
        class_ids: NDArray[Any] | None = None,
        ids: Sequence[NDArray[Any]] = (),
        kept: Sequence[bool] | None = None,
    ) -> None:
        self._records, self._class_ids, self._ids = records, class_ids, ids
        self._kept = [True] * len(records) if kept is None else kept

    def stack(self, field: schema.Field, tail: tuple[int, ...] = ()) -> NDArray[Any] | None:
        """Array (s, *tail), by class (s, k, *tail); `None` where no step has it and it is optional."""
        classes = () if self._class_ids is None else (len(self._class_ids),)
        stack = np.full((len(self._records), *classes, *tail), field.missing, field.served)
        seen = False
        for row, entry in enumerate(self._records):
            values = entry.record.array(field.name)
            if values is None or not self._kept[row]:
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
        return stack if seen or not field.optional else None


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
