"""One conversion for tensors of all libraries: the same values give the same array."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from keras_lime.data.arrays import to_numpy

VALUES = [[0.5, -2.0], [96.0, 0.0]]
"""Numbers that bfloat16 and 8-bit floats hold exactly."""


def of_torch(dtype: str) -> Any:
    torch = pytest.importorskip("torch")
    return torch.tensor(VALUES, dtype=getattr(torch, dtype), requires_grad=dtype != "float8_e4m3fn")


def of_tensorflow(dtype: str) -> Any:
    import tensorflow as tf

    return tf.cast(tf.constant(VALUES), dtype)


def of_jax(dtype: str) -> Any:
    jnp = pytest.importorskip("jax.numpy")
    return jnp.asarray(VALUES).astype(dtype)


def of_keras(dtype: str) -> Any:
    import keras

    return keras.Variable(VALUES, dtype=dtype)


@pytest.mark.parametrize("make", [of_torch, of_tensorflow, of_jax, of_keras])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float8_e4m3fn"])
def test_all_libraries_agree(make: Callable[[str], Any], dtype: str) -> None:
    if make is of_keras and dtype.startswith("float8"):
        make = of_tensorflow
    found = to_numpy(make(dtype), "images")
    assert found.dtype == ("float16" if dtype == "float16" else "float32")
    np.testing.assert_array_equal(found, VALUES)


@pytest.mark.parametrize("make", [of_torch, of_tensorflow, of_jax])
def test_tensors_in_a_list(make: Callable[[str], Any]) -> None:
    found = to_numpy([make("bfloat16")] * 3, "images")
    assert found.dtype == np.float32
    assert found.shape == (3, 2, 2)


def test_double_precision_is_kept() -> None:
    third = np.float64(1) / 3
    torch = pytest.importorskip("torch")
    assert to_numpy(torch.tensor(third, dtype=torch.float64), "x") == third


@pytest.mark.parametrize(
    ("value", "received"),
    [("cat", "str"), (None, "NoneType"), ({"a": 1}, "dict"), (1j, "complex"), (np.zeros(2, "V8"), "ndarray")],
)
def test_no_numbers(value: Any, received: str) -> None:
    with pytest.raises(TypeError, match=f"`x` must hold real numbers. Received: {received} of dtype"):
        to_numpy(value, "x")


def ragged_tensorflow() -> Any:
    import tensorflow as tf

    return tf.ragged.constant([[1], [1, 2]])


def nested_torch() -> Any:
    torch = pytest.importorskip("torch")
    return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged)


def lists_of_tensors() -> Any:
    return [np.ones((4, 4, 3)), np.ones((5, 4, 3))]


@pytest.mark.parametrize("make", [ragged_tensorflow, nested_torch, lists_of_tensors, lambda: [[1], [1, 2]]])
def test_ragged(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="`x` must be a regular array. Received: .* differ|different lengths"):
        to_numpy(make(), "x")
