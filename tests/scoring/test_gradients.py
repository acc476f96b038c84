"""Integrated gradients: closed forms, completeness, and every kind of output, on the backend at hand."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import explain, integrated_gradients
from keras_lime.exceptions import LimeWarning
from keras_lime.scoring.gradients import CrossCheck, IntegratedGradients
from tests.support.models import photo

SIZE = 24


def image(channels: int = 3) -> np.ndarray:
    return photo(SIZE, channels=channels).astype(np.float32) / 255


def smooth_cnn(units: int, activation: str | None) -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(6, 3, activation="gelu"),
            keras.layers.Conv2D(6, 3, strides=2, activation="tanh"),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation=activation),
        ]
    )


def explained(model: Any, picture: np.ndarray | None = None, **given: Any) -> Any:
    settings: dict[str, Any] = {
        "segmentation": "grid",
        "n_segments": 16,
        "num_samples": 300,
        "baseline": "grey",
    } | given
    return explain(model, image() if picture is None else picture, **settings)


def test_linear_model_gives_the_closed_form_and_agrees_with_lime() -> None:
    """sum over the superpixel of lambda_u (xi_u − baseline_u), which is LIME's limit too."""
    model = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    explanation = explained(model, output="regression", targets=(0, 1))
    found = integrated_gradients(model, explanation, steps=4)
    slopes = np.asarray(keras.ops.convert_to_numpy(model.layers[-1].kernel), np.float64).reshape(SIZE, SIZE, 3, 2)
    for target in (0, 1):
        moved = (slopes[..., target] * (explanation.image - explanation.baseline)).sum(axis=-1)
        expected = np.bincount(explanation.segmentation.labels.ravel(), weights=moved.ravel())
        np.testing.assert_allclose(found.weights[target], expected, atol=1e-5)
    np.testing.assert_allclose(found.gap, 0, atol=1e-5)
    assert (found.agreement > 0.98).all()
    assert found.target_names == explanation.target_names


@pytest.mark.parametrize("scale", ["probability", "logit"])
@pytest.mark.parametrize(
    ("units", "activation", "output", "targets"),
    [
        (3, "softmax", "softmax", (2, 0)),
        (3, None, "logits", (2, 0)),
        (1, "sigmoid", "sigmoid", (0, 1)),
        (1, None, "logits", (0, 1)),
        (3, "sigmoid", "multilabel", (2, 0)),
        (3, None, "multilabel", (1,)),
        (2, None, "regression", (1, 0)),
    ],
)
def test_completeness(units: int, activation: str | None, output: str, targets: tuple[int, ...], scale: Any) -> None:
    """The attributions sum to f(image) − f(baseline), with f as the explanation itself scored it."""
    model = smooth_cnn(units, activation)
    explanation = explained(model, output=output, targets=targets, scale=scale)
    found = integrated_gradients(model, explanation, steps=64)
    scored = explanation.scores.log_odds if scale == "logit" else explanation.scores.values
    hidden = explained(model, np.ascontiguousarray(explanation.baseline), output=output, targets=targets, baseline=0.0)
    baseline = (hidden.scores.log_odds if scale == "logit" else hidden.scores.values)[0]
    difference = scored[0] - baseline
    np.testing.assert_allclose(found.weights.sum(axis=1) + found.gap, difference, atol=2e-5)
    assert (np.abs(found.gap) < 0.01 * np.abs(difference) + 1e-5).all()


def test_more_steps_close_the_gap() -> None:
    model = smooth_cnn(3, "softmax")
    explanation = explained(model)
    gaps = [np.abs(integrated_gradients(model, explanation, steps=steps).gap).max() for steps in (1, 8, 100)]
    assert gaps[2] < 1e-4
    assert gaps[2] < gaps[1] < gaps[0]


def test_grey_images_without_a_channel() -> None:
    model = keras.Sequential(
        [keras.Input((SIZE, SIZE)), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax")]
    )
    found = integrated_gradients(model, explained(model, image(1)[..., 0]))
    assert found.weights.shape == (1, 16)
    assert np.abs(found.gap).max() < 1e-3


def test_a_fixed_batch_size_is_kept() -> None:
    inputs = keras.Input((SIZE, SIZE, 3), batch_size=5)
    model = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(inputs)))
    assert np.abs(integrated_gradients(model, explained(model), steps=11).gap).max() < 1e-2


def test_the_model_is_left_as_it_was() -> None:
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    before = [np.array(each) for each in model.get_weights()]
    explanation = explained(model)
    one, other = (integrated_gradients(model, explanation) for _ in range(2))
    assert isinstance(one, IntegratedGradients)
    np.testing.assert_array_equal(one.weights, other.weights)
    for each, earlier in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(each, earlier)


def test_what_has_no_gradients_is_refused() -> None:
    model = smooth_cnn(2, "softmax")
    explanation = explained(model)
    with pytest.raises(TypeError, match="`model` must be a Keras model.*Received: function"):
        integrated_gradients(lambda images: images, explanation)
    with pytest.raises(ValueError, match="`steps` must be an integer of at least 1. Received: steps=0"):
        integrated_gradients(model, explanation, steps=0)
    with pytest.raises(ValueError, match="`explanation` must have its baseline"):
        integrated_gradients(model, replace(explanation, baseline=None))


def test_a_cross_check_gives_the_agreement_of_each_explanation() -> None:
    model = smooth_cnn(3, "softmax")
    explanations = [explained(model, targets=targets) for targets in ((2, 0), (1,), (2, 0))]
    check = CrossCheck()
    check.follow(model)
    found = check.check(explanations)
    assert not isinstance(found, str)
    for agreement, explanation in zip(found, explanations, strict=True):
        exact = integrated_gradients(model, explanation, steps=64).agreement
        np.testing.assert_allclose(agreement, exact, atol=0.05)
    # The weights of the moment count, not those of the first call.
    model.set_weights([np.zeros_like(each) for each in model.get_weights()])
    check.follow(model)
    zero = check.check(explanations)
    assert not isinstance(zero, str)
    assert all(np.isnan(agreement).all() for agreement in zero)


def test_a_model_without_gradients_is_told_of_once_and_not_asked_again() -> None:
    class Steps(keras.layers.Layer):
        def call(self, images: Any) -> Any:
            return keras.ops.cast(keras.ops.argmax(images, axis=-1), "float32")[..., None]

    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            Steps(),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    check = CrossCheck()
    check.follow(lambda images: images)
    with pytest.warns(LimeWarning, match=r"no gradients.*plain function.*go on without `cross_check`"):
        assert "plain function" in check.check([explained(model)])
    assert "plain function" in check.check([explained(model)])
    if keras.backend.backend() == "jax":
        return  # JAX gives zeros where a function is flat.
    check.follow(model)
    with pytest.warns(LimeWarning, match=r"no gradients.*must be differentiable"):
        assert isinstance(check.check([explained(model)]), str)
