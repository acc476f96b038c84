"""The alarm's decision."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from keras_lime.core.display import Display
from keras_lime.shortcut.background_swap import BackgroundSwap
from keras_lime.shortcut.decision import Alarm, Verdict, least_accuracy, training_accuracy
from keras_lime.shortcut.hidden_regions import HiddenRegions
from keras_lime.shortcut.protocol import PreparedTest, ProbeData, run_test
from keras_lime.shortcut.results import Predictions, Status, TestResult, at_probes
from tests.support.worlds import squares

GOOD = {"accuracy": 0.9}
NAMES = ("stop", "yield", "limit", "Tinca tinca, a fish")


class _Replay:
    """A scorer whose answers are made up: what each picture in turn is taken for."""

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = scores

    def score_images(self, images: Any) -> np.ndarray:
        assert len(list(images)) == len(self.scores)
        return self.scores


def _probes(n: int = 32) -> ProbeData:
    images, labels, masks = squares(n)
    return ProbeData(images, Display.of(images), labels, masks, class_names=NAMES)


def _predictions(probes: ProbeData) -> Predictions:
    assert probes.labels is not None
    return Predictions(probes.labels, np.full(len(probes.labels), 0.5), 4, NAMES)


def _result(share: float, n: int = 32, background: float = 0.5, same: float = 0.0, follows: bool = True) -> TestResult:
    """A swap in which `share` of the predictions turn into the background's class, or into a class drawn at random.

    On other backgrounds of the same class, `same` of them turn into a class drawn at random.
    """
    probes, rng = _probes(n), np.random.default_rng(0)
    plan = BackgroundSwap().prepare(probes, thorough=False)
    rows = []
    for probe, donors, controls in zip(plan.probes, plan.donors, plan.same, strict=True):
        own = plan.labels[probe]
        alone = np.full(4, (1 - background) / 3)
        alone[own] = background
        rows += [alone, alone]
        others = np.delete(np.arange(4), own)
        for position, donor in enumerate(donors[donors >= 0]):
            turned = plan.labels[donor] if follows else rng.choice(others)
            rows.append(0.9 * np.eye(4)[turned if position < share * len(donors) else own] + 0.025)
        for position in range(int((controls >= 0).sum())):
            rows.append(0.9 * np.eye(4)[rng.choice(others) if position < same * len(controls) else own] + 0.025)
    return run_test(PreparedTest(BackgroundSwap(), plan), probes, _Replay(np.array(rows)), _predictions(probes), 0.1)


def _judge(alarm: Alarm, *results: TestResult, logs: dict[str, Any] | None = None) -> Verdict:
    return alarm.judge(results, 4, GOOD if logs is None else logs)


@pytest.mark.parametrize("corner_share", [0.4, 0.8])
def test_what_names_a_place_is_told_before_the_background(corner_share: float) -> None:
    probes = _probes()
    # Eight regions and the frame of each image: the bottom right corner is the fourth region.
    assert probes.labels is not None
    scores = np.repeat(0.5 * np.eye(4)[probes.labels] + 0.125, 9, axis=0)
    scores[3::9] -= corner_share * 0.5 * np.eye(4)[probes.labels]
    hidden = run_test(PreparedTest(HiddenRegions(), probes), probes, _Replay(scores), _predictions(probes), 0.1)
    alarm = Alarm()
    verdicts = [_judge(alarm, _result(0.5), hidden) for _ in range(2)]
    assert verdicts[1].message.startswith("Hiding the bottom right corner takes")
    assert "the model reads the background" in verdicts[1].message


def test_two_measurements_in_a_row_make_an_alarm() -> None:
    alarm = Alarm()
    first, second, third = (_judge(alarm, _result(0.5)) for _ in range(3))
    assert (first.alarm, first.status) == (False, Status.CANNOT_SAY)
    assert "takes more measurements in a row" in first.message
    assert second.alarm
    assert second.began
    assert third.alarm
    assert not third.began
    assert "of the predictions follow the class of the background, for 2 measurements in a row" in second.message
    assert "On backgrounds of other classes 50 % of them change, on others of the same class 0 %" in second.message
    assert "stop 50 %" in second.message


def test_one_measurement_is_one_measurement() -> None:
    assert "for 1 measurement in a row" in _judge(Alarm(patience=1), _result(0.5)).message


def test_one_high_measurement_between_low_ones_is_none() -> None:
    alarm = Alarm()
    assert not any(_judge(alarm, _result(share)).alarm for share in (0.5, 0.0, 0.5, 0.0, 0.5))


def test_an_alarm_ends_and_may_begin_again() -> None:
    alarm = Alarm(patience=1)
    verdicts = [_judge(alarm, _result(share)) for share in (0.5, 0.0, 0.5)]
    assert [verdict.status for verdict in verdicts] == [Status.ALARM, Status.PASSED, Status.ALARM]
    assert [verdict.began for verdict in verdicts] == [True, False, True]


def test_it_counts_only_once_training_has_got_somewhere() -> None:
    alarm = Alarm()
    verdicts = [_judge(alarm, _result(0.75), logs={"accuracy": share}) for share in (0.3, 0.4, 0.6, 0.7)]
    assert [verdict.counted for verdict in verdicts] == [False, False, True, True]
    assert [verdict.alarm for verdict in verdicts] == [False, False, False, True]
    assert "does not count yet: training accuracy is 0.30" in verdicts[0].message


def test_a_calm_epoch_that_does_not_count_is_no_all_clear() -> None:
    assert _judge(Alarm(), _result(0.0), logs={"accuracy": 0.3}).status is Status.CANNOT_SAY


def test_without_an_accuracy_every_measurement_counts_and_it_says_so() -> None:
    alarm = Alarm()
    verdict = _judge(alarm, _result(0.0), logs={"loss": 0.3, "val_accuracy": 0.1})
    assert "No training accuracy is logged" in verdict.message
    assert not _judge(alarm, _result(0.5), logs={}).alarm
    assert _judge(alarm, _result(0.5), logs={}).alarm


def test_few_probes_raise_no_alarm_and_give_no_all_clear() -> None:
    result = _result(1.0, n=29)
    assert result.statistics["reliance"] == pytest.approx(1)
    assert _judge(Alarm(patience=1), result).status is Status.CANNOT_SAY
    assert "29 probes are too few for a verdict" in result.reason
    assert "30" in result.remedy
    assert _result(0.0, n=29).status is Status.CANNOT_SAY
    assert _result(0.0, n=30).status is Status.PASSED
    assert _result(1.0, n=30).status is Status.ALARM


def test_a_model_that_changes_its_mind_on_any_background_is_unstable() -> None:
    result = _result(0.75, same=0.75, follows=False)
    assert result.statistics["swap_flip"] == 0.75
    assert result.statistics["same_flip"] == 0.75
    assert abs(result.statistics["reliance"]) < 0.2
    assert result.status is Status.CANNOT_SAY
    assert "unstable" in result.reason
    assert "augmentation" in result.remedy
    verdict = _judge(Alarm(patience=1), result)
    assert not verdict.alarm
    assert "augmentation" in verdict.message


def test_an_unstable_model_that_reads_the_background_is_an_alarm() -> None:
    result = _result(0.75, same=0.5)
    assert result.statistics["same_flip"] == 0.5
    assert result.status is Status.ALARM


def test_backgrounds_that_come_with_every_class_alike() -> None:
    # What no class of the background predicts can be read all the same: certain without the object, changed by it.
    result = _result(0.75, same=0.75, follows=False, background=0.9)
    verdict = _judge(Alarm(patience=1), result)
    assert verdict.alarm
    assert [each.region for each in verdict.measurements] == ["any background"]
    assert "With the object on other backgrounds 75 ± 2 % of the predictions change" in verdict.message
    assert _result(0.5, same=0.5, follows=False, background=0.9).status is Status.CANNOT_SAY


def test_values_for_each_probe() -> None:
    result = _result(0.5)
    assert result.findings is not None
    np.testing.assert_array_equal(
        result.findings.probe_values["predictions that change with the background"], np.full(32, 0.5)
    )
    assert result.findings.probe_values["certainty from the background alone"] == pytest.approx(np.full(32, 1 / 3))
    partly = at_probes(np.array([1.0, 2.0]), np.array([2, 0]), 4)
    np.testing.assert_array_equal(partly, [2, np.nan, 1, np.nan])


def _hidden(drops: np.ndarray) -> TestResult:
    probes = replace(_probes(len(drops)), masks=None)
    predictions = _predictions(probes)
    kept = np.concatenate([0.5 - drops, np.full((len(drops), 1), 0.4)], axis=1)
    scores = np.repeat(((1 - kept) / 3)[..., None], 4, axis=2)
    np.put_along_axis(scores, predictions.classes[:, None, None], kept[..., None], axis=2)
    replay = _Replay(scores.reshape(-1, 4))
    return run_test(PreparedTest(HiddenRegions(), probes), probes, replay, predictions, 0.25)


def test_hidden_corners() -> None:
    drops = np.random.default_rng(0).normal(0, 0.01, (24, 8))
    drops[:, 3] += 0.3
    alarm = Alarm()
    verdicts = [_judge(alarm, _hidden(drops)) for _ in range(2)]
    assert [verdict.alarm for verdict in verdicts] == [False, True]
    assert "Hiding the bottom right corner takes 0.3" in verdicts[1].message
    calm = _judge(Alarm(patience=1), _hidden(drops * 0.1))
    assert not calm.alarm
    assert "A hint only" in calm.message


def test_a_comma_in_a_class_name_cuts_nothing() -> None:
    drops = np.random.default_rng(0).normal(0, 0.001, (24, 8))
    drops[3::4, 4] += 0.3
    verdict = _judge(Alarm(patience=1), _hidden(drops))
    assert [each.subject for each in verdict.measurements if each.label == 3] == ["Tinca tinca, a fish, top border"]
    assert "Hiding the top border takes" in verdict.message
    assert "off the probability of the prediction for Tinca tinca, a fish (alarm above" in verdict.message


def test_what_stands_in_gives_no_all_clear() -> None:
    untested = TestResult("swap", Status.NOT_TESTED, "The probes have no object masks.", remedy="Give them.")
    calm = _hidden(np.zeros((24, 8)))
    assert calm.status is Status.PASSED
    verdict = _judge(Alarm(), untested, calm)
    assert verdict.status is Status.NOT_TESTED
    assert verdict.message.startswith("Not tested. The probes have no object masks. Give them. The most that hiding")


def test_nothing_measured_is_not_tested() -> None:
    verdict = _judge(Alarm(patience=1), TestResult("swap", Status.NOT_TESTED, "Nothing to see."), logs={})
    assert verdict.status is Status.NOT_TESTED
    assert verdict.message == "Not tested. Nothing to see."


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
