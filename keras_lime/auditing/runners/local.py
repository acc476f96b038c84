"""`engine="local"`: this process, one compiled model, several shards at a time. May import threadpoolctl."""

import os
import platform
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from threadpoolctl import threadpool_limits

from keras_lime.auditing.explain_shard import explain_shard
from keras_lime.auditing.opened_model import OpenedModel
from keras_lime.auditing.prepare import Request, prepare
from keras_lime.auditing.prove import prove
from keras_lime.auditing.runners.runner import DoneShard
from keras_lime.auditing.shard import Shard, ShardReference
from keras_lime.auditing.storage.shards import ShardManifest
from keras_lime.auditing.visual_words.proof import WordProof
from keras_lime.auditing.visual_words.proof_images import Candidate
from keras_lime.auditing.visual_words.vocabulary import Vocabulary
from keras_lime.exceptions import warn

__all__ = ["LocalRunner"]


class LocalRunner:
    """Threads that share a model; while one waits for it, others segment, fit and write.

    They use the one accelerator that the model is on; `engine="ray"` uses several.

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

    Warns:
        LimeWarning: if the machine has more accelerators.
    """

    def __init__(self, model: Any, request: Request, first: Shard, workers: int | None) -> None:
        self._model = OpenedModel.open(model)
        if (count := self._model.accelerators) > 1:
            warn(f'`engine`="local" uses one of the {count} GPUs of this machine. engine="ray" uses all of them.')
        self._threads = workers or max(2, min(4, os.cpu_count() or 1))
        self.job, self.identity = prepare(self._model, request, first)

    def run(self, shards: Iterator[ShardReference], tick: Callable[[int], object]) -> Iterator[DoneShard]:
        """See `Runner.run`; this thread reads, no more than one shard ahead."""
        job, lock, host = self.job, threading.Lock(), platform.node()
        scorer = self._model.scorer(job.preprocessing.image_shape, job.settings, job.inputs, job.image_input)

        def ticked() -> None:
            with lock:
                tick(1)

        def done(futures: set[Future[ShardManifest]]) -> Iterator[DoneShard]:
            yield from (DoneShard(future.result(), host) for future in futures)

        # The threads share the processor among themselves: linear algebra in threads of its own would fight them.
        with threadpool_limits(limits=1, user_api="blas"), ThreadPoolExecutor(self._threads, "keras_lime") as pool:
            running: set[Future[ShardManifest]] = set()
            try:
                for reference in shards:
                    running.add(pool.submit(explain_shard, reference.read(), job, scorer, ticked))
                    if len(running) > self._threads:
                        finished, running = wait(running, return_when=FIRST_COMPLETED)
                        yield from done(finished)
                while running:
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from done(finished)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def prove(self, candidates: Sequence[Candidate], vocabulary: Vocabulary) -> Mapping[Candidate, WordProof]:
        """See `Runner.prove`."""
        return prove(self._model, self.job, candidates, vocabulary)

    def close(self) -> None:
        """Nothing is held."""
