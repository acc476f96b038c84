"""The seam to the models: a `Scorer` gets plans and gives `Scores`. The core never sees a model. May import numpy."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import ModelInput
from keras_lime.core.plan import Plan

__all__ = ["ImageScorer", "OutputKind", "OutputMeaning", "Scorer", "Scores"]

OutputKind = Literal["softmax", "sigmoid", "multilabel", "regression"]
"""What outputs mean: classes that exclude each other, one probability, one probability per column, plain numbers."""


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
        asked: bool array (n_samples,), the rows that the model answered; None for all of them. Where there are others,
            values and log-odds stand for the model's in every fit, row by row they are not its answers, but for the
            first: see `keras_lime.core.carry_over`.
    """

    targets: tuple[int, ...]
    values: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    predicted: int | None
    predicted_value: float
    saturated: NDArray[np.bool_] | None = None
    asked: NDArray[np.bool_] | None = None

    def take(self, rows: NDArray[np.intp]) -> "Scores":
        """The answers to some perturbations, in their order."""
        saturated = None if self.saturated is None else self.saturated[rows]
        return replace(self, values=self.values[rows], log_odds=self.log_odds[rows], saturated=saturated)

    def joined(self, more: "Scores") -> "Scores":
        """These answers, and after them those to further perturbations of the same image."""
        saturated = None
        if self.saturated is not None and more.saturated is not None:
            saturated = np.concatenate([self.saturated, more.saturated])
        return replace(
            self,
            values=np.concatenate([self.values, more.values]),
            log_odds=np.concatenate([self.log_odds, more.log_odds]),
            saturated=saturated,
        )


class OutputMeaning(Protocol):
    """What is known of a model's outputs."""

    @property
    def kind(self) -> OutputKind:
        """What they mean."""

    @property
    def n_outputs(self) -> int:
        """Number of classes or outputs that can be explained."""


class ImageScorer(Protocol):
    """The half of a `Scorer` that runs whole images, for tests that change an image as a whole."""

    def score_images(self, images: Iterable[NDArray[Any] | ModelInput]) -> NDArray[np.float64]:
        """Scores images as they are.

        Args:
            images: any number of images of the scorer's shape, with what the model takes beside them; taken one batch
                at a time.

        Returns:
            Probabilities (n, n_outputs); for regression the outputs.

        Raises:
            ValueError: if the model's output is not finite; a `NonFiniteOutputError`, whose `position` is the image's.
        """


class Scorer(ImageScorer, Protocol):
    """Runs a model on images, perturbed or as they are; see `keras_lime.scoring`."""

    @property
    def n_outputs(self) -> int | None:
        """Number of outputs that can be explained; None for a plain function before its first scores."""

    @property
    def output(self) -> OutputMeaning | None:
        """What the outputs mean; None for a plain function before its first scores."""

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        """Scores perturbed images.

        Args:
            plans: the images and their perturbations.
            wanted: for each plan what is explained: indices, `"predicted"` and `"top<k>"`.

        Yields:
            One `Scores` per plan, in order.
        """
