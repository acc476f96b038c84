"""The other explainers, as far as they are installed, each on the superpixels of keras_lime where it takes any."""

import io
from collections.abc import Callable
from contextlib import redirect_stderr
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

__all__ = ["peers"]

Contestant = Callable[[], object]


def peers(
    model: Any, image: NDArray[np.float32], labels: NDArray[np.integer], target: int, samples: int
) -> dict[str, Contestant]:
    """The explainers that can be imported.

    Args:
        model: a Keras model for pictures in 0..255 that gives probabilities.
        image: (h, w, 3).
        labels: superpixels (h, w).
        target: the explained class.
        samples: model calls of each.

    Returns:
        Functions by name; each explains the image once.
    """
    found: dict[str, Contestant] = {}
    for make in (_lime, _xplique, _shap, _captum):
        try:
            found |= make(model, image, labels, target, samples)
        except ImportError as error:
            print(f"  {make.__name__[1:]} takes no part: {error}")
    return found


def _explain_with_lime(
    model: Any,
    image: NDArray[np.float32],
    labels: NDArray[np.integer],
    target: int,
    samples: int,
    batch_size: int = 10,
) -> Any:
    from lime.lime_image import LimeImageExplainer

    with redirect_stderr(io.StringIO()):
        return LimeImageExplainer(random_state=0).explain_instance(
            image.astype(np.float64),
            lambda batch: model.predict(batch, verbose=0),
            labels=(target,),
            top_labels=None,
            num_samples=samples,
            batch_size=batch_size,
            segmentation_fn=lambda _: labels,
        )


def _lime(model: Any, image: Any, labels: Any, target: int, samples: int) -> dict[str, Contestant]:
    import lime  # noqa: F401

    run = partial(_explain_with_lime, model, image, labels, target, samples)
    return {"lime, batch 64": partial(run, batch_size=64), "lime as it comes": run}


def _xplique(model: Any, image: Any, labels: Any, target: int, samples: int) -> dict[str, Contestant]:
    if keras.backend.backend() != "tensorflow":
        raise ImportError("it is for TensorFlow")
    from xplique.attributions import Lime

    one_hot = keras.utils.to_categorical([target], model.output_shape[-1])
    # Its kernel is made for values in 0..1.
    rescaled = keras.Sequential([keras.Input(image.shape), keras.layers.Rescaling(255), model])
    explainer = Lime(
        rescaled, batch_size=64, nb_samples=samples, map_to_interpret_space=lambda _: np.asarray(labels, np.int32)
    )
    return {"xplique Lime": partial(explainer.explain, image[None] / 255, one_hot)}


def _shap(model: Any, image: Any, labels: Any, target: int, samples: int) -> dict[str, Contestant]:
    import shap

    masker = shap.maskers.Image(np.zeros_like(image) + 127.5, image.shape)

    def predict(batch: Any) -> Any:
        return model.predict(batch, verbose=0)[:, [target]]

    explainer = shap.Explainer(predict, masker, algorithm="partition")
    return {"shap partition": partial(explainer, image[None], max_evals=samples, batch_size=64, silent=True)}


def _captum(model: Any, image: Any, labels: Any, target: int, samples: int) -> dict[str, Contestant]:
    if keras.backend.backend() != "torch":
        raise ImportError("it is for PyTorch")
    import torch
    from captum.attr import Lime

    tensor, mask = torch.as_tensor(image)[None], torch.as_tensor(np.asarray(labels, np.int64))[None, :, :, None]

    def run() -> object:
        with torch.no_grad():
            explainer = Lime(lambda batch: model(batch, training=False))
            return explainer.attribute(
                tensor, target=target, feature_mask=mask, n_samples=samples, perturbations_per_eval=64
            )

    return {"captum Lime": run}
