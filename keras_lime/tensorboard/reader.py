"""RunReader: the records of TensorBoard's data provider.

TensorBoard has two loaders, and its data provider is the one door that both have. One run and one tag are read at a
time, because one reply of the fast loader is at most 256 MiB. Records that cannot be read are left out and named in a
notice; nothing here raises because of what a log holds.

May import tensorboard's data provider interface and the record schema.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tensorboard.data import provider

from keras_lime.tensorboard.records import MANIFEST_TAG, PLUGIN_NAME, Record, RecordError, decode

__all__ = ["Manifest", "RunReader", "StepRecord"]

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

    def series(
        self, run: str, tag: str, only: Collection[str] | None = None, newest: bool = False
    ) -> tuple[list[StepRecord], list[str]]:
        """Reads the records of one tag.

        Args:
            run: Name of the run.
            tag: Name of the tag.
            only: Names of the arrays to decode. Defaults to all.
            newest: Whether to read the newest step alone. Defaults to `False`.

        Returns:
            The readable records by step, and a notice for each reason why others were left out. Both are empty if the
            run or the tag does not exist.
        """
        data = self._provider.read_tensors(
            self._context,
            experiment_id=self._experiment_id,
            plugin_name=PLUGIN_NAME,
            run_tag_filter=provider.RunTagFilter(runs=[run], tags=[tag]),
            downsample=1 if newest else _EVERY_STEP,
        )
        records = []
        reasons: Counter[str] = Counter()
        for datum in data.get(run, {}).get(tag, ()):
            try:
                record = decode(_parts(datum.numpy), only)
            except RecordError as error:
                reasons[str(error)] += 1
            else:
                records.append(StepRecord(int(datum.step), float(datum.wall_time), record))
        return records, [f"{_steps(count)} of {tag} left out: {reason}" for reason, count in reasons.items()]

    def newest(self, run: str, tag: str, only: Collection[str] | None = None) -> tuple[Record | None, list[str]]:
        """Reads the newest readable record of one tag.

        Args:
            run: Name of the run.
            tag: Name of the tag.
            only: Names of the arrays to decode. Defaults to all.

        Returns:
            The record, or `None` if there is none that can be read; and notices on newer ones that cannot.
        """
        records, notices = self.series(run, tag, only, newest=True)
        if not records and notices:
            # The newest one is unreadable: an older session's may stand in.
            records, notices = self.series(run, tag, only)
        return (records[-1].record if records else None), notices

    def manifest(self, run: str) -> tuple[Manifest | None, list[str]]:
        """Reads the newest manifest of a run.

        Returns:
            The manifest, or `None` if there is none that can be read; and notices on newer ones that cannot.
        """
        record, notices = self.newest(run, MANIFEST_TAG)
        if record is None:
            return None, notices
        probes = record.header.get("probes")
        listed = [probe for probe in probes if _has_id(probe)] if isinstance(probes, list) else []
        header = {**record.header, "probes": listed}
        return Manifest(header, tuple(probe["id"] for probe in listed)), notices


def _has_id(probe: object) -> bool:
    return isinstance(probe, dict) and isinstance(probe.get("id"), str)


def _parts(tensor: Any) -> Sequence[bytes]:
    """Returns the byte strings of a tensor; an empty list, which `decode` refuses, for one that holds none."""
    parts = tensor.tolist() if tensor.ndim == 1 else []
    return parts if all(isinstance(part, bytes) for part in parts) else []


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
