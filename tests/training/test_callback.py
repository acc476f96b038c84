"""The callback in real trainings, under whichever backend is active; what it wrote is read back from the files."""

import csv
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import LimeCallback, ProbeSet
from keras_lime.exceptions import LimeWarning
from keras_lime.tensorboard.records import MANIFEST_TAG, SUMMARY_TAG, Record, result_tag
from tests.support.events import read_events

SIZE = 24
NAMES = ("left", "right")


def bright_squares(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise with a bright square in the left or right half; images float32 0..1, labels, object masks."""
    rng = np.random.default_rng(seed)
    images = rng.uniform(0, 0.4, (count, SIZE, SIZE, 3)).astype(np.float32)
    labels = np.arange(count) % 2
    masks = np.zeros((count, SIZE, SIZE), bool)
    for image, label, mask in zip(images, labels, masks, strict=True):
        top, left = rng.integers(2, 14), rng.integers(0, 4) + 14 * label
        mask[top : top + 6, left : left + 6] = True
        image[mask] += 0.6
    return images, labels, masks


def probes(**given: Any) -> ProbeSet:
    images, labels, masks = bright_squares(4, seed=9)
    arguments: dict[str, Any] = {"masks": masks, "class_names": NAMES} | given
    return ProbeSet(images, labels, **arguments)


def make_model() -> keras.Model:
    # One that learns something in two epochs, under every backend.
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(callbacks: list[Any], model: keras.Model | None = None, **given: Any) -> Any:
    images, labels, _ = bright_squares(64)
    model = model or make_model()
    return model.fit(images, labels, callbacks=callbacks, **{"epochs": 2, "verbose": 0, "batch_size": 16} | given)


def callback(log_dir: Path, **given: Any) -> LimeCallback:
    settings: dict[str, Any] = {
        "segmentation": "grid",
        "n_segments": 36,
        "num_samples": 64,
        "on_error": "raise",
        "baseline": "grey",
    }
    return LimeCallback(given.pop("probe_set", None) or probes(), log_dir, **settings | given)


def test_training_with_the_callback_learns_and_logs(tmp_path: Path) -> None:
    history = fit([callback(tmp_path, num_samples=200, baseline=0.2)], epochs=8).history
    assert len(history["lime_object_share"]) == len(history["lime_r2"]) == 8
    chance = float(probes().masks.mean())  # type: ignore[union-attr]
    assert history["lime_object_share"][-1] > 3 * chance
    events = read_events(tmp_path / "lime")
    summary = events.records(SUMMARY_TAG)
    assert list(summary) == list(range(8))
    share = summary[7].array("object_share")
    assert share == pytest.approx(history["lime_object_share"][-1], abs=1e-6)
    assert float(summary[7].array("object_chance")) == pytest.approx(chance)  # type: ignore[arg-type]
    assert events.scalars("object_share")[7] == pytest.approx(history["lime_object_share"][7], abs=1e-6)
    assert set(events.tags("scalars")) == {
        f"{name}{suffix}"
        for name in ("object_share", "r2", "probability")
        for suffix in ("", "_by_class/left", "_by_class/right")
    } | {
        f"shortcut/{name}"
        for name in ("reliance", "swap_flip", "same_flip", "p_background", "p_object", "marker_strength")
    }


@pytest.mark.filterwarnings("ignore::keras_lime.exceptions.LimeWarning")
def test_of_many_classes_the_first_twenty_have_scalars(tmp_path: Path) -> None:
    images = np.random.default_rng(0).uniform(0, 1, (30, SIZE, SIZE, 3)).astype(np.float32)
    layers = [keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(30, activation="softmax")]
    model = keras.Sequential(layers)
    shown = callback(tmp_path, probe_set=ProbeSet(images, np.arange(30)), shortcut_threshold=None)
    for epoch in range(2):
        shown.explain(model, epoch)
    shown.close()
    events = read_events(tmp_path / "lime")
    tags = [tag for tag in events.tags("scalars") if tag.startswith("probability_by_class/")]
    assert sorted(tags) == sorted(f"probability_by_class/class {label}" for label in range(20))
    assert len(events.records(SUMMARY_TAG)[1].array("class_ids")) == 30  # type: ignore[arg-type]


def test_records_hold_what_was_explained(tmp_path: Path) -> None:
    probe_set = probes()
    model = make_model()
    fit([callback(tmp_path, probe_set=probe_set)], model, epochs=1)
    explanations = callback(tmp_path / "again", probe_set=probe_set).explain(model, 0)
    events = read_events(tmp_path / "lime")
    manifest = events.records(MANIFEST_TAG)[0].header
    assert [probe["id"] for probe in manifest["probes"]] == list(probe_set.ids)
    assert manifest["class_names"] == list(NAMES)
    assert manifest["settings"]["num_samples"] == 64
    for explanation, identity in zip(explanations, probe_set.ids, strict=True):
        record = events.records(result_tag(identity))[0]
        assert tuple(record.array("targets")) == explanation.targets  # type: ignore[arg-type]
        np.testing.assert_allclose(np.asarray(record.array("coef")), explanation.fit.coef, atol=1e-5)
        np.testing.assert_allclose(np.asarray(record.array("prediction")), explanation.prediction, atol=1e-5)
        np.testing.assert_allclose(
            np.asarray(record.array("stderr")), np.asarray(explanation.fit.stderr), rtol=2e-3, atol=1e-6
        )
        assert record.header["predicted"] == explanation.predicted


def _coef(record: Record) -> np.ndarray:
    return np.asarray(record.array("coef"))


def test_epochs_differ_by_the_model_alone(tmp_path: Path) -> None:
    frozen = make_model()
    frozen.trainable = False
    frozen.compile("adam", "sparse_categorical_crossentropy")
    fit([callback(tmp_path)], frozen, epochs=3)
    records = read_events(tmp_path / "lime").records(result_tag(probes().ids[0]))
    for step in (1, 2):
        np.testing.assert_allclose(_coef(records[step]), _coef(records[0]), atol=1e-6)


def test_keys_are_in_logs_at_every_epoch_and_never_nan(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lime = callback(tmp_path, epochs=3)
    stop = keras.callbacks.EarlyStopping(monitor="lime_object_share", mode="max", patience=99)
    history = fit([lime, stop, keras.callbacks.CSVLogger(str(path))], epochs=7).history
    assert stop.best == max(history["lime_object_share"])
    with path.open() as file:
        rows = list(csv.DictReader(file))
    shares = [float(row["lime_object_share"]) for row in rows]
    assert np.isfinite(shares).all()
    assert shares[0] == shares[1] != shares[2] == shares[3] == shares[4] != shares[5] == shares[6]
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [0, 2, 5]


def test_a_model_that_cannot_be_explained_leaves_chance_and_zero(tmp_path: Path) -> None:
    model = make_model()
    model.layers[-1].set_weights([np.zeros_like(w) for w in model.layers[-1].get_weights()])
    model.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy")
    history = fit([callback(tmp_path)], model, epochs=1).history
    assert history["lime_r2"] == [0.0]
    assert history["lime_object_share"] == [pytest.approx(probes().masks.mean())]  # type: ignore[union-attr]
    record = read_events(tmp_path / "lime").records(result_tag(probes().ids[0]))[0]
    assert np.isnan(record.array("r2")).all()  # type: ignore[arg-type]
    assert np.isnan(record.array("object_share")).all()  # type: ignore[arg-type]


def test_without_masks_there_is_no_object_share(tmp_path: Path) -> None:
    history = fit([callback(tmp_path, probe_set=probes(masks=None))], epochs=1).history
    assert "lime_object_share" not in history
    assert "lime_r2" in history
    assert "object_share" not in read_events(tmp_path / "lime").tags("scalars")


def test_pictures_of_few_probes_at_few_epochs_the_last_included(tmp_path: Path) -> None:
    fit([callback(tmp_path, max_images=2)], epochs=25)
    events = read_events(tmp_path / "lime")
    tags = events.tags("images")
    assert set(tags) == set(probes().names[:2])
    for tag in tags:
        steps = list(events.images(tag))
        assert len(steps) == 10
        assert steps[0] == 0
        assert steps[-1] == 24
        assert all(image.size == (SIZE, SIZE) for image in events.images(tag).values())


def test_early_stopping_still_leaves_the_last_picture(tmp_path: Path) -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 7

    fit([callback(tmp_path, max_images=1), Stop()], epochs=100)
    steps = list(read_events(tmp_path / "lime").images(probes().names[0]))
    assert steps[-1] == 7
    assert len(steps) <= 10


def test_a_second_fit_and_a_resumed_one(tmp_path: Path) -> None:
    lime, model = callback(tmp_path), make_model()
    fit([lime], model, epochs=3)
    fit([lime], model, initial_epoch=3, epochs=6)
    events = read_events(tmp_path / "lime")
    assert list(events.records(SUMMARY_TAG)) == list(range(6))
    assert events.session_starts == [0, 3]
    assert list(events.records(MANIFEST_TAG)) == [0, 3]
    history = fit([lime], model, epochs=2).history
    events = read_events(tmp_path / "lime")
    assert list(events.records(SUMMARY_TAG)) == list(range(8))
    assert events.records(MANIFEST_TAG)[6].header["fits"] == [0, 3, 6]
    assert len(history["lime_r2"]) == 2


def test_the_first_epoch_is_always_explained(tmp_path: Path) -> None:
    history = fit([callback(tmp_path, epochs={4})], initial_epoch=2, epochs=6).history
    assert len(history["lime_r2"]) == 4
    assert list(read_events(tmp_path / "lime").records(SUMMARY_TAG)) == [2, 4]


def test_two_callbacks_live_side_by_side(tmp_path: Path) -> None:
    images, labels, masks = bright_squares(2, seed=5)
    both = [
        callback(tmp_path),
        callback(tmp_path, probe_set=ProbeSet(images, labels, masks=masks), name="lime_train"),
    ]
    history = fit(both, epochs=1).history
    assert {"lime_r2", "lime_train_r2", "lime_object_share", "lime_train_object_share"} <= set(history)
    assert {path.name for path in tmp_path.iterdir()} == {"lime", "lime_train"}


def test_two_callbacks_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"`name` must be unique.*'lime' twice"):
        fit([callback(tmp_path), callback(tmp_path / "other")])


class _Breaks(keras.callbacks.Callback):
    """Makes the model's output NaN at the end of the second epoch, and whole again at the end of the third."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            self.kept = self.model.get_weights()
            self.model.set_weights([np.full_like(weight, np.nan) for weight in self.kept])
        elif epoch == 2:
            self.model.set_weights(self.kept)


def test_a_failure_warns_once_and_training_goes_on(tmp_path: Path) -> None:
    lime = callback(tmp_path, on_error="warn")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LimeWarning)
        history = fit([_Breaks(), lime], epochs=5).history
    messages = [str(each.message) for each in caught if each.category is LimeWarning]
    assert re.search(r"could not explain epoch 1; training goes on.*probe .*finite", messages[0])
    assert len(messages) <= 2
    assert all("at the end of training: " in message for message in messages[1:])
    assert len(history["lime_r2"]) == 5
    assert history["lime_r2"][1] == history["lime_r2"][0]
    assert {0, 2} <= set(read_events(tmp_path / "lime").records(SUMMARY_TAG)) <= {0, 2, 3, 4}


