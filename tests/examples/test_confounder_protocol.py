"""The confounder protocol: its measures where they are known, and a network that reads nothing but a confounder."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "studies"))

import confounder_protocol as protocol

STRIPES = protocol.CONFOUNDERS["hyperintensities"][0]


def test_the_confounders_have_the_papers_proportions() -> None:
    assert {name: round(float(mask.mean()), 3) for name, (mask, _) in protocol.CONFOUNDERS.items()} == {
        "tag": 0.009,
        "hyperintensities": 0.031,
        "obstruction": pytest.approx(25 / 320, abs=0.003),
    }


def test_sensitivity_where_it_is_known() -> None:
    exact = STRIPES.astype(float)
    assert protocol.sensitivity(exact, STRIPES) == 1
    assert protocol.sensitivity(-exact, STRIPES) == 0
    # All pixels alike: the tenth is drawn from all of them.
    assert protocol.sensitivity(np.ones_like(exact), STRIPES) == pytest.approx(0.1, abs=1e-3)
    # The tenth, 409 pixels, is drawn from 1,024 alike, which hold 32 of the 128.
    quarter = np.zeros_like(exact)
    quarter[:32, :32] = 1
    assert protocol.sensitivity(quarter, STRIPES) == pytest.approx(0.25 * 409 / 1024)


def test_correlation_knows_no_scale_and_says_when_there_is_none() -> None:
    one = np.random.default_rng(0).normal(size=(8, 8))
    assert protocol.correlation(one, 3 * one + 2) == pytest.approx(1)
    assert protocol.correlation(one, -one) == pytest.approx(-1)
    assert np.isnan(protocol.correlation(one, np.zeros((8, 8))))


def test_a_network_that_reads_the_stripes_alone_is_found_out() -> None:
    model = keras.Sequential(
        [keras.Input((64, 64, 1)), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    )
    reading = np.zeros((64 * 64, 2), np.float32)
    reading[STRIPES.ravel(), 1] = 20 / STRIPES.sum()
    model.layers[-1].set_weights([reading, np.array([0, -17], np.float32)])
    positives = protocol.draw_chests(8, 5)[0][1::2]
    use, shown = protocol.measured(model, positives, "hyperintensities", 1)
    np.testing.assert_array_equal(use, [1, 0, 1])
    found = dict(zip(protocol.EXPLAINERS, shown[:, 0], strict=True))
    assert found["keras_lime, fine, grey"] > 0.9
    assert found["lime, as criticised"] < 0.3
