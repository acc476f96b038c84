"""Every campaign of the harness, small by default; `-m slow` injects ten times as many faults with another seed."""

import random
from pathlib import Path

import pytest

from tests.faults.harness import CAMPAIGNS


@pytest.mark.parametrize(("seed", "times"), [(0, 1), pytest.param(1, 10, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_nothing_is_lost(name: str, seed: int, times: int, tmp_path: Path) -> None:
    campaign, count = CAMPAIGNS[name]
    counts = campaign(tmp_path, random.Random(seed), count * times)
    print(f"{name}: {counts}")
    assert counts.tries == count * times
    assert counts.lost == []
    assert counts.survived == counts.tries
