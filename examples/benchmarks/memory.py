"""Peak memory, each measured in a process of its own: `python -m benchmarks.memory KIND PROBES SAMPLES EPOCHS`.

A peak never falls, so what a process has used cannot be told apart from what it uses later.
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

__all__ = ["memory"]


def memory(probes: int, samples: int, epochs: int) -> dict[str, Any]:
    """Compares explaining with plain forward passes, and the first epochs with the last.

    Args:
        probes: images of 224×224 in the probe set.
        samples: perturbations of each.
        epochs: explained epochs of the second measurement, with 4 small probes.

    Returns:
        Megabytes: peaks of both, and the growth from a tenth of the epochs on.
    """
    plain, explained = (_measure(kind, probes, samples, 1) for kind in ("plain", "explain"))
    grown = _measure("epochs", 4, 64, epochs)
    more = explained["peak"] - plain["peak"]
    print(f"\nPeak memory, {probes} probes × {samples} samples at 224×224, network of three convolutions")
    print(f"  plain forward passes {plain['peak']:.0f} MB, callback {explained['peak']:.0f} MB: {more:+.0f} MB")
    print(f"  {epochs} epochs: {grown['growth']:+.1f} MB after the first tenth", flush=True)
    return {"plain_mb": plain["peak"], "explain_mb": explained["peak"], "growth_mb": grown["growth"], "epochs": epochs}


def _measure(kind: str, probes: int, samples: int, epochs: int) -> dict[str, float]:
    folder = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(folder), str(folder.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", kind, str(probes), str(samples), str(epochs)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The memory of {kind!r} could not be measured: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _peak() -> float:
    """Megabytes that this process has held at most.

    On Linux `ru_maxrss` starts at what the parent held; the kernel's own count starts anew. macOS counts in bytes.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _network(size: int) -> Any:
    import keras

    layers = keras.layers
    steps = [layers.Conv2D(8, 3, strides=4, activation="relu") for _ in range(3)]
    last = [layers.GlobalAveragePooling2D(), layers.Dense(5, activation="softmax")]
    return keras.Sequential([keras.Input((size, size, 3)), *steps, *last])


def _run(kind: str, probes: int, samples: int, epochs: int) -> dict[str, float]:
    import tempfile

    import numpy as np

    from benchmarks.models import compiled_forward
    from keras_lime import LimeCallback, ProbeSet
    from keras_lime.scoring.engines.cache import automatic_batch_size

    size = 64 if kind == "epochs" else 224
    model = _network(size)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (probes, size // 8, size // 8, 3)).astype(np.float32).repeat(8, 1).repeat(8, 2)
    if kind == "plain":
        rows = automatic_batch_size(model, images.shape[1:])
        forward = compiled_forward(model)
        for start in range(0, probes * samples, rows):
            forward(images[np.arange(start, start + rows) % probes])()
        return {"peak": _peak()}
    early = 0.0
    with tempfile.TemporaryDirectory() as folder:
        given: dict[str, Any] = {"num_samples": samples, "segmentation": "grid", "shortcut_threshold": None}
        callback = LimeCallback(ProbeSet(images), folder, max_images=0, **given)
        for epoch in range(epochs):
            callback.explain(model, epoch)
            if epoch == epochs // 10:
                early = _peak()
        callback.close()
    return {"peak": _peak(), "growth": _peak() - early}


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], *map(int, sys.argv[2:5]))))
