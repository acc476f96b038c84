"""Error of the weights against the limit of many samples: how many samples are as good as `lime` with 512.

`lime` draws independent masks and fits ridge regression with a penalty of 1; with its masks and scores keras_lime gives
its weights to 1e-6, as the tests check. So its repetitions are rows drawn from one scored pool of such masks, without
further model calls. Balanced designs are scored anew, and fitted without a proxy and with one. The surrogate of the
whole pool stands for the limit. Its own error, known from its two halves, is taken out of the balanced designs' errors,
which have nothing to do with the pool; a repetition of n of the pool's N rows is nearer to it than to the limit, by the
factor sqrt(1 − n/N), which is taken out too.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.models import Subject
from keras_lime.core.neighborhood import Neighborhood
from keras_lime.core.plan import make_plans
from keras_lime.core.proxy import adjusted_fit
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import fit_surrogate
from keras_lime.scoring import make_scorer

__all__ = ["accuracy", "samples_needed"]

Floats = NDArray[np.float64]


def accuracy(
    subject: Subject, names: tuple[str, ...], *, pool: int, sizes: tuple[int, ...], seeds: int, reference: int = 512
) -> dict[str, Any]:
    """Measures all designs on some photographs.

    Args:
        subject: the model; the predicted class of each photograph is explained.
        names: of scikit-image's photographs.
        pool: independent masks that stand for the limit.
        sizes: values of `num_samples` of the balanced design.
        seeds: repetitions of each.
        reference: samples of `lime`.

    Returns:
        For each photograph: root mean square error over the standard deviation of the limit's weights, by design and
        number of samples.
    """
    scorer = make_scorer(subject.model, (subject.size, subject.size, 3), output="softmax")
    results: dict[str, Any] = {}
    shown = sorted({reference // 2, reference})
    print(f"\n{subject.name}, limit from {pool:,} masks, {seeds} seeds: error over the spread of the limit's weights")
    heads = [f"lime {size}" for size in shown] + [
        f"{design} {size}" for size in sizes for design in ("balanced", "proxy")
    ]
    print(f"  {'':<12}{'p':>6}{'parts':>7}{'R²':>6}" + "".join(f"{head:>14}" for head in heads))
    for name, image in subject.photographs(names).items():
        (plan,) = make_plans([image], Settings(num_samples=pool, sampling="bernoulli"))
        (scores,) = scorer([plan], [("predicted",)])
        fit = fit_surrogate(plan.neighborhood, scores.values)
        limit = fit.coef[0]
        own = _own_error(plan.neighborhood, scores.values)
        errors = {f"lime {size}": _drawn(plan.neighborhood, scores.values, limit, size) for size in shown}
        settings = [Settings(num_samples=max(sizes), seed=1 + seed, proxy="pairs") for seed in range(seeds)]
        plans = [make_plans([image], each)[0] for each in settings]
        answers = list(scorer(plans, [scores.targets] * seeds))
        for size in sizes:
            # Fewer samples of a seed are the first of more.
            pairs = [
                (replace(plan, neighborhood=plan.neighborhood.rows(0, size)), answer.take(np.arange(size)))
                for plan, answer in zip(plans, answers, strict=True)
            ]
            for design in ("balanced", "proxy"):
                coefs = [
                    adjusted_fit(
                        each if design == "proxy" else replace(each, pool=None), answer, None, "probability"
                    ).coef[0]
                    for each, answer in pairs
                ]
                square = np.mean((np.array(coefs) - limit) ** 2) - own**2
                errors[f"{design} {size}"] = float(np.sqrt(max(square, 0.0)) / limit.std())
        p, parts = scores.predicted_value, plan.segmentation.n_segments
        row = "".join(f"{errors[head]:>14.3f}" for head in heads)
        print(f"  {name:<12}{p:>6.2f}{parts:>7}{fit.r2[0]:>6.2f}{row}", flush=True)
        results[name] = {"probability": p, "superpixels": parts, "r2": float(fit.r2[0]), "errors": errors}
    return results


def samples_needed(results: dict[str, Any], reference: int = 512) -> int | None:
    """The fewest samples with which the balanced design is as accurate as `lime`, on most of the photographs."""
    sizes = sorted(int(head.split()[1]) for head in next(iter(results.values()))["errors"] if head[:4] == "bala")
    for size in sizes:
        good = [each["errors"][f"balanced {size}"] <= each["errors"][f"lime {reference}"] for each in results.values()]
        if 2 * sum(good) > len(good):
            return size
    return None


def _own_error(neighborhood: Neighborhood, values: Floats) -> float:
    """Typical error of the pool's weights: half of the difference of those of its halves."""
    halves = [
        fit_surrogate(Neighborhood(neighborhood.masks[start::2], neighborhood.weights[start::2]), values[start::2])
        for start in (0, 1)
    ]
    return float(np.sqrt(np.mean((halves[0].coef - halves[1].coef) ** 2)) / 2)


def _drawn(neighborhood: Neighborhood, values: Floats, limit: Floats, size: int, repetitions: int = 100) -> float:
    """Error of `size` rows of the pool, the first always among them, as `lime` takes them."""
    rng = np.random.default_rng(0)
    squares = []
    for _ in range(repetitions):
        rows = np.append(0, 1 + rng.choice(len(values) - 1, size - 1, replace=False))
        drawn = Neighborhood(neighborhood.masks[rows], neighborhood.weights[rows])
        squares.append(np.mean((fit_surrogate(drawn, values[rows]).coef[0] - limit) ** 2))
    return float(np.sqrt(np.mean(squares) / (1 - size / len(values))) / limit.std())
