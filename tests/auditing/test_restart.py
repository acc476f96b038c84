"""An audit may be killed at any moment: what is done stays done, and nothing is double or missing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_lime import Audit, audit
from tests.support.audits import FAST, classifier, slow_reader, write_folder
from tests.support.worlds import squares

ROOT = Path(__file__).resolve().parents[2]

SETTINGS: dict[str, Any] = {"verbose": 0, "report": False, "shard_size": 4, "output": "softmax", **FAST}

SCRIPT = """
import sys
from keras_lime import audit
from tests.support.audits import slow_reader
from tests.auditing.test_restart import SETTINGS
audit(slow_reader, sys.argv[1], sys.argv[2], image_size=(32, 32), masks=sys.argv[1] + "-masks", **SETTINGS)
"""


def _parts(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Files of the shards that are done: time of writing and content."""
    done = [file.stem for file in (folder / "shards").glob("part-*.json")]
    files = [folder / room / f"{part}.parquet" for room in ("rows", "pictures") for part in done]
    return {str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.read_bytes()) for file in files}


def _run_until(condition: Callable[[], bool], *arguments: str) -> None:
    """Starts the audit in a process of its own and kills it once the condition holds."""
    environment = {**os.environ, "SLOW": "0.05", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], env=environment, cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while not condition():
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_kill_and_start_again(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "data", 40), tmp_path / "out"
    shards = out / "shards"
    _run_until((out / "audit.json").exists, str(folder), str(out))
    _run_until(lambda: len(list(shards.glob("part-*.json"))) >= 3, str(folder), str(out))
    before = _parts(out)
    assert 6 <= len(before) < 20
    # What kills leave when they come between two files.
    (out / "rows" / ".part-000009.parquet.0badcafe.tmp").write_bytes(b"half")
    (out / "shards" / ".part-000009.json.0badcafe.tmp").write_bytes(b"{")
    found = audit(slow_reader, folder, out, image_size=(32, 32), masks=tmp_path / "data-masks", **SETTINGS)
    after = _parts(out)
    assert {name: after[name] for name in before} == before
    assert not list(out.rglob(".*"))
    whole = audit(
        slow_reader, folder, tmp_path / "whole", image_size=(32, 32), masks=tmp_path / "data-masks", **SETTINGS
    )
    assert found.rows().equals(whole.rows())
    assert sorted(found.rows(["position"]).column(0).unique().to_pylist()) == list(range(40))
    assert found.summary == whole.summary


