"""Counts, numbers and shares in sentences."""

import math

import pytest

from keras_lime.core.phrases import count_of, listing, number, percent, points


def test_counts_have_the_right_plural() -> None:
    assert count_of(1, "measurement") == "1 measurement"
    assert count_of(0, "measurement") == "0 measurements"
    assert count_of(2000, "class", "classes") == "2,000 classes"


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.714, None, "0.71"),
        (0.714, 0.06, "0.71 ± 0.06"),
        (-0.5, math.nan, "-0.50"),
        (math.nan, 1.0, "–"),
        (None, None, "–"),
    ],
)
def test_numbers(value: float | None, error: float | None, text: str) -> None:
    assert number(value, error) == text


@pytest.mark.parametrize(
    ("share", "error", "text"),
    [
        (0.714, None, "71 %"),
        (0.714, 0.06, "71 ± 6 %"),
        (0.714, 0.004, "71.4 ± 0.4 %"),
        (0.0, None, "0 %"),
        (0.001, None, "less than 1 %"),
        (0.9999, None, "more than 99 %"),
        (1.0, math.inf, "100 %"),
        (math.nan, None, "–"),
        (None, 0.1, "–"),
    ],
)
def test_shares(share: float | None, error: float | None, text: str) -> None:
    assert percent(share, error) == text


@pytest.mark.parametrize(
    ("difference", "text"), [(0.424, "+42 points"), (-0.03, "−3 points"), (-0.001, "+0 points"), (None, "–")]
)
def test_differences_of_shares(difference: float | None, text: str) -> None:
    assert points(difference) == text


def test_listings() -> None:
    assert listing([]) == ""
    assert listing([4]) == "4"
    assert listing(["a", "b"]) == "a and b"
    assert listing(range(9)) == "0, 1, 2, 3, 4 and 4 more"
