"""The proof of suspicious words where the model is: in this process or a worker. May import the modules beside it."""

from collections.abc import Sequence

from keras_lime.auditing.explain_shard import Job
from keras_lime.auditing.opened_model import OpenedModel
from keras_lime.auditing.visual_words.proof import WordProof, prove_words, untested
from keras_lime.auditing.visual_words.proof_images import Candidate
from keras_lime.auditing.visual_words.vocabulary import Vocabulary
from keras_lime.scoring import NonFiniteOutputError

__all__ = ["prove"]


def prove(
    model: OpenedModel, job: Job, candidates: Sequence[Candidate], vocabulary: Vocabulary
) -> dict[Candidate, WordProof]:
    """See `prove_words`.

    Args:
        model: the model.
        job: of the audit, all of whose shards are done.
        candidates: classes with their words.
        vocabulary: the words.
    """
    if job.inputs:
        return untested(candidates, "audits do not store what the model takes beside the image")
    scorer = model.scorer(job.preprocessing.image_shape, job.settings, job.inputs, job.image_input)
    try:
        return prove_words(
            job.folder,
            candidates,
            vocabulary,
            display=job.display,
            image_shape=job.preprocessing.image_shape,
            scorer=scorer,
            seed=job.settings.seed,
        )
    except NonFiniteOutputError as error:
        return untested(candidates, f"the model gave {error.value} for an image with a patch")
