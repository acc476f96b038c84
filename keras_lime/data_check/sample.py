"""Images of a data set → a sample with what is measured of each. May import numpy, Pillow, the core and `data`."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime.core.display import Display
from keras_lime.data.datasets import Batch
from keras_lime.data.image_files import as_rgb, image_files, open_image
from keras_lime.data_check.features import measure

__all__ = ["THUMBNAIL", "Measured", "Sample", "Sampler", "sample_batches", "sample_folder", "thumbnail"]

THUMBNAIL = 32
"""Side of the images that are compared with each other."""

_SHOWN_SIDE = 112
"""Longer side of the images in a report."""

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


@dataclass(frozen=True, eq=False)
class Measured:
    """One image.

    Attributes:
        name: path, or position in the data set.
        label: class id, or None.
        columns: float array (d,) by property.
        thumbnail: uint8 array (`THUMBNAIL`, `THUMBNAIL`, 3).
        shown: a small JPEG file of it.
    """

    name: str
    label: int | None
    columns: dict[str, NDArray[np.float64]]
    thumbnail: NDArray[np.uint8]
    shown: bytes


@dataclass(frozen=True, eq=False)
class Sample:
    """What was looked at.

    Attributes:
        images: in the order of the data set.
        n_seen: how many images were there, or were read before the reading was ended.
        complete: whether the data set was read to its end.
        several: whether labels are rows of several classes each, which are not compared.
        unreadable: name and error of each file that could not be read.
        class_names: names of the classes, or None.
    """

    images: tuple[Measured, ...]
    n_seen: int
    complete: bool = True
    several: bool = False
    unreadable: tuple[tuple[str, str], ...] = ()
    class_names: tuple[str, ...] | None = None

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """Class ids (n,), or None where they are not known."""
        labels = [image.label for image in self.images]
        return None if not labels or None in labels else np.array(labels, np.int64)

    def columns(self, name: str) -> NDArray[np.float64] | None:
        """A property of all images, (n, d); None where it was not measured."""
        rows = [image.columns[name] for image in self.images if name in image.columns]
        if not rows:
            return None
        width = max(map(len, rows))
        # Small images have no coarse details: their last number stands for what is missing.
        return np.stack([np.pad(row, (0, width - len(row)), mode="edge") for row in rows])


@dataclass(eq=False)
class Sampler:
    """A fair sample of a stream whose length nobody knows (reservoir sampling, Vitter 1985).

    Args:
        most: images in the sample.
        seed: of the draw.
    """

    most: int
    seed: int
    n_seen: int = 0
    kept: dict[int, Any] = field(default_factory=dict)
    _places: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)

    def wants(self) -> bool:
        """Whether the next image comes into the sample; then `keep` must be called."""
        self.n_seen += 1
        if self.n_seen <= self.most:
            self._places.append(self.n_seen)
            return True
        place = int(self._rng.integers(self.n_seen))
        if place >= self.most:
            return False
        self.kept.pop(self._places[place], None)
        self._places[place] = self.n_seen
        return True

    def keep(self, measured: Any) -> None:
        """Takes the image in that `wants` was asked about."""
        self.kept[self.n_seen] = measured

    @property
    def taken(self) -> tuple[Any, ...]:
        """What is in the sample, in the order of the data set."""
        return tuple(self.kept[position] for position in sorted(self.kept))


def thumbnail(image: NDArray[Any] | Image.Image) -> NDArray[np.uint8]:
    """A small copy, (`THUMBNAIL`, `THUMBNAIL`, 3), by which images of different size are compared.

    Args:
        image: a Pillow image, or uint8 (h, w, 3).
    """
    opened = image if isinstance(image, Image.Image) else Image.fromarray(image)
    return np.asarray(opened.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX), np.uint8)


def sample_batches(
    batches: Iterable[Batch],
    *,
    most: int,
    max_scan: int | None,
    seed: int,
    class_names: Sequence[str] | None = None,
) -> Sample:
    """Samples a data set that is read batch by batch.

    Args:
        batches: the data set.
        most: images in the sample.
        max_scan: images to read, or None for all.
        seed: of the draw.
        class_names: names of the classes, or None.
    """
    sampler, display, several = Sampler(most, seed), None, False
    for batch in batches:
        display = display or Display.of(batch.images)
        several = several or (batch.labels is None and batch.multi_hot is not None)
        for row, image in enumerate(batch.images):
            if sampler.n_seen == max_scan:
                return Sample(
                    sampler.taken, sampler.n_seen, complete=False, several=several, class_names=_tuple(class_names)
                )
            if sampler.wants():
                label = None if batch.labels is None else int(batch.labels[row])
                shown = np.rint(255 * display.picture(image)).astype(np.uint8)
                sampler.keep(_measured(f"image {sampler.n_seen - 1}", label, Image.fromarray(shown)))
    return Sample(sampler.taken, sampler.n_seen, several=several, class_names=_tuple(class_names))


def sample_folder(path: Path, class_names: Sequence[str], *, most: int, seed: int) -> Sample:
    """Samples a folder of images by class, at the size that the files have.

    Args:
        path: the folder.
        class_names: names of its subfolders, in the order of the class ids.
        most: files in the sample.
        seed: of the draw.
    """
    files = [(file, label) for label, name in enumerate(class_names) for file in sorted(image_files(path, name))]
    drawn = np.sort(np.random.default_rng(seed).permutation(len(files))[:most])
    images, unreadable = [], []
    for file, label in (files[index] for index in drawn):
        try:
            images.append(_measured_file(path, file, label))
        except Exception as error:  # damaged files make Pillow raise half a dozen kinds of exceptions
            unreadable.append((file, str(error)))
    return Sample(tuple(images), len(files), unreadable=tuple(unreadable), class_names=tuple(class_names))


def _measured_file(path: Path, file: str, label: int) -> Measured:
    with open_image(path / file) as opened:
        height, width = opened.height, opened.width
        tables = getattr(opened, "quantization", None) or {}
        coarseness = float(np.mean(list(tables[min(tables)]))) if tables else 0.0
        formats = [float(opened.format == name) for name in _FORMATS]
        measured = _measured(file, label, as_rgb(opened))
    measured.columns["size"] = np.array([np.log(height * width), np.log(min(height, width))])
    measured.columns["aspect"] = np.array([np.log(width / height)])
    measured.columns["format"] = np.array([*formats, np.log1p(coarseness)])
    return measured


def _measured(name: str, label: int | None, image: Image.Image) -> Measured:
    unit = np.asarray(image, np.float32)[None] / np.float32(255)
    columns = {property_name: values[0] for property_name, values in measure(unit).items()}
    shown = image.copy()
    shown.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    written = io.BytesIO()
    shown.save(written, "JPEG", quality=85)
    return Measured(name, label, columns, thumbnail(image), written.getvalue())


def _tuple(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)
