"""Deletion and insertion: does hiding what an explainer calls important really take the prediction away?

    python examples/studies/fidelity.py MODEL.keras --calls 300 --seeds 5

Three pictures (scikit-image's cat and coffee, a stop sign drawn on a meadow), every explainer with the same number of
model calls. Pixels are hidden in the order of their weights and the predicted class is watched: the area under the
curve should be small when the most important ones go first (deletion) and large when they come first (insertion).
Source: Petsiuk et al. 2018, RISE. What hidden pixels show is a choice that favours explainers which hide alike, so each
curve is drawn for three of them: grey, the picture blurred, and the picture's mean colour.

`lime`, `shap` and `xplique` take part where they are installed. xplique pins older packages; installed without them:
`pip install --no-deps xplique deprecated einops opencv-python-headless tensorflow-probability tf-keras wrapt dm-tree`.
The model takes images (size, size, 3) in 0..255 and gives probabilities.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.filters import gaussian
from skimage.transform import resize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from traffic_signs import draw_signs

from keras_lime import explain

__all__ = ["areas", "contestants", "fills", "main", "pictures"]

Floats = NDArray[np.floating[Any]]
Predict = Callable[[Floats], Floats]
Explainer = Callable[[Floats, int, int], Floats]
"""From image (h, w, 3), class and seed to a weight for every pixel (h, w)."""

STEPS = 20


def pictures(size: int) -> dict[str, NDArray[np.float32]]:
    """The three pictures, float32 (size, size, 3) in 0..255."""
    found = {}
    for name, photograph in (("cat", data.chelsea()), ("coffee", data.coffee())):
        side = min(photograph.shape[:2])
        top, left = ((length - side) // 2 for length in photograph.shape[:2])
        square = photograph[top : top + side, left : left + side]
        found[name] = (resize(square, (size, size), order=3, anti_aliasing=True) * 255).astype(np.float32)
    sign = draw_signs([0], 1.0, size=size, sign_size=(0.45, 0.5), scenes=[0])
    found["stop sign"] = sign.images[0].astype(np.float32)
    return found


def fills(image: Floats) -> dict[str, Floats]:
    """What hidden pixels may show, each (h, w, 3)."""
    return {
        "grey": np.full_like(image, 127.5),
        "blur": gaussian(image, sigma=image.shape[0] / 20, channel_axis=-1, preserve_range=True),
        "mean": np.broadcast_to(image.mean(axis=(0, 1)), image.shape),
    }


def areas(predict: Predict, image: Floats, target: int, weights: Floats) -> Floats:
    """Areas under the deletion and the insertion curves, each 0..1.

    Args:
        predict: from images (n, h, w, 3) to probabilities (n, k).
        image: (h, w, 3), 0..255.
        target: the class that is watched.
        weights: a weight for every pixel (h, w); the largest are hidden, or shown, first.

    Returns:
        float64 array (3, 2): deletion and insertion for each of `fills`.
    """
    order = np.argsort(-weights.ravel(), kind="stable")
    rank = np.empty(order.size)
    rank[order] = (np.arange(order.size) + 0.5) / order.size
    shares = np.linspace(0, 1, STEPS + 1)
    first = rank.reshape(weights.shape)[None, ..., None] < shares[:, None, None, None]
    found = []
    for fill in fills(image).values():
        curves = [
            predict(np.where(first, hidden, shown).astype(np.float32))[:, target]
            for hidden, shown in ((fill, image), (image, fill))
        ]
        found.append([float(np.trapezoid(curve, shares)) for curve in curves])
    return np.array(found)


def ours(model: Any, calls: int, given: dict[str, Any], image: Floats, target: int, seed: int) -> Floats:
    """This package, with its defaults but for the number of samples and what is given."""
    explanation = explain(model, image, targets=target, num_samples=calls, seed=seed, **given)
    return np.asarray(explanation.heatmap())


def lime_package(predict: Predict, calls: int, same_segments: bool, image: Floats, target: int, seed: int) -> Floats:
    """The `lime` package, with its own superpixels or with ours."""
    from lime.lime_image import LimeImageExplainer
    from skimage.segmentation import quickshift, slic

    def segments(picture: Floats) -> Any:
        if same_segments:
            return slic(picture / 255, n_segments=50, compactness=10, start_label=0, channel_axis=-1)
        return quickshift(picture / 255, kernel_size=4, max_dist=200, ratio=0.2, rng=seed)

    explanation = LimeImageExplainer(random_state=seed).explain_instance(
        image.astype(np.float64),
        lambda images: predict(np.asarray(images, np.float32)),
        labels=(target,),
        top_labels=None,
        num_samples=calls,
        segmentation_fn=segments,
    )
    weights = np.zeros(image.shape[:2])
    for index, weight in explanation.local_exp[target]:
        weights[explanation.segments == index] = weight
    return weights


def xplique_package(model: Any, calls: int, image: Floats, target: int, seed: int) -> Floats:
    """The xplique package's Lime with its defaults, made for values in 0..1, but for the number of samples."""
    import tensorflow as tf
    from xplique.attributions import Lime

    tf.random.set_seed(seed)
    rescaled = keras.Sequential([keras.Input(image.shape), keras.layers.Rescaling(255), model])
    one_hot = keras.utils.to_categorical([target], model.output_shape[-1])
    explainer = Lime(rescaled, batch_size=32, nb_samples=calls)
    found: Floats = np.asarray(explainer.explain(image[None] / 255, one_hot), np.float64).reshape(image.shape[:2])
    return found


