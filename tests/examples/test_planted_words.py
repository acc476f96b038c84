"""The example with visual words runs, keeps what it made, and tells scene from sign by the masks."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "studies"))

import planted_words

from keras_lime.exceptions import LimeWarning
from tests.support.planted_audits import SIDE, Planted, prover, write_audit


@pytest.mark.slow
def test_it_runs_and_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed = []
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LimeWarning)
            planted_words.main(["--quick", "--keep", str(tmp_path), "--seeds", "101"])
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]
    assert "networks of correlation 0.2, pictures of 0.2: the scene leads for" in printed[0]
    assert {path.name for path in tmp_path.iterdir()} == {"0.2_101", "1_101"}


@pytest.mark.parametrize(("on_scene", "scene"), [(0.9, True), (0.05, False)])
def test_the_masks_tell_scene_from_object(tmp_path: Path, on_scene: float, scene: bool) -> None:
    planted = Planted(images=40, classes=5, on_scene=on_scene)
    folder = write_audit(tmp_path, planted)
    mask = np.zeros((SIDE, SIDE), bool)
    mask[2:4, 2:4] = True
    masks = np.broadcast_to(np.kron(mask, np.ones((planted.pixels, planted.pixels), bool)), (40, 36, 36))
    found = planted_words.leaders(folder, masks, prover(folder, planted))
    assert len(found) == 5
    assert {each.scene for each in found} == {scene}
    assert {(each.suspected, each.accused) for each in found} == {(scene, scene)}
    assert all(each.off_sign == pytest.approx(float(scene)) for each in found)
