from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.tensorboard.reader import StepRecord
from keras_lime.tensorboard.records import Record
from keras_lime.tensorboard.stacking import stack_results, stack_summaries


def at(step: int, header: Any = None, **arrays: NDArray[Any]) -> StepRecord:
    return StepRecord(step, 10.0 * step, Record("any", 1, header or {}, arrays))


def weights(t: int, d: int, value: float = 1) -> dict[str, NDArray[Any]]:
    return {"coef": np.full((t, d), value, np.float32), "targets": np.arange(t, dtype=np.int32)}


def test_nothing_stacks_to_nothing() -> None:
    arrays, notices = stack_results([])
    assert notices == []
    shapes = {name: array.shape for name, array in arrays.items() if array is not None}
    assert (shapes["coef"], shapes["targets"], shapes["steps"]) == ((0, 0, 0), (0, 0), (0,))
    summary = stack_summaries([])
    assert summary["class_r2"] is not None
    assert summary["class_r2"].shape == (0, 0)


def test_half_precision_errors_become_float32() -> None:
    stderr = np.array([[0.1, np.nan]], np.float16)
    arrays, _ = stack_results([at(0, **weights(1, 2), stderr=stderr)])
    assert arrays["stderr"] is not None
    assert arrays["stderr"].dtype == np.float32
    np.testing.assert_array_equal(arrays["stderr"], stderr.astype(np.float32)[None])


def test_shorter_steps_are_padded() -> None:
    arrays, notices = stack_results([at(0, **weights(1, 3, 2)), at(7, {"predicted": 5}, **weights(2, 3))])
    np.testing.assert_array_equal(arrays["targets"], [[0, -1], [0, 1]])
    np.testing.assert_array_equal(arrays["coef"], [[[2] * 3, [np.nan] * 3], [[1] * 3] * 2])
    np.testing.assert_array_equal(arrays["predicted"], [-1, 5])
    np.testing.assert_array_equal(arrays["steps"], [0, 7])
    np.testing.assert_array_equal(arrays["wall_times"], [0, 70])
    assert notices == []


def test_records_without_weights_are_left_out() -> None:
    arrays, notices = stack_results([at(0), at(1, **weights(1, 3)), at(2, coef=np.zeros(3, np.float32))])
    np.testing.assert_array_equal(arrays["steps"], [1])
    assert notices == ["2 steps left out: no weights are there."]


def test_arrays_of_an_unexpected_shape_are_nan() -> None:
    arrays, _ = stack_results([at(0, **weights(2, 3), r2=np.ones(3, np.float32), stderr=np.ones(3, np.float16))])
    np.testing.assert_array_equal(arrays["r2"], [[np.nan, np.nan]])
    assert "stderr" not in arrays


def test_odd_headers_are_no_prediction() -> None:
    records = [
        at(step, {"predicted": value}, **weights(1, 2)) for step, value in enumerate(("3", 2.5, 2**40, -7, None))
    ]
    arrays, _ = stack_results(records)
    np.testing.assert_array_equal(arrays["predicted"], [-1] * 5)


def test_summaries_ignore_what_does_not_fit() -> None:
    ids = np.array([2, 0], np.int32)
    arrays = stack_summaries(
        [
            at(0, class_ids=ids, class_r2=np.array([0.2, 0.0], np.float32), r2=np.array([0.5], np.float32)),
            at(1, class_ids=ids, class_r2=np.ones(3, np.float32), r2=np.ones(2, np.float32)),
            at(2, class_r2=np.ones(2, np.float32)),
        ]
    )
    np.testing.assert_array_equal(arrays["class_ids"], [0, 2])
    np.testing.assert_array_equal(arrays["class_r2"], np.array([[0, 0.2], [np.nan] * 2, [np.nan] * 2], np.float32))
    np.testing.assert_array_equal(arrays["r2"], [0.5, np.nan, np.nan])
