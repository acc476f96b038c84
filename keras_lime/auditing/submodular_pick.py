"""A few pictures that show what an audit found: submodular pick over visual words.

SP-LIME's pick (Ribeiro et al. 2016, algorithm 2): take pictures one by one, each time the one that adds most to the
importance of the words that the pictures taken so far show at work. Importance of a word is the square root of its
evidence over all pictures (their equation for I). Coverage is monotone and submodular, so this greedy choice reaches at
least 1 − 1/e, some 63 %, of what the best choice of as many pictures would cover (Nemhauser, Wolsey & Fisher 1978).
A gain can only fall as pictures are taken; so only the picture with the largest known gain is looked at again (lazy
greedy, Minoux 1978). May import numpy and the modules beside it.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keras_lime.auditing.visual_words.statistics import WordStatistics

__all__ = ["Representative", "pick", "pick_representatives"]


@dataclass(frozen=True)
class Representative:
    """A picture that was picked.

    Attributes:
        position: of the picture.
        number: the class it is predicted as.
        words: the words at work in it.
    """

    position: int
    number: int
    words: tuple[int, ...]


def pick(covers: NDArray[np.bool_], importance: NDArray[np.float64], count: int) -> list[int]:
    """Chooses pictures that together cover the most important words.

    Args:
        covers: bool array (n, k): the words at work in each picture.
        importance: float64 array (k,), each ≥ 0.
        count: number of pictures at most.

    Returns:
        Indices of pictures, the one with the largest gain first; of equal gains the first. Fewer than `count` if
        nothing is left to cover.
    """
    left = np.asarray(importance, np.float64).copy()
    queue = [(-float(gain), index) for index, gain in enumerate(covers @ left)]
    heapq.heapify(queue)
    chosen: list[int] = []
    while queue and len(chosen) < count:
        bound, index = heapq.heappop(queue)
        gain = float(covers[index] @ left)
        if gain <= 0:
            if bound == 0:
                break
            continue
        if queue and (-gain, index) > queue[0]:
            heapq.heappush(queue, (-gain, index))
            continue
        chosen.append(index)
        left[covers[index]] = 0
    return chosen


def pick_representatives(
    statistics: WordStatistics, per_class: int = 3, overall: int = 8
) -> dict[int | None, list[Representative]]:
    """Picks pictures for every class, and for the whole.

    Args:
        statistics: what was counted; its `patterns` are the candidates, of each combination of words the surest
            picture.
        per_class: pictures per class at most. Defaults to `3`.
        overall: pictures over all classes at most. Defaults to `8`.

    Returns:
        By class number, and under None those over all classes.
    """
    evidence = np.maximum(statistics.sums["evidence"], 0)
    found: dict[int | None, list[Representative]] = {}
    everything: list[tuple[float, Representative]] = []
    for place, number in enumerate(statistics.names):
        candidates = _candidates(statistics, number)
        found[number] = _picked(candidates, np.sqrt(evidence[place]), per_class)
        everything += candidates
    everything.sort(key=lambda each: (-each[0], each[1].position))
    found[None] = _picked(everything, np.sqrt(evidence.sum(axis=0)), overall)
    return found


def _candidates(statistics: WordStatistics, number: int) -> list[tuple[float, Representative]]:
    """A class's candidates with their probabilities, the surest first."""
    known = statistics.patterns.get(number, {})
    listed = [
        (value, Representative(position, number, tuple(word for word in range(statistics.n_words) if bits >> word & 1)))
        for bits, (value, position) in known.items()
    ]
    return sorted(listed, key=lambda each: (-each[0], each[1].position))


def _picked(
    candidates: list[tuple[float, Representative]], importance: NDArray[np.float64], count: int
) -> list[Representative]:
    covers = np.zeros((len(candidates), len(importance)), bool)
    for row, (_, each) in enumerate(candidates):
        covers[row, list(each.words)] = True
    return [candidates[row][1] for row in pick(covers, importance, count)]
