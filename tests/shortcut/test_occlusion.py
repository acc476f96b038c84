"""Hidden corners and borders."""

import numpy as np
import pytest

from keras_lime.shortcut.occlusion import REGIONS, hide, occluded, run_occlusion
from tests.support.worlds import Reader, corner_reader, object_reader, squares

GREY = np.full(3, 20.0)


def _drops(reader: Reader) -> np.ndarray:
    images, _, _ = squares()
    scores = reader.score_images(images)
    return run_occlusion(images, reader, scores.argmax(axis=1).tolist(), scores.max(axis=1).tolist(), GREY).mean()


def test_a_tag_is_found_in_its_corner() -> None:
    drops = _drops(corner_reader())
    assert REGIONS[int(drops[:4].argmax())] == "bottom right corner"
    assert drops[3] > 0.3
    np.testing.assert_allclose(drops[:3], 0, atol=1e-9)


def test_an_object_in_the_middle_is_not_touched() -> None:
    np.testing.assert_allclose(_drops(object_reader()), 0, atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 30, 3), (20, 30)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_what_is_hidden_gets_the_colour_beside_it(shape: tuple[int, ...], dtype: type) -> None:
    image: np.ndarray = np.full(shape, 100, dtype)
    image[:2, :2] = 7
    hidden = hide(image, 0)
    assert hidden.dtype == dtype
    assert (hidden == 100).all()
    for region in range(1, 8):
        changed = np.argwhere(hide(image, region) != image)
        assert len(changed) == 0 or REGIONS[region] in ("top border", "left border")


def test_every_region_is_hidden_where_it_is() -> None:
    image = np.arange(40 * 40, dtype=np.float32).reshape(40, 40)
    for region, corner in enumerate([(0, 0), (0, 39), (39, 0), (39, 39)]):
        changed = hide(image, region) != image
        assert changed[corner]
        assert changed.sum() <= 64
    assert (hide(image, 4) != image)[0].sum() >= 39
    assert (hide(image, 7) != image)[:, 39].sum() >= 39


def test_nine_pictures_each() -> None:
    images, _, _ = squares(2)
    assert len(list(occluded(images, GREY))) == 18
