"""Pictures for people from any usual model input."""

import warnings

import numpy as np
import pytest

from keras_lime.core.display import Display
from keras_lime.exceptions import LimeWarning
from tests.support.models import photo

CAFFE_MEAN = np.array([103.939, 116.779, 123.68])
TORCH_MEAN, TORCH_STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    "image",
    [
        photo(),
        photo().astype(np.float32),
        photo().astype(np.int64),
        (photo() / 255).astype(np.float32),
        (photo() / 127.5 - 1).astype(np.float32),
    ],
)
def test_usual_ranges_show_the_same_picture(image: np.ndarray) -> None:
    display = Display.of(image)
    np.testing.assert_allclose(display.picture(image), photo() / 255, atol=1e-6)
    np.testing.assert_allclose(Display.of(image).picture(np.full((2, 2, 3), display.grey(image)[0])), 0.5)


def test_range_is_that_of_all_images() -> None:
    batch = np.stack([photo() * 0.0, photo().astype(float)])
    assert Display.of(batch).high == 255
    assert Display.of(np.zeros((2, 8, 8, 1), bool)).high == 1


def test_channels() -> None:
    for channels in (1, 2, 3, 4, 7):
        image = photo(channels=channels)
        shown = Display.of(image).picture(image)
        assert shown.shape == (64, 64, 3)
        np.testing.assert_allclose(shown[..., 0], image[..., 0] / 255)
    grey = photo(channels=1)[..., 0]
    assert Display.of(grey).picture(grey).shape == (64, 64, 3)


def prepared(mode: str) -> np.ndarray:
    import keras

    prepare = keras.applications.imagenet_utils.preprocess_input
    return np.asarray(prepare(photo().astype(np.float32), mode=mode, data_format="channels_last"))


@pytest.mark.parametrize("mode", ["torch", "caffe", "tf"])
def test_what_keras_applications_makes_of_images_is_shown_in_right_colours(mode: str) -> None:
    image = prepared(mode)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = Display.of(np.stack([image, image[::-1]]))
    np.testing.assert_allclose(display.picture(image), photo() / 255, atol=1e-6)
    middle = np.broadcast_to(display.grey(image), (4, 4, 3))
    np.testing.assert_allclose(display.picture(middle), 0.5, atol=1e-6)
    # The grey of a picture of one colour cannot be fitted to its pixels; it is known.
    np.testing.assert_allclose(display.grey(image[:1, :1]), display.grey(image))


def test_rgb_less_the_mean_is_not_taken_for_bgr() -> None:
    image = photo().astype(np.float32)
    image[0, :4] = 0
    image -= CAFFE_MEAN[::-1].astype(np.float32)
    np.testing.assert_allclose(Display.of(image).picture(image)[1:], photo()[1:] / 255, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 4])
def test_other_channels_are_not_recognised(channels: int) -> None:
    image = photo(channels=channels).astype(np.float32) - 110
    with pytest.warns(LimeWarning, match="none of the usual ranges"):
        Display.of(image)


@pytest.mark.parametrize("image", [photo() * 3.0 - 200, photo() / 100 - 6, np.full((4, 4, 3), -1.5)])
def test_unusual_range_warns_and_names_it(image: np.ndarray) -> None:
    with pytest.warns(LimeWarning, match=r"from -\d.* to -?\d.*Pass `display_fn`"):
        display = Display.of(image)
    shown = display.picture(image)
    assert shown.min() == 0
    assert shown.max() == (1 if image.std() else 0)


def test_display_fn_and_its_grey() -> None:
    caffe = photo()[..., ::-1].astype(np.float32) - CAFFE_MEAN.astype(np.float32)

    def from_caffe(image: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip((image + CAFFE_MEAN)[..., ::-1], 0, 255))

    def from_torch(image: np.ndarray) -> np.ndarray:
        return np.asarray(image * TORCH_STD + TORCH_MEAN)

    display = Display.of(caffe, from_caffe)
    np.testing.assert_allclose(display.picture(caffe), photo() / 255, atol=1e-5)
    np.testing.assert_allclose(display.grey(caffe), 127.5 - CAFFE_MEAN, atol=0.01)
    torch = (photo() / 255 - TORCH_MEAN) / TORCH_STD
    np.testing.assert_allclose(Display.of(torch, from_torch).grey(torch), (0.5 - TORCH_MEAN) / TORCH_STD, atol=1e-4)


def test_display_fn_of_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`display_fn`.*\(64, 64, 3\).*\(3,\)"):
        Display.of(photo(), lambda image: image.mean(axis=(0, 1))).picture(photo())
    with pytest.raises(ValueError, match="`display_fn`.*finite"):
        Display.of(photo(), lambda image: image * np.nan).picture(photo())


def test_display_fn_cannot_change_the_image() -> None:
    image = photo().astype(np.float32)

    def spoil(given: np.ndarray) -> np.ndarray:
        given *= 0
        return given

    Display.of(image, spoil).picture(image)
    assert image.max() > 0
