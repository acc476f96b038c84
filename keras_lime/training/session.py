"""`Session`: where one training writes and how its epochs are numbered there.

The epochs of a second `fit` of the same callback follow those of the first, as one record with a mark between. May
import the log.
"""

from collections.abc import Callable
from pathlib import Path

from keras_lime.data.folder_path import writing
from keras_lime.exceptions import warn
from keras_lime.tensorboard.logging.run_folder import RunFolder, claim_run
from keras_lime.tensorboard.logging.written_probes import WrittenProbes
from keras_lime.training.arguments import check_log_dir

__all__ = ["LogDir", "Session"]

LogDir = str | Path | Callable[[], str | Path]


class Session:
    """A callback's place in the file system, kept over several trainings.

    Args:
        log_dir: the folder, or a function that gives it at the start of each training.
        name: of the callback.
    """

    def __init__(self, log_dir: LogDir, name: str) -> None:
        self.log_dir, self._name = log_dir, name
        self._base: Path | None = None
        self._path: Path | None = None
        self._run: RunFolder | None = None
        self._last: int | None = None
        self.fits: list[int] = []
        """Steps at which the trainings in this run began."""
        self.offset = 0
        """What is added to an epoch to give its step."""
        self.written = WrittenProbes()
        """The probes that this run holds already."""

    @property
    def directory(self) -> Path | None:
        """The run's folder; before the first training the one that it asks for, None where a function says it then."""
        if self._path is None and not callable(self.log_dir):
            return check_log_dir(self.log_dir) / self._name
        return self._path

    def begin(self, epoch: int, writes: bool) -> Path:
        """Starts a training, before its first batch.

        Args:
            epoch: its first epoch; above 0 it resumes another one.
            writes: whether this process writes.

        Returns:
            The run's folder.

        Raises:
            OSError: if the folder cannot be made.
            ValueError: if the function gives no folder.
        """
        given = self.log_dir() if callable(self.log_dir) else self.log_dir
        base = check_log_dir(given) / self._name
        own = self._path if base == self._base else None
        path = base
        if writes:
            self.end()
            with writing("log_dir", base):
                self._run = claim_run(base, resume=epoch > 0, own=own)
            path = self._run.path
            if self._run.taken is not None:
                warn(
                    f"Another training is writing to {self._run.taken} at this moment, so this one writes to {path}. "
                    "Give each training a `log_dir` of its own."
                )
        if own is None or path != own:
            self.fits, self._last = [], None
        self._base, self._path = base, path
        # Who resumes gives the epochs their own numbers; who begins with a known one again means a further training.
        self.offset = self._last + 1 - epoch if self._last is not None and epoch <= self._last else 0
        first = epoch + self.offset
        self.fits = [*(step for step in self.fits if step < first), first]
        return path

    @property
    def remark(self) -> str:
        """What the user should know of the folder, as a sentence; mostly nothing."""
        if self._run is None or self._run.kept is None:
            return ""
        return f"Written to {self._run.path}, because {self._run.kept} holds another training."

    def explained(self, step: int) -> None:
        """Notes that a step was explained."""
        self._last = step if self._last is None else max(self._last, step)

    def end(self) -> None:
        """Leaves the folder to others."""
        if self._run is not None:
            self._run.release()
            self._run = None
