"""Linear algebra in one thread. May import threadpoolctl."""

import functools
from contextlib import AbstractContextManager

from threadpoolctl import ThreadpoolController

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[object]:
    """Holds linear algebra to one thread.

    The matrices are small, and a training's own threads keep the cores busy: more than one thread of linear algebra
    would wait for the other, at fifty times the cost.
    """
    limit: AbstractContextManager[object] = _threads().limit(limits=1, user_api="blas")
    return limit


@functools.cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()
