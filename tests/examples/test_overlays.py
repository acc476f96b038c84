"""The study of overlays: it passes on pale grey, and sees that overlays on coloured pictures mislead."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "studies"))

from overlays import main

from tests.support.synthetic_logs import Settings, write_run


@pytest.fixture(scope="module")
def log_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    write_run(folder / "run" / "lime", Settings(n_probes=6, epochs=12, n_segments=48, size=64))
    return folder


def test_the_overlays_can_be_read(log_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(log_dir)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 5 * 2
    assert all("unseen   0 of  18" in row for row in rows)


def test_colours_of_the_picture_would_be_taken_for_weight(log_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(log_dir), "--ground", "picture"]) == 1
    assert "FAILED" in capsys.readouterr().out
