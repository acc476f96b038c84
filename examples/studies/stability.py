"""Do two runs with other seeds name the same superpixels? And do those that are named matter to the model?

    python examples/studies/stability.py                           the small CNN, trained on the spot
    python examples/studies/stability.py --model MODEL.keras       a model of your own

The explainers and pictures of `fidelity.py`, every explainer with the same number of model calls, run with several
seeds. Pixels' weights are averaged over one set of superpixels, and runs are compared in pairs: Jaccard index of the 5
and of the 10 superpixels with the largest weights, and the share of superpixels whose sign is the same. Beside them
stand the areas under the deletion (low is good) and the insertion curve (high is good), mean over what hidden pixels
show and over the seeds: an explainer that always says the same may be wrong. Random superpixels are the floor.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.models import trained_cnn
from fidelity import areas, contestants, pictures

from keras_lime.core.plan import make_plans
from keras_lime.core.settings import Settings

__all__ = ["main", "stability"]

Floats = NDArray[np.floating[Any]]

COLUMNS = ("top 5", "top 10", "signs", "deletion", "insertion")


def stability(weights: Floats) -> Floats:
    """How far runs agree, float64 array (3,): Jaccard indices of the top 5 and the top 10, and agreement of signs.

    Args:
        weights: (n_runs, n_segments), at least two runs.
    """
    order = np.argsort(-weights, axis=1, kind="stable")
    found = []
    for one, other in combinations(range(len(weights)), 2):
        row = []
        for count in (5, 10):
            both = len(np.intersect1d(order[one, :count], order[other, :count]))
            row.append(both / (2 * count - both))
        found.append([*row, np.mean(np.sign(weights[one]) == np.sign(weights[other]))])
    means: Floats = np.mean(found, axis=0)
    return means


def averaged(weights: Floats, labels: NDArray[np.integer]) -> Floats:
    """Weights of pixels (h, w), averaged over superpixels (n_segments,)."""
    means: Floats = np.bincount(labels.ravel(), weights.ravel()) / np.bincount(labels.ravel())
    return means


def main(arguments: Sequence[str] | None = None) -> dict[str, Floats]:
    """Prints the table, mean over the pictures, and gives it by explainer."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, help="a Keras model for images (size, size, 3) in 0..255")
    parser.add_argument("--calls", type=int, default=256, help="model calls of every explainer")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", nargs="+", help="names of the explainers that take part (default: all)")
    options = parser.parse_args(arguments)
    model = trained_cnn() if options.model is None else keras.models.load_model(options.model)

    def predict(images: Floats) -> Floats:
        return np.asarray(model.predict(images, batch_size=64, verbose=0))

    tables: dict[str, list[Floats]] = {}
    for image in pictures(model.input_shape[1]).values():
        (plan,) = make_plans([image], Settings(num_samples=64))
        target = int(predict(image[None])[0].argmax())
        for name, weights_of in contestants(model, predict, options.calls).items():
            if options.only and name not in options.only:
                continue
            maps = [weights_of(image, target, seed) for seed in range(options.seeds)]
            runs = np.stack([averaged(each, plan.segmentation.labels) for each in maps])
            deletion, insertion = np.mean([areas(predict, image, target, each) for each in maps], axis=(0, 1))
            tables.setdefault(name, []).append(np.array([*stability(runs), deletion, insertion]))
    print(f"\n{options.calls} model calls, {options.seeds} seeds, mean over three pictures")
    print(f"{'':<26}" + "".join(f"{column:>11}" for column in COLUMNS))
    means = {name: np.mean(rows, axis=0) for name, rows in tables.items()}
    for name, row in means.items():
        print(f"{name:<26}" + "".join(f"{value:>11.3f}" for value in row))
    return means


if __name__ == "__main__":
    main()
