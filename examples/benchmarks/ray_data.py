"""The audit's own pool of Ray actors beside Ray Data, on the same shards and with the same function.

    python -m examples.benchmarks.ray_data                        1,024 images in shards of 4, two workers
    python -m examples.benchmarks.ray_data --images 256 --rounds 3

Three ways to the same rows: `audit(engine="ray")`; Ray Data over references to shards, which its actors read
themselves; and Ray Data that reads the files and sends them to its actors. The model only sleeps. Counted from a Ray
that runs to the last shard; the driver's share is processor time of the process that hands the shards out.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keras_lime import audit
from keras_lime.auditing.explain_shard import Job, explain_shard
from keras_lime.auditing.opened_model import OpenedModel
from keras_lime.auditing.prepare import Request, prepare
from keras_lime.auditing.shard import Item, Shard
from keras_lime.auditing.sources.folder import FolderSource
from keras_lime.auditing.sources.source import Cutting
from keras_lime.auditing.storage.shards import done_shards, make_folder
from keras_lime.core.settings import make_settings

__all__ = ["main"]

SHARD, SLEEP = 4, 0.01

SETTINGS: dict[str, Any] = {
    "segmentation": "grid",
    "n_segments": 16,
    "num_samples": 64,
    "batch_size": 16,
    "output": "softmax",
    "baseline": "mean",
}


def sleeping(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Ten classes; a batch takes as long as on an accelerator that is waited for."""
    time.sleep(SLEEP)
    bright = images[:, ::8, ::8].mean(axis=(1, 2, 3)) / 255
    return np.stack([bright, *[(1 - bright) / 9] * 9], axis=1).astype(np.float32)


def write_images(folder: Path, count: int) -> Path:
    """Noise as PNG files in one folder, named by number; those that are there stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        file = folder / f"{index:07d}.png"
        if not file.exists():
            Image.fromarray(np.random.default_rng(index).integers(0, 256, (32, 32, 3), np.uint8)).save(file)
    return folder


class Explain:
    """An actor of Ray Data.

    Args:
        job: what is the same for all shards.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._scorer = OpenedModel.open(sleeping).scorer(job.preprocessing.image_shape, job.settings)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Explains shards that it reads, or files that it is sent, and writes what comes of them."""
        if "item" in batch:
            shards = [reference.read() for reference in batch["item"]]
        else:
            files = [Path(path) for path in batch["path"]]
            items = zip(files, batch["bytes"], strict=True)
            # Ray Data's batches have no number that another run would give them too.
            shards = [Shard(int(files[0].stem), tuple(Item(int(file.stem), content) for file, content in items))]
        return {"shard": np.array([explain_shard(shard, self._job, self._scorer).shard for shard in shards])}


def plain_actors(data: Path, out: Path, workers: int) -> None:
    """The audit as it is."""
    given: dict[str, Any] = {**SETTINGS, "image_size": (32, 32), "shard_size": SHARD, "report": False, "verbose": 0}
    audit(sleeping, data, out, engine="ray", workers=workers, **given)


def ray_data(data: Path, out: Path, workers: int, files: bool) -> None:
    """The same without refusals, summary and a second try; references to shards, or the files' content."""
    import ray

    source = FolderSource(data, None, None, Cutting(SHARD))
    shards = list(source.shards())
    settings = make_settings(SETTINGS, targets=("predicted", "label"))
    request = Request(out, settings, source.describe(), True, source.class_names, (32, 32), (0.0, 255.0), SHARD)
    job, identity = prepare(OpenedModel.open(sleeping), request, shards[0].read())
    make_folder(out, identity)
    if files:
        dataset = ray.data.read_binary_files(str(data), include_paths=True)
    else:
        dataset = ray.data.from_items(shards, override_num_blocks=len(shards))
    size = SHARD if files else 1
    pool = ray.data.ActorPoolStrategy(size=workers)
    explained = dataset.map_batches(Explain, fn_constructor_args=[job], batch_size=size, compute=pool, num_cpus=1)
    for _ in explained.iter_batches(batch_size=None):
        pass


WAYS: dict[str, Callable[[Path, Path, int], None]] = {
    "plain actors": plain_actors,
    "Ray Data, references": lambda data, out, workers: ray_data(data, out, workers, files=False),
    "Ray Data, files": lambda data, out, workers: ray_data(data, out, workers, files=True),
}


def one(way: str, data: Path, workers: int) -> str:
    """Runs one way in this process; what is printed of it."""
    import ray

    path = os.pathsep.join(sys.path)
    ray.init(
        address="local",
        num_cpus=workers + 2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": path, "KERAS_BACKEND": "numpy"}},
    )
    with tempfile.TemporaryDirectory() as out:
        began, cpu = time.perf_counter(), time.process_time()
        WAYS[way](data, Path(out) / "audit", workers)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        done = done_shards(Path(out) / "audit")
    images = sum(manifest.images for manifest in done.values())
    return f"{seconds:7.1f} s  {cpu / len(done) * 1000:6.2f} ms of the driver a shard  {images} images"


def main() -> None:
    """Reads the command line, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "keras_lime_ray_data")
    parser.add_argument("--one", choices=list(WAYS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    data = write_images(options.data / str(options.images), options.images)
    if options.one:
        print(one(options.one, data, options.workers))
        return
    print(f"{options.images} images in shards of {SHARD}, {options.workers} workers")
    for _ in range(options.rounds):
        for way in WAYS:
            command = [sys.executable, "-m", __spec__.name, "--one", way, "--images", str(options.images)]
            command += ["--workers", str(options.workers), "--data", str(options.data)]
            environment = {**os.environ, "KERAS_BACKEND": "numpy", "RAY_worker_niceness": "0"}
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
            print(f"  {way:<22}{done.stdout.splitlines()[-1]}", flush=True)


if __name__ == "__main__":
    main()
