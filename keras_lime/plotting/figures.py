"""Figures that need no pyplot, and that `plt.show()` shows where the user has pyplot with windows.

Without windows no global state is changed and nothing stays open. May import matplotlib.
"""

import sys
from io import BytesIO
from typing import Any

from matplotlib.backends import BackendFilter, backend_registry
from matplotlib.figure import Figure

__all__ = ["NotebookFigure", "figure_png", "new_figure", "shorten"]


class NotebookFigure(Figure):
    """Notebooks show pyplot's figures only; this one is shown without pyplot."""

    def _repr_png_(self) -> bytes:
        return figure_png(self)


def new_figure(**options: Any) -> Figure:
    """An empty figure, which notebooks show by themselves and `plt.show()` shows in scripts.

    pyplot keeps every figure that it is to show, so it only gets those that it can show: where the user has imported
    it, with a backend that opens windows.

    Args:
        **options: of `matplotlib.figure.Figure`, such as `figsize` in inches.
    """
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or pyplot.get_backend().lower() not in _with_windows():
        return NotebookFigure(**options)
    figure: Figure = pyplot.figure(FigureClass=NotebookFigure, **options)
    return figure


def _with_windows() -> set[str]:
    return {name.lower() for name in backend_registry.list_builtin(BackendFilter.INTERACTIVE)}


def figure_png(figure: Figure) -> bytes:
    """The figure as the bytes of a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def shorten(text: str, length: int) -> str:
    """One line of at most `length` letters."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
