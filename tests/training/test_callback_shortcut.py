"""The callback's shortcut alarm, in real trainings on pictures with a planted shortcut; read back from the files."""

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from keras_lime import LimeCallback, ProbeSet
from keras_lime.exceptions import LimeWarning
from keras_lime.shortcut.decision import Verdict
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, SWAPS_TAG, probe_tag, result_tag
from tests.support.events import Events, read_events
from tests.support.worlds import Reader, background_reader, corner_reader, object_reader, squares

NAMES = ("stop", "yield", "limit", "entry")


def probes(**given: Any) -> ProbeSet:
    images, labels, masks = squares(32, seed=5)
    keywords: dict[str, Any] = {"masks": masks, "class_names": NAMES}
    return ProbeSet(images, labels, **keywords | given)


def callback(log_dir: Path, probe_set: ProbeSet | None = None, **given: Any) -> LimeCallback:
    settings: dict[str, Any] = {
        "segmentation": "grid",
        "n_segments": 16,
        "num_samples": 32,
        "baseline": "grey",
        "on_error": "raise",
    }
    return LimeCallback(probe_set or probes(), log_dir, **settings | given)


def follow(
    reader: Reader, log_dir: Path, accuracies: tuple[float, ...] = (0.9, 0.9, 0.9), **given: Any
) -> tuple[list[Verdict], Events]:
    """Explains a reader as if it were trained, and collects the alarms."""
    alarms: list[Verdict] = []
    lime = callback(log_dir, on_alarm=alarms.append, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LimeWarning)
        for epoch, accuracy in enumerate(accuracies):
            lime.explain(reader, epoch, {"accuracy": accuracy})
        lime.close()
    return alarms, read_events(log_dir / "lime")


def train(callbacks: list[Any], biased: bool, epochs: int = 4) -> Any:
    """A network that can only read the mean colour: of the background, where that tells the class."""
    images, labels, _ = squares(128, biased=biased, seed=1)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Rescaling(1 / 25, offset=-4),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(images, labels, batch_size=16, epochs=epochs, verbose=0, callbacks=callbacks)


def test_a_planted_shortcut_raises_the_alarm_during_training(tmp_path: Path) -> None:
    alarms: list[Verdict] = []
    with pytest.warns(
        LimeWarning, match=r"Shortcut alarm at epoch \d\. .* follow the class of the background.* reads the background"
    ):
        history = train([callback(tmp_path, on_alarm=alarms.append)], biased=True, epochs=8).history
    assert len(alarms) == 1
    assert history["lime_swap_flip"][-1] > 0.5
    assert history["lime_reliance"][-1] > 0.5
    assert np.isfinite(history["lime_swap_flip"]).all()


def test_training_can_be_stopped(tmp_path: Path) -> None:
    with pytest.warns(LimeWarning, match="Shortcut alarm"):
        history = train([callback(tmp_path, stop_training=True)], biased=True, epochs=50).history
    assert len(history["loss"]) < 20


def test_a_reader_of_the_object_raises_none(tmp_path: Path) -> None:
    alarms, events = follow(object_reader(), tmp_path)
    assert not alarms
    record = events.records(SUMMARY_TAG)[2]
    assert record.array("swap_flip") == 0
    assert record.array("shortcut_alarm") == 0
    entry = record.header["shortcut"]
    assert (entry["alarm"], entry["began"], entry["status"]) == (False, None, "passed")
    assert [(test["test"], test["status"]) for test in entry["tests"]] == [
        ("swap", "passed"),
        ("markers", "passed"),
    ]


def test_the_records_hold_what_the_page_needs(tmp_path: Path) -> None:
    alarms, events = follow(background_reader(), tmp_path)
    assert len(alarms) == 1
    manifest = events.records(MANIFEST_TAG)[0].header["shortcut"]
    assert manifest["swap"] is True
    assert manifest["n_swapped"] == 32
    assert manifest["n_donors"] == 4
    assert manifest["reliance_threshold"] == 0.1
    assert manifest["least_probes"] == 30
    summary = events.records(SUMMARY_TAG)
    assert [int(record.array("shortcut_alarm")) for record in summary.values()] == [0, 1, 1]  # type: ignore[arg-type]
    assert summary[2].header["shortcut"]["began"] == 1
    assert "for 3 measurements in a row" in summary[2].header["shortcut"]["words"]
    assert summary[2].header["shortcut"]["readings"][0]["test"] == "swap"
    np.testing.assert_allclose(summary[0].arrays["class_swap_flip"], np.ones(4))
    assert summary[0].array("swap_chance") == 0.25
    assert summary[0].array("reliance") == pytest.approx(1)
    assert summary[0].arrays["reliance_stderr"] > 0
    assert summary[0].array("same_flip") == 0
    assert events.scalars("shortcut/reliance") == pytest.approx({0: 1.0, 1: 1.0, 2: 1.0})
    assert events.scalars("shortcut/swap_flip") == {0: 1.0, 1: 1.0, 2: 1.0}
    assert events.tags("text") == ["shortcut"]


