"""How long explaining takes, said where Keras says how long training takes. May import Keras."""

import time
from collections.abc import Mapping

import keras

from keras_lime.core.phrases import percent

__all__ = ["Progress"]


class Progress:
    """A Keras progress bar on a line of its own, one printed line, or nothing.

    Args:
        verbose: 1, 2 or 0, as in `fit`.
        total: number of probes or images, or None where it is not known.
        name: what the line begins with.
        unit: what is counted. Defaults to `"probe"`.
    """

    def __init__(self, verbose: int, total: int | None, name: str, unit: str = "probe") -> None:
        self._verbose, self._total, self._name, self._unit = verbose, total, name, unit
        self._began = time.perf_counter()
        self._bar = None
        self._done = 0
        if verbose == 1:
            # The training's own bar has not ended its line yet.
            print(f"\n{name}: explaining {'' if total is None else f'{total} '}{unit}s")
            self._bar = keras.utils.Progbar(total, verbose=1, unit_name=unit)

    def update(self, done: int) -> None:
        """Shows that `done` of them are explained."""
        self._done = done
        if self._bar is not None and (self._total is None or done < self._total):
            self._bar.update(done)

    def done(self, metrics: Mapping[str, float], epoch_share: float | None = None) -> None:
        """Ends the line with the metrics and the seconds spent.

        Args:
            metrics: numbers by name.
            epoch_share: share of the epoch's time that these are. Defaults to `None`, unknown.
        """
        seconds = time.perf_counter() - self._began
        count = self._done if self._total is None else self._total
        if self._bar is not None:
            spent = [(f"{self._name}_seconds", seconds)]
            spent += [] if epoch_share is None else [(f"{self._name}_epoch_share", epoch_share)]
            self._bar.update(count, [*metrics.items(), *spent], finalize=True)
        elif self._verbose == 2:
            numbers = " - ".join(f"{key}: {value:.4f}" for key, value in metrics.items())
            share = "" if epoch_share is None else f", {percent(epoch_share)} of the epoch"
            print(f"{self._name}: {count} {self._unit}s in {seconds:.1f}s{share} - {numbers}")
