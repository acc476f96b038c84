from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from keras_lime.scoring import NonFiniteOutputError, make_scorer
from tests.support.classifiers import classifier, predict, score
from tests.support.plans import grid_plan, model_inputs, noise

layers = keras.layers


def identity(shape: tuple[int, ...]) -> Any:
    return keras.Sequential([keras.Input(shape), layers.Flatten()])


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (8, 12, 3), (8, 8, 5)])
def test_the_model_sees_exactly_image_and_baseline(shape: tuple[int, ...], dtype: Any) -> None:
    plan = grid_plan(noise(shape, dtype=dtype))
    expected = model_inputs(plan).reshape(20, -1)
    everything = range(expected.shape[1])
    for model in (identity(shape), lambda images: images.reshape(len(images), -1)):
        scores = score(make_scorer(model, shape, output="regression"), plan, *everything)
        np.testing.assert_array_equal(scores.values, expected.astype(np.float64))


def test_signs_of_zero_and_huge_values_survive() -> None:
    image = np.array([[-0.0, 3e38], [1e-38, -3e38]], np.float32)
    plan = grid_plan(image, 2, 2)
    scores = score(make_scorer(identity((2, 2)), (2, 2), output="regression"), plan, 0, 1, 2, 3)
    np.testing.assert_array_equal(scores.values[0], image.ravel())
    assert np.signbit(scores.values[0, 0])


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("shape", [(12, 12), (12, 12, 1), (12, 12, 3)])
@pytest.mark.parametrize("plain", [False, True])
def test_a_planted_signal_is_found(shape: tuple[int, ...], columns: int, plain: bool) -> None:
    weights = np.zeros((*shape, columns), np.float32)
    weights[6:9, 3:6, ..., -1] = 0.2
    weights = weights.reshape(-1, columns)
    last = layers.Dense(columns, activation="sigmoid" if columns == 1 else "softmax")
    model = keras.Sequential([keras.Input(shape), layers.Flatten(), last])
    last.set_weights([weights, np.zeros(columns, np.float32)])
    function: Any = (lambda images: predict(model, images)) if plain else model
    plan = grid_plan(np.ones(shape, np.float32), num_samples=200)
    plan.baseline[:] = 0
    output = "sigmoid" if columns == 1 else "softmax"
    scores = score(make_scorer(function, shape, output if plain else "auto"), plan, 1)
    design = np.column_stack([plan.neighborhood.masks, np.ones(200)])
    weight = np.linalg.lstsq(design, scores.values[:, 0])[0][:-1]
    assert int(np.argmax(weight)) == 2 * 4 + 1
    assert weight[9] > 0.3
    np.testing.assert_allclose(np.delete(weight, 9), 0, atol=1e-5)
    assert scores.predicted == 1


def subclassed(outputs: Callable[[Any], Any]) -> Any:
    class Subclassed(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.body = keras.Sequential([layers.Flatten(), layers.Dense(3)])

        def call(self, inputs: Any) -> Any:
            return outputs(self.body(inputs))

    return Subclassed()


@pytest.mark.parametrize(
    ("activation", "output"), [("softmax", "auto"), ("sigmoid", "auto"), (None, "logits"), (None, "regression")]
)
def test_scores_are_the_models_own(activation: str | None, output: str) -> None:
    model = classifier(activation=activation)
    plan = grid_plan(noise((16, 16, 3)), num_samples=30)
    raw: NDArray[np.float32] = predict(model, model_inputs(plan))
    scores = score(make_scorer(model, (16, 16, 3), output), plan, 0, 1, 2)
    expected = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True) if output == "logits" else raw
    np.testing.assert_allclose(scores.values, expected, atol=1e-6)
    if output != "regression":
        np.testing.assert_allclose(scores.log_odds, np.log(expected / (1 - expected)), atol=1e-4)
    else:
        np.testing.assert_array_equal(scores.log_odds, scores.values)
        assert scores.predicted is None


@pytest.mark.parametrize("plain", [False, True])
def test_saturated_probabilities_are_marked(plain: bool) -> None:
    model = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.layers[-1].set_weights([np.full((64, 1), 1e4, np.float32), np.zeros(1, np.float32)])
    function: Any = (lambda images: predict(model, images)) if plain else model
    plan = grid_plan(np.ones((8, 8), np.float32), num_samples=100)
    scores = score(make_scorer(function, (8, 8), "sigmoid", batch_size=16), plan, 0, 1)
    raw = predict(model, model_inputs(plan))
    assert scores.saturated is not None
    np.testing.assert_array_equal(scores.saturated, np.repeat((raw == 0) | (raw == 1), 2, axis=1))
    assert scores.saturated.sum() > 0
    assert np.isfinite(scores.log_odds).all()


