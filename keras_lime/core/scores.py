"""The seam to the models: a `Scorer` gets plans and gives `Scores`. The core never sees a model. May import numpy."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.plan import Plan

__all__ = ["ImageScorer", "Scorer", "Scores"]


@dataclass(frozen=True, eq=False)
class Scores:
    """A model's answers to all perturbations of one image.

    Attributes:
        targets: the explained outputs, (n_targets,) unique indices.
        values: float64 array (n_samples, n_targets): probabilities, or the outputs themselves for regression.
        log_odds: float64 array like `values`, from the same pass: `log p − log(1 − p)`; for regression the values.
        predicted: the most probable output for the unperturbed image; None for regression.
        predicted_value: its probability; for regression the first target's value.
        saturated: bool array like `values`, True where a probability was 0 or 1 in the model's own precision, so that
            the log-odds are only the limit of what it can hold; None if unknown.
    """

    targets: tuple[int, ...]
    values: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    predicted: int | None
    predicted_value: float
    saturated: NDArray[np.bool_] | None = None


class ImageScorer(Protocol):
    """The half of a `Scorer` that runs whole images, for tests that change an image as a whole."""

    def score_images(self, images: Iterable[NDArray[Any]]) -> NDArray[np.float64]:
        """Probabilities (n, n_classes) for n images of the model's shape."""


class Scorer(ImageScorer, Protocol):
    """Runs a model on perturbed images; see `keras_lime.scoring`."""

    @property
    def n_outputs(self) -> int | None:
        """Number of outputs that can be explained, None while unknown."""

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        """Yields one `Scores` per plan, in order; `wanted[i]` holds indices, `"predicted"` and `"top<k>"`."""
