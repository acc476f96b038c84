"""Tables of encoded images: Parquet and Arrow files, folders of them, and `pyarrow.Table` → shards.

Tables often come sorted by class, and their rows can be read one after the other alone. So a table is cut into sections
of equal length, which are read side by side, and every shard takes rows from each of them. May import numpy and the
modules beside it; pyarrow when a table is given.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.shard import Item, Shard
from keras_lime.auditing.sources.regular_file import read_regular_file
from keras_lime.auditing.sources.source import AddressableSource, Cutting, sha256_of
from keras_lime.auditing.sources.table_rows import ARROW, PARQUET, TablePart, TableReader, open_part

__all__ = ["COLUMNS", "TableSource", "is_table"]

COLUMNS = {"image": "image", "label": "label", "mask": "mask"}
"""Columns of a table, as Hugging Face's `datasets` name them too; only the images are necessary."""

_SECTIONS = 16
"""Places of a table that are read side by side: so many classes of a sorted table meet in each shard."""


def is_table(dataset: Any) -> bool:
    """Whether a data set is a table of `TableSource`: a `pyarrow.Table`, a file of one, or a folder with such files."""
    if isinstance(dataset, Path):
        return bool(_files(dataset))
    return type(dataset).__module__ == "pyarrow.lib" and type(dataset).__name__ == "Table"


@dataclass(frozen=True)
class _Layout:
    """How rows become items, wherever they are read.

    Attributes:
        folder: where files lie that a row names instead of holding them.
        columns: pairs of `COLUMNS`' name and the table's.
        class_names: texts of the labels in the order of their numbers, or None where labels are numbers.
    """

    folder: Path
    columns: tuple[tuple[str, str], ...]
    class_names: tuple[str, ...] | None

    def item(self, position: int, row: Mapping[str, Any]) -> Item:
        names = dict(self.columns)
        image, label, mask = (row.get(names.get(name, "")) for name in COLUMNS)
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
            if content is None and path:
                content = read_regular_file(self.folder / path, inside=self.folder)
            return content
        return None if cell is None else bytes(cell)

    def _label(self, label: Any) -> int | None:
        if label is None:
            return None
        if self.class_names is None:
            return int(label)
        known = _ids(self.class_names)
        if label not in known:
            raise ValueError(f"the label {label!r} is none of the class names")
        return known[label]


