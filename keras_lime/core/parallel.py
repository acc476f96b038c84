"""The same function of many things, in threads where that saves waiting. May import the standard library alone.

Threads and not processes: scikit-image's loops run without Python's lock, and threads need neither a `__main__` guard
in the user's script nor a second interpreter, which would take longer to start than most probe sets take to segment.
"""

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["map_all"]

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 1.0
"""Seconds that may pass before threads are started."""


def map_all(function: Callable[[T], R], things: Sequence[T], *, thread_safe: bool = True) -> list[R]:
    """`[function(thing) for thing in things]`, in threads if the first one says that the rest will take long.

    Args:
        function: gives the same result in any thread.
        things: any number.
        thread_safe: whether `function` may run in several threads at once. Defaults to `True`.

    Returns:
        The results, in order.
    """
    if not things:
        return []
    began = time.perf_counter()
    found = [function(things[0])]
    rest = (time.perf_counter() - began) * (len(things) - 1)
    workers = min(len(things) - 1, _cores())
    if not thread_safe or rest <= PATIENCE or workers < 2:
        return found + [function(thing) for thing in things[1:]]
    with ThreadPoolExecutor(workers, thread_name_prefix="keras_lime") as pool:
        return found + list(pool.map(function, things[1:]))


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
