"""The example that holds the explainer against the theory: every check in it must hold."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "studies"))

import what_does_lime_see


@pytest.mark.slow
def test_every_check_against_the_theory_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    what_does_lime_see.main(["--out", str(tmp_path)])
    shown = capsys.readouterr().out
    assert "All checks hold." in shown
    assert "FAIL" not in shown
    assert len(list(tmp_path.glob("*.png"))) >= 5
