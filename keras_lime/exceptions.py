"""The category of every warning this package gives, and the one way to give one. Standard library alone."""

import sys
import warnings
from types import FrameType

__all__ = ["LimeWarning", "warn"]

_NOT_THE_USERS = frozenset({"concurrent", "jax", "keras", "keras_lime", "tensorflow", "threading", "torch"})
"""Packages between the user's line and a warning: `fit()` is Keras' code, and calls the callback."""


class LimeWarning(UserWarning):
    """An explanation that was made, but not as asked or not to be trusted; the text says what to do.

    The category of every warning that this package gives, so that one filter reaches all of them.

    Example:
        >>> import warnings
        >>> warnings.filterwarnings("error", category=LimeWarning)
    """


def warn(message: str) -> None:
    """Gives a `LimeWarning` that points at the user's line.

    That is the innermost frame outside of this package and of the libraries that call it. A fixed `stacklevel` would
    point into this package, because the same warning is reached over ways of different length.

    Args:
        message: what is wrong and what to do, in whole sentences.
    """
    frame = _users_frame(sys._getframe(1))
    warnings.warn_explicit(
        message,
        LimeWarning,
        filename=frame.f_code.co_filename,
        lineno=frame.f_lineno,
        module=frame.f_globals.get("__name__"),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _users_frame(frame: FrameType) -> FrameType:
    """The innermost frame of the user's, or the outermost one where there is none, as in a worker thread."""
    while frame.f_back is not None and _package(frame) in _NOT_THE_USERS:
        frame = frame.f_back
    return frame


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
