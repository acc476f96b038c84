"""Reads a file that a data set names, whatever it turns out to be. May import the standard library alone."""

import os
import stat
from pathlib import Path

__all__ = ["file_size", "read_regular_file"]

_MOST_BYTES = 1 << 29
"""No image file is larger: 512 MiB."""


def read_regular_file(file: Path, inside: Path | None = None) -> bytes:
    """The content of a file, never of a pipe, a device or a folder, for which a reader might wait for ever.

    Args:
        file: the file, or a link to one.
        inside: the folder that the file must lie in once links and `..` are followed. Defaults to `None`: anywhere,
            since data sets are often folders of links.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is something else, larger than 512 MiB, or outside the folder.
    """
    if "\0" in str(file):
        raise ValueError(f"the path {str(file)!r} holds a zero byte")
    if inside is not None and not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(inside)):
        raise ValueError(f"the path {str(file)!r} leads out of {str(inside)!r}")
    # Without O_NONBLOCK, opening a pipe waits for somebody who writes.
    handle = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        if status.st_size > _MOST_BYTES:
            raise ValueError(f"the file has {status.st_size / 2**20:.0f} MiB, more than any image")
        return opened.read(_MOST_BYTES)


def file_size(file: Path) -> int:
    """Its size in bytes, −1 for a link that leads nowhere."""
    try:
        return file.stat().st_size
    except OSError:
        return -1
