"""How long explaining takes, said where Keras says how long training takes. May import Keras."""

import time
from collections.abc import Mapping

import keras

__all__ = ["Progress"]


class Progress:
    """A Keras progress bar on a line of its own, one printed line, or nothing.

    Args:
        verbose: 1, 2 or 0, as in `fit`.
        total: number of probes.
        name: what the line begins with.
    """

    def __init__(self, verbose: int, total: int, name: str) -> None:
        self._verbose, self._total, self._name = verbose, total, name
        self._began = time.perf_counter()
        self._bar = None
        if verbose == 1:
            # The training's own bar has not ended its line yet.
            print(f"\n{name}: explaining {total} probes")
            self._bar = keras.utils.Progbar(total, verbose=1, unit_name="probe")

    def update(self, done: int) -> None:
        """Shows that `done` probes are explained."""
        if self._bar is not None and done < self._total:
            self._bar.update(done)

    def done(self, metrics: Mapping[str, float]) -> None:
        """Ends the line with the metrics and the seconds spent."""
        seconds = time.perf_counter() - self._began
        if self._bar is not None:
            self._bar.update(self._total, [*metrics.items(), (f"{self._name}_seconds", seconds)], finalize=True)
        elif self._verbose == 2:
            numbers = " - ".join(f"{key}: {value:.4f}" for key, value in metrics.items())
            print(f"{self._name}: {self._total} probes in {seconds:.1f}s - {numbers}")
