"""A probe set → one figure: every image with its number, its pixel scales and the outline of its object.

May import matplotlib and the core.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from keras_lime.core.display import Display, DisplayFn
from keras_lime.plotting.figures import NotebookFigure, shorten

__all__ = ["plot_probes"]

_COLUMNS = 5
_SIDE = 2.4
"""Inches of an image with its title and scales."""

_TITLE_LETTERS = 26


def plot_probes(
    images: NDArray[Any],
    names: Sequence[str],
    masks: NDArray[np.bool_] | None,
    *,
    most: int,
    display_fn: DisplayFn | None = None,
) -> Figure:
    """Draws probes.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        names: n names.
        masks: object masks, bool (n, h, w), or None.
        most: images at most; the title says how many there are.
        display_fn: maps one image to RGB. Defaults to `None`, by the images' range.

    Returns:
        The figure; rows count downwards from 0 and columns to the right, as in boxes.
    """
    shown = min(most, len(images))
    rows = math.ceil(shown / _COLUMNS)
    figure = NotebookFigure(figsize=(_COLUMNS * _SIDE, rows * _SIDE + 0.4), layout="constrained")
    display = Display.of(images, display_fn)
    grid = np.atleast_1d(figure.subplots(rows, _COLUMNS, squeeze=False)).ravel()
    for index, axes in enumerate(grid):
        if index >= shown:
            axes.set_axis_off()
            continue
        axes.imshow(display.picture(images[index]), interpolation="nearest")
        axes.set_title(shorten(f"{index}: {names[index]}", _TITLE_LETTERS), fontsize=8)
        axes.tick_params(labelsize=6, length=2)
        if masks is not None and masks[index].any():
            _outline(axes, masks[index])
    about = "the outline of the object in yellow" if masks is not None else "no object masks"
    figure.suptitle(f"{shown} of {len(images)} probes, {about}; scales in pixels", fontsize=9)
    return figure


def _outline(axes: Any, mask: NDArray[np.bool_]) -> None:
    """Draws a mask's outline at the edges of its pixels; black below yellow is seen on any image."""
    # Each pixel as a square of four samples, framed by background: the contour then runs along pixel edges.
    framed = np.pad(mask, 1)
    height, width = framed.shape
    rows = np.repeat(np.arange(height), 2) - 1 + np.tile([-0.49, 0.49], height)
    columns = np.repeat(np.arange(width), 2) - 1 + np.tile([-0.49, 0.49], width)
    samples = framed.repeat(2, axis=0).repeat(2, axis=1).astype(float)
    for color, thickness in (("black", 2.6), ("yellow", 1.2)):
        axes.contour(columns, rows, samples, levels=[0.5], colors=[color], linewidths=thickness)
    axes.set_xlim(-0.5, mask.shape[1] - 0.5)
    axes.set_ylim(mask.shape[0] - 0.5, -0.5)
