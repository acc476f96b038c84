"""`engine="ray"`: workers of Ray that hold the model, read their own images and write their own files.

    this process: references to shards ─▶ workers, at most two shards each ─▶ files in the shared folder
                                    ▲──────────── manifests ◀┘

Plain actors, and no Ray Data: a shard is handed to workers that are ready alone, so that none waits for a machine that
is gone, and a worker that is lost is replaced, on whatever machine is there by then. May import Ray and Keras.
"""

import platform
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from tempfile import TemporaryFile
from typing import Any

import keras_lime
from keras_lime.auditing.explain_shard import Job, explain_shard
from keras_lime.auditing.opened_model import OpenedModel
from keras_lime.auditing.prepare import Request, prepare
from keras_lime.auditing.prove import prove
from keras_lime.auditing.runners.packed_model import pack
from keras_lime.auditing.runners.ray_cluster import (
    check_folder,
    check_model_size,
    check_resources,
    connect,
    environment,
    not_shared,
    other_version,
    possible_workers,
    share_machine,
)
from keras_lime.auditing.runners.runner import DoneShard
from keras_lime.auditing.shard import Shard, ShardReference
from keras_lime.auditing.storage.shards import read_json
from keras_lime.auditing.visual_words.proof import WordProof
from keras_lime.auditing.visual_words.proof_images import Candidate
from keras_lime.auditing.visual_words.vocabulary import Vocabulary
from keras_lime.data.models import first_line
from keras_lime.exceptions import warn

__all__ = ["RayRunner"]

_IN_FLIGHT = 2
"""Shards that a worker has at a time: the one it works on, and the next."""

_TRIES = 4
"""A shard whose worker dies so often is taken for the reason."""

_PATIENCE = 60.0
"""Seconds after which an audit says that no worker has answered."""

_LOOK_SECONDS = 5.0
"""How often the cluster is asked for machines that have joined."""


class RayRunner:
    """Workers on this machine, or on the cluster that Ray is connected to.

    Args:
        model: a model, or the path of one.
        request: what was asked for.
        first: the first images.
        workers: how many, or None: as many as there is room for, also on machines that join later.
        gpus_per_worker: share of a GPU for each, or None: one where the cluster has any.
        verbose: 0 to say nothing.

    Attributes:
        job: what is the same for all shards.
        identity: content of `audit.json`.

    Raises:
        ValueError: see `prepare`; if Ray has not the processors or GPUs, or hosts do not share the folder.
        RuntimeError: if a host has another version of this package.
    """

    def __init__(
        self,
        model: Any,
        request: Request,
        first: Shard,
        workers: int | None,
        gpus_per_worker: float | None,
        verbose: int,
    ) -> None:
        import ray

        packed = pack(model)
        self._ray = ray
        self._started = connect(workers, verbose)
        try:
            self._gpus = check_resources(workers, gpus_per_worker)
            self._wanted = workers
            check_model_size(packed)
            check_folder(request.folder)
            self._model = ray.put(packed)
            self._job_at: Any = None
            self._starting: dict[Any, Any] = {}
            self._refused: list[Any] = []
            self._flying: dict[Any, dict[Any, ShardReference]] = {}
            self._tries: Counter[int | None] = Counter()
            # In a worker, as all shards will be: what cannot be sent there is found out before anything is written.
            worker = self._new_worker()
            prepared = worker.prepare.remote(request, first)
            self._say_if_slow(prepared)
            self.job, self.identity = self._answer(prepared)
            self._starting[worker.check.remote(keras_lime.__version__, None)] = worker
        except BaseException:
            self.close()
            raise

    def run(self, shards: Iterator[ShardReference], tick: Callable[[int], object]) -> Iterator[DoneShard]:
        """See `Runner.run`."""
        self._job_at = self._ray.put((self.job, read_json(self.job.folder / "audit.json")))
        lost: deque[ShardReference] = deque()
        source = _Source(shards)
        looked = -_LOOK_SECONDS
        while True:
            if time.monotonic() - looked > _LOOK_SECONDS:
                self._recruit()
                looked = time.monotonic()
            over = self._hand_out(lost, source)
            flying = [answer for answers in self._flying.values() for answer in answers]
            if over and not flying:
                if source.error is not None:
                    raise source.error
                return
            for answer in self._ray.wait([*self._starting, *flying], num_returns=1, timeout=_LOOK_SECONDS)[0]:
                for done in self._settle(answer, lost):
                    tick(done.manifest.images)
                    yield done

    def prove(self, candidates: Sequence[Candidate], vocabulary: Vocabulary) -> Mapping[Candidate, WordProof]:
        """See `Runner.prove`: by one worker, or the one that follows it where it is lost."""
        while True:
            ready = [*self._flying, *self._starting.values()]
            worker = ready[0] if ready else self._new_worker()
            answer = worker.prove.remote(self.job, candidates, vocabulary)
            if not ready:
                self._starting[answer] = worker
            try:
                found: Mapping[Candidate, WordProof] = self._answer(answer)
            except self._ray.exceptions.RayActorError as error:
                self._flying.pop(worker, None)
                self._starting = {key: each for key, each in self._starting.items() if each is not worker}
                self._count(None, error)
            else:
                return found

    def close(self) -> None:
        """Ends the workers, and the Ray that was started here."""
        named = vars(self)
        for worker in [*named.get("_starting", {}).values(), *named.get("_flying", ()), *named.get("_refused", ())]:
            self._ray.kill(worker)
        if self._started:
            self._ray.shutdown()

    def _new_worker(self) -> Any:
        workers = self._wanted or possible_workers(self._gpus)
        made = self._ray.remote(num_cpus=1, num_gpus=self._gpus or None, runtime_env=environment(self._gpus))(_Worker)
        return made.remote(self._model, workers)

    def _recruit(self) -> None:
        """Asks Ray for the workers that are wanted, or fit, and are not there."""
        wanted = self._wanted or possible_workers(self._gpus) - len(self._refused)
        for _ in range(wanted - len(self._starting) - len(self._flying)):
            worker = self._new_worker()
            self._starting[worker.check.remote(keras_lime.__version__, self._job_at)] = worker

    def _hand_out(self, lost: deque[ShardReference], source: "_Source") -> bool:
        """Gives every worker work, first one shard each; says whether there is no more."""
        for depth in range(_IN_FLIGHT):
            for worker, answers in self._flying.items():
                if len(answers) == depth:
                    reference = lost.popleft() if lost else source.next()
                    if reference is None:
                        return True
                    answers[worker.explain.remote(self._job_at, reference)] = reference
        return False

    def _settle(self, answer: Any, lost: deque[ShardReference]) -> Iterator[DoneShard]:
        """What comes of an answer: a shard that is done, a worker that is ready, or one that is gone."""
        gone = self._ray.exceptions.RayActorError
        if answer in self._starting:
            worker = self._starting.pop(answer)
            try:
                problem = self._answer(answer)
            except gone as error:
                self._count(None, error)
            else:
                self._take_on(worker, problem)
            return
        worker = next(worker for worker, answers in self._flying.items() if answer in answers)
        try:
            done: DoneShard = self._answer(answer)
        except gone as error:
            # It worked on the first of its shards; the others are innocent.
            references = list(self._flying.pop(worker).values())
            lost.extend(references)
            self._count(references[0].index, error)
            self._recruit()
            return
        del self._flying[worker][answer]
        yield done

    def _take_on(self, worker: Any, problem: str | None) -> None:
        if problem is None:
            self._flying[worker] = {}
            return
        # It stays there and idle: else Ray would fill its place with the next one.
        self._refused.append(worker)
        warn(f"{problem} The audit goes on without it.")

    def _say_if_slow(self, answer: Any) -> None:
        """Names what the first worker needs where it does not come: the machine that had it may have left."""
        if self._ray.wait([answer], timeout=_PATIENCE)[0]:
            return
        needs = f"1 CPU and {self._gpus:g} GPU" if self._gpus else "1 CPU"
        free = self._ray.available_resources()
        warn(
            f"No worker has answered for {_PATIENCE:g} seconds. It loads the model, or Ray has no room: it needs "
            f"{needs}; free are {free.get('CPU', 0):g} CPU and {free.get('GPU', 0):g} GPU. The audit waits."
        )

    def _answer(self, answer: Any) -> Any:
        try:
            return self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None

    def _count(self, shard: int | None, error: BaseException) -> None:
        """Notes that a worker died with a shard, or before it had one."""
        self._tries[shard] += 1
        if self._tries[shard] >= _TRIES:
            when = "before it had a shard" if shard is None else f"with shard {shard}"
            raise RuntimeError(
                f"A worker died {_TRIES} times {when}: {first_line(error)} If its memory was too small, lower "
                "`workers`, `shard_size` or `batch_size`. What is done stays done."
            )


