"""One entry of a data set, whatever it is, ends no audit and keeps none waiting: it is a row with its error."""

import os
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keras_lime import audit
from keras_lime.auditing.sources.regular_file import read_regular_file
from keras_lime.auditing.storage.schema import RENAMED
from tests.support.audits import NAMES, QUIET, png, slow_reader, write_folder
from tests.support.worlds import squares

SETTINGS: dict[str, Any] = {**QUIET, "output": "softmax"}


def _errors(found: Any) -> dict[str, str]:
    rows = found.rows(["path", "position", "error"]).to_pylist()
    return {row["path"] or str(row["position"]): row["error"] for row in rows if row["error"] is not None}


def _within(seconds: float, work: Any) -> Any:
    """What `work` returns; fails if it takes longer, as where something waits for ever."""
    result: Future[Any] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return result.result(seconds)


def test_entries_of_a_folder_that_are_no_files(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 12)
    place = folder / NAMES[1]
    (place / "dangling.png").symlink_to("nowhere.png")
    os.mkfifo(place / "pipe.png")
    (place / "zero.png").symlink_to("/dev/zero")
    (place / "loop.png").symlink_to("loop.png")
    (place / "elsewhere.png").symlink_to(next((folder / NAMES[2]).iterdir()))
    with (place / "huge.png").open("wb") as file:
        file.truncate(2**30)
    (place / "empty.png").touch()
    given = {**SETTINGS, "image_size": (32, 32), "class_names": NAMES}
    found = _within(120, lambda: audit(slow_reader, folder, tmp_path / "out", **given))
    errors = {Path(path).name: error for path, error in _errors(found).items()}
    assert errors["dangling.png"] == "FileNotFoundError: No such file or directory"
    assert errors["loop.png"].startswith("OSError: Too many levels of symbolic links")
    assert errors["pipe.png"] == errors["zero.png"] == "it is not a regular file"
    assert errors["huge.png"] == "the file has 1024 MiB, more than any image"
    assert "empty.png" in errors
    # A link to a file is a file: data sets are often made of them.
    assert set(errors) == {"dangling.png", "loop.png", "pipe.png", "zero.png", "huge.png", "empty.png"}
    assert found.summary["images"] == 19
    # Going on is no different.
    assert _within(60, lambda: audit(slow_reader, folder, tmp_path / "out", **given)).summary == found.summary


@pytest.mark.parametrize("kind", ["arrays", "table"])
def test_labels_that_are_no_classes(kind: str, tmp_path: Path) -> None:
    images, labels, _ = squares(12, biased=False)
    labels = labels.copy()
    labels[[1, 4, 6, 9]] = (-1, -5, 10**12, 4)
    data: Any = (images, labels)
    if kind == "table":
        data = pa.table({"image": [png(image) for image in images], "label": labels})
    found = audit(
        slow_reader, data, tmp_path, class_names=NAMES, **SETTINGS, image_size=(32, 32) if kind == "table" else None
    )
    rows = {row["position"]: row for row in found.rows(["position", "label", "label_name", "error"]).to_pylist()}
    assert (rows[1]["label"], rows[1]["label_name"], rows[1]["error"]) == (None, None, None)
    for position, label in ((4, -5), (6, 10**12), (9, 4)):
        assert rows[position]["error"] == f"the true class is {label}, the model has 4 outputs"
    assert [rows[position]["error"] for position in (0, 2, 3, 5, 7, 8, 10, 11)] == [None] * 8
    assert found.summary["failed"] == 3


def test_cells_of_a_table_stay_in_its_folder(tmp_path: Path) -> None:
    images, labels, _ = squares(8, biased=False)
    data = tmp_path / "data"
    data.mkdir()
    (data / "inside.png").write_bytes(png(images[0]))
    (tmp_path / "secret.png").write_bytes(png(images[1]))
    (data / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(data / "pipe.png")
    paths = ["inside.png", "../secret.png", str(tmp_path / "secret.png"), "link.png", "pipe.png", "no.png", "a\0b", ""]
    cell = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = pa.array([{"bytes": None, "path": path} for path in paths], cell)
    table = pa.table({"image": cells, "label": labels})
    pq.write_table(table, data / "rows.parquet")
    # Two images that can be read, which the default baseline needs.
    settings = {**SETTINGS, "image_size": (32, 32), "baseline": "grey"}
    found = _within(120, lambda: audit(slow_reader, data / "rows.parquet", tmp_path / "out", **settings))
    errors = _errors(found)
    assert set(errors) == set(paths[1:7]) | {"7"}
    for path in paths[1:4]:
        assert "leads out of" in errors[path]
    assert errors["pipe.png"] == "it is not a regular file"
    assert "zero byte" in errors["a\0b"]


@pytest.mark.parametrize("names", [5, {"a": 1}, [1, 2], "stop", None])
def test_names_in_a_schema_that_are_no_names(names: Any, tmp_path: Path) -> None:
    import json

    images, labels, _ = squares(8, biased=False)
    features = {"info": {"features": {"label": {"names": names, "_type": "ClassLabel"}}}}
    table = pa.table({"image": [png(image) for image in images], "label": labels})
    table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
    found = audit(slow_reader, table, tmp_path, image_size=(32, 32), **SETTINGS)
    assert [entry["name"] for entry in found.summary["classes"]] == [f"class {index}" for index in range(4)]


def test_a_regular_file_is_read_whole(tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(100_000)
    (tmp_path / "a").write_bytes(content)
    assert read_regular_file(tmp_path / "a", inside=tmp_path) == content
    with pytest.raises(ValueError, match="not a regular file"):
        read_regular_file(Path("/dev/null"))
    with pytest.raises((ValueError, OSError)):
        read_regular_file(tmp_path)


def test_labels_below_0_in_a_stream_of_batches_are_unknown(tmp_path: Path) -> None:
    images, labels, _ = squares(12, seed=2)
    labels = labels.astype(np.int64)
    labels[[1, 7]] = -1
    labels[9] = -5
    batches = [(images[start : start + 4], labels[start : start + 4]) for start in (0, 4, 8)]
    found = audit(slow_reader, iter(batches), tmp_path / "out", **SETTINGS)
    rows = {row["position"]: row for row in found.rows(["position", "label", "error"]).to_pylist()}
    assert [position for position, row in rows.items() if row["label"] is None] == [1, 7, 9]
    assert [position for position, row in rows.items() if row["error"] is not None] == [9]
    assert rows[9]["error"] == "the true class is -5, the model has 4 outputs"


def test_rows_of_version_1_have_the_names_of_today(tmp_path: Path) -> None:
    images, labels, _ = squares(8, seed=2)
    found = audit(slow_reader, (images, labels), tmp_path / "out", **SETTINGS)
    whole = found.rows()
    for file in (tmp_path / "out" / "rows").iterdir():
        table = pq.read_table(file)
        old = {new: name for name, new in RENAMED.items()}
        pq.write_table(table.rename_columns([old.get(name, name) for name in table.column_names]), file)
    assert found.rows().equals(whole)
    chosen = ["object_certainty", "position", "target_diagnostics"]
    assert found.rows(chosen).equals(whole.select(chosen))
    assert all(set(RENAMED.values()) <= set(part.column_names) for part in found.parts())


def test_an_audit_whose_folder_cannot_be_made_says_which(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    images, labels, _ = squares(4, seed=2)
    with pytest.raises(OSError, match="`out` cannot be written: .*file/out"):
        audit(slow_reader, (images, labels), tmp_path / "file" / "out", **SETTINGS)
