"""A probe's image is logged once, and comes back bit for bit, whatever the model takes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.core.display import Display
from keras_lime.core.pipeline import Subject
from keras_lime.core.plan import Plan, make_plan
from keras_lime.core.segmentation import segment
from keras_lime.core.settings import Settings
from keras_lime.tensorboard.logging.log import probe_parts
from keras_lime.tensorboard.records import Record, decode
from tests.support.logged_image import logged_image

PHOTOGRAPH = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8).repeat(2, axis=0)

MEAN, DEVIATION = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)

FORMS: dict[str, Callable[[NDArray[np.uint8]], NDArray[Any]]] = {
    "8-bit": lambda image: image,
    "0 to 1": lambda image: image.astype(np.float32) / 255,
    "-1 to 1": lambda image: image.astype(np.float32) / 127.5 - 1,
    "ImageNet": lambda image: (image.astype(np.float32) / 255 - MEAN) / DEVIATION,
    "grey": lambda image: image[..., :1],
    "grey without channels": lambda image: image[..., 0].astype(np.float32),
    "half precision": lambda image: (image / 255).astype(np.float16),
}


def plan_of(image: NDArray[Any], display: Display) -> Plan:
    """A plan with few superpixels and samples."""
    settings = Settings(segmentation="grid", n_segments=9, num_samples=16)
    return make_plan(image, settings, display, segment(display.picture(image), "grid", 9))


def record_of(image: NDArray[Any]) -> tuple[Record, int]:
    """The probe's record, and how many bytes it takes."""
    parts = probe_parts(plan_of(image, Display.of(image[None])), Subject("a probe"))
    return decode(parts), sum(map(len, parts))


@pytest.mark.parametrize("form", FORMS)
def test_the_picture_tells_the_image(form: str) -> None:
    image = FORMS[form](PHOTOGRAPH)
    record, _ = record_of(image)
    assert record.array("image") is None
    found = logged_image(record)
    assert found.dtype.str == record.header["dtype"] == image.dtype.str
    assert found.shape == image.shape
    assert found.tobytes() == image.tobytes()


def test_channels_in_another_order_are_found() -> None:
    record, _ = record_of(PHOTOGRAPH)
    assert record.header["image_channels"] == [0, 1, 2]
    plan = plan_of(PHOTOGRAPH, Display(0, 255, lambda image: np.asarray(image)[..., ::-1] / 255))
    shown = decode(probe_parts(plan, Subject("a probe")))
    assert shown.header["image_channels"] == [2, 1, 0]
    np.testing.assert_array_equal(logged_image(shown), PHOTOGRAPH)


@pytest.mark.parametrize("channels", [3, 4])
def test_what_no_picture_tells_is_stored_as_it_is(channels: int) -> None:
    image = np.random.default_rng(0).random((16, 16, channels)).astype(np.float32)
    record, _ = record_of(image)
    stored = record.array("image")
    assert stored is not None
    assert record.array("image_levels") is None
    assert logged_image(record).tobytes() == image.tobytes()


def test_noise_costs_its_picture_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    _, size = record_of(image)
    assert size < 1.15 * image.nbytes
