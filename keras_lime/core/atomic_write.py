"""A file is there whole or not at all: written under a temporary name, then renamed. Standard library alone."""

import os
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["TEMPORARY_SUFFIX", "atomic_write", "atomic_write_bytes"]

TEMPORARY_SUFFIX = ".tmp"
"""Ends the name of a file that is being written, which also begins with a dot."""


def atomic_write(file: Path, write: Callable[[Path], object]) -> int:
    """Lets a function write a file that replaces `file` once it is complete and on the disk.

    A reader, and whoever comes after a crash, sees the old file or the new one. A link stays a link: the file that it
    names is replaced.

    In a store of objects, where nothing is renamed, the whole file is sent at once: it has an object whole or not at
    all.

    Args:
        file: where it goes; its folder must be there. A `UPath` for a file in a store.
        write: gets a temporary path, in the same folder or on this machine, and writes everything to it.

    Returns:
        Its size in bytes.

    Raises:
        OSError: if it cannot be written; `file` is then as it was, and nothing else is left behind.
    """
    if not isinstance(file, Path):
        return _send(file, write)
    target = Path(os.path.realpath(file))
    # A name of its own for each writer: a process that is slow to die may be writing the same file.
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}{TEMPORARY_SUFFIX}")
    try:
        write(part)
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        size = part.stat().st_size
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return size


def _send(file: Any, write: Callable[[Path], object]) -> int:
    with tempfile.TemporaryDirectory(prefix="keras_lime_") as folder:
        part = Path(folder) / str(file.name)
        write(part)
        size = part.stat().st_size
        file.fs.put_file(str(part), file.path)
    return size


def atomic_write_bytes(file: Path, content: bytes) -> int:
    """`atomic_write` of bytes that are there already; text is to be encoded as UTF-8."""
    return atomic_write(file, lambda part: part.write_bytes(content))
