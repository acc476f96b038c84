"""Any tensor → a NumPy array: the one conversion for images, labels, masks, weights and scores.

Tensors are recognised by what they can do, so that none of their libraries is imported for it. May import numpy alone.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["to_numpy"]


def to_numpy(value: Any, name: str) -> NDArray[Any]:
    """Converts a tensor of any library, or anything array-like, to a NumPy array.

    Args:
        value: a NumPy array, a tensor of TensorFlow, JAX or PyTorch (on any device, with or without gradients), a Keras
            variable, a PIL image, a number or nested sequences of numbers.
        name: how the argument is called in errors.

    Returns:
        Array of booleans, integers or floats. Floats that NumPy itself does not know, such as bfloat16, become float32;
        every other dtype is kept.

    Raises:
        TypeError: if the values are not real numbers.
        ValueError: if rows differ in length.
    """
    if hasattr(value, "row_splits") or getattr(value, "is_nested", False):
        raise ValueError(
            f"`{name}` must be a regular array. Received: a ragged tensor, whose rows differ in length. Resize or pad "
            "its images to one size first, and batch them after that."
        )
    array = np.asarray(_off_its_device(value, name)) if not isinstance(value, list | tuple) else _stacked(value, name)
    if array.dtype.kind == "V" and np.can_cast(array.dtype, np.float32):
        # bfloat16 and the 8-bit floats of `ml_dtypes`, which TensorFlow and JAX give: to NumPy they are opaque bytes.
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"`{name}` must hold real numbers. Received: {type(value).__name__} of dtype {array.dtype}. "
            "Convert it to an array of integers or floats first."
        )
    return array


def _off_its_device(value: Any, name: str) -> Any:
    """The value in main memory and without gradients, if it is a tensor."""
    if callable(getattr(value, "detach", None)):
        value = value.detach().cpu()
        try:
            return value.numpy()
        except TypeError:
            # PyTorch's bfloat16 and 8-bit floats have no counterpart in NumPy.
            return value.float().numpy()
    if callable(getattr(value, "numpy", None)):
        return _off_its_device(value.numpy(), name)
    return value


def _stacked(values: list[Any] | tuple[Any, ...], name: str) -> NDArray[Any]:
    """Nested sequences as one array; tensors in them are converted one by one."""
    entries = [_off_its_device(value, name) for value in values]
    try:
        return np.asarray(entries)
    except ValueError as error:
        raise ValueError(f"`{name}` must be a regular array. Received: rows of different lengths.") from error
