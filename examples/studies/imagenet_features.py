"""Does the alarm hold at 224 pixels, for a classifier on the features of an ImageNet network?

Run `python examples/studies/imagenet_features.py MODEL.keras`, with any Keras classifier of 224×224 images whose last
layer is Dense. It takes half an hour on two CPU cores with EfficientNet-Lite0; `--quick` only shows that it runs. Works
under every Keras backend.

The signs of the examples, on photographs, are learned by a new last layer on the network's own features. A row is a
network: correlation of scene and class in training (0.2: none), accuracy on images like the training's and with each
sign before another class's scene, the difference of the two accuracies with sign and scene drawn together or apart,
which is the true reliance, and what the callback measures and says, by masks and by estimated outlines.
"""

import argparse
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util.tensor_util import make_ndarray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from traffic_signs import CLASSES, TrafficSigns, draw_signs

from keras_lime import LimeCallback, ProbeSet
from keras_lime.exceptions import LimeWarning

__all__ = ["main"]

_SIZE = 224


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains a last layer for each correlation and seed, tests it, and prints the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a .keras file")
    parser.add_argument("--correlations", type=float, nargs="+", default=[0.2, 0.8, 1.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--images", type=int, default=400, help="training images")
    parser.add_argument("--tested", type=int, default=60, help="probes")
    parser.add_argument("--quick", action="store_true", help="few images: see that it runs")
    options = parser.parse_args(arguments)
    n_images, n_tested = (40, 30) if options.quick else (options.images, options.tested)
    features = _features(options.model)
    print(f"{'corr.':<7}{'seed':<6}{'same':>6}{'other':>7}{'true':>7}   outlines   measured  alarm")
    for correlation in options.correlations:
        for seed in options.seeds:
            model = _trained(features, draw_signs(n_images, correlation, seed=seed, size=_SIZE), seed)
            apart, joined = (_accuracy(model, share, n_images // 2, seed) for share in (0.0, 1.0))
            row = f"{correlation:<7}{seed:<6}{joined:>6.2f}{apart:>7.2f}{max(joined - apart, 0):>7.2f}"
            shown = draw_signs(n_tested, correlation, split="test", seed=seed + 1, size=_SIZE)
            for kind in ("masks", "estimated"):
                reliance, alarm = _tested(model, shown, kind)
                print(f"{row}   {kind:<11}{reliance:>8.2f}  {'yes' if alarm else 'no'}", flush=True)


def _features(file: Path) -> Any:
    """The network up to its last Dense layer."""
    model = keras.saving.load_model(file, compile=False)
    dense = next(layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.Dense))
    return keras.Model(model.inputs, dense.input)


def _trained(features: Any, world: TrafficSigns, seed: int) -> Any:
    """A classifier of the signs: the features as they are, and a new last layer."""
    keras.utils.set_random_seed(seed)
    head = keras.Sequential([keras.Input(features.output.shape[1:]), keras.layers.BatchNormalization()])
    head.add(keras.layers.Dropout(0.3))
    head.add(keras.layers.Dense(len(CLASSES), activation="softmax"))
    head.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    head.fit(features.predict(world.images, verbose=0), world.labels, epochs=40, verbose=0)
    return keras.Model(features.inputs, head(features.output))


def _accuracy(model: Any, correlation: float, count: int, seed: int) -> float:
    """Accuracy with every sign before its class's own scene (1) or before another class's (0)."""
    world = draw_signs(count, correlation, split="test", seed=seed, size=_SIZE)
    return float((model.predict(world.images, verbose=0).argmax(axis=1) == world.labels).mean())


def _tested(model: Any, shown: TrafficSigns, kind: str) -> tuple[float, bool]:
    """The reliance that the callback measures, and whether it raises the alarm."""
    masks = shown.masks if kind == "masks" else None
    probes = ProbeSet(shown.images, shown.labels, masks=masks, class_names=CLASSES).explaining(2)
    alarms: list[Any] = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", LimeWarning)
        options: dict[str, Any] = {"baseline": "grey", "num_samples": 128, "patience": 1, "verbose": 0}
        callback = LimeCallback(probes, folder, on_alarm=alarms.append, **options)
        callback.explain(model, 0)
        callback.close()
        events = EventAccumulator(str(Path(folder) / "lime")).Reload()
        known = [tag for tag in events.Tags()["tensors"] if tag.endswith("shortcut/reliance")]
        reliance = float(make_ndarray(events.Tensors(known[0])[-1].tensor_proto)) if known else np.nan
    return reliance, bool(alarms)


if __name__ == "__main__":
    main()
