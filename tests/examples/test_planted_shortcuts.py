"""The example with planted shortcuts runs, and its report is right about what it is given."""

import sys
import warnings
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "studies"))

import planted_shortcuts
from planted_shortcuts import Network

from keras_lime.exceptions import LimeWarning


@pytest.mark.slow
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
        network = Network(correlation, False, 1, truth, accuracy=[0.4, 0.9], flips=flips, drops=[0.5, 0.01])
        network.errors = {"biased": [0.04, 0.06], "unbiased": [0.04, 0.06]}
        network.backgrounds = {"biased": [0.9, 0.05], "unbiased": [0.9, 0.3]}
        network.alarms = alarms
        networks.append(network)
    found = planted_shortcuts.report(networks)
    assert "swap flip and reliance, biased probes | 1.00 | 1.00 |" in found
    assert "difference of the two, biased probes | 0.10 | 0.10 |" in found
    assert "| biased probes | 0 of 1 | 1 of 1, epochs 2–2 | 1 of 1, epochs 2–2 |" in found
    assert "| biased probes, by swap flip alone | 0 of 1 | 0 of 1 | 0 of 1 |" in found
    # The first epoch's training accuracy is too low to count.
    assert "| biased | 0.10 | 0.05 |" in found
    assert "| unbiased | 0.00 | 0.30 |" in found
    assert "at most 0.01 off networks without a tag" in found
    assert "0.050 on average" in found
