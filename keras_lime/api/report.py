"""`write_report`: a folder → one HTML file. Thin, over `keras_lime.report`."""

from os import PathLike
from pathlib import Path
from typing import Literal

from keras_lime.data.folder_path import folder_path
from keras_lime.report.make_report import make_report

__all__ = ["write_report"]


def write_report(
    source: str | PathLike[str],
    out: str | PathLike[str],
    *,
    title: str | None = None,
    palette: Literal["green-red", "blue-orange"] = "green-red",
) -> Path:
    """Writes a report that opens from disk in any browser, without a server and without network.

    It says in sentences what was found, lists classes by how doubtful they are, shows what speaks for each class with
    examples, mistakes and typical pictures with their explanations, and what the method cannot say. The number of
    pictures in it is bounded, whatever the size of the data set: about 10 MB at most.

    Args:
        source: the folder of a finished audit, or a TensorBoard log directory with records of `LimeCallback`; of a log
            the newest epoch of each run is told. Both may be in a store: `"s3://bucket/logs"`.
        out: the HTML file, which may be in a store too; its folder is made if it is missing.
        title: heading of the report. Defaults to `None`, a heading after the data set or log directory.
        palette: colours of what speaks for and against: `"green-red"`, or `"blue-orange"`, which is safe for
            colour-blind readers. Defaults to `"green-red"`.

    Returns:
        The path of the file.

    Raises:
        ValueError: if `source` holds neither, or an audit that was not finished.
        OSError: if `out` cannot be written.

    Example:
        >>> write_report("audits/signs", "signs.html")
        >>> write_report("logs/run1", "run1.html")
    """
    folder, file = folder_path("source", source), folder_path("out", out)
    if palette not in ("green-red", "blue-orange"):
        raise ValueError(f'`palette` must be "green-red" or "blue-orange". Received: palette={palette!r}.')
    if not folder.is_dir():
        raise ValueError(f"`source` must be a folder. Received: {str(folder)!r}, which is none.")
    if file.is_dir():
        raise ValueError(f"`out` must be the path of an HTML file. Received: {str(file)!r}, which is a folder.")
    return make_report(folder, file, title, palette)