def test_the_swapped_pictures_themselves(tmp_path: Path) -> None:
    _, events = follow(background_reader(), tmp_path)
    swaps = events.records(SWAPS_TAG)
    assert 0 in swaps
    record = swaps[0]
    pairs = record.header["pairs"]
    assert len(pairs) == 4
    probe_set = probes()
    for index, pair in enumerate(pairs):
        assert pair["before"] != pair["after"]
        assert 0 < pair["before_value"] <= 1
        place = probe_set.ids.index(pair["probe"])
        shown = np.asarray(Image.open(BytesIO(record.arrays[f"picture_{index}"].tobytes())))
        mask = probe_set.masks[place]  # type: ignore[index]
        np.testing.assert_array_equal(shown[mask], probe_set.images[place][mask])
    unchanged = follow(object_reader(), tmp_path / "other")[1].records(SWAPS_TAG)
    assert [(record.header["pairs"], record.arrays) for record in unchanged.values()] == [([], {})] * len(unchanged)
    assert unchanged


def test_no_alarm_before_training_has_got_somewhere(tmp_path: Path) -> None:
    assert not follow(background_reader(), tmp_path, (0.1, 0.3, 0.4, 0.9))[0]


def test_a_watermark_is_found_without_masks(tmp_path: Path) -> None:
    alarms, events = follow(corner_reader(), tmp_path, probe_set=probes(masks=None, outlines=None))
    assert "bottom right corner" in alarms[0].message
    record = events.records(SUMMARY_TAG)[2]
    assert record.array("swap_flip") is None
    assert int(record.array("occlusion_drop")[:4].argmax()) == 3  # type: ignore[index]
    assert "no object masks" in events.records(MANIFEST_TAG)[0].header["shortcut"]["unmeasured"][0]


def test_with_masks_the_alarm_says_where_the_watermark_is(tmp_path: Path) -> None:
    alarms, _ = follow(corner_reader(), tmp_path)
    assert "reads the background" in alarms[0].message
    assert "Hiding the bottom right corner alone takes" in alarms[0].message


@pytest.mark.parametrize(
    "given",
    [
        {"masks": np.zeros((32, 32, 32), bool)},
        {"masks": np.ones((32, 32, 32), bool)},
        {"masks": None, "outlines": None},
    ],
)
def test_masks_that_tell_nothing_raise_no_alarm_of_the_background(tmp_path: Path, given: dict[str, Any]) -> None:
    alarms, events = follow(background_reader(), tmp_path, probe_set=probes(**given))
    assert not any("swap" in measurement.kind for verdict in alarms for measurement in verdict.measurements)
    assert events.records(SUMMARY_TAG)[2].array("swap_flip") is None
    assert events.records(MANIFEST_TAG)[0].header["shortcut"]["unmeasured"]


def test_one_class_in_all_one_probe_in_a_class_and_none_right(tmp_path: Path) -> None:
    images, labels, masks = squares(16)
    one = ProbeSet(images, np.zeros(16, int), masks=masks)
    assert (
        "one class"
        in follow(object_reader(), tmp_path / "a", probe_set=one)[1]
        .records(MANIFEST_TAG)[0]
        .header["shortcut"]["unmeasured"][0]
    )
    lonely = ProbeSet(images[:5], [0, 1, 1, 1, 1], masks=masks[:5])
    alarms, events = follow(background_reader(), tmp_path / "b", probe_set=lonely)
    assert not alarms
    assert np.isnan(events.records(SUMMARY_TAG)[0].array("class_swap_flip_stderr")[0])  # type: ignore[index]
    wrong = ProbeSet(images, (labels + 1) % 4, masks=masks)
    assert not follow(object_reader(), tmp_path / "c", probe_set=wrong)[0]


