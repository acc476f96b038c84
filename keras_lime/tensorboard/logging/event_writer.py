"""RunWriter: the only writer of event files.

Pure builders make the protocol buffers, a thin writer puts them on disk. TensorBoard's `EventFileWriter` and
`tf.summary` import TensorFlow wherever it is installed, which costs seconds; this writes the same files through
`RecordWriter` and never does, so it works alike under every Keras backend.

May import tensorboard's protocol buffers and `RecordWriter`, and the record schema. Never TensorFlow or Keras.
"""

import itertools
import os
import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from keras_lime.data.folder_path import folder_path, make_folder
from keras_lime.tensorboard.logging.event_file import open_event_file
from keras_lime.tensorboard.records import PLUGIN_NAME

__all__ = ["RunWriter", "image_value", "record_value", "scalar_value", "text_value"]

_serial = itertools.count()

_STAMP = re.compile(r"events\.out\.tfevents\.(\d{10})\.")
"""Seconds in the name of an event file, TensorBoard's own too."""


def _later_than_any_in(folder: Path, now: int) -> int:
    """A time in nanoseconds: now, or a second after the newest event file there where the clock has gone back."""
    entries: list[Path] = []
    # In a store, a folder without objects is none.
    with suppress(FileNotFoundError, NotADirectoryError):
        entries = list(folder.iterdir())
    stamps = [_STAMP.match(entry.name) for entry in entries]
    newest = max((int(stamp[1]) for stamp in stamps if stamp is not None), default=0)
    return now if now // 1_000_000_000 > newest else max(now, (newest + 1) * 1_000_000_000)


def _metadata(plugin: str, data_class: int) -> Any:
    # TensorBoard keeps the metadata of a tag's first value only, and shows no tag whose first value has no data class.
    return summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin), data_class=data_class
    )


def _strings(parts: Sequence[bytes]) -> Any:
    # A NumPy array of dtype S would drop trailing NUL bytes, hence the protocol buffer by hand.
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=len(parts))])
    return tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, tensor_shape=shape, string_val=parts)


def record_value(tag: str, parts: Sequence[bytes]) -> Any:
    """Builds the summary value of one record.

    Args:
        tag: name of the series, such as `records.SUMMARY_TAG`.
        parts: what `records.encode` returned.

    Returns:
        A `Summary.Value` that belongs to the keras_lime plugin.
    """
    metadata = _metadata(PLUGIN_NAME, summary_pb2.DATA_CLASS_TENSOR)
    return summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=_strings(parts))


def scalar_value(tag: str, value: float) -> Any:
    """Builds the summary value of one number for TensorBoard's own Scalars tab."""
    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_FLOAT, tensor_shape=tensor_shape_pb2.TensorShapeProto(), float_val=[value]
    )
    return summary_pb2.Summary.Value(
        tag=tag, metadata=_metadata("scalars", summary_pb2.DATA_CLASS_SCALAR), tensor=tensor
    )


def image_value(tag: str, png: bytes, width: int, height: int) -> Any:
    """Builds the summary value of one PNG image, `width` × `height` pixels, for TensorBoard's own Images tab."""
    tensor = _strings([str(width).encode(), str(height).encode(), png])
    return summary_pb2.Summary.Value(
        tag=tag, metadata=_metadata("images", summary_pb2.DATA_CLASS_BLOB_SEQUENCE), tensor=tensor
    )


def text_value(tag: str, markdown: str) -> Any:
    """Builds the summary value of one Markdown text for TensorBoard's own Text tab."""
    return summary_pb2.Summary.Value(
        tag=tag, metadata=_metadata("text", summary_pb2.DATA_CLASS_TENSOR), tensor=_strings([markdown.encode()])
    )


