"""What every data set of an audit is turned into: a `Source`, which hands out references to shards.

Two kinds. An *addressable* source (a folder, arrays, a table) knows how many images it has and can begin with any
shard; its shards are cut from an order that mixes what comes sorted, so that every shard holds images of many classes
and the first shards are a fair sample. A *stream* (a data set, a generator) is taken in the order in which it comes.
Folders and files of tables hand out where the images lie, and whoever explains a shard reads it. May import numpy.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.shard import ShardReference

__all__ = ["AddressableSource", "Cutting", "Source", "mixed_order", "sha256_of"]


@dataclass(frozen=True)
class Cutting:
    """How a source is cut in shards.

    Attributes:
        size: images per shard.
        most: how many images to take at most, or None.
        seed: of the order of an addressable source.
    """

    size: int
    most: int | None = None
    seed: int = 0


class Source(Protocol):
    """The images of an audit, cut in shards.

    Attributes:
        class_names: names of the classes that the data know, or None.
        n_images: how many there are, or None for a stream that does not know.
        encoded: whether the contents are image files, which are decoded and resized.
        addressable: whether a shard can be read without those before it, and shards mix the classes.
    """

    class_names: tuple[str, ...] | None
    n_images: int | None
    encoded: bool
    addressable: bool

    def describe(self) -> dict[str, Any]:
        """JSON values that another data set, or the same with other images, does not share."""

    def shards(self, skip: Collection[int] = ()) -> Iterator[ShardReference]:
        """The shards in order; an addressable source leaves out those of `skip`, a stream gives them too."""


class AddressableSource(ABC):
    """Cuts an order of positions in shards; what makes a source must give `reference`.

    Args:
        order: int64 array (n,): positions in the data set, in the order in which they are worked on.
        cutting: how it is cut in shards.
    """

    addressable = True

    def __init__(self, order: NDArray[np.int64], cutting: Cutting) -> None:
        self._order = order[: cutting.most]
        self._size = cutting.size
        self.n_images: int | None = len(self._order)

    def shards(self, skip: Collection[int] = ()) -> Iterator[ShardReference]:
        """See `Source.shards`."""
        for index in range(-(-len(self._order) // self._size)):
            if index not in skip:
                positions = np.sort(self._order[index * self._size : (index + 1) * self._size])
                yield self.reference(index, positions)

    @abstractmethod
    def reference(self, index: int, positions: NDArray[np.int64]) -> ShardReference:
        """A shard of the images at some rising positions, from 0."""


def mixed_order(total: int, seed: int) -> NDArray[np.int64]:
    """All positions in an order drawn from the seed."""
    return np.random.default_rng([seed, total]).permutation(total)


def sha256_of(lines: Iterable[str] | dict[str, Any] | list[Any]) -> str:
    """Of lines of text, or of JSON values."""
    if isinstance(lines, dict | list):
        return hashlib.sha256(json.dumps(lines, sort_keys=True, default=str).encode()).hexdigest()
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()