def test_a_regression_and_no_labels_are_not_measured(tmp_path: Path) -> None:
    images, _, masks = squares(16)
    unlabelled = ProbeSet(images, masks=masks)
    _, events = follow(object_reader(), tmp_path / "a", probe_set=unlabelled)
    assert events.records(SUMMARY_TAG)[2].array("swap_flip") is None
    assert "no labels" in events.records(MANIFEST_TAG)[0].header["shortcut"]["unmeasured"][0]
    lime = callback(tmp_path / "b", unlabelled, output="regression")
    lime.explain(lambda shown: shown.mean(axis=(1, 2, 3))[:, None], 0)
    lime.close()
    assert read_events(tmp_path / "b" / "lime").records(SUMMARY_TAG)[0].array("occlusion_drop") is None


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    alarms, events = follow(background_reader(), tmp_path, shortcut_threshold=None)
    assert not alarms
    assert events.records(SUMMARY_TAG)[2].array("swap_flip") is None
    assert events.records(MANIFEST_TAG)[0].header["shortcut"] is None


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"shortcut_threshold": 1.5}, ValueError, "`shortcut_threshold`"),
        ({"shortcut_threshold": "high"}, ValueError, "`shortcut_threshold`"),
        ({"patience": 0}, ValueError, "`patience`"),
        ({"on_alarm": "print"}, TypeError, "`on_alarm`"),
    ],
)
def test_bad_arguments(tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        callback(tmp_path, **change)


def test_markers_are_logged_with_their_boxes(tmp_path: Path) -> None:
    alarms, events = follow(corner_reader(), tmp_path)
    assert "small things off the object carry" in alarms[0].message
    assert "Remove or cover it in all images" in alarms[0].message
    entry = events.records(SUMMARY_TAG)[2].header["shortcut"]
    assert "markers" in {reading["test"].split()[-1] for reading in entry["readings"]}
    assert len(entry["markers"]) == 8
    by_id = dict(zip(probes().ids, probes().names, strict=True))
    for marker in entry["markers"]:
        top, left, bottom, right = marker["box"]
        # The tag is in the bottom right corner.
        assert (bottom, right) == (32, 32)
        assert (top, left) <= (27, 27)
        assert marker["strength"] > 0.5
        assert by_id[marker["probe"]] == marker["name"]
    assert "markers" not in events.records(SUMMARY_TAG)[0].header["shortcut"]


def test_the_test_costs_few_forward_passes(tmp_path: Path) -> None:
    reader = object_reader()
    lime = callback(tmp_path)
    lime.explain(reader, 0)
    with_test, reader.passes = reader.passes, 0
    plain = callback(tmp_path / "plain", shortcut_threshold=None)
    plain.explain(reader, 0)
    # Ten for the swap and four in search of markers; at most six more where one may be.
    assert with_test - reader.passes == 32 * 14


def test_gradients_are_a_cross_check_in_the_log(tmp_path: Path) -> None:
    train([callback(tmp_path, cross_check=True, shortcut_threshold=None, baseline="grey")], biased=True, epochs=2)
    events = read_events(tmp_path / "lime")
    for probe in events.records(MANIFEST_TAG)[0].header["probes"]:
        for record in events.records(result_tag(probe["id"])).values():
            agreement = record.array("gradient_agreement")
            assert agreement is not None
            assert agreement.shape == record.arrays["targets"].shape
            assert (np.isnan(agreement) | (np.abs(agreement) <= 1)).all()
    assert all("cross_check" not in record.header for record in events.records(SUMMARY_TAG).values())


def test_a_model_without_gradients_is_explained_all_the_same(tmp_path: Path) -> None:
    lime = callback(tmp_path, cross_check=True)
    reader = object_reader()
    with pytest.warns(LimeWarning, match="no gradients to compare"):
        lime.explain(reader, 0)
    # Said once: a second warning would be an error here.
    lime.explain(reader, 1)
    lime.close()
    record = read_events(tmp_path / "lime").records(SUMMARY_TAG)[1]
    assert record.header["cross_check"].startswith("The model gives no gradients")
    assert record.array("r2") is not None


def test_nothing_tested_is_no_all_clear(tmp_path: Path) -> None:
    _, events = follow(object_reader(), tmp_path, probe_set=probes(masks=None, outlines=None))
    text = events.texts("shortcut")[0]
    assert text.startswith("**Not tested** — The probes have no object masks or boxes")
    assert "Give `ProbeSet` their `masks` or `boxes`" in text
    assert events.records(SUMMARY_TAG)[2].header["shortcut"]["status"] == "not tested"


@pytest.mark.parametrize("answer", [0, 3])
def test_a_dead_network_gets_no_all_clear_and_no_good_keys(tmp_path: Path, answer: int) -> None:
    def dead(images: np.ndarray) -> np.ndarray:
        return np.tile(0.97 * np.eye(4)[answer] + 0.01 * (1 - np.eye(4)[answer]), (len(images), 1))

    lime = callback(tmp_path)
    lime.explain(dead, 0, {"accuracy": 0.9})
    lime.close()
    record = read_events(tmp_path / "lime").records(SUMMARY_TAG)[0]
    assert record.array("swap_flip") == 0
    assert record.header["shortcut"]["status"] == "cannot say"
    assert f"predicts {NAMES[answer]} for all 32 probes" in record.header["shortcut"]["tests"][0]["reason"]
    keys = lime._metrics
    assert keys == {
        "lime_r2": 0.0,
        "lime_object_share": pytest.approx(probes().masks.mean()),  # type: ignore[union-attr]
        "lime_swap_flip": 1.0,
        "lime_reliance": 1.0,
        "lime_marker_strength": 1.0,
    }


def test_a_network_that_guesses_gets_no_good_keys(tmp_path: Path) -> None:
    images, labels, masks = squares(16, seed=5)
    lime = callback(tmp_path, ProbeSet(images, np.roll(labels, 1), masks=masks))
    lime.explain(object_reader(), 0, {"accuracy": 0.9})
    lime.close()
    assert lime._metrics["lime_swap_flip"] == 1.0
    assert lime._metrics["lime_r2"] > 0


def test_estimated_outlines_take_the_place_of_masks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alarms, events = follow(background_reader(), tmp_path, probe_set=probes(masks=None))
    assert alarms[0].message.startswith("Suspicion, by estimated outlines: 100 ± 3 % of the predictions follow")
    assert [result["test"] for result in events.records(SUMMARY_TAG)[2].header["shortcut"]["tests"]] == [
        "swap",
        "markers",
    ]
    _, _, masks = squares(32, seed=5)
    for probe, mask in zip(probes().ids, masks, strict=True):
        record = events.records(probe_tag(probe))[0]
        assert record.header["outline"] == "estimated"
        assert record.array("object_mask") is None
        estimated = record.arrays["estimated_mask"].astype(bool)
        assert (estimated & mask).sum() > 0.9 * mask.sum()
        assert estimated.mean() < 0.3
    assert events.records(SUMMARY_TAG)[2].array("object_share") is None or np.isnan(
        events.records(SUMMARY_TAG)[2].arrays["object_share"]
    )
    assert not follow(object_reader(), tmp_path / "object", probe_set=probes(masks=None))[0]


def test_the_log_says_what_outlines_are(tmp_path: Path) -> None:
    _, events = follow(object_reader(), tmp_path, (0.9,))
    record = events.records(probe_tag(probes().ids[0]))[0]
    assert record.header["outline"] == "box"
    assert record.array("estimated_mask") is None


def test_outlines_of_a_function_of_ones_own(tmp_path: Path) -> None:
    shapes = set()

    def outline(shown: np.ndarray) -> np.ndarray:
        shapes.add((shown.shape, shown.dtype))
        return shown[..., 0] == 20  # type: ignore[no-any-return]

    alarms, events = follow(background_reader(), tmp_path, probe_set=probes(masks=None, outlines=outline))
    assert "Suspicion, by estimated outlines" in alarms[0].message
    assert shapes == {((32, 32, 3), np.dtype(np.uint8))}
    estimated = events.records(probe_tag(probes().ids[0]))[0].arrays["estimated_mask"]
    np.testing.assert_array_equal(estimated, probes().masks[0])  # type: ignore[index]
    with pytest.raises(ValueError, match=r"`outlines` must give masks of the image's height and width, \(32, 32\)"):
        follow(object_reader(), tmp_path / "bad", probe_set=probes(masks=None, outlines=lambda shown: shown))


def test_images_without_objects_give_no_verdict(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (32, 32, 32, 3)).astype(np.uint8)
    alarms, events = follow(background_reader(), tmp_path, probe_set=ProbeSet(images, np.arange(32) % 4))
    assert not any(each.test == "swap" for verdict in alarms for each in verdict.measurements)
    header = events.records(SUMMARY_TAG)[2].header["shortcut"]
    assert [test["status"] for test in header["tests"] if test["test"] == "swap"] == ["cannot say"]
    assert "reliable" in header["tests"][0]["reason"] or "No object was found" in header["tests"][0]["reason"]


def test_further_images_are_tested_and_not_explained(tmp_path: Path) -> None:
    images, labels, masks = squares(40, seed=5)
    few = ProbeSet(images, labels, masks=masks, class_names=NAMES).explaining(8)
    alarms, events = follow(background_reader(), tmp_path, probe_set=few)
    assert alarms
    manifest = events.records(MANIFEST_TAG)[0].header
    assert manifest["shortcut"]["n_swapped"] == 40
    assert len(manifest["probes"]) == 8
    pairs = events.records(SWAPS_TAG)[0].header["pairs"]
    assert pairs
    assert {pair["probe"] for pair in pairs} <= {probe["id"] for probe in manifest["probes"]}
    assert {pair["donor"] for pair in pairs} <= set(few.tested.ids)
