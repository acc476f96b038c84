"""How a class is called where it has no name: the one fallback. May import the standard library alone."""

from collections.abc import Sequence

__all__ = ["class_title"]


def class_title(index: int, class_names: Sequence[str] | None, noun: str = "class") -> str:
    """The name of an output, or `"class 3"` where it has none.

    Args:
        index: position of the output, from 0 on.
        class_names: names of the outputs in order, fewer than there are outputs, or None.
        noun: what an output is; those of a regression are no classes. Defaults to `"class"`.

    Returns:
        The name as it was given, or the fallback.

    Example:
        >>> class_title(1, ["stop", "yield"])
        'yield'
        >>> class_title(3, None)
        'class 3'
    """
    named = class_names is not None and 0 <= index < len(class_names)
    return class_names[index] if class_names is not None and named else f"{noun} {index}"
