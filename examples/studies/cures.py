"""How much does each cure bring? Networks with a shortcut, cured in every way, and tested where the scene changes.

Run `python examples/studies/cures.py`; it takes two hours on two CPU cores and prints a table. `--correlations 1.0
--seeds 0 --pools 250` measures a part, `--quick` only shows that it runs. Works under every Keras backend.

Rows: correlation of scene and class in training, what was done, and how many training images had an outline. Columns:
accuracy on new images whose signs stand in front of another class's scene, and on images like the training's (means
over the seeds, with the lowest). `new` trains another network from the start with `SwapBackgrounds`; `afr` is automatic
feature reweighting (Qiu et al. 2023, equation 3), which needs no outlines, and is measured here alone.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cure_stop_signs import boxes_of
from sklearn.linear_model import LogisticRegression
from stop_signs import BATCH_SIZE, build_model
from traffic_signs import TrafficSigns, draw_signs

from keras_lime import ProbeSet, SwapBackgrounds, cure

__all__ = ["main"]

_EMPHASIS = 4.0
"""γ of automatic feature reweighting."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, cures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--correlations", type=float, nargs="+", default=[0.2, 0.8, 0.95, 1.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pools", type=int, nargs="+", default=[30, 100, 250])
    parser.add_argument("--methods", nargs="+", default=["finetune", "head", "new", "afr"])
    parser.add_argument("--quick", action="store_true", help="few images: see that it runs")
    options = parser.parse_args(arguments)
    n_images, epochs = (200, 1) if options.quick else (2500, 8)
    found: dict[tuple[float, str], list[tuple[float, float]]] = defaultdict(list)
    for correlation in options.correlations:
        for seed in options.seeds:
            for name, elsewhere, same in _one_network(correlation, seed, n_images, epochs, options):
                found[correlation, name].append((elsewhere, same))
                print(f"{correlation:<5} seed {seed}  {name:<24}{elsewhere:.3f}  {same:.3f}", flush=True)
    print(f"\n{'correlation':<12}{'':<24}{'another scene':>18}{'like training':>18}")
    for (correlation, name), values in found.items():
        means, lowest = np.mean(values, axis=0), np.min(values, axis=0)
        cells = "".join(f"{mean:>9.3f} (≥ {low:.3f})" for mean, low in zip(means, lowest, strict=True))
        print(f"{correlation:<12}{name:<24}{cells}")


def _one_network(
    correlation: float, seed: int, n_images: int, epochs: int, options: argparse.Namespace
) -> Iterator[tuple[str, float, float]]:
    """One network as trained and after every cure: name, accuracy elsewhere, accuracy on images like the training's."""
    world = draw_signs(n_images, correlation, seed=seed)
    tests = [draw_signs(n_images // 5, share, split="test", seed=seed) for share in (0.0, correlation)]

    def measured(name: str, model: Any) -> tuple[str, float, float]:
        elsewhere, same = (
            float((model.predict(test.images, verbose=0).argmax(axis=1) == test.labels).mean()) for test in tests
        )
        return name, elsewhere, same

    def trained(data: Any, **given: Any) -> Any:
        keras.utils.set_random_seed(seed)
        model = build_model(epochs * -(-n_images // BATCH_SIZE))
        model.fit(data, epochs=epochs, verbose=0, **given)
        return model

    model = trained(world.images, y=world.labels, batch_size=BATCH_SIZE)
    yield measured("as trained", model)
    if "afr" in options.methods:
        yield measured("afr", _reweighted(model, world))
    for count in options.pools:
        for kind, pool in _pools(world, count).items():
            for method in options.methods:
                name = f"{method} {count} {kind}"
                if method == "new" and kind == "masks":
                    yield measured(name, trained(SwapBackgrounds(pool, seed=seed).dataset(_data(world))))
                elif method in ("finetune", "head"):
                    yield measured(name, cure(model, _data(world), pool, method, seed=seed).model)


def _data(world: TrafficSigns) -> tuple[Any, Any]:
    return world.images, world.labels


def _pools(world: TrafficSigns, count: int) -> dict[str, ProbeSet]:
    images, labels, masks = world.images[:count], world.labels[:count], world.masks[:count]
    return {"masks": ProbeSet(images, labels, masks=masks), "boxes": ProbeSet(images, labels, boxes=boxes_of(masks))}


def _reweighted(model: Any, world: TrafficSigns) -> Any:
    """The last layer fitted anew on the training images, those that the model gets wrong first."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(file := Path(folder) / "model.keras")
        copied = keras.saving.load_model(file)
    dense = copied.layers[-1]
    features = keras.Model(copied.inputs, dense.input).predict(world.images, verbose=0)
    right = copied.predict(world.images, verbose=0)[np.arange(len(world.labels)), world.labels]
    weights = np.exp(-_EMPHASIS * right) / np.bincount(world.labels)[world.labels]
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    fitted = LogisticRegression(C=0.1, max_iter=500).fit(
        (features - mean) / spread, world.labels, sample_weight=weights / weights.mean()
    )
    dense.kernel.assign((fitted.coef_ / spread).T)
    dense.bias.assign(fitted.intercept_ - fitted.coef_ @ (mean / spread))
    return copied


if __name__ == "__main__":
    began = time.perf_counter()
    main()
    print(f"\n{(time.perf_counter() - began) / 60:.0f} minutes")
