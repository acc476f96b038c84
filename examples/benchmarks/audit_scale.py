"""Whether an audit of many images needs more memory than one of few, and more processor time for each.

    python -m examples.benchmarks.audit_scale                    4,000 and 100,000 images, 32×32, 32 samples
    python -m examples.benchmarks.audit_scale --images 500 2000  others

The images are PNG files by class, drawn once. Each audit is a process of its own that has audited some images before
the clock starts; summary and report count with it. Time is the processor's, which others on the machine disturb less.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

__all__ = ["main"]

SIZE, CLASSES = 32, 10

SETTINGS: dict[str, Any] = {"segmentation": "grid", "n_segments": 16, "num_samples": 32, "verbose": 0}


def write_images(folder: Path, count: int) -> Path:
    """Squares on noise as PNG files, a tenth of them in each class's folder; those that are there stay."""
    for label in range(CLASSES):
        (folder / f"class {label}").mkdir(parents=True, exist_ok=True)
    for index in range(count):
        file = folder / f"class {index % CLASSES}" / f"{index:07d}.png"
        if not file.exists():
            rng = np.random.default_rng(index)
            image = rng.integers(90, 140, (SIZE, SIZE, 3), np.uint8)
            top, left = rng.integers(0, SIZE - 12, 2)
            image[top : top + 12, left : left + 12] = (25 * (index % CLASSES), 200, 255 - 25 * (index % CLASSES))
            Image.fromarray(image).save(file, compress_level=1)
    return folder


def build_model() -> Any:
    """An untrained network, which costs the same as a trained one."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Rescaling(1 / 127.5, offset=-1),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ]
    )


def one_audit(data: Path, warm: Path) -> dict[str, float]:
    """Audits a folder in this process; seconds by the wall and of the processor, and the largest memory in MB."""
    from keras_lime import audit

    model = build_model()
    with tempfile.TemporaryDirectory() as out:
        audit(model, warm, Path(out) / "warm", **SETTINGS)
        began = time.perf_counter(), time.process_time()
        found = audit(model, data, Path(out) / "audit", **SETTINGS)
        seconds, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
        report = (found.folder / "report.html").stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"images": found.summary["images"], "seconds": seconds, "cpu": cpu, "memory": memory, "report": report}


def main() -> None:
    """Reads the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs="+", default=[4_000, 100_000])
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "keras_lime_audit_scale")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        folders = [options.data / str(count) for count in (options.one, 256)]
        print(json.dumps(one_audit(*folders)))
        return
    print(f"{SIZE}×{SIZE}, {SETTINGS['num_samples']} samples: processor time an image and memory, over the first's")
    write_images(options.data / "256", 256)
    first: dict[str, float] = {}
    for count in options.images:
        write_images(options.data / str(count), count)
        command = [sys.executable, "-m", __spec__.name, "--data", str(options.data), "--one", str(count)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        first = first or found
        each = found["cpu"] / found["images"] * 1000
        ratio = each / (first["cpu"] / first["images"] * 1000)
        print(
            f"  {count:>7,} images  {each:6.2f} ms ({ratio:.3f})  {found['memory']:6.0f} MB "
            f"({found['memory'] / first['memory']:.3f})  report {found['report']:.1f} MB  {found['seconds']:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
