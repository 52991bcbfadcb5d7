"""Where a condition along directions begins to fail: bisection for many at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def first_exits(leaves: Callable[[Array], NDArray[np.bool_]], k: int, far: float, halvings: int) -> Array:
    """The s (k,) from which on ``leaves`` holds, to far/2^halvings; inf where it does not at ``far``.

    Args:
        leaves: s (k,) → (k,), whether each direction has left at its s; once it has, it is taken to stay so.
        k: How many directions there are.
        far: How far they are followed.
        halvings: How often the interval is halved.

    Example:
        >>> found = first_exits(lambda s: s > np.array([0.25, 3.0]), 2, 1.0, 40)
        >>> found.round(9).tolist()
        [0.25, inf]
    """
    low, high = np.zeros(k), np.full(k, far)
    ever = leaves(high)
    for _ in range(halvings):
        middle = (low + high) / 2
        out = leaves(middle)
        low, high = np.where(out, low, middle), np.where(out, middle, high)
    return np.where(ever, high, np.inf)
