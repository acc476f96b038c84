"""Memory and batch sizes: what every engine and every walk over batches must ask. May import Keras' models only."""

from typing import Any

__all__ = ["fixed_batch_size", "is_out_of_memory", "may_halve"]

_OUT_OF_MEMORY = ("resource_exhausted", "out of memory", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any backend says that memory ran out."""
    named = type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError", "MemoryError")
    return named or any(words in str(error).lower() for words in _OUT_OF_MEMORY)


def may_halve(error: BaseException, model: Any, batch_size: int) -> bool:
    """Whether half the rows per batch may help after this error."""
    return is_out_of_memory(error) and batch_size > 1 and fixed_batch_size(model) is None


def fixed_batch_size(model: Any) -> int | None:
    """Rows that a model with a fixed batch dimension takes; None for the others."""
    inputs = getattr(model, "inputs", None)
    size = inputs[0].shape[0] if inputs else None
    return None if size is None else int(size)
