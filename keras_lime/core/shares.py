"""Standard errors of means of shares and probabilities, which are never zero. Imports NumPy alone.

Source: Agresti & Coull 1998, who add half a hit and half a miss to a share: five hits of five leave a doubt.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["mean_stderr", "mean_stderr_of_sums"]


def mean_stderr(values: ArrayLike) -> float:
    """Standard error of the mean of independent values in 0..1 or −1..1; NaN for fewer than two.

    Args:
        values: array (n,), finite.
    """
    found = np.asarray(values, np.float64)
    return mean_stderr_of_sums(float(found.sum()), float((found**2).sum()), len(found))


def mean_stderr_of_sums(total: float, squares: float, count: float) -> float:
    """The same from sums.

    Args:
        total: sum of the values.
        squares: sum of their squares.
        count: how many there are.
    """
    if count < 2:
        return math.nan
    spread = max(squares - total * total / count, 0.0) / (count - 1) / count
    return math.sqrt(spread + 0.5 / (count + 2) ** 2)
