"""Single rows of Parquet and Arrow files and of tables in memory, without reading more than is needed.

Rows can be read one after the other alone, so a *cursor* keeps its place and goes forward from there; a footer is
parsed once a process, not once a row group. May import the standard library; pyarrow when a table is given.
"""

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

__all__ = ["ARROW", "PARQUET", "TablePart", "TableReader", "open_part"]

PARQUET, ARROW = (".parquet", ".pq"), (".arrow", ".feather", ".ipc")

_ROWS = 16
"""Rows that a cursor holds at a time: a row group may be larger than the memory."""


class TablePart:
    """One file or table in memory, in chunks that can be read by themselves: row groups, or record batches.

    Attributes:
        data: path of the file, or the table.
        schema: its `pyarrow.Schema`.
        counts: rows of each chunk.
    """

    def __init__(self, data: Any) -> None:
        import pyarrow.parquet as pq

        self.data = data
        self._footer: Any = None
        self._batches: Any = None
        if isinstance(data, Path) and data.suffix.lower() in PARQUET:
            self._footer = meta = pq.read_metadata(data)
            self.schema = meta.schema.to_arrow_schema()
            self.counts = [meta.row_group(index).num_rows for index in range(meta.num_row_groups)]
        else:
            table = _mapped(data) if isinstance(data, Path) else data
            self.schema = table.schema
            self._batches = table.to_batches()
            self.counts = [batch.num_rows for batch in self._batches]

    def describe(self) -> list[Any]:
        """JSON values: name, size and schema of a file; of a table in memory its first rows."""
        if isinstance(self.data, Path):
            return [self.data.name, self.data.stat().st_size, str(self.schema)]
        return [sum(self.counts), str(self.schema), str(self.data.slice(0, 3).to_pylist())]

    def batches(self, chunk: int, columns: Sequence[str]) -> Iterator[Any]:
        """A chunk in record batches of few rows."""
        if self._footer is not None:
            yield from self._file.iter_batches(_ROWS, row_groups=[chunk], columns=list(columns))
        else:
            whole = self._batches[chunk].select(list(columns))
            yield from (whole.slice(start, _ROWS) for start in range(0, whole.num_rows, _ROWS))

    def distinct(self, column: str) -> set[Any]:
        """All values of a column."""
        batches = (batch for chunk in range(len(self.counts)) for batch in self.batches(chunk, [column]))
        return {value for batch in batches for value in batch.column(0).unique().to_pylist()}

    def close(self) -> None:
        """Closes the file until rows are read again; a table may have more files than a process may open."""
        self.__dict__.pop("_file", None)

    @cached_property
    def _file(self) -> Any:
        import pyarrow.parquet as pq

        # Buffered: else the whole column of a row group would be read at once.
        return pq.ParquetFile(self.data, metadata=self._footer, buffer_size=1 << 20, pre_buffer=False)


class _Cursor:
    """A place in one chunk of a part."""

    def __init__(self, part: TablePart, chunk: int, columns: Sequence[str]) -> None:
        self.part, self.chunk = part, chunk
        self.first = self._stop = 0
        self._batches = part.batches(chunk, columns)
        self._batch: Any = None

    def row(self, offset: int) -> dict[str, Any]:
        """The row at an offset from the chunk's begin, not before `first`."""
        while offset >= self._stop:
            self._batch = next(self._batches)
            self.first, self._stop = self._stop, self._stop + self._batch.num_rows
        row: dict[str, Any] = self._batch.slice(offset - self.first, 1).to_pylist()[0]
        return row


class TableReader:
    """Reads rows with one cursor for each section of a table; quick for rows that rise within each section.

    Args:
        columns: names of the columns to read.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._cursors: dict[int, _Cursor] = {}
        self._lock = threading.Lock()

    def row(self, section: int, part: TablePart, chunk: int, offset: int) -> dict[str, Any]:
        """One row by its place in a chunk."""
        with self._lock:
            cursor = self._cursors.get(section)
            if cursor is None or cursor.part is not part or cursor.chunk != chunk or offset < cursor.first:
                cursor = self._cursors[section] = _Cursor(part, chunk, self._columns)
            return cursor.row(offset)


def open_part(file: Path) -> TablePart:
    """A file's `TablePart`, opened once as long as the file stays the same."""
    status = file.stat()
    return _opened(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _opened(file: Path, size: int, changed: int) -> TablePart:
    del size, changed
    return TablePart(file)


def _mapped(file: Path) -> Any:
    """An Arrow file or stream as a table that stays on the disk."""
    import pyarrow as pa

    opened = pa.memory_map(str(file))
    try:
        return pa.ipc.open_file(opened).read_all()
    except pa.ArrowInvalid:
        opened.seek(0)
        return pa.ipc.open_stream(opened).read_all()
