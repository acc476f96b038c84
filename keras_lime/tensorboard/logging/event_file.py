"""Where event files go: a file of this machine, or objects of a store. Either takes whole flushes or nothing.

Standard library alone; a remote folder brings its own methods.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from keras_lime.data.folder_path import is_remote, store_errors

__all__ = ["EventFile", "LocalEventFile", "RemoteEventFile", "open_event_file"]

_PART = 4 << 20
"""Bytes of an object from which on a flush begins the next: what is sent at each flush stays small."""


class EventFile(Protocol):
    """A file that grows by whole flushes."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""

    def append(self, content: bytes) -> None:
        """Adds all of `content`.

        Raises:
            OSError: if it cannot; nothing of it is there then, or the file is `lost`.
        """

    @property
    def lost(self) -> str | None:
        """Why nothing that is added now would be read, or None."""

    def close(self) -> None:
        """Closes it. Closing twice does nothing."""


def open_event_file(path: Path) -> EventFile:
    """A new event file.

    Raises:
        OSError: if it cannot be made.
    """
    return RemoteEventFile(path) if is_remote(path) else LocalEventFile(path)


class LocalEventFile:
    """A file that is cut back to its last whole flush where the disk refuses, and stays readable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("xb", buffering=0)
        self._size = 0
        self._damaged = False

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._file.closed

    @property
    def lost(self) -> str | None:
        """Whether it was deleted, or ends in half a record."""
        if self._damaged:
            return "its end could not be repaired after a failed write"
        try:
            deleted = os.fstat(self._file.fileno()).st_nlink == 0
        except (OSError, ValueError):
            return None
        return "it was deleted" if deleted else None

    def append(self, content: bytes) -> None:
        """Adds all of `content`, or nothing."""
        view, written = memoryview(content), 0
        try:
            while written < len(view):
                written += self._file.write(view[written:]) or 0
        except OSError:
            # Half a record would hide everything that follows it.
            try:
                self._file.truncate(self._size)
                self._file.seek(self._size)
            except OSError:
                # The first error tells more.
                self._damaged = self._damaged or written > 0
            raise
        self._size += len(content)

    def close(self) -> None:
        """Closes it."""
        self._file.close()


class RemoteEventFile:
    """Objects of a few megabytes, in the order of their names; each flush sends the last one anew.

    Stores have no append, and put an object there whole or not at all: a reader sees the old one or the new one.
    """

    def __init__(self, path: Path) -> None:
        self._first, self.path = path, path
        self._number = 0
        self._content = b""
        self._written = False
        self.closed = False

    @property
    def lost(self) -> str | None:
        """Whether its first object, which says what the run is, was deleted."""
        if not self._written:
            return None
        with suppress(Exception):
            return None if self._first.exists() else "it was deleted"
        # The store does not answer: the next flush tells.
        return None

    def append(self, content: bytes) -> None:
        """Adds all of `content`, or nothing."""
        if len(self._content) >= _PART:
            self._number += 1
            self.path, self._content = self._first.with_name(f"{self._first.name}.{self._number:06d}"), b""
        grown = self._content + content
        with store_errors():
            self.path.write_bytes(grown)
        self._content = grown
        self._written = True

    def close(self) -> None:
        """Takes nothing any more."""
        self.closed = True
        self._content = b""
