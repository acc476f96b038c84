"""`engine="ray"`: Ray Data with a pool of workers that hold the model.

    this process reads shards ─▶ object store ─▶ Ray Data: pull ─▶ pool of workers, which write the shards' files
                       ▲───────────────────── manifests ◀──────────────────────────┘

May import Ray, pyarrow and Keras.
"""

import importlib.util
import json
import logging
import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras

from keras_lime.auditing.explain_shard import Job, work
from keras_lime.auditing.prepare import Request, prepare, scorer_for
from keras_lime.auditing.preprocessing import Shard
from keras_lime.auditing.runners.ray_feed import Feeder, Store, pull
from keras_lime.auditing.storage.shards import Manifest, read_manifest
from keras_lime.data.models import PackedModel, pack, pack_file

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
            # Not by pickle: functions and layers of a script or notebook are only there.
            self._store = ray.remote(num_cpus=0)(Store).remote(ray.cloudpickle.dumps(packed))
            # A model that is not in this process is not brought here either: it would take memory of a GPU.
            self.job, self.identity = (
                self._prepared_elsewhere(request, first) if packed.shown else prepare(model, request, first)
            )
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
        feeder = Feeder(self._store, shards, 3 * self._workers + 2)
        try:
            start = 0
            while feeder.has(start):
                stop = start + (_WINDOW if count is None else max(1, count))
                for number, manifest in self._window(range(start, stop)):
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

    def _prepared_elsewhere(self, request: Request, first: Shard) -> tuple[Job, dict[str, Any]]:
        options = {"num_cpus": 1, "num_gpus": self._gpus, "runtime_env": self._env, "max_retries": 0}
        try:
            found: tuple[Job, dict[str, Any]] = self._ray.get(
                self._ray.remote(**options)(_prepare).remote(self._store, request, first)
            )
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        return found

    def _window(self, numbers: range) -> Iterator[tuple[int, Manifest]]:
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
                    pull,
                    batch_size=None,
                    batch_format="pyarrow",
                    fn_args=(self._store,),
                    num_cpus=0,
                    compute=ray.data.TaskPoolStrategy(size=min(2, len(numbers))),
                )
                .map_batches(
                    _Worker,
                    batch_size=None,
                    batch_format="pyarrow",
                    fn_constructor_args=(self._store, self.job),
                    num_cpus=1,
                    num_gpus=self._gpus or None,
                    compute=ray.data.ActorPoolStrategy(size=min(self._workers, len(numbers))),
                    runtime_env=self._env,
                )
            )
            for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow"):
                for row in table.to_pylist():
                    yield row["number"], read_manifest(json.loads(row["manifest"]))
        finally:
            context.enable_progress_bars = bars
            logger.setLevel(level)


class _Worker:
    """Holds a model; a worker of the pool."""

    def __init__(self, store: Any, job: Job) -> None:
        self._model, self._job = _fetched(store).unpack(), job
        self._scorer = scorer_for(self._model, job)

    def __call__(self, table: Any) -> Any:
        import pyarrow as pa

        manifests = [
            json.dumps(asdict(work(pickle.loads(shard), self._job, self._scorer)))
            for shard in table.column("shard").to_pylist()
        ]
        return pa.table({"number": table.column("number"), "manifest": pa.array(manifests, pa.string())})


def _fetched(store: Any) -> PackedModel:
    import ray

    model: PackedModel = pickle.loads(ray.get(store.model.remote()))
    return model


def _prepare(store: Any, request: Request, first: Shard) -> tuple[Job, dict[str, Any]]:
    return prepare(_fetched(store).unpack(), request, first)


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
