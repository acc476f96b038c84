"""The nearest training images: found by the model's own features, at few epochs, and never in training's way."""

import base64
import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from keras_lime import LimeCallback, ProbeSet
from keras_lime.tensorboard.records import NEIGHBOURS_TAG
from keras_lime.training.nearest_images import NearestImages, penultimate
from tests.support.events import read_events
from tests.support.models import photo
from tests.support.serving import binary, client_of, provider_of
from tests.support.worlds import object_reader, squares
from tests.training.test_effects import messages_of

IMAGES, LABELS, _ = squares(40, seed=3)
PHOTOS = np.stack([photo(32, seed) for seed in range(40)])
FEW: dict[str, Any] = {
    "segmentation": "grid",
    "n_segments": 16,
    "num_samples": 32,
    "baseline": "grey",
    "shortcut_threshold": None,
}


def model_of(*head: keras.layers.Layer) -> keras.Model:
    keras.utils.set_random_seed(0)
    body = [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(6, 5, strides=3),
        keras.layers.GlobalAveragePooling2D(),
    ]
    model = keras.Sequential([keras.Input((32, 32, 3)), *body, *head])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def test_a_probe_that_is_in_the_training_data_is_its_own_neighbour(tmp_path: Path) -> None:
    model = model_of(keras.layers.Dense(5), keras.layers.Dense(4, activation="softmax"))
    probes = ProbeSet(PHOTOS[4:7], LABELS[4:7])
    lime = LimeCallback(probes, tmp_path, neighbours=(PHOTOS, LABELS), on_error="raise", **FEW)
    model.fit(PHOTOS, LABELS, epochs=2, verbose=0, callbacks=[lime])
    records = read_events(tmp_path / "lime").records(NEIGHBOURS_TAG)
    assert list(records) == [0, 1]
    pairs = records[1].header["pairs"]
    assert [pair["probe"] for pair in pairs] == [identity for identity in probes.ids for _ in range(5)]
    for row in range(3):
        first, *others = pairs[5 * row : 5 * row + 5]
        assert first["similarity"] == pytest.approx(1, abs=1e-4)
        assert first["label"] == LABELS[4 + row]
        assert [each["similarity"] for each in others] == sorted((each["similarity"] for each in others), reverse=True)
        picture = Image.open(BytesIO(records[1].arrays[f"picture_{first['picture']}"].tobytes()))
        np.testing.assert_array_equal(np.asarray(picture), PHOTOS[4 + row])
    with provider_of("slow", tmp_path, {"lime": 1}) as provider:
        client = client_of(provider)
        arrays, meta = binary(client, "neighbours", run="lime", step="0")
        _, none = binary(client, "neighbours", run="lime", step="-1")
    assert (meta["step"], meta["steps"], len(meta["pairs"])) == (0, [0, 1], 15)
    assert f"picture_{meta['pairs'][0]['picture']}" in arrays
    assert (none["step"], none["pairs"]) == (None, [])


def test_the_features_are_those_before_the_last_layer_with_weights() -> None:
    head = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3)])
    deep = keras.Sequential([keras.Input((6,)), keras.layers.Dense(7), keras.layers.Dense(3)])
    sizes = [
        penultimate(model_of(*layers)).output.shape[-1]
        for layers in ([keras.layers.Dense(5), keras.layers.Dense(3), keras.layers.Softmax()], [head], [deep])
    ]
    assert sizes == [5, 6, 7]
    images = IMAGES[:3].astype(np.float32)
    model = model_of(keras.layers.Dense(3))
    nearest = NearestImages(IMAGES, (32, 32, 3), None)
    nearest.follow(model)
    found = nearest.find(images)
    assert found is not None
    features = keras.ops.convert_to_numpy(
        keras.Model(model.inputs[0], model.layers[-2].output)(IMAGES.astype(np.float32))
    )
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(found.similarity, -np.sort(-unit[:3] @ unit.T, axis=1)[:, :5], atol=1e-5)
    assert found.labels is None


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (object_reader(), "no functional or sequential Keras model"),
        (model_of(keras.layers.Softmax()), "its last layer sees the image itself"),
    ],
)
def test_without_such_a_layer_it_is_said_once_and_training_goes_on(model: Any, words: str, tmp_path: Path) -> None:
    lime = LimeCallback(ProbeSet(IMAGES[:2], LABELS[:2]), tmp_path, neighbours=(IMAGES, LABELS), **FEW)

    def run() -> None:
        lime.explain(model, 0)
        lime.explain(model, 1)
        lime.close()

    assert len([message for message in messages_of(run) if words in message]) == 1
    events = read_events(tmp_path / "lime")
    assert not events.records(NEIGHBOURS_TAG)
    assert len(events.records("keras_lime/summary")) == 2


def test_a_failure_never_ends_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(keras.layers.Dense(4, activation="softmax"))
    lime = LimeCallback(ProbeSet(IMAGES[:2], LABELS[:2]), tmp_path, neighbours=(IMAGES, LABELS), **FEW)
    monkeypatch.setattr(NearestImages, "find", lambda *given: (_ for _ in ()).throw(MemoryError("no room")))
    messages = messages_of(lambda: model.fit(IMAGES, LABELS, epochs=2, verbose=0, callbacks=[lime]))
    assert "nearest training images of epoch 0" in messages[0]
    assert "MemoryError: no room" in messages[0]
    assert "Nearest training images are missing in 2 epochs." in messages[-1]
    assert len(model.history.history["lime_r2"]) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (IMAGES[:, ::2, ::2], r"probes' shape \(32, 32, 3\). Received: shape=\(16, 16, 3\)"),
        ([], "without any"),
    ],
)
def test_other_images_are_refused_at_once(given: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=words):
        LimeCallback(ProbeSet(IMAGES[:2], LABELS[:2]), tmp_path, neighbours=given, **FEW)


def test_data_without_end_is_read_as_far_as_needed_and_large_images_are_fewer(tmp_path: Path) -> None:
    def endless() -> Any:
        while True:
            yield np.zeros((500, 8, 8, 3), np.uint8), np.full(500, -1)

    kept = NearestImages(endless(), (8, 8, 3), None)
    assert len(kept._images) == 2000
    large = NearestImages(iter([np.zeros((4, 3000, 3000, 3), np.uint8)] * 9), (3000, 3000, 3), None)
    assert len(large._images) == (256 << 20) // (3000 * 3000 * 3)
    lime = LimeCallback(ProbeSet(IMAGES[:2], LABELS[:2]), tmp_path, neighbours=IMAGES, **FEW)
    assert pickle.loads(pickle.dumps(lime))._nearest is not None


def test_unusual_pictures_are_jpeg_files_of_96_pixels(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((6, 120, 100, 3), np.float32)
    model = keras.Sequential(
        [keras.Input((120, 100, 3)), keras.layers.GlobalMaxPooling2D(), keras.layers.Dense(3), keras.layers.Dense(2)]
    )
    lime = LimeCallback(ProbeSet(images[:1]), tmp_path, neighbours=images, output="logits", **FEW)
    lime.explain(model, 7)
    lime.close()
    (record,) = read_events(tmp_path / "lime").records(NEIGHBOURS_TAG).values()
    assert [pair["label"] for pair in record.header["pairs"]] == [None] * 5
    file = record.arrays["picture_0"].tobytes()
    assert base64.b64encode(file).startswith(b"/9j/")
    assert Image.open(BytesIO(file)).size == (80, 96)
