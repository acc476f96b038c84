"""The Ray that an audit runs on: found or started, and checked before anything is written. May import Ray and Keras."""

import importlib.util
import os
import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import keras

import keras_lime
from keras_lime.exceptions import warn

__all__ = [
    "check_folder",
    "check_model_size",
    "check_ray",
    "check_resources",
    "connect",
    "environment",
    "not_shared",
    "other_version",
    "possible_workers",
    "share_machine",
]


def check_ray() -> None:
    """Refuses where Ray is not installed.

    Raises:
        ImportError: with the remedy.
    """
    if importlib.util.find_spec("ray") is None:
        raise ImportError('engine="ray" needs Ray: pip install \'keras-lime[ray]\'. engine="local" needs nothing more.')


def connect(workers: int | None, verbose: int) -> bool:
    """Takes the Ray that this process is connected to, or that `RAY_ADDRESS` names; else starts one of its own.

    Returns:
        Whether it was connected here, and is to be left afterwards.
    """
    import ray

    if ray.is_initialized():
        return False
    address = os.environ.get("RAY_ADDRESS")
    options: dict[str, Any] = {"log_to_driver": False}
    if not address:
        # A Ray that happens to run on the machine may be another's. Logical processors: a machine of two cores may have
        # three workers, which share them.
        count = max(os.cpu_count() or 1, (workers or 0) + 1)
        options |= {"address": "local", "num_cpus": count, "include_dashboard": False}
    ray.init(**options)
    if verbose:
        told = f"the Ray at {address}" if address else 'a Ray of its own here; RAY_ADDRESS="auto" joins a running one'
        print(f"audit: on {told}")
    return True


def possible_workers(gpus_per_worker: float) -> int:
    """How many workers there is room for."""
    import ray

    resources = ray.cluster_resources()
    if gpus_per_worker:
        return max(1, int(resources.get("GPU", 0) / gpus_per_worker))
    return max(1, int(resources.get("CPU", 1)) - 1)


def check_resources(workers: int | None, gpus_per_worker: float | None) -> float:
    """Refuses what Ray has no room for.

    Returns:
        The share of a GPU for each worker.

    Raises:
        ValueError: if there are fewer processors or GPUs.
    """
    import ray

    resources = ray.cluster_resources()
    gpus = gpus_per_worker if gpus_per_worker is not None else 1.0 if resources.get("GPU") else 0.0
    if resources.get("GPU") and not gpus:
        warn(f"Ray has {resources['GPU']:g} GPUs, and none of them is used: `gpus_per_worker` is 0.")
    needed = workers or 1
    for name, unit, count in (("workers", "CPU", needed), ("gpus_per_worker", "GPU", needed * gpus)):
        if count > resources.get(unit, 0):
            raise ValueError(
                f"`{name}` must fit what Ray has. Received: {needed} workers, which need {count:g} {unit}s of "
                f"{resources.get(unit, 0):g}."
            )
    return gpus


def check_model_size(packed: bytes) -> None:
    """Refuses a model that does not fit the object store of every machine.

    Raises:
        ValueError: naming the smallest.
    """
    for host, resources in _hosts().values():
        store = resources.get("object_store_memory", float("inf"))
        if len(packed) > 0.9 * store:
            raise ValueError(
                f"`model` must fit Ray's object store. Received: {len(packed) / 2**20:,.0f} MiB; host {host} has "
                f"{store / 2**20:,.0f} MiB. Start Ray there with a larger --object-store-memory."
            )


