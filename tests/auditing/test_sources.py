"""Data sets cut in shards: nothing double, nothing missing, nothing read that is not wanted."""

import json
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keras_lime.auditing.preprocessing import Preprocessing
from keras_lime.auditing.shard import Item
from keras_lime.auditing.sources.arrays import ArraySource
from keras_lime.auditing.sources.folder import FolderSource
from keras_lime.auditing.sources.make_source import make_source
from keras_lime.auditing.sources.source import Cutting
from keras_lime.auditing.sources.stream import StreamSource
from keras_lime.auditing.sources.table import TableSource
from tests.support.audits import NAMES, png, write_folder
from tests.support.worlds import squares


def _positions(shards: Any) -> list[list[int]]:
    return [[item.position for item in shard.read().items] for shard in shards]


def _table(n: int, **more: Any) -> pa.Table:
    images, labels, _ = squares(n, biased=False)
    return pa.table({"image": [png(image) for image in images], "label": labels, **more})


def test_addressable_sources_are_mixed_and_whole() -> None:
    source = ArraySource(squares(50), Cutting(16))
    found = _positions(source.shards())
    assert [len(shard) for shard in found] == [16, 16, 16, 2]
    assert sorted(chain.from_iterable(found)) == list(range(50))
    assert all(shard == sorted(shard) for shard in found)
    assert found[0] != list(range(16))
    assert _positions(source.shards()) == found
    assert _positions(source.shards({0, 2})) == [found[1], found[3]]
    assert _positions(ArraySource(squares(50), Cutting(16, seed=1)).shards()) != found
    sample = ArraySource(squares(50), Cutting(16, most=20))
    assert sample.n_images == 20
    first, second = _positions(sample.shards())
    assert first == found[0]
    assert len(second) == 4
    assert set(second) <= set(found[1])


def test_streams_come_as_they_are() -> None:
    images, labels, _ = squares(11)
    batches = [(images[i : i + 4], labels[i : i + 4]) for i in range(0, 11, 4)]
    assert _positions(StreamSource(batches, Cutting(3)).shards()) == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]
    assert _positions(StreamSource(iter(batches), Cutting(3, most=5)).shards()) == [[0, 1, 2], [3, 4]]


