"""Reads an audit's folder: its rows in bounded batches, and the rows and pictures of single images.

Only shards that are done count; half-written Parquet files beside them are never opened. May import numpy and the
modules beside it; pyarrow when asked for rows.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.storage.parquet import opened_parquet
from keras_lime.auditing.storage.shards import done_shards

__all__ = ["RowBatch", "count_images", "explained", "row_batches", "rows_at"]

_BATCH_ROWS = 1024
"""Rows in memory at a time: a row of 50 superpixels takes some 4 kB, one of 1,000 superpixels 80 kB."""


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Some rows of an audit, superpixels one after the other; n rows, m superpixels of all of them together.

    Attributes:
        columns: arrays (n,) by column; strings and nullable integers as they are in Python, numbers as float64 with
            NaN for null.
        segments: float64 arrays (m,) by list column; a column whose lists are null gives NaN.
        row: int64 array (m,): the row of each superpixel.
        segment: int64 array (m,): its number within its image.
    """

    columns: Mapping[str, NDArray[Any]]
    segments: Mapping[str, NDArray[np.float64]]
    row: NDArray[np.int64]
    segment: NDArray[np.int64]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def take(self, chosen: NDArray[np.bool_]) -> "RowBatch":
        """The rows where `chosen` (n,) is True, and their superpixels."""
        kept = chosen[self.row]
        return RowBatch(
            {name: values[chosen] for name, values in self.columns.items()},
            {name: values[kept] for name, values in self.segments.items()},
            (np.cumsum(chosen) - 1)[self.row[kept]],
            self.segment[kept],
        )


def count_images(folder: Path) -> int:
    """Number of images in the shards that are done."""
    return sum(manifest.images for manifest in done_shards(folder).values())


def row_batches(
    folder: Path, columns: Sequence[str], segments: Sequence[str] = (), *, batch_rows: int = _BATCH_ROWS
) -> Iterator[RowBatch]:
    """Reads the rows of all finished shards in order, a bounded number at a time.

    Args:
        folder: the audit's folder.
        columns: columns with one value a row.
        segments: columns with a list a row; rows without superpixels, which are errors, stay in the batch.
        batch_rows: rows at a time. Defaults to `1024`.

    Yields:
        One `RowBatch` after the other. A list column that older audits do not have is NaN.
    """
    for shard in done_shards(folder):
        with opened_parquet(folder / "rows" / f"part-{shard:06d}.parquet") as file:
            for batch in file.iter_batches(batch_rows, columns=[*columns, *segments]):
                if batch.num_rows:
                    yield _batch(batch, columns, segments)


def explained(batch: RowBatch) -> NDArray[np.bool_]:
    """Rows (n,) that say why the model predicted what it did: the target is the predicted class, or a regression's.

    Needs the columns `target` and `predicted`; rows of images that failed are left out.
    """
    target, predicted = batch.columns["target"], batch.columns["predicted"]
    found: NDArray[np.bool_] = np.isfinite(target) & (np.isnan(predicted) | (target == predicted))
    return found


def rows_at(folder: Path, room: str, positions: Collection[int], columns: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of some images as dictionaries, in the order of the data set.

    Args:
        folder: the audit's folder.
        room: `"rows"` or `"pictures"`.
        positions: of the images.
        columns: which columns to read; `position` is always among them.

    Returns:
        One dictionary a row, with lists as numpy arrays.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array(sorted(positions), pa.int64())
    found: list[dict[str, Any]] = []
    for shard in done_shards(folder) if len(wanted) else ():
        with opened_parquet(folder / room / f"part-{shard:06d}.parquet") as file:
            # Most shards of a large audit hold none of them: one column says so.
            if not pc.any(pc.is_in(file.read(columns=["position"]).column(0), wanted)).as_py():
                continue
            for batch in file.iter_batches(_BATCH_ROWS, columns=list(dict.fromkeys(["position", *columns]))):
                found += batch.filter(pc.is_in(batch.column("position"), wanted)).to_pylist()
    return found


def _batch(batch: Any, columns: Sequence[str], segments: Sequence[str]) -> RowBatch:
    lengths = np.zeros(batch.num_rows, np.int64)
    known = [name for name in segments if name in batch.schema.names]
    for name in known:
        lengths = np.maximum(lengths, _lengths(batch.column(name)))
    row = np.repeat(np.arange(batch.num_rows), lengths)
    starts = np.cumsum(lengths) - lengths
    return RowBatch(
        {name: _plain(batch.column(name)) for name in columns},
        {
            name: _flat(batch.column(name), lengths) if name in known else np.full(int(lengths.sum()), np.nan)
            for name in segments
        },
        row,
        np.arange(len(row)) - starts[row],
    )


def _lengths(column: Any) -> NDArray[np.int64]:
    import pyarrow.compute as pc

    lengths: NDArray[np.int64] = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    return lengths.astype(np.int64)


def _flat(column: Any, lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lists of a column behind one another, NaN where a row has none."""
    own = _lengths(column)
    values = _numbers(column.flatten())
    if np.array_equal(own, lengths):
        return values
    flat = np.full(int(lengths.sum()), np.nan)
    flat[np.repeat(own == lengths, lengths)] = values[np.repeat(own == lengths, own)]
    return flat


def _plain(column: Any) -> NDArray[Any]:
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return _numbers(column)
    return np.array(column.to_pylist(), dtype=object)


def _numbers(column: Any) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.uint8())
    filled = pc.fill_null(pc.cast(column, pa.float64()), np.nan)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.float64)
