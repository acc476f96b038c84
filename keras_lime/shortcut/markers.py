"""Markers anywhere: small things off the object that carry a prediction, proved by hiding and by pasting.

Candidates are the blocks outside the object with the largest LIME weights under a grey baseline, or, where passes are
dear, what `marker_halving` finds. A weight alone proves
nothing, nor does a fall when the block is hidden, nor a gain when it is pasted: each accuses clean models. A marker
shows in both, beyond what a dull block of the same image does. May import numpy and the core.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import ModelInput, OtherInputs, with_inputs
from keras_lime.core.scores import ImageScorer
from keras_lime.shortcut.marker_halving import find_candidates, pasted_off_object

__all__ = ["MarkerPlan", "MarkerScores", "grid_weights", "make_marker_plan", "run_halving", "run_markers"]

_GRID = 8
"""Cells across and down; a block is 2 by 2 cells."""

_PAIRS = 80
"""Pairs of perturbations, each with its complement, from which the weights of an image's cells are fitted."""

_KERNEL_WIDTH = 0.25
"""LIME's kernel on the cosine distance."""

_MOST_OVERLAP = 0.05
"""Share of a block that may lie on the object."""


@dataclass(frozen=True, eq=False)
class MarkerPlan:
    """Blocks to be tested; m of n images have a candidate.

    Attributes:
        images: array (n, h, w, c) or (n, h, w).
        predicted: int array (n,), the class that each unchanged image gets.
        rows: int array (m,), positions of the images that have a candidate.
        blocks: int array (m, 4), each candidate as top, left, bottom, right in pixels.
        dull: int array (m, 4), the block of the same image that weighs least, of the same size.
        targets: int array (m, t), positions of images of other classes into which the blocks are pasted; -1 where there
            are fewer than t.
        inputs: what the model takes beside each image, arrays (n, ...) by name.
    """

    images: NDArray[Any]
    predicted: NDArray[np.int64]
    rows: NDArray[np.int64]
    blocks: NDArray[np.int64]
    dull: NDArray[np.int64]
    targets: NDArray[np.int64]
    inputs: OtherInputs

    def composites(self) -> Iterator[NDArray[Any] | ModelInput]:
        """Of each candidate the image with it hidden, then each target with it, then each target with the dull one."""
        for row, block, dull, targets in zip(self.rows, self.blocks, self.dull, self.targets, strict=True):
            yield with_inputs(_hidden(self.images[row], block), self.inputs, row)
            for patch in (block, dull):
                for target in targets[targets >= 0]:
                    pasted = _pasted(self.images[row], patch, self.images[target])
                    yield with_inputs(pasted, self.inputs, target)


@dataclass(frozen=True, eq=False)
class MarkerScores:
    """A model's answers; m of n images have a candidate.

    Attributes:
        rows: int array (m,), positions of these images.
        blocks: int array (m, 4), each candidate as top, left, bottom, right in pixels.
        classes: int array (m,), the class that each unchanged image gets.
        drops: float array (m,), by how much that class's probability falls when the block is hidden.
        gains: float array (m,), by how much it rises in images of other classes that get the block, less the rise by a
            block that should say nothing.
        names: of all n images, or nothing. Defaults to nothing.
        estimated: whether the outlines off which blocks lie are estimates. Defaults to `False`.
    """

    rows: NDArray[np.int64]
    blocks: NDArray[np.int64]
    classes: NDArray[np.int64]
    drops: NDArray[np.float64]
    gains: NDArray[np.float64]
    names: tuple[str, ...] = ()
    estimated: bool = False

    @property
    def strengths(self) -> NDArray[np.float64]:
        """The smaller of drop and gain, (m,): what hiding and pasting agree on."""
        return np.minimum(self.drops, self.gains)


