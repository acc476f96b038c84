"""Models and pictures for tests: small enough to know the right answer."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.image import as_pixels
from keras_lime.core.plan import Plan
from keras_lime.core.scores import OutputMeaning, Scores

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class MaskScorer:
    """Scores perturbed images with a function from images (n, h, w, c) to probabilities (n, k), all outputs at once."""

    def __init__(self, function: Function, n_outputs: int | None = None) -> None:
        self._function = function
        self.n_outputs = n_outputs
        self.output: OutputMeaning | None = None
        self.calls = 0

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        for plan, targets in zip(plans, wanted, strict=True):
            self.calls += 1
            values = self._function(self.perturb(plan))
            predicted = int(values[0].argmax())
            chosen = tuple(dict.fromkeys(predicted if target == "predicted" else int(target) for target in targets))
            odds = np.log(np.clip(values, 1e-300, None)) - np.log(np.clip(1 - values, 1e-300, None))
            picked = list(chosen)
            yield Scores(chosen, values[:, picked], odds[:, picked], predicted, float(values[0, predicted]))

    def perturb(self, plan: Plan) -> NDArray[np.float64]:
        """What the function is asked about, a row for each mask; for scorers that need not paint whole images."""
        return perturbed_images(plan)

    def score_images(self, images: Iterable[Any]) -> NDArray[np.float64]:
        return self._function(np.stack([as_pixels(image).astype(np.float64) for image in images]))


def perturbed_images(plan: Plan) -> NDArray[np.float64]:
    """All perturbed images of a plan, float64 (n_samples, h, w, c)."""
    shown = plan.neighborhood.masks[:, plan.segmentation.labels][..., None]
    return np.where(shown, as_pixels(plan.image), plan.baseline).astype(np.float64)


def photo(size: int = 64, seed: int = 0, channels: int = 3) -> NDArray[np.uint8]:
    """A picture with smooth regions and edges, uint8 (size, size, channels)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size] / size
    waves = [np.sin(6 * rng.uniform(0.5, 2) * rows + 5 * rng.uniform(0.5, 2) * columns) for _ in range(channels)]
    image = 127 + 90 * np.stack(waves, axis=-1)
    image[size // 3 : size // 2, size // 2 : 3 * size // 4] = rng.uniform(0, 255, channels)
    return np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)


def two_classes(probability: NDArray[Any]) -> NDArray[np.float64]:
    """Columns 1 − p and p."""
    return np.stack([1 - probability, probability], axis=1)
