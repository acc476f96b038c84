"""The alarm's decision."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from keras_lime.shortcut.decision import Alarm, Evidence, least_accuracy, training_accuracy
from keras_lime.shortcut.occlusion import Occlusion
from keras_lime.shortcut.swap import SwapScores, make_swap_plan
from tests.support.worlds import squares

GOOD = {"accuracy": 0.9}


def _swap(share: float, n: int = 24, only: int | None = None) -> SwapScores:
    """Swaps of which `share` flip, in all classes or in one."""
    images, labels, masks = squares(n)
    plan = make_swap_plan(images, labels, masks, grey=np.zeros(3))
    before = labels[plan.probes]
    flips = np.arange(plan.donors.shape[1]) < share * plan.donors.shape[1]
    after = np.where(flips, plan.labels[plan.donors], before[:, None])
    if only is not None:
        after = np.where(before[:, None] == only, after, before[:, None])
    half = np.full(len(before), 0.5)
    return SwapScores(plan, 0.25, before, half, after, np.full(after.shape, 0.9), half, half)


def _evidence(share: float, **given: Any) -> Evidence:
    names = ("stop", "yield", "limit", "entry")
    return Evidence(4, _swap(share, given.pop("n", 24), given.pop("only", None)), class_names=names, **given)


def test_two_measurements_in_a_row_make_an_alarm() -> None:
    alarm = Alarm()
    first, second, third = (alarm.judge(_evidence(0.5), GOOD) for _ in range(3))
    assert not first.alarm
    assert second.alarm
    assert second.began
    assert third.alarm
    assert not third.began
    assert "50% (± 0%) of the predictions change, for 2 measurements in a row" in second.words
    assert "class stop 50%" in second.words


def test_one_high_measurement_between_low_ones_is_none() -> None:
    alarm = Alarm()
    assert not any(alarm.judge(_evidence(share), GOOD).alarm for share in (0.5, 0.0, 0.5, 0.25, 0.5))


def test_an_alarm_ends_and_may_begin_again() -> None:
    alarm = Alarm(patience=1)
    verdicts = [alarm.judge(_evidence(share), GOOD) for share in (0.5, 0.0, 0.5)]
    assert [verdict.alarm for verdict in verdicts] == [True, False, True]
    assert [verdict.began for verdict in verdicts] == [True, False, True]


def test_it_counts_only_once_training_has_got_somewhere() -> None:
    alarm = Alarm()
    verdicts = [alarm.judge(_evidence(0.75), {"accuracy": share}) for share in (0.3, 0.4, 0.6, 0.7)]
    assert [verdict.counted for verdict in verdicts] == [False, False, True, True]
    assert [verdict.alarm for verdict in verdicts] == [False, False, False, True]
    assert "does not count yet: training accuracy is 0.30" in verdicts[0].words


def test_without_an_accuracy_every_measurement_counts_and_it_says_so() -> None:
    alarm = Alarm()
    assert "No training accuracy is logged" in alarm.judge(_evidence(0.1), {"loss": 0.3, "val_accuracy": 0.1}).words
    assert not alarm.judge(_evidence(0.5)).alarm
    assert alarm.judge(_evidence(0.5)).alarm


def test_few_probes_raise_no_alarm() -> None:
    alarm = Alarm(patience=1)
    verdict = alarm.judge(_evidence(1.0, n=4), GOOD)
    assert not verdict.alarm
    assert "4 probes are too few" in verdict.words


def test_one_class_by_itself() -> None:
    alarm = Alarm(patience=1)
    verdict = alarm.judge(_evidence(0.75, only=0), GOOD)
    assert verdict.alarm
    assert [(each.test, each.subject) for each in verdict.readings] == [("class swap", "class stop")]
    assert "Class stop: with the object on another background 75% (± 0%) of the predictions change" in verdict.words


def test_one_class_by_itself_counts_later_in_training() -> None:
    assert not Alarm(patience=1).judge(_evidence(0.75, only=0), {"accuracy": 0.7}).alarm


def test_a_model_that_wavers_is_no_shortcut() -> None:
    swap = _swap(0.5)
    guess = replace(swap, background=np.full(24, 0.25))
    assert not Alarm(patience=1).judge(Evidence(4, guess), GOOD).alarm


def test_hidden_corners() -> None:
    drops = np.random.default_rng(0).normal(0, 0.02, (24, 8))
    drops[:, 3] += 0.3
    occlusion = Occlusion(drops, np.full(24, 0.4))
    alarm = Alarm()
    verdicts = [alarm.judge(Evidence(4, occlusion=occlusion), GOOD) for _ in range(2)]
    assert [verdict.alarm for verdict in verdicts] == [False, True]
    assert "Hiding the bottom right corner takes 0.3" in verdicts[1].words
    calm = Alarm(patience=1).judge(Evidence(4, occlusion=replace(occlusion, drops=drops * 0.1)), GOOD)
    assert not calm.alarm
    assert "A hint only" in calm.words


def test_nothing_measured_is_no_alarm() -> None:
    verdict = Alarm(patience=1).judge(Evidence(0, unmeasured=("Nothing to see.",)), GOOD)
    assert not verdict.alarm
    assert "Nothing to see." in verdict.words


@pytest.mark.parametrize(
    ("logs", "found"),
    [
        (None, None),
        ({}, None),
        ({"loss": 1.0, "val_accuracy": 0.5}, None),
        ({"acc": 0.5}, 0.5),
        ({"sparse_categorical_accuracy": 0.5, "accuracy": 0.7}, 0.7),
        ({"head_accuracy": np.float32(0.25)}, 0.25),
        ({"accuracy": float("nan")}, None),
        ({"accuracy": None}, None),
    ],
)
def test_the_training_accuracy_among_the_logs(logs: dict[str, Any] | None, found: float | None) -> None:
    assert training_accuracy(logs) == found


@pytest.mark.parametrize(("classes", "least"), [(2, 0.65), (3, 0.5), (1000, 0.5)])
def test_least_accuracy(classes: int, least: float) -> None:
    assert least_accuracy(max(classes, 1)) == pytest.approx(least)
