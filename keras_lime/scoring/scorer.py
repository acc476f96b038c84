"""The only code that runs a model: masks → scores.

`make_scorer` gives a Keras model one compiled function that perturbs on the model's own device (`engines`), and a plain
function batches that NumPy perturbs. The perturbations of several images share batches. May import Keras.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from keras_lime.core.plan import Plan
from keras_lime.core.scores import Scores
from keras_lime.data.arrays import to_numpy
from keras_lime.scoring import introspection
from keras_lime.scoring.engines import COLUMNS, SLOTS, engine_for, fixed_batch_size, is_out_of_memory, smaller_engine
from keras_lime.scoring.infer_output import resolve_function_output, resolve_output
from keras_lime.scoring.inputs import build, check_channels, check_inputs
from keras_lime.scoring.outputs import Converted, NonFiniteOutputError, Output
from keras_lime.scoring.packing import Rows

__all__ = ["FunctionScorer", "KerasScorer", "NonFiniteOutputError", "make_scorer"]

_FUNCTION_PIXELS = 600_000
"""Pixels per batch for a plain function, at most 128 images."""

_RawRows = Iterator[tuple[int, NDArray[np.float32]]]
"""Position of a plan and raw outputs (n, k) of its next n perturbations; plans in order."""


def make_scorer(
    model: Any,
    image_shape: tuple[int, ...],
    output: str = "auto",
    head: str | int | None = None,
    batch_size: int | None = None,
) -> "KerasScorer | FunctionScorer":
    """A scorer for images of one shape.

    A Keras model is compiled at the first call for a shape and never again, whatever the image and however many
    superpixels; the compiled function lives as long as the model. Every call of the scorer reads the current weights,
    runs with `training=False` and changes no state of the model.

    Args:
        model: a Keras model with one image input, or a function from a float32 batch (n, *image_shape) to scores
            (n, k). Both are fed what the image holds, as float32, never rescaled.
        image_shape: (h, w) or (h, w, c) of one image.
        output: what the model's outputs mean; see `Settings.output`. Defaults to `"auto"`.
        head: name or index of the output, for a model with several. Defaults to `None`.
        batch_size: images per forward pass. Defaults to `None`: by image size, and halved where memory runs out.

    Returns:
        A `Scorer`.

    Raises:
        ValueError: if the model has several inputs, takes images of another shape or channels first, or its output
            cannot be understood.
        TypeError: if `model` is neither a Keras model nor a function.

    Example:
        >>> scorer = make_scorer(model, (64, 64, 3))
        >>> (scores,) = scorer([plan], [("predicted",)])
    """
    shape = tuple(int(size) for size in image_shape)
    if len(shape) not in (2, 3) or min(shape) < 1:
        raise ValueError(f"`image_shape` must be (h, w) or (h, w, c). Received: image_shape={image_shape}.")
    if isinstance(model, keras.Model):
        return KerasScorer(model, shape, output, head, batch_size)
    if isinstance(model, keras.layers.Layer):
        raise TypeError(
            f"`model` must be a Keras model or a function. Received: the layer {type(model).__name__}. "
            "Wrap it: keras.Sequential([layer])."
        )
    if isinstance(model, type) or not callable(model):
        raise TypeError(f"`model` must be a Keras model or a function. Received: {model!r}.")
    check_channels(shape)
    return FunctionScorer(model, shape, output, head, batch_size)


class KerasScorer:
    """Runs a Keras model; see `make_scorer`."""

    def __init__(
        self, model: Any, image_shape: tuple[int, ...], output: str, head: str | int | None, batch_size: int | None
    ) -> None:
        self._model = model
        self._request = (image_shape, head, batch_size)
        check_inputs(model, image_shape, batch_size)
        check_channels(image_shape)
        build(model, image_shape)
        outputs = engine_for(model, *self._request).outputs
        self.output = resolve_output(model, output, head, outputs=outputs)

    @property
    def n_outputs(self) -> int:
        """Number of outputs that can be explained."""
        return self.output.n_outputs

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        """See `Scorer`."""
        _check_shapes(plans, self._request[0])
        return _collect(self._raw_rows(plans), plans, wanted, lambda rows: self.output)

    def score_images(self, images: Iterable[NDArray[Any]]) -> NDArray[np.float64]:
        """Scores images as they are.

        Args:
            images: any number of images of the scorer's shape; taken one batch at a time.

        Returns:
            Probabilities (n, n_outputs); for regression the outputs.

        Raises:
            NonFiniteOutputError: if the model's output is not finite; `position` is the image's.
        """
        return _probabilities(self._raw_scores(iter(images)), lambda raw: self.output)

    def _raw_scores(self, images: Iterator[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        """Raw outputs (n, k) batch by batch; where batches are of fixed size the last is filled up with black."""
        engine = engine_for(self._model, *self._request)
        waiting: list[NDArray[Any]] = []
        while waiting := waiting + list(islice(images, max(0, engine.batch_size - len(waiting)))):
            taken = waiting[: engine.batch_size]
            rows = engine.batch_size if engine.fixed else len(taken)
            batch = np.zeros((rows, *self._request[0]), np.float32)
            batch[: len(taken)] = taken
            try:
                raw = engine.score(batch)[: len(taken)]
            except Exception as error:
                if not is_out_of_memory(error) or engine.batch_size == 1 or fixed_batch_size(self._model):
                    raise
                raw = None
            if raw is None:
                engine = smaller_engine(self._model, *self._request, used=engine.batch_size)
                continue
            waiting = waiting[len(taken) :]
            yield raw

    def _raw_rows(self, plans: Sequence[Plan]) -> _RawRows:
        """Streams the rows of all plans through shared batches."""
        rows = Rows(plans, SLOTS, COLUMNS)
        engine = engine_for(self._model, *self._request)
        start, loaded, staged = 0, range(0), ()
        while start < rows.total:
            size = engine.batch_size if engine.fixed else min(engine.batch_size, rows.total - start)
            batch = rows.batch(start, size, loaded)
            try:
                if batch.plans != loaded:
                    staged = engine.stage(*rows.images(batch.plans))
                raw = engine.run(staged, batch.owner, batch.masks)
            except Exception as error:
                if not is_out_of_memory(error) or engine.batch_size == 1 or fixed_batch_size(self._model):
                    raise
                raw = None
            if raw is None:
                # Here and not in the handler, where the error still holds the tensors of the failed batch.
                loaded, staged = range(0), ()
                engine = smaller_engine(self._model, *self._request, used=engine.batch_size)
                continue
            start, loaded = batch.stop, batch.plans
            for position, part in batch.parts:
                yield position, raw[part]


class FunctionScorer:
    """Runs a plain function on arrays; see `make_scorer`. `n_outputs` is None before the first scores."""

    def __init__(
        self,
        function: Callable[[NDArray[np.float32]], Any],
        image_shape: tuple[int, ...],
        output: str,
        head: str | int | None,
        batch_size: int | None,
    ) -> None:
        self._function = function
        self._shape = image_shape
        self._head = head
        self._meaning = output
        self._batch_size = batch_size or min(128, max(1, _FUNCTION_PIXELS // (image_shape[0] * image_shape[1])))
        self.output: Output | None = None

    @property
    def n_outputs(self) -> int | None:
        """Number of outputs that can be explained, None before the first scores."""
        return None if self.output is None else self.output.n_outputs

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        """See `Scorer`."""
        _check_shapes(plans, self._shape)
        return _collect(self._raw_rows(plans), plans, wanted, self._resolve)

    def score_images(self, images: Iterable[NDArray[Any]]) -> NDArray[np.float64]:
        """See `KerasScorer.score_images`."""
        return _probabilities(self._raw_scores(iter(images)), self._resolve)

    def _raw_scores(self, images: Iterator[NDArray[Any]]) -> Iterator[NDArray[np.float32]]:
        while taken := list(islice(images, self._batch_size)):
            yield _as_rows(self._function(np.stack(taken).astype(np.float32)), self._head, len(taken))

    def _resolve(self, rows: NDArray[np.float32]) -> Output:
        if self.output is None:
            self.output = resolve_function_output(rows, self._meaning, self._head)
        return self.output

    def _raw_rows(self, plans: Sequence[Plan]) -> _RawRows:
        for position, plan in enumerate(plans):
            masks, labels, image = plan.neighborhood.masks, plan.segmentation.labels, plan.pixels
            for start in range(0, len(masks), self._batch_size):
                shown = masks[start : start + self._batch_size][:, labels][..., None]
                mixed = np.where(shown, image, plan.baseline).reshape(len(shown), *self._shape)
                yield position, _as_rows(self._function(mixed), self._head, len(mixed))


def _collect(
    raw_rows: _RawRows,
    plans: Sequence[Plan],
    wanted: Sequence[Sequence[int | str]],
    resolve: Callable[[NDArray[np.float32]], Output],
) -> Iterator[Scores]:
    """Raw rows → one `Scores` per plan; only the explained outputs are kept."""
    targets: tuple[int, ...] = ()
    predicted: tuple[int | None, float] = (None, 0.0)
    parts: list[Converted] = []
    done = 0
    for position, raw in raw_rows:
        try:
            output = resolve(raw)
            if done == 0:
                targets = output.choose(raw[0], wanted[position])
                predicted = output.predict(raw[0], targets)
            parts.append(output.convert(raw, targets))
        except NonFiniteOutputError as error:
            raise NonFiniteOutputError(error.output, error.value, position) from None
        done += len(raw)
        if done == len(plans[position].neighborhood.masks):
            values, log_odds, saturated = map(np.concatenate, zip(*parts, strict=True))
            yield Scores(targets, values, log_odds, *predicted, saturated)
            parts, done = [], 0


def _probabilities(
    batches: Iterator[NDArray[np.float32]], resolve: Callable[[NDArray[np.float32]], Output]
) -> NDArray[np.float64]:
    """Raw batches → probabilities of all images."""
    found: list[NDArray[np.float64]] = []
    for raw in batches:
        try:
            found.append(resolve(raw).probabilities(raw))
        except NonFiniteOutputError as error:
            position = sum(map(len, found)) + int(np.argmin(np.isfinite(raw).all(axis=1)))
            raise NonFiniteOutputError(error.output, error.value, position) from None
    return np.concatenate(found)


def _check_shapes(plans: Sequence[Plan], image_shape: tuple[int, ...]) -> None:
    for position, plan in enumerate(plans):
        if plan.image.shape != image_shape:
            raise ValueError(
                f"`plans` must hold images of shape {image_shape}, as the scorer was made for. Received: "
                f"shape={plan.image.shape} at {position}."
            )


def _as_rows(result: Any, head: str | int | None, count: int) -> NDArray[np.float32]:
    """The scores (count, k) in what a function returned."""
    several = isinstance(result, dict | tuple) or (isinstance(result, list) and hasattr(result[0], "shape"))
    scores: Any = introspection.pick(result, head)[0] if several else result
    array = to_numpy(scores, "model").astype(np.float32, copy=False)
    if array.ndim == 0 or len(array) != count or array.size == 0:
        raise ValueError(
            f"`model` must return one row of scores per image. Received: shape={array.shape} for {count} images."
        )
    return array.reshape(count, -1)
