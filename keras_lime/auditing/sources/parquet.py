"""Tables of encoded images: Parquet and Arrow files, folders of them, and `pyarrow.Table` → shards.

Rows can be read one after the other alone, and often come sorted by class. So a table is cut into sections of equal
length, which are read side by side, and every shard takes rows from each of them. May import numpy and `sources`;
pyarrow when a table is given.
"""

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.preprocessing import Item
from keras_lime.auditing.sources.sources import AddressableSource, Cutting, sha256_of

__all__ = ["COLUMNS", "TableSource", "is_table"]

COLUMNS = {"image": "image", "label": "label", "mask": "mask"}
"""Columns of a table, as Hugging Face's `datasets` name them too; only the images are necessary."""

_PARQUET, _ARROW = (".parquet", ".pq"), (".arrow", ".feather", ".ipc")

_ROWS = 16
"""Rows that each section holds at a time: a row group may be larger than the memory."""

_SECTIONS = 16
"""Places of a table that are read side by side: so many classes of a sorted table meet in each shard."""


def is_table(dataset: Any) -> bool:
    """Whether a data set is a table of `TableSource`: a `pyarrow.Table`, a file of one, or a folder with such files."""
    if isinstance(dataset, Path):
        return bool(_files(dataset))
    return type(dataset).__module__ == "pyarrow.lib" and type(dataset).__name__ == "Table"


