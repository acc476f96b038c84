"""Which epochs are explained, and which of those leave pictures. Imports nothing heavy."""

from collections.abc import Callable, Collection, Sequence

__all__ = ["Epochs", "PictureSchedule", "check_epochs", "is_chosen", "planned_epochs"]

Epochs = int | Collection[int] | Callable[[int], bool]

_MOST_PICTURES = 10
"""TensorBoard's Images tab keeps this many steps of a tag."""

_MOST_ASKED = 10_000
"""For a longer training a function is not asked about every epoch in advance."""


def check_epochs(epochs: Epochs) -> None:
    """Refuses an `epochs` argument that chooses nothing.

    Raises:
        ValueError: if it is neither a positive integer, a set of integers from 0 on, nor a function.
    """
    if callable(epochs):
        return
    if isinstance(epochs, int) and not isinstance(epochs, bool) and epochs >= 1:
        return
    given = epochs if isinstance(epochs, Collection) else ()
    if given and all(isinstance(epoch, int) and epoch >= 0 for epoch in given):
        return
    raise ValueError(
        "`epochs` must be a positive integer n (every n-th epoch), a set of epochs counted from 0, or a function from "
        f"the epoch to a bool. Received: epochs={epochs!r}."
    )


def is_chosen(epochs: Epochs, epoch: int) -> bool:
    """Whether `epoch`, counted from 0, is to be explained.

    Every n-th means that the epochs n, 2n, ... in a person's counting are explained, as in Keras' own callbacks.
    """
    if callable(epochs):
        return bool(epochs(epoch))
    if isinstance(epochs, int):
        return (epoch + 1) % epochs == 0
    return epoch in epochs


def planned_epochs(epochs: Epochs, first: int, last: int | None) -> Sequence[int] | None:
    """The epochs that a training will explain, without listing what may be billions.

    Args:
        epochs: which are chosen.
        first: the training's first epoch, which is always explained.
        last: one more than its last, or None where that is unknown.

    Returns:
        Them in order; None where nobody knows them before, as for a function over a long training.
    """
    if last is None:
        return None
    if isinstance(epochs, int):
        chosen = range(first + (-first - 1) % epochs, last, epochs)
        if len(chosen) and chosen[0] == first:
            return chosen
        # A range cannot hold an odd first element, and of a long one the first two hardly differ in place.
        return chosen if len(chosen) > _MOST_ASKED else [first, *chosen]
    if callable(epochs):
        if last - first > _MOST_ASKED:
            return None
        return [epoch for epoch in range(first, last) if epoch == first or is_chosen(epochs, epoch)]
    return sorted({first, *(epoch for epoch in epochs if first <= epoch < last)})


class PictureSchedule:
    """Chooses at most nine explained epochs for pictures, spread over the run; the last one is added at its end.

    Where the length of the run is unknown, the epochs explained 1st, 2nd, 4th, 8th, ... get pictures.

    Args:
        planned: the epochs that will be explained, in order, or None where nobody knows.
        offset: what is added to each to give its step. Defaults to `0`.
    """

    def __init__(self, planned: Sequence[int] | None, offset: int = 0) -> None:
        self._count = 0
        self._steps: set[int] | None = None
        if planned is not None:
            spread = min(len(planned), _MOST_PICTURES)
            self._steps = {planned[round(i * (len(planned) - 1) / max(spread - 1, 1))] + offset for i in range(spread)}

    def takes(self, step: int) -> bool:
        """Whether the explained epoch `step` leaves pictures."""
        self._count += 1
        if self._steps is None:
            return self._count < 2 ** (_MOST_PICTURES - 1) and self._count & (self._count - 1) == 0
        return step in self._steps
