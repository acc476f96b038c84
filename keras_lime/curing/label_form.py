"""Whether a training's labels are class ids or one-hot rows, without drawing from the data set. Imports numpy."""

from typing import Any

import numpy as np

__all__ = ["labels_are_rows"]


def labels_are_rows(data: Any) -> bool | None:
    """Looks at a data set's labels.

    Args:
        data: what `fit` takes.

    Returns:
        True for rows (n, k), one-hot or soft; False for ids (n,) or (n, 1); None where only drawing a batch would tell.
    """
    spec = getattr(data, "element_spec", None)
    if isinstance(spec, tuple) and len(spec) > 1:
        shape = spec[1].shape
        return None if shape.rank is None else _are_rows(tuple(shape))
    if isinstance(data, tuple | list) and len(data) in (2, 3):
        return _are_rows(np.shape(data[1]))
    # Neither of these draws at random or moves on: a batch of a PyDataset, a sample of a DataLoader's data set.
    source = getattr(data, "dataset", None)
    if source is not None and hasattr(source, "__getitem__"):
        return _are_rows((1, *np.shape(source[0][1])))
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return _are_rows(np.shape(data[0][1]))
    return None


def _are_rows(shape: tuple[Any, ...]) -> bool:
    return len(shape) == 2 and shape[1] != 1
