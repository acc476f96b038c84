"""The maintainer's test: a shortcut test added in one file reaches callback, log, text and keys by itself."""

from pathlib import Path

import numpy as np
import pytest

from keras_lime.exceptions import LimeWarning
from keras_lime.shortcut.decision import Verdict
from keras_lime.shortcut.protocol import why_uninformative
from keras_lime.shortcut.registry import registered, shortcut_test, shortcut_tests
from keras_lime.shortcut.results import Predictions, Status, TestResult, overall_status
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG
from tests.support.events import read_events
from tests.support.shortcut_tests import Inverted
from tests.support.worlds import corner_reader, object_reader
from tests.training.test_callback_shortcut import callback


def test_it_reaches_callback_log_text_and_keys(tmp_path: Path) -> None:
    with registered(Inverted()):
        lime = callback(tmp_path)
        lime.explain(object_reader(), 0)
        lime.close()
    events = read_events(tmp_path / "lime")
    tests = {test["test"]: test for test in events.records(SUMMARY_TAG)[0].header["shortcut"]["tests"]}
    assert tests["inverted"]["status"] == "passed"
    assert tests["inverted"]["statistics"] == {"changed": 0.0}
    assert {"test": "inverted", "title": "pictures upside down"} in (
        events.records(MANIFEST_TAG)[0].header["shortcut"]["tests"]
    )
    assert events.scalars("shortcut/changed") == {0: 0.0}
    assert "Upside down, 0 % of the predictions change." in events.texts("shortcut")[0]
    assert lime._metrics["lime_changed"] == 0.0


def test_its_alarm_is_an_alarm(tmp_path: Path) -> None:
    alarms: list[Verdict] = []
    with registered(Inverted()):
        lime = callback(tmp_path, patience=1, on_alarm=alarms.append, shortcut_threshold=0.2)
        with pytest.warns(LimeWarning, match=r"That lasts for 1 measurement in a row\."):
            lime.explain(corner_reader(), 0)
        lime.close()
    assert {each.test for each in alarms[0].measurements} >= {"inverted"}


def test_the_registry_is_as_it_was_after_the_block() -> None:
    before = shortcut_tests()
    with registered(Inverted()):
        assert shortcut_test("inverted") == Inverted()
    assert shortcut_tests() == before


def _predictions(classes: list[int], n_classes: int = 4) -> Predictions:
    return Predictions(np.array(classes), np.full(len(classes), 0.9), n_classes)


@pytest.mark.parametrize(
    ("classes", "labels", "silent"),
    [
        ([1] * 8, [0, 1] * 4, True),
        ([1] * 8, None, True),
        ([1] * 8, [1] * 8, False),
        ([0, 1] * 4, [0, 1] * 4, False),
        ([0, 1] * 4, [1, 0] * 4, True),
        # 13 of 20 for two classes: p = 0.13 by guessing; 15 of 20: p = 0.02.
        ([0, 1] * 6 + [1, 0] * 3 + [0, 0], [0, 1] * 10, True),
        ([0, 1] * 7 + [1, 0] * 2 + [0, 1], [0, 1] * 10, False),
        # One of ten classes, right in a third of the cases, is no guess.
        ([0, 1, 2, 3, 9, 8, 7, 6, 5, 4, 9, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1], False),
    ],
)
def test_when_predictions_say_nothing(classes: list[int], labels: list[int] | None, silent: bool) -> None:
    found = why_uninformative(_predictions(classes), None if labels is None else np.array(labels))
    assert (found is not None) == silent


def _result(status: Status, stands_in: bool = False) -> TestResult:
    return TestResult("some", status, "", stands_in=stands_in)


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([], Status.NOT_TESTED),
        ([_result(Status.NOT_TESTED), _result(Status.PASSED)], Status.PASSED),
        ([_result(Status.CANNOT_SAY), _result(Status.PASSED)], Status.CANNOT_SAY),
        ([_result(Status.CANNOT_SAY), _result(Status.ALARM)], Status.ALARM),
        ([_result(Status.NOT_TESTED), _result(Status.PASSED, stands_in=True)], Status.NOT_TESTED),
        ([_result(Status.PASSED), _result(Status.ALARM, stands_in=True)], Status.ALARM),
    ],
)
def test_several_results_together(results: list[TestResult], status: Status) -> None:
    assert overall_status(results) is status
