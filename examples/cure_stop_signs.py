"""The whole story: a network learns the scenery, the callback raises its alarm, 250 boxes cure it, a receipt proves it.

Run `python examples/cure_stop_signs.py`, then `tensorboard --logdir logs`. It takes about two minutes on two CPU cores;
`--quick` only shows that it runs. Works under every Keras backend.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from stop_signs import BATCH_SIZE, build_model
from traffic_signs import CLASSES, TrafficSigns, draw_signs

from keras_lime import LimeCallback, ProbeSet, cure

__all__ = ["boxes_of", "main"]


def boxes_of(masks: NDArray[np.bool_]) -> list[list[tuple[int, int, int, int]]]:
    """A box (top, left, bottom, right) around each sign, as somebody would draw it with the mouse."""
    boxes = []
    for mask in masks:
        rows, columns = np.nonzero(mask)
        boxes.append([(int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)])
    return boxes


def probes_of(world: TrafficSigns) -> ProbeSet:
    """The images with boxes around the signs."""
    return ProbeSet(world.images, world.labels, boxes=boxes_of(world.masks), class_names=CLASSES)


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains, waits for the alarm, cures and prints the receipt."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--log-dir", type=Path, default=Path("logs"), help="folder for TensorBoard (default: logs)")
    parser.add_argument("--correlation", type=float, default=1.0, help="of scene and class in training, 0..1")
    parser.add_argument("--boxes", type=int, default=250, help="training images with a box (default: 250)")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="few images, few probes: see that it runs")
    options = parser.parse_args(arguments)
    n_images, n_probes, n_boxes = (200, 10, 50) if options.quick else (2500, 30, options.boxes)

    world = draw_signs(n_images, options.correlation, seed=options.seed)
    held_out = draw_signs(n_images // 5, options.correlation, split="test", seed=options.seed)
    elsewhere = draw_signs(n_images // 5, 0.0, split="test", seed=options.seed)
    probes = probes_of(draw_signs(n_probes, options.correlation, split="test", seed=options.seed + 1))
    pool = probes_of(draw_signs(n_boxes, options.correlation, seed=options.seed))

    print(f"1. Training: {options.correlation:.0%} of the signs stand in front of their class's own scene.", flush=True)
    keras.utils.set_random_seed(options.seed)
    model = build_model(options.epochs * math.ceil(n_images / BATCH_SIZE))
    callback = LimeCallback(probes, options.log_dir / "trained", baseline="grey", verbose=0)
    model.fit(
        world.images,
        world.labels,
        batch_size=BATCH_SIZE,
        epochs=options.epochs,
        validation_data=(held_out.images, held_out.labels),
        callbacks=[callback],
        verbose=2,
    )
    print(f"\n2. Cure: boxes around the signs of {n_boxes} training images.", flush=True)
    cured, receipt = cure(
        model,
        (world.images, world.labels),
        pool,
        validation_data=(held_out.images, held_out.labels),
        probes=probes,
        log_dir=options.log_dir / "cured",
        seed=options.seed,
    )
    print(f"\n3. Receipt: {receipt.outcome}.\n{receipt}")
    cured.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    before, after = (each.evaluate(elsewhere.images, elsewhere.labels, verbose=0)[1] for each in (model, cured))
    print(
        f"\nThe proof that one rarely has, {n_images // 5} signs in front of other scenes: accuracy {before:.3f} → "
        f"{after:.3f}.\n\nSee it:  tensorboard --logdir {options.log_dir}"
    )


if __name__ == "__main__":
    main()