class RunWriter:
    """Writes one session of one run into a new event file.

    What is written is kept in memory until `flush` puts all of it on disk in one go, so a reader of a running training
    sees whole epochs. If the disk refuses, the file is cut back to its last whole flush and stays readable, the values
    since then are lost, and the writer can go on. Where it cannot (`lost`), a new writer is to be made in its place.
    In a store each flush puts an object there whole, see `event_file`.

    TensorBoard names the run after the directory, relative to its `--logdir`.

    Args:
        directory: directory of the run, or an address such as `"s3://bucket/logs"`; made with its parents if it is
            not there. One writer at a time: with two open event files in one directory TensorBoard may stop reading the
            older.

    Raises:
        OSError: If the directory or the file cannot be made. `flush` and `close` raise it if the disk refuses.

    Example:
        ```python
        with RunWriter("logs/run1/lime") as writer:
            writer.session_start(step=0)
            for epoch in range(3):
                writer.scalar("object_share", epoch, 0.5)
                writer.flush()
        ```
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        folder = folder_path("directory", directory)
        make_folder(folder)
        # Both loaders know an event file by "tfevents" in its name and read a run's files in the order of their names.
        # Nanoseconds keep two sessions within one second in order.
        seconds, nanoseconds = divmod(_later_than_any_in(folder, time.time_ns()), 1_000_000_000)
        stamp = f"{seconds:010d}.{nanoseconds:09d}.{socket.gethostname()}.{os.getpid()}.{next(_serial)}"
        self._file = open_event_file(folder / f"events.out.tfevents.{stamp}")
        self._pending = BytesIO()
        self._records = RecordWriter(self._pending)
        self._described: set[str] = set()
        self._newly_described: set[str] = set()
        self._write(event_pb2.Event(wall_time=time.time(), file_version="brain.Event:2"))
        self.flush()

    @property
    def path(self) -> Path:
        """Path of the event file."""
        return self._file.path

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._file.closed

    @property
    def lost(self) -> str | None:
        """Why nothing that is written now would be read, or None: the file was deleted, or ends in half a record."""
        return self._file.lost

    def abandon(self) -> None:
        """Closes the file without writing what is pending."""
        self._pending.seek(0)
        self._pending.truncate()
        with suppress(OSError):
            self._file.close()

    def session_start(self, step: int) -> None:
        """Says that a session begins at `step`: earlier sessions' values from this step on no longer count.

        Write it at the first logged step of every session, the first session too; then TensorBoard's two loaders agree
        on which steps stand.
        """
        session = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self._write(event_pb2.Event(wall_time=time.time(), step=step, session_log=session))

    def record(self, tag: str, step: int, parts: Sequence[bytes]) -> None:
        """Writes one record, the byte strings of `records.encode`."""
        self._add(step, record_value(tag, parts))

    def scalar(self, tag: str, step: int, value: float) -> None:
        """Writes one number for TensorBoard's Scalars tab."""
        self._add(step, scalar_value(tag, value))

    def image(self, tag: str, step: int, png_bytes: bytes, width: int, height: int) -> None:
        """Writes one PNG image of `width` × `height` pixels for TensorBoard's Images tab, which keeps 10 steps."""
        self._add(step, image_value(tag, png_bytes, width, height))

    def text(self, tag: str, step: int, markdown: str) -> None:
        """Writes one Markdown text for TensorBoard's Text tab."""
        self._add(step, text_value(tag, markdown))

    def flush(self) -> None:
        """Puts everything written so far on disk; call it at the end of every epoch.

        Raises:
            OSError: If the disk refuses. The values since the last flush are lost.
        """
        content = self._pending.getvalue()
        self._pending.seek(0)
        self._pending.truncate()
        described, self._newly_described = self._newly_described, set()
        if content:
            self._file.append(content)
        self._described |= described

    def close(self) -> None:
        """Flushes and closes the file. Closing twice does nothing."""
        if self.closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _add(self, step: int, value: Any) -> None:
        if value.tag in self._described or value.tag in self._newly_described:
            value.ClearField("metadata")
        self._newly_described.add(value.tag)
        self._write(event_pb2.Event(wall_time=time.time(), step=step, summary=summary_pb2.Summary(value=[value])))

    def _write(self, event: Any) -> None:
        if self.closed:
            raise ValueError(f"This writer is closed. Received: a value for {self.path}. Open a new `RunWriter`.")
        self._records.write(event.SerializeToString())
