"""Do the weights tend to the right limit, and do their standard errors tell the truth?

    python examples/studies/standard_errors.py                               a small CNN, trained on the spot
    python examples/studies/standard_errors.py --photographs                 such a CNN, scikit-image's photographs
    python examples/studies/standard_errors.py --model MODEL.keras           a model of your own, on scikit-image's cat

For each image one pool of LIME's independent masks is scored. The surrogate of the whole pool stands for the limit;
rows drawn from the pool stand for repetitions of the explainer, which costs no further model call. A balanced design
cannot be drawn from a pool, so its repetitions are scored anew, and there are fewer of them for a large model. `proxy`
is the balanced design with `proxy="pairs"`, which makes no further model call.

The table says, for each design, how many nominal 95 % intervals hold the limit, how many times the real error of a
probability's weights is claimed (root mean squares), and how far the mean of the repetitions is off the limit: `bias`
is a share of the spread of the limit's weights (root mean square over superpixels, what chance alone would leave taken
out), with the ridge penalty of 1 that shrinks few samples more than many, and `alpha = 0` without it.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from skimage import data
from skimage.transform import resize
from sklearn.linear_model import LinearRegression

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.models import Subject, trained_cnn
from stop_signs import build_model
from traffic_signs import CLASSES, draw_signs

from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.plan import Plan, make_plans
from keras_lime.core.proxy import adjusted_fit
from keras_lime.core.scores import Scorer, Scores
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import Fit
from keras_lime.scoring import make_scorer

__all__ = ["bias", "covered", "main"]

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
    """The surrogates of the same scores on each of `SCALES`, and of the probability without a penalty."""
    penalised = [adjusted_fit(plan, scores, None, scale) for scale in ("probability", "logit")]
    return [*penalised, adjusted_fit(plan, scores, LinearRegression(), "probability")]


def covered(fit: Fit, limit: Fit, independent: bool = False) -> NDArray[np.bool_]:
    """Which weights of the limit lie within 1.96 standard errors of a repetition's, (n_segments,).

    Args:
        fit: the repetition's.
        limit: the surrogate of the whole pool.
        independent: whether the repetition is of other masks than the pool, whose own error then adds to it.
    """
    inside: NDArray[np.bool_] = np.abs(fit.coef[0] - limit.coef[0]) <= 1.96 * np.hypot(
        _stderr(fit), independent * _stderr(limit)
    )
    return inside


def _stderr(fit: Fit) -> NDArray[np.float64]:
    if fit.stderr is None:
        raise ValueError("`fit` must have standard errors. Received: a fit without.")
    return np.asarray(fit.stderr[0])


def bias(coefs: NDArray[np.float64], limit: Fit) -> tuple[float, float]:
    """How far the mean of the repetitions is off the limit.

    Args:
        coefs: float64 array (repetitions, n_segments).
        limit: the surrogate of the whole pool, with standard errors.

    Returns:
        The bias as a share of the spread of the limit's weights, and how many times as far the mean is off as chance
        alone would have it (root mean squares over superpixels; 1 is no bias at all).
    """
    if limit.stderr is None:
        raise ValueError("`limit` must have standard errors. Received: a fit without.")
    chance = coefs.var(axis=0, ddof=1) / len(coefs) + limit.stderr[0] ** 2
    square = (coefs.mean(axis=0) - limit.coef[0]) ** 2
    share = np.sqrt(max(float(np.mean(square - chance)), 0.0)) / limit.coef[0].std()
    return float(share), float(np.sqrt(np.mean(square / chance)))


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
) -> dict[tuple[str, int], list[float]]:
    """For one image, design and number of samples: coverages, claimed over real error, biases."""
    settings = Settings(num_samples=pool_size, targets="predicted", sampling="bernoulli")
    (plan,) = make_plans([image], settings)
    (pool,) = scorer([plan], [("predicted",)])
    limits = fits(plan, pool)
    rng = np.random.default_rng(1)
    found: dict[tuple[str, int], list[float]] = {}
    for size in sizes:
        found["bernoulli", size] = _summary(
            [fits(*drawn(plan, pool, size, rng)) for _ in range(repetitions)], limits, independent=False
        )
        balanced = [
            replace(settings, num_samples=size, sampling="balanced", proxy="pairs", seed=1 + seed)
            for seed in range(balanced_repetitions)
        ]
        plans = [make_plans([image], each)[0] for each in balanced]
        answers = list(scorer(plans, [pool.targets] * len(plans)))
        for design, chosen in (("balanced", [replace(each, pool=None) for each in plans]), ("proxy", plans)):
            found[design, size] = _summary(list(map(fits, chosen, answers)), limits, independent=True)
    return found


def _summary(repeated: list[list[Fit]], limits: list[Fit], independent: bool) -> list[float]:
    shares = [
        np.mean([covered(fit[scale], limits[scale], independent) for fit in repeated]) for scale in range(len(SCALES))
    ]
    errors = np.array([fit[0].coef[0] - limits[0].coef[0] for fit in repeated])
    claimed, own = np.array([_stderr(fit[0]) for fit in repeated]), _stderr(limits[0])
    # The pool's own error is no error of the repetitions.
    square = np.mean(errors**2) - independent * np.mean(own**2)
    ratio = float(np.sqrt(np.mean(claimed**2) / max(float(square), 1e-300)))
    biases = [bias(np.array([fit[which].coef[0] for fit in repeated]), limits[which]) for which in (0, -1)]
    return [*map(float, shares), ratio, *(number for each in biases for number in each)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of coverages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, help="a Keras model for images (size, size, 3) in 0..255")
    parser.add_argument("--photographs", action="store_true", help="scikit-image's, for the small CNN")
    parser.add_argument("--pool", type=int, default=20_000, help="masks that stand for endless samples")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], help="values of num_samples")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--balanced-repetitions", type=int, default=40, help="scored anew")
    options = parser.parse_args(arguments)
    if options.photographs:
        small = Subject("small CNN", trained_cnn(), 256)
        name, model, images = small.name, small.model, list(small.photographs().values())
    elif options.model is None:
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
    print(f"\n{name}, {len(images)} image(s), pool of {options.pool:,} masks")
    heads = [*SCALES, "claimed/real", "bias", "× chance", "bias, α = 0", "× chance"]
    print(f"{'design':<12}{'samples':>8}" + "".join(f"{head:>13}" for head in heads))
    for design, size in tables[0]:
        means = np.mean([table[design, size] for table in tables], axis=0)
        print(f"{design:<12}{size:>8}" + "".join(f"{value:>13.3f}" for value in means))


if __name__ == "__main__":
    main()