def test_on_error_raise_raises(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="finite"):
        fit([_Breaks(), callback(tmp_path)], epochs=5)


def test_a_folder_that_cannot_be_written_stops_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    seen: list[int] = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    with pytest.raises(OSError, match="file"):
        fit([callback(tmp_path / "file"), count])
    assert not seen


@pytest.mark.skipif(os.name != "posix", reason="needs a disk that refuses: /dev/full is POSIX")
def test_a_full_disk_only_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lime = callback(tmp_path, on_error="warn")

    def fill(epoch: int, logs: Any) -> None:
        full = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
        monkeypatch.setattr(lime._journal.log._writer._file, "_file", full)  # type: ignore[union-attr]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LimeWarning)
        history = fit([keras.callbacks.LambdaCallback(on_epoch_end=fill), lime], epochs=3).history
    messages = [str(each.message) for each in caught if each.category is LimeWarning]
    # Other warnings, as of a blind baseline, may come before.
    assert any(re.search(f"could not write epoch 0 to {tmp_path}.*No space left", each) for each in messages)
    assert any("at the end of training: 3 epochs could not be written" in each for each in messages)
    assert len(history["lime_object_share"]) == 3
    assert len(set(history["lime_object_share"])) > 1


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"num_sample": 3}, TypeError, "Did you mean `num_samples`"),
        ({"epochs": 0}, ValueError, "`epochs`"),
        ({"max_images": -1}, ValueError, "`max_images`"),
        ({"verbose": 3}, ValueError, "`verbose`"),
        ({"on_error": "ignore"}, ValueError, "`on_error`"),
        ({"name": "a/b"}, ValueError, "`name`"),
        ({"name": "validation"}, ValueError, "`name`"),
        ({"probe_set": np.zeros((2, 8, 8, 3))}, TypeError, "`probes` must be a ProbeSet"),
        ({"segmentation": "voronoi"}, ValueError, "`segmentation`"),
    ],
)
def test_bad_arguments_are_refused_at_once(
    tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = dict(change)
    probe_set = given.pop("probe_set", probes())
    with pytest.raises(error, match=message):
        LimeCallback(probe_set, tmp_path, **given)
    assert not list(tmp_path.iterdir())


def test_a_url_is_no_log_dir() -> None:
    with pytest.raises(ValueError, match="`log_dir`"):
        LimeCallback(probes(), "gs://bucket/logs")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ProbeSet(bright_squares(2)[0][:, :12]), "shape"),
        (lambda: ProbeSet(bright_squares(2)[0], [0, 7]), "below the model's 2 outputs"),
        (lambda: probes(class_names=("a", "b", "c")), "`class_names`"),
    ],
)
def test_probes_that_do_not_fit_stop_before_anything_is_written(
    tmp_path: Path, make: Callable[[], ProbeSet], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit([callback(tmp_path, probe_set=make())])
    assert not list(tmp_path.iterdir())


def test_a_loop_of_ones_own(tmp_path: Path) -> None:
    lime, model = callback(tmp_path), make_model()
    images, labels, _ = bright_squares(32)
    for epoch in range(3):
        model.train_on_batch(images, labels)
        explanations = lime.explain(model, epoch)
        assert [explanation.name for explanation in explanations] == list(probes().names)
        assert explanations[0].step == epoch
    lime.close()
    events = read_events(tmp_path / "lime")
    assert list(events.records(SUMMARY_TAG)) == [0, 1, 2]
    assert list(events.images(probes().names[0]))[-1] == 2


def test_progress_is_a_line_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit([callback(tmp_path)], epochs=1, verbose=1)
    shown = capsys.readouterr().out
    assert "lime: explaining 4 probes" in shown
    assert "lime_seconds" in shown
    fit([callback(tmp_path)], epochs=1, verbose=2)
    assert "lime: 4 probes in " in capsys.readouterr().out
    fit([callback(tmp_path)], epochs=1, verbose=0)
    fit([callback(tmp_path, verbose=0)], epochs=1, verbose=0)
    assert capsys.readouterr().out == ""


def test_no_random_state_is_read_or_changed(tmp_path: Path) -> None:
    def weights(callbacks: list[Any]) -> list[np.ndarray]:
        keras.utils.set_random_seed(3)
        model = make_model()
        fit(callbacks, model)
        return [np.asarray(weight) for weight in model.get_weights()]

    for plain, explained in zip(weights([]), weights([callback(tmp_path)]), strict=True):
        assert np.array_equal(plain, explained)


def test_the_same_run_twice_writes_the_same_numbers(tmp_path: Path) -> None:
    def coef(folder: Path) -> list[np.ndarray]:
        keras.utils.set_random_seed(3)
        fit([callback(folder)], make_model())
        events = read_events(folder / "lime")
        return [
            np.asarray(record.array("coef")) for i in probes().ids for record in events.records(result_tag(i)).values()
        ]

    for first, second in zip(coef(tmp_path / "a"), coef(tmp_path / "b"), strict=True):
        np.testing.assert_array_equal(first, second)


def test_nothing_of_ours_warns_in_a_plain_training(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit([callback(tmp_path)])
    assert not [each for each in caught if issubclass(each.category, LimeWarning)]
