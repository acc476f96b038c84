"""A plan depends on image, settings and seed alone."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from keras_lime.core.image import check_image, image_id
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import Settings
from tests.support.models import photo

_DIGEST = """
import hashlib
from keras_lime.core.plan import make_plans
from keras_lime.core.settings import Settings
from tests.support.models import photo
plans = make_plans([photo(64, 1), photo(64, 2)], Settings(seed=5))
print(hashlib.sha256(b"".join(p.neighborhood.masks.tobytes() + p.baseline.tobytes() for p in plans)).hexdigest())
"""


def test_masks_are_the_same_bits_in_every_process() -> None:
    digests = {
        subprocess.run([sys.executable, "-c", _DIGEST], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_neither_position_nor_company_changes_a_plan() -> None:
    alone = make_plans([photo(64, 1)], Settings())[0]
    among = make_plans([photo(64, 2), photo(64, 1)], Settings())[1]
    assert np.array_equal(alone.neighborhood.masks, among.neighborhood.masks)
    assert np.array_equal(alone.segmentation.labels, among.segmentation.labels)
    other = make_plans([photo(64, 1)], Settings(seed=1))[0]
    assert not np.array_equal(alone.neighborhood.masks, other.neighborhood.masks)


def test_no_global_random_state_is_touched() -> None:
    before: Any = np.random.get_state()  # noqa: NPY002
    make_plans([photo()], Settings(segmentation="quickshift"))
    after: Any = np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0]
    assert np.array_equal(before[1], after[1])
    assert before[2:] == after[2:]


def test_shapes_and_types() -> None:
    grey = photo(64, channels=1)[..., 0]
    plan = make_plans([grey], Settings())[0]
    assert plan.image is grey
    assert plan.pixels.shape == plan.baseline.shape == (64, 64, 1)
    assert plan.pixels.dtype == plan.baseline.dtype == np.float32
    assert plan.picture.shape == (64, 64, 3)
    assert plan.picture.dtype == np.uint8
    assert np.array_equal(make_plans([photo()], Settings())[0].picture, photo())


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match=r"`num_samples` must be at least the number of superpixels.*num_samples=20"):
        make_plans([photo()], Settings(num_samples=20))


def test_one_label_map_per_image() -> None:
    maps = np.stack([np.arange(64 * 64).reshape(64, 64) // 64 // size for size in (4, 8)])
    plans = make_plans([photo(), photo(64, 1)], Settings(segmentation=maps))
    assert [plan.segmentation.n_segments for plan in plans] == [16, 8]


def test_identity_is_content() -> None:
    assert image_id(photo()) == image_id(photo().copy())
    assert image_id(photo()) != image_id(photo(64, 1))
    assert image_id(photo()) != image_id(photo().astype(np.float32))
    assert image_id(np.zeros((2, 8))) != image_id(np.zeros((4, 4)))
    assert image_id(np.asfortranarray(photo())) == image_id(photo())


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros(5), r"shape=\(5,\)"),
        (np.zeros((0, 5, 3)), r"shape=\(0, 5, 3\)"),
        (np.full((4, 4), np.inf), "infinite"),
        (np.zeros((2, 4, 4, 3)), r"shape=\(2, 4, 4, 3\)"),
    ],
)
def test_what_is_no_image_is_refused(image: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=f"`image`.*{message}"):
        check_image(image)


def test_images_hold_numbers() -> None:
    with pytest.raises(TypeError, match="`image` must hold real numbers"):
        check_image(np.full((4, 4), "a"))


def test_others_shows_another_image_of_the_batch_and_always_the_same() -> None:
    images = [np.random.default_rng(seed).integers(0, 255, (16, 16, 3)).astype(np.uint8) for seed in range(4)]
    settings = Settings(segmentation="grid", n_segments=9, num_samples=20, baseline="others")
    shown = [plan.baseline for plan in make_plans(images, settings)]
    for image, baseline in zip(images, shown, strict=True):
        assert any(np.array_equal(baseline, other) for other in images)
        assert not np.array_equal(baseline, image)
    again = make_plans(images, settings)
    assert all(np.array_equal(one, plan.baseline) for one, plan in zip(shown, again, strict=True))
    with pytest.raises(ValueError, match='`baseline` must not be "others" for one image'):
        make_plans(images[:1], settings)
    with pytest.raises(ValueError, match="all the same"):
        make_plans([images[0], images[0]], settings)
