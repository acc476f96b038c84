"""A real Ray cluster in which one node is not like the others: refused in a sentence, before anything is written."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import keras_lime
from keras_lime import audit
from keras_lime.exceptions import LimeWarning
from tests.support.audits import FAST, slow_reader, write_folder
from tests.support.serving import wait_until
from tests.support.worlds import squares

pytestmark = pytest.mark.slow

ray = pytest.importorskip("ray")

ROOT = Path(__file__).resolve().parents[2]

SETTINGS: dict[str, Any] = {"verbose": 0, "report": False, "shard_size": 4, "output": "softmax", **FAST}

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 2**20}

HERE = Path("/proc/self/cwd/audit")
"""A folder of each process's own working folder: shared among the nodes that are started in one place."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A head node of one processor; nodes find the package by PYTHONPATH, unless they are given another."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("SLOW", "0.1")
        patch.chdir(tmp_path_factory.mktemp("shared"))
        made = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
        ray.init(address=made.address, log_to_driver=False)
        yield made
        ray.shutdown()
        made.shutdown()


@contextmanager
def node(cluster: Any, folder: Path, **changes: Any) -> Iterator[None]:
    """One more node, which works in a folder."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        added = cluster.add_node(**{**NODE, **changes})
    finally:
        os.chdir(here)
    try:
        yield
    finally:
        cluster.remove_node(added, allow_graceful=False)
        # Ray goes on counting its processors and GPUs for a moment.
        wait_until(lambda: ray.cluster_resources().get("CPU") == 1 and "GPU" not in ray.cluster_resources())


def other_package(folder: Path) -> dict[str, Any]:
    """What a node needs to have this package in another version."""
    package = folder / "keras_lime"
    package.mkdir()
    for entry in (ROOT / "keras_lime").iterdir():
        (package / entry.name).symlink_to(entry)
    text = (package / "__init__.py").read_text()
    (package / "__init__.py").unlink()
    (package / "__init__.py").write_text(re.sub(r'__version__ = ".*"', '__version__ = "0.0.1"', text))
    return {"env_vars": {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}}


@contextmanager
def read_only(folder: Path, place: Path) -> Iterator[None]:
    """The same folder at another place, where nobody can write, whoever he is."""
    place.mkdir()
    command = ["mount", "--bind", "-o", "ro", str(folder), str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a read-only view of a folder needs the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_node_that_cannot_write_is_refused(cluster: Any, tmp_path: Path) -> None:
    shared = Path.cwd() / "audit"
    shared.mkdir()
    with read_only(shared, tmp_path / "audit"), node(cluster, tmp_path):
        with pytest.raises(
            ValueError, match=r"host \S+ cannot write there \(Read-only file system\)\. Choose a folder"
        ):
            audit(slow_reader, squares(8), HERE, engine="ray", **SETTINGS)
        assert not list(shared.iterdir())
    shared.rmdir()


@pytest.mark.parametrize("folders", [False, True])
def test_a_node_with_a_disk_of_its_own_is_refused(folders: bool, cluster: Any, tmp_path: Path) -> None:
    # A file where the folder should be; and the folders of an audit, made beforehand on the node's own disk.
    if folders:
        for name in ("rows", "pictures", "shards"):
            (tmp_path / "audit" / name).mkdir(parents=True)
    else:
        (tmp_path / "audit").touch()
    message = r"host \S+ does not see what this process writes there.*not shared"
    with node(cluster, tmp_path), pytest.raises(ValueError, match=message):
        audit(slow_reader, squares(8), HERE, engine="ray", **SETTINGS)
    assert not (Path.cwd() / "audit").exists()


def test_a_node_with_another_version_is_refused(cluster: Any, tmp_path: Path) -> None:
    message = rf"Host \S+ has keras_lime 0\.0\.1, .*{keras_lime.__version__}\. Install"
    with node(cluster, tmp_path, **other_package(tmp_path)), pytest.raises(RuntimeError, match=message):
        audit(slow_reader, squares(8), tmp_path / "out", engine="ray", **SETTINGS)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("cluster")
def test_a_model_that_the_object_store_does_not_hold_is_refused(tmp_path: Path) -> None:
    weights = np.zeros(76 << 20, np.uint8)

    def large(images: NDArray[np.float32]) -> NDArray[np.float32]:
        shares: NDArray[np.float32] = slow_reader(images) + weights[0]
        return shares

    with pytest.raises(ValueError, match=r"`model` must fit.*76 MiB; host \S+ has 80 MiB.*--object-store-memory"):
        audit(large, squares(8), tmp_path / "out", engine="ray", **SETTINGS)
    assert not (tmp_path / "out").exists()


def test_unused_gpus_are_said(cluster: Any, tmp_path: Path) -> None:
    with node(cluster, tmp_path, num_gpus=1), pytest.warns(LimeWarning, match="1 GPUs, and none of them is used"):
        found = audit(slow_reader, squares(8), tmp_path / "out", engine="ray", workers=1, gpus_per_worker=0, **SETTINGS)
    assert found.summary["images"] == 8


def _private_disk(folder: Path) -> dict[str, Any]:
    del folder
    return {}


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_private_disk, r"host \S+ cannot read and write there \(No such file or directory\)"),
        (other_package, r"Host \S+ has keras_lime 0\.0\.1"),
    ],
)
def test_a_node_that_joins_late_and_cannot_be_used_is_left_alone(
    make: Callable[[Path], dict[str, Any]], reason: str, cluster: Any, tmp_path: Path
) -> None:
    data = write_folder(tmp_path / "data", 40)
    given: dict[str, Any] = {"image_size": (32, 32), **SETTINGS}
    out = HERE.with_name(make.__name__)
    shards = Path.cwd() / make.__name__ / "shards"
    elsewhere, gate = tmp_path / "elsewhere", tmp_path / "gate"
    elsewhere.mkdir()

    def gated(images: NDArray[np.float32]) -> NDArray[np.float32]:
        while any(shards.glob("part-*.json")) and not gate.exists():
            time.sleep(0.05)
        return slow_reader(images)

    def run(caught: Any) -> Any:
        # In a thread: Ray starts nodes from the main one alone.
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(audit, gated, data, out, engine="ray", **given)
            while not any(shards.glob("part-*.json")):
                assert not running.done(), running.result()
                time.sleep(0.05)
            # One processor is left to the driver.
            with node(cluster, elsewhere, **{"num_cpus": 2, **make(elsewhere)}):
                deadline = time.monotonic() + 90
                while not len(caught) and time.monotonic() < deadline:
                    time.sleep(0.05)
                gate.touch()
                return running.result(90)

    with pytest.warns(LimeWarning, match=f"{reason}.*The audit goes on without it") as caught:
        found = run(caught)
    local = audit(gated, data, tmp_path / "local", **given)
    assert found.summary == local.summary
    assert found.summary["images"] == 40
