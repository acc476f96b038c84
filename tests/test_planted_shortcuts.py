"""The example with planted shortcuts runs, and its report is right about what it is given."""

import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples"))

import planted_shortcuts
from planted_shortcuts import Network

from keras_lime.core.warning import LimeWarning


def test_it_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LimeWarning)
        planted_shortcuts.main(["--quick", "--out", str(tmp_path)])
    assert "Planted shortcuts" in capsys.readouterr().out
    assert (tmp_path / "planted_shortcuts.md").read_text(encoding="utf-8").count("\n") > 20
    assert (tmp_path / "planted_shortcuts.png").stat().st_size > 5000


def test_the_report_compares_score_and_truth() -> None:
    networks = []
    for step, correlation in enumerate((0.2, 0.8, 1.0)):
        truth = [0.4 * step, 0.4 * step]
        flips = {"biased": [value + 0.1 for value in truth], "unbiased": truth[::-1]}
        alarms = {"biased": 2 if step else None, "unbiased": None, "without masks": None}
        networks.append(Network(correlation, False, 1, truth, [0.9, 0.9], flips, alarms))
    found = planted_shortcuts.report(networks)
    assert "swap flip and reliance, biased probes | 1.00 | 1.00 |" in found
    assert "difference of the two, biased probes | 0.10 | 0.10 |" in found
    assert "| biased probes | 0 of 1 | 1 of 1, epochs 2–2 | 1 of 1, epochs 2–2 |" in found
    assert "| biased probes, by swap flip alone | 0 of 1 | 1 of 1, epochs 2–2 | 1 of 1, epochs 2–2 |" in found