class TableSource(AddressableSource):
    """A table, its files taken by name; each shard has rows from all over it.

    Args:
        dataset: see `is_table`.
        class_names: names of the classes, or None: those that `datasets` left in the table, or for labels of text the
            sorted texts.
        columns: names of the columns that are not called as in `COLUMNS`.
        cutting: how it is cut in shards.

    Raises:
        ValueError: if the table has not the columns, or they hold something else.
    """

    encoded = True

    def __init__(
        self,
        dataset: Any,
        class_names: Sequence[str] | None,
        columns: Mapping[str, str] | None,
        cutting: Cutting,
    ) -> None:
        import pyarrow as pa

        self._parts = [_Part(file) for file in _files(dataset)] if isinstance(dataset, Path) else [_Part(dataset)]
        self._folder = dataset if isinstance(dataset, Path) and dataset.is_dir() else Path(str(dataset)).parent
        schema = self._parts[0].schema
        self._columns = _columns(schema, columns)
        total = sum(sum(part.counts) for part in self._parts)
        if total == 0:
            raise ValueError("`dataset` must hold at least one image. Received: a table without rows.")
        self._starts, order = _sections(total)
        self._readers = [_Reader(self._parts, list(self._columns.values())) for _ in self._starts]
        super().__init__(order, cutting)
        label = self._columns.get("label")
        kind = None if label is None else schema.field(label).type
        if label is not None and not (_is_text(kind) or pa.types.is_integer(kind)):
            raise ValueError(
                f"`dataset` must hold labels of numbers or text. Received: column {label!r} of type {kind}."
            )
        names = class_names if class_names is not None else _known_names(schema, label)
        if names is None and label is not None and _is_text(kind):
            names = sorted({text for part in self._parts for text in part.distinct(label) if text is not None})
        self.class_names = None if names is None else tuple(map(str, names))
        self._ids = {name: index for index, name in enumerate(self.class_names or ())} if _is_text(kind) else None

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`: names, sizes and schema of the files; of a table in memory its first rows."""
        return {
            "kind": "table",
            "images": self.n_images,
            "columns": self._columns,
            "sections": len(self._starts),
            "sha256": sha256_of([part.describe() for part in self._parts]),
        }

    def item(self, position: int) -> Item:
        """See `AddressableSource.item`; quick for positions that rise within each section."""
        row = self._readers[bisect_right(self._starts, position) - 1].row(position)
        image, label, mask = (row.get(self._columns.get(name, "")) for name in COLUMNS)
        path = image.get("path") if isinstance(image, dict) else None
        try:
            content, drawn = self._content(image), self._content(mask)
            known = self._label(label)
        except (OSError, ValueError) as error:
            return Item(position, None, path, error=str(error))
        return Item(position, content, path, known, drawn, error=None if content else "the image is missing")

    def _content(self, cell: Any) -> bytes | None:
        if isinstance(cell, dict):
            content, path = cell.get("bytes"), cell.get("path")
            return (self._folder / path).read_bytes() if content is None and path else content
        return None if cell is None else bytes(cell)

    def _label(self, label: Any) -> int | None:
        if label is None:
            return None
        if self._ids is None:
            return int(label)
        if label not in self._ids:
            raise ValueError(f"the label {label!r} is none of the class names")
        return self._ids[label]


def _sections(total: int) -> tuple[list[int], NDArray[np.int64]]:
    """Where the sections of a table of so many rows start, and its rows: first one of each section, then the next."""
    count = min(_SECTIONS, total)
    starts = [total * section // count for section in range(count)]
    lengths = np.diff([*starts, total])
    steps = np.arange(lengths.max())[:, None]
    return starts, (np.array(starts) + steps)[steps < lengths]


class _Part:
    """One file or table in memory, in chunks that can be read by themselves: row groups, or record batches.

    Attributes:
        schema: its `pyarrow.Schema`.
        counts: rows of each chunk.
    """

    def __init__(self, data: Any) -> None:
        import pyarrow.parquet as pq

        self._data = data
        self._batches: Any = None
        if isinstance(data, Path) and data.suffix.lower() in _PARQUET:
            meta = pq.read_metadata(data)
            self.schema = meta.schema.to_arrow_schema()
            self.counts = [meta.row_group(index).num_rows for index in range(meta.num_row_groups)]
        else:
            table = _mapped(data) if isinstance(data, Path) else data
            self.schema = table.schema
            self._batches = table.to_batches()
            self.counts = [batch.num_rows for batch in self._batches]

    def describe(self) -> list[Any]:
        if isinstance(self._data, Path):
            return [self._data.name, self._data.stat().st_size, str(self.schema)]
        return [sum(self.counts), str(self.schema), str(self._data.slice(0, 3).to_pylist())]

    def batches(self, chunk: int, columns: list[str]) -> Iterator[Any]:
        """A chunk in record batches of few rows."""
        import pyarrow.parquet as pq

        if self._batches is None:
            # Buffered: else the whole column of a row group would be read at once.
            file = pq.ParquetFile(self._data, buffer_size=1 << 20, pre_buffer=False)
            yield from file.iter_batches(_ROWS, row_groups=[chunk], columns=columns)
        else:
            whole = self._batches[chunk].select(columns)
            yield from (whole.slice(start, _ROWS) for start in range(0, whole.num_rows, _ROWS))

    def distinct(self, column: str) -> set[Any]:
        batches = (batch for chunk in range(len(self.counts)) for batch in self.batches(chunk, [column]))
        return {value for batch in batches for value in batch.column(0).unique().to_pylist()}


class _Reader:
    """Reads rows of all parts by their number; forwards without reading anything twice."""

    def __init__(self, parts: Sequence[_Part], columns: list[str]) -> None:
        self._columns = columns
        self._chunks = [(part, chunk) for part in parts for chunk in range(len(part.counts))]
        self._starts = [0, *accumulate(part.counts[chunk] for part, chunk in self._chunks)]
        self._chunk = -1
        self._batches: Iterator[Any] = iter(())
        self._batch: Any = None
        self._first = self._stop = 0

    def row(self, position: int) -> dict[str, Any]:
        """The row of this number, from 0."""
        chunk = bisect_right(self._starts, position) - 1
        if chunk != self._chunk or position < self._first:
            part, index = self._chunks[chunk]
            self._chunk, self._batches = chunk, part.batches(index, self._columns)
            self._first = self._stop = self._starts[chunk]
        while position >= self._stop:
            self._batch = next(self._batches)
            self._first, self._stop = self._stop, self._stop + self._batch.num_rows
        row: dict[str, Any] = self._batch.slice(position - self._first, 1).to_pylist()[0]
        return row


def _mapped(file: Path) -> Any:
    """An Arrow file or stream as a table that stays on the disk."""
    import pyarrow as pa

    opened = pa.memory_map(str(file))
    try:
        return pa.ipc.open_file(opened).read_all()
    except pa.ArrowInvalid:
        opened.seek(0)
        return pa.ipc.open_stream(opened).read_all()


def _files(path: Path) -> list[Path]:
    """Table files: the path itself, or those in a folder."""
    endings = _PARQUET + _ARROW
    if path.is_file():
        return [path] if path.suffix.lower() in endings else []
    return sorted(each for each in path.rglob("*") if each.suffix.lower() in endings) if path.is_dir() else []


def _columns(schema: Any, given: Mapping[str, str] | None) -> dict[str, str]:
    unknown = set(given or ()) - set(COLUMNS)
    if unknown:
        raise ValueError(f"`columns` must name {', '.join(COLUMNS)}. Received: {sorted(unknown)}.")
    found = {}
    for name, usual in COLUMNS.items():
        column = (given or {}).get(name, usual)
        if column in schema.names:
            found[name] = column
        elif name == "image" or name in (given or {}):
            raise ValueError(
                f"`dataset` must have a column {column!r}. Received: {schema.names}. "
                f'Name it with columns={{"{name}": ...}}.'
            )
    for name in {"image", "mask"} & set(found):
        kind = schema.field(found[name]).type
        inner = {field.name: field.type for field in kind} if str(kind).startswith("struct") else {"bytes": kind}
        if "binary" not in str(inner.get("bytes")):
            raise ValueError(
                f"`dataset` must hold encoded image files, binary or a struct of bytes and path. Received: column "
                f"{found[name]!r} of type {kind}."
            )
    return found


def _is_text(kind: Any) -> bool:
    return kind is not None and "string" in str(kind)


def _known_names(schema: Any, label: str | None) -> list[str] | None:
    """Names of the classes that Hugging Face's `datasets` keeps in a schema's metadata."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        names: list[str] = features[label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names
