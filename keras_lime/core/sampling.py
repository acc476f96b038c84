"""Which superpixels each perturbation shows: `sample_neighborhood`. May import numpy, SciPy and the core."""

from collections.abc import Iterator
from itertools import count, islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from keras_lime.core.design import choose_columns, choose_dummies, choose_inversions, connected_triples
from keras_lime.core.neighborhood import Neighborhood, kernel_weights

__all__ = ["SAMPLINGS", "Sampling", "block_size", "enumerated_in_blocks", "pool_size", "sample_neighborhood"]

Sampling = Literal["bernoulli", "balanced"]

SAMPLINGS = ("bernoulli", "balanced")

_DUMMIES = 64
"""Columns without a superpixel, from which standard errors come: the more, the less these vary, by a tenth here."""


def sample_neighborhood(
    n_segments: int,
    num_samples: int,
    kernel_width: float,
    rng: np.random.Generator,
    sampling: Sampling = "balanced",
    neighbours: NDArray[np.integer] | None = None,
) -> Neighborhood:
    """Draws the perturbations of an image; row 0 shows every superpixel.

    `"bernoulli"` is LIME's own: every superpixel is shown with probability 1/2, by itself. `"balanced"` draws the rows
    of an orthogonal two-level design and the complement of each (fold-over; Box & Wilson 1951): a Hadamard matrix whose
    columns are inverted or not by coins, rows in random order, and another one when it is used up. The coins make every
    row by itself uniform over all masks, so the weights tend to the same limit; but within a block each superpixel is
    hidden as often as shown, together with each other as often as apart, and what two superpixels do together does not
    leak into the weights. What three do leaks, but little of it where the three touch, see `keras_lime.core.design`.

    The complements of the first block come after its last row: fewer samples than a block's would else be spent on
    pairs, each of which says no more about a sum of superpixels than one row does. Later blocks come pair by pair.

    Fewer samples are the first rows of more, with the same `rng`. But when `2**n_segments <= num_samples`, every mask
    is taken once instead, with its weight multiplied by `num_samples / 2**n_segments`: a ridge penalty then means the
    same as it does for `num_samples` draws.

    Args:
        n_segments: number of superpixels.
        num_samples: number of perturbations, the unperturbed image included.
        kernel_width: > 0.
        rng: the only source of randomness.
        sampling: `"bernoulli"` or `"balanced"`. Defaults to `"balanced"`.
        neighbours: int array (n_pairs, 2), superpixels that touch. Defaults to `None`, unknown; the weights then tend
            to the same limit, with larger errors.

    Returns:
        A `Neighborhood`.
    """
    if n_segments < 63 and 2**n_segments <= num_samples:
        codes = np.arange(2**n_segments - 1, -1, -1, dtype=np.int64)
        masks = (codes[:, None] >> np.arange(n_segments)) & 1 == 1
        scale = num_samples / len(masks)
        return Neighborhood(masks, kernel_weights(masks, kernel_width) * scale, enumerated=True, unseen=0.0)
    everything, below = np.ones((1, n_segments), dtype=bool), num_samples - 1
    if sampling == "bernoulli":
        coins = rng.integers(0, 2, size=(below, n_segments), dtype=np.uint8).astype(bool)
        masks = np.concatenate([everything, coins])
        return Neighborhood(masks, kernel_weights(masks, kernel_width))
    size = block_size(n_segments)
    triples = connected_triples(np.empty((0, 2), int) if neighbours is None else neighbours, n_segments)
    blocks = islice(_blocks(n_segments, triples, rng), -(-below // size))
    drawn = np.concatenate(list(blocks))[:below]
    masks = np.concatenate([everything, drawn[:, :n_segments]])
    dummies = np.concatenate([np.ones((1, drawn.shape[1] - n_segments), dtype=bool), drawn[:, n_segments:]])
    rows = np.arange(below)
    pairs = np.where(rows < size, rows % (size // 2), rows // 2)
    return Neighborhood(masks, kernel_weights(masks, kernel_width), groups=np.append(0, 1 + pairs), dummies=dummies)


def block_size(n_segments: int) -> int:
    """Rows of a balanced block, complements included: a power of two."""
    return 2 << n_segments.bit_length()


def pool_size(num_samples: int) -> int:
    """Masks of one design whose answers a proxy estimates where so many are scored: more bring little and take time."""
    return max(1024, 4 * num_samples)


def enumerated_in_blocks(
    n_segments: int,
    num_samples: int,
    kernel_width: float,
    rng: np.random.Generator,
    neighbours: NDArray[np.integer] | None = None,
) -> Neighborhood:
    """All masks of few superpixels, one balanced block after the other: so the first rows of them are a design too.

    Under exclusive or, the rows of a block and their complements are a group. Its cosets, the block with some
    superpixels inverted, hold every mask once.

    Args:
        n_segments: number of superpixels, with `2**n_segments <= num_samples`.
        num_samples: what the penalty goes by, as in `sample_neighborhood`.
        kernel_width: > 0.
        rng: the only source of randomness.
        neighbours: as in `sample_neighborhood`.

    Returns:
        A `Neighborhood`; row 0 shows every superpixel.
    """
    triples = connected_triples(np.empty((0, 2), int) if neighbours is None else neighbours, n_segments)
    design, one, other = _design(n_segments, triples, rng)
    place = np.append(1 << np.arange(n_segments), np.zeros(design.shape[1] - n_segments, int))
    both = np.concatenate([design, ~design])
    codes, first = np.unique(both @ place, return_index=True)
    group, count = both[first], 2**n_segments
    # Complements stay together, and the image itself comes first.
    rank = rng.permutation(count)
    rank[0] = -1
    left, blocks = np.ones(count, dtype=bool), []
    for code in np.append(0, rng.permutation(count)):
        coins = rng.integers(0, 2, size=len(place), dtype=np.uint8).astype(bool)
        coins[:n_segments] = code >> np.arange(n_segments) & 1 == 1
        for inverted in (coins, coins ^ one, coins ^ other, coins ^ one ^ other):
            coset = codes ^ (inverted @ place)
            if left[coset[0]]:
                left[coset] = False
                blocks.append((group ^ inverted)[np.lexsort((-coset, rank[np.minimum(coset, count - 1 - coset)]))])
    drawn = np.concatenate(blocks)
    masks, dummies = drawn[:, :n_segments], drawn[:, n_segments:]
    weights = kernel_weights(masks, kernel_width) * num_samples / count
    return Neighborhood(masks, weights, True, np.arange(count) // 2, dummies, unseen=0.0)


def _blocks(n_segments: int, triples: NDArray[np.int64], rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """Randomised Hadamard designs with their complements, bool (rows, n_segments + n_dummies): endless."""
    design, one, other = _design(n_segments, triples, rng)
    order = len(design)
    # A stream of its own, so that the masks are the same without dummies.
    further = rng.spawn(1)[0]
    for turn in count():
        if turn % 4 == 0:
            coins = np.concatenate(
                [
                    each.integers(0, 2, size=size, dtype=np.uint8).astype(bool)
                    for each, size in ((rng, n_segments), (further, len(one) - n_segments))
                ]
            )
        rows = design[rng.permutation(order)] ^ coins ^ (one & (turn % 2 == 1)) ^ (other & (turn % 4 > 1))
        if turn == 0:
            yield np.concatenate([rows, ~rows])
        else:
            yield np.stack([rows, ~rows], axis=1).reshape(2 * order, -1)


def _design(
    n_segments: int, triples: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """A Hadamard design, bool (rows, n_segments + n_dummies), and two inversions of its columns for others."""
    order = block_size(n_segments) // 2
    columns = choose_columns(n_segments, order, triples, rng)
    inversions = choose_inversions(columns, triples, rng, 2)
    more_columns, more_inversions = choose_dummies(columns, inversions, triples, order, _DUMMIES)
    one, other = np.concatenate([inversions, more_inversions], axis=1)
    # Sylvester's matrix: the sign of row x and column v is the parity of the bits that they share.
    return (hadamard(order) > 0)[:, np.concatenate([columns, more_columns])], one, other
