"""Do the standard errors tell the truth? How many 95 % intervals hold the weight that endless samples would give.

    python examples/standard_errors.py                               a small CNN, trained on the spot
    python examples/standard_errors.py --model MODEL.keras           a model of your own instead, on scikit-image's cat

For each image one pool of LIME's independent masks is scored. The surrogate of the whole pool stands for the limit;
rows drawn from the pool stand for repetitions of the explainer, which costs no further model call. A balanced design
cannot be drawn from a pool, so its repetitions are scored anew, and there are fewer of them for a large model.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.transform import resize
from stop_signs import build_model
from traffic_signs import CLASSES, draw_signs

from keras_lime.core.perturbation import Neighborhood
from keras_lime.core.plan import Plan, Scorer, Scores, make_plans
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import Fit, fit_surrogate
from keras_lime.scoring import make_scorer

__all__ = ["covered", "main"]

SCALES = ("probability", "log-odds")


def small_cnn(n_images: int = 1500, epochs: int = 4) -> tuple[keras.Model, list[NDArray[Any]]]:
    """The network of `stop_signs.py` after a short training, and one picture of each class that it has not seen."""
    world = draw_signs(n_images, 0.2, seed=0)
    keras.utils.set_random_seed(0)
    model = build_model()
    model.fit(world.images, world.labels, epochs=epochs, verbose=2)
    return model, list(draw_signs(len(CLASSES), 0.2, split="test", seed=1).images)


def cat(size: int) -> list[NDArray[Any]]:
    """scikit-image's cat, cropped to the middle, float32 in 0..255."""
    photograph = data.chelsea()
    side = min(photograph.shape[:2])
    left = (photograph.shape[1] - side) // 2
    scaled = resize(photograph[:side, left : left + side], (size, size), order=3, anti_aliasing=True)
    return [(scaled * 255).astype(np.float32)]


def fits(plan: Plan, scores: Scores) -> list[Fit]:
    """The surrogates of the same scores on each of `SCALES`."""
    return [fit_surrogate(plan.neighborhood, each) for each in (scores.values, scores.log_odds)]


def covered(fit: Fit, limit: Fit) -> NDArray[np.bool_]:
    """Which weights of the limit lie within 1.96 standard errors of a repetition's, (n_segments,)."""
    if fit.stderr is None:
        raise ValueError("`fit` must have standard errors. Received: a fit without.")
    inside: NDArray[np.bool_] = np.abs(fit.coef[0] - limit.coef[0]) <= 1.96 * fit.stderr[0]
    return inside


def drawn(plan: Plan, pool: Scores, num_samples: int, rng: np.random.Generator) -> tuple[Plan, Scores]:
    """One repetition: the image itself and `num_samples - 1` other rows of the pool."""
    rows = np.append(0, 1 + rng.choice(len(pool.values) - 1, num_samples - 1, replace=False))
    neighborhood = Neighborhood(plan.neighborhood.masks[rows], plan.neighborhood.weights[rows])
    scores = replace(pool, values=pool.values[rows], log_odds=pool.log_odds[rows])
    return replace(plan, neighborhood=neighborhood), scores


def measure(
    scorer: Scorer,
    image: NDArray[Any],
    *,
    pool_size: int,
    sizes: Sequence[int],
    repetitions: int,
    balanced_repetitions: int,
) -> dict[tuple[str, int], NDArray[np.float64]]:
    """Coverage for one image: for each design and number of samples an array (repetitions, scales, n_segments)."""
    settings = Settings(num_samples=pool_size, targets="predicted")
    (plan,) = make_plans([image], settings)
    (pool,) = scorer([plan], [("predicted",)])
    limits = fits(plan, pool)
    rng = np.random.default_rng(1)
    found: dict[tuple[str, int], list[list[NDArray[np.bool_]]]] = {}
    for size in sizes:
        for _ in range(repetitions):
            repeated = fits(*drawn(plan, pool, size, rng))
            found.setdefault(("bernoulli", size), []).append(list(map(covered, repeated, limits)))
    for seed in range(balanced_repetitions):
        balanced = replace(settings, num_samples=min(sizes) + 1, sampling="balanced", seed=seed)
        (repeated_plan,) = make_plans([image], balanced)
        (scores,) = scorer([repeated_plan], [pool.targets])
        repeated = fits(repeated_plan, scores)
        found.setdefault(("balanced", min(sizes) + 1), []).append(list(map(covered, repeated, limits)))
    return {key: np.array(each, dtype=float) for key, each in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of coverages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, help="a Keras model for images (size, size, 3) in 0..255")
    parser.add_argument("--pool", type=int, default=20_000, help="masks that stand for endless samples")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024], help="values of num_samples")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--balanced-repetitions", type=int, default=100, help="scored anew, at the least size")
    options = parser.parse_args(arguments)
    if options.model is None:
        name, (model, images) = "small CNN", small_cnn()
    else:
        model = keras.models.load_model(options.model)
        name, images = options.model.stem, cat(model.input_shape[1])
    scorer = make_scorer(model, images[0].shape)
    tables = [
        measure(
            scorer,
            image,
            pool_size=options.pool,
            sizes=options.sizes,
            repetitions=options.repetitions,
            balanced_repetitions=options.balanced_repetitions,
        )
        for image in images
    ]
    print(f"\n{name}, {len(images)} image(s), pool of {options.pool:,} masks; coverage of nominal 95 % intervals")
    print(f"{'design':<12}{'samples':>8}{'repetitions':>13}" + "".join(f"{scale:>14}" for scale in SCALES))
    for design, size in tables[0]:
        each = np.stack([table[design, size].mean(axis=-1) for table in tables])
        shares = "".join(f"{share:>14.3f}" for share in each.mean(axis=(0, 1)))
        print(f"{design:<12}{size:>8}{each.shape[1]:>13}{shares}")


if __name__ == "__main__":
    main()
