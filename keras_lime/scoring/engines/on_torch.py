"""The PyTorch engine: eager, without gradients, on the model's own device. May import PyTorch and Keras."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray

from keras_lime.scoring.engines.backends import GradientFunction
from keras_lime.scoring.engines.differentiable import checked_gradient
from keras_lime.scoring.engines.engine import EngineSpec
from keras_lime.scoring.engines.limits import fixed_batch_size
from keras_lime.scoring.engines.model_call import raw_scores

__all__ = ["BACKEND", "TorchBackend", "TorchEngine"]


class TorchEngine:
    """A model on PyTorch; see `Engine`."""

    def __init__(self, model: Any, spec: EngineSpec) -> None:
        self.spec = spec
        self.fixed = self.fixed_score = fixed_batch_size(model) is not None
        self.traces = 0
        self._model = weakref.ref(model)
        device = _device(model)
        with torch.no_grad(), keras.StatelessScope():
            black = torch.zeros((fixed_batch_size(model) or 2, *spec.image_shape), device=device)
            others = [torch.as_tensor(other).to(device) for other in spec.layout.zeros(len(black))]
            self.outputs: Any = raw_scores(model, black, spec, others)[1]

    def stage(
        self,
        images: NDArray[np.float32],
        baselines: NDArray[np.float32],
        labels: NDArray[np.int32],
        others: Sequence[NDArray[Any]] = (),
    ) -> tuple[Any, ...]:
        """See `Engine.stage`."""
        device = _device(self._model())
        flat = labels.reshape(len(labels), -1).astype(np.int64)
        return tuple(torch.as_tensor(array).to(device) for array in (images, baselines, flat, *others))

    def run(
        self, staged: tuple[Any, ...], image_slot: NDArray[np.int32], masks: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        """See `Engine.run`."""
        images, baselines, labels, *others = staged
        with torch.no_grad(), keras.StatelessScope():
            slots = torch.as_tensor(image_slot.astype(np.int64)).to(images.device)
            shown = torch.gather(torch.as_tensor(masks).to(images.device), 1, labels.index_select(0, slots))
            shown = shown.view(len(image_slot), *images.shape[1:3], 1)
            mixed = torch.where(shown, images.index_select(0, slots), baselines.index_select(0, slots))
            repeated = [other.index_select(0, slots) for other in others]
            shaped = mixed.view(len(image_slot), *self.spec.image_shape)
            scores = raw_scores(self._model(), shaped, self.spec, repeated)[0]
            array: NDArray[np.float32] = scores.cpu().numpy()
        return array

    def score(self, images: NDArray[np.float32], others: Sequence[NDArray[Any]] = ()) -> NDArray[np.float32]:
        """See `Engine.score`."""
        model = self._model()
        with torch.no_grad(), keras.StatelessScope():
            tensors = [torch.as_tensor(array).to(_device(model)) for array in (images, *others)]
            scores = raw_scores(model, tensors[0], self.spec, tensors[1:])[0]
            array: NDArray[np.float32] = scores.cpu().numpy()
        return array


class TorchBackend:
    """See `Backend`."""

    def compile(self, model: Any, spec: EngineSpec) -> TorchEngine:
        """See `Backend.compile`; PyTorch runs models as they are."""
        return TorchEngine(model, spec)

    def accelerators(self, model: Any) -> int:
        """How many there are if the model's weights are on one."""
        kind = _device(model).type
        return 0 if kind in ("cpu", "meta") else torch.cuda.device_count() if kind == "cuda" else 1

    def release_weights(self, model: Any) -> None:
        """See `Backend.release_weights`; they are always in the model."""

    def predict_step(self, model: Any, inputs: Any) -> Any:
        """See `Backend.predict_step`."""
        return model.predict_step(inputs)

    def predict(self, model: Any, inputs: Any, batch_size: int) -> Any:
        """See `Backend.predict`; Keras puts PyTorch modules in evaluation mode and leaves them there."""
        was_training = model.training
        try:
            return model.predict(inputs, batch_size=batch_size, verbose=0)
        finally:
            model.train(was_training)

    def gradients(self, model: Any, values: Callable[[Any], Any]) -> GradientFunction:
        """See `Backend.gradients`."""

        def run(images: NDArray[np.float32]) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
            tensor = torch.as_tensor(images).to(_device(model)).requires_grad_(True)
            gradients: list[NDArray[np.float64]] = []
            with torch.enable_grad(), keras.StatelessScope():
                answers = values(tensor)
                for column in range(answers.shape[1]):
                    (gradient,) = torch.autograd.grad(
                        answers[:, column].sum(), tensor, retain_graph=True, allow_unused=True
                    )
                    gradients.append(checked_gradient(gradient).cpu().numpy())
            return answers.detach().cpu().numpy().astype(np.float64), gradients

        return run


BACKEND = TorchBackend()


def _device(model: Any) -> torch.device:
    """Where the model's weights are; Keras' default for a model without any."""
    for variable in model.variables:
        return torch.device(variable.value.device)
    return torch.device(keras.ops.zeros(()).device)
