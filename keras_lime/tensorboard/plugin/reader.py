"""RunReader: the records of TensorBoard's data provider.

TensorBoard has two loaders, and its data provider is the one door that both have. One run and one tag are read at a
time, because one reply of the fast loader is at most 256 MiB; only manifests, which are small, share a read. Records
that cannot be read are left out and named in a notice; nothing here raises because of what a log holds.

May import tensorboard's data provider interface and the record schema.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tensorboard.data import provider

from keras_lime.tensorboard.records import MANIFEST_TAG, PLUGIN_NAME, Record, RecordError, decode

__all__ = ["Manifest", "RunReader", "StepRecord", "count_steps", "newer_notices"]

# TensorBoard's routes and the page count epochs in 32 bits.
_STEPS = range(1 << 31)
_MOST_NAMES, _MOST_LETTERS = 12, 40
# Both loaders thin a series out to this many steps; it has to be given, and must never take effect.
_EVERY_STEP = 1_000_000


@dataclass(frozen=True, eq=False)
class StepRecord:
    """A record, the step it was written at and the time in seconds since the epoch."""

    step: int
    wall_time: float
    record: Record


@dataclass(frozen=True, eq=False)
class Manifest:
    """The newest readable manifest of a run: what its newest session explains.

    Attributes:
        header: The manifest's entries as they were written.
        probe_ids: Ids of its probes, in order.
    """

    header: Mapping[str, Any]
    probe_ids: tuple[str, ...]


class RunReader:
    """Reads the records of one experiment within one request.

    Args:
        data_provider: TensorBoard's data provider.
        context: TensorBoard's request context.
        experiment_id: TensorBoard's experiment id of the request.
    """

    def __init__(self, data_provider: Any, context: Any, experiment_id: str) -> None:
        self._provider = data_provider
        self._context = context
        self._experiment_id = experiment_id

    def tags(self) -> dict[str, dict[str, int]]:
        """Returns the newest step of every tag of the plugin, by run and tag."""
        runs = self._provider.list_tensors(self._context, experiment_id=self._experiment_id, plugin_name=PLUGIN_NAME)
        return {run: {tag: int(series.max_step) for tag, series in tags.items()} for run, tags in runs.items()}

    def series(self, run: str, tag: str, only: Collection[str] | None = None) -> tuple[list[StepRecord], list[str]]:
        """Reads the records of one tag at every step.

        Args:
            run: Name of the run.
            tag: Name of the tag.
            only: Names of the arrays to decode. Defaults to all.

        Returns:
            The readable records by step, and a notice for each reason why others were left out. Both are empty if the
            run or the tag does not exist.
        """
        return _decode(tag, self._read([run], tag, _EVERY_STEP).get(run, ()), only)

    def newest(self, run: str, tag: str, only: Collection[str] | None = None) -> tuple[list[StepRecord], list[str]]:
        """Reads the newest readable record of one tag.

        Args:
            run: Name of the run.
            tag: Name of the tag.
            only: Names of the arrays to decode. Defaults to all.

        Returns:
            A list of that record alone, empty if there is none; and notices on records that cannot be read.
        """
        return self._newest_of(run, tag, self._read([run], tag, 1).get(run, ()), only)

    def manifests(self, runs: Collection[str]) -> dict[str, tuple[Manifest | None, list[str]]]:
        """Reads the newest manifest of each run.

        Manifests are small, and one read costs the fast loader some 40 ms whatever its size, so they share one.

        Args:
            runs: Names of the runs.

        Returns:
            For each run its manifest, or `None` if there is none that can be read; and notices on records that cannot.
        """
        data = self._read(list(runs), MANIFEST_TAG, 1)
        found = {}
        for run in runs:
            records, notices = self._newest_of(run, MANIFEST_TAG, data.get(run, ()), None)
            found[run] = (_manifest(records[-1].record) if records else None), notices
        return found

    def _newest_of(
        self, run: str, tag: str, data: Sequence[Any], only: Collection[str] | None
    ) -> tuple[list[StepRecord], list[str]]:
        records, notices = _decode(tag, data, only)
        if not records and notices:
            # The newest one is unreadable: an earlier one may stand in.
            records, notices = self.series(run, tag, only)
        return records[-1:], notices

    def _read(self, runs: Sequence[str], tag: str, steps: int) -> dict[str, Sequence[Any]]:
        data = self._provider.read_tensors(
            self._context,
            experiment_id=self._experiment_id,
            plugin_name=PLUGIN_NAME,
            run_tag_filter=provider.RunTagFilter(runs=runs, tags=[tag]),
            downsample=steps,
        )
        return {run: tags[tag] for run, tags in data.items() if tag in tags}


def _decode(tag: str, data: Sequence[Any], only: Collection[str] | None) -> tuple[list[StepRecord], list[str]]:
    records: dict[int, StepRecord] = {}
    reasons: Counter[str] = Counter()
    unknown: dict[str, None] = {}
    for datum in data:
        step = int(datum.step)
        if step not in _STEPS:
            reasons[f"An epoch is a number from 0 to {_STEPS[-1]}."] += 1
            continue
        try:
            record = decode(_parts(datum.numpy), only)
        except RecordError as error:
            reasons[str(error)] += 1
        else:
            # An epoch that was explained twice is what it was explained as last.
            records[step] = StepRecord(step, float(datum.wall_time), record)
            unknown |= dict.fromkeys(record.unknown)
    notices = [f"{count_steps(count)} of {tag} left out: {reason}" for reason, count in reasons.items()]
    if unknown:
        notices.append(
            f"{tag} holds what this keras_lime does not know and does not show: {_listing(unknown)}. "
            "Upgrade keras_lime where TensorBoard runs."
        )
    return [records[step] for step in sorted(records)], notices


def _listing(names: Iterable[str]) -> str:
    """Some names, shortened; a log may bring any number of any length."""
    listed = [name if len(name) <= _MOST_LETTERS else f"{name[:_MOST_LETTERS]}…" for name in names]
    more = len(listed) - _MOST_NAMES
    return ", ".join(listed[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _manifest(record: Record) -> Manifest:
    probes = record.header.get("probes")
    listed = [probe for probe in probes if _has_id(probe)] if isinstance(probes, list) else []
    return Manifest({**record.header, "probes": listed}, tuple(probe["id"] for probe in listed))


def _has_id(probe: object) -> bool:
    return isinstance(probe, dict) and isinstance(probe.get("id"), str)


def _parts(tensor: Any) -> Sequence[bytes]:
    """Returns the byte strings of a tensor; an empty list, which `decode` refuses, for one that holds none."""
    parts = tensor.tolist() if tensor.ndim == 1 else []
    return parts if all(isinstance(part, bytes) for part in parts) else []


def newer_notices(version: object) -> list[str]:
    """A notice if a newer keras_lime than this one wrote the log."""
    from keras_lime import __version__

    if not isinstance(version, str) or _release(version) <= _release(__version__):
        return []
    return [
        f"keras_lime {version} wrote this log, and this TensorBoard has {__version__}: what that does not know is not "
        "shown. Upgrade keras_lime where TensorBoard runs."
    ]


def _release(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with; () for none, the oldest."""
    found = re.match(r"\d{1,9}(?:\.\d{1,9})*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def count_steps(count: int) -> str:
    """Returns `"1 step"` or `"<count> steps"`, as notices say it."""
    return "1 step" if count == 1 else f"{count} steps"
