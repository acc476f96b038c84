"""A data set that can only be read from its begin to its end → shards. May import numpy and `data`."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from keras_lime.auditing.shard import Item, Shard
from keras_lime.auditing.sources.source import Cutting
from keras_lime.core.model_input import InputName
from keras_lime.data.class_names import find_class_names
from keras_lime.data.datasets import Batch, read_batches

__all__ = ["StreamSource", "cut"]


class StreamSource:
    """A `tf.data.Dataset`, `PyDataset`, torch `DataLoader`, generator or other iterable of batches.

    Args:
        dataset: see `keras_lime.data.datasets.read_batches`.
        cutting: how it is cut in shards.
        image_input: name or position of the image among several inputs. Defaults to `None`: the one of that shape.
        class_names: names of the classes, for labels that are names, or None.
    """

    encoded = addressable = False
    n_images: int | None = None

    def __init__(
        self,
        dataset: Any,
        cutting: Cutting,
        image_input: InputName | None = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        names = find_class_names(dataset) if class_names is None else class_names
        self._batches = read_batches(dataset, class_names=names, image_input=image_input, unknown_below_0=True)
        self._size, self._most = cutting.size, cutting.most
        self.class_names = find_class_names(dataset)

    def describe(self) -> dict[str, Any]:
        """See `Source.describe`. A stream can only be compared as it is read: image by image, with what is done."""
        return {"kind": "stream", "max_images": self._most}

    def shards(self, skip: Collection[int] = ()) -> Iterator[Shard]:
        """See `Source.shards`; the data set is read once."""
        del skip
        return cut(self._items(), self._size, self._most)

    def _items(self) -> Iterator[Item]:
        position = 0
        for batch in self._batches:
            _check_single(batch)
            for row, image in enumerate(batch.images):
                label = None if batch.labels is None else int(batch.labels[row])
                # Copies: a view would keep the whole batch in memory.
                mask = None if batch.masks is None else batch.masks[row].copy()
                inputs = {name: rows[row].copy() for name, rows in batch.inputs.items()}
                yield Item(position, image.copy(), None, label, mask, inputs=inputs)
                position += 1


def _check_single(batch: Batch) -> None:
    """Refuses what an audit does not have: several classes of one image."""
    if batch.labels is None and batch.multi_hot is not None:
        raise ValueError(
            "`dataset` must give one class for each image. Received: rows with several ones, or none. Leave the labels "
            "out: dataset.map(lambda images, labels: images)."
        )


def cut(items: Iterator[Item], size: int, most: int | None) -> Iterator[Shard]:
    """Shards of `size` items in order, of `most` items at most."""
    waiting: list[Item] = []
    index = 0
    for item in items:
        if item.position == most:
            break
        waiting.append(item)
        if len(waiting) == size:
            yield Shard(index, tuple(waiting))
            waiting, index = [], index + 1
    if waiting:
        yield Shard(index, tuple(waiting))
