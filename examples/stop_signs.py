"""The same network, trained twice: once it learns the signs, once the scenery behind them. LIME shows which.

Run `python examples/stop_signs.py`, then `tensorboard --logdir logs`. It takes about two minutes on two CPU cores. Try
`--correlation 0.95`, `--no-masks` to let keras_lime estimate where the signs are, or `--quick` for a short trial run.
Works with every Keras backend.
"""

import argparse
import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
from keras import layers
from traffic_signs import CLASSES, SCENES, TrafficSigns, draw_signs

from keras_lime import LimeCallback, ProbeSet

__all__ = ["Outcome", "build_model", "main", "train"]

BATCH_SIZE = 32


@dataclass(frozen=True)
class Outcome:
    """What was measured of a trained network.

    Attributes:
        same_world: accuracy on new images with scenes drawn as in training: what ordinary validation shows.
        other_scene: accuracy on new images in which every sign appears in front of another class's scene.
        object_share: share of LIME's positive weight for the true class that lies on the sign; NaN without masks.
        reliance: share of the predictions for the probes that follow the scene.
    """

    same_world: float
    other_scene: float
    object_share: float
    reliance: float


def build_model(n_steps: int = 632) -> keras.Model:
    """Builds a small network of three convolutions for 64×64 images in 0..255.

    Args:
        n_steps: number of training steps over which the learning rate falls to zero. Defaults to 632, eight epochs of
            2,500 images in batches of 32.

    Returns:
        The compiled model.
    """
    model = keras.Sequential([keras.Input((64, 64, 3)), layers.Rescaling(1 / 127.5, offset=-1)])
    for filters, pool in ((16, 2), (32, 2), (64, 4)):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D(pool))
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(len(CLASSES), activation="softmax"))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, n_steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train(correlation: float, log_dir: Path, probes: ProbeSet, *, n_images: int, epochs: int, seed: int) -> Outcome:
    """Trains one network with the callback and tests it.

    Args:
        correlation: probability that a training sign appears in front of its class's own scene; 0.2 is no correlation.
        log_dir: folder of this run, for TensorBoard.
        probes: images to explain and to test after every epoch, with masks or without.
        n_images: number of training images; each of the two tests uses a fifth as many.
        epochs: number of epochs.
        seed: seed of images and weights.

    Returns:
        The `Outcome`.
    """
    world = draw_signs(n_images, correlation, seed=seed)
    same_world = draw_signs(n_images // 5, correlation, split="test", seed=seed)
    other_scene = draw_signs(n_images // 5, 0.0, split="test", seed=seed)

    keras.utils.set_random_seed(seed)
    model = build_model(epochs * math.ceil(n_images / BATCH_SIZE))
    # Hidden superpixels turn grey: their mean colour would still tell a meadow from the sky.
    callbacks: list[keras.callbacks.Callback] = [LimeCallback(probes, log_dir, baseline="grey")]
    # Keras' own TensorBoard callback needs TensorFlow; LimeCallback does not.
    if importlib.util.find_spec("tensorflow"):
        callbacks.append(keras.callbacks.TensorBoard(log_dir))
    history = model.fit(
        world.images,
        world.labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(same_world.images, same_world.labels),
        callbacks=callbacks,
        verbose=2,
    ).history
    _, accuracy = model.evaluate(other_scene.images, other_scene.labels, verbose=0)
    return Outcome(
        history["val_accuracy"][-1],
        accuracy,
        history.get("lime_object_share", [math.nan])[-1],
        history["lime_reliance"][-1],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains both networks and prints the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--log-dir", type=Path, default=Path("logs"), help="log folder for TensorBoard (default: logs)")
    parser.add_argument("--correlation", type=float, default=1.0, help="of scene and class in the shortcut run, 0..1")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-masks", action="store_true", help="keep the signs' masks from the callback")
    parser.add_argument("--quick", action="store_true", help="a short trial run with few images and probes")
    options = parser.parse_args(arguments)
    n_images, n_probes, n_tested = (200, 5, 30) if options.quick else (2500, 30, 60)

    outcomes = {}
    chance = math.nan
    for name, correlation in (("independent", 0.2), ("shortcut", options.correlation)):
        print(f"\nTraining {name!r}: {correlation:.0%} of the signs have their class's own scene.", flush=True)
        # The probes are new images of the world that the network was trained in, as in a validation set.
        shown: TrafficSigns = draw_signs(n_tested, correlation, split="test", seed=options.seed + 1)
        masks = None if options.no_masks else shown.masks
        probes = ProbeSet(shown.images, shown.labels, masks=masks, class_names=CLASSES).explaining(n_probes)
        chance = math.nan if probes.masks is None else float(probes.masks.mean())
        outcomes[name] = train(
            correlation, options.log_dir / name, probes, n_images=n_images, epochs=options.epochs, seed=options.seed
        )
    print(report(outcomes, options.correlation, chance, options.log_dir))


def report(outcomes: dict[str, Outcome], correlation: float, chance: float, log_dir: Path) -> str:
    """Describes both networks to a first-time reader.

    Args:
        outcomes: the runs `"independent"` and `"shortcut"`.
        correlation: probability of the class's own scene in the shortcut run.
        chance: mean share of a probe that its sign covers, 0..1.
        log_dir: folder of both runs.

    Returns:
        A few paragraphs and a table.
    """
    independent, shortcut = outcomes["independent"], outcomes["shortcut"]
    pairs = ", ".join(f"{name} – {scene}" for name, scene in zip(CLASSES, SCENES, strict=True))
    rows = (
        ("accuracy on new images like the training images", independent.same_world, shortcut.same_world),
        ("accuracy with the sign in front of another scene", independent.other_scene, shortcut.other_scene),
        ("share of the predictions that follow the scene", independent.reliance, shortcut.reliance),
        ("share of the explanation that lies on the sign", independent.object_share, shortcut.object_share),
        ("... expected by chance: the sign's share of the area", chance, chance),
    )
    table = "\n".join(
        f"{title:<54}{first:>12.3f}{second:>12.3f}" for title, first, second in rows if not math.isnan(first)
    )
    return f"""
Two identical networks learned five traffic signs. In the first network's training images the scene says nothing about
the sign. In the second's, {correlation:.0%} of the signs are in front of their class's own scene:
{pairs}.

{"":<54}{"independent":>12}{"shortcut":>12}
{table}

Ordinary validation shows only the first row. The second row needs images that people rarely have: the same signs
somewhere else. The third row needs only the network and 60 images: the callback pastes each sign before the scenes of
others and sees what the predictions follow. LIME hides parts of an image and records how the prediction changes. The
less of that change comes from the sign, the more the network relies on the scenery.

See it epoch by epoch:  tensorboard --logdir {log_dir}
"""


if __name__ == "__main__":
    main()
