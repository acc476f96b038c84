"""How much does each cure bring? Networks with a shortcut, cured in every way, and tested where the scene changes.

Run `python examples/studies/cures.py`; it takes some hours on two CPU cores and prints a table. `--worlds signs
--correlations 1.0 --seeds 0 --pools 250` measures a part, `--quick` only shows that it runs. Works under every Keras
backend.

Rows: world, correlation of scene and class in training (0.2: none, a clean network), what was done, how many training
images had an outline, and whether it was a mask, a box or an estimate. Columns: accuracy on new images whose objects
stand in front of another class's scene, and on images like the training's (means over the seeds, with the lowest), and
how often the receipt's outcome was the one that these accuracies show. `new` trains another network from the start with
`SwapBackgrounds`, twice as many epochs, so that it sees the images as often as before and as many composites besides;
`afr` is automatic feature reweighting (Qiu et al. 2023, equation 3), which needs no outlines, and is measured here
alone.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cure_stop_signs import boxes_of
from sklearn.linear_model import LogisticRegression
from stop_signs import BATCH_SIZE, build_model
from toys import draw_toys
from traffic_signs import TrafficSigns, draw_signs

from keras_lime import ProbeSet, SwapBackgrounds, cure

__all__ = ["main"]

_EMPHASIS = 4.0
"""γ of automatic feature reweighting."""


_WORLDS: dict[str, Callable[..., TrafficSigns]] = {"signs": draw_signs, "toys": draw_toys}

_GAIN, _LOSS = 0.05, 0.02
"""Accuracy before other scenes that a cure must bring to be better, and accuracy before its own that it may cost."""


@dataclass(frozen=True)
class Measured:
    """What became of one network.

    Attributes:
        name: what was done.
        elsewhere: accuracy with the objects before another class's scene.
        same: accuracy on images like the training's.
        outcome: of the receipt; None where there is none.
    """

    name: str
    elsewhere: float
    same: float
    outcome: str | None = None

    def is_right(self, before: "Measured") -> bool | None:
        """Whether the receipt says what the accuracies on many new images show; None without a receipt."""
        if self.outcome is None:
            return None
        gain, loss = self.elsewhere - before.elsewhere, before.same - self.same
        truth = "worse" if loss > _LOSS or gain < -_GAIN else "better" if gain > _GAIN else "no difference"
        return self.outcome == truth


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, cures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", choices=_WORLDS, nargs="+", default=list(_WORLDS))
    parser.add_argument("--correlations", type=float, nargs="+", default=[0.2, 0.8, 0.95, 1.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--pools", type=int, nargs="+", default=[30, 100, 250])
    parser.add_argument("--outlines", nargs="+", default=["masks", "boxes", "estimates"])
    parser.add_argument("--methods", nargs="+", default=["finetune", "head", "new", "afr"])
    parser.add_argument("--no-receipts", action="store_true", help="accuracies alone, in a third of the time")
    parser.add_argument("--quick", action="store_true", help="few images: see that it runs")
    options = parser.parse_args(arguments)
    n_images, epochs = (200, 1) if options.quick else (2500, 8)
    found: dict[tuple[str, float, str], list[tuple[Measured, Measured]]] = defaultdict(list)
    for name in options.worlds:
        for correlation in options.correlations:
            for seed in options.seeds:
                before: Measured | None = None
                for each in _one_network(_WORLDS[name], correlation, seed, n_images, epochs, options):
                    before = before or each
                    found[name, correlation, each.name].append((before, each))
                    row = f"{name} {correlation:<5} seed {seed}  {each.name:<24}{each.elsewhere:.3f}  {each.same:.3f}"
                    print(f"{row}  {each.outcome or ''} {each.is_right(before)}", flush=True)
    print(f"\n{'world':<7}{'corr.':<6}{'':<24}{'another scene':>18}{'like training':>18}  receipt right")
    for (world, correlation, name), pairs in found.items():
        values = [(each.elsewhere, each.same) for _, each in pairs]
        means, lowest = np.mean(values, axis=0), np.min(values, axis=0)
        cells = "".join(f"{mean:>9.3f} (≥ {low:.3f})" for mean, low in zip(means, lowest, strict=True))
        print(
            f"{world:<7}{correlation:<6}{name:<24}{cells}  {_share([each.is_right(before) for before, each in pairs])}"
        )
    everything = [each.is_right(before) for pairs in found.values() for before, each in pairs]
    print(f"receipts that say what is true: {_share(everything)}")


def _share(right: Sequence[bool | None]) -> str:
    known = [each for each in right if each is not None]
    return f"{sum(known)} of {len(known)}" if known else "–"


def _one_network(
    draw: Callable[..., TrafficSigns],
    correlation: float,
    seed: int,
    n_images: int,
    epochs: int,
    options: argparse.Namespace,
) -> Iterator[Measured]:
    """One network as trained, and after every cure."""
    world = draw(n_images, correlation, seed=seed)
    tests = [draw(n_images // 5, share, split="test", seed=seed) for share in (0.0, correlation)]
    # Other images than those of the tests, which are what the receipt is judged by.
    held_out = draw(n_images // 5, correlation, split="test", seed=seed + 1000)
    shown = draw(10 if options.quick else 60, correlation, split="test", seed=seed + 2000)
    probes = ProbeSet(shown.images, shown.labels, masks=shown.masks).explaining(20)

    def measured(name: str, model: Any, outcome: str | None = None) -> Measured:
        elsewhere, same = (
            float((model.predict(test.images, verbose=0).argmax(axis=1) == test.labels).mean()) for test in tests
        )
        return Measured(name, elsewhere, same, outcome)

    def trained(data: Any, epochs: int, **given: Any) -> Any:
        keras.utils.set_random_seed(seed)
        model = build_model(epochs * -(-n_images // BATCH_SIZE))
        model.fit(data, epochs=epochs, verbose=0, **given)
        return model

    model = trained(world.images, epochs, y=world.labels, batch_size=BATCH_SIZE)
    yield measured("as trained", model)
    if "afr" in options.methods:
        yield measured("afr", _reweighted(model, world))
    for count in options.pools:
        for kind in options.outlines:
            pool = _pool(world, count, kind)
            for method in options.methods:
                name = f"{method} {count} {kind}"
                if method == "new" and kind == "masks":
                    yield measured(name, trained(SwapBackgrounds(pool, seed=seed).dataset(_data(world)), 2 * epochs))
                elif method == "finetune" or (method == "head" and kind == "masks"):
                    given: dict[str, Any] = (
                        {} if options.no_receipts else {"validation_data": _data(held_out), "probes": probes}
                    )
                    cured, receipt = cure(model, _data(world), pool, method, seed=seed, **given)
                    if not options.no_receipts:
                        print(f"    {receipt.sentences[0]}")
                    yield measured(name, cured, None if options.no_receipts else str(receipt.outcome))


def _data(world: TrafficSigns) -> tuple[Any, Any]:
    return world.images, world.labels


def _pool(world: TrafficSigns, count: int, kind: str) -> ProbeSet:
    images, labels, masks = world.images[:count], world.labels[:count], world.masks[:count]
    if kind == "estimates":
        return ProbeSet(images, labels)
    return ProbeSet(images, labels, masks=masks) if kind == "masks" else ProbeSet(images, labels, boxes=boxes_of(masks))


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
