"""Candidates for markers in at most eight passes an image: which quarter off the object, and which part of it.

A LIME on the same grid takes 160 passes, see `markers.grid_weights`. May import numpy and the core.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import OtherInputs, with_inputs
from keras_lime.core.scores import ImageScorer

__all__ = ["Candidates", "find_candidates", "pasted_off_object"]

_GRID = 8
"""Cells across and down."""

_QUARTER, _QUARTER_STARTS = 5, (0, 3)
"""Quarters overlap by two cells, and parts by one, or a marker on a border would be halved."""

_PART, _PART_STARTS = 3, (0, 2)

_LEAST_FREE = 0.25
"""Share of a region that must lie off the object."""

_WORTH = 0.02
"""Fall of probability below which a quarter is not looked into: no part of it can hold a marker that counts."""

Regions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """The part off the object that carries most of each prediction; m of n images have one.

    Attributes:
        rows: int array (m,), positions of these images.
        blocks: int array (m, 4), as top, left, bottom, right in pixels.
        drops: float array (m,), by how much the predicted class's probability falls when it is hidden.
        worth: bool array (m,), whether that is enough to go on; the others' blocks are quarters.
    """

    rows: NDArray[np.int64]
    blocks: Regions
    drops: NDArray[np.float64]
    worth: NDArray[np.bool_]


def find_candidates(
    images: NDArray[Any],
    masks: NDArray[np.bool_],
    predicted: NDArray[np.int64],
    values: NDArray[np.float64],
    scorer: ImageScorer,
    inputs: OtherInputs,
) -> Candidates:
    """Hides four quarters off the object, and then four parts of the one whose loss costs most.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        masks: bool array (n, h, w), True on the object.
        predicted: int array (n,).
        values: float array (n,), probabilities of the predicted classes.
        scorer: the model.
        inputs: what the model takes beside each image, arrays (n, ...) by name.
    """
    rows = np.flatnonzero(masks.any(axis=(1, 2)))
    shape = images.shape[1:3]

    def best(within: NDArray[np.int64], starts: tuple[int, int], size: int, of: NDArray[np.int64]) -> tuple[Any, Any]:
        corners = np.array([(down, across) for down in starts for across in starts])
        options = within[:, None] + corners
        found = _drops(options, size, of, images, masks, predicted, values, scorer, inputs)
        place = np.arange(len(of)), found.argmax(axis=1) if len(of) else np.empty(0, int)
        return options[place], found[place]

    cells, drops = best(np.zeros((len(rows), 2), np.int64), _QUARTER_STARTS, _QUARTER, rows)
    blocks, worth = _pixels(cells, _QUARTER, shape), drops >= _WORTH
    cells, part_drops = best(cells[worth], _PART_STARTS, _PART, rows[worth])
    blocks[worth], drops[worth] = _pixels(cells, _PART, shape), part_drops
    usable = np.isfinite(drops)
    return Candidates(rows[usable], blocks[usable], drops[usable], worth[usable])


def _drops(
    options: NDArray[np.int64],
    size: int,
    rows: NDArray[np.int64],
    images: NDArray[Any],
    masks: NDArray[np.bool_],
    predicted: NDArray[np.int64],
    values: NDArray[np.float64],
    scorer: ImageScorer,
    inputs: OtherInputs,
) -> NDArray[np.float64]:
    """What hiding each region takes off the probability, (m, 4); −inf for those that lie on the object."""
    found = np.full(options.shape[:2], -np.inf)
    regions = _pixels(options.reshape(-1, 2), size, images.shape[1:3]).reshape(*options.shape[:2], 4)
    free = np.array(
        [
            [1 - masks[row][_cut(region)].mean() >= _LEAST_FREE for region in own]
            for row, own in zip(rows, regions, strict=True)
        ]
    ).reshape(found.shape)
    places = list(zip(*np.nonzero(free), strict=True))
    if not places:
        return found
    hidden = (
        with_inputs(_hidden(images[rows[i]], masks[rows[i]], regions[i, j]), inputs, int(rows[i])) for i, j in places
    )
    scores = scorer.score_images(hidden)
    for (i, j), row_scores in zip(places, scores, strict=True):
        found[i, j] = values[rows[i]] - row_scores[predicted[rows[i]]]
    return found


def _hidden(image: NDArray[Any], mask: NDArray[np.bool_], region: Regions) -> NDArray[Any]:
    """The region's pixels off the object in the mean colour of what is around it."""
    top, left, bottom, right = (int(edge) for edge in region)
    margin = max(1, round(min(image.shape[:2]) / 16))
    around = np.zeros(mask.shape, bool)
    around[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
    around[_cut(region)] = False
    ring = around & ~mask if (around & ~mask).any() else ~mask
    inside = np.zeros(mask.shape, bool)
    inside[_cut(region)] = True
    colour = image[ring].astype(np.float64).mean(axis=0)
    result = np.array(image)
    result[inside & ~mask] = np.rint(colour) if image.dtype.kind in "iub" else colour
    return result


def pasted_off_object(
    source: NDArray[Any], mask: NDArray[np.bool_], block: Regions, target: NDArray[Any]
) -> NDArray[Any]:
    """The block of one image, without its object, at the same place of another.

    Args:
        source: image (h, w, c) or (h, w).
        mask: bool array (h, w), pixels that stay behind.
        block: top, left, bottom, right.
        target: image like `source`.
    """
    result = np.array(target)
    cut = _cut(block)
    result[cut][~mask[cut]] = source[cut][~mask[cut]]
    return result


def _pixels(cells: NDArray[np.int64], size: int, shape: tuple[int, ...]) -> Regions:
    """Squares of cells, given by their first one, as top, left, bottom, right in pixels."""
    downs, acrosses = (np.linspace(0, side, _GRID + 1).round().astype(np.int64) for side in shape)
    top, left = cells[:, 0], cells[:, 1]
    return np.stack([downs[top], acrosses[left], downs[top + size], acrosses[left + size]], axis=1)


def _cut(region: Any) -> tuple[slice, slice]:
    top, left, bottom, right = (int(edge) for edge in region)
    return slice(top, bottom), slice(left, right)
