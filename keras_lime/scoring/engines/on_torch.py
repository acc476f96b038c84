"""The PyTorch engine: eager, without gradients, on the model's own device. May import PyTorch and Keras."""

import weakref
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray

from keras_lime.scoring.engines.engine import SLOTS, Form, fixed_batch_size, raw_scores

__all__ = ["ENGINE", "TorchEngine", "accelerated"]


class TorchEngine:
    """A model on PyTorch; see `Engine`."""

    def __init__(self, model: Any, form: Form) -> None:
        self.batch_size = form.batch_size
        self.fixed = fixed_batch_size(model) is not None
        self.traces = 0
        self._form = form
        self._model = weakref.ref(model)
        device = _device(model)
        with torch.no_grad(), keras.StatelessScope():
            black = torch.zeros((fixed_batch_size(model) or 2, *form.image_shape), device=device)
            self.outputs: Any = raw_scores(model, black, form)[1]

    def stage(
        self, images: NDArray[np.float32], baselines: NDArray[np.float32], labels: NDArray[np.int32]
    ) -> tuple[Any, ...]:
        """See `Engine.stage`."""
        device = _device(self._model())
        flat = labels.reshape(SLOTS, -1).astype(np.int64)
        return tuple(torch.as_tensor(array).to(device) for array in (images, baselines, flat))

    def run(self, staged: tuple[Any, ...], owner: NDArray[np.int32], masks: NDArray[np.bool_]) -> NDArray[np.float32]:
        """See `Engine.run`."""
        images, baselines, labels = staged
        with torch.no_grad(), keras.StatelessScope():
            owners = torch.as_tensor(owner.astype(np.int64)).to(images.device)
            shown = torch.gather(torch.as_tensor(masks).to(images.device), 1, labels.index_select(0, owners))
            shown = shown.view(len(owner), *images.shape[1:3], 1)
            mixed = torch.where(shown, images.index_select(0, owners), baselines.index_select(0, owners))
            scores = raw_scores(self._model(), mixed.view(len(owner), *self._form.image_shape), self._form)[0]
            array: NDArray[np.float32] = scores.cpu().numpy()
        return array

    def score(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.score`."""
        model = self._model()
        with torch.no_grad(), keras.StatelessScope():
            scores = raw_scores(model, torch.as_tensor(images).to(_device(model)), self._form)[0]
            array: NDArray[np.float32] = scores.cpu().numpy()
        return array


def accelerated(model: Any) -> bool:
    """Whether the model is on an accelerator."""
    return _device(model).type not in ("cpu", "meta")


def _device(model: Any) -> torch.device:
    """Where the model's weights are; Keras' default for a model without any."""
    for variable in model.variables:
        return torch.device(variable.value.device)
    return torch.device(keras.ops.zeros(()).device)


ENGINE = TorchEngine
