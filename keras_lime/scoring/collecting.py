"""Raw outputs, batch by batch → one `Scores` per plan, or the probabilities of all images. May import numpy."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores
from keras_lime.scoring.outputs import Converted, NonFiniteOutputError, Output

__all__ = ["RawRows", "check_shapes", "collect_probabilities", "collect_scores", "fill_up", "stack_images"]

RawRows = Iterator[tuple[int, NDArray[np.float32]]]
"""Position of a plan and raw outputs (n, k) of its next n perturbations; plans in order."""


def collect_scores(
    raw_rows: RawRows,
    plans: Sequence[Plan],
    wanted: Sequence[Sequence[int | str]],
    output_of: Callable[[NDArray[np.float32]], Output],
) -> Iterator[Scores]:
    """Puts the raw rows of each plan together; only the explained outputs are kept.

    Args:
        raw_rows: see `RawRows`.
        plans: the plans.
        wanted: the targets of each, see `Scorer`.
        output_of: what the outputs mean, from the first rows.

    Raises:
        NonFiniteOutputError: if the model's output is not finite; `position` is the plan's.
    """
    targets: tuple[int, ...] = ()
    predicted: tuple[int | None, float] = (None, 0.0)
    parts: list[Converted] = []
    done = 0
    for position, raw in raw_rows:
        try:
            output = output_of(raw)
            if done == 0:
                # The first row of a plan is the unperturbed image.
                targets = output.choose(raw[0], wanted[position])
                predicted = output.predict(raw[0], targets)
            parts.append(output.convert(raw, targets))
        except NonFiniteOutputError as error:
            raise NonFiniteOutputError(error.output, error.value, position) from None
        done += len(raw)
        if done == len(plans[position].neighborhood.masks):
            values, log_odds, saturated = map(np.concatenate, zip(*parts, strict=True))
            yield Scores(targets, values, log_odds, *predicted, saturated)
            parts = []
            done = 0


def collect_probabilities(
    batches: Iterator[NDArray[np.float32]], output_of: Callable[[NDArray[np.float32]], Output]
) -> NDArray[np.float64]:
    """Probabilities (n, n_outputs) of all images, from raw batches (m, k).

    Raises:
        NonFiniteOutputError: if the model's output is not finite; `position` is the image's.
    """
    probabilities: list[NDArray[np.float64]] = []
    for raw in batches:
        try:
            probabilities.append(output_of(raw).probabilities(raw))
        except NonFiniteOutputError as error:
            position = sum(map(len, probabilities)) + int(np.argmin(np.isfinite(raw).all(axis=1)))
            raise NonFiniteOutputError(error.output, error.value, position) from None
    return np.concatenate(probabilities)


def check_shapes(plans: Sequence[Plan], image_shape: tuple[int, ...]) -> None:
    """Refuses plans of images of another shape.

    Raises:
        ValueError: naming the first.
    """
    for position, plan in enumerate(plans):
        if plan.image.shape != image_shape:
            raise ValueError(
                f"`plans` must hold images of shape {image_shape}, as the scorer was made for. Received: "
                f"shape={plan.image.shape} at {position}."
            )


def stack_images(images: Sequence[NDArray[Any]], n_rows: int, image_shape: tuple[int, ...]) -> NDArray[np.float32]:
    """A batch (n_rows, *image_shape) of some images, filled up with black."""
    batch = np.empty((n_rows, *image_shape), np.float32)
    # One by one: of a list NumPy would make another array first.
    for row, image in zip(batch, images, strict=False):
        row[...] = image
    batch[len(images) :] = 0
    return batch


def fill_up(values: NDArray[Any], n_rows: int) -> NDArray[Any]:
    """Rows of any array, filled up with zeros."""
    filled = np.zeros((n_rows, *values.shape[1:]), values.dtype)
    filled[: len(values)] = values
    return filled
