"""Neighbouring triples are kept apart from single superpixels, in one block and over four."""

import numpy as np
import pytest

from keras_lime.core.design import choose_columns, choose_dummies, choose_inversions, connected_triples


def grid_neighbours(rows: int, columns: int) -> np.ndarray:
    cells = np.arange(rows * columns).reshape(rows, columns)
    across = np.stack([cells[:, :-1].ravel(), cells[:, 1:].ravel()], axis=1)
    return np.concatenate([across, np.stack([cells[:-1].ravel(), cells[1:].ravel()], axis=1)])


def n_aliased(columns: np.ndarray, triples: np.ndarray) -> int:
    return int(np.isin(np.bitwise_xor.reduce(columns[triples], axis=1), columns).sum())


def test_triples_are_connected() -> None:
    assert connected_triples(np.array([[0, 1], [1, 2], [2, 3]]), 5).tolist() == [[0, 1, 2], [1, 2, 3]]
    assert connected_triples(np.array([[0, 1], [1, 2], [0, 2]]), 3).tolist() == [[0, 1, 2]]
    assert connected_triples(np.empty((0, 2), int), 4).shape == (0, 3)
    # Each inner cell of a grid has four neighbours, six pairs of them; an edge cell three, a corner one.
    assert len(connected_triples(grid_neighbours(4, 5), 20)) == 6 * 6 + 10 * 3 + 4


@pytest.mark.parametrize(("rows", "columns"), [(4, 5), (6, 6), (7, 7), (10, 10)])
def test_fewer_neighbours_are_aliased_than_by_chance(rows: int, columns: int) -> None:
    d = rows * columns
    order, triples = 1 << d.bit_length(), connected_triples(grid_neighbours(rows, columns), d)
    counts = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        chosen = choose_columns(d, order, triples, rng)
        assert len(np.unique(chosen)) == d
        assert 0 < chosen.min() <= chosen.max() < order
        one, other = choose_inversions(chosen, triples, rng, 2).astype(int) * [[order], [2 * order]]
        random = 1 + rng.permutation(order - 1)[:d]
        halves = random + order * rng.integers(0, 2, d)
        counts.append(
            [n_aliased(each, triples) for each in (random, chosen, halves, chosen + one, chosen + one + other)]
        )
    by_chance, one_block, two_by_chance, two_blocks, four_blocks = np.mean(counts, axis=0)
    assert one_block <= by_chance
    assert two_blocks < 0.65 * two_by_chance
    assert four_blocks < 0.4 * two_blocks


def test_the_seed_decides() -> None:
    triples = connected_triples(grid_neighbours(5, 5), 25)
    first, second, other = (choose_columns(25, 32, triples, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_nothing_touches() -> None:
    none = np.empty((0, 3), np.int64)
    columns = choose_columns(7, 8, none, np.random.default_rng(0))
    assert sorted(columns.tolist()) == list(range(1, 8))
    assert choose_inversions(columns, none, np.random.default_rng(0), 2).shape == (2, 7)


@pytest.mark.parametrize(("rows", "columns"), [(4, 5), (7, 9)])
def test_dummies_are_columns_that_no_superpixel_has(rows: int, columns: int) -> None:
    d = rows * columns
    order, triples, rng = (
        1 << d.bit_length(),
        connected_triples(grid_neighbours(rows, columns), d),
        np.random.default_rng(0),
    )
    chosen = choose_columns(d, order, triples, rng)
    inversions = choose_inversions(chosen, triples, rng, 2)
    dummies, inverted = choose_dummies(chosen, inversions, triples, order, 64)
    assert dummies.shape == (64,)
    everyone = np.concatenate([np.stack([chosen, *inversions]), np.stack([dummies, *inverted])], axis=1)
    assert len(np.unique(everyone.T, axis=0)) == d + 64
    # Those that no superpixel has in any design come first, each once.
    free = np.setdiff1d(np.arange(order), chosen)
    assert sorted(dummies[: len(free)]) == free.tolist()
    # The rest are the best placed of all that are left.
    code = dummies + order * (inverted[0] + 2 * inverted[1].astype(int))
    taken = chosen + order * (inversions[0] + 2 * inversions[1].astype(int))
    aliases = np.bincount(np.bitwise_xor.reduce(taken[triples], axis=1), minlength=4 * order)
    left = np.setdiff1d(np.arange(1, 4 * order), [*taken, *code])
    assert aliases[code[len(free) :]].max() <= aliases[left].min()
