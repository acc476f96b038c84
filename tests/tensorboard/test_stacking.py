from typing import Any

import numpy as np
from numpy.typing import NDArray

from keras_lime.tensorboard.plugin.reader import StepRecord
from keras_lime.tensorboard.plugin.stacking import Arrays, shortcut_findings, stack_results, stack_summaries
from keras_lime.tensorboard.records import Record


def at(step: int, header: Any = None, **arrays: NDArray[Any]) -> StepRecord:
    return StepRecord(step, 10.0 * step, Record("any", 1, header or {}, arrays))


def weights(t: int, d: int, value: float = 1) -> dict[str, NDArray[Any]]:
    return {"coef": np.full((t, d), value, np.float32), "targets": np.arange(t, dtype=np.int32)}


def have(arrays: Arrays, name: str) -> NDArray[Any]:
    array = arrays.get(name)
    assert array is not None
    return array


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


def test_what_older_logs_lack_is_left_out() -> None:
    arrays, _ = stack_results([at(0, **weights(1, 2))])
    assert not {"flags", "caveats", "agreement", "gradient_agreement", "group"} & set(arrays)
    summary = stack_summaries([at(0, class_ids=np.zeros(1, np.int32))])
    assert not {"swap_flip", "class_swap_flip", "occlusion_drop", "shortcut_alarm"} & set(summary)
    assert shortcut_findings([at(0)]) == {
        "alarms": [],
        "statuses": [None],
        "tests": [[]],
        "unmeasured": [],
        "cross_check": None,
    }
    assert shortcut_findings([]) == {"alarms": [], "statuses": [], "tests": [], "unmeasured": [], "cross_check": None}


def test_each_test_is_served_with_its_status_and_a_reason_where_it_could_not_speak() -> None:
    swap = {"test": "swap", "title": "objects", "status": "passed", "reason": "2 %", "remedy": "", "statistics": {}}
    corner = {"test": "corner", "title": "corners", "status": "cannot say", "reason": "Too few.", "remedy": "Add more."}
    found = shortcut_findings(
        [at(0, {"shortcut": {"tests": [swap, "nonsense"]}}), at(3, {"shortcut": {"tests": [corner]}})]
    )
    assert found["tests"] == [[{"test": "swap", "title": "objects", "status": "passed"}], [corner]]


def test_flags_and_caveats_are_zero_where_a_step_has_none() -> None:
    flags = np.array([[0, 2, 1]], np.uint8)
    first = at(
        0, {"group": 1}, **weights(1, 3), caveats=np.array([16], np.uint8), agreement=np.array([0.5], np.float32)
    )
    second = at(1, {"group": -1}, **weights(1, 3), flags=flags, gradient_agreement=np.array([-0.25], np.float32))
    arrays, _ = stack_results([first, second])
    np.testing.assert_array_equal(have(arrays, "flags"), [[[0, 0, 0]], [[0, 2, 1]]])
    np.testing.assert_array_equal(have(arrays, "caveats"), [[16], [0]])
    np.testing.assert_array_equal(have(arrays, "agreement"), [[0.5], [np.nan]])
    np.testing.assert_array_equal(have(arrays, "gradient_agreement"), [[np.nan], [-0.25]])
    np.testing.assert_array_equal(have(arrays, "group"), [1, -1])


def test_shortcut_tests_stack_over_steps_and_align_their_classes() -> None:
    drops = np.arange(8, dtype=np.float32) / 10
    arrays = stack_summaries(
        [
            at(
                0,
                class_ids=np.array([2, 0], np.int32),
                class_swap_flip=np.array([0.2, 0.5], np.float32),
                occlusion_drop=drops,
            ),
            at(
                1,
                class_ids=np.array([1], np.int32),
                swap_flip=np.array(0.75, np.float32),
                class_occlusion_drop=drops[None],
            ),
            at(2, shortcut_alarm=np.array(1, np.uint8), occlusion_drop=drops[:5]),
        ]
    )
    np.testing.assert_array_equal(
        have(arrays, "class_swap_flip"),
        np.array([[0.5, np.nan, 0.2], [np.nan] * 3, [np.nan] * 3], np.float32),
    )
    np.testing.assert_array_equal(have(arrays, "swap_flip"), np.array([np.nan, 0.75, np.nan], np.float32))
    np.testing.assert_array_equal(have(arrays, "occlusion_drop"), [drops, [np.nan] * 8, [np.nan] * 8])
    np.testing.assert_array_equal(have(arrays, "class_occlusion_drop")[1, 1], drops)
    np.testing.assert_array_equal(have(arrays, "shortcut_alarm"), [np.nan, np.nan, 1])
    assert "p_background" not in arrays


def test_the_words_of_alarms_by_step_and_what_is_not_measured() -> None:
    readings = [{"test": "swap", "subject": "", "value": 0.5, "threshold": 0.25, "stderr": 0.1}]
    on = {"alarm": True, "began": 1, "words": "it reads the background", "readings": readings}
    records = [
        at(0, {"shortcut": {"alarm": False, "began": None, "unmeasured": ["earlier"]}}),
        at(1, {"shortcut": on}),
        at(2, {"shortcut": "nonsense"}),
        at(3, {"shortcut": {"alarm": False, "unmeasured": ["one class only"]}, "cross_check": "no gradients"}),
    ]
    found = shortcut_findings(records)
    words = "it reads the background"
    assert found["alarms"] == [{"step": 1, "began": 1, "words": words, "readings": readings, "markers": None}]
    assert found["unmeasured"] == ["one class only"]
    assert found["cross_check"] == "no gradients"
