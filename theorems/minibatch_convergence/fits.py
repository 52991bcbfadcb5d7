"""Slopes with their intervals: of means over batches, and of exact values by extrapolation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm


def slope_of_means(
    sizes: Sequence[int], batches: Sequence[NDArray[np.float64]], level: float
) -> tuple[float, tuple[float, float]]:
    """Weighted least squares of log(mean) on log n; the interval is missed with probability ``level``.

    The deviation of log(mean) is that of the mean over the mean (delta method), normal for many batches.
    """
    x = np.log(np.asarray(sizes, dtype=float))
    means = np.array([b.mean() for b in batches])
    relative = np.array([b.std(ddof=1) / np.sqrt(len(b)) for b in batches]) / means
    weights = 1 / relative**2
    centre = float((weights * x).sum() / weights.sum())
    spread = float((weights * (x - centre) ** 2).sum())
    slope = float((weights * (x - centre) * np.log(means)).sum() / spread)
    reach = float(norm.isf(level / 2)) / np.sqrt(spread)
    return slope, (slope - reach, slope + reach)


def last_slope(sizes: ArrayLike, values: ArrayLike) -> tuple[float, tuple[float, float]]:
    """The last local slope of log|value| in log n for exact values, sizes in geometric progression.

    If value = K n^s(1 + L/n + …), the local slope is s + L'/n: at ratio r it errs by 1/(r−1) of its last
    change. The interval is the whole last change either way.
    """
    local = np.diff(np.log(np.abs(values))) / np.diff(np.log(np.asarray(sizes, dtype=float)))
    reach = abs(float(local[-1] - local[-2]))
    return float(local[-1]), (float(local[-1]) - reach, float(local[-1]) + reach)
