"""The one fallback for classes without a name."""

import pytest

from keras_lime.core.class_names import class_title


@pytest.mark.parametrize(
    ("index", "names", "title"),
    [
        (0, ("stop",), "stop"),
        (1, ("stop",), "class 1"),
        (3, None, "class 3"),
        (-1, ("stop", "yield"), "class -1"),
        (0, [], "class 0"),
    ],
)
def test_a_class_has_its_name_or_its_number(index: int, names: tuple[str, ...] | None, title: str) -> None:
    assert class_title(index, names) == title
