"""Do the weights tend to the right limit, and do their standard errors tell the truth?

    python examples/studies/standard_errors.py                               a small CNN, trained on the spot
    python examples/studies/standard_errors.py --photographs                 such a CNN, scikit-image's photographs
    python examples/studies/standard_errors.py --model MODEL.keras           a model of your own, on scikit-image's cat
    python examples/studies/standard_errors.py --model MODEL.keras --photographs
    python examples/studies/standard_errors.py --functions                   functions of the masks that are known

For each image one pool of LIME's independent masks is scored. The surrogate of the whole pool stands for the limit;
rows drawn from the pool stand for repetitions of the explainer, which costs no further model call. A balanced design
cannot be drawn from a pool, so its repetitions are scored anew, with the most samples; fewer are the first of them.
There are fewer repetitions for a large model. `proxy` is the balanced design with `proxy="pairs"`, which makes no
further model call.

The table says, for each image and for all, how many nominal 95 % intervals hold the limit, how many times the real
error of a probability's weights is claimed (root mean squares), and how far the mean of the repetitions is off the
limit: `bias` is a share of the spread of the limit's weights (root mean square over superpixels, what chance alone
would leave taken out), with the ridge penalty of 1 that shrinks few samples more than many, and `alpha = 0` without it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
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
from keras_lime.core.scores import Scores
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import Fit
from keras_lime.scoring import make_scorer

__all__ = ["bias", "covered", "main"]

SCALES = ("probability", "log-odds")


def small_cnn(n_images: int = 1500, epochs: int = 4) -> tuple[keras.Model, dict[str, NDArray[Any]]]:
    """The network of `stop_signs.py` after a short training, and one picture of each class that it has not seen."""
    world = draw_signs(n_images, 0.2, seed=0)
    keras.utils.set_random_seed(0)
    model = build_model()
    model.fit(world.images, world.labels, epochs=epochs, verbose=2)
    return model, dict(zip(CLASSES, draw_signs(len(CLASSES), 0.2, split="test", seed=1).images, strict=True))


def cat(size: int) -> NDArray[Any]:
    """scikit-image's cat, cropped to the middle, float32 in 0..255."""
    photograph = data.chelsea()
    side = min(photograph.shape[:2])
    left = (photograph.shape[1] - side) // 2
    scaled = resize(photograph[:side, left : left + side], (size, size), order=3, anti_aliasing=True)
    return np.asarray(scaled * 255, dtype=np.float32)


def fits(plan: Plan, scores: Scores) -> list[Fit]:
    """The surrogates of the same scores on each of `SCALES`, and of the probability without a penalty."""
    penalised = [adjusted_fit(plan, scores, None, scale) for scale in ("probability", "logit")]
    return [*penalised, adjusted_fit(plan, scores, LinearRegression(), "probability")]


def covered(fit: Fit, limit: Fit, seen: float | None = None) -> NDArray[np.bool_]:
    """Which weights of the limit lie within 1.96 standard errors of a repetition's, (n_segments,).

    Args:
        fit: the repetition's.
        limit: the surrogate of the whole pool.
        seen: share of the pool that is the repetition, which is so much nearer to it than to the limit of endless
            samples; None if the repetition is of other masks, and the pool's own error adds to it.
    """
    reach = np.hypot(_stderr(fit), _stderr(limit)) if seen is None else _stderr(fit) * np.sqrt(1 - seen)
    return np.asarray(np.abs(fit.coef[0] - limit.coef[0]) <= 1.96 * reach)


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
    scorer: Any, image: NDArray[Any], segmentation: Any, options: argparse.Namespace
) -> dict[tuple[str, int], list[float]]:
    """For one image, design and number of samples: coverages, claimed over real error, biases."""
    settings = Settings(num_samples=options.pool, targets="predicted", sampling="bernoulli", segmentation=segmentation)
    (plan,) = make_plans([image], settings)
    (pool,) = scorer([plan], [("predicted",)])
    limits = fits(plan, pool)
    balanced = [
        replace(settings, num_samples=max(options.sizes), sampling="balanced", proxy="pairs", seed=1 + seed)
        for seed in range(options.balanced_repetitions)
    ]
    plans = [make_plans([image], each)[0] for each in balanced]
    answers = list(scorer(plans, [pool.targets] * len(plans)))
    rng = np.random.default_rng(1)
    found: dict[tuple[str, int], list[float]] = {}
    for size in options.sizes:
        found["bernoulli", size] = _summary(
            [fits(*drawn(plan, pool, size, rng)) for _ in range(options.repetitions)], limits, size / options.pool
        )
        shorter = [replace(each, neighborhood=each.neighborhood.rows(0, size)) for each in plans]
        first = [each.take(np.arange(size)) for each in answers]
        for design, chosen in (("balanced", [replace(each, pool=None) for each in shorter]), ("proxy", shorter)):
            found[design, size] = _summary(list(map(fits, chosen, first)), limits)
    return found


