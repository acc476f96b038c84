"""Which epochs are explained, and which leave pictures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_lime.training.schedule import PictureSchedule, check_epochs, is_chosen


def test_every_nth_in_a_persons_counting() -> None:
    assert [epoch for epoch in range(10) if is_chosen(3, epoch)] == [2, 5, 8]
    assert [epoch for epoch in range(10) if is_chosen(1, epoch)] == list(range(10))
    assert [epoch for epoch in range(10) if is_chosen({1, 4, 99}, epoch)] == [1, 4]
    assert [epoch for epoch in range(10) if is_chosen(lambda epoch: epoch > 7, epoch)] == [8, 9]


@pytest.mark.parametrize("epochs", [0, -1, True, "all", [], {-1}, {1.5}, None, 2.0])
def test_what_chooses_nothing_is_refused(epochs: Any) -> None:
    with pytest.raises(ValueError, match="`epochs` must be.*Received: epochs="):
        check_epochs(epochs)


def test_what_chooses_is_taken() -> None:
    for epochs in (1, 5, {0, 3}, [2], range(3), lambda epoch: True):
        check_epochs(epochs)


@given(st.lists(st.integers(0, 1000), unique=True, min_size=1, max_size=200).map(sorted))
def test_at_most_ten_steps_have_pictures_the_first_and_last_among_them(planned: list[int]) -> None:
    schedule = PictureSchedule(planned)
    taken = [step for step in planned if schedule.takes(step)]
    assert len(taken) == min(len(planned), 10)
    assert taken[0] == planned[0]
    assert taken[-1] == planned[-1]


@given(st.integers(1, 5000))
def test_an_unknown_length_leaves_room_for_the_last(count: int) -> None:
    schedule = PictureSchedule(None)
    taken = [step for step in range(count) if schedule.takes(step)]
    assert taken[0] == 0
    assert len(taken) <= 9
