"""Half of the passes from the second explained epoch on: are the weights as good, and do their errors tell the truth?

    python examples/studies/carry_over.py           a small CNN, 12 epochs, 8 probes, 3 seeds; 12 minutes on two cores
    python examples/studies/carry_over.py --quick   does it run at all

The network of `stop_signs.py` is trained on drawn signs. After every epoch each probe is explained as `LimeCallback`
does it, with `carry_over=True` and without, and its weights for the true class are compared with those of many other
balanced masks. Errors are root mean squares over the spread of these weights.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stop_signs import BATCH_SIZE, build_model
from traffic_signs import draw_signs

from keras_lime.core.carry_over import CarryOver
from keras_lime.core.pipeline import Subject, explain_plans
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import Settings
from keras_lime.core.surrogate import fit_surrogate
from keras_lime.scoring import make_scorer

__all__ = ["main"]

COLUMNS = ("error", "claimed", "covered", "passes")


def trained(n_images: int, epochs: int) -> Iterator[Any]:
    """The network after each epoch."""
    world = draw_signs(n_images, 0.2, seed=0)
    keras.utils.set_random_seed(0)
    model = build_model(epochs * -(-n_images // BATCH_SIZE))
    for _ in range(epochs):
        model.fit(world.images, world.labels, batch_size=BATCH_SIZE, epochs=1, verbose=0)
        yield model


def judge(explanations: Sequence[Any], limits: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Mean squared error and claimed error over the spread of the limit, coverage, and passes, (n_probes, 4)."""
    rows = []
    for explanation, limit in zip(explanations, limits, strict=True):
        off, stderr = explanation.fit.coef[0] - limit, explanation.fit.stderr[0]
        inside = np.mean(np.abs(off) <= 1.96 * stderr)
        rows.append([np.mean(off**2) / limit.var(), np.mean(stderr**2) / limit.var(), inside, explanation.num_samples])
    return np.array(rows)


def main(arguments: Sequence[str] | None = None) -> dict[str, float]:
    """Trains, prints a table, and gives its last line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="sizes so small that the numbers mean nothing")
    quick = parser.parse_args(arguments).quick
    n_images, epochs, n_probes, seeds, pool = (100, 3, 2, 1, 512) if quick else (2500, 12, 8, 3, 8192)
    samples = 256
    probes = draw_signs(n_probes, 0.2, split="test", seed=1)
    images = list(probes.images.astype(np.float32))
    subjects = [Subject(f"probe {index}", label=int(label)) for index, label in enumerate(probes.labels)]
    settings = [Settings(num_samples=samples, seed=1 + seed) for seed in range(seeds)]
    plans, carried = [make_plans(images, each) for each in settings], [CarryOver(each) for each in settings]
    many = make_plans(images, Settings(num_samples=pool, seed=1000))
    tables: list[NDArray[np.float64]] = []
    print(f"{'epoch':<8}" + "".join(f"{name:>18}" for name in COLUMNS) + "   (all / carried over)")
    for epoch, model in enumerate(trained(n_images, epochs)):
        scorer = make_scorer(model, images[0].shape, output="softmax")
        limits = []
        for plan, scores in zip(many, scorer(many, [(each.label or 0,) for each in subjects]), strict=True):
            # The penalty is that of the explanations.
            scaled = plan.neighborhood.weights * samples / pool
            neighborhood = type(plan.neighborhood)(plan.neighborhood.masks, scaled)
            limits.append(fit_surrogate(neighborhood, scores.values).coef[0])
        found = []
        for each, own, carry_over in zip(settings, plans, carried, strict=True):
            both = [list(explain_plans(own, subjects, scorer, each, carry_over=which)) for which in (None, carry_over)]
            found.append(np.stack([judge(explanations, limits) for explanations in both]))
        tables.append(np.stack(found))
        print(_line(str(epoch), tables[-1]), flush=True)
    later = np.stack(tables[1:])
    print(_line("2nd on", later))
    error, passes = np.sqrt(later[..., 0]).mean(axis=(0, 1, 3)), later[..., 3].mean(axis=(0, 1, 3))
    by_epoch = np.sqrt(later[..., 0].mean(axis=(1, 3)))
    summary = {
        "error": float(error[1] / error[0]),
        "worst": float((by_epoch[:, 1] / by_epoch[:, 0]).max()),
        "passes": float(passes[1] / passes[0]),
    }
    print("carried over / all: " + ", ".join(f"{name} {value:.3f}" for name, value in summary.items()))
    return summary


def _line(name: str, table: NDArray[np.float64]) -> str:
    """Root mean squares and means of (..., 2, n_probes, 4)."""
    means = table.reshape(-1, *table.shape[-3:]).mean(axis=(0, 2))
    means[:, :2] = np.sqrt(means[:, :2])
    return f"{name:<8}" + "".join(f"{one:>10.3f} /{other:>6.3f}" for one, other in means.T)


if __name__ == "__main__":
    main()
