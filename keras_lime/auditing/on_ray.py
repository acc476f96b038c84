"""`engine="ray"`: Ray Data with a pool of workers that hold the model. May import Ray, and Keras.

    this process reads shards ─▶ object store ─▶ Ray Data: pull ─▶ pool of workers, which write the shards' files
                       ▲───────────────────── manifests ◀──────────────────────────┘

Every shard is asked for by number, and is kept until its manifest is back: whatever Ray has to do again after a worker
or a machine was lost, it finds the same images. May import Ray, pyarrow and Keras.
"""

import asyncio
import importlib.util
import json
import logging
import math
import os
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from keras_lime.auditing.items import Shard
from keras_lime.auditing.models import PackedModel, pack, pack_file
from keras_lime.auditing.prepare import Request, prepare, scorer_for
from keras_lime.auditing.shards import Manifest
from keras_lime.auditing.work import Job, work

__all__ = ["RayEngine", "check_ray"]

_WINDOW = 1024
"""Shards per run of the pipeline where their number is not known; the workers load the model anew for each."""


def check_ray() -> None:
    """Refuses where Ray is not installed.

    Raises:
        ImportError: with the remedy.
    """
    if importlib.util.find_spec("ray") is None:
        raise ImportError('engine="ray" needs Ray: pip install \'keras-lime[ray]\'. engine="local" needs nothing more.')


class RayEngine:
    """A pool of workers on this machine, or on the cluster that Ray is connected to.

    Args:
        model: a model, or the path of one.
        request: what was asked for.
        first: the first images.
        workers: how many, or None: as many as there are GPUs for, or processors but one.
        gpus_per_worker: share of a GPU for each.

    Attributes:
        job: what is the same for all shards.
        identity: content of `audit.json`.

    Raises:
        ValueError: see `prepare`; or if Ray has not the processors or GPUs.
    """

    def __init__(self, model: Any, request: Request, first: Shard, workers: int | None, gpus_per_worker: float) -> None:
        packed = pack_file(Path(model)) if isinstance(model, str | os.PathLike) else pack(model)
        import ray

        self._ray = ray
        self._started = _connect(workers)
        try:
            self._gpus = gpus_per_worker
            self._workers = workers or _possible_workers(gpus_per_worker)
            _check_resources(self._workers, gpus_per_worker)
            self._env = {"env_vars": _environment(self._workers)}
            self._packed = ray.put(packed)
            remote = ray.remote(num_cpus=1, num_gpus=gpus_per_worker, runtime_env=self._env, max_retries=0)(_prepared)
            try:
                self.job, self.identity = ray.get(remote.remote([self._packed], request, first))
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
        except BaseException:
            self.close()
            raise

    def run(self, shards: Iterator[Shard], tick: Callable[[int], object], count: int | None) -> Iterator[Manifest]:
        """Works on shards; see `LocalEngine.run`.

        Args:
            shards: what is to be done, in order.
            tick: called with the number of images that are done since it was called last.
            count: number of shards, or None where it is not known.

        Yields:
            The shards' manifests, as they are done.
        """
        feeder = _Feeder(shards, 3 * self._workers + 2)
        try:
            start = 0
            while not feeder.ended(start):
                stop = start + (_WINDOW if count is None else max(1, count))
                for number, manifest in self._window(feeder.store, range(start, stop)):
                    feeder.done(number)
                    tick(manifest.images)
                    yield manifest
                start = stop
        finally:
            feeder.close()
        if feeder.error is not None:
            raise feeder.error

    def close(self) -> None:
        """Ends the Ray that was started here."""
        if self._started:
            self._ray.shutdown()

    def _window(self, store: Any, numbers: range) -> Iterator[tuple[int, Manifest]]:
        import ray.data

        context = ray.data.DataContext.get_current()
        bars, context.enable_progress_bars = context.enable_progress_bars, False
        logger = logging.getLogger("ray.data")
        level = logger.level
        logger.setLevel(logging.WARNING)
        try:
            dataset = (
                ray.data.from_items([{"number": number} for number in numbers], override_num_blocks=len(numbers))
                # Without a processor of its own: it waits, and where workers take all processors it must still run.
                .map_batches(
                    _pull,
                    batch_size=None,
                    batch_format="pyarrow",
                    fn_args=(store,),
                    num_cpus=0,
                    compute=ray.data.TaskPoolStrategy(size=self._workers + 1),
                )
                .map_batches(
                    _Worker,
                    batch_size=None,
                    batch_format="pyarrow",
                    fn_constructor_args=([self._packed], self.job),
                    num_cpus=1,
                    num_gpus=self._gpus or None,
                    compute=ray.data.ActorPoolStrategy(size=self._workers),
                    runtime_env=self._env,
                )
            )
            for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow"):
                for row in table.to_pylist():
                    yield row["number"], Manifest(**json.loads(row["manifest"]))
        finally:
            context.enable_progress_bars = bars
            logger.setLevel(level)


