"""The weights that endless samples would give, in closed form."""

import math

import numpy as np


def _alpha(p: int, d: int, width: float) -> float:
    """Garreau & Mardaoui 2021, definition 2: the kernel-weighted share of masks that show p given superpixels."""
    return sum(
        math.comb(d - p, s) * math.exp(-((1 - math.sqrt(1 - s / d)) ** 2) / (2 * width**2)) for s in range(d - p + 1)
    ) / float(2**d)


def detector_limit(p: int, d: int, width: float) -> np.ndarray:
    """Weights of the detector of p superpixels (the first p), for infinitely many samples: the normal equations."""
    a0, a1, a2 = (_alpha(k, d, width) for k in range(3))
    gram = np.full((d + 1, d + 1), a2)
    gram[0, :] = gram[:, 0] = a1
    np.fill_diagonal(gram, a1)
    gram[0, 0] = a0
    right = np.full(d + 1, _alpha(p + 1, d, width))
    right[: p + 1] = _alpha(p, d, width)
    return np.linalg.solve(gram, right)[1:]
