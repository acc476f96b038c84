"""Numbers about superpixels against pictures of which they are known."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from keras_lime.auditing.visual_words.descriptors import describe_segments
from keras_lime.core.segmentation import Segmentation


def _halves() -> tuple[np.ndarray, Segmentation]:
    picture = np.zeros((8, 12, 3), np.uint8)
    picture[:, :4] = (200, 30, 30)
    picture[:, 4:] = (30, 160, 60)
    labels = np.zeros((8, 12), np.int32)
    labels[:, 4:] = 1
    labels[2:6, 6:10] = 2
    return picture, Segmentation.from_labels(labels)


def test_place_and_size() -> None:
    found = describe_segments(*_halves())
    np.testing.assert_allclose(found.area, [32 / 96, 48 / 96, 16 / 96])
    np.testing.assert_allclose(found.y, [0.5, 0.5, 0.5])
    np.testing.assert_allclose(found.x, [2 / 12, (64 * 8 - 16 * 8) / 48 / 12, 8 / 12], atol=1e-6)
    assert found.at_border.tolist() == [True, True, False]


def test_colours_are_cielab() -> None:
    found = describe_segments(*_halves())
    red, green = rgb2lab(np.array([[[200, 30, 30], [30, 160, 60]]], np.uint8))[0]
    np.testing.assert_allclose([found.lightness[0], found.a[0], found.b[0]], red, rtol=1e-5)
    np.testing.assert_allclose([found.lightness[2], found.a[2], found.b[2]], green, rtol=1e-5)
    assert found.a[0] > 0 > found.a[1]


def test_flat_superpixels_have_no_spread_and_texture_only_at_an_edge() -> None:
    found = describe_segments(*_halves())
    np.testing.assert_allclose(found.spread, 0, atol=1e-4)
    assert found.texture[2] == pytest.approx(0, abs=1e-6)
    # One of its four columns touches the other colour: half of the step, by central differences.
    step = abs(float(found.lightness[0]) - float(found.lightness[1]))
    assert found.texture[0] == pytest.approx(step / 2 / 4, rel=1e-5)


def test_spread_is_the_distance_from_the_mean_colour() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, ::2] = 255
    found = describe_segments(picture, Segmentation.from_labels(np.zeros((4, 8), int)))
    assert found.lightness[0] == pytest.approx(50, abs=1e-3)
    assert found.spread[0] == pytest.approx(50, abs=1e-2)
    assert found.at_border[0]


def test_a_picture_of_one_row_has_no_texture() -> None:
    found = describe_segments(np.full((1, 4, 3), 9, np.uint8), Segmentation.from_labels(np.array([[0, 0, 1, 1]])))
    np.testing.assert_array_equal(found.texture, 0)


@pytest.mark.parametrize(("angle", "upright", "slanted"), [(0, 1, 0), (90, -1, 0), (45, 0, 1), (135, 0, -1)])
def test_which_way_stripes_run(angle: int, upright: float, slanted: float) -> None:
    rows, columns = np.mgrid[:48, :48]
    turn = np.deg2rad(angle)
    wave = np.sin(2 * np.pi * (columns * np.cos(turn) + rows * np.sin(turn)) / 8)
    picture = np.repeat((128 + 80 * wave)[..., None], 3, axis=-1).astype(np.uint8)
    found = describe_segments(picture, Segmentation.from_labels(np.zeros((48, 48), int)))
    assert (found.upright[0], found.slanted[0]) == pytest.approx((upright, slanted), abs=0.12)


def test_smooth_and_grainy_superpixels_have_no_stripes() -> None:
    grain = np.random.default_rng(0).integers(90, 160, (48, 48, 1), dtype=np.uint8).repeat(3, axis=-1)
    smooth = np.full((48, 48, 3), 90, np.uint8)
    smooth[:, 24:] = 91
    for picture in (grain, smooth):
        found = describe_segments(picture, Segmentation.from_labels(np.zeros((48, 48), int)))
        assert abs(found.upright[0]) < 0.15
        assert abs(found.slanted[0]) < 0.15
