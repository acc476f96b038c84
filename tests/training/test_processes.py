"""Only one of several processes writes."""

import json
from pathlib import Path
from typing import Any

import keras
import pytest

from keras_lime.training.processes import is_first_process
from tests.training.test_callback import callback, fit

ALONE = keras.backend.backend() == "tensorflow"
CLUSTER = {"worker": ["a:1", "b:1"], "ps": ["c:1"]}


@pytest.mark.skipif(not ALONE, reason="TF_CONFIG is TensorFlow's")
@pytest.mark.parametrize(
    ("config", "first"),
    [
        ({"cluster": CLUSTER, "task": {"type": "worker", "index": 0}}, True),
        ({"cluster": CLUSTER, "task": {"type": "worker", "index": 1}}, False),
        ({"cluster": CLUSTER, "task": {"type": "ps", "index": 0}}, False),
        ({"cluster": CLUSTER | {"chief": ["d:1"]}, "task": {"type": "worker", "index": 0}}, False),
        ({"cluster": CLUSTER | {"chief": ["d:1"]}, "task": {"type": "chief", "index": 0}}, True),
    ],
)
def test_the_chief_writes_or_worker_zero(config: dict[str, Any], first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert is_first_process() is first


def test_a_process_by_itself_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert is_first_process() is True


@pytest.mark.skipif(not ALONE, reason="TF_CONFIG is TensorFlow's")
def test_the_others_measure_but_do_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": CLUSTER, "task": {"type": "worker", "index": 1}}))
    history = fit([callback(tmp_path)], epochs=1).history
    assert len(history["lime_object_share"]) == 1
    assert not list(tmp_path.iterdir())
