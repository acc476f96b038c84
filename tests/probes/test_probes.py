"""What `ProbeSet` accepts and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from keras_lime.core.image import image_id
from keras_lime.probes import ProbeSet

Images = NDArray[Any]


def some_images(count: int, seed: int = 0, shape: tuple[int, ...] = (6, 5, 3)) -> Images:
    return np.random.default_rng(seed).integers(0, 256, size=(count, *shape), dtype=np.uint8)


@pytest.fixture
def images() -> Images:
    return some_images(60)


@pytest.fixture
def labels() -> NDArray[np.int64]:
    return np.arange(60) % 3


class TestArrays:
    def test_keeps_what_it_was_given(self, images: Images, labels: Images) -> None:
        probes = ProbeSet(images, labels, class_names=["stop", "yield", "priority"])
        assert len(probes) == 60
        np.testing.assert_array_equal(probes.images, images)
        assert probes.images.dtype == np.uint8
        assert probes.labels is not None
        assert probes.labels.dtype == np.int64
        assert probes.ids == tuple(image_id(image) for image in images)
        assert probes.names[1] == f"yield · {probes.ids[1][:6]}"
        assert probes.class_names == ("stop", "yield", "priority")
        assert probes.masks is None
        assert probes.mask_areas is None

    def test_arrays_are_copies_and_read_only(self, images: Images, labels: Images) -> None:
        masks = np.zeros(images.shape[:3], dtype=bool)
        probes = ProbeSet(images, labels, masks=masks)
        before = probes.images.copy()
        images[:] = 0
        labels[:] = 0
        masks[:] = True
        np.testing.assert_array_equal(probes.images, before)
        assert probes.labels is not None
        assert probes.masks is not None
        assert probes.labels.max() == 2
        assert not probes.masks.any()
        for array in (probes.images, probes.labels, probes.masks):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 1

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_floats_become_float32_without_rescaling(self, dtype: Any) -> None:
        images = (some_images(3) / 128 - 1).astype(dtype)
        probes = ProbeSet(images)
        assert probes.images.dtype == np.float32
        np.testing.assert_array_equal(probes.images, images.astype(np.float32))

    @pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint16, bool])
    def test_integers_stay_what_they_are(self, dtype: Any) -> None:
        assert ProbeSet(some_images(3).astype(dtype)).images.dtype == dtype

    def test_a_list_of_grey_images_has_no_channel_axis(self) -> None:
        probes = ProbeSet(list(some_images(4, shape=(28, 28))))
        assert probes.images.shape == (4, 28, 28)
        assert probes.names[0].startswith("image · ")

    def test_a_list_of_colour_images(self, images: Images) -> None:
        np.testing.assert_array_equal(ProbeSet(list(images)).images, images)

    @pytest.mark.parametrize("form", ["ids", "column", "one-hot", "smoothed", "float ids"])
    def test_label_forms(self, form: str, images: Images, labels: Images) -> None:
        one_hot = np.eye(3, dtype=np.float32)[labels]
        forms = {
            "ids": labels,
            "column": labels[:, None].astype(np.uint8),
            "one-hot": one_hot,
            "smoothed": one_hot * 0.9 + 0.1 / 3,
            "float ids": labels.astype(np.float32),
        }
        found = ProbeSet(images, forms[form]).labels
        assert found is not None
        np.testing.assert_array_equal(found, labels)

    def test_names_need_as_many_digits_as_tell_them_apart(self) -> None:
        probes = ProbeSet(some_images(4000, shape=(2, 2, 1)))
        assert len(set(probes.names)) == len(probes)

    def test_repr_says_what_is_in_it(self, images: Images, labels: Images) -> None:
        probes = ProbeSet(images, labels, class_names=["stop", "yield", "priority"])
        assert repr(probes) == "ProbeSet(60 × (6, 5, 3) uint8; stop: 20, yield: 20, priority: 20; no object masks)"
        many = ProbeSet(images, np.arange(60)).with_masks(np.ones(images.shape[:3]))
        assert repr(many).endswith("class 9: 1, … (60 classes); object masks)")


class TestBadArrays:
    @pytest.mark.parametrize(
        ("images", "remedy"),
        [
            ([], "at least one image"),
            (np.zeros((0, 8, 8, 3)), "at least one image"),
            (some_images(2, shape=(8, 8)), r"images\[\.\.\., None\].*list\(images\).*images\[None\]"),
            (np.zeros((8, 8)), r"\(n, h, w, c\)"),
            ([np.zeros((8, 8, 3)), np.zeros((8, 8, 3)), np.zeros((9, 8, 3))], r"image 0 .*image 2 .*Resize"),
            ([np.zeros(8), np.ones(8)], "list of"),
            (some_images(2, shape=(3, 32, 32)), r"channels last.*moveaxis"),
            (np.where(np.arange(2)[:, None, None, None], np.nan, some_images(2)), "finite.*image 1"),
            (np.array([[[[1e300]]], [[[0.0]]]]), "finite.*image 0"),
            (np.repeat(some_images(2), 2, axis=0), "images 0 and 1 are equal"),
        ],
    )
    def test_images(self, images: Any, remedy: str) -> None:
        with pytest.raises(ValueError, match=remedy) as caught:
            ProbeSet(images)
        assert str(caught.value).startswith("`images` must")

    @pytest.mark.parametrize("images", [np.array([["a"]]), np.array([object()]), np.zeros((1, 2, 2, 1), complex), None])
    def test_images_that_are_no_numbers(self, images: Any) -> None:
        with pytest.raises(TypeError, match="`images` must hold real numbers"):
            ProbeSet(images)

    @pytest.mark.parametrize(
        ("labels", "remedy"),
        [
            ([0, 1], "one label for each of the 3 images"),
            (2, "one label for each"),
            (np.zeros((3, 6, 5)), "segmentation"),
            ([0, -1, 1], "from 0 on.*-1"),
            ([0, 0.5, 1], "whole numbers.*regression"),
            ([0, np.nan, 1], "finite"),
            ([[1, 0, 2], [1, 0, 0], [0, 0, 1]], "rows of 0 and 1"),
            ([[1, 0], [1, 1], [0, 1]], "one column for each of the 3 `class_names`"),
            (["a", "b", "z"], r"among `class_names`.*\['z'\].*\['a', 'b', 'c'\]"),
            ([[0.5, 0.5], [1, 0], [0, 1]], "one largest value"),
            ([0, 1, 7], "below 3.*7 for image 2"),
        ],
    )
    def test_labels(self, labels: Any, remedy: str) -> None:
        with pytest.raises(ValueError, match=remedy) as caught:
            ProbeSet(some_images(3), labels, class_names=["a", "b", "c"])
        assert str(caught.value).startswith("`labels`")

    def test_labels_that_are_names(self) -> None:
        with pytest.raises(ValueError, match="`labels` that are names need `class_names`"):
            ProbeSet(some_images(2), ["cat", "dog"])
        assert ProbeSet(some_images(2), [b"dog", b"cat"], class_names=["cat", "dog"]).subjects()[0].label == 1
        with pytest.raises(TypeError, match="`labels` must hold real numbers"):
            ProbeSet(some_images(2), [None, None])

    @pytest.mark.parametrize(
        ("names", "error", "remedy"),
        [
            (["a"], ValueError, "one entry for each of the 3"),
            (["a", "b", "a"], ValueError, "unique.*'a' more than once"),
            (["a", "b", ""], ValueError, "not empty"),
            ("abc", TypeError, "sequence of strings"),
            ([1, 2, 3], TypeError, "sequence of strings"),
        ],
    )
    def test_names(self, names: Any, error: type[Exception], remedy: str) -> None:
        with pytest.raises(error, match=remedy):
            ProbeSet(some_images(3), names=names)

    def test_class_names(self) -> None:
        with pytest.raises(TypeError, match="`class_names` must be a sequence of strings"):
            ProbeSet(some_images(3), class_names="abc")


class TestObjectMasks:
    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
    def test_masks_are_bool(self, dtype: Any) -> None:
        masks = np.zeros((3, 6, 5), dtype=dtype)
        masks[1, :3] = 1
        probes = ProbeSet(some_images(3), masks=masks[..., None])
        assert probes.masks is not None
        assert probes.masks.dtype == bool
        assert probes.mask_areas is not None
        np.testing.assert_allclose(probes.mask_areas, [0, 0.5, 0])

    @pytest.mark.parametrize(
        ("masks", "remedy"),
        [
            (np.zeros((2, 6, 5)), r"\(3, 6, 5\).*\(2, 6, 5\)"),
            (np.zeros((3, 5, 6)), "shape of the images"),
            (np.full((3, 6, 5), 255, np.uint8), "masks > 127"),
            (np.full((3, 6, 5), np.nan), "0 and 1"),
        ],
    )
    def test_bad_masks(self, masks: Any, remedy: str) -> None:
        with pytest.raises(ValueError, match=remedy):
            ProbeSet(some_images(3), masks=masks)
        with pytest.raises(ValueError, match=remedy):
            ProbeSet(some_images(3)).with_masks(masks)

    def test_boxes_are_half_open_and_rounded_outwards(self) -> None:
        probes = ProbeSet(some_images(2), boxes=[(1, 2, 3, 5), (0.2, 0, 1.5, 1)])
        assert probes.masks is not None
        expected = np.zeros((2, 6, 5), dtype=bool)
        expected[0, 1:3, 2:5] = True
        expected[1, 0:2, 0:1] = True
        np.testing.assert_array_equal(probes.masks, expected)

    def test_several_boxes_or_none(self) -> None:
        two = np.array([(0, 0, 1, 1), (4, 3, 6, 5)])
        probes = ProbeSet(some_images(3)).with_boxes([two, [], None])
        assert probes.mask_areas is not None
        np.testing.assert_allclose(probes.mask_areas, [5 / 30, 0, 0])

    @given(st.data())
    def test_any_box_inside_covers_its_pixels(self, data: st.DataObject) -> None:
        top, left = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 4))
        bottom, right = data.draw(st.integers(top + 1, 6)), data.draw(st.integers(left + 1, 5))
        probes = ProbeSet(some_images(1), boxes=np.array([[top, left, bottom, right]]))
        assert probes.masks is not None
        assert probes.masks.sum() == (bottom - top) * (right - left)
        assert probes.masks[0, top:bottom, left:right].all()

    @pytest.mark.parametrize(
        ("boxes", "remedy"),
        [
            ([(0, 0, 7, 5)], "inside the image of height 6 and width 5"),
            ([(0, 3, 2, 3)], "order of the numbers"),
            ([(-1, 0, 2, 3)], "clip"),
            ([(0.1, 0.1, 0.9, 0.9)], "in pixels.*Multiply"),
            ([(0, 0, 2)], "four finite numbers"),
            ([(0, 0, 2, np.nan)], "four finite numbers"),
            ([(0, 0, 2, 2)] * 2, "one entry for each of the 1 images"),
        ],
    )
    def test_bad_boxes(self, boxes: Any, remedy: str) -> None:
        with pytest.raises(ValueError, match=remedy) as caught:
            ProbeSet(some_images(1), boxes=boxes)
        assert str(caught.value).startswith("`boxes` must")

    def test_masks_and_boxes_exclude_each_other(self) -> None:
        with pytest.raises(ValueError, match="`masks` and `boxes`"):
            ProbeSet(some_images(1), masks=np.ones((1, 6, 5)), boxes=[(0, 0, 2, 2)])

    def test_a_copy_with_masks_shares_the_rest(self, images: Images, labels: Images) -> None:
        probes = ProbeSet(images, labels, class_names=["a", "b", "c"])
        masked = probes.with_masks(np.ones(images.shape[:3], bool))
        assert probes.masks is None
        assert masked.images is probes.images
        assert (masked.names, masked.ids, masked.class_names) == (probes.names, probes.ids, probes.class_names)