def test_models_without_weights_yet_are_built() -> None:
    plan = grid_plan(noise((8, 8, 3)))
    sequential = keras.Sequential([layers.Flatten(), layers.Dense(3, activation="softmax")])
    own = subclassed(keras.ops.softmax)
    for model, output in ((sequential, "auto"), (own, "softmax")):
        scores = score(make_scorer(model, (8, 8, 3), output), plan, 0, 1, 2)
        np.testing.assert_allclose(scores.values, predict(model, model_inputs(plan)), atol=1e-6)


def test_heads_by_name_and_index() -> None:
    inputs = keras.Input((8, 8, 3))
    flat = layers.Flatten()(inputs)
    zebra, ant = layers.Dense(3, activation="softmax")(flat), layers.Dense(1, activation="sigmoid")(flat)
    plan = grid_plan(noise((8, 8, 3)))
    by_name, by_index = keras.Model(inputs, {"zebra": zebra, "ant": ant}), keras.Model(inputs, [ant, zebra])
    for model, names in ((by_name, ["ant", "zebra"]), (by_index, [0, 1])):
        expected = predict(model, model_inputs(plan))
        for position, name in enumerate(names):
            for head in (name, position):
                scores = score(make_scorer(model, (8, 8, 3), head=head), plan, 1)  # type: ignore[arg-type]
                np.testing.assert_allclose(scores.values[:, 0], expected[name][:, position], atol=1e-6)
        with pytest.raises(ValueError, match=r"2 output\(s\): .*`head` says which"):
            make_scorer(model, (8, 8, 3))


def test_heads_of_subclassed_models_and_functions() -> None:
    plan = grid_plan(noise((8, 8, 3)))
    model = subclassed(lambda logits: {"p": keras.ops.softmax(logits), "rest": logits})
    with pytest.raises(ValueError, match="'p', 'rest'. `head` says which is explained"):
        make_scorer(model, (8, 8, 3), "softmax")
    scores = score(make_scorer(model, (8, 8, 3), "softmax", head="p"), plan, 2)
    expected = predict(model, model_inputs(plan))["p"][:, 2]
    np.testing.assert_allclose(scores.values[:, 0], expected, atol=1e-6)

    def function(images: NDArray[np.float32]) -> Any:
        raw = predict(model, images)
        return raw["p"], raw["rest"]

    scores = score(make_scorer(function, (8, 8, 3), head=0), plan, 2)
    np.testing.assert_allclose(scores.values[:, 0], expected, atol=1e-6)


def test_named_inputs_are_fed_by_name() -> None:
    image = keras.Input((8, 8, 3), name="image")
    model = keras.Model({"image": image}, layers.Dense(2, activation="softmax")(layers.Flatten()(image)))
    plan = grid_plan(noise((8, 8, 3)))
    scores = score(make_scorer(model, (8, 8, 3)), plan, 0, 1)
    np.testing.assert_allclose(scores.values, predict(model, {"image": model_inputs(plan)}), atol=1e-6)


def test_results_do_not_depend_on_the_batch() -> None:
    model = classifier()
    plans = [grid_plan(noise((16, 16, 3), seed), 2 + seed, 3, 5 + 7 * seed, seed) for seed in range(7)]
    wanted: list[tuple[int | str, ...]] = [("predicted", 0, "top2")] * 7
    alone = [next(iter(make_scorer(model, (16, 16, 3))([plan], [("predicted", 0, "top2")]))) for plan in plans]
    for batch_size in (None, 7, 300):
        together = list(make_scorer(model, (16, 16, 3), batch_size=batch_size)(plans, wanted))
        for one, other in zip(alone, together, strict=True):
            assert one.targets == other.targets
            assert one.predicted == other.predicted
            np.testing.assert_allclose(one.values, other.values, atol=1e-6)


def test_more_superpixels_than_a_bucket() -> None:
    model = classifier((24, 24, 3))
    plans = [grid_plan(noise((24, 24, 3)), 24, 24, 9), grid_plan(noise((24, 24, 3), 1), 3, 3, 9)]
    for plan, scores in zip(plans, make_scorer(model, (24, 24, 3))(plans, [(0, 1, 2)] * 2), strict=True):
        np.testing.assert_allclose(scores.values, predict(model, model_inputs(plan)), atol=1e-6)


