"""Figures that need no pyplot: no global state is read or changed, nothing stays open. May import matplotlib."""

from io import BytesIO

from matplotlib.figure import Figure

__all__ = ["NotebookFigure", "figure_png", "shorten"]


class NotebookFigure(Figure):
    """Notebooks show pyplot's figures only; this one is shown without pyplot."""

    def _repr_png_(self) -> bytes:
        return figure_png(self)


def figure_png(figure: Figure) -> bytes:
    """The figure as the bytes of a PNG file."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def shorten(text: str, length: int) -> str:
    """One line of at most `length` letters."""
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
