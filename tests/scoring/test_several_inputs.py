"""Models with several inputs: the image is perturbed, the others stay with their image."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime import LimeCallback, ProbeSet, explain, shortcut_report
from keras_lime.core.model_input import as_other_inputs, inputs_of, with_inputs
from keras_lime.scoring import make_scorer
from tests.support.plans import grid_plan, model_inputs
from tests.support.several_inputs import SHAPE, OwnClass, images, metadata, siamese, with_metadata

GRID: Any = {"segmentation": "grid", "n_segments": 9, "num_samples": 32}


def check_scores(model: Any, others: Any, arrange: Callable[[Any, Any], Any], **more: Any) -> None:
    """Several images in shared batches, each with its own other inputs."""
    pixels, inputs = images(5), as_other_inputs(others, 5)
    plans = [
        replace(grid_plan(image, 2, 4, 9 + row), inputs=inputs_of(inputs, row)) for row, image in enumerate(pixels)
    ]
    scorer = make_scorer(model, SHAPE, inputs=inputs, batch_size=16, **more)
    function = model if not isinstance(model, keras.Model) else lambda data: model.predict(data, verbose=0)
    targets = [(1,)] * 5
    for row, (plan, scores) in enumerate(zip(plans, scorer(plans, targets), strict=True)):
        repeated = {name: np.repeat(values[row : row + 1], 9 + row, axis=0) for name, values in inputs.items()}
        expected = function(arrange(model_inputs(plan), repeated))[:, -1]
        np.testing.assert_allclose(scores.values[:, 0], expected, atol=1e-5)
    ready = scorer.score_images(with_inputs(image, inputs, row) for row, image in enumerate(pixels))
    np.testing.assert_allclose(ready[:, 1], function(arrange(pixels, inputs))[:, -1], atol=1e-5)


def test_image_and_metadata_in_a_list_and_in_a_dictionary() -> None:
    check_scores(with_metadata(), metadata(5), lambda image, rest: [rest["age"], image, rest["site"]])
    check_scores(with_metadata("dict"), metadata(5), lambda image, rest: {"image": image, **rest})
    by_position = {0: metadata(5)["age"], 2: metadata(5)["site"]}
    check_scores(with_metadata(), by_position, lambda image, rest: [rest[0], image, rest[2]])


def test_a_pair_of_images_explained_on_either_side() -> None:
    model = siamese()
    check_scores(model, {"right": images(5, 1)}, lambda image, rest: [image, rest["right"]])
    check_scores(model, {"left": images(5, 1)}, lambda image, rest: [rest["left"], image], image_input="right")


def test_models_of_their_own_class_and_functions() -> None:
    rest = metadata(5)
    check_scores(
        OwnClass(), rest, lambda image, given: {"photo": image, **given}, output="softmax", image_input="photo"
    )
    by_position = {1: rest["age"], 2: rest["site"]}
    check_scores(
        OwnClass(as_list=True), by_position, lambda image, given: [image, given[1], given[2]], output="softmax"
    )

    def function(data: Any) -> Any:
        chance = 1 / (1 + np.exp(-data["image"].mean(axis=(1, 2, 3)) - data["age"][:, 0]))
        return np.stack([1 - chance, chance], axis=1)

    check_scores(function, rest, lambda image, given: {"image": image, **given}, output="softmax", image_input="image")


def test_explain_takes_the_other_inputs_of_one_image_and_of_a_batch() -> None:
    model, pixels, rest = with_metadata(), images(3), metadata(3)
    expected = model.predict([rest["age"], pixels, rest["site"]], verbose=0).max(axis=1)
    batch = explain(model, list(pixels), inputs=rest, **GRID)
    np.testing.assert_allclose([each.predicted_value for each in batch], expected, atol=1e-5)
    one = explain(model, pixels[2], inputs={"age": rest["age"][2], "site": rest["site"][2]}, **GRID)
    assert one.predicted_value == pytest.approx(expected[2], abs=1e-5)
    np.testing.assert_allclose(one.fit.coef, batch[2].fit.coef, atol=1e-5)


def test_a_training_and_its_shortcut_tests_keep_each_probes_inputs(tmp_path: Path) -> None:
    model, pixels, rest = with_metadata("dict"), images(8), metadata(8)
    labels = np.arange(8) % 2
    model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
    probes = ProbeSet(pixels, labels, inputs=rest, boxes=[(2, 2, 6, 6)] * 8)
    lime = LimeCallback(probes, tmp_path, verbose=0, on_error="raise", **GRID)
    history = model.fit({"image": pixels, **rest}, labels, epochs=1, verbose=0, callbacks=[lime])
    found = lime.explain(model, 1)
    lime.close()
    expected = model.predict({"image": pixels, **rest}, verbose=0)
    np.testing.assert_allclose([each.predicted_value for each in found], expected.max(axis=1), atol=1e-5)
    assert 0 <= history.history["lime_swap_flip"][0] <= 1
    report = shortcut_report(model, probes, **GRID)
    assert report.accuracy == pytest.approx((expected.argmax(axis=1) == labels).mean())


def test_the_data_sets_own_structure(tmp_path: Path) -> None:
    model, pixels, rest = with_metadata("dict"), images(6), metadata(6)
    probes = ProbeSet.from_dataset([({"image": pixels, **rest}, np.arange(6) % 2)], num_probes=4)
    assert set(probes.inputs) == {"age", "site"}
    found = LimeCallback(probes, tmp_path, verbose=0, shortcut_threshold=None, **GRID)
    explanations = found.explain(model, 0)
    found.close()
    expected = model.predict({"image": probes.images, **probes.inputs}, verbose=0).max(axis=1)
    np.testing.assert_allclose([each.predicted_value for each in explanations], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "image_input", "message"),
    [
        (None, None, r"inputs for none, and a model with 3 inputs, 'age' .*Pass inputs=\{'image': ..., 'site': ...\}"),
        ({"age": np.zeros(1)}, None, "must give every input of the model but the image's. Received: inputs for 'age'"),
        ({"agee": np.zeros(1), "site": np.zeros(3)}, None, "inputs for 'agee', 'site', and a model with 3 inputs"),
        ({"age": np.zeros(1), "site": np.zeros(3)}, "photo", "image_input='photo' and inputs for 'age', 'site'"),
        ({"age": np.zeros(1), "site": np.zeros(4)}, None, r"inputs\['site'\]` must have the shape .*\(None, 3\)"),
        ({"age": np.zeros(1), "site": np.array(["a"] * 3)}, None, "must hold real numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_named(inputs: Any, image_input: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        explain(with_metadata(), images(1)[0], inputs=inputs, image_input=image_input, **GRID)


def test_a_model_of_its_own_class_is_asked_for_the_images_name() -> None:
    with pytest.raises(ValueError, match="`image_input` must say under which name the model takes the image"):
        make_scorer(OwnClass(), SHAPE, "softmax", inputs=as_other_inputs(metadata(1), 1))
    single = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")])
    with pytest.raises(ValueError, match="inputs for 'age', 'site', and a model with 1 input"):
        explain(single, images(1)[0], inputs={name: values[0] for name, values in metadata(1).items()}, **GRID)
