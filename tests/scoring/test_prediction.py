"""What is explained is what `predict` computes, on every backend."""

from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import LimeWarning
from keras_lime.api.explain import explain
from keras_lime.scoring import check_agreement, make_scorer
from keras_lime.scoring.engines import engine_for
from keras_lime.scoring.prediction import Prediction, prediction_of
from tests.support.classifiers import classifier, predict, score
from tests.support.plans import grid_plan, model_inputs, noise
from tests.support.predictors import (
    OwnPredict,
    OwnStep,
    OwnStepWithoutCall,
    hub_classifier,
    network,
    to_signed_unit,
    unchanged,
)

layers = keras.layers
SHAPE = (8, 8, 3)


def raw_image(shape: tuple[int, ...] = SHAPE, seed: int = 0, dtype: Any = np.float32) -> Any:
    return np.random.default_rng(seed).integers(0, 256, shape).astype(dtype)


def scaled_plan(shape: tuple[int, ...] = SHAPE, dtype: Any = np.float32) -> Any:
    plan = grid_plan(raw_image(shape, dtype=dtype))
    plan.baseline[:] = 127.0
    return plan


def assert_scores_are_predictions(model: Any, plan: Any, output: str = "auto") -> None:
    """The explained scores of both classes are those of `predict` for every perturbed image, and tell them apart."""
    shape = plan.image.shape
    scorer = make_scorer(model, shape, output)
    scores = score(scorer, plan, 0, 1)
    expected = predict(model, model_inputs(plan))
    np.testing.assert_allclose(scores.values, expected, atol=2e-5)
    assert np.ptp(expected[:, 0]) > 0.01
    assert check_agreement(model, scorer, [plan.image]) == "agrees with predict"


@pytest.mark.parametrize("before", [to_signed_unit, lambda images: 1 - images / 255], ids=["scaled", "inverted"])
def test_a_step_that_prepares_the_images_is_part_of_the_function(before: Any) -> None:
    model = OwnStep(network(), before)
    assert_scores_are_predictions(model, scaled_plan(), "softmax")
    # The same network on raw images, which is what calling the model gives, is another function.
    raw = predict(model.net, model_inputs(scaled_plan()))
    assert np.abs(raw - predict(model, model_inputs(scaled_plan()))).max() > 0.05


@pytest.mark.parametrize("from_logits", [False, True])
def test_a_step_that_makes_probabilities_of_logits(from_logits: bool) -> None:
    model = OwnStep(network(activation=None), to_signed_unit, keras.ops.softmax)
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    assert_scores_are_predictions(model, scaled_plan())


def test_a_step_that_averages_the_image_and_its_mirror() -> None:
    net = network()

    class Mirrored(OwnStep):
        def call(self, inputs: Any, training: bool = False) -> Any:
            return (self.net(inputs) + self.net(keras.ops.flip(inputs, axis=2))) / 2

    assert_scores_are_predictions(Mirrored(net, to_signed_unit), scaled_plan(), "softmax")


def test_sigmoids_of_a_step_are_asked_for() -> None:
    net = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(1)])
    model = OwnStep(net, to_signed_unit, keras.ops.sigmoid)
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match='`output` must be given: output="auto" finds neither'):
        make_scorer(model, SHAPE)
    plan = scaled_plan()
    scores = score(make_scorer(model, SHAPE, "sigmoid"), plan, 1)
    np.testing.assert_allclose(scores.values, predict(model, model_inputs(plan)), atol=2e-5)


def test_a_models_weights_are_read_at_every_call_of_its_step() -> None:
    model, plan = OwnStep(network(), to_signed_unit), scaled_plan()
    scorer = make_scorer(model, SHAPE, "softmax")
    first = score(scorer, plan, 0).values
    model.set_weights([1.5 * weight for weight in model.get_weights()])
    second = score(scorer, plan, 0).values
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_allclose(second[:, 0], predict(model, model_inputs(plan))[:, 0], atol=2e-5)


def test_attached_preprocessing_is_part_of_the_function_and_may_resize() -> None:
    model = hub_classifier()
    plan = scaled_plan((20, 30, 3))
    assert prediction_of(model) == Prediction(preprocesses=True)
    assert_scores_are_predictions(model, plan)
    assert_scores_are_predictions(model, scaled_plan((24, 24, 3), np.uint8))
    explanation = explain(model, plan.image, num_samples=64, segmentation="grid", n_segments=9)
    assert explanation.predicted_value == pytest.approx(predict(model, plan.image[None]).max(), abs=2e-5)


def test_preprocessing_that_is_exchanged_or_taken_off() -> None:
    model, other = hub_classifier(), hub_classifier(offset=-0.8)
    plan = scaled_plan((24, 24, 3))
    first = score(make_scorer(model, (24, 24, 3)), plan, 0).values
    engine = engine_for(model, (24, 24, 3))
    model.preprocessor = other.preprocessor
    assert_scores_are_predictions(model, plan)
    assert engine_for(model, (24, 24, 3)) is not engine
    assert np.abs(score(make_scorer(model, (24, 24, 3)), plan, 0).values - first).max() > 1e-3
    model.preprocessor = None
    assert prediction_of(model).is_plain
    plan = grid_plan(noise((24, 24, 3)))
    np.testing.assert_allclose(
        score(make_scorer(model, (24, 24, 3)), plan, 0, 1).values, predict(model, model_inputs(plan)), atol=2e-5
    )


