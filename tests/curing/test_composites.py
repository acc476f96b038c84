"""Composites: objects keep their pixels and labels, backgrounds lose their objects, and one seed decides all."""

import numpy as np
import pytest

from keras_lime.curing.composites import Compositor, make_compositor
from tests.curing.worlds import scenes


def compositor(count: int = 12) -> Compositor:
    world = scenes(count)
    return make_compositor(world.images, world.labels, world.masks)


def test_each_composite_shows_its_object_and_any_scene() -> None:
    composites, classes = compositor().draw(200, np.random.default_rng(0))
    assert composites.shape == (200, 32, 32, 3)
    # The object's own colour is in the middle of each composite, wherever it was shifted to.
    reds = (composites[..., 0] > 200).any(axis=(1, 2))
    np.testing.assert_array_equal(reds, classes == 0)
    # The corner shows a background: of both classes about as often, whatever the object.
    for label in (0, 1):
        green = (composites[classes == label][:, 0, 0, 1] > 100).mean()
        assert 0.35 < green < 0.65
    assert 0.4 < classes.mean() < 0.6


def test_backgrounds_have_no_object_left() -> None:
    for background in compositor().backgrounds:
        assert background[..., 0].max() < 60
        assert background[..., 2].max() < 160


def test_one_seed_gives_the_same_composites() -> None:
    (one, first), (two, second) = (compositor().draw(20, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(first, second)


def test_edges_are_soft_and_grey_images_work() -> None:
    world = scenes(8)
    found = make_compositor(world.images[..., 0], world.labels, world.masks)
    assert found.images.shape == (8, 32, 32, 1)
    assert ((found.alphas > 0.05) & (found.alphas < 0.95)).any()
    assert found.draw(3, np.random.default_rng(0))[0].shape == (3, 32, 32, 1)


@pytest.mark.parametrize("fill", [False, True])
def test_masks_of_nothing_and_of_everything_are_refused(fill: bool) -> None:
    world = scenes(8)
    with pytest.raises(ValueError, match="mask tells an object from a background"):
        make_compositor(world.images, world.labels, np.full_like(world.masks, fill))


def test_a_missing_class_is_named() -> None:
    world = scenes(8)
    with pytest.raises(ValueError, match="images of one class alone"):
        make_compositor(world.images[::2], world.labels[::2], world.masks[::2])
    with pytest.raises(ValueError, match="none of class 2"):
        make_compositor(world.images, world.labels, world.masks, n_classes=3)
