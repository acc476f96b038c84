"""The receipt says what changed, beyond doubt or not, and what grew instead."""

import numpy as np
import pytest

from keras_lime.curing.changes import Change, Outcome, compare
from keras_lime.curing.receipt import make_receipt
from keras_lime.shortcut.results import Findings, Measurement, Status, TestResult

RIGHT = np.array([1.0] * 50 + [0.0] * 50)


def accuracy(after: list[float]) -> Change:
    return compare("accuracy", RIGHT, np.array(after), more_is_better=True)


def flips(before: float, after: float) -> Change:
    rng = np.random.default_rng(0)
    one, two = (np.clip(mean + 0.2 * rng.standard_normal(40), 0, 1) for mean in (before, after))
    return compare("flips", one, two, more_is_better=False, test="swap")


def test_the_interval_is_that_of_paired_differences() -> None:
    rng = np.random.default_rng(1)
    before = rng.standard_normal(400)
    change = compare("x", before, before + 0.5 + 0.2 * rng.standard_normal(400), more_is_better=True)
    # Unpaired it would be ± 0.14; the standard error of the differences is 0.2 / 20.
    assert 0.46 < change.low < 0.5 < change.high < 0.54
    assert change.outcome is Outcome.BETTER
    same = compare("x", before, before, more_is_better=True)
    assert (same.low, same.high, same.outcome) == (0, 0, Outcome.NO_DIFFERENCE)


def test_what_is_not_known_is_left_out() -> None:
    change = compare("x", np.array([1.0, np.nan, 0.0]), np.array([0.0, 1.0, 0.0]), more_is_better=True)
    assert (change.n, change.before, change.after) == (2, 0.5, 0.0)
    nothing = compare("x", np.full(3, np.nan), np.ones(3), more_is_better=True)
    assert nothing.n == 0
    assert np.isnan([nothing.before, nothing.low]).all()
    assert nothing.outcome is Outcome.NO_DIFFERENCE
    assert str(nothing) == "x: not measured"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ([accuracy(list(RIGHT)), flips(0.8, 0.2)], Outcome.BETTER),
        ([accuracy([1.0] * 30 + [0.0] * 70), flips(0.8, 0.2)], Outcome.WORSE),
        ([accuracy(list(RIGHT)), flips(0.2, 0.8)], Outcome.WORSE),
        ([accuracy(list(RIGHT)), flips(0.3, 0.3)], Outcome.NO_DIFFERENCE),
        ([], Outcome.NO_DIFFERENCE),
    ],
)
def test_outcomes(changes: list[Change], outcome: Outcome) -> None:
    receipt = make_receipt(changes, (), ())
    assert receipt.outcome is outcome
    assert all(change.name in str(receipt) for change in changes)


def test_a_shortcut_that_is_absent_does_not_grow() -> None:
    """Certainty below that of a guess, before and after, is none."""
    rng = np.random.default_rng(0)
    noise = 0.01 * rng.standard_normal((2, 40))
    change = compare("certainty", -0.07 + noise[0], noise[1], more_is_better=False, test="swap")
    assert change.low > 0.05
    assert change.outcome is Outcome.NO_DIFFERENCE
    grown = compare("certainty", -0.07 + noise[0], 0.1 + noise[1], more_is_better=False, test="swap")
    assert grown.outcome is Outcome.WORSE


def test_what_explains_does_not_decide() -> None:
    """A last layer that is surer of everything is surer of bare backgrounds too."""
    rng = np.random.default_rng(1)
    before, after = 0.3 + 0.02 * rng.standard_normal(40), 0.5 + 0.02 * rng.standard_normal(40)
    surer = compare("certainty", before, after, more_is_better=False, test="swap", decides=False)
    assert surer.outcome is Outcome.WORSE
    receipt = make_receipt([flips(0.8, 0.2), surer], (), ())
    assert receipt.outcome is Outcome.BETTER
    assert "(worse)" in str(receipt)
    assert make_receipt([surer], (), ()).outcome is Outcome.NO_DIFFERENCE