@pytest.mark.parametrize("groups", [3, 7, 100])
def test_tables_are_mixed_and_skip_what_is_done(groups: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, rows in (("b", slice(50, 70)), ("a", slice(0, 50))):
        table = _table(70).slice(rows.start, rows.stop - rows.start)
        pq.write_table(table, tmp_path / f"{name}.parquet", row_group_size=groups)
    read: list[int] = []
    iterate = pq.ParquetFile.iter_batches

    def counted(self: Any, *arguments: Any, row_groups: Any, **options: Any) -> Any:
        for batch in iterate(self, *arguments, row_groups=row_groups, **options):
            read.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    source = TableSource(tmp_path, None, None, Cutting(18))
    assert source.n_images == 70
    whole = [shard.read() for shard in source.shards()]
    found = _positions(whole)
    assert [len(shard) for shard in found] == [18, 18, 18, 16]
    assert sorted(chain.from_iterable(found)) == list(range(70))
    assert all(shard == sorted(shard) for shard in found)
    # One of each sixteenth of the rows, and two more.
    assert {70 * section // 16 for section in range(16)} < set(found[0])
    # Sections that lie in one row group read it each for itself.
    assert sum(read) <= 70 + 16 * min(groups, 50)
    images = squares(70, biased=False)[0]
    for shard in whole:
        for item in shard.items:
            np.testing.assert_array_equal(Preprocessing((32, 32, 3)).image(item), images[item.position])
    read.clear()
    rest = TableSource(tmp_path, None, None, Cutting(18))
    assert _positions(rest.shards({0, 1, 3})) == [found[2]]
    assert sum(read) <= 18 + 16 * min(groups, 50)
    # Backwards, as where an audit looks at the first shard and then goes on elsewhere.
    assert _positions(rest.shards()) == found
    first, second = _positions(TableSource(tmp_path, None, None, Cutting(18, most=20)).shards())
    assert first == found[0]
    assert len(second) == 2
    assert set(second) < set(found[1])


def test_every_shard_of_a_sorted_table_has_many_classes() -> None:
    images, labels, _ = squares(64, biased=False)
    order = np.argsort(labels, kind="stable")
    table = pa.table({"image": [png(image) for image in images[order]], "label": labels[order]})
    for source in (TableSource(table, None, None, Cutting(16)), TableSource(table, None, None, Cutting(16, most=16))):
        for shard in (each.read() for each in source.shards()):
            assert [sum(item.label == label for item in shard.items) for label in range(4)] == [4, 4, 4, 4]


def test_a_table_smaller_than_its_sections() -> None:
    assert _positions(TableSource(_table(5), None, None, Cutting(4)).shards()) == [[0, 1, 2, 3], [4]]
    empty = pa.concat_tables([_table(2).slice(0, 0), _table(3), _table(1).slice(0, 0), _table(2)])
    assert _positions(TableSource(empty, None, None, Cutting(8)).shards()) == [[0, 1, 2, 3, 4]]


def test_labels_of_tables() -> None:
    texts = _table(8).set_column(1, "label", pa.array(["b", "a", None, "b"] * 2))
    source = TableSource(texts, None, None, Cutting(8))
    assert source.class_names == ("a", "b")
    (shard,) = (each.read() for each in source.shards())
    assert [item.label for item in shard.items] == [1, 0, None, 1] * 2
    named = TableSource(texts, ["b", "x"], None, Cutting(8))
    (shard,) = (each.read() for each in named.shards())
    assert [item.label for item in shard.items] == [0, None, None, 0] * 2
    assert shard.items[1].error == "the label 'a' is none of the class names"
    features = {"info": {"features": {"label": {"names": list(NAMES), "_type": "ClassLabel"}}}}
    known = _table(8).replace_schema_metadata({"huggingface": json.dumps(features)})
    assert TableSource(known, None, None, Cutting(8)).class_names == NAMES
    with pytest.raises(ValueError, match="labels of numbers or text"):
        TableSource(_table(8).set_column(1, "label", pa.array([0.5] * 8)), None, None, Cutting(8))


def test_columns_of_tables_have_other_names_and_masks(tmp_path: Path) -> None:
    images, labels, masks = squares(6, biased=False)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "5.png").write_bytes(png(images[5]))
    cells: list[Any] = [{"bytes": png(image), "path": None} for image in images[:4]]
    cells += [None, {"bytes": None, "path": "files/5.png"}]
    table = pa.table({"jpg": cells, "cls": labels, "where": [png(mask) for mask in masks]})
    pq.write_table(table, tmp_path / "data.parquet")
    columns = {"image": "jpg", "label": "cls", "mask": "where"}
    source = make_source(tmp_path / "data.parquet", None, None, columns, Cutting(6))
    (shard,) = (each.read() for each in source.shards())
    preprocessing = Preprocessing((32, 32, 3))
    assert shard.items[4].error == "the image is missing"
    assert shard.items[5].path == "files/5.png"
    np.testing.assert_array_equal(preprocessing.image(shard.items[5]), images[5])
    for item, mask in zip(shard.items, masks, strict=True):
        np.testing.assert_array_equal(preprocessing.mask(item), mask)
    with pytest.raises(ValueError, match="must have a column 'picture'"):
        make_source(table, None, None, {"image": "picture"}, Cutting(6))
    with pytest.raises(ValueError, match=r"`columns` must name image, label, mask. Received: \['img'\]"):
        make_source(table, None, None, {"img": "jpg"}, Cutting(6))


def test_identities_tell_data_sets_apart(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 8)
    masks = tmp_path / "data-masks"

    def described(with_masks: bool = True) -> Any:
        return FolderSource(folder, NAMES, masks if with_masks else None, Cutting(4)).describe()

    first = described()
    assert described() == first != described(with_masks=False)
    (folder / NAMES[0] / "Bild 00 ü.png").write_bytes(b"other")
    assert described() != first
    images, labels, _ = squares(8)
    one = ArraySource((images, labels), Cutting(4)).describe()
    names = ["a", "b", "c", "d"]
    named = [names[label] for label in labels]
    assert ArraySource((images, named), Cutting(4), names).describe() == one
    items = [
        item for shard in StreamSource([(images, named)], Cutting(4), None, names).shards() for item in shard.items
    ]
    assert [item.label for item in items] == labels.tolist()
    assert ArraySource((images.copy(), labels), Cutting(4)).describe() == one
    assert ArraySource((images, labels[::-1].copy()), Cutting(4)).describe() != one
    changed = images.copy()
    changed[3, 0, 0, 0] += 1
    assert ArraySource((changed, labels), Cutting(4)).describe() != one
    assert TableSource(_table(8), None, None, Cutting(4)).describe() != (
        TableSource(_table(7), None, None, Cutting(4)).describe()
    )


def test_a_file_that_vanishes_is_an_error_of_its_image(tmp_path: Path) -> None:
    source = FolderSource(write_folder(tmp_path / "data", 8), NAMES, None, Cutting(8))
    (tmp_path / "data" / NAMES[1] / "Bild 01 ü.png").unlink()
    (shard,) = (each.read() for each in source.shards())
    assert [item.error for item in shard.items if item.error] == ["FileNotFoundError: No such file or directory"]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (np.array([[0, 255], [90, 200]], np.uint8), [[False, True], [False, True]]),
        (np.array([[0, 1], [0, 1]], np.uint8), [[False, True], [False, True]]),
        (np.zeros((2, 2), np.uint8), [[False, False], [False, False]]),
        (np.array([[0, 65535], [0, 0]], np.uint16), [[False, True], [False, False]]),
    ],
)
def test_masks_from_files(mask: Any, expected: Any) -> None:
    found = Preprocessing((4, 4, 3)).mask(Item(0, b"", mask=png(mask)))
    assert found is not None
    np.testing.assert_array_equal(found, np.repeat(np.repeat(expected, 2, axis=0), 2, axis=1))


def test_masks_from_arrays() -> None:
    preprocessing = Preprocessing((2, 2, 3))
    assert preprocessing.mask(Item(0, b"")) is None
    found = preprocessing.mask(Item(0, b"", mask=np.array([[[0.0], [1.0]], [[1.0], [1.0]]])))
    assert found is not None
    np.testing.assert_array_equal(found, [[False, True], [True, True]])
    with pytest.raises(ValueError, match="the object mask has values from 0 to 7, not 0 and 1"):
        preprocessing.mask(Item(0, b"", mask=np.full((2, 2), 7) * np.eye(2, dtype=int)))
    with pytest.raises(ValueError, match=r"the object mask has shape \(3, 2\)"):
        preprocessing.mask(Item(0, b"", mask=np.zeros((3, 2), bool)))


def test_grey_models_get_grey_images() -> None:
    image = squares(1)[0][0]
    grey = Preprocessing((32, 32, 1)).image(Item(0, png(image)))
    assert grey.shape == (32, 32, 1)
    np.testing.assert_array_equal(Preprocessing((32, 32)).image(Item(0, png(image))), grey[..., 0])
    scaled = Preprocessing((32, 32), (-1.0, 1.0)).image(Item(0, png(image)))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, grey[..., 0] / 127.5 - 1, atol=1e-6)
