"""What explaining costs beside the model's own forward passes, and how few of them it takes.

    python examples/benchmarks/explaining.py --model MODEL.keras        everything; MODEL takes square RGB images
    python examples/benchmarks/explaining.py --only accuracy            one part, see `--only`
    python examples/benchmarks/explaining.py --backend torch            on another Keras backend
    python examples/benchmarks/explaining.py --quick                    does it run at all

The parts: `speed` (time over that of as many plain forward passes of the compiled model, at the batch size where they
are fastest, all in turn in every round), `accuracy` (error of the weights against many samples), `time` (seconds to the
accuracy of `lime` at 512 samples), `memory`, `callback` (in a training), `linear` (cost over probes and samples, with a
plot), `start` (planning a probe set).

Other explainers take part where they are installed: `pip install lime shap`, for PyTorch `pip install captum`. xplique
pins older packages, so it goes without its dependencies, but with those that it imports: `pip install --no-deps xplique
tf_keras tensorflow_probability dm-tree` and `pip install Deprecated decorator einops opencv-python-headless`.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["main"]

PARTS = ("speed", "accuracy", "time", "memory", "callback", "linear", "start")
MODELS = ("small", "file", "mobilenet", "inception")
PHOTOGRAPHS = ("chelsea", "coffee", "astronaut", "rocket")


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Reads the command line, measures, prints and writes; gives what it writes."""
    options = _options(arguments)
    if options.backend is not None:
        os.environ["KERAS_BACKEND"] = options.backend
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import keras

    found: dict[str, Any] = {
        "keras": keras.version(),
        "backend": keras.backend.backend(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "quick": options.quick,
    }
    if options.backend not in (None, found["backend"]):
        raise SystemExit(f"Keras runs on {found['backend']} already. Start a new process for {options.backend}.")
    print(f"Keras {found['keras']} on {found['backend']}, {found['machine']}")
    began = time.perf_counter()
    _measure(options, found)
    found["seconds"] = round(time.perf_counter() - began, 1)
    print(f"\n{found['seconds']:.0f} s in all")
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")
    return found


def _measure(options: argparse.Namespace, found: dict[str, Any]) -> None:
    """Runs the parts and puts what they find in `found`."""
    from benchmarks.accuracy import accuracy, samples_needed
    from benchmarks.memory import memory
    from benchmarks.models import Subject, subjects
    from benchmarks.speed import overhead, time_to_accuracy
    from benchmarks.training import callback, linearity, plot_linearity, starting

    quick, only, rounds = options.quick, options.only, 1 if options.quick else options.rounds
    models = subjects(options.models, options.model, quick)
    # Random weights cost what trained ones do, but there is nothing to explain in them.
    trained = [each for each in models if each.name not in ("mobilenet", "inception")]

    def small() -> Subject:
        return next((each for each in models if each.name == "small CNN"), None) or subjects(["small"], None, quick)[0]

    if "speed" in only:
        sizes = (16, 64) if quick else (16, 32, 64, 128, 256)
        found["speed"] = {}
        for each in models:
            found["speed"][each.name] = overhead(
                each,
                rounds,
                with_peers=each in trained and not options.no_peers,
                sizes=sizes if each in trained else sizes[:3],
            )
    if "accuracy" in only:
        names = PHOTOGRAPHS[:1] if quick else PHOTOGRAPHS
        found["accuracy"] = {}
        for each in trained:
            fast = each.name == "small CNN"
            found["accuracy"][each.name] = accuracy(
                each,
                names,
                pool=600 if quick else 30_000 if fast else options.pool,
                sizes=(64,) if quick else (128, 256) if fast else (192, 256),
                seeds=2 if quick else 40 if fast else options.seeds,
                reference=128 if quick else 512,
            )
    if "time" in only:
        found["time"] = {}
        for each in trained:
            results = found.get("accuracy", {}).get(each.name)
            ours = samples_needed(results, 128 if quick else 512) if results else None
            found["time"][each.name] = time_to_accuracy(
                each, ours or (64 if quick else 256), rounds if each.name == "small CNN" else 1, 128 if quick else 512
            )
    if "memory" in only:
        found["memory"] = memory(*((4, 60, 10) if quick else (64, 2000, 200)))
    if "callback" in only:
        sizes_of = (
            {"probes": 3, "samples": 64, "images": 100} if quick else {"probes": 10, "samples": 256, "images": 2000}
        )
        found["callback"] = callback(small(), **sizes_of, rounds=rounds)
    if "linear" in only:
        ranges = ((1, 2, 3), (64, 96, 128)) if quick else ((2, 4, 8, 16, 32), (128, 256, 512, 1024, 2048))
        found["linear"] = linearity(small(), ranges[0], ranges[1], rounds=1 if quick else 2)
        if options.plot is not None:
            plot_linearity(found["linear"], options.plot)
    if "start" in only:
        found["start"] = starting(4 if quick else 30, 64 if quick else 224)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a trained .keras file that takes square colour images in 0..255")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS, help="which models (default all)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="which parts (default all)")
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), help="sets KERAS_BACKEND")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is timed (default 3)")
    parser.add_argument("--pool", type=int, default=3000, help="masks that stand for the limit for --model")
    parser.add_argument("--seeds", type=int, default=6, help="repetitions of the balanced design for --model")
    parser.add_argument("--no-peers", action="store_true", help="time keras_lime alone")
    parser.add_argument("--quick", action="store_true", help="sizes so small that the numbers mean nothing")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument("--plot", type=Path, help="draw the cost over probes and samples to this PNG")
    options = parser.parse_args(arguments)
    if options.quick and options.models is MODELS:
        options.models = MODELS[:2]
    return options


if __name__ == "__main__":
    main()
