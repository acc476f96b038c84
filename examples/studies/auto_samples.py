"""Does `num_samples="auto"` stop where its tolerance is reached?

    python examples/studies/auto_samples.py                          the small CNN, trained on the spot
    python examples/studies/auto_samples.py --model MODEL.keras      a model of your own

For each of scikit-image's photographs many masks stand for the limit, and some seeds are scored once, up to `--most`
samples. From these scores come the error of every number of samples (root mean square over superpixels and seeds, as a
share of the largest weight) and what `"auto"` does with a tolerance: no further model call is made. The tolerances are
the errors of some numbers of samples. The table says how many times as many `"auto"` takes on average, and its error as
a share of the tolerance, without a proxy and with one.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.models import Subject, trained_cnn

from keras_lime.core.adaptive import score_in_rounds
from keras_lime.core.plan import Plan, make_plans
from keras_lime.core.proxy import adjusted_fit
from keras_lime.core.scores import Scores
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import Fit, fit_surrogate
from keras_lime.scoring import make_scorer

__all__ = ["main"]


class Stored:
    """Answers with the scores that are there: the part of a `Scorer` that rounds need, for one image."""

    def __init__(self, plan: Plan, scores: Scores) -> None:
        self._rows = {mask.tobytes(): row for row, mask in enumerate(plan.neighborhood.masks)}
        self._scores = scores

    def __call__(self, plans: Sequence[Plan], wanted: Sequence[Sequence[int | str]]) -> Iterator[Scores]:
        for plan in plans:
            yield self._scores.take(np.array([self._rows[mask.tobytes()] for mask in plan.neighborhood.masks]))


def fit(plan: Plan, scores: Scores) -> Fit:
    return adjusted_fit(plan, scores, None, "probability")


def measure(
    stored: Sequence[tuple[Plan, Scores]], limit: NDArray[np.float64], sizes: Sequence[int]
) -> dict[int, float]:
    """The error of each number of samples, as a share of the largest weight."""
    found = {}
    for size in sizes:
        rows = np.arange(size)
        fits = [
            fit(replace(plan, neighborhood=plan.neighborhood.take(rows)), scores.take(rows)) for plan, scores in stored
        ]
        squares = [np.mean((each.coef[0] - limit) ** 2) for each in fits]
        found[size] = float(np.sqrt(np.mean(squares)) / np.abs(limit).max())
    return found


def main(arguments: Sequence[str] | None = None) -> dict[tuple[str, str], list[float]]:
    """Prints the table and gives its ratios by photograph and proxy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, help="a Keras model for images (size, size, 3) in 0..255")
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--pool", type=int, default=8192, help="masks that stand for the limit")
    parser.add_argument("--most", type=int, default=512, help="samples of each seed")
    parser.add_argument("--at", type=int, nargs="+", default=[176, 240, 320, 432], help="samples that are needed")
    options = parser.parse_args(arguments)
    model = trained_cnn() if options.model is None else keras.models.load_model(options.model)
    subject = Subject("model", model, options.most)
    scorer = make_scorer(model, (subject.size, subject.size, 3), output="softmax")
    ratios: dict[tuple[str, str], list[float]] = {}
    print(f"{'':<12}{'proxy':<8}" + "".join(f"{f'{needed} needed':>20}" for needed in options.at))
    for name, image in subject.photographs().items():
        (many,) = make_plans([image], Settings(num_samples=options.pool, seed=1000))
        (answers,) = scorer([many], [("predicted",)])
        limit = fit_surrogate(many.neighborhood, answers.values).coef[0]
        given: dict[str, Any] = {"num_samples": options.most, "proxy": "pairs"}
        plans = [make_plans([image], Settings(seed=1 + seed, **given))[0] for seed in range(options.seeds)]
        scores = list(scorer(plans, [answers.targets] * len(plans)))
        for proxy in ("none", "pairs"):
            chosen = plans if proxy == "pairs" else [replace(plan, pool=None) for plan in plans]
            stored = list(zip(chosen, scores, strict=True))
            errors = measure(stored, limit, options.at)
            cells = []
            for needed in options.at:
                used, squares = [], []
                for plan, each in stored:
                    replay: Any = Stored(plan, each)
                    (answer,) = score_in_rounds(
                        [plan], [each.targets], replay, fit, errors[needed], lambda _: nullcontext()
                    )
                    used.append(len(answer.scores.values))
                    squares.append(np.mean((answer.fit.coef[0] - limit) ** 2))
                ratios.setdefault((name, proxy), []).append(float(np.mean(used) / needed))
                error = np.sqrt(np.mean(squares)) / np.abs(limit).max() / errors[needed]
                cells.append(f"{ratios[name, proxy][-1]:.2f}, error {error:.2f}")
            print(f"{name:<12}{proxy:<8}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
    return ratios


if __name__ == "__main__":
    main()