class _Feeder:
    """Puts shards in the object store, in a thread, no more than are wanted."""

    def __init__(self, shards: Iterator[Shard], room: int) -> None:
        import ray

        self.store = ray.remote(num_cpus=0)(_Store).remote()
        self.error: BaseException | None = None
        self._permits = threading.Semaphore(room)
        self._total: int | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._feed, args=(shards,), daemon=True, name="keras_lime-feed")
        self._thread.start()

    def ended(self, start: int) -> bool:
        """Whether there is no shard of this number."""
        return self._total is not None and start >= self._total

    def done(self, number: int) -> None:
        """The shard's manifest is here: it may be forgotten."""
        self.store.drop.remote(number)
        self._permits.release()

    def close(self) -> None:
        """Stops reading."""
        self._stopped = True
        self._permits.release()
        self._thread.join()

    def _feed(self, shards: Iterator[Shard]) -> None:
        import ray

        number = 0
        try:
            for shard in shards:
                self._permits.acquire()
                if self._stopped:
                    break
                reference = ray.put(pickle.dumps(shard, protocol=5))
                ray.get(self.store.put.remote(number, [reference]))
                number += 1
        except BaseException as error:
            self.error = error
        self._total = number
        ray.get(self.store.end.remote(number))


class _Store:
    """Which shards there are; an actor, so that tasks on any machine can ask for them."""

    def __init__(self) -> None:
        self._shards: dict[int, Any] = {}
        self._next, self._total = 0, math.inf
        self._changed = asyncio.Condition()

    async def put(self, number: int, reference: list[Any]) -> None:
        async with self._changed:
            self._shards[number], self._next = reference, number + 1
            self._changed.notify_all()

    async def end(self, total: int) -> None:
        async with self._changed:
            self._total = total
            self._changed.notify_all()

    async def drop(self, number: int) -> None:
        self._shards.pop(number, None)

    async def get(self, number: int) -> list[Any]:
        """A reference to the shard; none if it is done already, or the data set has ended before it."""
        async with self._changed:
            await self._changed.wait_for(lambda: number < self._next or number >= self._total)
        found: list[Any] = self._shards.get(number, [])
        return found


def _pull(table: Any, store: Any) -> Any:
    """Numbers → shards; those that are not to be had are left out."""
    import pyarrow as pa
    import ray

    rows = []
    for number in table.column("number").to_pylist():
        reference = ray.get(store.get.remote(number))
        rows += [(number, ray.get(each)) for each in reference]
    numbers, shards = [number for number, _ in rows], [shard for _, shard in rows]
    return pa.table({"number": pa.array(numbers, pa.int64()), "shard": pa.array(shards, pa.large_binary())})


class _Worker:
    """Holds a model; a worker of the pool."""

    def __init__(self, packed: list[Any], job: Job) -> None:
        import ray

        model: PackedModel = ray.get(packed[0])
        self._model, self._job = model.unpack(), job
        self._scorer = scorer_for(self._model, job)

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        manifests = [
            json.dumps(asdict(work(pickle.loads(shard), self._job, self._scorer)))
            for shard in table.column("shard").to_pylist()
        ]
        return pa.table({"number": table.column("number"), "manifest": pa.array(manifests, pa.string())})


def _prepared(packed: list[Any], request: Request, first: Shard) -> tuple[Job, dict[str, Any]]:
    import ray

    model: PackedModel = ray.get(packed[0])
    return prepare(model.unpack(), request, first)


def _connect(workers: int | None) -> bool:
    """Starts Ray where it does not run; says whether it was started here."""
    import ray

    if ray.is_initialized():
        return False
    options: dict[str, Any] = {"log_to_driver": False}
    if not os.environ.get("RAY_ADDRESS"):
        # Logical processors: a machine of two cores may have three workers, which share them.
        options |= {"num_cpus": max(os.cpu_count() or 1, (workers or 0) + 1), "include_dashboard": False}
    ray.init(**options)
    return True


def _possible_workers(gpus_per_worker: float) -> int:
    import ray

    resources = ray.cluster_resources()
    if gpus_per_worker:
        return max(1, int(resources.get("GPU", 0) / gpus_per_worker))
    return max(1, int(resources.get("CPU", 1)) - 1)


def _check_resources(workers: int, gpus_per_worker: float) -> None:
    import ray

    resources = ray.cluster_resources()
    for name, unit, needed in (("workers", "CPU", workers), ("gpus_per_worker", "GPU", workers * gpus_per_worker)):
        if needed > resources.get(unit, 0):
            raise ValueError(
                f"`{name}` must fit what Ray has. Received: {workers} workers, which need {needed:g} {unit}s of "
                f"{resources.get(unit, 0):g}."
            )


def _environment(workers: int) -> dict[str, str]:
    """Environment of the workers: the same backend, a share of the processors, memory of a GPU only as needed."""
    import ray

    nodes = max(1, len(ray.nodes()))
    threads = max(1, (os.cpu_count() or 1) * nodes // workers)
    return {
        "KERAS_BACKEND": keras.backend.backend(),
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
