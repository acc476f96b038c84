"""A folder → one HTML file. May import the modules beside it and the core's `atomic_write`."""

from pathlib import Path

from keras_lime.core.atomic_write import atomic_write_bytes
from keras_lime.report.from_audit import audit_content
from keras_lime.report.from_log import log_content
from keras_lime.report.page import make_page

__all__ = ["make_report"]


def make_report(folder: Path, file: Path, title: str | None = None, palette: str = "green-red") -> Path:
    """Writes the report of an audit or of a log; see `keras_lime.write_report`.

    A report that is open while a new one is written stays what it was.

    Returns:
        The path of the file.
    """
    content = audit_content(folder) if (folder / "audit.json").exists() else log_content(folder)
    if title is not None:
        content["title"] = title
    page = make_page({**content, "palette": palette})
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(file, page.encode("utf-8"))
    return file
