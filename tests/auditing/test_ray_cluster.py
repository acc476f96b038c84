"""A real Ray cluster of two and three nodes: the same files as here, nodes that go and come, and disks not shared."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keras_lime import audit
from tests.support.audits import FAST, NAMES, png, slow_reader, write_folder
from tests.support.worlds import squares

pytestmark = pytest.mark.slow

ray = pytest.importorskip("ray")

ROOT = Path(__file__).resolve().parents[2]

SETTINGS: dict[str, Any] = {
    "verbose": 0,
    "report": False,
    "shard_size": 4,
    "output": "softmax",
    "image_size": (32, 32),
    **FAST,
}

_STORE = 80 * 2**20


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch_module: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two nodes of one processor each, and this process connected to them.

    All of them are started in one folder of their own: what lies under /proc/self/cwd is shared among them, and not
    with a process that works in another folder.
    """
    from ray.cluster_utils import Cluster

    # Ray lets its workers give way to everything else, which on a busy machine takes minutes.
    monkeypatch_module.setenv("RAY_worker_niceness", "0")
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("nodes"))
    options = {"num_cpus": 1, "object_store_memory": _STORE}
    made = Cluster(initialize_head=True, head_node_args={**options, "include_dashboard": False})
    made.add_node(**options)
    variables = {"PYTHONPATH": str(ROOT), "SLOW": "0.1"}
    ray.init(address=made.address, log_to_driver=False, runtime_env={"env_vars": variables})
    os.chdir(here)
    yield made
    ray.shutdown()
    made.shutdown()


def _files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("part-*"))}


def _as_folder(path: Path) -> dict[str, Any]:
    return {"dataset": write_folder(path / "data", 24), "masks": path / "data-masks"}


def _as_parquet(path: Path) -> dict[str, Any]:
    images, labels, _ = squares(24, biased=False)
    (path / "tables").mkdir()
    for part in range(2):
        rows = slice(12 * part, 12 * part + 12)
        cells = [{"bytes": png(image), "path": None} for image in images[rows]]
        pq.write_table(
            pa.table({"image": cells, "label": labels[rows]}), path / f"tables/{part}.parquet", row_group_size=5
        )
    return {"dataset": path / "tables"}


def _as_arrays(path: Path) -> dict[str, Any]:
    return {"dataset": squares(24, biased=False), "image_size": None}


def _grow(cluster: Any, nodes: int) -> None:
    while len(cluster.list_all_nodes()) < nodes:
        cluster.add_node(num_cpus=1, object_store_memory=_STORE)


@pytest.mark.parametrize("make", [_as_folder, _as_parquet, _as_arrays])
@pytest.mark.parametrize("nodes", [2, 3])
def test_nodes_write_what_one_process_writes(
    nodes: int, make: Callable[[Path], dict[str, Any]], cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _grow(cluster, nodes)
    given = {**SETTINGS, "class_names": NAMES, **make(tmp_path)}
    # A relative folder is one of this process, wherever the workers are.
    monkeypatch.chdir(tmp_path)
    on_ray = audit(slow_reader, out="ray", engine="ray", workers=nodes, **given)
    local = audit(slow_reader, out="local", **given)
    assert _files(on_ray.folder) == _files(local.folder)
    assert on_ray.summary == local.summary
    assert on_ray.summary["images"] == 24


def test_a_node_goes_and_another_joins_in_the_middle(cluster: Any, tmp_path: Path) -> None:
    _grow(cluster, 3)
    folder = write_folder(tmp_path / "data", 60)
    shards = tmp_path / "ray" / "shards"
    with ThreadPoolExecutor(1) as pool:
        # In a thread: Ray starts nodes from the main one alone.
        running = pool.submit(audit, slow_reader, folder, tmp_path / "ray", engine="ray", workers=3, **SETTINGS)
        while len(list(shards.glob("part-*.json"))) < 3:
            assert not running.done()
            time.sleep(0.05)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)
        cluster.add_node(num_cpus=1, object_store_memory=_STORE)
        assert not running.done()
        on_ray = running.result(240)
    local = audit(slow_reader, folder, tmp_path / "local", **SETTINGS)
    assert _files(on_ray.folder) == _files(local.folder)
    assert on_ray.summary == local.summary


@pytest.mark.usefixtures("cluster")
def test_a_disk_of_ones_own_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ValueError, match=r"`out` must be a folder that every host shares.*host .* the folder is not sha"
    ):
        audit(slow_reader, squares(8), "/proc/self/cwd/audit", engine="ray", workers=2, **_for_arrays())
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("cluster")
def test_a_disk_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    sealed = tmp_path / "sealed"
    sealed.mkdir()
    if os.geteuid() == 0:
        # Permissions do not bind root; in the kernel's own folder nobody can make a file.
        sealed = Path("/proc/sys/kernel")
    else:
        sealed.chmod(0o500)
    with pytest.raises(OSError, match=r"[Pp]ermission|No such file|Operation not permitted|Read-only"):
        audit(slow_reader, squares(8), sealed / "audit", engine="ray", workers=2, **_for_arrays())


def _for_arrays() -> dict[str, Any]:
    return {**SETTINGS, "image_size": None}