@pytest.mark.slow
def test_two_at_once_write_the_same(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "data", 40), tmp_path / "out"
    environment = {**os.environ, "SLOW": "0.05", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, str(folder), str(out)]
    processes = [subprocess.Popen(command, env=environment, cwd=ROOT) for _ in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    assert not list(out.rglob(".*"))
    given = {**SETTINGS, "image_size": (32, 32), "masks": tmp_path / "data-masks"}
    assert (
        audit(slow_reader, folder, out, **given)
        .rows()
        .equals(audit(slow_reader, folder, tmp_path / "whole", **given).rows())
    )


def test_a_file_that_another_audit_cleared_away_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace
    cleared: list[Path] = []

    def cleared_once(part: Path, file: Path) -> None:
        if not cleared and "rows" in str(file):
            cleared.append(part)
            part.unlink()
        replace(part, file)

    monkeypatch.setattr(os, "replace", cleared_once)
    found = audit(slow_reader, squares(8, biased=False), tmp_path, **SETTINGS)
    assert cleared
    assert sorted(found.rows(["position"]).column(0).unique().to_pylist()) == list(range(8))


def test_only_what_is_missing_or_broken_is_done_again(tmp_path: Path) -> None:
    data, out = squares(20, biased=False), tmp_path / "out"
    whole = audit(slow_reader, data, out, **SETTINGS)
    rows, before = whole.rows(), _parts(out)
    (out / "shards" / "part-000001.json").unlink()
    (out / "rows" / "part-000002.parquet").write_bytes(b"PAR1")
    (out / "pictures" / "part-000003.parquet").unlink()
    (out / "summary.json").unlink()
    again = audit(slow_reader, data, out, **SETTINGS)
    after = _parts(out)
    kept = {name for name, found in before.items() if after[name] == found}
    assert kept == {f"{room}/part-{shard:06d}.parquet" for room in ("rows", "pictures") for shard in (0, 4)}
    assert {name: content for name, (_, content) in after.items()} == {name: c for name, (_, c) in before.items()}
    assert again.rows().equals(rows)
    assert again.summary == whole.summary


def test_a_finished_audit_asks_the_model_nothing_more_but_whether_it_is_the_same(tmp_path: Path) -> None:
    calls: list[int] = []

    def counted(images: Any) -> Any:
        calls.append(len(images))
        return slow_reader(images)

    data = squares(12, biased=False)
    first = audit(counted, data, tmp_path / "out", **SETTINGS)
    done = sum(calls)
    second = audit(counted, data, tmp_path / "out", **SETTINGS)
    # One image is explained to see that model and settings go together.
    assert sum(calls) - done == 32
    assert second.summary == first.summary


def test_a_stream_is_read_past_what_is_done(tmp_path: Path) -> None:
    images, labels, _ = squares(20, biased=False)
    out = tmp_path / "out"

    def batches(order: Any = slice(None)) -> Any:
        return ((images[order][i : i + 5], labels[order][i : i + 5]) for i in range(0, 20, 5))

    whole = audit(slow_reader, batches(), out, **SETTINGS)
    (out / "shards" / "part-000002.json").unlink()
    again = audit(slow_reader, batches(), out, **SETTINGS)
    assert again.rows().equals(whole.rows())
    (out / "shards" / "part-000002.json").unlink()
    with pytest.raises(ValueError, match="the same images in the same order.*other images in shard 0"):
        audit(slow_reader, batches(np.arange(20)[::-1]), out, **SETTINGS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": 1}, r"differs in model: sha256"),
        ({"num_samples": 40}, r"differs in settings: num_samples: there 32, now 40"),
        ({"baseline": np.ones(3)}, r"differs in settings: baseline: there 'others', now 'array\(3,\) [0-9a-f]{64}'"),
        ({"shard_size": 5}, r"differs in shard_size: there 4, now 5"),
        ({"data": 16}, r"differs in data: (images|sha256)"),
        ({"class_names": ["a", "b", "c", "d"]}, r"differs in class_names: there None, now \['a', "),
    ],
)
def test_another_audit_is_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    images, labels, _ = squares(12, biased=False)
    settings = {**SETTINGS, "output": "auto"}
    audit(classifier(0), (images, labels), tmp_path, **settings)
    before = {str(file): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    model, count = classifier(change.pop("model", 0)), change.pop("data", 12)
    images, labels, _ = squares(count, biased=False)
    with pytest.raises(ValueError, match=message) as raised:
        audit(model, (images, labels), tmp_path, **{**settings, **change})
    assert "Choose another `out`, or delete the folder" in str(raised.value)
    assert {str(file): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_a_model_is_the_same_from_a_file_and_in_another_session(tmp_path: Path) -> None:
    images, labels, _ = squares(12, biased=False)
    settings = {**SETTINGS, "output": "auto"}
    first = audit(classifier(), (images, labels), tmp_path / "out", **settings)
    # Built once more, its layers have other names.
    again = audit(classifier(), (images, labels), tmp_path / "out", **settings)
    classifier().save(tmp_path / "model.keras")
    from_file = audit(tmp_path / "model.keras", (images, labels), str(tmp_path / "out"), **settings)
    assert first.rows().equals(again.rows())
    assert from_file.rows().equals(again.rows())


def test_another_folder_of_the_same_images_continues(tmp_path: Path) -> None:
    folder, out = write_folder(tmp_path / "data", 12), tmp_path / "out"
    first = audit(slow_reader, folder, out, image_size=(32, 32), **SETTINGS)
    moved = shutil.copytree(folder, tmp_path / "moved")
    audit(slow_reader, moved, out, image_size=(32, 32), **SETTINGS)
    (moved / "stop" / "one more.png").write_bytes(next(moved.rglob("*.png")).read_bytes())
    with pytest.raises(ValueError, match=r"differs in data: images: there 12, now 13"):
        audit(slow_reader, moved, out, image_size=(32, 32), **SETTINGS)
    described = json.loads((out / "audit.json").read_text(encoding="utf-8"))
    assert described["dataset"] == str(folder)
    assert Audit.open(out).summary == first.summary
