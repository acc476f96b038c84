"""`engine="local"`: this process, one compiled model, several shards at a time. May import threadpoolctl and Keras."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from threadpoolctl import threadpool_limits

from keras_lime.auditing.explain_shard import work
from keras_lime.auditing.prepare import Request, prepare, scorer_for
from keras_lime.auditing.preprocessing import Shard
from keras_lime.auditing.storage.shards import Manifest
from keras_lime.data.models import load_model

__all__ = ["LocalEngine"]


class LocalEngine:
    """Threads that share a model; while one waits for it, others segment, fit and write.

    Args:
        model: a model, or the path of one.
        request: what was asked for.
        first: the first images.
        workers: shards at a time, or None.

    Attributes:
        job: what is the same for all shards.
        identity: content of `audit.json`.

    Raises:
        ValueError: see `prepare`.
    """

    def __init__(self, model: Any, request: Request, first: Shard, workers: int | None) -> None:
        self._model = load_model(model) if isinstance(model, str | os.PathLike) else model
        self._threads = workers or max(2, min(4, os.cpu_count() or 1))
        self.job, self.identity = prepare(self._model, request, first)

    def run(
        self, shards: Iterator[Shard], tick: Callable[[int], object], count: int | None = None
    ) -> Iterator[Manifest]:
        """Works on shards; no more of them are read ahead than one.

        Args:
            shards: what is to be done, in order.
            tick: called with the number of images that are done since it was called last.
            count: number of shards, where it is known; of no use here.

        Yields:
            The shards' manifests, as they are done.
        """
        del count
        scorer, lock = scorer_for(self._model, self.job), threading.Lock()

        def ticked() -> None:
            with lock:
                tick(1)

        # The threads share the processor among themselves: linear algebra in threads of its own would fight them.
        with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(self._threads, "keras_lime") as pool:
            running: set[Future[Manifest]] = set()
            try:
                for shard in shards:
                    running.add(pool.submit(work, shard, self.job, scorer, ticked))
                    if len(running) > self._threads:
                        done, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from (each.result() for each in done)
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in done)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """Nothing is held."""
