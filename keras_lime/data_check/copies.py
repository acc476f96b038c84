"""Near-duplicates: images that show the same, saved again or in another size. May import numpy and SciPy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

__all__ = ["Copies", "find_copies"]

_NEAR = 4.0
"""Root mean square difference in grey levels up to which thumbnails may show the same image."""

_OF_CONTRAST = 0.15
"""... and share of their own contrast up to which they do: images that show next to nothing are all alike."""

_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Copies:
    """Pairs of images that show the same.

    Attributes:
        pairs: int64 array (k, 2), positions in the first and in the second set, or both in the only one.
        groups: int64 array (n,) for one set: images of one number show the same. None for two sets.
    """

    pairs: NDArray[np.int64]
    groups: NDArray[np.int64] | None = None


def find_copies(thumbnails: NDArray[np.uint8], others: NDArray[np.uint8] | None = None) -> Copies:
    """Finds near-duplicates.

    Args:
        thumbnails: (n, s, s, 3).
        others: (m, s, s, 3), to compare with. Defaults to `None`: with each other.

    Returns:
        The `Copies`.
    """
    first = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    second = first if others is None else others.reshape(len(others), -1).astype(np.float32)
    contrast = second.std(axis=1)
    lengths = (second**2).sum(axis=1)
    found = []
    for start in range(0, len(first), _AT_ONCE):
        part = first[start : start + _AT_ONCE]
        squared = (part**2).sum(axis=1)[:, None] + lengths - 2 * part @ second.T
        # Sums of squares of this size are exact to a few units, which is nothing against the thresholds.
        distance = np.sqrt(np.maximum(squared, 0) / part.shape[1])
        limit = np.minimum(_NEAR, _OF_CONTRAST * np.minimum(part.std(axis=1)[:, None], contrast))
        rows, columns = np.nonzero(distance < limit)
        found.append(np.stack([rows + start, columns], axis=1))
    pairs = np.concatenate(found).astype(np.int64) if found else np.empty((0, 2), np.int64)
    if others is not None:
        return Copies(pairs)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    n = len(first)
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return Copies(pairs, connected_components(links, directed=False)[1].astype(np.int64))
