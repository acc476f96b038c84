"""What an audit costs beside the model's own forward passes, and how it grows.

    python examples/benchmarks/auditing.py                      2,000 stop signs, 64×64, 256 samples, by this process
    python examples/benchmarks/auditing.py --memory 500 4000    the largest memory of an audit of so many images
    python examples/benchmarks/auditing.py --ray 2              the same on a local Ray with two workers, beside it
    python examples/benchmarks/auditing.py --simulate 1 4 16    a model that only sleeps, with so many workers of Ray

The plain passes are as many as an audit makes, of the compiled model, on a batch that lies ready, at the batch size
where it is fastest; they are timed before and after the audit, and the mean of both counts, so that a machine whose
speed drifts treats both alike. Every audit is a process of its own that has explained some images before the clock
starts. In brackets the ratio of the processor's time, which others on the machine disturb less, and the difference.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["main"]

SLEEP = 0.01
"""Seconds that the sleeping model takes for a batch."""

_PASSES = 20_480
"""Plain forward passes that are timed at most; more are counted in proportion."""


class SleepingModel:
    """Sleeps like an accelerator that is waited for, and says something about each picture.

    Args:
        folder: where each process that holds one leaves a file when it is asked for the first time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = 0

    def __call__(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._process != os.getpid():
            self._process = os.getpid()
            (self._folder / f"process-{self._process}").touch()
        time.sleep(SLEEP)
        bright = 1 / (1 + np.exp(-(images.mean(axis=(1, 2, 3)) - 120) / 20))
        scores: NDArray[np.float32] = np.stack([bright, *[(1 - bright) / 4] * 4], axis=1).astype(np.float32)
        return scores


def signs(count: int, masks: bool) -> tuple[Any, ...]:
    """Stop signs and others as arrays on the disk, drawn once: memory is to be that of the audit."""
    from traffic_signs import draw_signs

    folder = Path(tempfile.gettempdir()) / "keras_lime_audit_speed"
    folder.mkdir(exist_ok=True)
    files = [folder / f"{name}-{count}.npy" for name in ("images", "labels", "masks")]
    if not all(file.exists() for file in files):
        drawn = draw_signs(count, 0.2, split="test")
        for file, array in zip(files, (drawn.images, drawn.labels, drawn.masks), strict=True):
            np.save(file, np.asarray(array))
    arrays = tuple(np.load(file, mmap_mode="r") for file in files)
    return arrays if masks else arrays[:2]


def one_audit(options: argparse.Namespace) -> None:
    """Audits in this process and prints the seconds as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        found = _audited(options, Path(folder))
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


def _audited(options: argparse.Namespace, out: Path) -> dict[str, Any]:
    from benchmarks.models import plain_passes
    from keras_lime import audit

    data = signs(options.images, options.masks)
    given: dict[str, Any] = {"num_samples": options.samples, "verbose": 0, "report": False}
    if options.sleeping:
        model: Any = SleepingModel(out)
        # Small pictures: what each costs the processor must be little beside what the model sleeps.
        data = tuple(array[:, ::4, ::4] if array.ndim > 1 else array for array in data)
        given |= {
            "segmentation": "grid",
            "n_segments": 16,
            "output": "softmax",
            "shard_size": 4,
            "batch_size": options.batch,
        }
    else:
        from stop_signs import build_model

        model = build_model()
    if options.workers:
        given |= {"engine": options.engine, "workers": options.workers}
    if options.engine == "ray":
        _start_ray(options.workers)
    audit(model, tuple(array[: max(8, 8 * options.workers)] for array in data), out / "warm", **given)
    found: dict[str, Any] = {"images": options.images}
    passes = options.images * options.samples
    plain = None
    if not options.sleeping and options.plain:
        plain, found["batch"] = plain_passes(
            model, data[0][0].astype(np.float32), min(passes, _PASSES), (16, 32, 64, 128, 256)
        )
        before = clocked(plain)
    found["seconds"], found["cpu"] = clocked(lambda: audit(model, data, out / "audit", **given))
    found["rate"] = steady_rate(out, max(2, options.workers))
    if plain is not None:
        share = passes / min(passes, _PASSES)
        found["plain"], found["plain_cpu"] = (
            (one + other) / 2 * share for one, other in zip(before, clocked(plain), strict=True)
        )
    return found


def steady_rate(out: Path, workers: int) -> float:
    """Images per second while all workers worked.

    From the first shards, one a worker, or where the model says when each worker began, from the last that did; to the
    last shards, one a worker, after which some have nothing left to do.
    """
    files = sorted((out / "audit" / "shards").glob("part-*.json"), key=_written)
    first = max([_written(files[workers - 1]), *map(_written, out.glob("process-*"))])
    counted = [file for file in files if first < _written(file)][:-workers]
    if not counted:
        return float("nan")
    images = sum(int(json.loads(file.read_text())["images"]) for file in counted)
    return float(images / (_written(counted[-1]) - first))


def _written(file: Path) -> float:
    return file.stat().st_mtime


def clocked(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the wall and of this process's processor time."""
    began = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _start_ray(workers: int) -> None:
    import ray

    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    ray.init(
        address="local",
        num_cpus=workers + 1,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": path}},
    )


def measure(*arguments: object) -> dict[str, Any]:
    """Runs one audit in a process of its own."""
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    if "--sleeping" in arguments:
        # A function needs no backend; so many processes need not load one.
        environment["KERAS_BACKEND"] = "numpy"
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def overhead(images: int, samples: int, rounds: int) -> None:
    """Time over that of plain forward passes, without and with masks (background swaps are passes more)."""
    print(f"\n{images} images, 64×64, {samples} samples: seconds, and over as many plain forward passes")
    for name, flags in (("without masks", ()), ("with masks", ("--masks",))):
        for _ in range(rounds):
            found = measure("--images", images, "--samples", samples, "--plain", *flags)
            ratio, cpu = found["seconds"] / found["plain"], found["cpu"] / found["plain_cpu"]
            more = (found["cpu"] - found["plain_cpu"]) / images * 1000
            print(
                f"  {name:<15}{found['seconds']:8.1f} s  plain {found['plain']:8.1f} s (batches of {found['batch']})"
                f"  {ratio:5.2f}× ({cpu:.2f}, {more:.0f} ms an image more)  {found['memory']:6.0f} MB",
                flush=True,
            )


def memory(counts: list[int], samples: int) -> None:
    """Largest memory of whole processes."""
    print(f"\nLargest memory of an audit, 64×64, {samples} samples, masks")
    for count in counts:
        found = measure("--images", count, "--samples", samples, "--masks")
        print(f"  {count:>6} images {found['memory']:8.0f} MB   {found['seconds']:8.1f} s", flush=True)


def on_ray(images: int, samples: int, workers: int, rounds: int) -> None:
    """Throughput of Ray against that of this process, in turns."""
    print(f"\n{images} images, {samples} samples: images per second; steady: while all workers work")
    for _ in range(rounds):
        local = measure("--images", images, "--samples", samples)
        ray = measure("--images", images, "--samples", samples, "--engine", "ray", "--workers", workers)
        for name, rates in (
            ("whole", [each["images"] / each["seconds"] for each in (local, ray)]),
            ("steady", [each["rate"] for each in (local, ray)]),
        ):
            shown = f"local {rates[0]:7.2f}   Ray, {workers} workers {rates[1]:7.2f}"
            print(f"  {name:<8}{shown}   {rates[1] / rates[0]:5.2f}", flush=True)


def simulate(workers: list[int], samples: int, batch: int) -> None:
    """How throughput grows with workers that sleep."""
    images, batches = 40, math.ceil(samples / batch)
    print(f"\nA sleeping model, {SLEEP * 1000:.0f} ms a batch, {batches} batches an image, {images} images a worker")
    print("(images per second while all of them work; processor time of the one process that reads, per image)")
    first = None
    for count in workers:
        sizes = ("--images", images * count, "--samples", samples, "--batch", batch)
        found = measure(*sizes, "--engine", "ray", "--workers", count, "--sleeping")
        rate = found["rate"]
        first = rate / count if first is None else first
        shown = f"{rate:8.2f} images/s   {rate / count / first:5.2f} of linear"
        print(f"  {count:>3} workers {shown}   {found['cpu'] / found['images'] * 1000:5.1f} ms", flush=True)


def main() -> None:
    """Reads the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--samples", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--memory", type=int, nargs="+", metavar="IMAGES")
    parser.add_argument("--ray", type=int, metavar="WORKERS")
    parser.add_argument("--simulate", type=int, nargs="+", metavar="WORKERS")
    parser.add_argument("--batch", type=int, default=4, help="perturbations that the sleeping model takes at a time")
    for hidden in ("--one", "--masks", "--plain", "--sleeping"):
        parser.add_argument(hidden, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--engine", default="local", help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    if options.one:
        one_audit(options)
    elif options.memory:
        memory(options.memory, options.samples)
    elif options.ray:
        on_ray(options.images, options.samples, options.ray, options.rounds)
    elif options.simulate:
        simulate(options.simulate, 512, options.batch)
    else:
        overhead(options.images, options.samples, options.rounds)


if __name__ == "__main__":
    main()
