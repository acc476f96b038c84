"""Which superpixels each perturbation shows: `sample_neighborhood`. May import numpy, SciPy and the core."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import hadamard

from keras_lime.core.perturbation import Neighborhood, kernel_weights

__all__ = ["SAMPLINGS", "Sampling", "sample_neighborhood"]

Sampling = Literal["bernoulli", "balanced"]

SAMPLINGS = ("bernoulli", "balanced")


def sample_neighborhood(
    n_segments: int,
    num_samples: int,
    kernel_width: float,
    rng: np.random.Generator,
    sampling: Sampling = "bernoulli",
) -> Neighborhood:
    """Draws the perturbations of an image; row 0 shows every superpixel.

    `"bernoulli"` is LIME's own: every superpixel is shown with probability 1/2, by itself. `"balanced"` draws the rows
    of an orthogonal two-level design and the complement of each (fold-over; Box & Wilson 1951): a Hadamard matrix with
    randomly chosen columns, each of them inverted or not by a coin, rows in random order, and a new one when it is used
    up. The coins make every row by itself uniform over all masks, so the weights tend to the same limit; but within a
    block each superpixel is hidden as often as shown, together with each other as often as apart, and interactions of
    two superpixels do not leak into the weights.

    When `2**n_segments <= num_samples`, every mask is taken once instead, with its weight multiplied by
    `num_samples / 2**n_segments`: a ridge penalty then means the same as it does for `num_samples` draws.

    Args:
        n_segments: number of superpixels.
        num_samples: number of perturbations, the unperturbed image included.
        kernel_width: > 0.
        rng: the only source of randomness.
        sampling: `"bernoulli"` or `"balanced"`. Defaults to `"bernoulli"`.

    Returns:
        A `Neighborhood`.
    """
    if n_segments < 63 and 2**n_segments <= num_samples:
        codes = np.arange(2**n_segments - 1, -1, -1, dtype=np.int64)
        masks = (codes[:, None] >> np.arange(n_segments)) & 1 == 1
        scale = num_samples / len(masks)
        return Neighborhood(masks, kernel_weights(masks, kernel_width) * scale, enumerated=True)
    masks = np.ones((num_samples, n_segments), dtype=bool)
    if sampling == "bernoulli":
        masks[1:] = rng.integers(0, 2, size=(num_samples - 1, n_segments), dtype=np.uint8)
        return Neighborhood(masks, kernel_weights(masks, kernel_width))
    # Rows 1 and 2 are a pair, rows 3 and 4, ...; row 0 is by itself, and so is the last of an even number of rows.
    pairs = num_samples // 2
    first = _two_level_rows(n_segments, pairs, rng)
    masks[1::2] = first[: len(masks[1::2])]
    masks[2::2] = ~first[: len(masks[2::2])]
    return Neighborhood(masks, kernel_weights(masks, kernel_width), groups=(np.arange(num_samples) + 1) // 2)


def _two_level_rows(n_segments: int, count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """`count` rows of randomised Hadamard designs, bool (count, n_segments)."""
    order = 1 << n_segments.bit_length()
    design = hadamard(order) > 0
    blocks = []
    for _ in range(-(-count // order)):
        # Column 0 of a Hadamard matrix is constant.
        columns = 1 + rng.permutation(order - 1)[:n_segments]
        flips = rng.integers(0, 2, size=n_segments, dtype=np.uint8).astype(bool)
        blocks.append(design[rng.permutation(order)][:, columns] ^ flips)
    return np.concatenate(blocks)[:count]
