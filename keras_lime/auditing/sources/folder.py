"""A folder of image files → shards of paths, read by whoever explains them. May import numpy and `data`."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.shard import Item, Shard
from keras_lime.auditing.sources.regular_file import file_size, read_regular_file
from keras_lime.auditing.sources.source import AddressableSource, Cutting, mixed_order, sha256_of
from keras_lime.data.image_files import SUFFIXES, image_files
from keras_lime.data.mask_files import find_mask_files, stem
from keras_lime.exceptions import warn

__all__ = ["FolderSource"]


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
        # Absolute, since another process with another working folder may read the files.
        self._path, self._masks = path.absolute(), None if masks is None else masks.absolute()
        self.class_names, self._files, self._labels = _listed(path, class_names)
        self._mask_files = None if masks is None else find_mask_files(masks)
        if self._mask_files is not None and not any(stem(file) in self._mask_files for file in self._files):
            raise ValueError(
                f"`masks` must hold files with the paths of the images. Received: masks={str(masks)!r} with none for "
                f"{self._files[0]!r} or any other. For an image stop/7.jpg it is stop/7.png."
            )
        super().__init__(mixed_order(len(self._files), cutting.seed), cutting)

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`: paths and sizes of all files."""
        digest = hashlib.sha256()
        for file in self._files:
            digest.update(os.fsencode(file) + f"\0{file_size(self._path / file)}\n".encode())
        described: dict[str, Any] = {"kind": "folder", "images": self.n_images, "sha256": digest.hexdigest()}
        if self._masks is not None and self._mask_files is not None:
            masks = self._masks
            described["masks"] = sha256_of(
                f"{_shown(name)}\0{file_size(masks / name)}" for name in sorted(self._mask_files.values())
            )
        return described

    def reference(self, index: int, positions: NDArray[np.int64]) -> "FolderShard":
        """See `AddressableSource.reference`."""
        entries = tuple(self._entry(int(position)) for position in positions)
        return FolderShard(index, self._path, self._masks, entries)

    def _entry(self, position: int) -> "_Entry":
        file = self._files[position]
        mask = None if self._mask_files is None else self._mask_files.get(stem(file))
        return position, file, self._labels[position], mask


_Entry = tuple[int, str, int | None, str | None]
"""Position, path of the image, label, path of the mask."""


@dataclass(frozen=True)
class FolderShard:
    """A `ShardReference` to files.

    Attributes:
        index: number of the shard.
        path: folder of the images.
        masks: folder of the masks, or None.
        entries: position, path, label and mask's path of each image.
    """

    index: int
    path: Path
    masks: Path | None
    entries: tuple[_Entry, ...]

    def read(self) -> Shard:
        """See `ShardReference.read`."""
        return Shard(self.index, tuple(self._item(*entry) for entry in self.entries))

    def _item(self, position: int, file: str, label: int | None, mask_file: str | None) -> Item:
        mask = None
        try:
            content = read_regular_file(self.path / file)
            if mask_file is not None and self.masks is not None:
                mask = read_regular_file(self.masks / mask_file)
        except (OSError, ValueError) as error:
            reason = f"{type(error).__name__}: {error.strerror}" if isinstance(error, OSError) else str(error)
            return Item(position, None, _shown(file), label, error=reason)
        return Item(position, content, _shown(file), label, mask)


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
        _check_names(path, class_names, folders)
    for label, name in enumerate(names or (".",)):
        listed = sorted(image_files(path, name))
        files += listed
        labels += [None if flat else label] * len(listed)
    if not files:
        raise ValueError(
            f"`dataset` must hold images ({', '.join(SUFFIXES)}), one folder per class. Received: {str(path)!r} "
            "without any."
        )
    return None if names is None else tuple(map(_shown, names)), files, labels


def _check_names(path: Path, class_names: Sequence[str], folders: Sequence[str]) -> None:
    missing = [name for name in class_names if name not in folders]
    if len(missing) == len(class_names):
        raise ValueError(
            f"`class_names` must name the folders of {str(path)!r}. Received: {list(class_names)[:5]}. Folders "
            f"are: {list(folders)[:20]}."
        )
    if missing:
        warn(f"{len(missing)} of {len(class_names)} classes have no folder and no images: {missing[:5]}.")


def _shown(path: str) -> str:
    """A path as text; bytes that are no text, in names from other systems, are spelt out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
