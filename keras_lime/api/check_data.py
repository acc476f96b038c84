"""`check_data`: what a data set gives away about its classes, before a model is trained. Without Keras."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from keras_lime.core.atomic_write import atomic_write_bytes
from keras_lime.data.class_names import ClassNames, as_class_names, find_class_names
from keras_lime.data.datasets import read_batches
from keras_lime.data.folder_path import make_folder, writing
from keras_lime.data.image_files import SUFFIXES, class_folders
from keras_lime.data.local_path import local_path
from keras_lime.data_check.judge import judge
from keras_lime.data_check.result import DataCheck
from keras_lime.data_check.sample import Sample, sample_batches, sample_folder, thumbnail
from keras_lime.probes import ProbeSet
from keras_lime.probes.arguments import as_seed, check_count
from keras_lime.report.from_data_check import data_check_page
from keras_lime.shortcut.probe_data import display_of

__all__ = ["check_data"]


def check_data(
    dataset: Any,
    *,
    probes: ProbeSet | None = None,
    out: str | PathLike[str] | None = None,
    class_names: ClassNames | None = None,
    max_images: int = 2000,
    max_scan: int | None = 10_000,
    seed: int = 0,
) -> DataCheck:
    """Looks for what tells the class beside the object, without a model.

    Frame, brightness, colour, sharpness and JPEG traces are measured, of files also size, aspect ratio, format and
    quality. The class of each image is then guessed from one of them alone, cross-validated, and compared with what
    clean data give. What tells the class here is a shortcut that a model may learn; whether it
    does, `shortcut_report` says. Near-duplicates are found too: within the data set, and between it and the probes.

    Args:
        dataset: a folder with one folder of images per class, or anything that `model.fit` takes; see
            `ProbeSet.from_dataset`. Give the images as they are before augmentation.
        probes: images that must not be among the training images. Defaults to `None`.
        out: an HTML file to write the report to. Defaults to `None`, none.
        class_names: names of the classes; of a folder the subfolders to use. Defaults to `None`: the data set's own.
        max_images: images to measure, drawn at random. Defaults to `2000`.
        max_scan: images to read of a data set that is no folder, so that endless ones end. Defaults to `10_000`;
            `None` reads all.
        seed: of the draw. Defaults to `0`.

    Returns:
        The `DataCheck`; print it.

    Raises:
        ValueError: if there is no image that can be read.
        FileNotFoundError: if there is no such folder.

    Example:
        >>> print(keras_lime.check_data("data/train", probes=probes, out="check.html"))
    """
    check_count("max_images", max_images)
    if max_scan is not None:
        check_count("max_scan", max_scan)
    names = None if class_names is None else as_class_names(class_names)
    if isinstance(dataset, str | PathLike):
        sample = _of_folder(local_path("dataset", dataset), names, max_images, as_seed(seed))
    else:
        names = find_class_names(dataset) if names is None else names
        batches = read_batches(dataset, class_names=names)
        sample = sample_batches(batches, most=max_images, max_scan=max_scan, seed=as_seed(seed), class_names=names)
    if not sample.images:
        raise ValueError(f"`dataset` must hold images. Received: {_nothing(sample)}")
    found = judge(sample, None if probes is None else _of_probes(probes.tested), seed=seed)
    if out is not None:
        file = local_path("out", out)
        page = data_check_page(found, [image.shown for image in sample.images], _title(dataset))
        with writing("out", file):
            make_folder(file.parent)
            atomic_write_bytes(file, page.encode("utf-8", "replace"))
    return found


def _of_folder(path: Path, names: Sequence[str] | None, most: int, seed: int) -> Sample:
    if not path.is_dir():
        raise FileNotFoundError(f"`dataset` must be a folder or a data set. Received: {str(path)!r}, not there.")
    return sample_folder(path, class_folders(path, names), most=most, seed=seed)


def _of_probes(probes: ProbeSet) -> tuple[tuple[str, ...], Any]:
    display = display_of(probes.images, None)
    shown = [np.rint(255 * display.picture(image)).astype(np.uint8) for image in probes.images]
    return probes.names, np.stack([thumbnail(image) for image in shown])


def _nothing(sample: Sample) -> str:
    if sample.unreadable:
        name, error = sample.unreadable[0]
        return f"{len(sample.unreadable)} files, none of which can be read. {name}: {error}"
    return f"none ({', '.join(SUFFIXES)} are read)."


def _title(dataset: Any) -> str:
    name = f" {Path(dataset).name}" if isinstance(dataset, str | PathLike) else ""
    return f"Check of the data set{name}"
