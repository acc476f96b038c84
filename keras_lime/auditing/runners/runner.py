"""What runs an audit: this process (`local`), or workers of Ray (`on_ray`). May import the modules beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from keras_lime.auditing.explain_shard import Job
from keras_lime.auditing.shard import ShardReference
from keras_lime.auditing.storage.shards import ShardManifest
from keras_lime.auditing.visual_words.proof import WordProof
from keras_lime.auditing.visual_words.proof_images import Candidate
from keras_lime.auditing.visual_words.vocabulary import Vocabulary

__all__ = ["DoneShard", "Runner"]


@dataclass(frozen=True)
class DoneShard:
    """A shard that somebody says is done.

    Attributes:
        manifest: what was written.
        host: name of the machine that wrote it.
    """

    manifest: ShardManifest
    host: str


class Runner(Protocol):
    """Explains shards; made by checking that model, data and settings go together."""

    @property
    def job(self) -> Job:
        """What is the same for all shards."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Content of `audit.json`."""

    def run(self, shards: Iterator[ShardReference], tick: Callable[[int], object]) -> Iterator[DoneShard]:
        """Works on shards; few more of them are read than are worked on.

        Args:
            shards: what is to be done, in order.
            tick: called with the number of images that are done since it was called last.

        Yields:
            The shards, as they are done.
        """

    def prove(self, candidates: Sequence[Candidate], vocabulary: Vocabulary) -> Mapping[Candidate, WordProof]:
        """Tests suspicious words with the model, once all shards are done; see `prove_words`."""

    def close(self) -> None:
        """Ends what was begun for this audit."""
