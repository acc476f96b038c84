"""What is drawn is what the weights say, and `get_image_and_mask` is the `lime` package's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lime.lime_image import ImageExplanation

from keras_lime.core.overlay import PALETTES, image_and_mask, overlay, select_segments
from keras_lime.core.segmentation import Segmentation
from tests.support.models import photo

LABELS = np.arange(64 * 64).reshape(64, 64) // 64 // 16 * 4 + np.arange(64) // 16
SIXTEEN = Segmentation.from_labels(LABELS)
WEIGHTS = arrays(np.float64, 16, elements=st.floats(-1, 1), unique=True)


@given(
    WEIGHTS,
    st.sampled_from([(True, False), (False, True), (False, False)]),
    st.booleans(),
    st.integers(1, 20),
    st.sampled_from([0.0, 0.01, 0.5]),
)
def test_image_and_mask_is_limes(
    weights: np.ndarray, signs: tuple[bool, bool], hide_rest: bool, num_features: int, min_weight: float
) -> None:
    image = photo(64)
    lime = ImageExplanation(image, LABELS)
    lime.local_exp[0] = sorted(enumerate(weights), key=lambda pair: abs(pair[1]), reverse=True)
    arguments = {
        "positive_only": signs[0],
        "negative_only": signs[1],
        "hide_rest": hide_rest,
        "num_features": num_features,
        "min_weight": min_weight,
    }
    expected_image, expected_mask = lime.get_image_and_mask(0, **arguments)
    shown, mask = image_and_mask(image, SIXTEEN, weights, **arguments)  # type: ignore[arg-type]
    assert np.array_equal(mask, expected_mask)
    assert np.array_equal(shown, expected_image)
    assert shown.dtype == expected_image.dtype


def test_image_and_mask_refuses_what_excludes_itself() -> None:
    with pytest.raises(ValueError, match="cannot both be True"):
        image_and_mask(photo(64), SIXTEEN, np.ones(16), positive_only=True, negative_only=True)
    with pytest.raises(ValueError, match="two colour channels"):
        image_and_mask(photo(64, channels=1), SIXTEEN, np.ones(16), positive_only=False)


@given(WEIGHTS, st.booleans(), st.booleans(), st.integers(0, 20), st.floats(0, 1))
def test_selection(weights: np.ndarray, positive: bool, negative: bool, num_features: int, min_weight: float) -> None:
    chosen = select_segments(
        weights, positive=positive, negative=negative, num_features=num_features, min_weight=min_weight
    )
    magnitude = np.abs(weights[chosen])
    assert len(chosen) <= num_features
    assert (np.diff(magnitude) <= 0).all()
    assert (magnitude >= min_weight).all()
    assert (weights[chosen] != 0).all()
    assert positive or (weights[chosen] < 0).all()
    assert negative or (weights[chosen] > 0).all()
    allowed = ((weights > 0) & positive) | ((weights < 0) & negative)
    left = np.setdiff1d(np.flatnonzero(allowed & (np.abs(weights) >= min_weight)), chosen)
    assert len(chosen) == num_features or len(left) == 0
    assert len(left) == 0 or len(chosen) == 0 or np.abs(weights[left]).max() <= magnitude.min()


def test_equal_weights_go_by_index_and_nan_is_never_drawn() -> None:
    assert select_segments(np.array([0.5, np.nan, -0.5, 0.0, 0.5])).tolist() == [0, 2, 4]


def test_fill_mixes_by_strength() -> None:
    picture = np.full((64, 64, 3), 100, np.uint8)
    weights = np.zeros(16)
    weights[[0, 1, 2]] = 0.4, -0.2, 0.1
    drawn = overlay(picture, SIXTEEN, weights, select_segments(weights), opacity=0.5)
    supporting, opposing = (np.array(colour) for colour in PALETTES["green-red"])
    assert drawn[0, 0].tolist() == np.floor(100 * 0.5 + supporting * 0.5 + 0.5).tolist()
    assert drawn[0, 16].tolist() == np.floor(100 * 0.75 + opposing * 0.25 + 0.5).tolist()
    assert drawn[0, 32].tolist() == np.floor(100 * 0.875 + supporting * 0.125 + 0.5).tolist()
    assert (drawn[16:] == 100).all()
    weaker = overlay(picture, SIXTEEN, weights, select_segments(weights), opacity=0.5, scale=0.8)
    assert weaker[0, 0].tolist() == drawn[0, 16].tolist() or weaker[0, 0, 1] > 100
    assert np.abs(weaker[0, 0].astype(int) - 100).max() < np.abs(drawn[0, 0].astype(int) - 100).max()


def test_hide_rest_outline_and_borders() -> None:
    picture = photo(64)
    weights = np.zeros(16)
    weights[5] = 1.0
    chosen = select_segments(weights)
    inside = LABELS == 5
    hidden = overlay(picture, SIXTEEN, weights, chosen, hide_rest=True)
    assert (hidden[~inside] == 128).all()
    outlined = overlay(picture, SIXTEEN, weights, chosen, style="outline", palette="blue-orange")
    rim = SIXTEEN.boundaries()
    assert (outlined[rim & inside] == PALETTES["blue-orange"][0]).all()
    assert np.array_equal(outlined[~(rim & inside)], picture[~(rim & inside)])
    bordered = overlay(picture, SIXTEEN, weights, chosen[:0], boundaries=True)
    assert np.array_equal(bordered[~rim], picture[~rim])
    assert np.array_equal(bordered[rim], np.floor(picture[rim] * 0.5 + 128).astype(np.uint8))


def test_no_weight_at_all_changes_nothing() -> None:
    for weights in (np.zeros(16), np.full(16, np.nan)):
        assert np.array_equal(overlay(photo(64), SIXTEEN, weights, select_segments(weights)), photo(64))
