"""`FunctionScorer`: a plain function on arrays, perturbed with NumPy in batches. May import numpy and the core."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import ModelInput, split_inputs
from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores
from keras_lime.data.arrays import to_numpy
from keras_lime.scoring import introspection
from keras_lime.scoring.collecting import RawRows, check_shapes, collect_probabilities, collect_scores
from keras_lime.scoring.infer_output import infer_function_output
from keras_lime.scoring.input_layout import IMAGE_ALONE, InputLayout
from keras_lime.scoring.outputs import Output

__all__ = ["FunctionScorer"]

_PIXELS = 600_000
"""Pixels per batch, at most 128 images."""


class FunctionScorer:
    """Runs a plain function on arrays; see `make_scorer` and `Scorer`.

    What its outputs mean is known only after the first scores: until then `n_outputs` and `output` are None.
    """

    def __init__(
        self,
        function: Callable[[NDArray[np.float32]], Any],
        image_shape: tuple[int, ...],
        output: str,
        head: str | int | None,
        batch_size: int | None,
        layout: InputLayout = IMAGE_ALONE,
    ) -> None:
        self._function = function
        self._image_shape = image_shape
        self._head = head
        self.layout = layout
        self._declared = output
        self._batch_size = batch_size or min(128, max(1, _PIXELS // (image_shape[0] * image_shape[1])))
        self.output: Output | None = None

    @property
    def n_outputs(self) -> int | None:
        """See `Scorer.n_outputs`."""
        return None if self.output is None else self.output.n_outputs

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        """See `Scorer`."""
        check_shapes(plans, self._image_shape)
        return collect_scores(self._perturbed(plans), plans, wanted, self._output_of)

    def score_images(self, images: Iterable[NDArray[Any] | ModelInput]) -> NDArray[np.float64]:
        """See `Scorer.score_images`."""
        return collect_probabilities(self.raw_scores(images), self._output_of)

    def raw_scores(self, images: Iterable[NDArray[Any] | ModelInput]) -> Iterator[NDArray[np.float32]]:
        """Raw outputs (n, k), batch by batch, of images as they are."""
        waiting = iter(images)
        while taken := list(islice(waiting, self._batch_size)):
            pixels, others = split_inputs(taken, self.layout.names)
            batch = self.layout.arrange(np.stack(pixels).astype(np.float32), others)
            yield _as_rows(self._function(batch), self._head, len(taken))

    def _output_of(self, rows: NDArray[np.float32]) -> Output:
        if self.output is None:
            self.output = infer_function_output(rows, self._declared, self._head)
        return self.output

    def _perturbed(self, plans: Sequence[Plan]) -> RawRows:
        for position, plan in enumerate(plans):
            masks, labels, image = plan.neighborhood.masks, plan.segmentation.labels, plan.pixels
            others = self.layout.values_of(plan.inputs)
            for start in range(0, len(masks), self._batch_size):
                shown = masks[start : start + self._batch_size][:, labels][..., None]
                mixed = np.where(shown, image, plan.baseline).reshape(len(shown), *self._image_shape)
                batch = self.layout.arrange(mixed, [np.stack([value] * len(mixed)) for value in others])
                yield position, _as_rows(self._function(batch), self._head, len(mixed))


def _as_rows(result: Any, head: str | int | None, n_images: int) -> NDArray[np.float32]:
    """The scores (n_images, k) in what a function returned."""
    several = isinstance(result, dict | tuple) or (isinstance(result, list) and hasattr(result[0], "shape"))
    scores: Any = introspection.pick(result, head)[0] if several else result
    array = to_numpy(scores, "model").astype(np.float32, copy=False)
    if array.ndim == 0 or len(array) != n_images or array.size == 0:
        raise ValueError(
            f"`model` must return one row of scores per image. Received: shape={array.shape} for {n_images} images."
        )
    introspection.pick(array, None)
    return array.reshape(n_images, -1)
