"""A data set goes in, rows come out: the same from every kind of data set, whole or with their errors."""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import keras_lime
from keras_lime import Audit, audit, explain
from keras_lime.auditing.storage.schema import PICTURE_COLUMNS, ROW_COLUMNS, pictures_schema, rows_schema
from keras_lime.core.reference_images import ReferenceImages
from keras_lime.exceptions import LimeWarning
from tests.support.audits import FAST, NAMES, QUIET, classifier, png, rows_by_id, write_folder
from tests.support.worlds import background_reader, object_reader, squares

GRID: dict[str, Any] = {name: FAST[name] for name in ("segmentation", "n_segments")}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return classifier()


@pytest.fixture(scope="module")
def arrays(model: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """The audit of 24 images as arrays, with masks."""
    return audit(model, floats(), tmp_path_factory.mktemp("arrays"), class_names=NAMES, **QUIET)


def floats() -> tuple[Any, Any, Any]:
    """The images as they are read from files, in float32."""
    images, labels, masks = squares(24, biased=False)
    return images.astype(np.float32), labels, masks


# The model is not trained, and explain() says so.
@pytest.mark.filterwarnings("ignore:.*scores hardly move")
@pytest.mark.filterwarnings("ignore:.*look the same hidden as shown")
def test_rows_are_what_explain_says(model: keras.Model, arrays: Audit) -> None:
    images, labels, masks = floats()
    rows = arrays.rows().to_pylist()
    by_place: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_place.setdefault(row["position"], []).append(row)
    assert sorted(by_place) == list(range(24))
    for place, found in by_place.items():
        one = explain(
            model, images[place], label=int(labels[place]), class_names=NAMES, targets=("predicted", "label"), **FAST
        )
        assert [row["target"] for row in found] == list(one.targets)
        for row, coef, stderr in zip(found, one.fit.coef, one.fit.stderr, strict=True):
            np.testing.assert_allclose(row["weights"], coef, atol=1e-6)
            np.testing.assert_allclose(row["stderr"], stderr, atol=1e-6)
            assert row["predicted"] == one.predicted
            assert row["label"] == labels[place]
            assert row["label_name"] == NAMES[labels[place]]
            assert row["target_name"] == NAMES[row["target"]]
            assert row["object_chance"] == pytest.approx(masks[place].mean())
            assert row["n_segments"] == len(row["segment_area"]) == one.segmentation.n_segments
            np.testing.assert_allclose(row["segment_on_object"], one.segmentation.share_inside(masks[place]), atol=1e-6)
            assert row["error"] is None
        assert found[0]["probability"] == pytest.approx(one.predicted_value, abs=1e-6)


@pytest.mark.filterwarnings("ignore:.*look the same hidden as shown")
def test_pictures_draw_what_was_explained(model: keras.Model, arrays: Audit) -> None:
    images, _, masks = squares(24, biased=False)
    seen = 0
    for table in arrays.pictures():
        for row in table.to_pylist():
            place = row["position"]
            with Image.open(pa.BufferReader(row["picture"])) as picture:
                np.testing.assert_array_equal(np.asarray(picture), images[place])
            with Image.open(pa.BufferReader(row["object_mask"])) as mask:
                assert mask.mode == "1"
                np.testing.assert_array_equal(np.asarray(mask), masks[place])
            with Image.open(pa.BufferReader(row["segments"])) as segments:
                assert segments.mode == "I;16"
                labels = np.asarray(segments)
            one = explain(model, images[place], **FAST)
            np.testing.assert_array_equal(labels, one.segmentation.labels)
            assert (row["height"], row["width"]) == labels.shape
            seen += 1
    assert seen == 24


def test_the_schema_is_the_documented_one(arrays: Audit) -> None:
    for room, schema, names in (("rows", rows_schema(), ROW_COLUMNS), ("pictures", pictures_schema(), PICTURE_COLUMNS)):
        for file in (arrays.folder / room).glob("*.parquet"):
            written = pq.read_schema(file)
            assert written.equals(schema)
            assert written.metadata == schema.metadata
            assert all(field.metadata[b"meaning"] for field in written)
        assert list(names) == schema.names


def test_pandas_alone_reads_it(arrays: Audit) -> None:
    code = f"""
import sys, json, pandas
rows = pandas.read_parquet({str(arrays.folder / "rows")!r})
right = rows[rows.target == rows.predicted]
shares = [sum(w for w in weights if w > 0) for weights in rows.weights]
print(json.dumps([len(rows), float((right.label == right.predicted).mean()), rows.label_name.nunique(), len(shares)]))
assert not any(name.startswith(("keras", "tensorflow")) for name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, accuracy, classes, shares = json.loads(done.stdout)
    assert count == arrays.summary["rows"] == shares
    assert accuracy == arrays.summary["accuracy"]
    assert classes == 4


def _as_folder(path: Path) -> Any:
    return write_folder(path / "data")


def _as_table(path: Path) -> Any:
    images, labels, _ = squares(24, biased=False)
    return pa.table({"image": [png(image) for image in images], "label": [NAMES[label] for label in labels]})


def _as_parquet(path: Path) -> Any:
    images, labels, _ = squares(24, biased=False)
    cells = [{"bytes": png(image), "path": f"{index}.png"} for index, image in enumerate(images)]
    pq.write_table(pa.table({"image": cells, "label": labels}), path / "data.parquet", row_group_size=10)
    return path / "data.parquet"


def _as_arrow(path: Path) -> Any:
    images, labels, _ = squares(24, biased=False)
    table = pa.table({"image": [png(image) for image in images], "label": labels})
    with pa.OSFile(str(path / "data.arrow"), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)
    return path / "data.arrow"


def _as_tf_data(path: Path) -> Any:
    tf = pytest.importorskip("tensorflow")
    images, labels, _ = floats()
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(5)


def _as_py_dataset(path: Path) -> Any:
    images, labels, _ = floats()

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> Any:
            return images[4 * index : 4 * index + 4], labels[4 * index : 4 * index + 4]

    return Batches()


def _as_generator(path: Path) -> Any:
    images, labels, _ = floats()
    return ((images[i : i + 3], labels[i : i + 3]) for i in range(0, 24, 3))


def _as_loader(path: Path) -> Any:
    data = pytest.importorskip("torch.utils.data")
    images, labels, _ = floats()
    return data.DataLoader(list(zip(images, labels, strict=True)), batch_size=4)


@pytest.mark.parametrize(
    "kind",
    [
        _as_folder,
        _as_table,
        _as_parquet,
        _as_arrow,
        _as_tf_data,
        _as_py_dataset,
        _as_generator,
        _as_loader,
    ],
)
def test_every_kind_of_data_set_gives_the_same_rows(
    kind: Callable[[Path], Any], model: keras.Model, arrays: Audit, tmp_path: Path
) -> None:
    with_masks = {"segment_on_object", "object_share", "object_chance"}
    # Folders and texts are numbered in the order of `class_names`.
    found = audit(model, kind(tmp_path), tmp_path / "out", class_names=NAMES, **QUIET)
    assert found.summary["images"] == 24
    assert rows_by_id(found, tuple(with_masks)) == rows_by_id(arrays, tuple(with_masks))


def test_a_folder_with_masks(model: keras.Model, arrays: Audit, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data")
    found = audit(model, folder, tmp_path / "out", masks=tmp_path / "data-masks", class_names=NAMES, **QUIET)
    assert rows_by_id(found) == rows_by_id(arrays)
    paths = set(found.rows(["path"]).column("path").to_pylist())
    assert paths == {f"{NAMES[index % 4]}/Bild {index:02d} ü.png" for index in range(24)}
    assert found.summary["n"]["swap_flip"] == 24
    described = json.loads((found.folder / "audit.json").read_text(encoding="utf-8"))
    assert described["dataset"] == str(folder)
    assert described["class_names"] == list(NAMES)
    assert [each["name"] for each in found.summary["classes"]] == list(NAMES)


def test_swap_flip_tells_readers_of_objects_from_readers_of_backgrounds(tmp_path: Path) -> None:
    data = squares(24)
    flips = {}
    for name, reader in (("object", object_reader()), ("background", background_reader())):
        found = audit(reader, data, tmp_path / name, output="softmax", **QUIET)
        flips[name] = found.summary
    assert flips["object"]["swap_flip"] == 0
    assert flips["background"]["swap_flip"] == 1
    # Without the object there is nothing left that it reads.
    assert flips["object"]["background_certainty"] == pytest.approx(0, abs=1e-6)
    assert flips["background"]["background_certainty"] == pytest.approx((0.91 - 0.25) / 0.75)
    assert flips["object"]["accuracy"] == 1
    # Superpixels are larger than the object.
    assert flips["object"]["object_share"] > 3 * flips["object"]["object_chance"]
    # Of a plain ground no superpixel speaks for anything.
    assert flips["background"]["object_share"] is None


@pytest.mark.filterwarnings("ignore:.*look the same hidden as shown")
def test_hidden_patches_show_pictures_of_the_first_shard(model: keras.Model, tmp_path: Path) -> None:
    images = squares(16, biased=False)[0]
    stream = [images[:8], images[8:]]
    found = audit(model, iter(stream), tmp_path, **{**QUIET, "baseline": "others", "targets": "predicted"})
    others = ReferenceImages(images[:8])
    for row in found.rows().to_pylist():
        one = explain(model, images[row["position"]], baseline=others, targets="predicted", **FAST)
        np.testing.assert_allclose(row["weights"], one.fit.coef[0], atol=1e-6)
    with pytest.raises(ValueError, match="needs two different images"):
        audit(model, images[:1], tmp_path / "one", **{**QUIET, "baseline": "others"})
    assert not (tmp_path / "one").exists()


def test_what_fails_becomes_a_row_with_its_error(model: keras.Model, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 12)
    (folder / "stop" / "damaged.jpg").write_bytes(b"\xff\xd8\xff\xe0 this is no picture")
    whole = png(squares(1)[0][0])
    (folder / "stop" / "cut off.png").write_bytes(whole[: len(whole) // 2])
    Image.new("L", (75, 41), 90).save(folder / "stop" / "another size.png")
    # A name in another encoding, as archives from elsewhere have them.
    (folder / "stop" / os.fsdecode("für".encode("latin-1") + b".png")).write_bytes(png(squares(1)[0][0]))
    found = audit(model, folder, tmp_path / "out", class_names=NAMES, **QUIET)
    errors = {row["path"]: row["error"] for row in found.rows().to_pylist()}
    assert len(errors) == 16
    assert errors["stop/f\\xfcr.png"] is None
    assert {path for path, error in errors.items() if error} == {"stop/damaged.jpg", "stop/cut off.png"}
    assert "0x" not in str(errors)
    assert found.summary["failed"] == 2
    assert found.summary["explained"] == 14
    assert sum(found.summary["errors"].values()) == 2
    failed = next(row for row in found.rows().to_pylist() if row["path"] == "stop/damaged.jpg")
    assert failed["label_name"] == "stop"
    assert {failed[name] for name in ("target", "weights", "predicted", "image_id")} == {None}
    assert repr(found).endswith("2 failed>")


def test_arrays_and_streams_with_odd_images(tmp_path: Path) -> None:
    images, labels, _ = squares(8)
    floats = images.astype(np.float32)
    floats[3, 5, 5] = np.nan

    def sometimes_nan(batch: Any) -> Any:
        scores = np.full((len(batch), 4), 0.25, np.float32)
        # Only what hides something of the second image.
        scores[(batch[:, 0, 0, 0] == floats[1, 0, 0, 0]) & (batch.std(axis=(1, 2, 3)) < floats[1].std())] = np.nan
        return scores

    def batches() -> Iterator[Any]:
        yield floats[:4], labels[:4]
        yield floats[4:6, :16], labels[4:6]
        yield floats[6:], np.array([1, 7])

    found = audit(sometimes_nan, batches(), tmp_path / "out", output="softmax", **QUIET)
    errors = [row["error"] for row in found.rows().to_pylist() if row["target"] in (None, row["predicted"])]
    assert errors[1] == "the model gave nan in output 0"
    assert errors[3] is not None
    assert "finite" in errors[3]
    assert errors[4] == errors[5] == "the image has shape (16, 32, 3), the model takes (32, 32, 3)"
    assert errors[7] == "the true class is 7, the model has 4 outputs"
    assert [index for index, error in enumerate(errors) if error is None] == [0, 2, 6]


@pytest.mark.filterwarnings("ignore:.*look the same hidden as shown")
def test_as_many_samples_as_each_image_needs(model: keras.Model, tmp_path: Path) -> None:
    data = squares(12, biased=False)
    settings = {**QUIET, "num_samples": "auto", "tolerance": 0.002, "max_samples": 256}
    found = audit(model, data, tmp_path / "out", **settings)
    # Every target must be known well enough, in an audit the true class too.
    auto = {"num_samples": "auto", "tolerance": 0.002, "max_samples": 256, "targets": ("predicted", "label"), **GRID}
    alone = [explain(model, image, label=int(label), **auto) for image, label in zip(data[0], data[1], strict=True)]
    rows = [row for row in found.rows().to_pylist() if row["target"] == row["predicted"]]
    assert [row["num_samples"] for row in rows] == [one.num_samples for one in alone]

    def broken(batch: Any) -> Any:
        scores = np.full((len(batch), 4), 0.25, np.float32)
        scores[batch[:, 0, 0, 0] == data[0][5, 0, 0, 0]] = np.nan
        return scores

    partly = audit(broken, data, tmp_path / "broken", output="softmax", **settings)
    errors = {row["position"]: row["error"] for row in partly.rows().to_pylist()}
    assert errors[5] == "the model gave nan in output 0"
    assert 0 < partly.summary["failed"] < 12


def test_an_empty_class_is_told(model: keras.Model, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 8, ("a", "b", "c", "d"))
    for file in (folder / "c").iterdir():
        file.unlink()
    found = audit(model, folder, tmp_path / "out", **QUIET)
    assert [each["images"] for each in found.summary["classes"]] == [2, 2, 0, 2]
    assert found.summary["classes"][2]["accuracy"] is None
    (folder / "c").rmdir()
    with pytest.warns(LimeWarning, match=r"1 of 4 classes have no folder and no images: \['c'\]"):
        again = audit(model, folder, tmp_path / "again", class_names=["a", "b", "c", "d"], **QUIET)
    assert again.rows().equals(found.rows())


def test_images_without_classes(model: keras.Model, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 8)
    flat = tmp_path / "flat"
    flat.mkdir()
    for index, file in enumerate(sorted(folder.rglob("*.png"))):
        (flat / f"{index}.png").write_bytes(file.read_bytes())
    found = audit(model, flat, tmp_path / "out", **QUIET)
    assert found.summary["accuracy"] is None
    assert found.summary["images"] == found.summary["rows"] == 8


def test_value_range_and_image_size(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 8)
    seen: list[Any] = []

    def model(batch: Any) -> Any:
        seen.append((batch.shape[1:], batch.min(), batch.max()))
        return np.full((len(batch), 4), 0.25, np.float32)

    audit(model, folder, tmp_path / "out", image_size=(20, 24), value_range=(-1, 1), output="softmax", **QUIET)
    assert {shape for shape, _, _ in seen} == {(20, 24, 3)}
    assert min(low for _, low, _ in seen) >= -1
    assert max(high for _, _, high in seen) > 0.5


def _halved(batch: Any) -> Any:
    return batch / 2


@pytest.mark.parametrize(
    ("preprocess", "lowest", "highest"),
    [("tf", -1, 1), ("caffe", -124, 152), ("imagenet", -2.2, 2.7), (_halved, 0, 128)],
)
def test_preprocessed_files_reach_the_model_and_are_shown_as_they_were(
    preprocess: Any, lowest: float, highest: float, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "data", 8)
    seen: list[Any] = []

    def model(batch: Any) -> Any:
        seen.append((batch.min(), batch.max()))
        return np.full((len(batch), 4), 0.25, np.float32)

    options: dict[str, Any] = {"output": "softmax", "image_size": (32, 32), **QUIET}
    found = audit(model, folder, tmp_path / "out", preprocess=preprocess, **options)
    assert lowest <= min(low for low, _ in seen) < (lowest + highest) / 3
    assert (lowest + highest) / 2 < max(high for _, high in seen) <= highest
    plain = audit(model, folder, tmp_path / "plain", **options)
    pictures = [
        {row["position"]: _decoded(row["picture"]) for part in one.pictures() for row in part.to_pylist()}
        for one in (found, plain)
    ]
    scale = 0.5 if preprocess is _halved else 1
    for position, picture in pictures[1].items():
        np.testing.assert_allclose(pictures[0][position], picture * scale, atol=2)
    with pytest.raises(ValueError, match="it differs in preprocess"):
        audit(model, folder, tmp_path / "out", **options)


def _decoded(content: bytes) -> Any:
    with Image.open(pa.BufferReader(content)) as opened:
        return np.asarray(opened).astype(float)


def test_a_sample_of_a_folder_mixes_the_classes(model: keras.Model, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "data", 40)
    found = audit(model, folder, tmp_path / "out", max_images=12, **QUIET)
    assert found.summary["images"] == 12
    assert sum(each["images"] > 0 for each in found.summary["classes"]) == 4
    assert len(list(found.parts(["position"]))) == 2


def test_a_stream_is_read_as_it_is_needed(model: keras.Model, tmp_path: Path) -> None:
    images, labels, _ = squares(8, biased=False)
    given, done = 0, tmp_path / "out" / "shards"
    ahead: list[int] = []

    def batches() -> Iterator[Any]:
        nonlocal given
        for _ in range(12):
            ahead.append(given - len(list(done.glob("part-*.json"))))
            yield images, labels
            given += 1

    found = audit(model, batches(), tmp_path / "out", workers=2, **QUIET)
    assert found.summary["images"] == 96
    assert max(ahead) <= 5


def test_a_stream_that_comes_sorted_by_class_is_told(model: keras.Model, tmp_path: Path) -> None:
    images, labels, _ = squares(80, biased=False)
    order = np.argsort(labels, kind="stable")
    settings = {**QUIET, "shard_size": 16}
    with pytest.warns(LimeWarning, match="seems to come sorted by class: its first 16 images are all of class 0"):
        audit(model, [(images[order], labels[order])], tmp_path / "sorted", **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        audit(model, [(images, labels)], tmp_path / "mixed", **settings)
        audit(model, (images[order], labels[order]), tmp_path / "arrays", **settings)


def test_open_needs_a_finished_audit(arrays: Audit, tmp_path: Path) -> None:
    opened = Audit.open(arrays.folder)
    assert opened.summary == arrays.summary
    assert opened.rows(["r2", "position"]).column_names == ["r2", "position"]
    with pytest.raises(ValueError, match="`columns` must be columns of the rows"):
        opened.rows(["nothing"])
    with pytest.raises(ValueError, match="`folder` must hold a finished audit"):
        Audit.open(tmp_path)
    assert keras_lime.Audit is Audit
