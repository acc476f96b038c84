import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from keras_lime.scoring.outputs import NonFiniteOutputError, Output

SOFTMAX = Output("softmax", False, 3)
LOGITS = Output("softmax", True, 3)
SIGMOID = Output("sigmoid", False, 1)
SIGMOID_LOGIT = Output("sigmoid", True, 1)
MULTILABEL = Output("multilabel", False, 3)
REGRESSION = Output("regression", False, 7)


def rows(*values: list[float]) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_softmax_probabilities_and_their_log_odds() -> None:
    converted = SOFTMAX.convert(rows([0.2, 0.3, 0.5], [0.25, 0.25, 0.5]), (2, 0))
    np.testing.assert_allclose(converted.values, [[0.5, 0.2], [0.5, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(converted.log_odds, [[0, math.log(0.25)], [0, math.log(1 / 3)]], atol=1e-6)
    assert not converted.saturated.any()


def test_softmax_log_odds_are_finite_where_one_minus_p_is_zero() -> None:
    raw = rows([1.0, 1e-30, 2e-30])
    assert np.float32(1) - raw[0, 0] == 0
    converted = SOFTMAX.convert(raw, (0, 1))
    np.testing.assert_allclose(converted.log_odds, [[-math.log(3e-30), math.log(1e-30)]], rtol=1e-6)
    assert not converted.saturated.any()


def test_softmax_that_leaves_nothing_to_the_others_is_finite_and_marked() -> None:
    converted = SOFTMAX.convert(rows([1, 0, 0], [0.5, 0.5, 0]), (0, 2))
    assert np.isfinite(converted.log_odds).all()
    assert converted.log_odds[0, 0] == pytest.approx(87.3, abs=0.1)
    np.testing.assert_array_equal(converted.saturated, [[True, True], [False, True]])


def test_half_precision_saturates_where_its_numbers_end() -> None:
    half = Output("softmax", False, 2, dtype="float16")
    assert half.convert(rows([1, 0]), (0,)).log_odds[0, 0] == pytest.approx(16.6, abs=0.1)
    single = Output("sigmoid", False, 1, dtype="float16")
    assert single.convert(rows([1]), (1,)).log_odds[0, 0] == pytest.approx(math.log(2**11 - 1))


@given(arrays(np.float32, (4, 3), elements=st.floats(-300, 300, width=32)))
def test_declared_logits_are_exact(raw: NDArray[np.float32]) -> None:
    converted = LOGITS.convert(raw, (1,))
    exact = [row[1] - np.logaddexp(row[0], row[2]) for row in raw.astype(np.float64)]
    np.testing.assert_allclose(converted.log_odds[:, 0], exact, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(converted.values[:, 0], 1 / (1 + np.exp(-np.array(exact))), rtol=1e-12)


def test_logits_of_any_size_stay_finite() -> None:
    converted = LOGITS.convert(rows([3000, -3000, 0], [-1e30, 1e30, 0]), (0, 1))
    assert np.isfinite(converted.log_odds).all()
    np.testing.assert_array_equal(converted.values, [[1, 0], [0, 1]])


def test_one_sigmoid_has_two_classes() -> None:
    assert SIGMOID.n_outputs == 2
    converted = SIGMOID.convert(rows([0.25]), (0, 1))
    np.testing.assert_allclose(converted.values, [[0.75, 0.25]])
    np.testing.assert_allclose(converted.log_odds, [[math.log(3), -math.log(3)]])
    assert SIGMOID.predict(rows([0.25])[0]) == (0, 0.75)
    assert SIGMOID.choose(rows([0.25])[0], ("top2",)) == (0, 1)


def test_saturated_sigmoid_is_limited_by_its_resolution_and_marked() -> None:
    converted = SIGMOID.convert(rows([1.0], [0.0], [np.nextafter(np.float32(1), np.float32(0))]), (0, 1))
    assert np.isfinite(converted.log_odds).all()
    assert converted.log_odds[0, 1] == pytest.approx(math.log(2**24 - 1))
    assert converted.log_odds[0, 0] == -converted.log_odds[0, 1]
    np.testing.assert_array_equal(converted.saturated[:, 0], [True, True, False])


def test_sigmoid_logits_are_the_log_odds() -> None:
    converted = SIGMOID_LOGIT.convert(rows([40.0], [-2.0]), (1, 0))
    np.testing.assert_array_equal(converted.log_odds, [[40, -40], [-2, 2]])
    np.testing.assert_allclose(converted.values, [[1, math.exp(-40)], [1 / (1 + math.exp(2)), 1 / (1 + math.exp(-2))]])
    predicted, value = SIGMOID_LOGIT.predict(np.array([-2.0]))
    assert predicted == 0
    assert value == pytest.approx(1 / (1 + math.exp(-2)))


def test_labels_do_not_exclude_each_other() -> None:
    converted = MULTILABEL.convert(rows([0.9, 0.8, 0.1]), (0, 1))
    np.testing.assert_allclose(converted.values, [[0.9, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(converted.log_odds, [[math.log(9), math.log(4)]], rtol=1e-6)
    assert MULTILABEL.predict(rows([0.1, 0.8, 0.3])[0])[0] == 1


def test_regression_is_handed_on() -> None:
    raw = rows([3, -2, 10, 0, 1, 8, 9])
    converted = REGRESSION.convert(raw, (1, 2))
    np.testing.assert_array_equal(converted.values, [[-2, 10]])
    np.testing.assert_array_equal(converted.log_odds, converted.values)
    assert REGRESSION.predict(raw[0]) == (None, 3.0)
    assert REGRESSION.scores(raw, (2, 1)).predicted_value == 10
    assert REGRESSION.choose(raw[0], ("predicted",)) == (0, 1, 2, 3, 4)
    assert Output("regression", False, 2).choose(raw[0, :2], ("predicted",)) == (0, 1)


def test_targets_keep_their_order_and_collapse() -> None:
    first = rows([0.2, 0.5, 0.3])[0]
    assert SOFTMAX.choose(first, (0, "predicted", "top2", 1)) == (0, 1, 2)
    assert SOFTMAX.choose(first, ("top9",)) == (1, 2, 0)
    assert SOFTMAX.choose(first, (np.int64(2),)) == (2,)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [3, -1, "top0", "best", True])
def test_unknown_targets_are_named(target: int | str) -> None:
    with pytest.raises(ValueError, match=r"`targets` must be indices from 0 to 2.*3 classes. Received"):
        SOFTMAX.choose(rows([0.2, 0.5, 0.3])[0], (target,))


@pytest.mark.parametrize("raw", [[1.5, -0.5, 0.0], [0.5, 0.6, 0.5]])
def test_outputs_that_are_no_probabilities_are_refused(raw: list[float]) -> None:
    with pytest.raises(ValueError, match=r'`output` is taken as softmax.*output="logits"'):
        SOFTMAX.convert(rows(raw), (0,))
    with pytest.raises(ValueError, match="`output` is taken as sigmoid"):
        SIGMOID.convert(rows([1.2]), (0,))


def test_outputs_that_are_not_finite_are_refused() -> None:
    with pytest.raises(NonFiniteOutputError, match="must be finite. Received: nan in output 1") as caught:
        SOFTMAX.convert(rows([0.2, 0.3, 0.5], [0.2, math.nan, 0.5]), (0,))
    assert caught.value.output == 1
    with pytest.raises(NonFiniteOutputError, match="inf in output 0 for image 4"):
        raise NonFiniteOutputError(0, math.inf, 4)


def test_scores_of_one_image() -> None:
    scores = SOFTMAX.scores(rows([0.2, 0.5, 0.3], [0.6, 0.3, 0.1]), ("predicted", 0))
    assert scores.targets == (1, 0)
    assert scores.predicted == 1
    assert scores.predicted_value == pytest.approx(0.5)
    np.testing.assert_allclose(scores.values, [[0.5, 0.2], [0.3, 0.6]], rtol=1e-6)
    assert scores.values.dtype == scores.log_odds.dtype == np.float64
