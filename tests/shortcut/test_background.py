"""Objects taken out of pictures."""

import numpy as np
import pytest

from keras_lime.shortcut.background import can_be_swapped, remove_object, remove_objects


def _ramp(size: int = 48) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] / size
    ramp: np.ndarray = np.stack([rows, columns, (rows + columns) / 2], axis=-1)
    return ramp


def _disc(size: int, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] - size / 2
    disc: np.ndarray = np.hypot(rows, columns) < radius
    return disc


@pytest.mark.parametrize(("size", "radius"), [(48, 8), (200, 45), (200, 85)])
def test_a_smooth_background_comes_back(size: int, radius: float) -> None:
    image, mask = _ramp(size).astype(np.float32), _disc(size, radius)
    spoilt = image.copy()
    spoilt[mask] = (1, 0, 0)
    found = remove_object(spoilt, mask)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, image, atol=0.03)
    far = ~_disc(size, radius + 12)
    np.testing.assert_array_equal(found[far], image[far])


@pytest.mark.parametrize("scale", [(255.0, 0.0, np.uint8), (2.0, -1.0, np.float32), (1.0, 0.0, np.float32)])
def test_range_and_dtype_stay(scale: tuple[float, float, type]) -> None:
    factor, offset, dtype = scale
    image: np.ndarray = (_ramp() * factor + offset).astype(dtype)
    found = remove_object(image, _disc(48, 10))
    assert found.dtype == dtype
    assert found.min() >= image.min()
    assert found.max() <= image.max()
    np.testing.assert_allclose(found.astype(float), image.astype(float), atol=0.03 * factor)


def test_the_rim_of_the_object_is_not_smeared() -> None:
    image, mask = np.full((48, 48, 1), 50, np.uint8), _disc(48, 9)
    image[_disc(48, 10.5)] = 250
    assert remove_object(image, mask).max() <= 60


def test_grey_pictures_without_channels() -> None:
    images, masks = np.stack([_ramp()[..., 0]] * 2), np.stack([_disc(48, 6)] * 2)
    np.testing.assert_allclose(remove_objects(images, masks), images, atol=0.02)


def test_masks_that_tell_nothing() -> None:
    nothing, everything = np.zeros((48, 48), bool), np.ones((48, 48), bool)
    np.testing.assert_array_equal(can_be_swapped(np.stack([nothing, everything, _disc(48, 8)])), [False, False, True])
