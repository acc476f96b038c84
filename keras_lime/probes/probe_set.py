"""`ProbeSet`: the images that are explained at every chosen epoch, fixed once and for all.

May import numpy, the core, `arguments` and what reads data (`datasets`, `choice`, `folders`); never Keras.
"""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.image import image_id
from keras_lime.core.pipeline import Subject
from keras_lime.data.class_names import ClassNames, as_class_names, find_class_names
from keras_lime.data.datasets import read_batches
from keras_lime.data.image_files import ColorMode, class_folders
from keras_lime.probes.arguments import (
    as_images,
    as_labels,
    as_masks,
    as_names,
    as_seed,
    as_size,
    as_strings,
    check_count,
    check_unequal,
    class_name,
    default_names,
)
from keras_lime.probes.choice import choose
from keras_lime.probes.from_folder import read_folders
from keras_lime.probes.object_masks import masks_from_boxes, object_masks

__all__ = ["ProbeSet"]

_DEFAULT_PROBES = 20


@dataclass(frozen=True, eq=False, init=False, repr=False)
class ProbeSet:
    """Images to explain, with what is known about them. Arrays are copied and read-only.

    Args:
        images: array (n, h, w, c) as the model takes them, or a list of n arrays (h, w, c) or (h, w) of one shape.
            Integers keep their dtype, floats become float32; values keep their range.
        labels: true classes: ids of shape (n,) or (n, 1), or one-hot rows (n, k). Defaults to `None`, unknown.
        masks: where the object is, True or 1 on it: array (n, h, w) or (n, h, w, 1). With them the object share is
            measured. Defaults to `None`.
        boxes: bounding boxes to make masks of, instead of `masks`: (top, left, bottom, right) in pixels, shape (n, 4),
            or a list with an array (k, 4) for each image. Defaults to `None`.
        names: a unique name for each image. Defaults to `None`: its class and the begin of its id, `"stop · 1a2b3c"`.
        class_names: names of the classes, in the order of their ids, or a dictionary of names and ids, either way
            round. Defaults to `None`.

    Attributes:
        images: array (n, h, w, c), or (n, h, w) if made of arrays (h, w); finite, dtype integer, bool or float32.
        labels: int64 array (n,), or None.
        masks: bool array (n, h, w), or None.
        names: tuple of n unique strings.
        class_names: tuple of strings, or None.
        ids: tuple of n unique strings, 16 hexadecimal digits each: names for the images' content, the same in
            every run.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if there are no images, they differ in shape, are not finite or equal each other, or if another
            argument does not fit them.

    Example:
        ```python
        probes = ProbeSet(x_test[:20], y_test[:20], class_names=["cat", "dog"])
        probes = ProbeSet.from_dataset(validation_dataset, per_class=3)
        ```
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None
    masks: NDArray[np.bool_] | None
    names: tuple[str, ...]
    class_names: tuple[str, ...] | None
    ids: tuple[str, ...]

    def __init__(
        self,
        images: Any,
        labels: Any = None,
        *,
        masks: Any = None,
        boxes: Any = None,
        names: Sequence[str] | None = None,
        class_names: ClassNames | None = None,
    ) -> None:
        pixels = as_images(images)
        ids = tuple(image_id(image) for image in pixels)
        check_unequal(ids)
        classes = None if class_names is None else as_class_names(class_names)
        found = None if labels is None else as_labels(labels, len(pixels), classes)
        fields = {
            "images": pixels,
            "labels": found,
            "masks": as_masks(masks, boxes, pixels),
            "names": default_names(ids, found, classes) if names is None else as_names(names, len(pixels)),
            "class_names": classes,
            "ids": ids,
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_dataset(
        cls,
        dataset: Any,
        *,
        per_class: int | None = None,
        num_probes: int | None = None,
        class_names: ClassNames | None = None,
        seed: int = 0,
        max_scan: int | None = 10_000,
    ) -> "ProbeSet":
        """Chooses probes from anything that `model.fit` takes.

        The choice is balanced by class and goes by a hash of `seed` and image content: the same data give the same
        probes, however they are shuffled and batched. While scanning, no more images than will be chosen are kept.

        Args:
            dataset: a `tf.data.Dataset` (under any Keras backend), `keras.utils.PyDataset`, torch `DataLoader`,
                generator or other iterable of batches `(images, labels)`, or a tuple of arrays. A third part that has
                the images' height and width, (n, h, w) or (n, h, w, 1), is taken for object masks; sample weights are
                ignored. A generator or other iterator is used up as far as it is read.
            per_class: images of each class, fewer where a class has no more. Defaults to `None`, no limit.
            num_probes: images altogether. Defaults to `None`: 20 without `per_class`, no limit with it.
            class_names: names of the classes. Defaults to `None`: the data set's own, or those of the data set that it
                was made of, with `.map()`, `.batch()`, `.prefetch()` or a `DataLoader` in between.
            seed: another seed chooses other images. Defaults to `0`.
            max_scan: images to look at, so that endless data sets end; if there are more, a warning says so. `None`
                reads all. Defaults to `10_000`.

        Returns:
            The `ProbeSet`, ordered by class. An image that occurs more than once is taken once.

        Raises:
            TypeError: if `dataset` is nothing of the kind.
            ValueError: if it is empty, or its images or labels are not those of an image classifier.

        Example:
            ```python
            validation = keras.utils.image_dataset_from_directory("validation", image_size=(64, 64))
            probes = ProbeSet.from_dataset(validation, per_class=4)
            ```
        """
        for name, value in (("per_class", per_class), ("num_probes", num_probes), ("max_scan", max_scan)):
            if value is not None:
                check_count(name, value)
        if per_class is None and num_probes is None:
            num_probes = _DEFAULT_PROBES
        chosen = choose(
            read_batches(dataset), per_class=per_class, num_probes=num_probes, seed=as_seed(seed), max_scan=max_scan
        )
        if not chosen:
            raise ValueError("`dataset` must give at least one image. Received: a data set without images.")
        masks = [one.mask for one in chosen]
        return cls(
            [one.image for one in chosen],
            None if chosen[0].label is None else [one.label for one in chosen],
            masks=None if masks[0] is None else masks,
            class_names=find_class_names(dataset) if class_names is None else class_names,
        )

    @classmethod
    def from_directory(
        cls,
        path: str | PathLike[str],
        *,
        image_size: tuple[int, int],
        per_class: int = 2,
        seed: int = 0,
        color_mode: ColorMode = "rgb",
        class_names: Sequence[str] | None = None,
    ) -> "ProbeSet":
        """Chooses probes from a folder that holds one folder of images per class.

        The choice goes by a hash of `seed` and of each file's path inside the folder, so that only the chosen files
        are read, however many there are; the ids are made of the decoded images as ever. Pillow decodes and resizes
        (bilinear), to uint8 in 0..255.

        Args:
            path: the folder; class ids follow the sorted names of its subfolders, as in
                `keras.utils.image_dataset_from_directory`.
            image_size: (height, width) that the model takes, in pixels.
            per_class: images of each class, fewer where a class has no more. Defaults to `2`.
            seed: another seed chooses other images. Defaults to `0`.
            color_mode: `"rgb"`, `"rgba"` or `"grayscale"` (one channel). Defaults to `"rgb"`.
            class_names: names of the subfolders to use, in the order of the class ids. Defaults to `None`, all, sorted.

        Returns:
            The `ProbeSet`, ordered by class, with paths inside the folder as names. A file that cannot be read is
            passed over with a warning.

        Raises:
            FileNotFoundError: if there is no such folder.
            ValueError: if it holds no folders, or no image that can be read.
        """
        size = as_size(image_size)
        check_count("per_class", per_class)
        if color_mode not in ("rgb", "rgba", "grayscale"):
            raise ValueError(f'`color_mode` must be "rgb", "rgba" or "grayscale". Received: color_mode={color_mode!r}.')
        wanted = None if class_names is None else as_strings("class_names", class_names)
        classes = class_folders(Path(path), wanted)
        found = read_folders(
            Path(path), classes, image_size=size, per_class=per_class, seed=as_seed(seed), color_mode=color_mode
        )
        return cls(
            [one.image for _, one in found],
            [one.label for _, one in found],
            names=[file for file, _ in found],
            class_names=classes,
        )

    def with_masks(self, masks: Any) -> "ProbeSet":
        """A copy with these object masks, (n, h, w) or (n, h, w, 1), booleans or 0 and 1; it shares the images."""
        return self._with(object_masks(masks, self._shape))

    def with_boxes(self, boxes: Any) -> "ProbeSet":
        """A copy with masks made of boxes (top, left, bottom, right) in pixels, (n, 4) or a list of arrays (k, 4)."""
        return self._with(masks_from_boxes(boxes, self._shape))

    def subjects(self) -> list[Subject]:
        """The probes as the explainer knows them, one `Subject` per image: title, true label, name and object mask."""
        labels: list[int | None] = [None] * len(self) if self.labels is None else self.labels.tolist()
        masks: list[NDArray[np.bool_] | None] = [None] * len(self) if self.masks is None else list(self.masks)
        return [
            Subject(f"probe {name!r}", label, name, mask)
            for name, label, mask in zip(self.names, labels, masks, strict=True)
        ]

    @property
    def mask_areas(self) -> NDArray[np.float64] | None:
        """Share of each image that its object covers, (n,) in 0..1: the object share expected by chance. Or None."""
        return None if self.masks is None else self.masks.mean(axis=(1, 2))

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        parts = [f"{len(self)} × {self.images.shape[1:]} {self.images.dtype}"]
        if self.labels is not None:
            counts = Counter(self.labels.tolist())
            shown = [f"{class_name(label, self.class_names)}: {counts[label]}" for label in sorted(counts)]
            parts.append(", ".join(shown[:10]) + (f", … ({len(shown)} classes)" if len(shown) > 10 else ""))
        parts.append("no object masks" if self.masks is None else "object masks")
        return f"ProbeSet({'; '.join(parts)})"

    @property
    def _shape(self) -> tuple[int, int, int]:
        count, height, width = self.images.shape[:3]
        return count, height, width

    def _with(self, masks: NDArray[np.bool_]) -> "ProbeSet":
        changed = copy.copy(self)
        object.__setattr__(changed, "masks", masks)
        return changed
