"""Superpixels: sensible numbers at every size, labels always 0..n-1."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage import data
from skimage.segmentation import slic
from sklearn.datasets import load_digits

from keras_lime.core.display import Display
from keras_lime.core.segmentation import SEGMENTATION_METHODS, Segmentation, cut, segment
from keras_lime.exceptions import LimeWarning


def _resized(image: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((size, size)))


def _digit() -> np.ndarray:
    return _resized((load_digits().images[3] / 16 * 255).astype(np.uint8), 28)


PICTURES: dict[str, Callable[[], np.ndarray]] = {
    "digit 28": _digit,
    "cat 64": lambda: _resized(data.chelsea(), 64),
    "coffee 64": lambda: _resized(data.coffee(), 64),
    "cat 299": lambda: _resized(data.chelsea(), 299),
}


@pytest.mark.parametrize("method", SEGMENTATION_METHODS)
@pytest.mark.parametrize("picture", PICTURES)
def test_sensible_number_of_superpixels(picture: str, method: Any) -> None:
    image = PICTURES[picture]()
    found = segment(Display.of(image).picture(image), method)
    assert 30 <= found.n_segments <= 80
    assert found.labels.shape == image.shape[:2]
    assert found.labels.dtype == np.int32
    assert np.array_equal(np.unique(found.labels), np.arange(found.n_segments))


def test_same_picture_same_superpixels() -> None:
    picture = Display.of(data.chelsea()).picture(_resized(data.chelsea(), 64))
    for method in SEGMENTATION_METHODS:
        first, second = (segment(picture, method).labels for _ in range(2))  # type: ignore[arg-type]
        assert np.array_equal(first, second)


@given(arrays(np.int64, (5, 7), elements=st.integers(-(10**9), 10**9)))
def test_relabelling_keeps_the_partition(labels: np.ndarray) -> None:
    found = Segmentation.from_labels(labels)
    assert np.array_equal(np.unique(found.labels), np.arange(found.n_segments))
    same = labels.ravel()[:, None] == labels.ravel()
    assert np.array_equal(same, found.labels.ravel()[:, None] == found.labels.ravel())


@settings(max_examples=25)
@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 80))
def test_grid_is_made_of_rectangles(height: int, width: int, n_segments: int) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LimeWarning)
        found = segment(np.zeros((height, width, 3)), "grid", n_segments)
    for index in range(found.n_segments):
        rows, columns = np.nonzero(found.labels == index)
        assert found.areas[index] == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_labels_that_start_at_one_hide_every_superpixel() -> None:
    picture = Display.of(data.chelsea()).picture(_resized(data.chelsea(), 64))
    found = segment(picture, partial(slic, n_segments=30, start_label=1))
    assert found.labels.min() == 0
    assert found.areas.sum() == 64 * 64


TEXTURES: dict[str, Callable[[int], np.ndarray]] = {
    "grass": lambda size: _resized(data.grass(), size),
    "gravel": lambda size: _resized(data.gravel(), size),
    "text": lambda size: _resized(data.text(), size),
    "noise": lambda size: np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8),
    "checks": lambda size: ((np.add.outer(np.arange(size) // 3, np.arange(size) // 3) % 2) * 255).astype(np.uint8),
}


@pytest.mark.parametrize("size", [28, 64, 224])
@pytest.mark.parametrize("texture", TEXTURES)
def test_fine_texture_is_cut_in_about_as_many_superpixels(texture: str, size: int) -> None:
    image = TEXTURES[texture](size)
    found, remarks = cut(Display.of(image).picture(image), "slic", 50)
    assert 25 <= found.n_segments <= 75
    assert remarks == ()


@pytest.mark.parametrize("method", ["quickshift", "felzenszwalb"])
def test_what_no_method_can_cut_gets_the_grid_and_a_warning(method: Any) -> None:
    with pytest.warns(LimeWarning, match=f'{method}.* found .* 50 were wanted.*segmentation="grid" is used'):
        assert segment(np.zeros((64, 64, 3)), method).n_segments == 49


@pytest.mark.parametrize("method", SEGMENTATION_METHODS)
def test_superpixels_of_small_images_have_several_pixels(method: Any) -> None:
    digit = load_digits().images[3] / 16
    found, _ = cut(np.repeat(digit[..., None], 3, axis=2), method, 50)
    assert 8 <= found.n_segments <= 24
    assert found.areas.mean() >= 64 / 24


def test_few_superpixels_warn() -> None:
    labels = np.arange(64).reshape(8, 8) // 16
    with pytest.warns(LimeWarning, match=r"4 superpixels.*finer"):
        segment(np.zeros((8, 8, 3)), labels)
    with pytest.warns(LimeWarning, match="Raise `n_segments`"):
        segment(np.zeros((8, 8, 3)), "grid", 4)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((8, 9), int), r"shape \(8, 8\).*\(8, 9\)"),
        (np.zeros((8, 8)), "dtype=float64"),
        (np.ones((8, 8), int), "one label everywhere"),
        (lambda picture: picture[..., 0], "dtype=float64"),
    ],
)
def test_bad_labels_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"`segmentation`.*{message}"):
        segment(np.zeros((8, 8, 3)), labels)


def test_shares_means_and_rims() -> None:
    labels = np.repeat(np.arange(4), 4).reshape(4, 4)
    found = Segmentation.from_labels(labels)
    mask = np.zeros((4, 4), bool)
    mask[1, :2] = mask[2] = True
    assert found.share_inside(mask).tolist() == [0.0, 0.5, 1.0, 0.0]
    assert found.mean_colours(labels[..., None] * 10.0)[:, 0].tolist() == [0.0, 10.0, 20.0, 30.0]
    assert found.boundaries().all()
    assert not Segmentation.from_labels(np.array([[0, 0, 0, 1]])).boundaries()[0, :2].any()
