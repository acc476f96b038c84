"""Visual words: planted ones are found with the evidence that was planted, whatever the shards; suspicion is right."""

import shutil
import tracemalloc
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from keras_lime.auditing.storage.row_batches import explained, row_batches, rows_at
from keras_lime.auditing.visual_words import vocabulary as vocabulary_module
from keras_lime.auditing.visual_words.appearance import Looks, colour_name, describe
from keras_lime.auditing.visual_words.vocabulary import FEATURES, ROW_PART, features, learn_vocabulary
from keras_lime.auditing.visual_words.words import WORD_COLUMNS, find_words, write_words
from keras_lime.core.reference_images import ReferenceImages
from tests.support.planted_audits import Planted, write_audit


def by_class(rows: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in rows:
        found[row["class"]].append(row)
    return found


def on_scene(row: dict[str, Any]) -> bool:
    """Whether a word is of the scene: its examples are outside the middle four superpixels."""
    return all(segment not in {14, 15, 20, 21} for segment in row["example_segments"])


def test_planted_looks_become_words_of_their_own(tmp_path: Path) -> None:
    folder = write_audit(tmp_path, Planted(classes=3))
    found = learn_vocabulary(folder, 24)
    assert found is not None
    looks = defaultdict(set)
    for batch in row_batches(folder, ROW_PART, FEATURES):
        words = found.words(features(batch))
        inside = np.isin(batch.segment, [14, 15, 20, 21])
        for kind, word in zip(zip(batch.columns["target"][batch.row], inside, strict=True), words, strict=True):
            looks[kind].add(int(word))
    assert len(looks) == 6
    sets = list(looks.values())
    assert all(not (one & other) for place, one in enumerate(sets) for other in sets[:place])


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_the_evidence_is_what_was_planted(tmp_path: Path, share: float) -> None:
    for rows in by_class(find_words(write_audit(tmp_path, Planted(on_scene=share))).rows).values():
        assert sum(row["share"] for row in rows if on_scene(row)) == pytest.approx(share, abs=0.02)
        assert sum(row["evidence"] for row in rows) == pytest.approx(0.9, abs=0.02)
        assert sum(row["share"] for row in rows) == pytest.approx(1)
        assert sum(row["area"] for row in rows) == pytest.approx(1)
        assert sum(row["area"] for row in rows if on_scene(row)) == pytest.approx(32 / 36, abs=0.001)


@pytest.mark.parametrize("masks", [True, False])
def test_a_scene_of_the_class_leads_and_is_suspicious(tmp_path: Path, masks: bool) -> None:
    for rows in by_class(find_words(write_audit(tmp_path, Planted(masks=masks))).rows).values():
        suspicious = [row for row in rows if row["suspicious"]]
        assert suspicious == rows[: len(suspicious)]
        assert all(on_scene(row) for row in suspicious)
        # Without masks the scene's inner ring, which never touches the border, is not counted.
        assert sum(row["share"] for row in suspicious) > (0.5 if masks else 0.4)
        assert all(row["off_object_measured"] is masks for row in rows)
        assert suspicious[0]["off_object"] == pytest.approx(1)
        assert suspicious[0]["exclusivity"] == pytest.approx(1)
        assert (suspicious[0]["presence"], suspicious[0]["presence_elsewhere"]) == (1, 0)


@pytest.mark.parametrize("classes", [3, 5])
def test_stripes_that_differ_in_nothing_but_their_way_are_told_apart(tmp_path: Path, classes: int) -> None:
    planted = Planted(classes=classes, images=20 * classes, stripes=True, pixels=12)
    for rows in by_class(find_words(write_audit(tmp_path, planted)).rows).values():
        suspicious = [row for row in rows if row["suspicious"]]
        assert suspicious
        assert on_scene(suspicious[0])
        assert "stripes" in suspicious[0]["description"]
    unbiased = find_words(write_audit(tmp_path / "unbiased", replace(planted, biased=False)))
    assert not any(row["suspicious"] for row in unbiased.rows)


@pytest.mark.parametrize(("masks", "share"), [(True, 0.6), (False, 0.6), (True, 0.2)])
def test_how_much_of_all_evidence_is_off_the_objects(tmp_path: Path, masks: bool, share: float) -> None:
    found = find_words(write_audit(tmp_path, Planted(masks=masks, on_scene=share, biased=False))).off_object
    assert found is not None
    assert found[0] == pytest.approx(share, abs=0.02 if masks else 0.3)
    assert found[1] is masks


def test_a_scene_without_evidence_is_not_suspicious(tmp_path: Path) -> None:
    """The scene goes with the class, but the model reads the object."""
    rows = find_words(write_audit(tmp_path, Planted(on_scene=0, noise=0.02))).rows
    assert not any(row["suspicious"] for row in rows)
    assert not any(on_scene(row) for row in rows if row["rank"] == 1)


@pytest.mark.parametrize(("share", "suspicious"), [(0.05, False), (0.25, True)])
def test_what_hardly_matters_is_not_suspicious(tmp_path: Path, share: float, suspicious: bool) -> None:
    rows = find_words(write_audit(tmp_path, Planted(on_scene=share, masks=True))).rows
    assert {on_scene(row) for row in rows if row["rank"] == 1} == {suspicious}
    assert any(row["suspicious"] for row in rows) is suspicious


def test_scenes_that_all_classes_share_are_not_suspicious(tmp_path: Path) -> None:
    """There is evidence on them, as disturbances give it; but no class owes its prediction to them."""
    rows = find_words(write_audit(tmp_path, Planted(images=120, on_scene=0.4, biased=False))).rows
    assert not any(row["suspicious"] for row in rows)
    assert not any(on_scene(row) for row in rows if row["rank"] == 1)


def test_the_same_words_whatever_the_shards(tmp_path: Path) -> None:
    planted = Planted(images=40, noise=0.01)
    results = []
    for size in (40, 7):
        folder = write_audit(tmp_path / str(size), replace(planted, shard_size=size))
        results.append(find_words(folder).rows)
    again = find_words(tmp_path / "7").rows
    assert again == results[1]
    for one, other in zip(*results, strict=True):
        assert one.keys() == other.keys()
        for name in ("class", "word", "rank", "description", "suspicious", "example_positions", "superpixels"):
            assert one[name] == other[name]
        for name in ("share", "evidence", "evidence_stderr", "off_object", "exclusivity"):
            assert one[name] == pytest.approx(other[name], abs=1e-9)


def test_a_shard_without_its_manifest_does_not_count(tmp_path: Path) -> None:
    folder = write_audit(tmp_path, Planted(images=32))
    (folder / "shards" / "part-000001.json").unlink()
    rows = find_words(folder).rows
    assert sum(row["class_images"] for row in rows if row["rank"] == 1) == 16


def test_the_table_is_read_by_pandas_alone(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    folder = write_audit(tmp_path)
    words = find_words(folder)
    table = pandas.read_parquet(write_words(folder, words))
    assert list(table.columns) == list(WORD_COLUMNS)
    assert len(table) == len(words.rows)
    assert table.groupby("class")["rank"].min().eq(1).all()
    meanings = pq.read_schema(folder / "words.parquet").field("share").metadata
    assert meanings[b"meaning"].decode() == WORD_COLUMNS["share"][1]


def test_examples_are_the_strongest_superpixels_each_of_another_picture(tmp_path: Path) -> None:
    folder = write_audit(tmp_path, Planted(noise=0.01))
    words = find_words(folder)
    assert words.vocabulary is not None
    weights: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
    for batch in row_batches(folder, ROW_PART, (*FEATURES, "weights")):
        found = words.vocabulary.words(features(batch))
        for row, word, weight in zip(batch.row, found, batch.segments["weights"], strict=True):
            position = int(batch.columns["position"][row])
            held = weights[int(batch.columns["target"][row]), int(word)]
            held[position] = max(held.get(position, 0.0), float(weight))
    for row in words.rows:
        best = sorted(weights[row["class"], row["word"]].items(), key=lambda item: -item[1])[:4]
        assert row["example_positions"] == [position for position, weight in best if weight > 0]
        stored = {
            each["position"]: each["weights"] for each in rows_at(folder, "rows", row["example_positions"], ["weights"])
        }
        for position, segment in zip(row["example_positions"], row["example_segments"], strict=True):
            assert stored[position][segment] == pytest.approx(weights[row["class"], row["word"]][position])


def test_failed_images_and_audits_without_any_other(tmp_path: Path) -> None:
    folder = write_audit(tmp_path / "some", Planted(images=30, failed=6))
    assert sum(row["class_images"] for row in find_words(folder).rows if row["rank"] == 1) == 24
    empty = find_words(write_audit(tmp_path / "none", Planted(images=3, failed=3)))
    assert (empty.rows, empty.vocabulary, empty.statistics) == ([], None, None)
    shutil.rmtree(folder / "shards")
    assert find_words(folder).rows == []


def test_memory_does_not_grow_with_the_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary_module, "_SAMPLE", 2000)
    peaks = []
    for images in (256, 1024):
        folder = write_audit(tmp_path / str(images), Planted(images=images, pixels=2, shard_size=64))
        tracemalloc.start()
        find_words(folder)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]


