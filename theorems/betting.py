"""Confidence limits by betting for means and their ratios, proved for values that are bounded."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import beta

Array = NDArray[np.float64]
STAKES = 0.99 * 0.5 ** np.arange(16)
"""Shares of the capital that are bet, whatever is drawn: one is near the best for every spread of values."""


def mean_limit(values: ArrayLike, high: float, level: float) -> Array:
    """An upper limit of E(values), below it with probability at most ``level``: (…) of n independent (n,…).

    All values must be at most ``high``. For the true mean m the capital Π(1 + g(m − x)/(high − m)), and its
    mean over the stakes g < 1, is ≥ 0 with expectation 1, so reaches 1/level with probability at most
    ``level`` (Markov); it grows with m, and the limit is where it gets there [@waudbysmith2024estimating].

    Raises:
        ValueError: If a value exceeds ``high``.
    """
    array = np.asarray(values, dtype=np.float64)
    if not (array <= high).all():
        raise ValueError(f"values: got {array.max()}; they must be at most high = {high}")
    columns = array.reshape(len(array), -1).T
    return np.array([_mean_limit(x, high, level) for x in columns]).reshape(array.shape[1:])


def ratio_limit(part: ArrayLike, whole: ArrayLike, cap: float, level: float) -> Array:
    """An upper limit of E(part)/E(whole), drawn together, both (n,…): as `mean_limit`.

    part ≤ cap and whole ≥ 0; the capital of a ratio r is Π(1 + g(r·whole − part)/cap).

    Raises:
        ValueError: If shapes disagree, a part exceeds the cap, a whole is negative, or all of them are 0.
    """
    parts, wholes = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    if parts.shape != wholes.shape:
        raise ValueError(f"part and whole: got shapes {parts.shape} and {wholes.shape}; they must agree")
    if not (parts <= cap).all():
        raise ValueError(f"part: got {parts.max()}; it must be at most cap = {cap}")
    if not ((wholes >= 0).all() and (wholes.sum(axis=0) > 0).all()):
        raise ValueError(f"whole: got {wholes.min()} as least; need values ≥ 0 that are not all 0")
    n = len(parts)
    columns = zip(parts.reshape(n, -1).T, wholes.reshape(n, -1).T, strict=True)
    return np.array([_ratio_limit(one / cap, other / cap, level) for one, other in columns]).reshape(
        parts.shape[1:]
    )


def mean_interval(values: ArrayLike, low: float, high: float, level: float) -> tuple[float, float]:
    """An interval that misses E(values) of n independent values in [low, high] with probability ``level``.

    Each end by `mean_limit` at half the level: as sharp as the values' own spread allows, and valid however
    skew they are.

    Raises:
        ValueError: If a value lies outside [low, high].
    """
    array = np.asarray(values, dtype=np.float64)
    upper = float(mean_limit(array, high, level / 2))
    return -float(mean_limit(-array, -low, level / 2)), upper


def size_limit(values: ArrayLike, reach: float, level: float) -> Array:
    """An upper limit of |E(values)| for values in [−reach, reach]: of the mean and of its negative."""
    array = np.asarray(values, dtype=np.float64)
    return np.asarray(np.maximum(*(mean_limit(side, reach, level / 2) for side in (array, -array))))


def share_limit(count: int, n: int, level: float) -> float:
    """Clopper's and Pearson's upper limit of a probability, from ``count`` of n draws."""
    return 1.0 if count == n else float(beta.isf(level, count + 1, n - count))


def _mean_limit(x: Array, high: float, level: float) -> float:
    least = float(x.min())
    end = high - 1e-12 * (high - least)
    if least == high or _lacking((end - x) / (high - end), level) < 0:
        return high
    return _crossing(lambda mean: _lacking((mean - x) / (high - mean), level), least, end)


def _ratio_limit(part: Array, whole: Array, level: float) -> float:
    def lacking(ratio: float) -> float:
        return _lacking(ratio * whole - part, level)

    if lacking(0.0) >= 0:
        return 0.0
    enough = 1.0
    while lacking(enough) < 0:
        enough *= 2
    return _crossing(lacking, 0.0, enough)


def _lacking(gains: Array, level: float) -> float:
    """Logarithm of level times the mean capital of gains ≥ −1 a stake, from 1 each."""
    capitals = np.log1p(STAKES[:, None] * gains).sum(axis=1)
    return float(logsumexp(capitals) + np.log(level / len(STAKES)))


def _crossing(lacking: Callable[[float], float], low: float, high: float) -> float:
    """Where it passes 0, rounded up."""
    near = 1e-10 * (high - low)
    return min(high, float(brentq(lacking, low, high, xtol=near)) + 10 * near)
