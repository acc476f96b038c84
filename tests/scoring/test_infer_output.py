import functools
import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from keras_lime.scoring.engines.engine import OutputSpec
from keras_lime.scoring.infer_output import infer_function_output, infer_output
from keras_lime.scoring.outputs import Output

Layers = Callable[[Any], Any]
layers = keras.layers


def model_of(*tail: Any) -> Any:
    """A functional model on four numbers."""
    inputs = keras.Input((4,))
    value = inputs
    for layer in tail:
        value = layer(value)
    return keras.Model(inputs, value)


class Subclassed(keras.Model):
    def __init__(self, *parts: Any) -> None:
        super().__init__()
        self.parts = list(parts)

    def call(self, inputs: Any) -> Any:
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def meaning(output: Output) -> tuple[str, bool, int]:
    return output.kind, output.from_logits, output.n_outputs


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ([layers.Dense(3, activation="softmax")], ("softmax", False, 3)),
        ([layers.Dense(3), layers.Activation("softmax")], ("softmax", False, 3)),
        ([layers.Dense(3), layers.Softmax()], ("softmax", False, 3)),
        ([layers.Dense(3, activation=layers.Softmax())], ("softmax", False, 3)),
        ([layers.Dense(3), keras.ops.softmax], ("softmax", False, 3)),
        ([layers.Dense(3, activation="softmax"), layers.Activation("linear", dtype="float32")], ("softmax", False, 3)),
        ([layers.Dense(3, activation="softmax"), lambda x: keras.ops.cast(x, "float64")], ("softmax", False, 3)),
        ([layers.Dense(3, activation="softmax"), layers.Reshape((1, 3)), layers.Flatten()], ("softmax", False, 3)),
        ([layers.Dense(3, activation="log_softmax")], ("softmax", True, 3)),
        ([layers.Dense(1, activation="sigmoid")], ("sigmoid", False, 2)),
        ([layers.Dense(1), keras.activations.sigmoid, layers.Identity()], ("sigmoid", False, 2)),
        ([layers.Dense(1, activation="hard_sigmoid")], ("sigmoid", False, 2)),
        ([layers.Dense(3, activation="sigmoid")], ("multilabel", False, 3)),
        ([keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="softmax")])], ("softmax", False, 3)),
        ([layers.Dense(4), model_of(layers.Dense(3, activation="sigmoid"))], ("multilabel", False, 3)),
        (
            [layers.Dense(3, activation="softmax"), keras.Sequential([keras.Input((3,)), layers.Flatten()])],
            ("softmax", False, 3),
        ),
    ],
)
def test_auto_reads_the_last_activation(tail: list[Any], expected: tuple[str, bool, int]) -> None:
    assert meaning(infer_output(model_of(*tail))) == expected


def test_auto_reads_sequential_models() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Activation("softmax")])
    assert meaning(infer_output(model)) == ("softmax", False, 3)


losses = keras.losses


@pytest.mark.parametrize(
    ("columns", "loss", "expected"),
    [
        (3, losses.SparseCategoricalCrossentropy(from_logits=True), ("softmax", True, 3)),
        (3, losses.CategoricalFocalCrossentropy(from_logits=True), ("softmax", True, 3)),
        (3, functools.partial(losses.categorical_crossentropy, from_logits=True), ("softmax", True, 3)),
        (1, losses.BinaryCrossentropy(from_logits=True), ("sigmoid", True, 2)),
        (3, losses.BinaryCrossentropy(from_logits=True), ("multilabel", True, 3)),
        (3, [losses.BinaryFocalCrossentropy(from_logits=True)], ("multilabel", True, 3)),
        (3, "mse", ("regression", False, 3)),
        (1, "mean_absolute_error", ("regression", False, 1)),
        (1, losses.Huber(), ("regression", False, 1)),
        (2, losses.mean_squared_error, ("regression", False, 2)),
    ],
)
def test_auto_reads_the_loss_where_the_activation_is_linear(
    columns: int, loss: Any, expected: tuple[str, bool, int]
) -> None:
    model = model_of(layers.Dense(columns))
    model.compile(loss=loss)
    assert meaning(infer_output(model)) == expected


