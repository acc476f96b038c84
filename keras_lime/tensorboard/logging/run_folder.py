"""`RunFolder`: which folder a training writes to, so that none erases another.

A training that begins where there are records already gets a run of its own, `lime-2` beside `lime`. One that resumes
continues the newest. A folder of this machine that another training is writing to is left to it. May import
the paths of `data`.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from keras_lime.data.folder_path import is_remote, make_folder

__all__ = ["RunFolder", "claim_run", "event_files"]

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows has no locks on folders: there, nobody is recognised as writing
    fcntl = None

_EMPTY = 128
"""Bytes of an event file below which it holds no record: its first event says its version alone."""


@dataclass(eq=False)
class RunFolder:
    """A folder that this process writes to, until `release`.

    Attributes:
        path: the folder; made if it was missing.
        resumes: whether it continues the records that are there.
        taken: the folder that it would have been if no other training were writing to it now, or None.
        kept: the folder with another training's records that were kept, or None.
    """

    path: Path
    resumes: bool = False
    taken: Path | None = None
    kept: Path | None = None
    _lock: int | None = None

    def release(self) -> None:
        """Lets others write there. Releasing twice does nothing."""
        lock, self._lock = self._lock, None
        if _HELD.get(self.path) is self:
            del _HELD[self.path]
        if lock is not None and fcntl is not None:
            with suppress(OSError):
                # Said aloud, not by closing alone: a forked worker that is still alive shares the lock.
                fcntl.flock(lock, fcntl.LOCK_UN)
            with suppress(OSError):
                os.close(lock)


_HELD: dict[Path, RunFolder] = {}
"""Folders of this process. A training of its own that was interrupted is not another one that is still writing."""


def claim_run(base: Path, resume: bool, own: Path | None = None) -> RunFolder:
    """Chooses the folder of a training and keeps others out of it.

    Args:
        base: the folder of the first training, such as `logs/run1/lime`; the others are `lime-2`, `lime-3` beside it.
        resume: whether the training continues another one: its first epoch is not 0.
        own: the folder of the same callback's last training, which it continues. Defaults to `None`.

    Returns:
        The `RunFolder`.

    Raises:
        OSError: if no folder can be made.
    """
    used = [path for path in _family(base) if event_files(path)]
    newest = used[-1] if used else None
    continued = own or (newest if resume else None)
    candidates = [] if continued is None else [continued]
    candidates += [path for path in [base, *_numbered(base)] if path not in used]
    taken = None
    for path in candidates:
        make_folder(path)
        lock = _lock(path)
        if lock is None:
            taken = taken or path
            continue
        resumes = path == continued
        if not resumes and event_files(path):
            # Another training has come, written and gone in the meantime.
            _unlock(lock)
            continue
        kept = None if resumes else newest
        folder = RunFolder(path, resumes, taken, kept, lock if lock >= 0 else None)
        _HELD[path] = folder
        return folder
    raise OSError(f"No folder beside {base} is free.")


def event_files(folder: Path) -> list[Path]:
    """Event files in a folder that hold more than their version, in the order in which TensorBoard reads them."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return []
    return [entry for entry in entries if "tfevents" in entry.name and _size(entry) > _EMPTY]


def _family(base: Path) -> list[Path]:
    """`lime`, `lime-2`, `lime-3`, … as far as they are there, by number."""
    try:
        names = [entry.name for entry in base.parent.iterdir()]
    except OSError:
        return []
    pattern = re.compile(re.escape(base.name) + r"(?:-([2-9]|[1-9]\d{1,8}))?")
    found = [(int(match[1] or 1), name) for name in names if (match := pattern.fullmatch(name))]
    return [base.with_name(name) for _, name in sorted(found)]


def _numbered(base: Path) -> list[Path]:
    """`lime-2` and so on, a hundred more than there are."""
    return [base.with_name(f"{base.name}-{number}") for number in range(2, len(_family(base)) + 102)]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _lock(folder: Path) -> int | None:
    """Locks a folder; a descriptor, −1 where folders cannot be locked, None where another process holds it."""
    held = _HELD.get(folder)
    if held is not None:
        held.release()
    if fcntl is None or is_remote(folder):
        # Stores have no locks either.
        return -1
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return -1
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:
        # Some network file systems have no locks.
        os.close(descriptor)
        return -1
    return descriptor


def _unlock(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
