"""Which shortcut tests there are. A test that is registered reaches callback, report, log and page by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from keras_lime.shortcut.background_swap import BackgroundSwap
from keras_lime.shortcut.hidden_regions import HiddenRegions
from keras_lime.shortcut.marker_search import MarkerSearch
from keras_lime.shortcut.protocol import ShortcutTest

__all__ = ["registered", "shortcut_test", "shortcut_tests"]

_TESTS: dict[str, ShortcutTest] = {test.name: test for test in (BackgroundSwap(), MarkerSearch(), HiddenRegions())}
"""The tests in the order in which they are made and told."""


def shortcut_tests() -> tuple[ShortcutTest, ...]:
    """All tests, in order."""
    return tuple(_TESTS.values())


def shortcut_test(name: str) -> ShortcutTest:
    """The test of that name.

    Raises:
        KeyError: if there is none.
    """
    return _TESTS[name]


@contextmanager
def registered(test: ShortcutTest) -> Iterator[None]:
    """Adds a test, or replaces the one of its name, for as long as the block runs."""
    before = dict(_TESTS)
    _TESTS[test.name] = test
    try:
        yield
    finally:
        _TESTS.clear()
        _TESTS.update(before)