def test_the_sample_is_drawn_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = vocabulary_module.draw(np.arange(100_000, dtype=np.float64), seed=3)
    assert np.abs(np.histogram(drawn, 10, (0, 1))[0] - 10_000).max() < 500
    assert np.abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.02
    assert not np.array_equal(drawn, vocabulary_module.draw(np.arange(100_000, dtype=np.float64), seed=4))


def test_only_the_predicted_class_counts(tmp_path: Path) -> None:
    folder = write_audit(tmp_path, Planted(images=12, wrong=4))
    for batch in row_batches(folder, ROW_PART):
        assert explained(batch).all()
        predicted = batch.columns["predicted"] + np.eye(1, len(batch))[0]
        assert explained(replace(batch, columns={**batch.columns, "predicted": predicted})).sum() == len(batch) - 1


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((10, 10, 10), "black"),
        ((128, 128, 128), "grey"),
        ((245, 245, 245), "white"),
        ((200, 20, 30), "red"),
        ((250, 140, 20), "orange"),
        ((250, 200, 30), "yellow"),
        ((110, 70, 40), "brown"),
        ((90, 120, 50), "green"),
        ((40, 60, 30), "dark green"),
        ((110, 160, 220), "blue"),
        ((20, 40, 160), "dark blue"),
        ((120, 40, 150), "purple"),
        ((250, 180, 190), "pink"),
        ((60, 190, 190), "turquoise"),
        ((210, 190, 150), "beige"),
    ],
)
def test_colours_are_called_what_people_call_them(rgb: tuple[int, int, int], name: str) -> None:
    from skimage.color import rgb2lab

    assert colour_name(*rgb2lab(np.array(rgb) / 255)) == name