@pytest.mark.parametrize(
    ("columns", "loss", "expected"),
    [
        (3, "categorical_crossentropy", ("softmax", False, 3)),
        (3, "sparse_categorical_crossentropy", ("softmax", False, 3)),
        (3, losses.sparse_categorical_crossentropy, ("softmax", False, 3)),
        (3, losses.SparseCategoricalCrossentropy(from_logits=True), ("softmax", True, 3)),
        (1, "binary_crossentropy", ("sigmoid", False, 2)),
        (3, losses.BinaryCrossentropy(), ("multilabel", False, 3)),
        (2, losses.MeanSquaredError(), ("regression", False, 2)),
    ],
)
def test_auto_reads_the_loss_of_a_subclassed_model(columns: int, loss: Any, expected: tuple[str, bool, int]) -> None:
    model = Subclassed(layers.Dense(columns))
    model.compile(loss=loss)
    assert meaning(infer_output(model, outputs=OutputSpec((1, columns), "float32"))) == expected


def test_a_loss_class_of_ones_own_is_known_by_its_parent() -> None:
    class Smoothed(keras.losses.CategoricalCrossentropy):
        pass

    model = model_of(layers.Dense(3))
    model.compile(loss=Smoothed(from_logits=True))
    assert meaning(infer_output(model)) == ("softmax", True, 3)


@pytest.mark.parametrize(
    ("tail", "loss"),
    [
        ([layers.Dense(3)], None),
        ([layers.Dense(3)], "categorical_crossentropy"),
        ([layers.Dense(3, activation="relu")], None),
        ([layers.Dense(3)], "hinge"),
        ([layers.Dense(3)], lambda true, predicted: predicted),
        ([layers.Dense(1, activation="softmax")], None),
        ([layers.Flatten()], None),
    ],
)
def test_undecided_outputs_must_be_declared(tail: list[Any], loss: Any) -> None:
    model = model_of(*tail)
    if loss is not None:
        model.compile(loss=loss)
    with pytest.raises(
        ValueError, match=r'`output` must be given.*"softmax", "logits", "sigmoid", "multilabel" or "regr'
    ):
        infer_output(model)


@pytest.mark.parametrize(
    ("columns", "declared", "expected"),
    [
        (3, "logits", ("softmax", True, 3)),
        (1, "logits", ("sigmoid", True, 2)),
        (3, "softmax", ("softmax", True, 3)),
        (3, "multilabel", ("multilabel", True, 3)),
        (1, "sigmoid", ("sigmoid", True, 2)),
        (1, "multilabel", ("multilabel", True, 1)),
        (3, "regression", ("regression", False, 3)),
    ],
)
def test_declared_outputs_of_a_linear_layer(columns: int, declared: str, expected: tuple[str, bool, int]) -> None:
    assert meaning(infer_output(model_of(layers.Dense(columns)), declared)) == expected


def test_declared_outputs_of_probabilities() -> None:
    relu = model_of(layers.Dense(3, activation="relu"))
    assert meaning(infer_output(relu, "softmax")) == ("softmax", False, 3)
    sigmoid = model_of(layers.Dense(3, activation="sigmoid"))
    assert meaning(infer_output(sigmoid, "multilabel")) == ("multilabel", False, 3)
    assert meaning(infer_output(sigmoid, "regression")) == ("regression", False, 3)


@pytest.mark.parametrize(("columns", "declared"), [(3, "sigmoid"), (1, "softmax"), (3, "probabilities")])
def test_declared_outputs_must_have_their_columns(columns: int, declared: str) -> None:
    with pytest.raises(ValueError, match="`output`.*Received: "):
        infer_output(model_of(layers.Dense(columns)), declared)


