"""`ProbeSet`: the images that are explained at every chosen epoch, fixed once and for all.

May import numpy, the core, `data` and the modules beside it; never Keras.
"""

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.class_names import class_title
from keras_lime.core.display import DisplayFn
from keras_lime.core.model_input import InputName
from keras_lime.core.phrases import count_of
from keras_lime.core.pipeline import Subject
from keras_lime.data.class_names import ClassNames, as_class_names, find_class_names
from keras_lime.data.datasets import read_batches
from keras_lime.data.image_files import ColorMode, class_folders
from keras_lime.data.labels import true_classes
from keras_lime.data.mask_files import find_mask_files
from keras_lime.data.resize import Resize
from keras_lime.probes.arguments import (
    Outlines,
    as_images,
    as_inputs,
    as_labels,
    as_outlines,
    as_seed,
    as_size,
    as_sizes,
    check_choice,
    check_count,
)
from keras_lime.probes.boxes import BoxOrder
from keras_lime.probes.frame_check import FrameCheck
from keras_lime.probes.from_folder import FolderReader, read_folders
from keras_lime.probes.identity import as_names, check_unequal, default_names, probe_id
from keras_lime.probes.object_masks import masks_by_id, masks_of_boxes, masks_of_either, object_masks
from keras_lime.probes.selection import Candidate, Pool, scan, seeded_key
from keras_lime.shortcut.results import LEAST_PROBES, LEAST_SWAP_PROBES