@dataclass(frozen=True)
class TableShard:
    """A `ShardReference` to rows of files.

    Attributes:
        index: number of the shard.
        layout: how rows become items.
        rows: position, section, file, chunk and offset in the chunk of each row.
    """

    index: int
    layout: _Layout
    rows: tuple[tuple[int, int, Path, int, int], ...]

    def read(self) -> Shard:
        """See `ShardReference.read`."""
        reader = _reader(self.layout)
        parts = {file: open_part(file) for file in {row[2] for row in self.rows}}
        items = (
            self.layout.item(position, reader.row(section, parts[file], chunk, offset))
            for position, section, file, chunk, offset in self.rows
        )
        return Shard(self.index, tuple(items))


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

        files = [file.absolute() for file in _files(dataset)] if isinstance(dataset, Path) else None
        self._parts = [TablePart(each) for each in ([dataset] if files is None else files)]
        self._in_memory = files is None
        schema = self._parts[0].schema
        self._columns = _columns(schema, columns)
        total = sum(sum(part.counts) for part in self._parts)
        if total == 0:
            raise ValueError("`dataset` must hold at least one image. Received: a table without rows.")
        self._sections, order = _sections(total)
        self._chunks = [(part, chunk) for part in self._parts for chunk in range(len(part.counts))]
        self._starts = [0, *accumulate(part.counts[chunk] for part, chunk in self._chunks)]
        super().__init__(order, cutting)
        label = self._columns.get("label")
        kind = None if label is None else schema.field(label).type
        if label is not None and not (_is_text(kind) or pa.types.is_integer(kind)):
            raise ValueError(
                f"`dataset` must hold labels of numbers or text. Received: column {label!r} of type {kind}."
            )
        names = class_names if class_names is not None else _known_names(schema, label)
        if names is None and label is not None and _is_text(kind):
            names = sorted(_texts(self._parts, label))
        self.class_names = None if names is None else tuple(map(str, names))
        folder = Path() if files is None else dataset.absolute() if dataset.is_dir() else files[0].parent
        text_names = (self.class_names or ()) if _is_text(kind) else None
        self._layout = _Layout(folder, tuple(self._columns.items()), text_names)
        self._reader = TableReader(list(self._columns.values()))

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`: names, sizes and schema of the files; of a table in memory its first rows."""
        return {
            "kind": "table",
            "images": self.n_images,
            "columns": self._columns,
            "sections": len(self._sections),
            "sha256": sha256_of([part.describe() for part in self._parts]),
        }

    def reference(self, index: int, positions: NDArray[np.int64]) -> Shard | TableShard:
        """See `AddressableSource.reference`; of a table in memory the shard itself."""
        places = [self._place(int(position)) for position in positions]
        if self._in_memory:
            items = (
                self._layout.item(position, self._reader.row(section, part, chunk, row))
                for position, section, part, chunk, row in places
            )
            return Shard(index, tuple(items))
        rows = tuple((position, section, part.data, chunk, row) for position, section, part, chunk, row in places)
        return TableShard(index, self._layout, rows)

    def _place(self, position: int) -> tuple[int, int, TablePart, int, int]:
        """Position, section, part, chunk and offset in the chunk of a row."""
        number = bisect_right(self._starts, position) - 1
        part, chunk = self._chunks[number]
        section = bisect_right(self._sections, position) - 1
        return position, section, part, chunk, position - self._starts[number]


@lru_cache(maxsize=4)
def _reader(layout: _Layout) -> TableReader:
    """The reader of a process: shards of one table come one after the other, and its cursors go on where they were."""
    return TableReader([column for _, column in layout.columns])


@lru_cache(maxsize=4)
def _ids(class_names: tuple[str, ...]) -> Mapping[str, int]:
    return {name: index for index, name in enumerate(class_names)}


def _texts(parts: Sequence[TablePart], label: str) -> set[str]:
    """All texts of a column of labels."""
    texts: set[str] = set()
    for part in parts:
        texts |= part.distinct(label) - {None}
        part.close()
    return texts


def _sections(total: int) -> tuple[list[int], NDArray[np.int64]]:
    """Where the sections of a table of so many rows start, and its rows: first one of each section, then the next."""
    count = min(_SECTIONS, total)
    starts = [total * section // count for section in range(count)]
    lengths = np.diff([*starts, total])
    steps = np.arange(lengths.max())[:, None]
    return starts, (np.array(starts) + steps)[steps < lengths]


def _files(path: Path) -> list[Path]:
    """Table files: the path itself, or those in a folder."""
    endings = PARQUET + ARROW
    if path.is_file():
        return [path] if path.suffix.lower() in endings else []
    if not path.is_dir():
        return []
    return sorted(each for each in path.rglob("*") if each.suffix.lower() in endings and each.is_file())


def _columns(schema: Any, given: Mapping[str, str] | None) -> dict[str, str]:
    unknown = set(given or ()) - set(COLUMNS)
    if unknown:
        raise ValueError(f"`columns` must name {', '.join(COLUMNS)}. Received: {sorted(unknown)}.")
    columns = {}
    for name, usual in COLUMNS.items():
        column = (given or {}).get(name, usual)
        if column in schema.names:
            columns[name] = column
        elif name == "image" or name in (given or {}):
            raise ValueError(
                f"`dataset` must have a column {column!r}. Received: {schema.names}. "
                f'Name it with columns={{"{name}": ...}}.'
            )
    for name in {"image", "mask"} & set(columns):
        kind = schema.field(columns[name]).type
        inner = {field.name: field.type for field in kind} if str(kind).startswith("struct") else {"bytes": kind}
        if "binary" not in str(inner.get("bytes")):
            raise ValueError(
                f"`dataset` must hold encoded image files, binary or a struct of bytes and path. Received: column "
                f"{columns[name]!r} of type {kind}."
            )
    return columns


def _is_text(kind: Any) -> bool:
    return kind is not None and "string" in str(kind)


def _known_names(schema: Any, label: str | None) -> list[str] | None:
    """Names of the classes that Hugging Face's `datasets` keeps in a schema's metadata, if they are names."""
    try:
        names = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None
