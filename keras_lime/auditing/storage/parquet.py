"""Opens the Parquet files of an audit, which may be in a store. May import pyarrow."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

__all__ = ["opened_parquet"]


@contextmanager
def opened_parquet(file: Path) -> Iterator[Any]:
    """Opens one file for reading.

    Args:
        file: a path, or a `UPath` for a file in a store, of which only the parts that are asked for are fetched.

    Yields:
        The `pyarrow.parquet.ParquetFile`, which is closed afterwards.

    Raises:
        OSError: if it is not there.
        pyarrow.ArrowException: if it is no Parquet file.
    """
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        source = file if isinstance(file, Path) else stack.enter_context(file.open("rb"))
        yield stack.enter_context(pq.ParquetFile(source))
