"""Reads the plugin's records straight from a log directory, without a TensorBoard that runs.

For readers outside TensorBoard, such as a report. The same rule as in TensorBoard's loaders decides which steps stand:
a session that starts at a step takes away what earlier sessions wrote from that step on. Never imports TensorFlow,
which TensorBoard's own file loader would where it is installed.

May import tensorboard's protocol buffers and record reader, and the record schema.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

from keras_lime.data.folder_path import is_remote
from keras_lime.tensorboard.records import MANIFEST_TAG, PLUGIN_NAME, Record, RecordError, decode

__all__ = ["LoggedRun", "logged_runs"]


class LoggedRun:
    """The records of one run.

    Args:
        folder: the run's folder, with its event files.
        name: the run's name.

    Attributes:
        name: the run's name, its path inside the log directory.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._values: dict[str, dict[int, list[bytes]]] = {}
        for file in sorted(folder.glob("*tfevents*"), key=lambda file: file.name):
            for event in _events(file):
                self._take(event)

    @property
    def manifest(self) -> Record | None:
        """The newest manifest, or None if there is none that can be read."""
        found = self.newest(MANIFEST_TAG)
        return None if found is None else found[1]

    def newest(self, tag: str) -> tuple[int, Record] | None:
        """The newest readable record of a tag and its step, or None."""
        for step, parts in sorted(self._values.get(tag, {}).items(), reverse=True):
            try:
                return step, decode(parts)
            except RecordError:
                continue
        return None

    def series(self, tag: str) -> list[tuple[int, Record]]:
        """All readable records of a tag with their steps, in the order of the steps."""
        found = []
        for step, parts in sorted(self._values.get(tag, {}).items()):
            with suppress(RecordError):
                found.append((step, decode(parts)))
        return found

    def _take(self, event: Any) -> None:
        if event.HasField("session_log") and event.session_log.status == event_pb2.SessionLog.START:
            for steps in self._values.values():
                for step in [step for step in steps if step >= event.step]:
                    del steps[step]
        for value in event.summary.value:
            if value.tag.startswith(f"{PLUGIN_NAME}/"):
                self._values.setdefault(value.tag, {})[event.step] = list(value.tensor.string_val)


def logged_runs(log_dir: Path) -> list[LoggedRun]:
    """All runs of a log directory that hold records of this package, by name.

    Args:
        log_dir: what TensorBoard gets as `--logdir`, or the folder of one run.
    """
    folders = sorted(_remote_folders(log_dir) if is_remote(log_dir) else _folders(log_dir), key=str)
    runs = [LoggedRun(folder, folder.relative_to(log_dir).as_posix()) for folder in folders]
    return [run for run in runs if run.manifest is not None]


def _folders(log_dir: Path) -> Iterator[Path]:
    """Folders with event files, in links to folders too, as TensorBoard shows them; a link back up is not followed."""
    for folder, below, files in os.walk(log_dir, followlinks=True):
        here = os.path.realpath(folder)
        below[:] = [name for name in below if not _leads_up(here, os.path.join(folder, name))]
        if any("tfevents" in name and os.path.isfile(os.path.join(folder, name)) for name in files):
            yield Path(folder)


def _remote_folders(log_dir: Path) -> Iterator[Path]:
    """Folders of a store with event files."""
    yield from {file.parent for file in log_dir.rglob("*tfevents*")}


def _leads_up(here: str, entry: str) -> bool:
    return os.path.islink(entry) and f"{here}{os.sep}".startswith(f"{os.path.realpath(entry)}{os.sep}")


def _events(file: Path) -> Iterator[Any]:
    """The events of a file up to its end or to the first damaged one, behind which nothing can be found."""
    if not is_remote(file):
        yield from _local_events(file)
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "events"
        copy.write_bytes(file.read_bytes())
        yield from _local_events(copy)


def _local_events(file: Path) -> Iterator[Any]:
    reader = PyRecordReader_New(str(file))
    while True:
        try:
            reader.GetNext()
        except (errors.OutOfRangeError, errors.DataLossError):
            return
        yield event_pb2.Event.FromString(reader.record())
