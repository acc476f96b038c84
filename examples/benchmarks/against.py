"""Is explaining slower than it was? Two checkouts in turn, each round in processes of their own.

    git worktree add ../before COMMIT
    python examples/benchmarks/against.py ../before             ratios of this checkout's seconds to the other's

`explain` of one image and of ten, and an explained epoch of ten probes, with the small CNN and 256 samples; each
process takes the median of several and divides by plain forward passes, timed between them, for a machine's speed
drifts. The ratio of each round is printed, and the median.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

__all__ = ["main"]

ROOT = Path(__file__).resolve().parents[2]


def timed(repeats: int) -> dict[str, float]:
    """Seconds of each way to explain, over those of as many plain forward passes, in this process."""
    import numpy as np
    from stop_signs import build_model
    from traffic_signs import draw_signs

    from benchmarks.models import plain_passes, seconds
    from keras_lime import LimeCallback, ProbeSet, explain

    model, images = build_model(), draw_signs(10, 0.2, split="test", seed=1).images.astype(np.float32)
    plain, _ = plain_passes(model, images[0], 2560, (128,))
    with tempfile.TemporaryDirectory() as folder:
        callback = LimeCallback(ProbeSet(images), folder, num_samples=256, max_images=0, shortcut_threshold=None)
        ways: dict[str, tuple[Callable[[int], object], int]] = {
            "explain, 1 image": (lambda turn: explain(model, images[turn % 10], num_samples=256), 1),
            "explain, 10 images": (lambda turn: explain(model, images, num_samples=256), 10),
            "callback, 10 probes": (lambda turn: callback.explain(model, turn), 10),
        }
        found: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(repeats + 1):
            for name, (run, count) in ways.items():
                times = [seconds(partial(run, turn)) for _ in range(10 // count)]
                # The first turn compiles and plans.
                if turn:
                    found[name].append(statistics.median(times) * 10 / count / seconds(plain))
        callback.close()
    return {name: statistics.median(values) for name, values in found.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="another checkout of this repository")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=5, help="repetitions in each process")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(timed(options.repeats)))
        return

    def measure(checkout: Path) -> dict[str, float]:
        # This file, whichever of the two is measured; what it imports comes from the checkout.
        path = os.pathsep.join(map(str, (checkout, checkout / "examples")))
        command = [sys.executable, __file__, ".", "--one", "--repeats", str(options.repeats)]
        environment = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found

    ratios: dict[str, list[float]] = {}
    for turn in range(options.rounds):
        order = (ROOT, options.other.resolve())
        measured = {checkout: measure(checkout) for checkout in (order if turn % 2 else order[::-1])}
        for name, value in measured[order[0]].items():
            ratios.setdefault(name, []).append(value / measured[order[1]][name])
    for name, values in ratios.items():
        rounds = " ".join(f"{value:.2f}" for value in values)
        print(f"{name:<22}{statistics.median(values):5.2f} of the other's time ({rounds})", flush=True)


if __name__ == "__main__":
    main()
