"""What a model is given of an image file: as `keras.applications` prepares images, or by a function."""

from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.data.preprocess import check_preprocess, describe_preprocess, preprocess_image


def pixels(channels: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0, 255, (5, 6, channels)).astype(np.float32)


@pytest.mark.parametrize(("name", "mode"), [("imagenet", "torch"), ("caffe", "caffe"), ("tf", "tf")])
def test_names_are_keras_own_modes(name: Any, mode: str) -> None:
    prepare = keras.applications.imagenet_utils.preprocess_input
    expected = prepare(pixels(), data_format="channels_last", mode=mode)
    np.testing.assert_allclose(preprocess_image(pixels(), name), expected, atol=1e-4)


@pytest.mark.parametrize("application", ["resnet", "mobilenet_v2", "densenet"])
def test_functions_of_keras_applications(application: str) -> None:
    prepare = getattr(keras.applications, application).preprocess_input
    image = pixels()
    found = preprocess_image(image, prepare)
    np.testing.assert_array_equal(image, pixels())
    np.testing.assert_allclose(found, prepare(pixels()[None])[0], atol=1e-5)


@pytest.mark.parametrize(
    ("preprocess", "message"),
    [
        (lambda batch: batch[0], r"must keep the shape of a batch, \(1, 5, 6, 3\). Received: shape=\(5, 6, 3\)"),
        (lambda batch: batch.mean(axis=-1), "must keep the shape"),
        (lambda batch: batch / 0 * 0, "finite"),
    ],
)
def test_bad_functions(preprocess: Any, message: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        preprocess_image(pixels(), preprocess)


def test_names_are_for_colour() -> None:
    with pytest.raises(ValueError, match="three channels"):
        preprocess_image(pixels(1), "caffe")


@pytest.mark.parametrize("preprocess", ["torch", 3, ["tf"]])
def test_refused(preprocess: Any) -> None:
    with pytest.raises(ValueError, match="`preprocess` must be a function .*imagenet, caffe, tf"):
        check_preprocess(preprocess)


def test_descriptions() -> None:
    assert describe_preprocess(None) is None
    assert describe_preprocess("tf") == "tf"
    assert str(describe_preprocess(keras.applications.resnet.preprocess_input)).endswith("resnet.preprocess_input")