def _summary(repeated: list[list[Fit]], limits: list[Fit], seen: float | None = None) -> list[float]:
    shares = [np.mean([covered(fit[scale], limits[scale], seen) for fit in repeated]) for scale in range(len(SCALES))]
    errors = np.array([fit[0].coef[0] - limits[0].coef[0] for fit in repeated])
    claimed, own = np.array([_stderr(fit[0]) for fit in repeated]), _stderr(limits[0])
    # The pool's own error is no error of the repetitions.
    square = np.mean(errors**2) - np.mean(own**2) if seen is None else np.mean(errors**2) / (1 - seen)
    ratio = float(np.sqrt(np.mean(claimed**2) / max(float(square), 1e-300)))
    biases = [bias(np.array([fit[which].coef[0] for fit in repeated]), limits[which]) for which in (0, -1)]
    return [*map(float, shares), ratio, *(number for each in biases for number in each)]


class Known:
    """Answers with a function of the signs of the masks: the part of a `Scorer` that is needed here."""

    def __init__(self, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> None:
        self._function = function

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        for plan in plans:
            values = self._function(np.where(plan.neighborhood.masks, 1.0, -1.0))[:, None]
            yield Scores((0,), values, np.log(values / (1 - values)), 0, float(values[0, 0]))


def functions() -> dict[str, tuple[Any, NDArray[Any], Any]]:
    """Name → scorer, image and superpixels: fifty in five rows, of which the first ones side by side matter."""
    slopes = np.random.default_rng(0).normal(size=50) * 0.2
    labels = np.kron(np.arange(50).reshape(5, 10), np.ones((4, 4), int))
    known: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
        "smooth": lambda signs: 1 / (1 + np.exp(-signs @ slopes)),
        "pair": lambda signs: 0.5 + 0.4 * signs[:, 0] * signs[:, 1],
        "step of 2": lambda signs: np.where((signs[:, :2] > 0).all(axis=1), 0.9, 0.1),
        "step of 3": lambda signs: np.where((signs[:, :3] > 0).all(axis=1), 0.9, 0.1),
        "step of 4": lambda signs: np.where((signs[:, :4] > 0).all(axis=1), 0.9, 0.1),
    }
    # Noise, so that every superpixel differs from what hides it.
    image = np.random.default_rng(1).integers(0, 256, size=(*labels.shape, 3)).astype(np.uint8)
    return {name: (Known(function), image, labels) for name, function in known.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of coverages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, help="a Keras model for images (size, size, 3) in 0..255")
    parser.add_argument("--photographs", action="store_true", help="scikit-image's, for the small CNN or --model")
    parser.add_argument("--functions", action="store_true", help="known ones instead of a model")
    parser.add_argument("--pool", type=int, default=20_000, help="masks that stand for endless samples")
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512], help="values of num_samples")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--balanced-repetitions", type=int, default=40, help="scored anew")
    options = parser.parse_args(arguments)
    name, cases = _cases(options)
    print(f"\n{name}, {len(cases)} image(s), pool of {options.pool:,} masks")
    heads = [*SCALES, "claimed/real", "bias", "× chance", "bias, α = 0", "× chance"]
    print(f"{'design':<12}{'samples':>8}" + "".join(f"{head:>13}" for head in heads))
    tables = []
    for case, (scorer, image, segmentation) in cases.items():
        table = measure(scorer, image, segmentation, options)
        tables.append(table)
        _show(case, table)
    _show("all", {key: list(np.mean([table[key] for table in tables], axis=0)) for key in tables[0]})


def _cases(options: argparse.Namespace) -> tuple[str, dict[str, tuple[Any, NDArray[Any], Any]]]:
    """What is measured: a name, and for each image its scorer and its superpixels."""
    if options.functions:
        return "known functions", functions()
    if options.model is not None:
        name, model = options.model.stem, keras.models.load_model(options.model)
        images = {"cat": cat(model.input_shape[1])}
    elif options.photographs:
        name, model, images = "small CNN", trained_cnn(), {}
    else:
        name, (model, images) = "small CNN", small_cnn()
    if options.photographs:
        images = dict(Subject(name, model, 256).photographs())
    scorer = make_scorer(model, next(iter(images.values())).shape)
    return name, {case: (scorer, image, "slic") for case, image in images.items()}


def _show(case: str, table: dict[tuple[str, int], list[float]]) -> None:
    print(case)
    for (design, size), values in table.items():
        print(f"{design:<12}{size:>8}" + "".join(f"{value:>13.3f}" for value in values), flush=True)


if __name__ == "__main__":
    main()
