"""Ready images through models and functions, under whichever backend is active."""

from typing import Any

import keras
import numpy as np
import pytest

from keras_lime.scoring import NonFiniteOutputError, make_scorer
from keras_lime.scoring.outputs import Output
from tests.support.classifiers import classifier, predict
from tests.support.plans import noise

layers = keras.layers


def _images(count: int, shape: tuple[int, ...] = (8, 8, 3)) -> list[np.ndarray]:
    return [noise(shape, seed) for seed in range(count)]


@pytest.mark.parametrize("count", [1, 3, 11])
@pytest.mark.parametrize("plain", [False, True])
def test_probabilities_are_the_models_own(count: int, plain: bool) -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(4, activation="softmax")])
    given: Any = (lambda images: predict(model, images)) if plain else model
    images = _images(count)
    found = make_scorer(given, (8, 8, 3), batch_size=4).score_images(iter(images))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, predict(model, np.stack(images)), atol=1e-5)


def test_integers_and_pictures_without_channels_are_fed_as_they_are() -> None:
    model = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(2, activation="softmax")])
    images = [np.full((8, 8), value, np.uint8) for value in (0, 200)]
    found = make_scorer(model, (8, 8)).score_images(images)
    np.testing.assert_allclose(found, predict(model, np.stack(images).astype(np.float32)), atol=1e-5)


def test_nothing_is_traced_twice() -> None:
    from keras_lime.scoring.engines import engine_for

    model = classifier()
    shape = tuple(model.input_shape[1:])
    scorer = make_scorer(model, shape, batch_size=4)
    scorer.score_images(_images(5, shape))
    traces = engine_for(model, shape, None, 4).traces
    for count in (1, 4, 9):
        make_scorer(model, shape, batch_size=4).score_images(_images(count, shape))
    assert engine_for(model, shape, None, 4).traces == traces


def test_no_finite_output_names_the_image() -> None:
    def function(images: np.ndarray) -> np.ndarray:
        scores = np.full((len(images), 2), 0.5)
        scores[images.max(axis=(1, 2, 3)) > 1] = np.nan
        return scores

    images = _images(5)
    images[3] = images[3] + 2
    with pytest.raises(NonFiniteOutputError) as caught:
        make_scorer(function, (8, 8, 3), "softmax", batch_size=2).score_images(images)
    assert caught.value.position == 3


@pytest.mark.parametrize(
    ("output", "raw", "expected"),
    [
        (Output("softmax", False, 2), [[0.3, 0.7]], [[0.3, 0.7]]),
        (Output("softmax", True, 2), [[1000.0, 0.0]], [[1.0, 0.0]]),
        (Output("sigmoid", False, 1), [[0.25]], [[0.75, 0.25]]),
        (Output("sigmoid", True, 1), [[0.0], [-800.0]], [[0.5, 0.5], [1.0, 0.0]]),
        (Output("multilabel", True, 2), [[0.0, 800.0]], [[0.5, 1.0]]),
        (Output("regression", False, 2), [[3.0, -4.0]], [[3.0, -4.0]]),
    ],
)
def test_raw_outputs_become_probabilities(output: Output, raw: list[list[float]], expected: list[list[float]]) -> None:
    np.testing.assert_allclose(output.probabilities(np.array(raw, np.float32)), expected, atol=1e-7)
