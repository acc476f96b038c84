"""Trainings whose log is in a store: a bucket of a real server that a real TensorBoard reads, and fsspec's memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from keras_lime import LimeCallback, cli, write_report
from keras_lime.data.folder_path import folder_path
from keras_lime.exceptions import LimeWarning
from keras_lime.tensorboard.logging import event_file
from keras_lime.tensorboard.plugin.event_files import logged_runs
from keras_lime.tensorboard.records import SUMMARY_TAG
from tests.support.serving import PREFIX, get, get_json, tensorboard, wait_until
from tests.support.stores import BUCKET, bucket
from tests.support.worlds import object_reader
from tests.training.test_callback_shortcut import callback as local_callback


def callback(log_dir: Any) -> LimeCallback:
    return local_callback(log_dir)


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's memory, empty before and after."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


def steps(log_dir: str) -> dict[str, list[int]]:
    """Epochs by run, read from the store."""
    runs = logged_runs(folder_path("log_dir", log_dir))
    return {run.name: [step for step, _ in run.series(SUMMARY_TAG)] for run in runs}


@pytest.mark.parametrize("with_boto", [pytest.param(True, marks=pytest.mark.slow), False])
def test_tensorboard_follows_a_training_in_a_bucket(
    with_boto: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bucket(monkeypatch) as client:
        address = f"s3://{BUCKET}/logs"
        lime = callback(f"{address}/run1")
        for epoch in range(2):
            lime.explain(object_reader(), epoch)
        options: dict[str, Any] = {"with_tensorflow": True, "with_boto": with_boto, "output": tmp_path / "output"}
        with tensorboard(address, "--reload_interval=1", **options) as server:

            def newest() -> int:
                runs = get_json(server, f"{PREFIX[1:]}/manifest")["runs"]
                return max([entry["newest_step"] for entry in runs if entry["run"] == "run1/lime"], default=-1)

            wait_until(lambda: newest() == 1)
            lime.explain(object_reader(), 2)
            wait_until(lambda: newest() == 2)
            manifest = get_json(server, f"{PREFIX[1:]}/manifest")["runs"][0]["manifest"]
            probe = manifest["probes"][0]["id"]
            assert get(server, f"{PREFIX[1:]}/series", run="run1/lime", probe=probe)[0] == 200
        lime.close()
        keys = [entry["Key"] for entry in client.list_objects(Bucket=BUCKET)["Contents"]]
        assert [key.rpartition("/")[0] for key in keys] == ["logs/run1/lime"]
        assert cli.main(["report", address, "--out", str(tmp_path / "report.html")]) == 0
        written = write_report(address, f"s3://{BUCKET}/reports/report.html")
        assert str(written) == f"s3://{BUCKET}/reports/report.html"
        body = client.get_object(Bucket=BUCKET, Key="reports/report.html")["Body"].read()
        assert body == (tmp_path / "report.html").read_bytes()


def test_runs_in_a_store_go_on_and_never_erase_another(memory: Any) -> None:
    first = callback("memory://logs/a")
    for epoch in range(2):
        first.explain(object_reader(), epoch)
    first.close()
    resumed = callback("memory://logs/a")
    resumed.explain(object_reader(), 2)
    resumed.close()
    other = callback("memory://logs/a")
    other.explain(object_reader(), 0)
    other.close()
    assert steps("memory://logs") == {"a/lime": [0, 1, 2], "a/lime-2": [0]}
    assert str(other.directory) == "memory://logs/a/lime-2"


def test_a_long_training_sends_small_objects(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_file, "_PART", 40_000)
    lime = callback("memory://logs/a")
    for epoch in range(6):
        lime.explain(object_reader(), epoch)
    lime.close()
    sizes = [entry["size"] for entry in memory.ls("/logs/a/lime", detail=True)]
    # The first holds the manifest and the probes too.
    assert len(sizes) > 1
    assert max(sizes[1:]) < 100_000
    assert steps("memory://logs") == {"a/lime": list(range(6))}


def test_a_store_that_fails_loses_the_epoch_alone(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lime = callback("memory://logs/a")
    lime.explain(object_reader(), 0)

    class OutOfReachError(Exception):
        """As the stores' own packages raise: no OSError."""

    def refuse(*args: Any, **named: Any) -> Any:
        raise OutOfReachError("no route to the store")

    with monkeypatch.context() as patched:
        patched.setattr(type(memory), "_open", refuse)
        with pytest.raises(OSError, match="OutOfReachError: no route to the store"):
            lime.explain(object_reader(), 1)
    lime.explain(object_reader(), 2)
    lime.close()
    assert steps("memory://logs") == {"a/lime": [0, 2]}


def test_a_log_that_is_deleted_in_the_store_begins_anew(memory: Any) -> None:
    lime = callback("memory://logs/a")
    lime.explain(object_reader(), 0)
    memory.rm("/logs", recursive=True)
    with pytest.warns(LimeWarning, match=r"memory://logs/a/lime/\S+ is lost: it was deleted"):
        lime.explain(object_reader(), 1)
    lime.close()
    assert steps("memory://logs") == {"a/lime": [1]}


@pytest.mark.parametrize(
    ("log_dir", "match"),
    [
        ("nowhere://bucket/logs", "address that fsspec knows"),
        (Path("gs://bucket/logs"), 'Pass "gs://bucket/logs"'),
        ("hdfs://", "`log_dir`"),
    ],
)
def test_addresses_that_cannot_work_are_refused_before_training(log_dir: Any, match: str, memory: Any) -> None:
    with pytest.raises(ValueError, match=match):
        callback(log_dir)


def test_a_bucket_that_is_missing_is_said_at_the_start_and_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    with bucket(monkeypatch) as client:
        lime = callback("s3://singe/logs")
        with pytest.raises(OSError, match="`log_dir` cannot be written.*bucket"):
            lime.explain(object_reader(), 0)
        assert [each["Name"] for each in client.list_buckets()["Buckets"]] == [BUCKET]


def test_files_and_paths_of_this_machine_stay_what_they_are(tmp_path: Path) -> None:
    assert folder_path("log_dir", f"file://{tmp_path}") == tmp_path
    assert folder_path("log_dir", str(tmp_path)) == tmp_path
    assert folder_path("log_dir", tmp_path / "a b") == tmp_path / "a b"
