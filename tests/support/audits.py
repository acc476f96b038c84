"""Small data sets and models for audits."""

import io
import os
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.support.worlds import SIZE, squares

__all__ = ["FAST", "NAMES", "QUIET", "classifier", "png", "rows_by_id", "slow_reader", "write_folder"]

FAST: dict[str, Any] = {"segmentation": "grid", "n_segments": 9, "num_samples": 32}
"""Settings with which an image costs 32 small forward passes."""

QUIET: dict[str, Any] = {"verbose": 0, "report": False, "shard_size": 8, "baseline": "mean", **FAST}
"""With a baseline that is the same whatever comes first: the default's pictures are those of the first shard."""

NAMES = ("<script>alert(1)</script>".replace("/", "_"), "no entry", "Straßensperrung", "stop")
"""Names of the four classes of `squares`, also as folders."""


def classifier(seed: int = 0, size: int = SIZE) -> keras.Model:
    """An untrained network of four classes for pictures in 0..255."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(4, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )


def png(image: NDArray[Any]) -> bytes:
    """A PNG file."""
    written = io.BytesIO()
    Image.fromarray(image).save(written, "PNG")
    return written.getvalue()


def write_folder(folder: Path, n: int = 24, names: tuple[str, ...] = NAMES) -> Path:
    """`squares` as PNG files by class, with masks beside them in `<folder>-masks`."""
    images, labels, masks = squares(n, biased=False)
    for index, (image, label, mask) in enumerate(zip(images, labels, masks, strict=True)):
        file = Path(names[label]) / f"Bild {index:02d} ü.png"
        for room, content in ((folder, image), (folder.with_name(f"{folder.name}-masks"), mask)):
            (room / file).parent.mkdir(parents=True, exist_ok=True)
            (room / file).write_bytes(png(content))
    return folder


def rows_by_id(audit: Any, leave_out: tuple[str, ...] = ()) -> dict[tuple[str, int], dict[str, Any]]:
    """Rows by image and target, without columns that depend on the place in the data set."""
    without = {"position", "path", "swap_flip", "background_certainty", "object_certainty", *leave_out}
    return {
        (row["image_id"], row["target"]): {name: value for name, value in row.items() if name not in without}
        for row in audit.rows().to_pylist()
    }


def slow_reader(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """A plain function of four classes; a batch takes as many seconds as the environment says."""
    time.sleep(float(os.environ.get("SLOW", "0")))
    scores = np.exp(images[:, ::7, ::7].mean(axis=(1, 3))[:, :4] / 50)
    shares: NDArray[np.float32] = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
