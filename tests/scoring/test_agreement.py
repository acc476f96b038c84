"""The comparison with `predict` at the start of a training, of an audit and of the shortcut tests."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import LimeCallback, ProbeSet, assert_no_shortcut, audit
from tests.support.classifiers import predict
from tests.support.predictors import OwnPredict, OwnStep, hub_classifier, network, to_signed_unit

SHAPE = (8, 8, 3)
GRID: Any = {"segmentation": "grid", "n_segments": 9, "num_samples": 32}


def raw(count: int = 8, shape: tuple[int, ...] = SHAPE) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, *shape)).astype(np.float32)


def compiled(model: Any) -> Any:
    model.compile(keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy")
    return model


def test_a_training_explains_what_predict_computes(tmp_path: Path) -> None:
    class Task(OwnStep):
        """Scales the images in every step, as public training scripts do."""

        def train_step(self, *arguments: Any) -> Any:
            images, labels = arguments[-1]
            return super().train_step(*arguments[:-1], (to_signed_unit(images), labels))

    model = compiled(Task(network(), to_signed_unit))
    images, labels = raw(), np.arange(8) % 2
    found: list[Any] = []

    class Keep(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            found[:] = lime.explain(self.model, epoch)

    lime = LimeCallback(ProbeSet(images[:3]), tmp_path, verbose=0, on_error="raise", shortcut_threshold=None, **GRID)
    model.fit(images, labels, epochs=1, batch_size=4, verbose=0, callbacks=[lime, Keep()])
    expected = predict(model, images[:3])
    np.testing.assert_allclose([each.predicted_value for each in found], expected.max(axis=1), atol=2e-5)
    assert np.abs(expected - predict(model.net, images[:3])).max() > 0.05


def test_a_training_explains_attached_preprocessing(tmp_path: Path) -> None:
    model = compiled(hub_classifier())
    images = raw(4, (30, 20, 3))
    lime = LimeCallback(ProbeSet(images[:2]), tmp_path, verbose=0, on_error="raise", shortcut_threshold=None, **GRID)
    model.fit(images, np.arange(4) % 2, epochs=1, batch_size=4, verbose=0, callbacks=[lime])
    found = lime.explain(model, 1)
    lime.close()
    expected = predict(model, images[:2]).max(axis=1)
    np.testing.assert_allclose([each.predicted_value for each in found], expected, atol=2e-5)


def test_what_cannot_be_explained_as_predicted_is_refused_at_the_start(tmp_path: Path) -> None:
    model, images = compiled(OwnPredict(network())), raw()
    model(images)
    probes = ProbeSet(images, np.arange(8) % 2, boxes=[(2, 2, 6, 6)] * 8)
    message = "OwnPredict has a `predict` of its own"
    with pytest.raises(ValueError, match=message):
        model.fit(images, np.arange(8) % 2, verbose=0, callbacks=[LimeCallback(probes, tmp_path / "log", **GRID)])
    with pytest.raises(ValueError, match=message):
        audit(model, (images, np.arange(8) % 2), tmp_path / "audit", **GRID)
    with pytest.raises(ValueError, match=message):
        assert_no_shortcut(model, probes)
    assert not (tmp_path / "log").exists()
    assert not list((tmp_path / "audit").glob("*.parquet"))