def test_places_are_named_where_a_word_has_one() -> None:
    anywhere = Looks(50, -30, 30, 0, 0, 0.5, 0.5, 0.29, 0.29, 0.6, 0.6)
    assert describe(anywhere) == "green"
    assert describe(replace(anywhere, y=0.1, y_spread=0.05)) == "green, at the top"
    corner = replace(anywhere, y=0.9, x=0.92, y_spread=0.03, x_spread=0.03, size=-1, texture=1)
    assert describe(corner) == "green, textured, small, in the bottom right corner"
    assert describe(replace(anywhere, y_spread=0.1, x_spread=0.1, border=0.0)) == "green, in the middle"
    assert describe(replace(anywhere, border=0.9, texture=-1)) == "green, smooth, at the border"


def test_a_baseline_of_other_pictures_is_another_one_and_always_the_same() -> None:
    pool = np.random.default_rng(0).integers(0, 255, (5, 8, 8, 3)).astype(np.uint8)
    baseline, labels = ReferenceImages(pool), np.zeros((8, 8), np.int32)
    shown = []
    for image in pool:
        pixels = image.astype(np.float32)
        other = baseline(pixels, labels)
        assert not np.array_equal(other, pixels)
        assert any(np.array_equal(other, each) for each in pool)
        np.testing.assert_array_equal(other, ReferenceImages(pool)(pixels, labels))
        shown.append(other.tobytes())
    assert len(set(shown)) > 1
    with pytest.raises(ValueError, match="`pool` must be at least two images"):
        ReferenceImages(pool[:1])
    with pytest.raises(ValueError, match="all the same"):
        ReferenceImages(np.zeros((3, 8, 8)))
