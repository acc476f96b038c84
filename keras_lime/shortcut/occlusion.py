"""Occlusion of corners and borders, where watermarks sit, and the frame alone. Needs no masks.

May import numpy and the core.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import ModelInput, OtherInputs, with_inputs
from keras_lime.core.scores import ImageScorer
from keras_lime.core.shares import mean_stderr

__all__ = ["REGIONS", "Occlusion", "hide", "occluded", "run_occlusion"]

_SIDES: dict[str, tuple[str | None, str | None]] = {
    "top left corner": ("first", "first"),
    "top right corner": ("first", "last"),
    "bottom left corner": ("last", "first"),
    "bottom right corner": ("last", "last"),
    "top border": ("first", None),
    "bottom border": ("last", None),
    "left border": (None, "first"),
    "right border": (None, "last"),
}
"""Of each region the end of the rows and of the columns that it takes; None: all of them."""

REGIONS = tuple(_SIDES)
"""What is hidden, in order: four corners, four borders."""

_CORNER, _BORDER, _FRAME = 1 / 5, 1 / 10, 0.22
"""Sides of what is hidden, and the width of the frame that is shown alone, in sides of the picture."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """A model's answers; n probes.

    Attributes:
        drops: float array (n, 8), by how much the probability of the predicted class falls when each of `REGIONS` is
            hidden.
        frame: float array (n,), its probability when the frame alone is shown, (p − chance) / (1 − chance).
    """

    drops: NDArray[np.float64]
    frame: NDArray[np.float64]

    def mean(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Mean drops (8,) over all or some probes; NaN without any."""
        drops = self.drops if chosen is None else self.drops[chosen]
        return drops.mean(axis=0) if len(drops) else np.full(len(REGIONS), np.nan)

    def stderr(self, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
        """Standard errors (8,) of the mean drops, never zero; NaN for less than two probes."""
        drops = self.drops if chosen is None else self.drops[chosen]
        return np.array([mean_stderr(column) for column in drops.T])


def hide(image: NDArray[Any], region: int) -> NDArray[Any]:
    """Paints one of `REGIONS` in the mean colour of the pixels along its inner edge: seamless, but for what is in it.

    Args:
        image: array (h, w, c) or (h, w).
        region: index into `REGIONS`.

    Returns:
        Array like `image`.
    """
    height, width = image.shape[:2]
    low, high = _box(height, width, region), _box(height, width, region, margin=max(1, round(min(height, width) / 32)))
    around = np.zeros((height, width), bool)
    around[high] = True
    around[low] = False
    result = np.array(image)
    colour = image[around].astype(np.float64).mean(axis=0)
    result[low] = np.rint(colour) if image.dtype.kind in "iub" else colour
    return result


def occluded(
    images: NDArray[Any], grey: NDArray[np.floating[Any]], inputs: OtherInputs | None = None
) -> Iterator[NDArray[Any] | ModelInput]:
    """Of each image the eight pictures with one of `REGIONS` hidden, and the frame alone, its inside grey.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        grey: float array (c,), model input that is shown as middle grey.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.
    """
    height, width = images.shape[1:3]
    edge = max(1, round(_FRAME * min(height, width)))
    for probe, image in enumerate(images):
        for region in range(len(REGIONS)):
            yield with_inputs(hide(image, region), inputs or {}, probe)
        frame = np.array(image)
        frame[edge : height - edge, edge : width - edge] = grey if image.ndim == 3 else grey[0]
        yield with_inputs(frame, inputs or {}, probe)


def run_occlusion(
    images: NDArray[Any],
    scorer: ImageScorer,
    before: Sequence[int],
    before_values: Sequence[float],
    grey: NDArray[np.floating[Any]],
    inputs: OtherInputs | None = None,
) -> Occlusion:
    """Asks a model.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        scorer: the model.
        before: predicted class of each image.
        before_values: probability of each.
        grey: float array (c,), model input that is shown as middle grey.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.

    Returns:
        The `Occlusion`.
    """
    scores = scorer.score_images(occluded(images, grey, inputs))
    chance = 1 / scores.shape[1]
    scores = scores.reshape(len(images), len(REGIONS) + 1, -1)
    kept = np.take_along_axis(scores, np.asarray(before)[:, None, None], axis=2)[..., 0]
    drops = np.asarray(before_values, np.float64)[:, None] - kept[:, :-1]
    return Occlusion(drops, (kept[:, -1] - chance) / (1 - chance))


def _box(height: int, width: int, region: int, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns of a region, grown inwards by some pixels."""
    ends = _SIDES[REGIONS[region]]
    deep = max(1, round((_BORDER if None in ends else _CORNER) * min(height, width))) + margin
    slices = {"first": slice(0, deep), "last": slice(-deep, None), None: slice(None)}
    rows, columns = (slices[end] for end in ends)
    return rows, columns