def grid_weights(
    images: NDArray[Any],
    grey: NDArray[np.floating[Any]],
    predicted: NDArray[np.int64],
    scorer: ImageScorer,
    *,
    seed: int = 0,
    inputs: OtherInputs | None = None,
) -> NDArray[np.float64]:
    """LIME weights of an 8 by 8 grid for the predicted class, per pixel; hidden cells are grey. 160 passes an image.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        grey: float array (c,), model input that is shown as middle grey.
        predicted: int array (n,).
        scorer: the model.
        seed: of the perturbations, which are the same for all images. Defaults to `0`.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.

    Returns:
        Float array (n, h, w), each pixel's share of its cell's weight.
    """
    height, width = images.shape[1:3]
    rows, columns = (np.minimum(np.arange(side) * _GRID // side, _GRID - 1) for side in (height, width))
    cells = rows[:, None] * _GRID + columns
    drawn = np.random.default_rng(seed).random((_PAIRS, _GRID**2)) < 0.5
    shown = np.concatenate([drawn, ~drawn])
    visible = shown[:, cells].reshape(len(shown), height, width, *[1] * (images.ndim - 3))
    fill = np.asarray(grey if images.ndim == 4 else grey[0]).astype(images.dtype)
    distance = 1 - np.sqrt(shown.mean(axis=1))
    kernel = np.exp(-(distance**2) / (2 * _KERNEL_WIDTH**2))
    design = np.concatenate([np.ones((len(shown), 1)), shown], axis=1)
    normal = design.T @ (design * kernel[:, None])
    normal[1:, 1:] += np.eye(_GRID**2)
    area = np.bincount(cells.ravel(), minlength=_GRID**2)
    maps = np.empty((len(images), height, width))
    for row, image in enumerate(images):
        perturbed = (with_inputs(np.where(mask, image, fill), inputs or {}, row) for mask in visible)
        values = scorer.score_images(perturbed)[:, predicted[row]]
        weights = np.linalg.solve(normal, design.T @ (kernel * values))[1:]
        maps[row] = (weights / np.maximum(area, 1))[cells]
    return maps


def make_marker_plan(
    images: NDArray[Any],
    masks: NDArray[np.bool_],
    weights: NDArray[np.float64],
    predicted: NDArray[np.int64],
    labels: NDArray[np.int64],
    *,
    n_targets: int = 4,
    seed: int = 0,
    inputs: OtherInputs | None = None,
) -> MarkerPlan:
    """Chooses the blocks.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        masks: bool array (n, h, w), True on the object.
        weights: float array (n, h, w), LIME weight per pixel for the predicted class, from a grey baseline.
        predicted: int array (n,).
        labels: int array (n,), true classes.
        n_targets: images that get each block. Defaults to `4`.
        seed: of the draw of targets. Defaults to `0`.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.

    Returns:
        The `MarkerPlan`; without rows if no image has an outline.
    """
    rng = np.random.default_rng(seed)
    places = _places(images.shape[1:3])
    rows, blocks, dull, targets = [], [], [], []
    for row in range(len(images)):
        free = [place for place in places if masks[row][_cut(place)].mean() <= _MOST_OVERLAP]
        others = np.flatnonzero((labels != predicted[row]) & (predicted != predicted[row]))
        if not masks[row].any() or len(free) < 2 or not len(others):
            continue
        sums = np.array([weights[row][_cut(place)].sum() for place in free])
        rows.append(row)
        blocks.append(free[int(sums.argmax())])
        dull.append(free[int(np.abs(sums).argmin())])
        drawn = np.full(n_targets, -1, np.int64)
        taken = rng.permutation(others)[:n_targets]
        drawn[: len(taken)] = taken
        targets.append(drawn)
    return MarkerPlan(
        images,
        predicted,
        np.array(rows, np.int64),
        np.array(blocks, np.int64).reshape(-1, 4),
        np.array(dull, np.int64).reshape(-1, 4),
        np.array(targets, np.int64).reshape(-1, n_targets),
        inputs or {},
    )


def run_markers(plan: MarkerPlan, scorer: ImageScorer, before: NDArray[np.float64]) -> MarkerScores:
    """Asks a model.

    Args:
        plan: with at least one candidate.
        scorer: the model.
        before: float array (n, k), probabilities for the unchanged images.
    """
    scores = scorer.score_images(plan.composites())
    shape = plan.targets.shape
    drops, gains, dull_gains = np.empty(shape[0]), np.full(shape, np.nan), np.full(shape, np.nan)
    start = 0
    for index, (row, targets) in enumerate(zip(plan.rows, plan.targets, strict=True)):
        label, known = plan.predicted[row], targets[targets >= 0]
        count = len(known)
        found = scores[start : start + 1 + 2 * count, label]
        drops[index] = before[row, label] - found[0]
        gains[index, :count] = found[1 : 1 + count] - before[known, label]
        dull_gains[index, :count] = found[1 + count :] - before[known, label]
        start += 1 + 2 * count
    net = np.nanmean(gains - dull_gains, axis=1)
    return MarkerScores(plan.rows, plan.blocks, plan.predicted[plan.rows], drops, net)


def run_halving(
    images: NDArray[Any],
    masks: NDArray[np.bool_],
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    values: NDArray[np.float64],
    scorer: ImageScorer,
    *,
    seed: int = 0,
    inputs: OtherInputs | None = None,
) -> MarkerScores | None:
    """Finds candidates and proves them, in at most ten passes an image.

    A block is pasted into one image of another class, and so is the same place of a third image: what a patch of that
    size at that place does anyway is taken off.

    Args:
        images: array (n, h, w, c) or (n, h, w).
        masks: bool array (n, h, w), True on the object.
        labels: int array (n,), true classes.
        predicted: int array (n,), predicted classes.
        values: float array (n,), their probabilities.
        scorer: the model.
        seed: of the draw of targets. Defaults to `0`.
        inputs: what the model takes beside each image, arrays (n, ...) by name. Defaults to `None`, nothing.

    Returns:
        The `MarkerScores`; None if no image has a candidate.
    """
    others = inputs or {}
    found = find_candidates(images, masks, predicted, values, scorer, others)
    # What is not worth the passes is not pasted: its strength is its drop, next to nothing.
    gains = np.where(found.worth, np.nan, found.drops)
    rng = np.random.default_rng(seed)
    chosen, pasted = [], []
    for index in np.flatnonzero(found.worth).tolist():
        row, block = int(found.rows[index]), found.blocks[index]
        pool = rng.permutation(np.flatnonzero((labels != predicted[row]) & (predicted != predicted[row])))
        if len(pool) < 2:
            continue
        # Objects in the way of the patch would be cut: the two images in which least of them is.
        target, control = pool[np.argsort([masks[other][_cut(block)].mean() for other in pool], kind="stable")[:2]]
        chosen.append(index)
        for source in (row, control):
            patched = pasted_off_object(images[source], masks[row] | masks[target], block, images[target])
            pasted.append(with_inputs(patched, others, int(target)))
    if chosen:
        scores = scorer.score_images(iter(pasted)).reshape(len(chosen), 2, -1)
        told = scores[np.arange(len(chosen)), :, predicted[found.rows[chosen]]]
        gains[chosen] = told[:, 0] - told[:, 1]
    known = np.isfinite(gains)
    if not known.any():
        return None
    rows = found.rows[known]
    return MarkerScores(rows, found.blocks[known], predicted[rows], found.drops[known], gains[known])


def _places(shape: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """All blocks of 2 by 2 cells, as top, left, bottom, right."""
    height, width = shape
    downs, acrosses = (np.linspace(0, side, _GRID + 1).round().astype(int) for side in (height, width))
    return [
        (int(downs[i]), int(acrosses[j]), int(downs[i + 2]), int(acrosses[j + 2]))
        for i in range(_GRID - 1)
        for j in range(_GRID - 1)
    ]


def _cut(block: Any) -> tuple[slice, slice]:
    top, left, bottom, right = (int(edge) for edge in block)
    return slice(top, bottom), slice(left, right)


def _hidden(image: NDArray[Any], block: NDArray[np.int64]) -> NDArray[Any]:
    """The block in the mean colour of the pixels around it: seamless, but for what was in it."""
    top, left, bottom, right = (int(edge) for edge in block)
    margin = max(1, round(min(image.shape[:2]) / 32))
    around = np.zeros(image.shape[:2], bool)
    around[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin] = True
    around[_cut(block)] = False
    colour = image[around].astype(np.float64).mean(axis=0)
    result = np.array(image)
    result[_cut(block)] = np.rint(colour) if image.dtype.kind in "iub" else colour
    return result


def _pasted(source: NDArray[Any], block: NDArray[np.int64], target: NDArray[Any]) -> NDArray[Any]:
    """The block of one image at the same place of another."""
    result = np.array(target)
    result[_cut(block)] = source[_cut(block)]
    return result
