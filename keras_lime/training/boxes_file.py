"""`BoxesFile`: object boxes that somebody lays into the folder of a running training. May import the probes.

The page saves such a file, `boxes.json`; whoever copies it into the run's folder need not begin the training anew.
"""

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from keras_lime.data.folder_path import is_remote
from keras_lime.exceptions import warn
from keras_lime.probes import ProbeSet

__all__ = ["BOXES_FILE", "BoxesFile"]

BOXES_FILE = "boxes.json"

_MOST_BYTES = 16 << 20


class BoxesFile:
    """Looks for the file at each explained epoch, and reads it where it has changed."""

    def __init__(self) -> None:
        self._digest: bytes | None = None

    def take(self, folder: Path, probes: ProbeSet) -> ProbeSet | None:
        """The probes with the file's boxes.

        Args:
            folder: of the run.
            probes: those of the training.

        Returns:
            A copy with object masks; None if there is no file, it was taken before, or it does not fit, of which a
            warning tells.

        Raises:
            OSError: if it cannot be read.
        """
        path = folder / BOXES_FILE
        # A pipe would keep the training waiting.
        if not path.is_file():
            return None
        size = path.stat().st_size
        content = str(size).encode() if size > _MOST_BYTES else path.read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest == self._digest:
            return None
        self._digest = digest
        try:
            if size > _MOST_BYTES:
                raise ValueError(f"It has {size >> 20} MiB, more than any boxes.")
            return _with_boxes(path, content, probes)
        except (ValueError, TypeError) as error:
            warn(f"{path} is not taken up: {error} Training goes on with the objects that it has.")
            return None


def _with_boxes(path: Path, content: bytes, probes: ProbeSet) -> ProbeSet:
    if not is_remote(path):
        return probes.with_boxes(path)
    with TemporaryDirectory() as folder:
        copy = Path(folder) / BOXES_FILE
        copy.write_bytes(content)
        return probes.with_boxes(copy)
