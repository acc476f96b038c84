"""How many images are explained, and how many are tested. May import the standard library alone."""

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["DEFAULT_PROBES", "DEFAULT_TESTED", "Sizes"]

DEFAULT_PROBES = 20
"""Images that are explained where nobody asks for another number."""

DEFAULT_TESTED = 60
"""Images that shortcut tests use, the explained ones included, where nobody asks for another number: with 30 they
miss weak shortcuts, and below that they cannot decide."""


@dataclass(frozen=True)
class Sizes:
    """How many images are taken.

    Attributes:
        per_class: explained images of each class at most, or None.
        num_probes: explained images altogether at most, or None.
        num_tested: images altogether, the explained ones included, that shortcut tests use; None for the explained ones
            alone.
    """

    per_class: int | None
    num_probes: int | None
    num_tested: int | None = None

    def explained(self, per_class: Iterable[int]) -> int:
        """How many are explained of classes with so many images each."""
        available = sum(count if self.per_class is None else min(count, self.per_class) for count in per_class)
        return available if self.num_probes is None else min(available, self.num_probes)

    def taken(self, per_class: Iterable[int]) -> int:
        """How many are taken altogether of classes with so many images each."""
        return max(self.explained(per_class), self.num_tested or 0)
