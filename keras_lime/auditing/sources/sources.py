"""Where the images of an audit come from: anything that `audit()` takes → a `Source` of shards.

Two kinds. An *addressable* source (a folder, arrays, a table) knows how many images it has and reads any shard by
itself; its shards are cut from an order that mixes what comes sorted, so that every shard holds images of many classes
and the first shards are a fair sample. A *stream* (a data set, a generator) is taken in the order in which it comes.
Either holds no more than the shards that are being worked on. May import numpy, the core and `probes`; tables are in
`parquet_source`.
"""

import hashlib
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.preprocessing import Item, Shard
from keras_lime.data.arrays import to_numpy
from keras_lime.data.class_names import find_class_names
from keras_lime.data.datasets import class_ids, read_batches
from keras_lime.data.image_files import SUFFIXES, image_files
from keras_lime.exceptions import warn

__all__ = ["AddressableSource", "ArraySource", "Cutting", "FolderSource", "Source", "StreamSource", "cut", "sha256_of"]


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

    def shards(self, skip: Collection[int] = ()) -> Iterator[Shard]:
        """The shards in order; an addressable source leaves out those of `skip`, a stream gives them too."""


class AddressableSource(ABC):
    """Cuts an order of positions in shards; what makes a source must give `item`.

    Args:
        order: int64 array (n,): positions in the data set, in the order in which they are worked on.
        cutting: how it is cut in shards.
    """

    addressable = True

    def __init__(self, order: NDArray[np.int64], cutting: Cutting) -> None:
        self._order = order[: cutting.most]
        self._size = cutting.size
        self.n_images: int | None = len(self._order)

    def shards(self, skip: Collection[int] = ()) -> Iterator[Shard]:
        """See `Source.shards`."""
        for index in range(-(-len(self._order) // self._size)):
            if index not in skip:
                positions = np.sort(self._order[index * self._size : (index + 1) * self._size])
                yield Shard(index, tuple(self.item(int(position)) for position in positions))

    @abstractmethod
    def item(self, position: int) -> Item:
        """Reads one image, by its place in the data set from 0."""


def _permutation(total: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, total]).permutation(total)


class FolderSource(AddressableSource):
    """A folder of images by class; one without subfolders holds images without classes.

    Args:
        path: the folder.
        class_names: subfolders to use, in the order of the class ids, or None for all, sorted.
        masks: a folder of mask files with the paths of the images, whatever their endings, or None.
        cutting: how it is cut in shards.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it holds no images, or `masks` none for any of them.
    """

    encoded = True

    def __init__(self, path: Path, class_names: Sequence[str] | None, masks: Path | None, cutting: Cutting) -> None:
        self._path, self._masks = path, masks
        self.class_names, self._files, self._labels = _listed(path, class_names)
        self._mask_files = None if masks is None else _mask_files(masks)
        if self._mask_files is not None and not any(_stem(file) in self._mask_files for file in self._files):
            raise ValueError(
                f"`masks` must hold files with the paths of the images. Received: masks={str(masks)!r} with none for "
                f"{self._files[0]!r} or any other. For an image stop/7.jpg it is stop/7.png."
            )
        super().__init__(_permutation(len(self._files), cutting.seed), cutting)

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`: paths and sizes of all files."""
        digest = hashlib.sha256()
        for file in self._files:
            digest.update(os.fsencode(file) + f"\0{(self._path / file).stat().st_size}\n".encode())
        found: dict[str, Any] = {"kind": "folder", "images": self.n_images, "sha256": digest.hexdigest()}
        if self._masks is not None and self._mask_files is not None:
            found["masks"] = sha256_of(
                f"{_shown(name)}\0{(self._masks / name).stat().st_size}" for name in sorted(self._mask_files.values())
            )
        return found

    def item(self, position: int) -> Item:
        """See `AddressableSource.item`."""
        file, label = self._files[position], self._labels[position]
        try:
            content = (self._path / file).read_bytes()
            mask = self._mask_files.get(_stem(file)) if self._mask_files is not None else None
            found = None if mask is None or self._masks is None else (self._masks / mask).read_bytes()
        except OSError as error:
            return Item(position, None, _shown(file), label, error=f"{type(error).__name__}: {error.strerror}")
        return Item(position, content, _shown(file), label, found)


class ArraySource(AddressableSource):
    """Arrays `(images,)`, `(images, labels)` or `(images, labels, masks)`.

    Args:
        arrays: images (n, h, w, c) or (n, h, w), of any array library; labels as in `class_ids`; masks (n, h, w).
        cutting: how it is cut in shards.

    Raises:
        ValueError: if there are no images or the lengths differ.
    """

    encoded = False
    class_names: tuple[str, ...] | None = None

    def __init__(self, arrays: Sequence[Any], cutting: Cutting) -> None:
        images, labels, masks = (*arrays, None, None)[:3]
        count = len(images)
        if count == 0:
            raise ValueError("`dataset` must hold at least one image. Received: empty arrays.")
        if len(images.shape) not in (3, 4):
            raise ValueError(
                f"`dataset` must hold images (n, height, width, channels). Received: shape={tuple(images.shape)}."
            )
        self._images = images
        self._labels = None if labels is None else class_ids(labels, count)
        self._masks = masks
        if masks is not None and len(masks) != count:
            raise ValueError(
                f"`masks` must have one mask for each of the {count} images. Received: {len(masks)} masks."
            )
        super().__init__(_permutation(count, cutting.seed), cutting)

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`: shape, all labels, and some of the images and masks, which may be large."""
        digest = hashlib.sha256(f"{tuple(self._images.shape)} {self._images.dtype}".encode())
        if self._labels is not None:
            digest.update(self._labels.tobytes())
        for position in np.unique(np.linspace(0, len(self._images) - 1, 64).astype(int)):
            for array in (self._images, self._masks):
                if array is not None:
                    digest.update(np.ascontiguousarray(to_numpy(array[int(position)], "dataset")).tobytes())
        kind = {"kind": "arrays", "images": self.n_images, "sha256": digest.hexdigest()}
        return kind | {"masks": self._masks is not None}

    def item(self, position: int) -> Item:
        """See `AddressableSource.item`."""
        pixels = np.array(to_numpy(self._images[position], "dataset"))
        mask = None if self._masks is None else np.array(to_numpy(self._masks[position], "masks"))
        label = None if self._labels is None else int(self._labels[position])
        return Item(position, pixels, None, label, mask)


class StreamSource:
    """A `tf.data.Dataset`, `PyDataset`, torch `DataLoader`, generator or other iterable of batches.

    Args:
        dataset: see `keras_lime.data.datasets.read_batches`.
        cutting: how it is cut in shards.
    """

    encoded = addressable = False
    n_images: int | None = None

    def __init__(self, dataset: Any, cutting: Cutting) -> None:
        self._batches = read_batches(dataset)
        self._size, self._most = cutting.size, cutting.most
        self.class_names = find_class_names(dataset)

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`. A stream can only be compared as it is read: image by image, with what is done."""
        return {"kind": "stream", "max_images": self._most}

    def shards(self, skip: Collection[int] = ()) -> Iterator[Shard]:
        """See `Source.shards`; the data set is read once."""
        del skip
        return cut(self._items(), self._size, self._most)

    def _items(self) -> Iterator[Item]:
        position = 0
        for batch in self._batches:
            for row, image in enumerate(batch.images):
                label = None if batch.labels is None else int(batch.labels[row])
                # Copies: a view would keep the whole batch in memory.
                mask = None if batch.masks is None else batch.masks[row].copy()
                yield Item(position, image.copy(), None, label, mask)
                position += 1


def cut(items: Iterator[Item], size: int, most: int | None) -> Iterator[Shard]:
    """Shards of `size` items in order, of `most` items at most."""
    waiting: list[Item] = []
    index = 0
    for item in items:
        if item.position == most:
            break
        waiting.append(item)
        if len(waiting) == size:
            yield Shard(index, tuple(waiting))
            waiting, index = [], index + 1
    if waiting:
        yield Shard(index, tuple(waiting))


def sha256_of(lines: Any) -> str:
    """Of lines of text, or of anything else as JSON."""
    if isinstance(lines, dict | list):
        return hashlib.sha256(json.dumps(lines, sort_keys=True, default=str).encode()).hexdigest()
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def _listed(
    path: Path, class_names: Sequence[str] | None
) -> tuple[tuple[str, ...] | None, list[str], Sequence[int | None]]:
    """Class names, paths of the images in a fixed order, and their labels."""
    if not path.is_dir():
        raise FileNotFoundError(
            f"`dataset` must be a folder, a file or a data set. Received: {str(path)!r}, not there."
        )
    files: list[str] = []
    labels: list[int | None] = []
    folders = sorted(each.name for each in path.iterdir() if each.is_dir() and each.name[0] != ".")
    flat = class_names is None and not folders
    names = None if flat else tuple(folders if class_names is None else class_names)
    if class_names is not None:
        missing = [name for name in class_names if name not in folders]
        if len(missing) == len(class_names):
            raise ValueError(
                f"`class_names` must name the folders of {str(path)!r}. Received: {list(class_names)[:5]}. Folders "
                f"are: {folders[:20]}."
            )
        if missing:
            warn(f"{len(missing)} of {len(class_names)} classes have no folder and no images: {missing[:5]}.")
    for label, name in enumerate(names or (".",)):
        found = sorted(image_files(path, name))
        files += found
        labels += [None if flat else label] * len(found)
    if not files:
        raise ValueError(
            f"`dataset` must hold images ({', '.join(SUFFIXES)}), one folder per class. Received: {str(path)!r} "
            "without any."
        )
    return None if names is None else tuple(map(_shown, names)), files, labels


def _mask_files(masks: str | PathLike[str]) -> dict[str, str]:
    """Paths of all mask files inside their folder, by the path without its ending."""
    folder = Path(masks)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"`masks` must be a folder of mask images. Received: masks={str(masks)!r}, not a folder."
        )
    return {_stem(file): file for file in sorted(image_files(folder, "."))}


def _shown(path: str) -> str:
    """A path as text; bytes that are no text, in names from other systems, are spelt out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _stem(file: str) -> str:
    return file.rpartition(".")[0]
