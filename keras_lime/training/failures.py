"""`Failures`: what goes wrong during a training, told once for each kind and counted. Training goes on.

Imports nothing heavy.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Literal

from keras_lime.core.phrases import count_of
from keras_lime.exceptions import LimeWarning, warn

__all__ = ["Failure", "Failures"]


class Failure(Enum):
    """Kinds of failures: what could not be done in an epoch, and how their count is told at the end.

    Attributes:
        first: of the first one, after "LimeCallback".
        count: of all of them, at the end.
    """

    def __init__(self, first: str, count: str) -> None:
        self.first, self.count = first, count

    CHOOSE = ("could not ask `epochs` about epoch {epoch}, and explains it", "`epochs` raised in {epochs}.")
    BOXES = ("could not take up boxes at epoch {epoch}", "Boxes could not be taken up in {epochs}.")
    EXPLAIN = ("could not explain epoch {epoch}", "{epochs} could not be explained.")
    TEST = ("could not test epoch {epoch} for shortcuts", "{epochs} could not be tested for shortcuts.")
    COMPARE = ("could not compare epoch {epoch} with `val_accuracy`", "{epochs} could not be compared.")
    STOP = ("could not stop the training at epoch {epoch}", "In {epochs} the training could not be stopped.")
    HOOK = ("`on_alarm` failed at epoch {epoch}", "`on_alarm` failed in {epochs}.")
    WRITE = ("could not write epoch {epoch} to {folder}", "{epochs} could not be written to {folder}.")
    PICTURES = ("could not write the pictures of epoch {epoch} to {folder}", "The pictures of {epochs} are missing.")
    NEIGHBOURS = (
        "could not find the nearest training images of epoch {epoch}",
        "Nearest training images are missing in {epochs}.",
    )
    CLOSE = ("could not finish its log in {folder}", "The log in {folder} could not be finished.")
    PROGRESS = ("could not show the progress of epoch {epoch}", "The progress of {epochs} could not be shown.")


class Failures:
    """Guards what must not depend on each other.

    Args:
        mode: `"warn"` tells the first failure of each kind; `"raise"` keeps the first of all for `raise_pending`.
    """

    def __init__(self, mode: Literal["warn", "raise"]) -> None:
        self.mode = mode
        self.folder: object = "its folder"
        self._counts: Counter[Failure] = Counter()
        self._pending: Exception | None = None

    @contextmanager
    def guard(self, kind: Failure, epoch: int | None = None) -> Iterator[None]:
        """Runs one thing; what it raises stops nothing else."""
        try:
            yield
        except LimeWarning as warning:
            # The user's own filter makes errors of warnings: that one is meant to be seen.
            self._keep(warning)
        except Exception as error:
            self._counts[kind] += 1
            if self.mode == "raise":
                self._keep(error)
            elif self._counts[kind] == 1:
                what = kind.first.format(epoch=epoch, folder=self.folder)
                goes_on = "" if kind is Failure.CLOSE else "; training goes on, and this is said once"
                self._warn(f"LimeCallback {what}{goes_on}. {type(error).__name__}: {error}")

    def count(self, kind: Failure) -> int:
        """How often it has failed."""
        return self._counts[kind]

    def raise_pending(self) -> None:
        """Raises the first failure that was kept, once everything else is done."""
        error, self._pending = self._pending, None
        if error is not None:
            raise error

    def summarise(self) -> None:
        """Tells how often each kind failed, if more than the once that was told, and begins to count anew."""
        counts, self._counts = self._counts, Counter()
        repeated = [
            kind.count.format(epochs=count_of(count, "epoch"), folder=self.folder)
            for kind, count in counts.items()
            if count > 1
        ]
        if repeated and self.mode == "warn":
            self._warn(f"LimeCallback, at the end of training: {' '.join(repeated)}")

    def _warn(self, message: str) -> None:
        try:
            warn(message)
        except LimeWarning as warning:
            self._keep(warning)

    def _keep(self, error: Exception) -> None:
        self._pending = self._pending or error
