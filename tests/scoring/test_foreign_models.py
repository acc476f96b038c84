"""What is no Keras model and no function leads to what is."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import explain
from keras_lime.scoring import make_scorer
from keras_lime.scoring.introspection import pick

layers = keras.layers
SHAPE = (8, 8, 3)


def test_torch_modules_lead_to_a_function_with_the_channels_where_they_go() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.Flatten(), torch.nn.Linear(72, 2)).eval()
    with pytest.raises(TypeError, match=r"PyTorch module Sequential.*permute\(0, 3, 1, 2\)\).softmax\(-1\)"):
        explain(module, np.zeros(SHAPE))
    image = np.random.default_rng(0).random(SHAPE, np.float32)

    def function(images: Any) -> Any:
        return module(torch.from_numpy(images).permute(0, 3, 1, 2)).softmax(-1)

    explanation = explain(function, image, segmentation="grid", n_segments=9, num_samples=32)
    expected = function(image[None]).detach().numpy().max()
    assert explanation.predicted_value == pytest.approx(expected, abs=1e-6)


def test_models_of_keras_2_and_saved_models() -> None:
    class Sequential:
        def __call__(self, images: Any) -> Any:
            return images

    Sequential.__module__ = "tf_keras.src.engine.sequential"
    with pytest.raises(TypeError, match=r"tf_keras model Sequential, of Keras 2.*lambda images: model.predict"):
        make_scorer(Sequential(), SHAPE)
    for path in ("exported", Path("model.keras")):
        with pytest.raises(TypeError, match=r"a path, .*TFSMLayer\(path, call_endpoint=.serving_default.\)"):
            make_scorer(path, SHAPE)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="SavedModels are TensorFlow's")
def test_a_saved_model_is_explained_by_the_function_that_the_message_names(tmp_path: Path) -> None:
    import tensorflow as tf

    model = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(2, activation="softmax")])
    model.export(str(tmp_path), verbose=False)
    with pytest.raises(TypeError, match=r"what tf.saved_model.load gives.*signatures\[.serving_default.\]"):
        make_scorer(tf.saved_model.load(str(tmp_path)), SHAPE)
    layer = keras.layers.TFSMLayer(str(tmp_path), call_endpoint="serving_default")
    image = np.random.default_rng(0).random(SHAPE, np.float32)
    explanation = explain(lambda images: layer(images), image, segmentation="grid", n_segments=9, num_samples=32)
    assert explanation.predicted_value == pytest.approx(model.predict(image[None], verbose=0).max(), abs=1e-5)


@pytest.mark.parametrize(
    "last",
    [
        layers.Conv2D(1, 3, activation="sigmoid"),
        layers.Conv2D(5, 1, activation="softmax"),
        layers.Reshape((12, 16)),
        layers.TimeDistributed(layers.Dense(2)),
    ],
)
def test_outputs_that_are_no_row_of_scores_are_refused(last: Any) -> None:
    model = keras.Sequential([keras.Input(SHAPE), last])
    message = r"must be one row of scores per image. Received: shape=.*np.mean\(model.predict"
    with pytest.raises(ValueError, match=message):
        make_scorer(model, SHAPE, "sigmoid")
    with pytest.raises(ValueError, match=message):
        explain(
            lambda images: model.predict(images, verbose=0), np.random.default_rng(0).random(SHAPE), output="regression"
        )


def test_a_number_made_of_a_map_of_scores_is_explained() -> None:
    model = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(1, 3, activation="sigmoid")])
    image = np.random.default_rng(0).random(SHAPE, np.float32)
    explanation = explain(
        lambda images: np.mean(model.predict(images, verbose=0), axis=(1, 2)),
        image,
        output="regression",
        segmentation="grid",
        n_segments=9,
        num_samples=32,
    )
    assert explanation.predicted_value == pytest.approx(model.predict(image[None], verbose=0).mean(), abs=1e-5)
    ones = keras.Sequential([keras.Input(SHAPE), layers.AveragePooling2D(8), layers.Softmax()])
    assert make_scorer(ones, SHAPE).n_outputs == 3


def test_volumes_say_what_came() -> None:
    model = keras.Sequential([keras.Input((4, *SHAPE)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    with pytest.raises(ValueError, match=r"takes, \(4, 8, 8, 3\). Received: shape=\(8, 8, 3\). That is a volume"):
        explain(model, np.zeros((4, *SHAPE)))


def test_heads_are_shown_as_they_are_written() -> None:
    outputs = {"cls": np.zeros((1, 3)), "box": np.zeros((1, 4))}
    with pytest.raises(ValueError, match='`head` says which is explained. Pass head="box" or head="cls".'):
        pick(outputs, None)
    with pytest.raises(ValueError, match=r"must be one of them. Received: head='class'. Pass head=\"box\" or"):
        pick(outputs, "class")
    with pytest.raises(ValueError, match="Pass head=0 or head=1."):
        pick(list(outputs.values()), None)
