"""Folders that users give, on this machine or in a store that fsspec speaks to. May import upath, where one is remote.

A remote folder is a `upath.UPath`, which has the methods of `pathlib.Path` and is none.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import cast

from keras_lime.data.local_path import local_path

__all__ = ["folder_path", "is_remote", "make_folder", "store_errors", "writing"]

_BUCKETS = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"}
"""Stores without folders. Making one there would make a bucket for a name that was mistyped."""


def folder_path(name: str, given: str | PathLike[str]) -> Path:
    """The path of an argument that may be an address, such as `"s3://bucket/logs"`.

    Args:
        name: the argument's name, for errors.
        given: its value.

    Returns:
        A `Path`, or a `UPath`, which knows nothing from an earlier look: others write there too.

    Raises:
        ValueError: if it is no path, or its store cannot be reached with what is installed.
    """
    if not isinstance(given, str | Path) and hasattr(given, "protocol"):
        return cast(Path, given)
    text = str(given)
    scheme = re.match(r"([A-Za-z][\w+.-]+):(/+)", text)
    if scheme is None or "\0" in text:
        return local_path(name, text)
    if scheme[2] == "/":
        raise ValueError(
            f"`{name}` must be a string where it is an address: `Path` makes one slash of two. Received: {text!r}. "
            f'Pass "{scheme[1]}://{text[scheme.end() :]}".'
        )
    if scheme[1] in ("file", "local"):
        return Path(text[scheme.end() - 1 :])
    try:
        from upath import UPath

        path = UPath(text, use_listings_cache=False)
        path.fs  # noqa: B018  the store's own package is imported here
    except ImportError as error:
        raise ValueError(
            f"`{name}` is an address, {text!r}, and what speaks to it is not installed. Run "
            f"`pip install 'keras-lime[remote]'`, or mount it. ({error})"
        ) from error
    except Exception as error:  # each store's package raises errors of its own
        raise ValueError(
            f"`{name}` must be a folder, or an address that fsspec knows and can reach. Received: {text!r}. "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        ) from error
    return cast(Path, path)


def is_remote(path: Path) -> bool:
    """Whether a path of `folder_path` is an address."""
    return not isinstance(path, Path)


def make_folder(folder: Path) -> None:
    """Makes a folder and its parents, where the store has folders.

    Raises:
        OSError: if it cannot be made.
    """
    if not is_remote(folder):
        folder.mkdir(parents=True, exist_ok=True)
    elif folder.protocol not in _BUCKETS:  # type: ignore[attr-defined]
        with store_errors():
            folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def store_errors() -> Iterator[None]:
    """Makes errors of the stores' own packages, as for missing credentials, what those of a disk are: `OSError`."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


@contextmanager
def writing(name: str, path: object) -> Iterator[None]:
    """Says in one sentence which argument's place cannot be written.

    Args:
        name: the argument's name.
        path: its place.

    Raises:
        OSError: of the kind that was raised, such as `PermissionError`.
    """
    try:
        with store_errors():
            yield
    except OSError as error:
        kind = OSError if error.errno is None else type(OSError(error.errno, ""))
        raise kind(
            f"`{name}` cannot be written: {str(path)!r} ({error.strerror or error}). Choose another place, or "
            "give this account the right to write there."
        ) from error
