"""`method="head"`: the features stay, the last layer learns anew. May import Keras and scikit-learn.

That the features of a network with a shortcut still hold the object, and the last layer alone chose the background, is
the finding of Kirichenko, Izmailov & Wilson 2023 ("Last Layer Re-Training is Sufficient for Robustness to Spurious
Correlations", DFR).
"""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from keras_lime.curing.composites import make_compositor
from keras_lime.curing.model_copy import copy_model
from keras_lime.curing.swap_backgrounds import check_pool
from keras_lime.probes import ProbeSet

__all__ = ["refit_on_composites"]

_COMPOSITES = 2000


def refit_on_composites(model: Any, pool: ProbeSet, *, seed: int = 0) -> Any:
    """Fits the last layer anew, on the features of 2,000 composites.

    Args:
        model: a Keras model that ends in a Dense layer.
        pool: training images with labels and object masks.
        seed: of the composites. Defaults to `0`.

    Returns:
        A copy of the model with another last layer.

    Raises:
        ValueError: if the model does not end in a Dense layer of one unit per class.
    """
    labels, masks = check_pool(pool)
    cured = copy_model(model)
    dense, features = _split(cured)
    compositor = make_compositor(pool.images, labels, masks, n_classes=dense.units)
    images, classes = compositor.draw(_COMPOSITES, np.random.default_rng(seed))
    _fit(dense, features.predict(images, verbose=0), classes)
    return cured


def _split(model: Any) -> tuple[Any, Any]:
    """The last Dense layer, and a model that gives its input."""
    layers = getattr(model, "layers", [])
    dense = next((layer for layer in reversed(layers) if isinstance(layer, keras.layers.Dense)), None)
    plain = dense is not None and all(
        isinstance(layer, keras.layers.Activation | keras.layers.Softmax) for layer in layers[layers.index(dense) + 1 :]
    )
    if not plain or dense is None or not hasattr(model, "inputs") or dense.units < 2:
        raise ValueError(
            '`method` must be "finetune" for a model that does not end in a Dense layer with one unit per class. '
            f"Received: {type(model).__name__} {getattr(model, 'name', '')!r}."
        )
    return dense, keras.Model(model.inputs[0], dense.input)


def _fit(dense: Any, features: NDArray[Any], classes: NDArray[np.int64]) -> None:
    """Logistic regression on standardised features, written into a Dense layer."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    found = LogisticRegression(C=0.1, max_iter=500).fit((features - mean) / spread, classes)
    coef, intercept = found.coef_, found.intercept_
    if dense.units == 2 and len(coef) == 1:
        # Two classes have one row in scikit-learn, and two units in a network.
        coef, intercept = np.vstack([-coef, coef]) / 2, np.hstack([-intercept, intercept]) / 2
    dense.kernel.assign((coef / spread).T)
    if dense.use_bias:
        dense.bias.assign(intercept - coef @ (mean / spread))