class _Source:
    """Shards to be handed out; where reading them fails, what was handed out is finished first.

    Attributes:
        error: why reading ended, or None.
    """

    def __init__(self, shards: Iterator[ShardReference]) -> None:
        self._shards = shards
        self.error: BaseException | None = None

    def next(self) -> ShardReference | None:
        """The next shard, None if there is none."""
        if self.error is None:
            try:
                return next(self._shards, None)
            except Exception as error:
                self.error = error
        return None


class _Worker:
    """An actor that holds the model; Ray unpacks what it is given."""

    def __init__(self, model: bytes, workers: int) -> None:
        share_machine(workers)
        self._packed = model
        self._model: OpenedModel | None = None
        self._scorer: Any = None

    def prove(self, job: Job, candidates: Sequence[Candidate], vocabulary: Vocabulary) -> Mapping[Candidate, WordProof]:
        """See `keras_lime.auditing.prove.prove`."""
        return prove(self._opened(), job, candidates, vocabulary)

    def prepare(self, request: Request, first: Shard) -> tuple[Job, dict[str, Any]]:
        """See `prepare`."""
        return prepare(self._opened(), request, first)

    def check(self, version: str, given: tuple[Job, Any] | None) -> str | None:
        """What is wrong with a machine that joined later; `check_folder` has looked at the others."""
        if keras_lime.__version__ != version:
            return other_version(platform.node(), keras_lime.__version__, version)
        if given is None:
            return None
        job, identity = given
        try:
            same = read_json(job.folder / "audit.json") == identity
            with TemporaryFile(dir=job.folder):
                problem = None if same else "has another folder there"
        except (OSError, ValueError) as error:
            problem = f"cannot read and write there ({getattr(error, 'strerror', None) or error})"
        return problem and not_shared(job.folder, platform.node(), problem)

    def explain(self, given: tuple[Job, Any], reference: ShardReference) -> DoneShard:
        """Reads a shard, explains it and writes its files."""
        job, _ = given
        if self._scorer is None:
            self._scorer = self._opened().scorer(
                job.preprocessing.image_shape, job.settings, job.inputs, job.image_input
            )
        return DoneShard(explain_shard(reference.read(), job, self._scorer), platform.node())

    def _opened(self) -> OpenedModel:
        from ray import cloudpickle

        if self._model is None:
            try:
                model = cloudpickle.loads(self._packed).unpack()
            except ImportError as error:
                raise ValueError(
                    f"`model` needs a module that host {platform.node()} does not have: {error}. Install it there."
                ) from None
            self._model = OpenedModel.open(model)
        return self._model
