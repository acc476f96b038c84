"""The receipt says what changed, beyond doubt or not, and what grew instead."""

import numpy as np
import pytest

from keras_lime.curing.receipt import Change, Outcome, compare, make_receipt
from keras_lime.shortcut.results import Status, TestResult

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


def test_numbers_of_one_test_that_contradict_each_other_are_no_loss() -> None:
    rng = np.random.default_rng(1)
    noise = 0.02 * rng.standard_normal((2, 40))
    surer = compare("certainty", 0.3 + noise[0], 0.5 + noise[1], more_is_better=False, test="swap")
    assert surer.outcome is Outcome.WORSE
    assert make_receipt([flips(0.8, 0.2), surer], (), ()).outcome is Outcome.BETTER
    assert make_receipt([surer], (), ()).outcome is Outcome.WORSE


def test_an_alarm_that_is_new_wins_over_what_got_better() -> None:
    def results(status: Status) -> tuple[TestResult, ...]:
        return (TestResult("marker", status, "The model reads a letter."),)

    receipt = make_receipt([flips(0.8, 0.2)], results(Status.PASSED), results(Status.ALARM))
    assert receipt.outcome is Outcome.ANOTHER_SHORTCUT
    assert "Another shortcut grew: The model reads a letter." in receipt.sentences
    # An alarm that was there before is no other shortcut, but it is said.
    receipt = make_receipt([flips(0.8, 0.6)], results(Status.ALARM), results(Status.ALARM))
    assert receipt.outcome is Outcome.BETTER
    assert "Still an alarm: The model reads a letter." in receipt.sentences


def test_what_was_not_tested_is_said_with_the_remedy() -> None:
    missing = (TestResult("swap", Status.NOT_TESTED, "The probes have no masks.", remedy="Draw boxes."),)
    assert "Not tested: The probes have no masks. Draw boxes." in make_receipt([], missing, missing).sentences
