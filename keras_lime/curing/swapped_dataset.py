"""Any data set for `fit` → the same with a function applied to each of its batches. May import Keras and numpy."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from keras_lime.data.arrays import to_numpy

__all__ = ["swapped_dataset"]

Swap = Callable[..., Any]
"""From a batch `(images, labels)` or `(images, labels, sample_weight)` to another one."""


def swapped_dataset(data: Any, swap: Swap, *, batch_size: int, seed: int, name: str = "data") -> Any:
    """Applies a function to every batch of a data set, at every epoch.

    Args:
        data: a batched `tf.data.Dataset`, a `PyDataset`, a torch `DataLoader`, a tuple of arrays `(images, labels)`, or
            an iterator of batches.
        swap: the function.
        batch_size: of arrays, which are shuffled at every epoch.
        seed: of the shuffling.
        name: what messages call the data set. Defaults to `"data"`.

    Returns:
        Something of the same kind; for arrays a `PyDataset`.

    Raises:
        TypeError: if `data` is nothing of the kind.
    """
    if hasattr(data, "element_spec") and hasattr(data, "map"):
        return data.map(swap)
    if isinstance(data, keras.utils.PyDataset):
        return _SwappedPyDataset(data, swap)
    if isinstance(data, tuple | list) and len(data) in (2, 3):
        return _ShuffledArrays(tuple(to_numpy(part, name) for part in data), swap, batch_size, seed)
    torch_data = sys.modules.get("torch.utils.data")
    if torch_data is not None and isinstance(data, torch_data.DataLoader):
        return _swapped_loader(data, swap)
    if isinstance(data, Iterator):
        return (swap(*batch) for batch in data)
    raise TypeError(
        f"`{name}` must be a tf.data.Dataset, a PyDataset, a torch DataLoader, arrays (images, labels) or an iterator "
        f"of batches. Received: {type(data).__name__}."
    )


class _SwappedPyDataset(keras.utils.PyDataset):
    """A `PyDataset` with its batches changed; workers and queue stay as they were."""

    def __init__(self, data: Any, swap: Swap) -> None:
        super().__init__(
            workers=data.workers, use_multiprocessing=data.use_multiprocessing, max_queue_size=data.max_queue_size
        )
        self._data, self._swap = data, swap

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, index: int) -> Any:
        return self._swap(*self._data[index])

    def on_epoch_begin(self) -> None:
        self._data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._data.on_epoch_end()


class _ShuffledArrays(keras.utils.PyDataset):
    """Arrays in batches, in another order at every epoch, as `fit` takes arrays."""

    def __init__(self, arrays: tuple[Any, ...], swap: Swap, batch_size: int, seed: int) -> None:
        super().__init__()
        self._arrays, self._swap, self._batch_size = arrays, swap, batch_size
        self._rng = np.random.default_rng(seed)
        self._order = self._rng.permutation(len(arrays[0]))

    def __len__(self) -> int:
        return -(-len(self._order) // self._batch_size)

    def __getitem__(self, index: int) -> Any:
        rows = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        return self._swap(*(array[rows] for array in self._arrays))

    def on_epoch_end(self) -> None:
        self._order = self._rng.permutation(len(self._order))


def _swapped_loader(loader: Any, swap: Swap) -> Any:
    """The same `DataLoader` with batches changed where they are put together."""
    import torch

    def collate(samples: Any) -> Any:
        return tuple(torch.as_tensor(part) for part in swap(*loader.collate_fn(samples)))

    return torch.utils.data.DataLoader(
        loader.dataset,
        batch_sampler=loader.batch_sampler,
        collate_fn=collate,
        num_workers=loader.num_workers,
        pin_memory=loader.pin_memory,
    )
