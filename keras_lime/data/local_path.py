"""Paths that users give. May import the standard library alone."""

import re
from os import PathLike, fspath
from pathlib import Path

__all__ = ["local_path"]


def local_path(name: str, given: str | PathLike[str]) -> Path:
    """The path of an argument.

    Args:
        name: the argument's name, for errors.
        given: its value.

    Raises:
        ValueError: if it is an address of something that is no file system, or no path at all.
    """
    text = fspath(given)
    # `Path` makes one slash of two.
    if re.match(r"[A-Za-z][\w+.-]+:/", text):
        raise ValueError(
            f"`{name}` must be a path on a file system. Received: {text!r}, an address. Mount it, or copy it first."
        )
    if "\0" in text:
        raise ValueError(f"`{name}` must be a path. Received: {text!r}, which holds a zero byte.")
    return Path(text)
