"""Errors of shares: never zero, and right where that does not matter."""

import numpy as np
import pytest

from keras_lime.core.shares import mean_stderr, mean_stderr_of_sums
from keras_lime.shortcut.occlusion import Occlusion
from keras_lime.shortcut.results import Measurement


def test_five_of_five_leave_a_doubt() -> None:
    """Agresti and Coull with one further observation: half a hit, half a miss."""
    for value in (0.0, 1.0):
        assert mean_stderr([value] * 5) == pytest.approx(0.101, abs=1e-3)
        assert np.sqrt(5.5 / 6 * 0.5 / 6 / 6) == pytest.approx(mean_stderr([value] * 5), abs=0.02)
    assert mean_stderr([1.0] * 60) < 0.012


def test_many_that_differ_have_the_usual_error() -> None:
    values = np.random.default_rng(0).random(400)
    usual = values.std(ddof=1) / 20
    assert mean_stderr(values) == pytest.approx(usual, rel=0.01)
    assert mean_stderr_of_sums(values.sum(), (values**2).sum(), 400) == mean_stderr(values)


def test_fewer_than_two_say_nothing() -> None:
    assert np.isnan(mean_stderr([]))
    assert np.isnan(mean_stderr([0.3]))


def test_five_hidden_corners_do_not_pass_for_certain() -> None:
    occlusion = Occlusion(np.full((5, 8), 0.2), np.zeros(5))
    value, error = occlusion.mean()[0], occlusion.stderr()[0]
    assert Measurement("occlusion", value, error, 0.05, bool(value - 2 * error > 0.05)).fires is False
    assert np.isnan(Occlusion(np.zeros((1, 8)), np.zeros(1)).stderr()).all()
