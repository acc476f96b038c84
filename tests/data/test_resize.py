"""Image files become the pixels that Keras' own loaders give."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from keras_lime.data.image_files import decode
from keras_lime.data.resize import crop_box, resize_image

SIDES = st.integers(1, 90)


def some_pixels(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, channels), dtype=np.uint8)


@settings(deadline=None, max_examples=40)
@given(height=SIDES, width=SIDES, new_height=SIDES, new_width=SIDES, channels=st.sampled_from([1, 3, 4]))
def test_bilinear_is_tensorflows(height: int, width: int, new_height: int, new_width: int, channels: int) -> None:
    import tensorflow as tf

    pixels = some_pixels(height, width, channels)
    expected = tf.image.resize(pixels, (new_height, new_width), method="bilinear").numpy()
    np.testing.assert_array_equal(resize_image(pixels, (new_height, new_width), "bilinear", False), expected)


@settings(deadline=None, max_examples=40)
@given(height=SIDES, width=SIDES, new_height=SIDES, new_width=SIDES)
def test_cropping_is_keras_own(height: int, width: int, new_height: int, new_width: int) -> None:
    import keras

    pixels = some_pixels(height, width)
    smart_resize = keras.preprocessing.image.smart_resize
    expected = np.asarray(smart_resize(pixels.astype(np.float32), (new_height, new_width), backend_module=tf_backend()))
    found = resize_image(pixels, (new_height, new_width), "bilinear", True)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def tf_backend() -> Any:
    from keras.src.backend import tensorflow

    return tensorflow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, (height, width) in enumerate([(20, 30), (90, 40), (33, 33), (7, 100)]):
        (tmp_path / f"{index}").mkdir()
        Image.fromarray(some_pixels(height, width)).save(tmp_path / f"{index}" / "a.png")
    return tmp_path


@pytest.mark.parametrize("crop", [False, True])
@pytest.mark.parametrize("size", [(16, 16), (50, 21)])
def test_files_as_image_dataset_from_directory_reads_them(folder: Path, size: tuple[int, int], crop: bool) -> None:
    import keras

    dataset = keras.utils.image_dataset_from_directory(
        folder, image_size=size, shuffle=False, crop_to_aspect_ratio=crop, verbose=False
    )
    (batch, _), *_ = dataset
    for file, expected in zip(sorted(folder.rglob("*.png")), np.asarray(batch), strict=True):
        np.testing.assert_array_equal(decode(file, size, "rgb", crop_to_aspect_ratio=crop), expected)


@pytest.mark.parametrize("color_mode", ["rgb", "rgba", "grayscale"])
def test_nearest_is_load_img(folder: Path, color_mode: Any) -> None:
    import keras

    for file in folder.rglob("*.png"):
        image = keras.utils.load_img(file, color_mode=color_mode, target_size=(16, 21))
        expected = keras.utils.img_to_array(image)
        np.testing.assert_array_equal(decode(file, (16, 21), color_mode, resize="nearest"), expected)


def test_antialias_smooths_and_the_others_do_not() -> None:
    """Of columns that are black and white by turns, only a smoothed one is grey when every fourth is kept."""
    stripes = np.tile(np.array([0, 0, 0, 255], np.uint8)[None, :, None], (64, 16, 3))
    assert set(np.unique(resize_image(stripes, (16, 16), "nearest", False))) <= {0, 255}
    assert resize_image(stripes, (16, 16), "bilinear", False).max() == 0
    smoothed = resize_image(stripes, (16, 16), "antialias", False)[:, 2:-2]
    assert 20 < smoothed.min() <= smoothed.max() < 120


@pytest.mark.parametrize(
    ("size", "wanted", "box"),
    [
        ((100, 200), (10, 10), (0, 50, 100, 100)),
        ((200, 100), (10, 20), (75, 0, 50, 100)),
        ((5, 5), (9, 9), (0, 0, 5, 5)),
    ],
)
def test_crop_box(size: tuple[int, int], wanted: tuple[int, int], box: tuple[int, ...]) -> None:
    assert crop_box(size, wanted) == box


def saved(array: NDArray[Any], **options: Any) -> BytesIO:
    file = BytesIO()
    Image.fromarray(array).save(file, "TIFF", **options)
    file.seek(0)
    return file


RAMP = np.linspace(0, 1, 64).reshape(8, 8)


class TestDepth:
    """Files of more than 8 bits are scaled where it is known what is white, and refused elsewhere."""

    @pytest.mark.parametrize(
        ("array", "tolerance"),
        [
            (RAMP.astype(np.float32), 1),
            ((RAMP * 255).astype(np.float32), 1),
            ((RAMP * 255).astype(np.int32), 1),
            ((RAMP * 65535).astype(np.uint16), 1),
        ],
    )
    @pytest.mark.parametrize("color_mode", ["rgb", "grayscale"])
    def test_known_ranges(self, array: NDArray[Any], tolerance: float, color_mode: Any) -> None:
        found = decode(saved(array), (8, 8), color_mode)
        np.testing.assert_allclose(found, np.repeat(RAMP[..., None] * 255, found.shape[-1], axis=-1), atol=tolerance)

    @pytest.mark.parametrize("convert", [np.float32, np.int32, np.uint16])
    def test_a_declared_range(self, convert: Any) -> None:
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[340], tags[341] = 0, 4095
        found = decode(saved((RAMP * 4095).astype(convert), tiffinfo=tags), (8, 8), "grayscale")
        np.testing.assert_allclose(found[..., 0], RAMP * 255, atol=1)

    @pytest.mark.parametrize(
        "array",
        [
            (RAMP * 40_000).astype(np.int32),
            (RAMP * 3000).astype(np.float32),
            (RAMP - 0.5).astype(np.float32),
            (RAMP * 12).astype(np.float32),
            np.full((8, 8), np.nan, np.float32),
        ],
    )
    def test_unknown_ranges(self, array: NDArray[Any]) -> None:
        with pytest.raises(
            ValueError, match=r"32-bit numbers from .* nothing says which value is white. Save it with 8"
        ):
            decode(saved(array), (8, 8), "rgb")

    @pytest.mark.parametrize("make", [lambda: BytesIO(b"no image"), lambda: coloured_floats()])
    def test_what_pillow_does_not_know(self, make: Callable[[], BytesIO]) -> None:
        with pytest.raises(ValueError, match="no image, or of a kind that Pillow does not read.*Save it as PNG"):
            decode(make(), (8, 8), "rgb")


def coloured_floats() -> BytesIO:
    tifffile = pytest.importorskip("tifffile")
    file = BytesIO()
    tifffile.imwrite(file, np.zeros((8, 8, 3), np.float32), photometric="rgb")
    file.seek(0)
    return file