def test_several_outputs_by_name_and_index() -> None:
    inputs = keras.Input((4,))
    kind = layers.Dense(3, activation="softmax", name="kind")(inputs)
    size = layers.Dense(1, name="size")(inputs)
    by_name = keras.Model(inputs, {"kind": kind, "size": size})
    by_name.compile(loss={"kind": "categorical_crossentropy", "size": "mse"})
    assert meaning(infer_output(by_name, head="kind")) == ("softmax", False, 3)
    assert meaning(infer_output(by_name, head="size")) == ("regression", False, 1)
    assert meaning(infer_output(by_name, head=1)) == ("regression", False, 1)
    by_index = keras.Model(inputs, [kind, size])
    by_index.compile(loss=["categorical_crossentropy", losses.BinaryCrossentropy(from_logits=True)])
    assert meaning(infer_output(by_index, head=0)) == ("softmax", False, 3)
    assert meaning(infer_output(by_index, head="size")) == ("sigmoid", True, 2)
    for model in (by_name, by_index):
        with pytest.raises(ValueError, match=r"2 output\(s\): 'kind', 'size'. `head` says which is explained"):
            infer_output(model)
        with pytest.raises(ValueError, match="'kind', 'size'. `head` must be one of them. Received: head='colour'"):
            infer_output(model, head="colour")
        with pytest.raises(ValueError, match="Received: head=2"):
            infer_output(model, head=2)


def test_several_outputs_of_a_subclassed_model() -> None:
    model = Subclassed()
    model.compile(loss={"a": "mse", "b": "binary_crossentropy"})
    specs = {"a": OutputSpec((1, 2), "float32"), "b": OutputSpec((1, 1), "float16")}
    assert infer_output(model, head="b", outputs=specs) == Output("sigmoid", False, 1, "b", "float16")
    with pytest.raises(ValueError, match="`outputs` must be given"):
        infer_output(model)


def test_outputs_of_a_map_without_fixed_size_are_refused() -> None:
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax")(inputs))
    with pytest.raises(ValueError, match=r"one row of scores per image. Received: shape=\(None, None, None, 2\)"):
        infer_output(model)
    flat = keras.Model(inputs, layers.Flatten()(inputs))
    with pytest.raises(ValueError, match="must have a fixed size"):
        infer_output(flat, "softmax")


def test_auto_knows_probabilities_of_a_function() -> None:
    raw = np.array([[0.2, 0.8], [0.5, 0.5]], np.float32)
    assert meaning(infer_function_output(raw)) == ("softmax", False, 2)
    assert meaning(infer_function_output(raw, "multilabel")) == ("multilabel", False, 2)
    assert meaning(infer_function_output(raw, "logits")) == ("softmax", True, 2)
    assert meaning(infer_function_output(raw[:, :1], "sigmoid")) == ("sigmoid", False, 2)


@pytest.mark.parametrize("raw", [[[0.2, 0.9]], [[-0.5, 1.5]], [[0.7]]])
def test_other_functions_must_be_declared(raw: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="`output` must be given for this function"):
        infer_function_output(np.array(raw, np.float32))


def test_a_function_that_gives_no_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="must be finite"):
        infer_function_output(np.array([[math.nan, 1.0]], np.float32))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("categorical_focal_crossentropy", ("softmax", False, 2)),
        (keras.losses.categorical_focal_crossentropy, ("softmax", False, 2)),
        (keras.losses.CategoricalFocalCrossentropy(from_logits=True), ("softmax", True, 2)),
        (keras.losses.BinaryFocalCrossentropy(from_logits=True), ("multilabel", True, 2)),
    ],
)
def test_focal_losses_tell_what_a_model_without_a_graph_gives(loss: Any, expected: tuple[str, bool, int]) -> None:
    model = Subclassed(layers.Dense(2))
    model.compile(loss=loss)
    assert meaning(infer_output(model, outputs=OutputSpec((1, 2), "float32"))) == expected
