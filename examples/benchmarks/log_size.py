"""What the probes cost in a log: MB after the first explained epoch, and what a second `fit` adds.

    python -m examples.benchmarks.log_size                 64 probes of 512×512, cut from scikit-image's photographs
    python -m examples.benchmarks.log_size --probes 8

The images are the same each time, as a model may take them: 8-bit, in 0..1, and normalised as for ImageNet.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import data

from keras_lime import LimeCallback, ProbeSet

__all__ = ["main"]

SIZE, CROP = 512, 300

MEAN, DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)

FORMS: dict[str, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
    "8-bit": lambda images: images,
    "0 to 1": lambda images: images.astype(np.float32) / 255,
    "ImageNet": lambda images: (images.astype(np.float32) / 255 - MEAN) / DEVIATION,
}


def crops(count: int) -> NDArray[np.uint8]:
    """Pieces of photographs, enlarged as a data set's are, (count, 512, 512, 3)."""
    from PIL import Image

    rng = np.random.default_rng(0)
    photographs = [data.astronaut(), data.chelsea(), data.coffee(), data.rocket()]
    found = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for index in range(count):
        photograph = photographs[index % len(photographs)]
        top, left = (int(rng.integers(0, size - CROP + 1)) for size in photograph.shape[:2])
        piece = Image.fromarray(photograph[top : top + CROP, left : left + CROP])
        found[index] = np.asarray(piece.resize((SIZE, SIZE)))
    return found


def brightness(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """A function of two classes that costs nothing."""
    bright = 1 / (1 + np.exp(-images[:, ::32, ::32].mean(axis=(1, 2, 3)) / 100))
    return np.stack([bright, 1 - bright], axis=1).astype(np.float32)


def sizes(images: NDArray[Any], folder: Path) -> list[float]:
    """MB of the run's event files after one epoch of a first and of a second training."""
    settings: dict[str, Any] = {"segmentation": "grid", "n_segments": 16, "num_samples": 16, "output": "softmax"}
    lime = LimeCallback(ProbeSet(images), folder, shortcut_threshold=None, max_images=0, **settings)
    found = []
    for _ in range(2):
        lime.explain(brightness, 0)
        lime.close()
        found.append(sum(file.stat().st_size for file in (folder / "lime").iterdir()) / 1e6)
    return found


def main() -> None:
    """Reads the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, default=64)
    options = parser.parse_args()
    images = crops(options.probes)
    print(f"{options.probes} probes of {SIZE}×{SIZE}: MB after the first epoch, and added by a second training")
    for name, form in FORMS.items():
        with tempfile.TemporaryDirectory() as folder:
            first, both = sizes(form(images), Path(folder))
        print(f"  {name:<10}{first:7.1f}{both - first:7.1f}", flush=True)


if __name__ == "__main__":
    main()
