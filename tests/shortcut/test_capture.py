"""How the images were taken, on images of which it is known."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from keras_lime.core.display import Display
from keras_lime.shortcut.background_swap import BackgroundSwap
from keras_lime.shortcut.capture import capture_agreements, capture_hint
from keras_lime.shortcut.protocol import ProbeData
from tests.support.worlds import squares

LABELS = np.arange(40) % 2


def _scenes(n: int = 40, size: int = 48) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    coarse = rng.uniform(60, 190, (n, 6, 6, 3))
    smooth = np.kron(coarse, np.ones((1, size // 6, size // 6, 1)))
    return np.clip(smooth + rng.normal(0, 20, smooth.shape), 0, 255).astype(np.uint8)


def _compressed(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    stream = BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=10)
    return np.asarray(Image.open(stream))


def _changed(name: str, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if name == "compression":
        return _compressed(image)
    if name == "sharpness":
        blurred: NDArray[np.uint8] = gaussian_filter(image, (1.5, 1.5, 0))
        return blurred
    factors = {"brightness": (0.5, 0.5, 0.5), "colour": (1.0, 0.9, 0.6)}
    tinted: NDArray[np.uint8] = (image * np.array(factors[name])).astype(np.uint8)
    return tinted


@pytest.mark.parametrize("name", ["sharpness", "compression", "brightness", "colour"])
def test_what_goes_with_the_class_is_named(name: str) -> None:
    images = np.stack(
        [_changed(name, image) if label else image for image, label in zip(_scenes(), LABELS, strict=True)]
    )
    assert capture_agreements(images, LABELS)[name] > 0.6
    assert name in capture_hint(images, LABELS)


def test_what_goes_with_no_class_is_not_named() -> None:
    images = _scenes()
    assert capture_hint(images, LABELS) == ""
    assert max(capture_agreements(images, LABELS).values(), default=0) < 0.4


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.full((4, 8, 8, 3), 9, np.uint8), np.zeros(4, np.int64)),
        (np.full((4, 8, 8, 3), 9, np.uint8), np.arange(4) % 2),
        (np.full((2, 64, 64, 3), 9, np.uint8), np.arange(2)),
    ],
)
def test_images_that_show_nothing(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    assert capture_hint(images, labels) == ""


def test_the_alarm_of_the_background_gives_the_hint() -> None:
    images, labels, masks = squares(32)
    plan = BackgroundSwap().prepare(ProbeData(images, Display.of(images), labels, masks), thorough=False)
    # The grounds of the squares differ in colour and light.
    assert "differ in" in plan.hint