def test_too_few_images_tell_nothing() -> None:
    """Five that all change alike do so by chance too often; none that changes is no change however few."""
    outcomes = [compare("x", np.ones(n), np.zeros(n), more_is_better=False, test="swap").outcome for n in (1, 5, 6)]
    assert outcomes == [Outcome.NO_DIFFERENCE, Outcome.NO_DIFFERENCE, Outcome.BETTER]
    five = compare("x", np.ones(5), np.zeros(5), more_is_better=False, test="swap")
    assert "x: 5 images are too few to tell. Give more." in str(make_receipt([five], (), ()))
    same = compare("x", np.ones(2), np.ones(2), more_is_better=False)
    assert (same.low, same.high) == (0, 0)


def test_intervals_of_few_images_hold_what_they_promise() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(600):
        change = compare("x", np.zeros(8), 0.3 + rng.standard_normal(8), more_is_better=True, seed=seed)
        covered += change.low <= 0.3 <= change.high
    # A plain percentile interval of eight holds the mean in 88 of 100 cases, this one in 94.
    assert 0.92 < covered / 600 < 0.97


def results(status: Status, value: float, error: float = 0.02) -> tuple[TestResult, ...]:
    measured = (Measurement("markers", value, error, 0.05, status is Status.ALARM),)
    return (TestResult("markers", status, "The model reads a letter.", findings=Findings(measured, {}, 40)),)


def test_an_alarm_that_is_new_wins_over_what_got_better() -> None:
    receipt = make_receipt([flips(0.8, 0.2)], results(Status.PASSED, 0.01), results(Status.ALARM, 0.3))
    assert receipt.outcome is Outcome.ANOTHER_SHORTCUT
    assert receipt.sentences[0] == "Another shortcut grew: The model reads a letter."
    assert receipt.sentences[1].startswith("All the same better: flips")
    # What could not be measured before was not read before.
    receipt = make_receipt([], results(Status.CANNOT_SAY, float("nan"), float("nan")), results(Status.ALARM, 0.3))
    assert receipt.outcome is Outcome.ANOTHER_SHORTCUT


def test_an_alarm_without_growth_is_said_and_does_not_decide() -> None:
    """It was there before, or its number was as good as at the threshold, or its own mistakes became fewer."""
    for before in (results(Status.ALARM, 0.3), results(Status.PASSED, 0.04)):
        receipt = make_receipt([flips(0.8, 0.6)], before, results(Status.ALARM, 0.06))
        assert receipt.outcome is Outcome.BETTER
        assert "Still an alarm: The model reads a letter." in receipt.sentences
    strength = compare("strength", np.linspace(0.2, 0.4, 40), np.zeros(40), more_is_better=False, test="markers")
    receipt = make_receipt([strength], results(Status.PASSED, 0.01), results(Status.ALARM, 0.3))
    assert receipt.outcome is Outcome.BETTER


def test_a_loss_on_validation_decides_whatever_else_happened() -> None:
    lost = accuracy([1.0] * 30 + [0.0] * 70)
    receipt = make_receipt([lost, flips(0.8, 0.2)], results(Status.PASSED, 0.01), results(Status.ALARM, 0.3))
    assert receipt.outcome is Outcome.WORSE
    assert receipt.sentences[0] == f"Worse: {lost}."
    assert receipt.sentences[1].startswith("All the same better: flips")
    assert "Still an alarm: The model reads a letter." not in receipt.sentences[:2]


def test_what_few_images_cannot_exclude_is_said() -> None:
    one = compare("accuracy", RIGHT[40:60], np.roll(RIGHT[40:60], 1), more_is_better=True)
    assert one.outcome is Outcome.NO_DIFFERENCE
    text = str(make_receipt([one, flips(0.8, 0.2)], (), ()))
    assert "accuracy: these 20 images do not exclude a loss of 0." in text
    rng = np.random.default_rng(0)
    unclear = compare("mistakes", rng.random(6), rng.random(6), more_is_better=False, test="swap")
    assert "mistakes: 6 probes would not show changes below 0." in str(make_receipt([unclear], (), ()))
    assert "exclude" not in str(make_receipt([accuracy(list(RIGHT)), flips(0.8, 0.2)], (), ()))


def test_what_was_not_tested_is_said_with_the_remedy() -> None:
    missing = (TestResult("swap", Status.NOT_TESTED, "The probes have no masks.", remedy="Draw boxes."),)
    assert "Not tested: The probes have no masks. Draw boxes." in make_receipt([], missing, missing).sentences
