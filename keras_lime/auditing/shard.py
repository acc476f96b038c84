"""The unit of an audit's work: some images, at hand or as a note of where they lie. May import numpy."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from keras_lime.core.model_input import OtherInputs

__all__ = ["Item", "Shard", "ShardReference"]


@dataclass(frozen=True, eq=False)
class Item:
    """One image of a data set, as it is stored there.

    Attributes:
        position: place in the data set, from 0.
        content: bytes of an image file, or the pixels (h, w) or (h, w, c) as the model takes them; None if it could not
            be read.
        path: path inside the folder or table, or None.
        label: true class; None or −1 where it is not known.
        mask: bytes of an image file or array (h, w), bright or True on the object; None if there is none.
        error: why it could not be read, or None.
        inputs: what the model takes beside the image, by name. Defaults to nothing.
    """

    position: int
    content: bytes | NDArray[Any] | None
    path: str | None = None
    label: int | None = None
    mask: bytes | NDArray[Any] | None = None
    error: str | None = None
    inputs: OtherInputs = field(default_factory=dict)


class ShardReference(Protocol):
    """A shard that is still to be read: small, so that it can be sent to the process that explains it."""

    @property
    def index(self) -> int:
        """Number of the shard, from 0."""

    def read(self) -> "Shard":
        """The images. What is wrong with one of them is its `Item.error`."""


@dataclass(frozen=True, eq=False)
class Shard:
    """Some images, which are explained together and whose rows lie in one file.

    Attributes:
        index: number of the shard, from 0.
        items: its images.
    """

    index: int
    items: tuple[Item, ...]

    def read(self) -> "Shard":
        """Itself: where images are in memory alone, a shard is its own `ShardReference`."""
        return self
