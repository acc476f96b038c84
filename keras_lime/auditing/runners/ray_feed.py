"""Shards on their way from this process to Ray's workers.

Every shard is asked for by number, and is kept until its manifest is back: whatever Ray has to do again after a worker
or a machine was lost, it finds the same images. May import the standard library alone, and Ray and pyarrow inside
functions: processes that only pass shards on shall be light.
"""

import asyncio
import math
import pickle
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_lime.auditing.preprocessing import Shard

__all__ = ["Feeder", "Store", "pull"]


class Store:
    """Which shards there are, and the model; an actor, so that any machine can ask for them.

    Args:
        model: a pickled `PackedModel`.
    """

    def __init__(self, model: bytes) -> None:
        self._model = model
        self._shards: dict[int, Any] = {}
        self._next, self._total = 0, math.inf
        self._changed = asyncio.Condition()

    async def model(self) -> bytes:
        """The model."""
        return self._model

    async def put(self, number: int, reference: list[Any]) -> None:
        """Adds a shard; the reference is in a list, or Ray would fetch what it refers to."""
        async with self._changed:
            self._shards[number], self._next = reference, number + 1
            self._changed.notify_all()

    async def end(self, total: int) -> None:
        """There are no more shards than `total`."""
        async with self._changed:
            self._total = total
            self._changed.notify_all()

    async def drop(self, number: int) -> None:
        """Forgets a shard that is done."""
        self._shards.pop(number, None)

    async def get(self, number: int) -> list[Any]:
        """A reference to the shard; none if it is done already, or the data set has ended before it."""
        async with self._changed:
            await self._changed.wait_for(lambda: number < self._next or number >= self._total)
        found: list[Any] = self._shards.get(number, [])
        return found


class Feeder:
    """Reads shards in a thread and puts them in the object store, no more than are wanted.

    Args:
        store: handle of the `Store`.
        shards: to be read.
        room: how many may be there that are not done.

    Attributes:
        error: what went wrong in reading, or None.
    """

    def __init__(self, store: Any, shards: "Iterator[Shard]", room: int) -> None:
        self.error: BaseException | None = None
        self._store = store
        self._permits = threading.Semaphore(room)
        self._read, self._over = 0, False
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._feed, args=(shards,), daemon=True, name="keras_lime-feed")
        self._thread.start()

    def has(self, number: int) -> bool:
        """Whether there is a shard of this number; waits until it is known."""
        with self._changed:
            self._changed.wait_for(lambda: self._read > number or self._over)
            return self._read > number

    def done(self, number: int) -> None:
        """The shard's manifest is back: it may be forgotten."""
        self._store.drop.remote(number)
        self._permits.release()

    def close(self) -> None:
        """Stops reading."""
        self._stopped = True
        self._permits.release()
        self._thread.join()

    def _feed(self, shards: "Iterator[Shard]") -> None:
        import ray

        number = 0
        try:
            for shard in shards:
                self._tell(number + 1, False)
                self._permits.acquire()
                if self._stopped:
                    break
                reference = ray.put(pickle.dumps(shard, protocol=5))
                ray.get(self._store.put.remote(number, [reference]))
                number += 1
        except BaseException as error:
            self.error = error
        self._tell(number, True)
        if not self._stopped:
            ray.get(self._store.end.remote(number))

    def _tell(self, read: int, over: bool) -> None:
        with self._changed:
            self._read, self._over = read, over
            self._changed.notify_all()


def pull(table: Any, store: Any) -> Any:
    """Ray Data's first step: numbers of shards → shards. Those that are not to be had are left out.

    Args:
        table: `pyarrow.Table` with a column `number`.
        store: handle of the `Store`.

    Returns:
        `pyarrow.Table` with the columns `number` and `shard`, pickled.
    """
    import pyarrow as pa
    import ray

    rows = []
    for number in table.column("number").to_pylist():
        rows += [(number, ray.get(reference)) for reference in ray.get(store.get.remote(number))]
    numbers, shards = [number for number, _ in rows], [shard for _, shard in rows]
    return pa.table({"number": pa.array(numbers, pa.int64()), "shard": pa.array(shards, pa.large_binary())})
