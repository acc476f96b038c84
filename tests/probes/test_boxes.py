"""Boxes: in which order their numbers stand, and those that the page has saved."""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.exceptions import LimeWarning
from keras_lime.probes import ProbeSet

SIDE = 32


def drawn(count: int, seed: int, contrast: int = 120) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Bright rectangles before noise, and their boxes (top, left, bottom, right)."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 100, (count, SIDE, SIDE, 3), dtype=np.uint8)
    boxes = []
    for image in images:
        height, width = rng.integers(6, 16, 2)
        top, left = int(rng.integers(0, SIDE - height)), int(rng.integers(0, SIDE - width))
        image[top : top + height, left : left + width, 0] += np.uint8(contrast)
        boxes.append((top, left, top + int(height), left + int(width)))
    return images, np.array(boxes)


class TestOrder:
    def test_all_orders_give_the_same_masks(self) -> None:
        images, boxes = drawn(6, seed=0)
        top, left, bottom, right = boxes.T
        expected = ProbeSet(images, boxes=boxes, order="tlbr").masks
        assert expected is not None
        forms: dict[Any, Any] = {
            "ltrb": np.stack([left, top, right, bottom], axis=1),
            "ltwh": np.stack([left, top, right - left, bottom - top], axis=1),
        }
        for order, given in forms.items():
            for probes in (ProbeSet(images, boxes=given, order=order), ProbeSet(images).with_boxes(given, order=order)):
                assert probes.masks is not None
                np.testing.assert_array_equal(probes.masks, expected)

    @pytest.mark.parametrize("seed", range(12))
    @pytest.mark.parametrize("count", [10, 30])
    def test_the_wrong_order_is_seen_in_square_images(self, seed: int, count: int) -> None:
        images, boxes = drawn(count, seed)
        with pytest.warns(LimeWarning, match=r'read as \(left, top, right, bottom\).*plot\(\).*order="ltrb"') as caught:
            ProbeSet(images, boxes=boxes[:, [1, 0, 3, 2]])
        assert caught[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ProbeSet(images, boxes=boxes)
            ProbeSet(images, boxes=boxes[:, [1, 0, 3, 2]], order="tlbr")

    def test_no_false_alarm_where_objects_do_not_stand_out(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for seed in range(40):
                images, boxes = drawn(8, seed, contrast=0)
                ProbeSet(images, boxes=boxes)

    def test_an_order_that_does_not_fit_names_the_one_that_does(self) -> None:
        images = np.arange(2 * 6 * 20 * 3, dtype=np.int64).reshape(2, 6, 20, 3)
        with pytest.raises(ValueError, match=r'All boxes fit as \(left, top, right, bottom\).*order="ltrb"'):
            ProbeSet(images, boxes=[(10, 0, 20, 6), (0, 0, 4, 4)])
        with pytest.raises(ValueError, match=r"`boxes` must be \(left, top, width, height\).*Check the order"):
            ProbeSet(images, boxes=[(10, 0, 20, 6), (0, 0, -4, 4)], order="ltwh")

    @pytest.mark.parametrize(("arguments", "message"), [({"order": "xyxy"}, "tlbr, ltrb, ltwh"), ({}, None)])
    def test_bad_order(self, arguments: Any, message: str | None) -> None:
        images, boxes = drawn(2, seed=0)
        if message is None:
            with pytest.raises(ValueError, match=r"`order` is that of the numbers in `boxes`"):
                ProbeSet(images, order="ltrb")
        else:
            with pytest.raises(ValueError, match=message):
                ProbeSet(images, boxes=boxes, **arguments)


class TestFile:
    """`{"version": 1, "boxes": {"<probe id>": [[top, left, bottom, right], ...]}}`."""

    @pytest.fixture
    def probes(self) -> ProbeSet:
        return ProbeSet(drawn(3, seed=0)[0])

    def written(self, folder: Path, content: Any) -> Path:
        path = folder / "boxes.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    def test_boxes_by_id(self, probes: ProbeSet, tmp_path: Path) -> None:
        boxes = {probes.ids[2]: [[0, 0, 2, 3], [4, 4, 5.5, 6]], probes.ids[0]: [[1, 2, 3, 4]], probes.ids[1]: []}
        found = probes.with_boxes(self.written(tmp_path, {"version": 1, "boxes": boxes})).masks
        expected = ProbeSet(probes.images, boxes=[boxes[one] for one in probes.ids], order="tlbr").masks
        assert found is not None
        assert expected is not None
        np.testing.assert_array_equal(found, expected)
        assert found.sum() == 2 * 2 + (2 * 3 + 2 * 2)

    def test_probes_that_are_not_named_keep_their_mask(self, probes: ProbeSet, tmp_path: Path) -> None:
        path = self.written(tmp_path, {"version": 1, "boxes": {probes.ids[0]: [[0, 0, 2, 2]]}})
        full = probes.with_masks(np.ones(probes.images.shape[:3], bool)).with_boxes(path)
        assert full.mask_areas is not None
        np.testing.assert_allclose(full.mask_areas, [4 / SIDE**2, 1, 1])
        fresh = probes.with_boxes(str(path))
        assert fresh.mask_areas is not None
        np.testing.assert_allclose(fresh.mask_areas, [4 / SIDE**2, 0, 0])

    def test_tested_images_get_theirs_too(self, tmp_path: Path) -> None:
        images, boxes = drawn(12, seed=1)
        probes = ProbeSet.from_dataset((images, np.arange(12) % 2), num_probes=4)
        expected = ProbeSet(images, boxes=boxes, order="tlbr")
        by_id = {one: [box.tolist()] for one, box in zip(expected.ids, boxes, strict=True)}
        found = probes.with_boxes(self.written(tmp_path, {"version": 1, "boxes": by_id}))
        assert (len(found), len(found.tested)) == (4, 12)
        assert expected.masks is not None
        mask_of = dict(zip(expected.ids, expected.masks, strict=True))
        for some in (found, found.tested):
            assert some.masks is not None
            np.testing.assert_array_equal(some.masks, [mask_of[one] for one in some.ids])

    def test_boxes_of_other_probes(self, probes: ProbeSet, tmp_path: Path) -> None:
        both = {probes.ids[0]: [[0, 0, 2, 2]], "0123456789abcdef": [[0, 0, 2, 2]]}
        with pytest.warns(LimeWarning, match=r"1 probes that are not in this set, \['0123456789abcdef'\]"):
            probes.with_boxes(self.written(tmp_path, {"version": 1, "boxes": both}))
        with pytest.raises(ValueError, match="must name probes of this set.*0123456789abcdef.*another size"):
            probes.with_boxes(self.written(tmp_path, {"version": 1, "boxes": {"0123456789abcdef": []}}))

    @pytest.mark.parametrize(
        ("content", "remedy"),
        [
            ("{", "must be a JSON file"),
            ("[]", "without `boxes` by probe id"),
            ({"version": 1}, "without `boxes` by probe id"),
            ({"version": 1, "boxes": [[0, 0, 1, 1]]}, "without `boxes` by probe id"),
            ({"version": 2, "boxes": {}}, "of version 2. Save the boxes again"),
            ({"boxes": {}}, "of version None"),
            ({"version": 1, "boxes": {"ID": [0, 0, 1, 1]}}, "list of boxes .*for probe 'ID'"),
            ({"version": 1, "boxes": {"ID": [[0, 0, 1]]}}, "list of boxes .*for probe 'ID'"),
            ({"version": 1, "boxes": {"ID": [[0, 0, 1, None]]}}, "list of boxes .*for probe 'ID'"),
            ({"version": 1, "boxes": {"ID": [[0, 0, 1, True]]}}, "list of boxes .*for probe 'ID'"),
            ({"version": 1, "boxes": {"ID": [[0, 0, 33, 1]]}}, "inside the image of height 32.*for probe 'ID'"),
            ({"version": 1, "boxes": {"ID": [[4, 0, 4, 1]]}}, "inside the image .*for probe 'ID'"),
        ],
    )
    def test_bad_files(self, content: Any, remedy: str, probes: ProbeSet, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=remedy) as caught:
            probes.with_boxes(self.written(tmp_path, content))
        assert str(caught.value).startswith("`boxes` must")

    def test_no_file(self, probes: ProbeSet, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="no file"):
            probes.with_boxes(tmp_path / "boxes.json")
