"""The pick: known answers, the guarantee, laziness; and the pictures that represent a planted audit."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from keras_lime.auditing.submodular_pick import pick, pick_representatives
from keras_lime.auditing.visual_words.words import find_words
from tests.support.planted_audits import Planted, write_audit


def test_a_known_answer() -> None:
    covers = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 1], [1, 0, 0, 0, 0]], bool)
    importance = np.array([1.0, 2, 3, 4, 5])
    # 9 for words 1–3 and 9 for words 3–4: the first of equals; then 5 more for word 4, then 1 for word 0.
    assert pick(covers, importance, 3) == [1, 2, 0]
    assert pick(covers, importance, 1) == [1]
    assert pick(covers, importance, 9) == [1, 2, 0]


def test_nothing_to_cover() -> None:
    assert pick(np.zeros((3, 2), bool), np.ones(2), 2) == []
    assert pick(np.ones((3, 2), bool), np.zeros(2), 2) == []
    assert pick(np.zeros((0, 2), bool), np.ones(2), 2) == []


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_greedy_choice_and_keeps_the_guarantee(seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, importance, count = rng.random((12, 8)) < 0.25, rng.random(8), 3
    chosen = pick(covers, importance, count)
    left, greedy = importance.copy(), []
    for _ in range(count):
        gains = covers @ left
        if gains.max() <= 0:
            break
        greedy.append(int(gains.argmax()))
        left[covers[greedy[-1]]] = 0
    assert chosen == greedy

    def covered(indices: tuple[int, ...]) -> float:
        return float(importance[covers[list(indices)].any(axis=0)].sum())

    best = max(covered(each) for each in combinations(range(12), count))
    assert covered(tuple(chosen)) >= (1 - 1 / np.e) * best


def test_every_class_is_represented_by_its_own_pictures(tmp_path: Path) -> None:
    words = find_words(write_audit(tmp_path, Planted(images=45, wrong=3)))
    assert words.statistics is not None
    found = pick_representatives(words.statistics, per_class=2, overall=4)
    assert set(found) == {None, 0, 1, 2}
    for number in range(3):
        assert 1 <= len(found[number]) <= 2
        for each in found[number]:
            assert each.number == number
            assert each.position % 3 == (number if each.position >= 3 else (number - 1) % 3)
            assert each.words
    assert {each.number for each in found[None]} == {0, 1, 2}
    covered = [word for each in found[None] for word in each.words]
    assert len(set(covered)) > max(len(each.words) for each in found[None])
