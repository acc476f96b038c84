"""`Journal`: what one training leaves in its run, records at every explained epoch and pictures at a few of them.

What cannot be written is told, and everything else goes on. May import the log.
"""

from collections.abc import Sequence
from typing import Any

from keras_lime.core.display import DisplayFn
from keras_lime.core.pipeline import Subject
from keras_lime.core.plan import Plan
from keras_lime.probes import ProbeSet
from keras_lime.scoring import release_weights
from keras_lime.shortcut.probe_data import display_of
from keras_lime.tensorboard.logging.log import LimeLog
from keras_lime.training.failures import Failure, Failures
from keras_lime.training.nearest_images import NearestImages
from keras_lime.training.outcome import EpochOutcome
from keras_lime.training.schedule import PictureSchedule

__all__ = ["Journal"]


class Journal:
    """Writes one training's epochs; closed at its end.

    Args:
        log: what writes them.
        failures: guards each step.
        max_images: probes whose overlays are drawn.
        nearest: finds the nearest training images, or None.
        trained: the model in training, or None.
        display_fn: see `Settings`.
    """

    def __init__(
        self,
        log: LimeLog,
        failures: Failures,
        max_images: int,
        *,
        nearest: NearestImages | None,
        trained: Any,
        display_fn: DisplayFn | None,
    ) -> None:
        self.log = log
        self.schedule = PictureSchedule(None)
        """Which epochs leave pictures; the callback sets it where it knows the epochs to come."""
        self._failures = failures
        self._max_images = max_images
        self._nearest = nearest
        self._trained = trained
        self._display_fn = display_fn
        self._outcome: EpochOutcome | None = None
        self._pictured: int | None = None

    def write(
        self, outcome: EpochOutcome, plans: Sequence[Plan], subjects: Sequence[Subject], probes: ProbeSet
    ) -> None:
        """Writes an epoch, and its pictures if it is one of those that leave some.

        Args:
            outcome: the epoch's.
            plans: of the probes, in the order of its explanations.
            subjects: who they are.
            probes: the probes themselves.
        """
        self._outcome = outcome
        with self._failures.guard(Failure.WRITE, outcome.step):
            self.log.write(outcome, plans, subjects)
        if self.schedule.takes(outcome.step):
            self._write_pictures()
            self._write_neighbours(outcome.step, probes)

    def close(self) -> None:
        """Writes the last epoch's pictures and closes the event file."""
        self._write_pictures()
        with self._failures.guard(Failure.CLOSE):
            self.log.close()

    def _write_pictures(self) -> None:
        outcome = self._outcome
        if outcome is None or outcome.step == self._pictured:
            return
        self._pictured = outcome.step
        with self._failures.guard(Failure.PICTURES, outcome.step):
            self.log.pictures(outcome.explanations[: self._max_images])
            if self._max_images:
                self.log.swaps(outcome)

    def _write_neighbours(self, step: int, probes: ProbeSet) -> None:
        if self._nearest is None:
            return
        with self._failures.guard(Failure.NEIGHBOURS, step):
            release_weights(self._trained)
            found = self._nearest.find(probes.images)
            if found is not None:
                self.log.neighbours(step, found, probes.ids, display_of(probes.images, self._display_fn))
