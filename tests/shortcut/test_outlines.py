"""Estimated outlines on images of which it is known where the object is, or that there is none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.core.display import Display
from keras_lime.shortcut.background_swap import BackgroundSwap
from keras_lime.shortcut.outlines import estimate_outline, estimate_outlines, refine_box
from keras_lime.shortcut.probe_data import outline_kinds, prepare_probes
from keras_lime.shortcut.results import Status


def _discs(n: int, size: int, seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Red discs on noisy slopes of green and blue."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:size, :size] / size
    images, masks = [], []
    for _ in range(n):
        top, left = rng.uniform(0.4, 0.6, 2)
        mask = (rows - top) ** 2 + (columns - left) ** 2 < 0.18**2
        image = np.dstack([30 + 0 * rows, 80 + 80 * rows, 90 + 60 * columns])
        image[mask] = (200, 40, 40)
        images.append(np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8))
        masks.append(mask)
    return np.stack(images), np.stack(masks)


@pytest.mark.parametrize("size", [32, 64, 200])
def test_an_object_that_stands_out_is_found(size: int) -> None:
    images, masks = _discs(12, size)
    found = estimate_outlines(images)
    assert found.why_unusable() is None
    assert found.masks.shape == masks.shape
    overlap = (found.masks & masks).sum(axis=(1, 2)) / (found.masks | masks).sum(axis=(1, 2))
    assert overlap.mean() > 0.6
    assert ((found.masks & masks).sum(axis=(1, 2)) / masks.sum(axis=(1, 2))).min() > 0.9


def test_grey_images() -> None:
    images, masks = _discs(8, 64)
    bright = np.where(masks, 230, 60).astype(np.uint8)
    assert (estimate_outlines(bright).masks & masks).sum() > 0.9 * masks.sum()
    np.testing.assert_array_equal(estimate_outlines(bright[..., None]).masks, estimate_outlines(bright).masks)
    assert images.dtype == np.uint8


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.full((64, 64, 3), 90, np.uint8), "of one colour"),
        (np.full((64, 64), 90, np.uint8), "of one colour"),
        (np.random.default_rng(0).integers(0, 256, (8, 8, 3)).astype(np.uint8), "too small"),
        (np.random.default_rng(0).integers(88, 92, (64, 64, 3)).astype(np.uint8), "of one colour"),
    ],
)
def test_images_that_show_nothing(image: NDArray[np.uint8], reason: str) -> None:
    mask, steadiness, why = estimate_outline(image)
    assert not mask.any()
    assert steadiness == 0
    assert why is not None
    assert reason in why
    why_unusable = estimate_outlines(np.stack([image] * 3)).why_unusable()
    assert why_unusable is not None
    assert "No object was found in 3 of 3 images" in why_unusable


def test_noise_and_stripes_have_no_object() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (12, 64, 64, 3)).astype(np.uint8)
    stripes = np.stack([np.tile(128 + 100 * np.sin((np.arange(64) + at) / 2.0), (64, 1)) for at in range(12)])
    for images in (noise, stripes.astype(np.uint8)):
        assert estimate_outlines(images).why_unusable() is not None


def test_an_object_that_fills_the_image() -> None:
    # Four pixels of ground at two sides: the border strips are of the object, and nothing stands out from it.
    rng = np.random.default_rng(0)
    images = rng.normal(120, 30, (12, 64, 64, 3))
    images[:, :4], images[:, :, :4] = 20, 20
    data = prepare_probes(np.clip(images, 0, 255).astype(np.uint8), np.arange(12) % 3, None, outlines="estimate")
    obstacle = BackgroundSwap().why_not(data)
    assert obstacle is not None
    assert obstacle.status is Status.CANNOT_SAY
    assert "masks" in obstacle.remedy


def test_where_outlines_come_from() -> None:
    images, masks = _discs(6, 48)
    labels = np.arange(6) % 2
    estimated = prepare_probes(images, labels, None, outlines="estimate")
    assert estimated.estimated
    assert estimated.outlines == ("estimated",) * 6
    own = prepare_probes(images, labels, None, outlines=lambda shown: shown[..., 0] > 120)
    assert own.masks is not None
    assert (own.masks & masks).sum() > 0.9 * masks.sum()
    nowhere = prepare_probes(images, labels, None, outlines=lambda shown: np.zeros(shown.shape[:2]))
    assert "the given function found no object" in str(nowhere.no_outlines)
    given = prepare_probes(images, labels, masks, outlines="estimate")
    assert not given.estimated
    assert given.outlines == ("mask",) * 6
    for data in (prepare_probes(images, None, None, outlines="estimate"), prepare_probes(images, labels, None)):
        assert data.masks is None
        assert data.outlines is None
        assert data.no_outlines is None


def test_outlines_are_of_the_images_as_shown() -> None:
    images, _ = _discs(6, 48)
    scaled = images.astype(np.float32) / 127.5 - 1
    as_shown, as_given = (
        prepare_probes(each, np.arange(6) % 2, None, outlines="estimate") for each in (scaled, images)
    )
    np.testing.assert_array_equal(as_shown.masks, as_given.masks)
    assert as_shown.display == Display(-1.0, 1.0)


def test_kinds_of_outlines() -> None:
    masks = np.zeros((3, 9, 9), bool)
    masks[0, 2:5, 3:8] = True
    masks[1, 2:5, 3:8] = True
    masks[1, 3, 4] = False
    assert outline_kinds(masks) == ("box", "mask", "mask")


def test_a_box_loses_its_corners() -> None:
    images, masks = _discs(8, 64)
    for image, mask in zip(images, masks, strict=True):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = np.zeros_like(mask)
        box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
        refined = refine_box(image, box)
        assert not (refined & ~box).any()
        assert (refined & mask).sum() > 0.9 * mask.sum()
        assert (refined & ~mask).sum() < 0.5 * (box & ~mask).sum()


@pytest.mark.parametrize("image", [np.full((40, 40, 3), 90, np.uint8), np.zeros((12, 12), np.uint8)])
def test_a_box_in_which_nothing_stands_out_stays(image: NDArray[np.uint8]) -> None:
    box = np.zeros(image.shape[:2], bool)
    box[2:9, 3:8] = True
    np.testing.assert_array_equal(refine_box(image, box), box)
    np.testing.assert_array_equal(refine_box(image, np.zeros_like(box)), np.zeros_like(box))