def test_a_models_own_batch_size_is_kept() -> None:
    inputs = keras.Input(batch_shape=(6, 8, 8, 3))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(layers.Flatten()(inputs)))
    plan = grid_plan(noise((8, 8, 3)))
    scores = score(make_scorer(model, (8, 8, 3)), plan, 0, 1)
    padded = np.concatenate([model_inputs(plan), model_inputs(plan)[:4]])
    np.testing.assert_allclose(scores.values, model.predict(padded, batch_size=6, verbose=0)[:20], atol=1e-6)
    with pytest.raises(ValueError, match="`batch_size` must be 6, the model's own. Received: batch_size=5"):
        make_scorer(model, (8, 8, 3), batch_size=5)


@pytest.fixture
def half_precision() -> Iterator[None]:
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("half_precision")
def test_mixed_precision() -> None:
    inputs = keras.Input((8, 8, 3))
    logits = layers.Dense(3)(layers.Flatten()(layers.Dense(4, activation="relu")(inputs)))
    plan = grid_plan(noise((8, 8, 3)))
    full = keras.Model(inputs, layers.Activation("linear", dtype="float32")(layers.Activation("softmax")(logits)))
    scorer: Any = make_scorer(full, (8, 8, 3))
    assert scorer.output.dtype == "float32"
    np.testing.assert_allclose(score(scorer, plan, 0, 1, 2).values, predict(full, model_inputs(plan)), atol=2e-3)
    half = keras.Model(inputs, layers.Activation("softmax")(logits))
    scorer = make_scorer(half, (8, 8, 3))
    assert scorer.output.dtype == "float16"
    np.testing.assert_allclose(score(scorer, plan, 0, 1, 2).values, predict(half, model_inputs(plan)), atol=2e-3)


def test_functions_learn_their_outputs_from_the_first_scores() -> None:
    scorer = make_scorer(lambda images: np.full((len(images), 4), 0.25), (8, 8, 3), batch_size=3)
    assert scorer.n_outputs is None
    scores = score(scorer, grid_plan(noise((8, 8, 3))), "top2")
    assert scorer.n_outputs == 4
    assert scores.values.shape == (20, 2)


def test_functions_are_called_in_bounded_batches_of_float32() -> None:
    seen: list[NDArray[Any]] = []

    def function(images: NDArray[np.float32]) -> list[list[float]]:
        seen.append(images)
        return [[0.5, 0.5]] * len(images)

    score(make_scorer(function, (8, 8), batch_size=8), grid_plan(noise((8, 8), dtype=np.uint8)))
    assert [batch.shape for batch in seen] == [(8, 8, 8), (8, 8, 8), (4, 8, 8)]
    assert {batch.dtype for batch in seen} == {np.dtype(np.float32)}


def test_outputs_that_are_not_finite_name_output_and_image() -> None:
    model = classifier((8, 8, 3))
    plans = [grid_plan(noise((8, 8, 3), seed)) for seed in range(2)]
    scorer = make_scorer(model, (8, 8, 3))
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel, bias * np.nan])
    with pytest.raises(NonFiniteOutputError, match="must be finite. Received: nan in output 0 for image 0"):
        list(scorer(plans, [("predicted",)] * 2))

    def breaks_at_the_second(images: NDArray[np.float32]) -> NDArray[np.float64]:
        infinite = np.allclose(images[0], plans[1].image)
        return np.where(infinite, np.inf, 0.5) * np.ones((len(images), 2))

    answers = make_scorer(breaks_at_the_second, (8, 8, 3))(plans, [("predicted",)] * 2)
    assert next(answers).predicted == 0
    with pytest.raises(NonFiniteOutputError, match="inf in output 0 for image 1"):
        next(answers)


def test_targets_out_of_range_are_named() -> None:
    scorer = make_scorer(classifier((8, 8, 3)), (8, 8, 3))
    assert scorer.n_outputs == 3
    with pytest.raises(ValueError, match="`targets` must be indices from 0 to 2"):
        score(scorer, grid_plan(noise((8, 8, 3))), 3)


