"""Audits whose folder is in a store: a bucket of a real server, and fsspec's memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import keras
import numpy as np
import pytest
from PIL import Image

from keras_lime import Audit, audit, cli, write_report
from keras_lime.auditing.storage.completeness import IncompleteAuditError, check_complete
from keras_lime.data.folder_path import folder_path
from tests.support.stores import BUCKET, bucket
from tests.support.worlds import object_reader, squares

IMAGES, LABELS, MASKS = squares(24)
FAST: dict[str, Any] = {"segmentation": "grid", "n_segments": 9, "num_samples": 16, "verbose": 0, "shard_size": 8}


def run(out: Any, **given: Any) -> Audit:
    return audit(object_reader(), (IMAGES, LABELS, MASKS), out, **{**FAST, **given})


@pytest.fixture
def memory() -> Iterator[Any]:
    """fsspec's memory, empty before and after."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    yield store
    store.store.clear()


def test_a_bucket_holds_what_a_folder_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = run(tmp_path / "local")
    with bucket(monkeypatch) as client:
        address = f"s3://{BUCKET}/audits/signs"
        found = run(address)
        assert found.summary == local.summary
        assert found.rows(["position", "r2"]).equals(local.rows(["position", "r2"]))
        keys = {each["Key"] for each in client.list_objects_v2(Bucket=BUCKET)["Contents"]}
        names = {path.relative_to(local.folder).as_posix() for path in local.folder.rglob("*") if path.is_file()}
        assert keys == {f"audits/signs/{name}" for name in names}
        for name in names - {"report.html", "audit.json"}:
            body = client.get_object(Bucket=BUCKET, Key=f"audits/signs/{name}")["Body"].read()
            assert body == (local.folder / name).read_bytes(), name
        # Opened again, told again, and continued where a shard is missing.
        assert Audit.open(address).summary == local.summary
        write_report(address, tmp_path / "report.html")
        assert (tmp_path / "report.html").stat().st_size > 10_000
        client.delete_object(Bucket=BUCKET, Key="audits/signs/rows/part-000001.parquet")
        assert run(address).summary == local.summary


def test_a_shard_that_vanishes_is_noticed(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanish(*given: Any) -> None:
        memory.rm("/audit/pictures/part-000002.parquet")
        check_complete(*given)

    monkeypatch.setattr("keras_lime.auditing.run_audit.check_complete", vanish)
    with pytest.raises(IncompleteAuditError, match="pictures/part-000002.parquet missing or damaged"):
        run("memory://audit")
    monkeypatch.undo()
    assert run("memory://audit").summary["images"] == 24


def test_the_command_line_writes_to_an_address(memory: Any, tmp_path: Path) -> None:
    model = tmp_path / "model.keras"
    inputs = keras.Input((32, 32, 3))
    scores = keras.layers.Dense(4, activation="softmax")(keras.layers.GlobalAveragePooling2D()(inputs))
    keras.Model(inputs, scores).save(model)
    for number, image in enumerate(IMAGES[:4]):
        (tmp_path / "images" / str(number)).mkdir(parents=True)
        Image.fromarray(np.asarray(image, np.uint8)).save(tmp_path / "images" / str(number) / "a.png")
    out = "memory://signs"
    assert cli.main(["audit", str(model), str(tmp_path / "images"), "--out", out, "--num-samples", "64"]) == 0
    assert folder_path("out", out).joinpath("report.html").read_bytes().startswith(b"<!")
    assert cli.main(["report", out, "--out", str(tmp_path / "again.html")]) == 0


def test_what_cannot_be_written_is_said_in_a_sentence(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"`out` must be a string where it is an address.*Pass \"s3://bucket/audit\""):
        run(Path("s3://bucket/audit"))
    with pytest.raises(ValueError, match="`out` must be a folder, or an address that fsspec knows"):
        run("nowhere://bucket/audit")
    with pytest.raises(ValueError, match="`out` must be a folder that all machines share"):
        run("memory://audit", engine="ray")
    with bucket(monkeypatch), pytest.raises(OSError, match="`out` cannot be written.*right to write there"):
        run("s3://another-bucket/audit")
    memory.pipe("/full/notes.txt", b"mine")
    with pytest.raises(ValueError, match="`out` must be a new or empty folder.*notes.txt"):
        run("memory://full")
