"""What the gradients of all backends share. Imports nothing."""

from typing import Any

__all__ = ["checked_gradient"]


def checked_gradient(gradient: Any) -> Any:
    """A gradient that is there.

    Raises:
        ValueError: for None, which stands for an output that does not depend on the images.
    """
    if gradient is None:
        raise ValueError("`model` must be differentiable. Received: one whose output has no gradient by its input.")
    return gradient
