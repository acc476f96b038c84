"""`Audit`: a finished audit, to be looked at. May import the standard library and the schema; pyarrow when asked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from keras_lime.auditing.storage.parquet import opened_parquet
from keras_lime.auditing.storage.schema import RENAMED, ROW_COLUMNS
from keras_lime.auditing.storage.shards import read_json
from keras_lime.data.folder_path import folder_path

__all__ = ["Audit"]


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """What an audit found: a folder of Parquet files and a summary.

    Attributes:
        folder: where it lies; `audit.json` says what was audited, and how.
        summary: what `summary.json` holds: `images`, `failed`, `accuracy`, `object_share`, `swap_flip`, `classes` and
            more.

    Example:
        >>> found = keras_lime.audit(model, "validation", "audits/run1")
        >>> found.summary["accuracy"]
        0.953
        >>> found.rows(["path", "predicted_name", "r2"]).to_pandas().nsmallest(10, "r2")
    """

    folder: Path
    summary: Mapping[str, Any]

    @classmethod
    def open(cls, folder: str | PathLike[str]) -> "Audit":
        """Opens the folder of a finished audit.

        Raises:
            ValueError: if it holds none.
        """
        path = folder_path("folder", folder)
        if not (path / "summary.json").is_file():
            raise ValueError(
                f"`folder` must hold a finished audit. Received: {str(folder)!r} without summary.json. If the audit "
                "was interrupted, run it again with the same arguments: it goes on where it was."
            )
        return cls(path, read_json(path / "summary.json"))

    def rows(self, columns: Sequence[str] | None = None) -> Any:
        """All rows in the order of the data set as one `pyarrow.Table`; `.to_pandas()` makes a data frame of it.

        Args:
            columns: names of those to read; see the README for the list. Defaults to `None`, all. Weights and
                descriptors of superpixels take most of the room: about 2 kB per row.

        Raises:
            ValueError: if there is no such column.
        """
        import pyarrow as pa

        chosen = list(ROW_COLUMNS if columns is None else columns)
        unknown = [name for name in chosen if name not in ROW_COLUMNS]
        if unknown:
            raise ValueError(f"`columns` must be columns of the rows. Received: {unknown}. Known: {list(ROW_COLUMNS)}.")
        tables = list(self._tables("rows", list(dict.fromkeys([*chosen, "position"]))))
        joined = pa.concat_tables(tables)
        # A stable order: an image's rows keep theirs.
        order = joined.append_column("place", pa.array(range(joined.num_rows)))
        ordered = order.sort_by([("position", "ascending"), ("place", "ascending")])
        return ordered.select(chosen)

    def parts(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The rows file by file, one `pyarrow.Table` per shard, for audits that do not fit the memory."""
        return self._tables("rows", None if columns is None else list(columns))

    def pictures(self) -> Iterator[Any]:
        """Pictures, superpixels and masks file by file, one `pyarrow.Table` per shard."""
        return self._tables("pictures", None)

    def __repr__(self) -> str:
        accuracy = self.summary.get("accuracy")
        parts = [f"{self.summary.get('images', 0)} images"]
        parts += [f"accuracy {accuracy:.3f}"] if accuracy is not None else []
        parts += [f"{self.summary['failed']} failed"] if self.summary.get("failed") else []
        return f"<Audit {self.folder}: {', '.join(parts)}>"

    def _tables(self, room: str, columns: list[str] | None) -> Iterator[Any]:
        for file in sorted((self.folder / room).glob("part-*.parquet")):
            with opened_parquet(file) as opened:
                stored = opened.schema_arrow.names
                # Version 1 has some columns by other names; those that it lacks are left to the reader's own error.
                old = {new: name for name, new in RENAMED.items() if name in stored and new not in stored}
                table = opened.read(columns=None if columns is None else [old.get(name, name) for name in columns])
            yield table.rename_columns([RENAMED[name] if name in old.values() else name for name in table.column_names])