@pytest.mark.parametrize(
    ("expected", "given", "message"),
    [
        ((8, 8, 1), (8, 8), r"takes, \(8, 8, 1\). Received: shape=\(8, 8\). Add the channel: image\[..., None\]"),
        ((8, 8, 3), (8, 8), r"np.repeat\(image\[..., None\], 3, axis=-1\)"),
        ((8, 8, 3), (8, 8, 1), r"np.repeat\(image, 3, axis=-1\)"),
        ((8, 8), (8, 8, 1), r"Drop the channel: image\[..., 0\]"),
        ((8, 8, 3), (8, 8, 4), "Convert its channels"),
        ((8, 8, 3), (9, 8, 3), r"Resize it first.*\(8, 8\)"),
        ((192,), (8, 8, 3), "put a Reshape layer before"),
        ((3, 8, 8), (3, 8, 8), r"channels last, \(h, w, c\). Received: a model for images of shape \(3, 8, 8\)"),
        ((3, 8, 8), (8, 8, 3), "Put a Permute layer before"),
        ((3, None, None), (8, 8, 3), "Put a Permute layer before"),
    ],
)
def test_models_for_other_images_are_refused(
    expected: tuple[int | None, ...], given: tuple[int, ...], message: str
) -> None:
    inputs = keras.Input(expected)
    model = keras.Model(inputs, layers.Activation("softmax")(inputs))
    with pytest.raises(ValueError, match=message):
        make_scorer(model, given)


def test_images_with_their_channels_first_are_refused() -> None:
    for model in (subclassed(keras.ops.softmax), lambda images: images):
        with pytest.raises(ValueError, match=r"channels last, \(h, w, c\). Received: an image of shape \(3, 16, 24\)"):
            make_scorer(model, (3, 16, 24))


def test_subclassed_models_for_other_images_are_refused() -> None:
    model = subclassed(keras.ops.softmax)
    make_scorer(model, (8, 8, 3), "softmax")
    with pytest.raises(
        ValueError, match=r"`model` must accept float32 images of shape \(9, 8, 3\). It failed on a batch"
    ):
        make_scorer(model, (9, 8, 3), "softmax")
    with pytest.raises(ValueError, match=r"`model` must accept images of shape \(8, 8\). It could not be built"):
        make_scorer(classifier_without_input(), (8, 8))


def classifier_without_input() -> Any:
    return keras.Sequential([layers.Conv2D(2, 3), layers.GlobalAveragePooling2D(), layers.Softmax()])


def test_what_is_no_model_is_refused() -> None:
    one, two = keras.Input((8, 8, 3), name="one"), keras.Input((4,), name="two")
    model = keras.Model([one, two], layers.Softmax()(layers.Concatenate()([layers.Flatten()(one), two])))
    with pytest.raises(ValueError, match="inputs for none, and a model with 2 inputs, 'one' .*'two'.*Pass inputs="):
        make_scorer(model, (8, 8, 3))
    with pytest.raises(TypeError, match=r"Received: the layer Dense. Wrap it: keras.Sequential\(\[layer\]\)"):
        make_scorer(layers.Dense(2), (8, 8, 3))
    for nothing in (None, "model.keras", keras.Model):
        with pytest.raises(TypeError, match="`model` must be a Keras model or a function"):
            make_scorer(nothing, (8, 8, 3))
    with pytest.raises(ValueError, match=r"`image_shape` must be \(h, w\)"):
        make_scorer(classifier(), (16, 16, 3, 1))
    with pytest.raises(
        ValueError, match=r"`plans` must hold images of shape \(16, 16, 3\).*Received: shape=\(8, 8, 3\)"
    ):
        score(make_scorer(classifier(), (16, 16, 3)), grid_plan(noise((8, 8, 3))))
    with pytest.raises(ValueError, match=r"one row of scores per image. Received: shape=\(1, 2\) for 20 images"):
        score(make_scorer(lambda images: np.array([[0.5, 0.5]]), (8, 8, 3)), grid_plan(noise((8, 8, 3))))
    flat = keras.Sequential([keras.Input((8, 8, 3)), layers.Reshape((192,)), KeepOne()])
    with pytest.raises(ValueError, match="must give one row of scores per image"):
        make_scorer(flat, (8, 8, 3), "softmax")


class KeepOne(keras.layers.Layer):
    """Forgets all rows but the first."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.softmax(inputs[:1])

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (1, *input_shape[1:])


def test_nothing_to_score() -> None:
    assert list(make_scorer(classifier(), (16, 16, 3))([], [])) == []
