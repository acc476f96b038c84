"""Patches of images on other images, and what they do to predictions. May import numpy and the modules beside it.

What is pasted beside each patch, for comparison, is the same place of another image of the target's own class: a random
patch of the same size. Seams and lost context are not the patch's doing. Objects stay whole in both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.storage.image_codec import encode_image
from keras_lime.auditing.visual_words.proof_images import Candidate, Pool, ProofImage
from keras_lime.core.scores import ImageScorer
from keras_lime.core.shares import mean_stderr

__all__ = ["Paste", "Paster", "Pull"]

Key = TypeVar("Key")

_STDERRS = 1.64
"""One-sided 5 %, as in the tests of a training."""

_LEAST_PASTES = 4
_LEAST_PASTED = 0.01
"""Share of an image that a patch must cover once the objects are left out."""


@dataclass(frozen=True)
class Pull:
    """What pastes do to a class's probability in images of other classes.

    Attributes:
        rise: mean difference to the unchanged images.
        random: the same with random patches of the same size and place.
        stderr: standard error of the difference between the two.
        count: number of pastes, each from another image.
    """

    rise: float
    random: float
    stderr: float
    count: int

    @classmethod
    def of(cls, rises: NDArray[np.float64]) -> "Pull":
        """Of the rises (n, 2) by n pastes and by their random patches."""
        rise, random = rises.mean(axis=0)
        return cls(float(rise), float(random), mean_stderr(rises[:, 0] - rises[:, 1]), len(rises))

    def reaches(self, least: float) -> bool:
        """Whether it is so much beyond the unchanged images and beyond random patches, and beyond chance."""
        beyond = self.rise - self.random
        return min(self.rise, beyond) >= least and beyond > _STDERRS * self.stderr


@dataclass(frozen=True, eq=False)
class Paste:
    """A place of one image on another one.

    Attributes:
        number: the class whose probability may rise.
        source: the image from which the patch is cut, by its position.
        target: the image that gets it.
        random: the image whose same place is pasted for comparison.
        place: bool array (h, w).
    """

    number: int
    source: int
    target: int
    random: int
    place: NDArray[np.bool_]


class Paster:
    """Makes pastes of images in memory, and has them scored.

    Args:
        images: by position.
        predicted: the class of each of them in the audit.
        pool: which of them are for what.
        scorer: the model.
    """

    def __init__(
        self, images: Mapping[int, ProofImage], predicted: Mapping[int, int], pool: Pool, scorer: ImageScorer
    ) -> None:
        self._images, self._pool, self._scorer = images, pool, scorer
        positions = sorted(images)
        scores = self._score(images[position].pixels for position in positions)
        # Without those that 8 bits or JPEG made another class of.
        self._before = {
            position: own
            for position, own in zip(positions, scores, strict=True)
            if int(own.argmax()) == predicted[position]
        }

    def surroundings(self, number: int) -> list[Paste]:
        """All that is around a class's objects."""
        positions = self._pool.of_class[number]
        return self._pastes(number, {each: np.ones_like(self._images[each].mask) for each in positions})

    def patches(self, candidate: Candidate) -> list[Paste]:
        """The superpixels of a class's word."""
        sources = self._pool.sources[candidate]
        places = {each.position: np.isin(self._images[each.position].segments, each.segments) for each in sources}
        return self._pastes(candidate[0], places)

    def pulls(self, lists: Mapping[Key, Sequence[Paste]]) -> dict[Key, Pull | None]:
        """What each list of pastes does; None for too few."""
        flat = [paste for pastes in lists.values() for paste in pastes]
        scores = iter(
            self._score(self._pasted(taken, paste) for paste in flat for taken in (paste.source, paste.random))
        )
        found: dict[Key, Pull | None] = {}
        for key, pastes in lists.items():
            rises = [
                [float((next(scores) - self._before[paste.target])[paste.number]) for _ in range(2)] for paste in pastes
            ]
            found[key] = Pull.of(np.array(rises)) if len(rises) >= _LEAST_PASTES else None
        return found

    def picture(self, paste: Paste) -> bytes:
        """An image file: the target with the patch, and beside it with the random one."""
        both = []
        for taken in (paste.source, paste.random):
            shown = self._images[paste.target].picture.copy()
            shown[paste.place] = self._images[taken].picture[paste.place]
            both.append(shown)
        return encode_image(np.concatenate(both, axis=1))

    def _pastes(self, number: int, places: Mapping[int, NDArray[np.bool_]]) -> list[Paste]:
        others = {each: other for each, other in self._pool.others(number).items() if each in self._before}
        found: list[Paste] = []
        if len(others) < 2:
            return found
        usable = {source: whole for source, whole in places.items() if source in self._before}
        for (source, whole), target in zip(usable.items(), others, strict=False):
            place = whole & ~self._images[source].mask & ~self._images[target].mask
            if place.mean() < _LEAST_PASTED:
                continue
            # Of the target's class where there is another one, and where its own object is least in the way.
            random = min(
                (each for each in others if each != target),
                key=lambda each: (others[each] != others[target], self._images[each].mask[place].mean()),
            )
            found.append(Paste(number, source, target, random, place))
        return found

    def _pasted(self, taken: int, paste: Paste) -> NDArray[np.float32]:
        result = self._images[paste.target].pixels.copy()
        result[paste.place] = self._images[taken].pixels[paste.place]
        return result

    def _score(self, images: Iterable[NDArray[np.float32]]) -> NDArray[np.float64]:
        waiting = iter(images)
        first = next(waiting, None)
        return np.empty((0, 0)) if first is None else self._scorer.score_images(chain([first], waiting))