def test_a_predict_of_the_models_own_is_compared_and_refused() -> None:
    model = OwnPredict(network())
    image = raw_image()
    with pytest.raises(ValueError, match=r"OwnPredict has a `predict` of its own.*lambda images: model.predict"):
        explain(model, image, output="softmax", num_samples=32, segmentation="grid", n_segments=9)
    explanation = explain(
        lambda images: model.predict(images, verbose=0), image, num_samples=32, segmentation="grid", n_segments=9
    )
    assert explanation.predicted_value == pytest.approx(predict(model, image[None]).max(), abs=1e-5)


def test_a_predict_of_the_models_own_that_changes_nothing_is_explained() -> None:
    class Logged(OwnPredict):
        calls = 0

        def predict(self, x: Any, **options: Any) -> Any:
            self.calls += 1
            return keras.Model.predict(self, x, **options)

    model, image = Logged(network()), noise(SHAPE)
    explanation = explain(model, image, output="softmax", num_samples=32, segmentation="grid", n_segments=9)
    assert model.calls == 1
    assert explanation.predicted_value == pytest.approx(predict(model.net, image[None]).max(), abs=1e-5)


def test_a_predict_function_of_the_models_own_is_compared() -> None:
    class Rounded(OwnStep):
        def make_predict_function(self, force: bool = False) -> Any:
            super().make_predict_function(force=force)
            made: Any = vars(self)["predict_function"]

            def rounded(*arguments: Any) -> Any:
                found = made(*arguments)
                first = found[0] if isinstance(found, tuple) else found
                ones = keras.ops.round(first)
                return (ones, *found[1:]) if isinstance(found, tuple) else ones

            self.predict_function = rounded
            return rounded

    with pytest.raises(ValueError, match="Rounded has a `make_predict_function` and a `predict_step` of its own"):
        explain(Rounded(network()), noise(SHAPE), output="softmax", num_samples=32, segmentation="grid", n_segments=9)


def test_images_of_integers_that_the_model_treats_otherwise() -> None:
    class Converting(OwnStep):
        def call(self, inputs: Any, training: bool = False) -> Any:
            is_float = "float" in keras.backend.standardize_dtype(inputs.dtype)
            return self.net(inputs if is_float else keras.ops.cast(inputs, "float32") / 255)

    class Plain(Converting):
        predict_step = keras.Model.predict_step

    for kind in (Converting, Plain):
        with pytest.raises(ValueError, match=r"treats the same numbers as float32.*dtype uint8.*astype\('uint8'\)"):
            explain(
                kind(network()),
                raw_image(dtype=np.uint8),
                output="softmax",
                num_samples=32,
                segmentation="grid",
                n_segments=9,
            )
    floats = explain(
        Plain(network()), noise(SHAPE), output="softmax", num_samples=32, segmentation="grid", n_segments=9
    )
    assert floats.predicted_value == pytest.approx(predict(Plain(network()), floats.image[None]).max(), abs=1e-5)


def test_random_predictions_cannot_be_compared() -> None:
    class Noisy(OwnPredict):
        generator = np.random.default_rng(0)

        def predict(self, x: Any, **options: Any) -> Any:
            return keras.Model.predict(self, x, **options) * self.generator.uniform(0.2, 0.8)

    with pytest.warns(LimeWarning, match="gives other outputs each time"):
        explain(Noisy(network()), noise(SHAPE), output="softmax", num_samples=32, segmentation="grid", n_segments=9)


def test_comparing_changes_no_state_of_the_model() -> None:
    net = keras.Sequential([network(), layers.GaussianNoise(0.1, seed=3)])
    net.build((None, *SHAPE))
    model = OwnStep(net, unchanged)
    before = [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in model.variables]
    explain(model, noise(SHAPE), output="softmax", num_samples=32, segmentation="grid", n_segments=9)
    for old, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(variable.value))


def test_ordinary_models_are_not_run_for_the_comparison() -> None:
    model = classifier(SHAPE)
    scorer = make_scorer(model, SHAPE)
    assert check_agreement(model, scorer, [raw_image(dtype=np.uint8)]) == "agrees with predict"
    assert model.predict_function is None
    assert check_agreement(len, make_scorer(lambda images: images, SHAPE), [raw_image()]) == "a function of its own"


def test_models_that_cannot_be_called_are_told_what_to_pass() -> None:
    class Distiller(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.student, self.teacher = network(), network(seed=1)

    with pytest.raises(
        ValueError, match=r"Distiller, which holds the models student, teacher. Pass .*explain\(model.student, image\)"
    ):
        make_scorer(Distiller(), SHAPE)


def test_models_that_predict_without_a_call() -> None:
    model = OwnStepWithoutCall(network(), network(seed=1))
    plan = scaled_plan()
    scores = score(make_scorer(model, SHAPE, "softmax"), plan, 0, 1)
    expected = predict(model.student, to_signed_unit(model_inputs(plan)))
    np.testing.assert_allclose(scores.values, expected, atol=2e-5)


def test_a_step_that_cannot_be_compiled_leads_to_predict() -> None:
    def outside(images: Any) -> Any:
        raise RuntimeError("this reads a file for every batch")

    with pytest.raises(
        ValueError, match=r"(?s)reads a file.*its own way to predict, which has to be compiled. Explain"
    ):
        make_scorer(OwnStep(network(), outside), SHAPE, "softmax")
