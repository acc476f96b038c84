"""A folder → one HTML file. May import the modules beside it, the core's `atomic_write` and the paths of `data`."""

from pathlib import Path
from typing import Any

from keras_lime.core.atomic_write import atomic_write_bytes
from keras_lime.data.folder_path import make_folder, writing
from keras_lime.report.from_audit import audit_content
from keras_lime.report.from_log import log_content
from keras_lime.report.page import make_page
from keras_lime.report.source_error import SourceError

__all__ = ["make_report"]


def make_report(folder: Path, file: Path, title: str | None = None, palette: str = "green-red") -> Path:
    """Writes the report of an audit or of a log; see `keras_lime.write_report`.

    A report that is open while a new one is written stays what it was.

    Returns:
        The path of the file.

    Raises:
        ValueError: if the folder holds neither, or one that is damaged.
    """
    content = _content(folder)
    if title is not None:
        content["title"] = title
    page = make_page({**content, "palette": palette})
    with writing("out", file):
        make_folder(file.parent)
        atomic_write_bytes(file, page.encode("utf-8"))
    return file


def _content(folder: Path) -> dict[str, Any]:
    is_audit = (folder / "audit.json").exists()
    try:
        return audit_content(folder) if is_audit else log_content(folder)
    except SourceError:
        raise
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        raise _damaged(folder, is_audit, error) from error


def _damaged(folder: Path, is_audit: bool, error: Exception) -> ValueError:
    """Says that files were changed or cut off: no error of this package's own tells that as it is found."""
    what, remedy = ("an audit", "Run it again with the same arguments") if is_audit else ("a log", "Leave it out")
    return ValueError(
        f"`source` holds {what} that is damaged: {str(folder)!r}. {remedy}. ({type(error).__name__}: {error})"
    )
