"""The figure of a probe set."""

import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from keras_lime.probes import ProbeSet


def some_images(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (count, 12, 10, 3), dtype=np.uint8)


def test_every_probe_has_its_number_name_scales_and_outline() -> None:
    probes = ProbeSet(some_images(7), boxes=[(2, 3, 8, 9)] * 6 + [[]], names=[f"n{index}" for index in range(7)])
    figure = probes.plot()
    drawn = [axes for axes in figure.axes if axes.images]
    assert [axes.get_title() for axes in drawn] == [f"{index}: n{index}" for index in range(7)]
    for axes in drawn:
        assert axes.get_xlim() == (-0.5, 9.5)
        assert axes.get_ylim() == (11.5, -0.5)
    np.testing.assert_allclose(drawn[3].images[0].get_array(), probes.images[3] / 255)
    paths = [path for collection in drawn[3].collections for path in collection.get_paths()]
    corners = np.concatenate([path.vertices for path in paths])
    # The outline runs along the edges of the pixels: columns 3 to 8 and rows 2 to 7.
    np.testing.assert_allclose([corners.min(axis=0), corners.max(axis=0)], [[2.5, 1.5], [8.5, 7.5]], atol=0.02)
    assert not drawn[6].collections
    assert "7 of 7 probes, the outline of the object in yellow" in figure.get_suptitle()


def test_a_mask_up_to_the_edge_is_closed() -> None:
    figure = ProbeSet(some_images(1), masks=np.ones((1, 12, 10))).plot()
    corners = np.concatenate([path.vertices for each in figure.axes[0].collections for path in each.get_paths()])
    np.testing.assert_allclose(corners.max(axis=0), [9.5, 11.5], atol=0.02)


def test_many_probes_and_notebooks() -> None:
    probes = ProbeSet(some_images(30))
    figure = probes.plot(most=8)
    assert sum(bool(axes.images) for axes in figure.axes) == 8
    assert "8 of 30 probes, no object masks" in figure.get_suptitle()
    with Image.open(io.BytesIO(probes._repr_png_())) as picture:
        assert picture.size[0] > 500


@pytest.mark.parametrize("most", [0, 1.5])
def test_bad_number(most: Any) -> None:
    with pytest.raises(ValueError, match="`most` must be an integer of at least 1"):
        ProbeSet(some_images(2)).plot(most=most)


def test_grey_images() -> None:
    figure = ProbeSet(list(some_images(2)[..., 0])).plot()
    assert figure.axes[0].images[0].get_array().shape == (12, 10, 3)
