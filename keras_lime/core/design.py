"""Columns of a two-level design that keep what neighbouring superpixels do together out of every single weight.

A regular two-level design of 2^r rows gives each factor a column, a number v of r bits; row x shows the factor if the
bits that x and v share are even in number. The product of three factors looks the same as the factor whose column is
the exclusive or of theirs, if there is one: they are aliased (Box, Hunter & Hunter 2005, chapter 6). With so many
superpixels some triples must be; which ones, is free. Three that touch one another act together much more often than
three that do not, so theirs come first. May import numpy.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose_columns", "choose_dummies", "choose_inversions", "connected_triples"]

_SWEEPS = 4
"""Rounds over all superpixels; later ones hardly find anything."""

_NEVER = np.iinfo(np.int64).max
"""Costs of a place that is taken."""


def connected_triples(neighbours: NDArray[np.integer], n_segments: int) -> NDArray[np.int64]:
    """All sets of three superpixels of which one touches both others.

    Args:
        neighbours: int array (n_pairs, 2), superpixels that touch.
        n_segments: number of superpixels.

    Returns:
        int64 array (n_triples, 3), each row rising.
    """
    touching: list[list[int]] = [[] for _ in range(n_segments)]
    for one, other in neighbours.tolist():
        touching[one].append(other)
        touching[other].append(one)
    found = {
        tuple(sorted((middle, *pair))) for middle, others in enumerate(touching) for pair in combinations(others, 2)
    }
    return np.array(sorted(found), dtype=np.int64).reshape(-1, 3)


def choose_columns(
    n_segments: int, order: int, triples: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Different columns, none of them 0, such that few of the triples are aliased with any superpixel.

    Starts at random and moves one superpixel at a time to the free column where the fewest triples are aliased.

    Args:
        n_segments: number of superpixels, < `order`.
        order: rows of the design, a power of two.
        triples: int64 array (n_triples, 3).
        rng: the only source of randomness.

    Returns:
        int64 array (n_segments,).
    """
    columns = 1 + rng.permutation(order - 1)[:n_segments]
    used = np.zeros(order, dtype=bool)
    used[columns] = True
    everything = np.arange(order)
    members = _members(triples, n_segments)
    products = np.bitwise_xor.reduce(columns[triples], axis=1)
    counts = np.bincount(products, minlength=order)
    for _ in range(_SWEEPS):
        moved = False
        for each in rng.permutation(n_segments):
            mine = members[each]
            if not len(mine):
                continue
            old, own = columns[each], products[mine]
            used[old] = False
            # How many triples without this superpixel would be aliased with it, at each place that it may take; and of
            # its own, how many with any other.
            cost = counts - np.bincount(own, minlength=order)
            cost += used[(own ^ old)[:, None] ^ everything].sum(axis=0)
            cost[0], cost[used] = _NEVER, _NEVER
            best = int(cost.argmin())
            if cost[best] < cost[old]:
                columns[each], moved = best, True
                products[mine] = own ^ (old ^ best)
                counts = np.bincount(products, minlength=order)
            used[columns[each]] = True
        if not moved:
            break
    return columns


def _members(rows: NDArray[np.int64], n_segments: int) -> list[NDArray[np.intp]]:
    """Which rows (n, k) of different superpixels hold each superpixel."""
    order = np.argsort(rows.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(rows.ravel(), minlength=n_segments))
    return np.split(order // max(1, rows.shape[1]), ends[:-1])


def _bits(rows: NDArray[np.int64], n_segments: int) -> list[int]:
    """For each superpixel a number with the bits of the rows (n, k) that hold it."""
    found = [0] * n_segments
    for row, held in enumerate(rows.tolist()):
        for each in held:
            found[each] |= 1 << row
    return found


def choose_inversions(
    columns: NDArray[np.int64], triples: NDArray[np.int64], rng: np.random.Generator, count: int
) -> NDArray[np.bool_]:
    """Which superpixels further designs invert, so that aliased triples cancel over all designs together.

    A triple and the superpixel that it is aliased with have the same sign all over the first design. Where an odd
    number of the four is inverted they have opposite signs in the second. With two inversions, one, the other or both,
    there are four designs, and so on.

    Args:
        columns: what `choose_columns` gave.
        triples: int64 array (n_triples, 3).
        rng: the only source of randomness.
        count: number of inversions.

    Returns:
        bool array (count, n_segments).
    """
    products = np.bitwise_xor.reduce(columns[triples], axis=1)
    owner = np.full(1 + int(max(columns.max(), products.max(initial=0))), -1, dtype=np.int64)
    owner[columns] = np.arange(len(columns))
    single = owner[products]
    # Each with the superpixel that it is aliased with.
    fours = np.concatenate([triples, single[:, None]], axis=1)[single >= 0]
    found = []
    for _ in range(count):
        inverted = rng.integers(0, 2, size=len(columns), dtype=np.uint8).astype(bool)
        # One bit a four, in numbers of any length: there are too few of them to be worth an array.
        members = _bits(fours, len(columns))
        odd = _bits(np.bitwise_xor.reduce(inverted[fours], axis=1)[:, None].astype(np.int64), 2)[1]
        for each in np.tile(rng.permutation(len(columns)), _SWEEPS).tolist():
            mine = members[each]
            if 2 * (odd & mine).bit_count() < mine.bit_count():
                inverted[each] = ~inverted[each]
                odd ^= mine
        fours = fours[[not odd >> four & 1 for four in range(len(fours))]]
        found.append(inverted)
    return np.stack(found)


def choose_dummies(
    columns: NDArray[np.int64], inversions: NDArray[np.bool_], triples: NDArray[np.int64], order: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Columns for superpixels that are not there: what they seem to weigh is the error of those that are.

    Columns that no superpixel has come first, then those that one has, inverted in other designs: in the first design
    these cannot be told from the superpixel. All are aliased with triples like any other (dummy factors, Plackett &
    Burman 1946). Taken are those with which the fewest of the triples are aliased over all designs, because the
    columns of the superpixels were chosen so too.

    Args:
        columns: what `choose_columns` gave.
        inversions: what `choose_inversions` gave, of two.
        triples: int64 array (n_triples, 3).
        order: rows of the design.
        count: number of dummies at most.

    Returns:
        int64 array (n_dummies,), and which of them are inverted, bool array (2, n_dummies).
    """
    # A column and its two inversions as one number; the triples' likewise.
    taken = columns + order * (inversions[0] + 2 * inversions[1].astype(np.int64))
    counts = np.bincount(np.bitwise_xor.reduce(taken[triples], axis=1), minlength=4 * order)
    others = np.setdiff1d(np.arange(1, 4 * order), taken)
    others = others[np.argsort(counts[others], kind="stable")]
    # The best inversion of each column that is free, then the best of the rest.
    _, first = np.unique(others % order, return_index=True)
    first = np.sort(first[~np.isin(others[first] % order, columns)])
    chosen = np.append(others[first], np.delete(others, first))[:count]
    return chosen % order, np.stack([chosen // order % 2 == 1, chosen // order > 1])