def check_folder(folder: Path) -> None:
    """Lets every machine see a token of this process in the audit's folder, and write one that this process must see.

    Leaves no trace: a folder that was not there is gone again.

    Args:
        folder: the audit's folder, absolute.

    Raises:
        ValueError: if a machine does not share the folder, or cannot write to it.
        RuntimeError: if a machine has another version of this package, or none.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    def look(token: str) -> tuple[str | None, str | None]:
        """Version of the package and what is wrong with the folder; sent by value, where the package may be missing."""
        from pathlib import Path as Local

        try:
            version = __import__("keras_lime").__version__
        except ImportError:
            version = None
        try:
            if not Local(token).is_file():
                return version, "does not see what this process writes there: the folder is not shared"
            Local(f"{token}-{ray.get_runtime_context().get_node_id()}").touch()
        except OSError as error:
            return version, f"cannot write there ({error.strerror})"
        return version, None

    with _token(folder) as token:
        asked, hosts = {}, _hosts()
        for node, (_, resources) in hosts.items():
            if resources.get("CPU"):
                there = NodeAffinitySchedulingStrategy(node, soft=False)
                task = ray.remote(num_cpus=0, scheduling_strategy=there, runtime_env=environment(0))(look)
                asked[node] = task.remote(str(token))
        for node, answer in asked.items():
            host = hosts[node][0]
            try:
                version, problem = ray.get(answer)
            except (ray.exceptions.TaskUnschedulableError, ray.exceptions.WorkerCrashedError):
                # The machine has just left, and its workers are looked at again where they begin anew.
                continue
            if version != keras_lime.__version__:
                raise RuntimeError(other_version(host, version, keras_lime.__version__))
            seen = token.with_name(f"{token.name}-{node}")
            if problem is None and not seen.exists():
                problem = "writes there what this process does not see: the folder is not shared"
            if problem is not None:
                raise ValueError(not_shared(folder, host, problem))


def not_shared(folder: Path, host: str, problem: str) -> str:
    """The sentence on a machine that does not see the audit's folder as this process does."""
    return (
        f"`out` must be a folder that every host shares and can write to. Received: {str(folder)!r}; host {host} "
        f'{problem}. Choose a folder on shared storage, take the host out of the cluster, or use engine="local".'
    )


def other_version(host: str, version: str | None, wanted: str) -> str:
    """The sentence on a machine that has another version of this package."""
    return (
        f"Host {host} has keras_lime {version or 'not at all'}, this process has {wanted}. Install the same version "
        "on all of them."
    )


def environment(gpus: float) -> dict[str, Any]:
    """Ray's `runtime_env` of a worker: the same backend, memory of a GPU only as needed."""
    variables = {
        "KERAS_BACKEND": keras.backend.backend(),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2"),
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    if 0 < gpus < 1:
        variables["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * gpus:.2f}"
    return {"env_vars": variables}


def share_machine(workers: int) -> None:
    """Takes this worker's part of its own machine: of the processors, and of a GPU's memory where it has less than one.

    Args:
        workers: how many there are in the whole cluster.
    """
    import ray

    here = _hosts().get(ray.get_runtime_context().get_node_id(), ("", {}))[1]
    # Those that it may use: a job scheduler often gives a part of a machine.
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = max(1, processors // max(1, min(workers, int(here.get("CPU", 1)))))
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(threads)
    share = ray.get_runtime_context().get_assigned_resources().get("GPU", 0)
    if keras.backend.backend() == "torch":
        import torch

        torch.set_num_threads(threads)
        if 0 < share < 1 and torch.cuda.is_available():
            torch.cuda.set_per_process_memory_fraction(share)


def _hosts() -> dict[str, tuple[str, dict[str, float]]]:
    """Name and resources of every machine of the cluster, by Ray's id of it."""
    import ray

    return {node["NodeID"]: (node["NodeManagerHostname"], node["Resources"]) for node in ray.nodes() if node["Alive"]}


@contextmanager
def _token(folder: Path) -> Iterator[Path]:
    """A file in the folder, which is made for it where it is missing, and what hosts add to it; gone afterwards."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / f".token-{uuid.uuid4().hex}"
    token.write_text(platform.node(), encoding="utf-8")
    try:
        yield token
    finally:
        for file in folder.glob(f"{token.name}*"):
            file.unlink(missing_ok=True)
        with suppress(OSError):
            for each in made:
                each.rmdir()