def shap_package(predict: Predict, calls: int, image: Floats, target: int, seed: int) -> Floats:
    """The shap package's partition explainer, which hides with grey and leaves nothing to a seed."""
    import shap

    masker = shap.maskers.Image(np.full_like(image, 127.5), image.shape)
    explainer = shap.Explainer(lambda batch: predict(batch)[:, [target]], masker, algorithm="partition")
    found = explainer(image[None], max_evals=calls, batch_size=64, silent=True)
    weights: Floats = np.asarray(found.values, np.float64).reshape(image.shape).sum(axis=-1)
    return weights


def contestants(model: Any, predict: Predict, calls: int) -> dict[str, Explainer]:
    """The explainers that are installed."""
    found: dict[str, Explainer] = {
        "keras_lime": partial(ours, model, calls, {}),
        "keras_lime, bernoulli": partial(ours, model, calls, {"sampling": "bernoulli"}),
        "keras_lime, proxy": partial(ours, model, calls, {"proxy": "pairs"}),
        "keras_lime, grey": partial(ours, model, calls, {"baseline": "grey"}),
    }
    try:
        import lime  # noqa: F401

        found["lime"] = partial(lime_package, predict, calls, False)
        found["lime, our superpixels"] = partial(lime_package, predict, calls, True)
    except ImportError:
        print("lime is not installed and takes no part.")
    try:
        import xplique.attributions  # noqa: F401

        found["xplique (grey)"] = partial(xplique_package, model, calls)
    except ImportError as error:
        print(f"xplique takes no part: {error}")
    try:
        import shap  # noqa: F401

        found["shap partition"] = partial(shap_package, predict, calls)
    except ImportError as error:
        print(f"shap takes no part: {error}")
    found["random superpixels"] = partial(_random, model)
    return found


def _random(model: Any, image: Floats, target: int, seed: int) -> Floats:
    segmentation = explain(model, image, targets=target, num_samples=60).segmentation
    weights: Floats = np.random.default_rng(seed).random(segmentation.n_segments)[segmentation.labels]
    return weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints deletion and insertion for each picture and explainer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", type=Path, help="a Keras model for images (size, size, 3) in 0..255")
    parser.add_argument("--calls", type=int, default=500, help="model calls of every explainer")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="+", help="names of the explainers that take part (default: all)")
    options = parser.parse_args(arguments)
    model = keras.models.load_model(options.model)

    def predict(images: Floats) -> Floats:
        return np.asarray(model.predict(images, batch_size=32, verbose=0))

    installed = contestants(model, predict, options.calls)
    explainers = {name: each for name, each in installed.items() if not options.only or name in options.only}
    shares: dict[str, list[Floats]] = {name: [] for name in explainers}
    print(
        f"\n{options.calls} model calls, {options.seeds} seeds. Deletion (low is good) and insertion (high), mean over"
    )
    print("what hidden pixels show; insertion − deletion by it, and their mean ± its standard error over the seeds")
    for name, image in pictures(model.input_shape[1]).items():
        answer = predict(image[None])[0]
        target = int(answer.argmax())
        heads = "".join(f"{fill:>8}" for fill in fills(image))
        print(f"\n{f'{name}: class {target}, p = {answer[target]:.3f}':<26}deletion insert.{heads}    mean")
        for explainer, weights_of in explainers.items():
            seeds = range(options.seeds)
            found = np.stack([areas(predict, image, target, weights_of(image, target, seed)) for seed in seeds])
            shares[explainer].append((found[..., 1] - found[..., 0]) / answer[target])
            print(f"  {explainer:<24}{_row(found)}", flush=True)
    print("\nInsertion − deletion as a share of p, mean over the pictures")
    for explainer, of_pictures in shares.items():
        gains = np.mean(of_pictures, axis=0)
        cells = "".join(f"{value:8.3f}" for value in gains.mean(axis=0))
        print(f"  {explainer:<24}{cells}{_mean_and_error(gains.mean(axis=1))}")


def _row(found: Floats) -> str:
    """Areas (seeds, fills, 2) as the cells of one line."""
    deletion, insertion = found.mean(axis=(0, 1))
    gains = found[..., 1] - found[..., 0]
    cells = "".join(f"{value:8.3f}" for value in gains.mean(axis=0))
    return f"{deletion:8.3f}{insertion:8.3f}{cells}{_mean_and_error(gains.mean(axis=1))}"


def _mean_and_error(values: Floats) -> str:
    error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
    return f"{values.mean():8.3f}{error}"


if __name__ == "__main__":
    main()
