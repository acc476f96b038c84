"""Plans without segmentation, for tests of what comes after them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.core.image import as_pixels
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.plan import Plan
from keras_lime.core.segmentation import Segmentation


def noise(shape: tuple[int, ...], seed: int = 0, dtype: Any = np.float32) -> NDArray[Any]:
    """Random pixels of any shape, uint8 0..255 or floats −1..1."""
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "u":
        return rng.integers(0, 256, shape).astype(dtype)
    return rng.uniform(-1, 1, shape).astype(dtype)


def grid_plan(image: NDArray[Any], rows: int = 4, columns: int = 4, num_samples: int = 20, seed: int = 0) -> Plan:
    """A plan with a grid of superpixels, random masks and a random baseline."""
    rng = np.random.default_rng([seed, rows, columns])
    height, width = image.shape[:2]
    labels = (np.arange(height)[:, None] * rows // height) * columns + np.arange(width) * columns // width
    segmentation = Segmentation.from_labels(labels)
    masks = rng.integers(0, 2, (num_samples, segmentation.n_segments)).astype(bool)
    masks[0] = True
    baseline = rng.uniform(-1, 1, as_pixels(image).shape).astype(np.float32)
    picture = np.zeros((height, width, 3), np.uint8)
    return Plan(image, picture, segmentation, Neighborhood(masks, np.ones(num_samples)), baseline)


def model_inputs(plan: Plan) -> NDArray[np.float32]:
    """What a model must be shown for a plan, float32 (n_samples, *image_shape)."""
    shown = plan.neighborhood.masks[:, plan.segmentation.labels][..., None]
    return np.where(shown, as_pixels(plan.image), plan.baseline).reshape(-1, *plan.image.shape)
