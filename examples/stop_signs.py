"""One network, trained twice: it learns the signs, or it learns the scenery behind them. LIME shows which.

Run `python examples/stop_signs.py`, then `tensorboard --logdir logs`. It takes about two minutes on two CPU cores; try
`--correlation 0.95`, or `--quick` to see that it runs. Works under every Keras backend.
"""

import argparse
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
    """What is known of a network after training; all numbers are shares, 0..1.

    Attributes:
        same_world: accuracy on new pictures, scenes drawn as in training: what an ordinary validation shows.
        other_scene: accuracy on new pictures in which every sign stands before the scene of another class.
        object_share: share of LIME's positive weight for the true class that lies on the sign.
    """

    same_world: float
    other_scene: float
    object_share: float


def build_model(n_steps: int = 632) -> keras.Model:
    """A small network of three convolutions for 64×64 pictures, 0..255.

    Args:
        n_steps: number of training steps in which the learning rate falls to zero. Defaults to 632, eight epochs of
            2,500 pictures in batches of 32.

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
    """Trains one network, with the callback, and tests it.

    Args:
        correlation: chance that a sign of the training set stands before its class's own scene; 0.2 is no correlation.
        log_dir: folder for TensorBoard.
        probes: pictures to explain after every epoch, with masks.
        n_images: number of pictures to train on; a fifth as many serve for each of the two tests.
        epochs: number of epochs.
        seed: of pictures and weights.

    Returns:
        The `Outcome`.
    """
    world = draw_signs(n_images, correlation, seed=seed)
    same_world = draw_signs(n_images // 5, correlation, split="test", seed=seed)
    other_scene = draw_signs(n_images // 5, 0.0, split="test", seed=seed)

    keras.utils.set_random_seed(seed)
    model = build_model(epochs * math.ceil(n_images / BATCH_SIZE))
    # Hidden parts show grey: their mean colour would still tell meadow from sky.
    explanations = LimeCallback(probes, log_dir, baseline="grey")
    history = model.fit(
        world.images,
        world.labels,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(same_world.images, same_world.labels),
        callbacks=[keras.callbacks.TensorBoard(log_dir), explanations],
        verbose=2,
    ).history
    _, accuracy = model.evaluate(other_scene.images, other_scene.labels, verbose=0)
    return Outcome(history["val_accuracy"][-1], accuracy, history["lime_object_share"][-1])


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains both networks and prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--log-dir", type=Path, default=Path("logs"), help="folder for TensorBoard (default: logs)")
    parser.add_argument("--correlation", type=float, default=1.0, help="scene and class in the shortcut run, 0..1")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="few pictures, few probes: see that it runs")
    options = parser.parse_args(arguments)
    n_images, n_probes = (200, 5) if options.quick else (2500, 30)

    # The probes come from the test side of the photographs, their scenes independent of the class.
    shown: TrafficSigns = draw_signs(n_probes, 0.2, split="test", seed=options.seed + 1)
    probes = ProbeSet(shown.images, shown.labels, masks=shown.masks, class_names=CLASSES)
    outcomes = {}
    for name, correlation in (("independent", 0.2), ("shortcut", options.correlation)):
        print(f"\nTraining {name!r}: {correlation:.0%} of the signs stand before their class's own scene.", flush=True)
        outcomes[name] = train(
            correlation, options.log_dir / name, probes, n_images=n_images, epochs=options.epochs, seed=options.seed
        )
    print(report(outcomes, options.correlation, float(shown.masks.mean()), options.log_dir))


def report(outcomes: dict[str, Outcome], correlation: float, chance: float, log_dir: Path) -> str:
    """The findings, for someone who sees them for the first time."""
    left, right = outcomes["independent"], outcomes["shortcut"]
    own = ", ".join(f"{name} – {scene}" for name, scene in zip(CLASSES, SCENES, strict=True))
    rows = (
        ("accuracy on new pictures like those of the training", left.same_world, right.same_world),
        ("accuracy where the sign stands before another scene", left.other_scene, right.other_scene),
        ("share of the explanation that lies on the sign", left.object_share, right.object_share),
        ("... and by chance: the sign's share of the picture", chance, chance),
    )
    table = "\n".join(f"{title:<54}{first:>12.3f}{second:>12.3f}" for title, first, second in rows)
    return f"""
Two networks of one kind learned five traffic signs. In the first one's pictures the scene says nothing about the sign,
in the other's {correlation:.0%} of the signs stand before a scene of their own:
{own}.

{"":<54}{"independent":>12}{"shortcut":>12}
{table}

The first row is all that validation shows. The second needs pictures that one rarely has: the same signs somewhere
else. The third needs only the network and some pictures: LIME hides parts of a picture and notes how the prediction
changes. The less of that change comes from the sign, the more the network looks at the scenery.

See it epoch by epoch:  tensorboard --logdir {log_dir}
"""


if __name__ == "__main__":
    main()
