"""`WrittenProbes`: which records of probes a run holds already, so that a further training does not write them again.

May import the standard library alone.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

__all__ = ["WrittenProbes"]


class WrittenProbes:
    """What sessions of one process wrote to event files that are still there.

    A session's start takes away earlier values from its first step on, so that only records of earlier steps count.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, int, Path]] = {}
        self._pending: dict[str, tuple[bytes, int, Path]] = {}

    def needs(self, tag: str, step: int, parts: Sequence[bytes], file: Path) -> bool:
        """Whether a record must be written at a step; if so it counts as written there after `flushed`.

        Args:
            tag: the probe's.
            step: at which its session begins.
            parts: the record's.
            file: event file that it would be written to.
        """
        digest = hashlib.sha256(b"\0".join(parts)).digest()
        known, at, where = self._known.get(tag, (b"", step, file))
        # Whoever clears a log directory between two trainings takes the records away.
        if known == digest and at < step and where.parent == file.parent and where.exists():
            return False
        self._pending[tag] = (digest, step, file)
        return True

    def flushed(self) -> None:
        """What was asked for since the last time is on the disk."""
        self._known |= self._pending
        self._pending = {}

    def forget(self) -> None:
        """Nothing is known of what is on the disk."""
        self._known, self._pending = {}, {}
