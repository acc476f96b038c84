"""`prepare_probes`: what shortcut tests get of the probes, with estimated outlines where there are no masks.

May import numpy, the core, and `outlines` and `protocol` beside it.
"""

import warnings
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.display import Display, DisplayFn
from keras_lime.core.model_input import OtherInputs
from keras_lime.exceptions import LimeWarning
from keras_lime.shortcut.outlines import estimate_outlines
from keras_lime.shortcut.protocol import ProbeData
from keras_lime.shortcut.results import Obstacle, Status

__all__ = ["OutlineSource", "display_of", "outline_kinds", "prepare_probes"]

OutlineSource = Literal["estimate"] | Callable[[NDArray[Any]], Any] | None
"""Where outlines come from that nobody gave: border statistics, a function from an image to its mask, or nowhere."""


def prepare_probes(
    images: NDArray[Any],
    labels: NDArray[np.int64] | None,
    masks: NDArray[np.bool_] | None,
    *,
    outlines: OutlineSource = None,
    display_fn: DisplayFn | None = None,
    class_names: tuple[str, ...] | None = None,
    seed: int = 0,
    inputs: OtherInputs | None = None,
    names: tuple[str, ...] = (),
) -> ProbeData:
    """Gathers what tests need, and estimates outlines where there are labels and no masks.

    Args:
        images: array (n, h, w, c) or (n, h, w), model input.
        labels: int array (n,), true classes, or None.
        masks: bool array (n, h, w), True on the object, or None.
        outlines: `"estimate"`, a function from one image as it is shown, uint8 (h, w, 3), to its mask (h, w), or None.
            Defaults to `None`.
        display_fn: the user's conversion of model input to RGB. Defaults to `None`.
        class_names: names of the classes. Defaults to `None`.
        seed: of whatever a test draws. Defaults to `0`.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.
        names: of the images. Defaults to `()`, none.

    Raises:
        ValueError: if the function of `outlines` gives masks of another shape.
    """
    display = display_of(images, display_fn)
    kinds, obstacle = None if masks is None else outline_kinds(masks), None
    if masks is None and labels is not None and outlines is not None:
        estimated = estimate_outlines(ProbeData(images, display).shown, None if isinstance(outlines, str) else outlines)
        reason = estimated.why_unusable()
        if reason is None:
            masks, kinds = estimated.masks, ("estimated",) * len(images)
        else:
            obstacle = Obstacle(reason, "Give `ProbeSet` the objects' `masks` or `boxes`.", Status.CANNOT_SAY)
    return ProbeData(images, display, labels, masks, kinds, class_names, seed, inputs or {}, obstacle, names)


def outline_kinds(masks: NDArray[np.bool_]) -> tuple[str, ...]:
    """`"box"` for masks that fill the rectangle around them, `"mask"` for others."""
    kinds = []
    for mask in masks:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        filled = len(rows) > 0 and bool(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all())
        kinds.append("box" if filled else "mask")
    return tuple(kinds)


def display_of(images: NDArray[Any], display_fn: DisplayFn | None) -> Display:
    """How the probes are shown. An unusual range is not warned of again: the plans' makers did."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LimeWarning)
        return Display.of(images, display_fn)
