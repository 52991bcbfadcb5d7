"""Slopes with their intervals: of means over batches, and of exact values by extrapolation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student


def slope_of_means(
    sizes: Sequence[int], batches: Sequence[NDArray[np.float64]], level: float
) -> tuple[float, tuple[float, float]]:
    """Weighted least squares of log(mean) on log n, with Student's interval: no theorem, and no level.

    The deviation of log(mean) is that of the mean over the mean (delta method). Student's quantile of
    ``level`` with the degrees of freedom of the size that has least batches. It is a level for normal values
    only: a skew law, or a rare large value that was not drawn, misses more often. `slope_of_intervals` has
    one, where the values are bounded or functions of Gaussian noise.
    """
    weights = _weights(batches)
    slope, spread = _fit(sizes, np.array([b.mean() for b in batches]), weights)
    least = min(len(b) for b in batches) - 1
    reach = float(student.isf(level / 2, least)) / np.sqrt(spread)
    return slope, (slope - reach, slope + reach)


def slope_of_intervals(
    sizes: Sequence[int], means: ArrayLike, intervals: Sequence[tuple[float, float]]
) -> tuple[float, tuple[float, float]]:
    """Least squares of log(mean) on log n, and all that it can be for true means in these intervals.

    If all intervals hold but for probability p, then so does the slope's, for the slope of the true means.
    An interval that reaches 0 leaves the slope without an end.
    """
    x = np.log(np.asarray(sizes, dtype=float))
    coefficients = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    slope = float(coefficients @ np.log(np.asarray(means, dtype=float)))
    with np.errstate(divide="ignore"):
        low, high = np.log(np.maximum(np.array(intervals, dtype=float), 0.0)).T
    least = float(np.where(coefficients > 0, coefficients * low, coefficients * high).sum())
    most = float(np.where(coefficients > 0, coefficients * high, coefficients * low).sum())
    return slope, (least, most)


def slope_of(sizes: Sequence[int], values: ArrayLike) -> float:
    """The slope that the same fit gives for exact values."""
    return _fit(sizes, np.asarray(values, dtype=float), np.ones(len(sizes)))[0]


def _weights(batches: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array([len(b) * (b.mean() / b.std(ddof=1)) ** 2 for b in batches])


def _fit(
    sizes: Sequence[int], values: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope of log(value) on log n, and the inverse of its variance."""
    x = np.log(np.asarray(sizes, dtype=float))
    centre = float((weights * x).sum() / weights.sum())
    spread = float((weights * (x - centre) ** 2).sum())
    return float((weights * (x - centre) * np.log(values)).sum() / spread), spread


def last_slope(sizes: ArrayLike, values: ArrayLike) -> tuple[float, tuple[float, float]]:
    """The last local slope of log|value| in log n for exact values, sizes in geometric progression.

    If value = K n^s(1 + L/n + …), the local slope is s + L'/n: at ratio r it errs by 1/(r−1) of its last
    change. The interval is the whole last change either way.
    """
    local = np.diff(np.log(np.abs(values))) / np.diff(np.log(np.asarray(sizes, dtype=float)))
    reach = abs(float(local[-1] - local[-2]))
    return float(local[-1]), (float(local[-1]) - reach, float(local[-1]) + reach)