__all__ = ["ProbeSet"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class ProbeSet:
    """Images to explain, with what is known about them. Arrays are copied and read-only.

    Args:
        images: array (n, h, w, c) as the model takes them, or a list of n arrays (h, w, c) or (h, w) of one shape.
            Integers keep their dtype, floats become float32; values keep their range.
        labels: true classes: ids of shape (n,) or (n, 1), names that are in `class_names`, or rows (n, k), one-hot or
            with a 1 for each class of an image. Defaults to `None`, unknown.
        masks: where the object is, True or 1 on it: array (n, h, w) or (n, h, w, 1). With them the object share is
            measured. Defaults to `None`.
        boxes: bounding boxes to make masks of, instead of `masks`: (top, left, bottom, right) in pixels, shape (n, 4),
            or a list with an array (k, 4) for each image. Defaults to `None`.
        order: in which order the numbers of a box stand: `"tlbr"`, (top, left, bottom, right); `"ltrb"`, (left, top,
            right, bottom), as PIL, PyTorch and Pascal VOC have it; or `"ltwh"`, (left, top, width, height), COCO's.
            Defaults to `None`: the first, with a warning if the second one fits the images better.
        names: a unique name for each image. Defaults to `None`: its class and the first digits of its id,
            `"stop · 1a2b3c"`.
        class_names: names of the classes, in the order of their ids, or a dictionary of names and ids, either way
            round. Defaults to `None`.
        inputs: the model's other inputs, where it has several: a dictionary from the name of an input to its values
            (n, ...). They stay with their image while that is perturbed. Defaults to `None`.
        image_input: name or position of the image's input in a model with several, where `inputs` does not tell it:
            a model of its own class does not say what it takes. Defaults to `None`.
        outlines: where object outlines for shortcut tests come from if there are labels and neither masks nor boxes:
            `"estimate"`; a function from one image as it is shown, uint8 (h, w, 3), to its mask (h, w), such as a
            segmentation network; or `None` for no outlines. It is kept with the probes, for tests that can do with an
            estimate; estimates never become `masks`. Defaults to `"estimate"`.

    Attributes:
        images: array (n, h, w, c), or (n, h, w) if made of arrays (h, w); finite, dtype integer, bool or float32.
        labels: int64 array (n,), or None.
        masks: bool array (n, h, w), or None.
        names: tuple of n unique strings.
        class_names: tuple of strings, or None.
        ids: tuple of n unique strings, 16 hexadecimal digits each: names for the images' content, the same in
            every run.
        inputs: read-only dictionary of the other inputs, each an array (n, ...).
        image_input: name or position of the image's input, or None.
        multi_hot: bool array (n, k) of images with several classes or none each; None where each has one.
        outlines: as given.

    Raises:
        TypeError: if an argument is of the wrong kind.
        ValueError: if there are no images, they differ in shape, are not finite or equal each other, or if another
            argument does not fit them.

    Example:
        ```python
        probes = ProbeSet(x_test[:20], y_test[:20], class_names=["cat", "dog"])
        probes = ProbeSet.from_dataset(validation_dataset, num_probes=20)
        ```
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None
    masks: NDArray[np.bool_] | None
    names: tuple[str, ...]
    class_names: tuple[str, ...] | None
    ids: tuple[str, ...]
    inputs: Mapping[InputName, NDArray[Any]]
    image_input: InputName | None
    multi_hot: NDArray[np.bool_] | None
    outlines: Outlines
    _tested: "ProbeSet | None"

    def __init__(
        self,
        images: Any,
        labels: Any = None,
        *,
        masks: Any = None,
        boxes: Any = None,
        order: BoxOrder | None = None,
        names: Sequence[str] | None = None,
        class_names: ClassNames | None = None,
        inputs: Mapping[InputName, Any] | None = None,
        image_input: InputName | None = None,
        outlines: Outlines = "estimate",
    ) -> None:
        pixels = as_images(images)
        others = as_inputs(inputs, len(pixels))
        ids = tuple(
            probe_id(image, {name: rows[index] for name, rows in others.items()}) for index, image in enumerate(pixels)
        )
        check_unequal(ids)
        classes = None if class_names is None else as_class_names(class_names)
        class_ids, multi_hot = as_labels(labels, len(pixels), classes)
        fields = {
            "images": pixels,
            "labels": class_ids,
            "masks": masks_of_either(masks, boxes, order, pixels),
            "class_names": classes,
            "ids": ids,
            "inputs": others,
            "image_input": image_input,
            "multi_hot": multi_hot,
            "outlines": as_outlines(outlines),
            "_tested": None,
        }
        for field, value in fields.items():
            object.__setattr__(self, field, value)
        named = default_names(ids, self._classes(), classes) if names is None else as_names(names, len(pixels))
        object.__setattr__(self, "names", named)

    @classmethod
    def from_dataset(
        cls,
        dataset: Any,
        *,
        per_class: int | None = None,
        num_probes: int | None = None,
        num_tested: int | None = None,
        class_names: ClassNames | None = None,
        image_input: InputName | None = None,
        outlines: Outlines = "estimate",
        seed: int = 0,
        max_scan: int | None = 10_000,
        verbose: bool = True,
    ) -> "ProbeSet":
        """Selects probes from anything that `model.fit` takes.

        The selection is balanced by class and goes by a hash of `seed` and image content: the same data give the same
        probes, however they are shuffled and batched. While scanning, no more images than will be selected are kept.

        Args:
            dataset: a `tf.data.Dataset` (under any Keras backend), `keras.utils.PyDataset`, torch `DataLoader`,
                generator or other iterable of batches `(images, labels)`, or a tuple of arrays. For a model with
                several inputs `images` is a dictionary or tuple of them. A third part that has the images' height and
                width, (n, h, w) or (n, h, w, 1), is taken for object masks; sample weights are ignored. A generator or
                other iterator is used up as far as it is read.
            per_class: explained images of each class, fewer where a class has no more. Defaults to `None`, no limit.
            num_probes: explained images altogether. Defaults to `None`: 20 without `per_class`, no limit with it.
            num_tested: images that shortcut tests use, the explained ones included; an explained image costs many times
                as much as a tested one. Defaults to `None`: 60 where there are labels.
            class_names: names of the classes. Defaults to `None`: the data set's own, or those of the data set that it
                was made of, with `.map()`, `.batch()`, `.prefetch()` or a `DataLoader` in between.
            image_input: name or position of the image among several inputs; the others become `inputs`. Defaults to
                `None`: the only input of shape (n, h, w, c).
            outlines: see `ProbeSet`. Defaults to `"estimate"`.
            seed: another seed selects other images. Defaults to `0`.
            max_scan: images to look at, so that endless data sets end; if there are more, a warning says so. `None`
                reads all. Defaults to `10_000`.
            verbose: print the `hints()`, if there are any, and how well the outer frame of the images tells their
                class. Defaults to `True`.

        Returns:
            The `ProbeSet`, ordered by class. An image that occurs more than once is taken once.

        Raises:
            TypeError: if `dataset` is nothing of the kind.
            ValueError: if it is empty, or its images or labels are not those of an image classifier.

        Example:
            ```python
            validation = keras.utils.image_dataset_from_directory("validation", image_size=(64, 64))
            probes = ProbeSet.from_dataset(validation, num_probes=20, num_tested=60)
            ```
        """
        sizes = as_sizes(per_class, num_probes, num_tested)
        if max_scan is not None:
            check_count("max_scan", max_scan)
        names = find_class_names(dataset) if class_names is None else as_class_names(class_names)
        batches = read_batches(dataset, class_names=names, image_input=image_input)
        frame_check = FrameCheck(as_seed(seed)) if verbose else None
        found = scan(batches, sizes, seed=as_seed(seed), max_scan=max_scan, frame_check=frame_check)
        if not found.explained:
            raise ValueError("`dataset` must give at least one image. Received: a data set without images.")
        tested = cls._of_candidates(
            [*found.explained, *found.further], class_names=names, outlines=outlines, image_input=image_input
        )
        probes = tested._head(len(found.explained))
        if verbose and probes.hints():
            print(" ".join(probes.hints()))
        if frame_check is not None and frame_check.sentence(names):
            print(frame_check.sentence(names))
        return probes

    @classmethod
    def from_directory(
        cls,
        path: str | PathLike[str],
        *,
        image_size: tuple[int, int],
        per_class: int | None = None,
        num_probes: int | None = None,
        num_tested: int | None = None,
        masks: str | PathLike[str] | None = None,
        seed: int = 0,
        color_mode: ColorMode = "rgb",
        resize: Resize = "bilinear",
        crop_to_aspect_ratio: bool = False,
        class_names: Sequence[str] | None = None,
        outlines: Outlines = "estimate",
    ) -> "ProbeSet":
        """Selects probes from a folder that holds one folder of images per class.

        The selection goes by a hash of `seed` and of each file's path inside the folder, so that only the selected
        files are read, however many there are. They are read as `keras.utils.image_dataset_from_directory` reads them,
        to float32 in 0..255.

        Args:
            path: the folder; class ids follow the sorted names of its subfolders, as in
                `keras.utils.image_dataset_from_directory`.
            image_size: (height, width) that the model takes, in pixels.
            per_class: explained images of each class, fewer where a class has no more. Defaults to `None`, no limit.
            num_probes: explained images altogether. Defaults to `None`: 20 without `per_class`, no limit with it.
            num_tested: images that shortcut tests use, the explained ones included. Defaults to `None`: 60.
            masks: a folder of mask images with the paths of the images, whatever their endings: bright on the object.
                Only images that have a mask are selected then. Defaults to `None`.
            seed: another seed selects other images. Defaults to `0`.
            color_mode: `"rgb"`, `"rgba"` or `"grayscale"` (one channel). Defaults to `"rgb"`.
            resize: `"bilinear"`, as `image_dataset_from_directory` does it; `"nearest"`, as `keras.utils.load_img`
                does; or `"antialias"`, Pillow's smooth bilinear filter. Defaults to `"bilinear"`.
            crop_to_aspect_ratio: cut the largest centred window of the aspect ratio instead of distorting, as the
                argument of that name does in Keras. Defaults to `False`.
            class_names: names of the subfolders to use, in the order of the class ids. Defaults to `None`, all, sorted.
            outlines: see `ProbeSet`. Defaults to `"estimate"`.

        Returns:
            The `ProbeSet`, ordered by class, with paths inside the folder as names. A file that cannot be read is
            passed over with a warning.

        Raises:
            FileNotFoundError: if there is no such folder.
            ValueError: if it holds no folders, or no image that can be read.
        """
        check_choice("color_mode", color_mode, ("rgb", "rgba", "grayscale"))
        check_choice("resize", resize, ("bilinear", "nearest", "antialias"))
        sizes = as_sizes(per_class, num_probes, num_tested)
        reader = FolderReader(
            Path(path),
            as_size(image_size),
            color_mode,
            resize,
            crop_to_aspect_ratio,
            None if masks is None else {stem: Path(masks) / file for stem, file in find_mask_files(masks).items()},
        )
        wanted = None if class_names is None else as_class_names(class_names)
        classes = class_folders(Path(path), wanted)
        explained, further = read_folders(reader, classes, sizes, seed=as_seed(seed))
        files, candidates = zip(*explained, *further, strict=True)
        return cls._of_candidates(candidates, class_names=classes, names=files, outlines=outlines)._head(len(explained))

    @property
    def tested(self) -> "ProbeSet":
        """The images for shortcut tests: these probes first, in their order, and after them any further ones.

        `LimeCallback`, `shortcut_report` and `assert_no_shortcut` test all of them.
        """
        return self if self._tested is None else self._tested

    def explaining(self, num_probes: int = 20, *, per_class: int | None = None, seed: int = 0) -> "ProbeSet":
        """A copy that explains some of these images, balanced by class, and tests all of them.

        Args:
            num_probes: explained images altogether at most. Defaults to `20`.
            per_class: explained images of each class at most. Defaults to `None`, no limit.
            seed: another seed selects other images. Defaults to `0`.

        Returns:
            The copy, ordered by class, the explained images first.

        Example:
            >>> probes = ProbeSet(x_test[:60], y_test[:60], boxes=boxes).explaining(20)
        """
        sizes = as_sizes(per_class, num_probes, len(self.tested))
        everything = self.tested
        pool = Pool(sizes)
        position = {one: index for index, one in enumerate(everything.ids)}
        for one, image, classes in zip(everything.ids, everything.images, everything._classes(), strict=True):
            pool.add(Candidate(seeded_key(as_seed(seed), one), one, image, label=None, classes=classes))
        explained, further = pool.selected()
        indices = [position[candidate.id] for candidate in (*explained, *further)]
        return everything._take(indices)._head(len(explained))

    def with_masks(self, masks: Any) -> "ProbeSet":
        """A copy with object masks.

        Args:
            masks: (n, h, w) or (n, h, w, 1), booleans or 0 and 1; for all of `tested`, or for the explained images
                alone, which are then the only tested ones.

        Returns:
            The copy; it shares the images.

        Raises:
            ValueError: if the masks do not fit the images.
        """
        base = self.tested if len(masks) == len(self.tested) else self._alone()
        return base._with(masks=object_masks(masks, base._shape))._head(len(self))

    def with_boxes(self, boxes: Any, *, order: BoxOrder | None = None) -> "ProbeSet":
        """A copy with object masks made of bounding boxes.

        Args:
            boxes: in pixels, (n, 4) or a list of arrays (k, 4), for all of `tested` or for the explained images alone;
                or the path of a JSON file that the page has saved, with boxes by probe id. Probes that the file does
                not name keep the mask that they have, and without one count as images without an object.
            order: see `ProbeSet`; a file has the first. Defaults to `None`.

        Returns:
            The copy; it shares the images.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the boxes do not fit the images; for a file, if it names none of the probes.
        """
        if isinstance(boxes, str | PathLike):
            named = masks_by_id(boxes, self.tested.ids, self.tested.masks, self._shape[1:])
            return self.tested._with(masks=named)._head(len(self))
        base = self.tested if len(boxes) == len(self.tested) else self._alone()
        return base._with(masks=masks_of_boxes(boxes, order, base.images))._head(len(self))

    def subjects(self) -> list[Subject]:
        """The probes as the explainer knows them, one `Subject` per image: title, true classes, name and mask."""
        labels: list[int | None] = [None] * len(self) if self.labels is None else self.labels.tolist()
        masks: list[NDArray[np.bool_] | None] = [None] * len(self) if self.masks is None else list(self.masks)
        several = [()] * len(self) if self.multi_hot is None else self._classes()
        return [
            Subject(f"probe {name!r}", label, name, mask, classes)
            for name, label, mask, classes in zip(self.names, labels, masks, several, strict=True)
        ]

    def plot(self, *, display_fn: DisplayFn | None = None, most: int = 60) -> Any:
        """Draws the probes, to see whether masks and boxes are where the objects are.

        Args:
            display_fn: maps one image as the model gets it to RGB, for ranges that are not recognised. Defaults to
                `None`.
            most: probes that are drawn at most. Defaults to `60`.

        Returns:
            A matplotlib figure: each probe with its number, its name, scales in pixels, and the outline of its object.

        Example:
            >>> ProbeSet(images, labels, boxes=boxes).plot().savefig("probes.png")
        """
        from keras_lime.plotting import plot_probes

        check_count("most", most)
        return plot_probes(self.images, self.names, self.masks, most=most, display_fn=display_fn)

    def _repr_png_(self) -> bytes:
        """What a notebook shows of the probes: the first 20 of them."""
        from keras_lime.plotting import figure_png

        return figure_png(self.plot(most=20))

    def hints(self) -> list[str]:
        """What is missing for good use, and how to give it: sentences, none where all is well."""
        sentences = []
        least = LEAST_PROBES if self.labels is None else LEAST_SWAP_PROBES
        if len(self.tested) < least:
            sentences.append(
                f"{count_of(len(self.tested), 'tested image')} can give no verdict on shortcuts; it takes {least}, and "
                f"{2 * least} do well. Pass num_tested={2 * least}, or more images."
            )
        if self.class_names is None and (self.labels is not None or self.multi_hot is not None):
            sentences.append("The classes have no names. Pass class_names=[...], in the order of the model's outputs.")
        return sentences

    @property
    def needs_outlines(self) -> bool:
        """Whether shortcut tests have to estimate object outlines: with labels, and without masks."""
        return self.labels is not None and self.masks is None and self.outlines is not None

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
            shown = [f"{class_title(label, self.class_names)}: {counts[label]}" for label in sorted(counts)]
            parts.append(", ".join(shown[:10]) + (f", … ({len(shown)} classes)" if len(shown) > 10 else ""))
        if self.inputs:
            parts.append(f"inputs {', '.join(map(str, self.inputs))}")
        parts.append("no object masks" if self.masks is None else "object masks")
        if self._tested is not None:
            parts.append(f"{len(self._tested)} tested")
        return f"ProbeSet({'; '.join(parts)})"

    @property
    def _shape(self) -> tuple[int, int, int]:
        count, height, width = self.images.shape[:3]
        return count, height, width

    def _classes(self) -> list[tuple[int, ...]]:
        """True classes of each image; none where they are unknown."""
        if self.multi_hot is not None:
            return [true_classes(row) for row in self.multi_hot]
        return [()] * len(self) if self.labels is None else [(label,) for label in self.labels.tolist()]

    @classmethod
    def _of_candidates(
        cls, candidates: Sequence[Candidate], *, class_names: Sequence[str] | None, **fields: Any
    ) -> "ProbeSet":
        """The selected images as probes."""
        first = candidates[0]
        labels: Any = None if first.label is None else [one.label for one in candidates]
        if any(one.label is None and one.classes is not None for one in candidates):
            labels = _multi_hot([one.classes or () for one in candidates], class_names)
        return cls(
            [one.image for one in candidates],
            labels,
            masks=None if first.mask is None else [one.mask for one in candidates],
            inputs={name: np.stack([one.inputs[name] for one in candidates]) for name in first.inputs},
            class_names=class_names,
            **fields,
        )

    def _head(self, n_probes: int) -> "ProbeSet":
        """The first probes, with all of these as the tested ones; the arrays are shared."""
        if n_probes == len(self):
            return self
        return self._take(slice(0, n_probes))._with(_tested=self)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "inputs": dict(self.inputs)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Arrays come back writable, and a read-only view of a dictionary cannot be pickled.
        for name, value in state.items():
            object.__setattr__(self, name, _read_only(value) if isinstance(value, np.ndarray) else value)
        inputs = {name: _read_only(array) for name, array in state["inputs"].items()}
        object.__setattr__(self, "inputs", MappingProxyType(inputs))

    def _take(self, positions: Any) -> "ProbeSet":
        """Some of these probes, by a slice, whose arrays are shared, or by positions."""
        rows = np.arange(len(self))[positions]
        return self._with(
            **{
                name: None if array is None else _read_only(array[positions])
                for name, array in vars(self).items()
                if name in ("images", "labels", "masks", "multi_hot")
            },
            names=tuple(self.names[row] for row in rows),
            ids=tuple(self.ids[row] for row in rows),
            inputs=MappingProxyType({name: _read_only(array[positions]) for name, array in self.inputs.items()}),
        )

    def _alone(self) -> "ProbeSet":
        """A copy whose tests use no further images."""
        return self._with(_tested=None)

    def _with(self, **fields: Any) -> "ProbeSet":
        changed = copy.copy(self)
        for field, value in fields.items():
            object.__setattr__(changed, field, value)
        return changed


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


def _multi_hot(classes: Sequence[Sequence[int]], class_names: Sequence[str] | None) -> NDArray[np.bool_]:
    """Rows of sets of classes, (n, k)."""
    n_classes = 1 + max(max(labels, default=0) for labels in classes)
    rows = np.zeros((len(classes), n_classes if class_names is None else len(class_names)), bool)
    for row, labels in zip(rows, classes, strict=True):
        row[list(labels)] = True
    return rows
