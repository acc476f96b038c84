"""Proof of suspicious words: does what is around the object pull images of other classes towards the class?

Evidence around an object proves nothing where a class and its scene always go together: hiding a scene disturbs a model
that reads the object alone, too. So it is pasted into images that are predicted as other classes, twice: everything
around the object, which says whether the class is read off its surroundings at all, and the word's own superpixels,
which says whether this word has a part in it; `pasting` says what they are compared with. A word is proved where its
class's surroundings raise the class's probability by `LEAST_AROUND` and its own patches by `LEAST_PULL` more than the
random ones do, each beyond 1.64 standard errors. Where a scene falls into words none of which pulls alone, they
are proved by the surroundings as a whole.

A class costs at most `PASSES_A_CLASS` passes, as many as LIME's samples of a single image. May import the core and the
modules beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from keras_lime.auditing.visual_words.pasting import Paster, Pull
from keras_lime.auditing.visual_words.proof_images import IMAGES, Candidate, Pool, choose_images, read_images
from keras_lime.auditing.visual_words.vocabulary import Vocabulary
from keras_lime.core.display import Display
from keras_lime.core.scores import ImageScorer

__all__ = [
    "LEAST_AROUND",
    "LEAST_PULL",
    "MOST_WORDS_PROVED",
    "PASSES_A_CLASS",
    "UNTESTED",
    "ProofStatus",
    "Prover",
    "WordProof",
    "prove_words",
    "untested",
]

ProofStatus = Literal["proved", "not proved", "not tested"]

MOST_WORDS_PROVED = 4
"""Words of a class that are tested, those with most evidence first."""

PASSES_A_CLASS = IMAGES * (2 + 2) + MOST_WORDS_PROVED * IMAGES * (1 + 2)
"""Each image as it is and each paste with its random one: of the surroundings, and of every word."""

LEAST_AROUND = 0.2
"""Rise of the class's probability, beyond random surroundings, by all that is around its objects."""

LEAST_PULL = 0.05
"""The same by the patches of one word."""

_AS_A_WHOLE = "proved with all that is around the objects, as no word of the class pulls alone"
_TOO_FEW = "too few images have it, or too few of other classes could get it"

_CLASSES_AT_A_TIME = 16
"""Classes whose images are in memory together."""


@dataclass(frozen=True)
class WordProof:
    """What pasting says of one class's word.

    Attributes:
        status: whether it pulls the prediction towards the class.
        reason: why it was not tested, or on what its proof rests, or None.
        word: what the word's patches do, or None where that was not tested.
        around: what everything around the class's objects does, or None.
        picture: a PNG or JPEG file: an image with a patch of the word, and beside it with the random one; or None.
    """

    status: ProofStatus
    reason: str | None = None
    word: Pull | None = None
    around: Pull | None = None
    picture: bytes | None = None


UNTESTED = WordProof("not tested", "the model was not at hand")
TOO_MANY = WordProof("not tested", f"only the {MOST_WORDS_PROVED} words of a class with most evidence are")

Prover = Callable[[Sequence[Candidate], Vocabulary], Mapping[Candidate, WordProof]]
"""Whoever has the model at hand: candidates and the words' vocabulary → a proof for each."""


def prove_words(
    folder: Path,
    candidates: Sequence[Candidate],
    vocabulary: Vocabulary,
    *,
    display: Display,
    image_shape: tuple[int, ...],
    scorer: ImageScorer,
    seed: int = 0,
) -> dict[Candidate, WordProof]:
    """Tests suspicious words.

    Args:
        folder: the audit's folder, all shards done.
        candidates: classes with their words, of each class those with most evidence first. At most `MOST_WORDS_PROVED`
            of a class are tested alone.
        vocabulary: the words.
        display: how the audit shows images, by which model input is made of its pictures again.
        image_shape: of one image, as the model takes it.
        scorer: the model.
        seed: of the draw of images. Defaults to `0`.

    Returns:
        The proof of each candidate, the same for the same folder and model.
    """
    if not display.invertible or (len(image_shape) == 3 and image_shape[-1] > 3):
        return untested(candidates, "model input cannot be made of the stored images again")
    words_of: dict[int, tuple[int, ...]] = {}
    for number, word in candidates:
        words_of[number] = (*words_of.get(number, ()), word)
    tested = [(number, word) for number, words in words_of.items() for word in words[:MOST_WORDS_PROVED]]
    pool = choose_images(folder, tested, vocabulary, seed)
    numbers = sorted(words_of)
    found: dict[Candidate, WordProof] = {}
    for start in range(0, len(numbers), _CLASSES_AT_A_TIME):
        some = {number: words_of[number] for number in numbers[start : start + _CLASSES_AT_A_TIME]}
        found |= _prove(folder, some, pool, display, image_shape, scorer)
    return found


def untested(candidates: Sequence[Candidate], reason: str) -> dict[Candidate, WordProof]:
    """For each candidate the same reason why it cannot be tested."""
    return {each: WordProof("not tested", reason) for each in candidates}


def _prove(
    folder: Path,
    words_of: Mapping[int, tuple[int, ...]],
    pool: Pool,
    display: Display,
    image_shape: tuple[int, ...],
    scorer: ImageScorer,
) -> dict[Candidate, WordProof]:
    """The proofs of some classes, whose images are in memory together."""
    predicted: dict[int, int] = {}
    for number in words_of:
        predicted |= pool.others(number)
    for number in words_of:
        predicted |= dict.fromkeys(pool.of_class[number], number)
    for (number, _), sources in pool.sources.items():
        if number in words_of:
            predicted |= dict.fromkeys((source.position for source in sources), number)
    paster = Paster(read_images(folder, predicted, display, image_shape), predicted, pool, scorer)
    around = paster.pulls({number: paster.surroundings(number) for number in words_of})
    tested = [(number, word) for number, words in words_of.items() for word in words[:MOST_WORDS_PROVED]]
    pastes = {each: paster.patches(each) for each in tested}
    alone = paster.pulls(pastes)
    read = {number for number, pull in around.items() if pull is not None and pull.reaches(LEAST_AROUND)}
    pulling = {
        each for each, pull in alone.items() if each[0] in read and pull is not None and pull.reaches(LEAST_PULL)
    }
    scattered = read - {number for number, _ in pulling}
    found = {(number, word): TOO_MANY for number, words in words_of.items() for word in words}
    for each in tested:
        number, _ = each
        pull, scene = alone[each], around[number]
        if pull is None or scene is None:
            found[each] = WordProof("not tested", _TOO_FEW)
            continue
        status: ProofStatus = "proved" if each in pulling or number in scattered else "not proved"
        reason = _AS_A_WHOLE if number in scattered else None
        found[each] = WordProof(status, reason, pull, scene, paster.picture(pastes[each][0]))
    return found
