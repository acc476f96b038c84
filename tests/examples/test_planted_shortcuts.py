"""The study of planted shortcuts runs, draws what it says, and its table is right about what it is given."""

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "studies" / "planted_shortcuts"


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports one of the study's modules; their names are those of others."""
    monkeypatch.syspath_prepend(str(FOLDER))
    names = ("worlds", "networks", "trial", "table")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_it_runs_and_goes_on(tmp_path: Path, study: Any, capsys: pytest.CaptureFixture[str]) -> None:
    import runpy

    main = runpy.run_path(str(FOLDER / "__main__.py"), run_name="study")["main"]
    main(["--quick", "--out", str(tmp_path)])
    assert "3 networks" in capsys.readouterr().out
    main(["--quick", "--out", str(tmp_path)])
    assert "1 of 3" not in capsys.readouterr().out
    assert len((tmp_path / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def test_worlds_differ_in_nothing_but_their_trace(study: Any) -> None:
    worlds = study("worlds")
    for world in worlds.WORLDS:
        n = 6 * world.n_classes
        none, all_of_them = (
            worlds.draw(world, n, 5, traces=np.full(n, trace, np.int64)) for trace in (0, world.n_classes - 1)
        )
        np.testing.assert_array_equal(none.masks, all_of_them.masks)
        assert (none.images != all_of_them.images).any(axis=(1, 2, 3)).all()
        assert 0.03 < none.masks.mean() < 0.35
        if world.kind == "marker":
            changed = np.abs(none.images.astype(int) - all_of_them.images).max(axis=-1) > 60
            assert not (changed & none.masks).any()
        clean = worlds.draw(world, 300, 1, correlation=1 / world.n_classes)
        assert np.bincount(clean.labels).min() == 300 // world.n_classes


def test_rates_and_their_bounds(study: Any) -> None:
    table, trial = study("table"), study("trial")
    assert table.wilson(0, 60)[1] == pytest.approx(0.0602, abs=1e-3)
    assert table.wilson(5, 5) == pytest.approx((0.5655, 1.0), abs=1e-3)

    def outcome(number: int, clean: bool, alarm: bool, reliance: float, early: float = float("nan")) -> Any:
        alarms = {kind: ["swap"] if alarm else [] for kind in trial.MATERIALS}
        scores = dict.fromkeys(trial.MATERIALS, reliance + 0.1)
        found = trial.Outcome(
            str(number), "scene", "any", True, clean, 0.6, reliance, early=alarms, late=alarms, scores=scores
        )
        found.early_reliance = early
        return found

    planted = [outcome(9, False, True, 0.6), outcome(9, False, True, 0.6, 0.4)]
    found = table.table([outcome(k, True, k == 0, 0.01 * k) for k in range(4)] + planted)
    assert "| clean, false alarms, at the last epoch | 1 of 4 (5–70 %) |" in found
    assert "| background, reliance of .5 and more, at the last epoch | 2 of 2 (34–100 %) |" in found
    assert "| … of .3 to .5, at the second epoch that counts | 1 of 1 (21–100 %) |" in found
    assert "| background, reliance of .5 and more, at the second epoch that counts |" not in found
    assert "masks, 60: Spearman 1.00, mean error 0.10, 6 networks." in found
    assert "Worlds for tuning" not in found
