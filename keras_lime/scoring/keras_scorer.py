"""`KerasScorer`: a Keras model, compiled with the perturbation on its own device. May import Keras."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.model_input import ModelInput, split_inputs
from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores
from keras_lime.scoring.collecting import (
    RawRows,
    check_shapes,
    collect_probabilities,
    collect_scores,
    fill_up,
    stack_images,
)
from keras_lime.scoring.engines import MASK_WIDTH, Engine, engine_for, may_halve, smaller_engine
from keras_lime.scoring.infer_output import infer_output
from keras_lime.scoring.input_layout import IMAGE_ALONE, InputLayout
from keras_lime.scoring.inputs import build, check_channels, check_inputs
from keras_lime.scoring.outputs import Output
from keras_lime.scoring.packing import MaskBatch, MaskPacker
from keras_lime.scoring.prediction import prediction_of

__all__ = ["KerasScorer"]


class KerasScorer:
    """Runs a Keras model; see `make_scorer` and `Scorer`."""

    def __init__(
        self,
        model: Any,
        image_shape: tuple[int, ...],
        output: str,
        head: str | int | None,
        batch_size: int | None,
        layout: InputLayout = IMAGE_ALONE,
    ) -> None:
        self._model = model
        self._image_shape = image_shape
        self.layout = layout
        self._request = (image_shape, head, batch_size, layout)
        check_inputs(model, image_shape, batch_size, layout)
        check_channels(image_shape)
        build(model, image_shape, layout)
        engine = engine_for(model, *self._request)
        sample = _sample(engine) if prediction_of(model).has_own_step else None
        self.output: Output = infer_output(model, output, head, outputs=engine.outputs, sample=sample)

    @property
    def n_outputs(self) -> int:
        """See `Scorer.n_outputs`."""
        return self.output.n_outputs

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        """See `Scorer`."""
        check_shapes(plans, self._image_shape)
        return collect_scores(self._perturbed(plans), plans, wanted, lambda rows: self.output)

    def score_images(self, images: Iterable[NDArray[Any] | ModelInput]) -> NDArray[np.float64]:
        """See `Scorer.score_images`."""
        return collect_probabilities(self.raw_scores(images), lambda rows: self.output)

    def raw_scores(self, images: Iterable[NDArray[Any] | ModelInput]) -> Iterator[NDArray[np.float32]]:
        """Raw outputs (n, k), batch by batch, of images as they are.

        Where batches are of fixed size the last is filled up with black.
        """
        walk = _Walk(self._model, self._request)
        arriving = iter(images)
        waiting: list[NDArray[Any] | ModelInput] = []
        # Images whose batch ran out of memory wait for the next, smaller one: the iterator cannot be asked again.
        while waiting := waiting + list(islice(arriving, max(0, walk.batch_size - len(waiting)))):
            taken = waiting[: walk.batch_size]
            n_rows = walk.batch_size if walk.engine.fixed_score else len(taken)
            pixels, others = split_inputs(taken, self.layout.names)
            filled = [fill_up(values, n_rows) for values in others]
            raw = walk.score(stack_images(pixels, n_rows, self._image_shape), filled)
            if raw is not None:
                waiting = waiting[len(taken) :]
                yield raw[: len(taken)]

    def _perturbed(self, plans: Sequence[Plan]) -> RawRows:
        """Streams the rows of all plans through shared batches.

        One walk over the sequence of rows: each step takes the batch that begins at `start` and hands its answers on,
        cut at the ends of plans. A step that runs out of memory is taken again from the same `start` with half the
        rows, so that nothing is scored twice and nothing left out.
        """
        walk = _Walk(self._model, self._request)
        packer = MaskPacker(plans, walk.engine.spec.n_slots, MASK_WIDTH)
        start = 0
        while start < packer.n_rows:
            batch = packer.batch(start, walk.rows(packer.n_rows - start), walk.on_device)
            raw = walk.run(packer, batch)
            if raw is not None:
                start = batch.stop
                for position, rows in batch.parts:
                    yield position, raw[rows]


def _sample(engine: Engine) -> NDArray[np.float32]:
    """Raw outputs of one batch of noise, half of it in 0..1 and half in 0..255."""
    shape = (engine.spec.batch_size, *engine.spec.image_shape)
    noise = np.random.default_rng(0).random(shape, np.float32)
    noise[1::2] *= 255
    return engine.score(noise, engine.spec.layout.zeros(len(noise)))


class _Walk:
    """An engine on its way through batches: what is on the device, and what happens when memory runs out."""

    def __init__(self, model: Any, request: tuple[tuple[int, ...], str | int | None, int | None, InputLayout]) -> None:
        self._model = model
        self._request = request
        self.engine = engine_for(model, *request)
        self.on_device = range(0)
        self._staged: tuple[Any, ...] = ()

    @property
    def batch_size(self) -> int:
        """Rows per batch at most; falls when memory runs out."""
        return self.engine.spec.batch_size

    def rows(self, remaining: int) -> int:
        """Rows of the next batch, `remaining` of them of use."""
        return self.batch_size if self.engine.fixed else min(self.batch_size, remaining)

    def run(self, packer: MaskPacker, batch: MaskBatch) -> NDArray[np.float32] | None:
        """Raw outputs of perturbations; None if memory ran out, and smaller batches are next."""
        return self._attempt(lambda: self._run(packer, batch))

    def score(self, images: NDArray[np.float32], others: Sequence[NDArray[Any]]) -> NDArray[np.float32] | None:
        """Raw outputs of ready images; None if memory ran out, and smaller batches are next."""
        return self._attempt(lambda: self.engine.score(images, others))

    def _run(self, packer: MaskPacker, batch: MaskBatch) -> NDArray[np.float32]:
        if batch.staged != self.on_device:
            # The old ones first go: two sets of large images may be more than fits.
            self._staged = ()
            self._staged = self.engine.stage(
                *packer.images(batch.staged), packer.others(batch.staged, self.engine.spec.layout)
            )
            self.on_device = batch.staged
        return self.engine.run(self._staged, batch.image_slot, batch.masks)

    def _attempt(self, action: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32] | None:
        try:
            return action()
        except Exception as error:
            if not may_halve(error, self._model, self.batch_size):
                raise
        # Here and not in the handler, where the error still holds the tensors of the failed batch.
        self._staged = ()
        self.on_device = range(0)
        self.engine = smaller_engine(self._model, *self._request, used=self.batch_size)
        return None
