"""Which kind of source a data set is. May import numpy and the sources."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from keras_lime.auditing.sources.arrays import ArraySource
from keras_lime.auditing.sources.folder import FolderSource
from keras_lime.auditing.sources.source import Cutting, Source
from keras_lime.auditing.sources.stream import StreamSource
from keras_lime.auditing.sources.table import TableSource, is_table
from keras_lime.core.model_input import InputName
from keras_lime.data.class_names import as_class_names
from keras_lime.data.local_path import local_path

__all__ = ["make_source"]


def make_source(
    dataset: Any,
    masks: Any,
    class_names: Sequence[str] | None,
    columns: Mapping[str, str] | None,
    cutting: Cutting,
    image_input: InputName | None = None,
) -> Source:
    """The source of whatever was given to `audit()`, which documents the arguments.

    Raises:
        ValueError: if they do not go together; TypeError if `dataset` is nothing of the kind.
    """
    if isinstance(dataset, str | PathLike):
        dataset = local_path("dataset", dataset)
    if is_table(dataset):
        _refuse(masks, "a column `mask`")
        return TableSource(dataset, class_names, columns, cutting)
    if columns is not None:
        raise ValueError(f"`columns` is for tables alone. Received: columns={dict(columns)}.")
    if isinstance(dataset, Path):
        if masks is not None and not isinstance(masks, str | PathLike):
            raise ValueError(f"`masks` must be a folder, for a folder of images. Received: {type(masks).__name__}.")
        return FolderSource(dataset, class_names, None if masks is None else local_path("masks", masks), cutting)
    names = None if class_names is None else as_class_names(class_names)
    arrays = dataset if isinstance(dataset, tuple) and dataset and hasattr(dataset[0], "shape") else (dataset,)
    if hasattr(arrays[0], "shape"):
        images, labels, third, *more = [*arrays, None, None][: max(3, len(arrays))]
        if more or (third is not None and masks is not None):
            raise ValueError(
                "`dataset` must be arrays (images,), (images, labels) or (images, labels, masks). Received: "
                f"{len(arrays)} arrays{' and `masks`' if masks is not None else ''}."
            )
        return ArraySource((images, labels, third if masks is None else masks), cutting, names)
    _refuse(masks, "a third part (images, labels, masks)")
    return StreamSource(dataset, cutting, image_input, names)


def _refuse(masks: Any, remedy: str) -> None:
    if masks is not None:
        raise ValueError(
            f"`masks` is for folders and arrays alone. Received: masks={type(masks).__name__}. Give {remedy} instead."
        )
