"""`LimeCallback(model=...)`: what is explained need not be what is trained."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import LimeCallback, ProbeSet
from keras_lime.training.explained_model import explained_model
from tests.support.classifiers import predict
from tests.support.predictors import network

SHAPE = (8, 8, 3)
IMAGES = np.random.default_rng(0).random((8, *SHAPE), np.float32)
LABELS = np.arange(8) % 2


class Distiller(keras.Model):
    """Trains a student to agree with a teacher; has no `call`, as many published ones."""

    def __init__(self) -> None:
        super().__init__()
        self.student, self.teacher = network(seed=1), network(seed=2)

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, training: bool = True) -> Any:
        return keras.ops.mean(keras.losses.kl_divergence(self.teacher(x), y_pred))


class CallableDistiller(Distiller):
    """The same, where Keras' own steps call the student."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.student(inputs, training=training)


class Keep(keras.callbacks.Callback):
    """Keeps what was explained at each epoch, and what the student gave then."""

    def __init__(self, lime: LimeCallback) -> None:
        super().__init__()
        self.lime = lime
        self.found: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.found.append([each.predicted_value for each in self.lime.explain(self.model, epoch + 10)])


def callback(folder: Path, **more: Any) -> LimeCallback:
    return LimeCallback(
        ProbeSet(IMAGES[:3]),
        folder,
        on_error="raise",
        shortcut_threshold=None,
        segmentation="grid",
        n_segments=9,
        num_samples=32,
        **{"verbose": 0, **more},
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda distiller: distiller.student,
        lambda distiller: lambda model: model.student,
        lambda distiller: lambda model: lambda images: predict(model.student, images),
    ],
    ids=["model", "function of the model", "function of images"],
)
def test_the_student_is_explained_while_the_distiller_trains(make: Any, tmp_path: Path) -> None:
    distiller = CallableDistiller()
    distiller.compile(keras.optimizers.SGD(0.01))
    lime = callback(tmp_path, model=make(distiller))
    keep = Keep(lime)
    distiller.fit(IMAGES, LABELS, epochs=2, batch_size=4, verbose=0, callbacks=[lime, keep])
    np.testing.assert_allclose(keep.found[-1], predict(distiller.student, IMAGES[:3]).max(axis=1), atol=1e-5)
    assert np.abs(np.subtract(*keep.found)).max() > 1e-4


def test_models_without_a_call_name_the_way(tmp_path: Path) -> None:
    lime = callback(tmp_path)
    with pytest.raises(ValueError, match=r"LimeCallback\(probes, log_dir, model=lambda model: model.student\)"):
        lime.explain(Distiller(), 0)


def test_functions_of_images_are_told_from_functions_of_the_model() -> None:
    trained, other = network(), network(seed=1)

    def scores(images: Any) -> Any:
        return predict(other, images)

    assert explained_model(None, trained, IMAGES) is trained
    assert explained_model(other, trained, IMAGES) is other
    assert explained_model(scores, trained, IMAGES) is scores
    assert explained_model(lambda model: model.layers[0] and scores, trained, IMAGES) is scores
    with pytest.raises(TypeError, match="takes neither. With the model: AttributeError: .*studnet"):
        explained_model(lambda model: model.studnet, trained, IMAGES)
    with pytest.raises(TypeError, match="takes neither. With the model: what it returns is neither"):
        explained_model(lambda model: model.count_params() and 3, trained, IMAGES)
    for wrong in ("student", 3, keras.Model):
        with pytest.raises(TypeError, match="`model` must be a Keras model, a function"):
            callback(Path(), model=wrong)


def test_a_list_of_callbacks_without_params_works_as_with_keras_own(tmp_path: Path) -> None:
    model = network()
    lime = callback(tmp_path, verbose="auto")
    history = keras.callbacks.History()
    callbacks = keras.callbacks.CallbackList([lime, history], model=model)
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_epoch_end(0, {"loss": 1.0})
    callbacks.on_train_end()
    assert np.isfinite(history.history["lime_r2"][0])
    assert list(tmp_path.rglob("*tfevents*"))
