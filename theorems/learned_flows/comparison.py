"""Confidence limits for means over independent trajectories, by blocks."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

BLOCKS = 40


def reach(values: ArrayLike, level: float) -> NDArray[np.float64]:
    """How far the mean of n values (n,…) is from its expectation, one-sided, but for probability ``level``.

    Student's quantile with `BLOCKS` − 1 degrees of freedom for the means of as many blocks: these are nearer
    to normal than the values.

    Raises:
        ValueError: If there are fewer than four values a block.
    """
    array = np.asarray(values, dtype=np.float64)
    size = len(array) // BLOCKS
    if size < 4:
        raise ValueError(f"values: got {len(array)}; give at least {4 * BLOCKS}")
    means = array[: size * BLOCKS].reshape(BLOCKS, size, *array.shape[1:]).mean(axis=1)
    scale = means.std(axis=0, ddof=1) / np.sqrt(BLOCKS)
    return np.asarray(student.isf(level, BLOCKS - 1) * scale)


def ratio_limit(part: ArrayLike, whole: ArrayLike, most: float, level: float) -> NDArray[np.float64]:
    """What to hold against ``most`` to conclude E(part) ≤ most·E(whole), both (n,…), one pair a trajectory.

    It is most + (Student's upper limit of E(part − most·whole))/mean(whole): at most ``most`` exactly where
    that limit is at most 0, which happens with probability at most ``level`` if E(part) is more.
    """
    one, other = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    rest = one - most * other
    return np.asarray(most + (rest.mean(axis=0) + reach(rest, level)) / other.mean(axis=0))
