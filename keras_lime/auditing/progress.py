"""How far an audit is: one line that is written over on a terminal, now and then a line elsewhere, or nothing.

May import the standard library and the core's `phrases`.
"""

import sys
import time

from keras_lime.core.phrases import count_of

__all__ = ["AuditProgress"]

_SECONDS_BETWEEN = {True: 0.2, False: 60.0}
"""Between two lines, on a terminal and in the log of a job."""


class AuditProgress:
    """Counts images and says how many there are.

    Args:
        verbose: 0 silent, 1 how far it is, 2 one line at the end.
        total: number of images, or None where it is not known.
    """

    def __init__(self, verbose: int, total: int | None) -> None:
        self._verbose, self._total = verbose, total
        self._terminal = sys.stdout.isatty()
        self._began = self._said = time.monotonic()
        self._images = 0
        if verbose == 1:
            print(f"audit: explaining {'images' if total is None else count_of(total, 'image')}", flush=True)

    def add(self, images: int) -> None:
        """So many images more are done."""
        self._images += images
        now = time.monotonic()
        if self._verbose == 1 and now - self._said >= _SECONDS_BETWEEN[self._terminal]:
            self._said = now
            ending = "\r" if self._terminal else "\n"
            print(self._line(now - self._began).ljust(72), end=ending, flush=True)

    def done(self, failed: int) -> None:
        """Says how long it took."""
        if self._verbose:
            seconds = time.monotonic() - self._began
            text = f"audit: {count_of(self._images, 'image')} in {_clock(seconds)}, {failed:,} failed"
            # Blanks write over what is left of a longer line.
            print(text.ljust(72) if self._terminal else text, flush=True)

    def _line(self, seconds: float) -> str:
        rate = self._images / seconds if seconds > 0 else 0.0
        of, left = "", ""
        if self._total is not None:
            of = f" of {self._total:,}"
            left = f", {_clock((self._total - self._images) / rate)} left" if rate else ""
        return f"audit: {self._images:,}{of} images, {rate:.3g} a second{left}"


def _clock(seconds: float) -> str:
    """`"1.2 s"`, `"2:13 min"`, `"5:07 h"`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds) // 60
    return f"{minutes}:{round(seconds) % 60:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"
