"""A setting as text: what a command line says about it, and how it reads what is typed. Standard library alone."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

__all__ = ["Option", "count_or_auto", "index_or_name", "number_or_name"]


@dataclass(frozen=True)
class Option:
    """One setting of the explainer as text.

    Attributes:
        help: a few words, without full stop and without the default.
        parse: text → value; raises ValueError for what it cannot read. Whether the value is allowed, `Settings` checks.
        metavar: stands for the value in a synopsis.
        choices: the names that are allowed, empty where it is no name; may be a registry that grows.
        also: what else is allowed beside the names or numbers.
        several: whether more than one value may be given.
    """

    help: str
    parse: Callable[[str], Any]
    metavar: str
    choices: Collection[str] = ()
    also: str = ""
    several: bool = False

    def describe(self, default: Any = None) -> str:
        """The help with the choices and the default, for `--help`.

        Args:
            default: the value that holds where none is given. Defaults to `None`, none is named.
        """
        allowed = ", ".join(self.choices)
        allowed += f"{' or ' if allowed else ''}{self.also}" if self.also else ""
        separator = " or " if self.also and not self.choices else ": "
        text = f"{self.help}{separator}{allowed}" if allowed else self.help
        if isinstance(default, tuple):
            default = " ".join(map(str, default))
        return text if default is None else f"{text} (default: {default})"


def count_or_auto(text: str) -> int | str:
    """A whole number, or `"auto"`."""
    return text if text == "auto" else int(text)


def number_or_name(text: str) -> float | str:
    """A number where the text is one, else the text."""
    try:
        return float(text)
    except ValueError:
        return text


def index_or_name(text: str) -> int | str:
    """A whole number from 0 on where the text is one, else the text."""
    return int(text) if text.isdecimal() else text
