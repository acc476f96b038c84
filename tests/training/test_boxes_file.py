"""Boxes that are laid into the folder of a running training."""

import json
from pathlib import Path
from typing import Any

import keras
import pytest

from keras_lime.exceptions import LimeWarning
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, probe_tag
from tests.support.events import read_events
from tests.support.worlds import object_reader
from tests.training.test_callback import callback as callback_of_a_fit
from tests.training.test_callback import fit
from tests.training.test_callback import probes as probes_of_a_fit
from tests.training.test_callback_shortcut import callback, probes


def boxes_of(ids: Any, box: tuple[int, int, int, int] = (2, 3, 12, 14)) -> str:
    return json.dumps({"version": 1, "boxes": {probe_id: [list(box)] for probe_id in ids}})


def test_boxes_are_taken_up_at_the_next_explained_epoch(tmp_path: Path) -> None:
    lime = callback(tmp_path, probes(masks=None, outlines=None), shortcut_threshold=1.0)
    lime.explain(object_reader(), 0)
    (tmp_path / "lime" / "boxes.json").write_text(boxes_of(lime.probes.ids))
    lime.explain(object_reader(), 1)
    # The boxes lie beside the squares that the model reads, so it is right that something off the objects is found.
    with pytest.warns(LimeWarning, match="small things off the object"):
        lime.explain(object_reader(), 2)
    lime.close()
    events = read_events(tmp_path / "lime")
    assert list(events.records(SUMMARY_TAG)) == [0, 1, 2]
    # Written once more, at the epoch that changes the objects, and not at the one behind it.
    assert list(events.records(MANIFEST_TAG)) == [0, 1]
    records = events.records(probe_tag(lime.probes.ids[0]))
    assert records[0].array("object_mask") is None
    mask = records[1].array("object_mask")
    assert mask is not None
    assert mask[2:12, 3:14].all()
    assert mask.sum() == 10 * 11
    assert events.records(MANIFEST_TAG)[1].header["shortcut"]["swap"] is True


def test_a_fit_says_so_and_its_logs_keep_their_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = probes_of_a_fit(masks=None, outlines=None)
    lime = callback_of_a_fit(tmp_path, probe_set=given, shortcut_threshold=1.0)

    def lay(epoch: int, logs: Any) -> None:
        if epoch == 1:
            (tmp_path / "lime" / "boxes.json").write_text(boxes_of(given.ids))

    history = fit([lime, keras.callbacks.LambdaCallback(on_epoch_begin=lay)], epochs=3, verbose=2).history
    assert "boxes.json from here on" in capsys.readouterr().out
    assert len(history["lime_object_share"]) >= 2
    assert len(history["lime_r2"]) == 3


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("{", "must be a JSON file"),
        ('{"version": 1, "boxes": {"0123456789abcdef": [[1, 1, 5, 5]]}}', "must name probes of this set"),
        ("[" * 5000, "must be a JSON file"),
        ("\0" * 20, "must be a JSON file"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_once_and_training_goes_on(
    content: str, match: str, tmp_path: Path
) -> None:
    lime = callback(tmp_path)
    lime.explain(object_reader(), 0)
    (tmp_path / "lime" / "boxes.json").write_text(content)
    with pytest.warns(LimeWarning, match=match):
        lime.explain(object_reader(), 1)
    lime.explain(object_reader(), 2)
    (tmp_path / "lime" / "boxes.json").write_text(boxes_of(lime.probes.ids))
    lime.explain(object_reader(), 3)
    lime.close()
    events = read_events(tmp_path / "lime")
    assert list(events.records(SUMMARY_TAG)) == [0, 1, 2, 3]
    assert list(events.records(MANIFEST_TAG)) == [0, 3]
