r"""Means of the order statistics of n standard normals, and what they make of one noise.

A noise x has rank 1 + Bin(n−1, Φ(x)) among n, so on average it stands for $b_n(x) = Σ_i P(i|x)\,E X_{(i)}$;
what a batch loses is $x - b_n(x)$, which is x itself at n = 1 and tends to 0.

Accuracy. Binomial windows (`numerics.transport.binomials`) err by 8u relatively for each step k from the
mode (u = eps/2: four operations, and an error of Φ(x) of 4u, both ways). What is averaged moves by
1/(nφ_N) a step, and the mean square of k is np(1−p), so averages err by 8u·Φ(1−Φ)/φ_N ≤ 5u, whatever n is.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr
from scipy.stats import norm

from numerics.accuracy import UNIT
from numerics.checks import positive_integer
from numerics.transport.binomials import binomial_windows, half_width

Values = Float[np.ndarray, " k"]
_BLOCK = 2**18
_NODES_A_DEVIATION, _REACH = 3, 13.0  # φ_N(13) = 8e−38


def normal_order_means(n: int) -> Float[np.ndarray, " n"]:
    """E X₍ᵢ₎ of n standard normals, within 6u·(1 + |E X₍ᵢ₎|), u = eps/2.

    X₍ᵢ₎ has density n·P(Bin(n−1, Φ(x)) = i−1)φ_N(x): a trapezoid rule in x with 3 nodes a standard deviation,
    whose error e^{−2π²·9} is far below rounding, normalised by its own sum. Terms are added in extended
    precision, and antisymmetry is imposed: the middle mean is 0.

    Example:
        >>> normal_order_means(2).round(4).tolist()  # ∓1/√π
        [-0.5642, 0.5642]
    """
    return _means(positive_integer("n", n)).copy()


@lru_cache(maxsize=64)
def _means(n: int) -> Float[np.ndarray, " n"]:
    # sd of X₍ᵢ₎ is least in the middle, about √(π/(2n)); a batch of one has sd 1.
    step = min(0.25, np.sqrt(np.pi / (2 * n + 2))) / _NODES_A_DEVIATION
    x = -step * np.arange(int(np.ceil(_REACH / step)) + 1)
    mass = np.exp(-(x**2) / 2)
    mass[0] /= 2  # the node 0 belongs to both halves
    first = np.zeros(n, dtype=np.longdouble)  # Σ mass·x·law over x ≤ 0
    total = np.zeros(n, dtype=np.longdouble)
    for start, low, law in _windows(n - 1, x):
        for row in range(len(law)):
            begin, j = max(low[row], 0), start + row
            held = law[row, begin - low[row] : n - low[row]] * mass[j]
            first[begin : begin + len(held)] += held * x[j]
            total[begin : begin + len(held)] += held
    means = ((first - first[::-1]) / (total + total[::-1])).astype(float)
    means.setflags(write=False)
    return means


def rank_excess(x: Values, n: int) -> Values:
    """What a batch loses at x, x − b_n(x), an odd function, within `rank_excess_rounding`; |x| ≤ 37."""
    means = _means(n)
    order = np.argsort(np.abs(x), kind="stable")  # windows shrink outwards
    lower = -np.abs(x[order])
    sorted_result = np.empty(len(x))
    for start, low, law in _windows(n - 1, lower):
        part = slice(start, start + len(law))
        k = np.clip(low[:, None] + np.arange(law.shape[1]), 0, n - 1)
        sorted_result[part] = (law * (lower[part, None] - means[k])).sum(axis=1)
    result = np.empty(len(x))
    result[order] = sorted_result
    return np.where(x > 0, -result, result)


def rank_excess_rounding(x: Values, n: int) -> Values:
    """What x − b_n(x) errs by: windows of rank and of means, and the sum; 0 at n = 1."""
    if n == 1:
        return np.zeros(len(x))
    return UNIT * (12 + 4 * np.abs(x))


def step_excess(z: Values, n: int) -> Values:
    r"""D_n at w = Φ(z): half the excess of two atoms at distance 1, an even function of z.

    $D_n(w) = φ_N(z) - \frac1n Σ_i E X_{(i)} P(\mathrm{Bin}(n,w) < i)$, within `step_excess_rounding`.
    """
    tails = np.concatenate([[0.0], np.cumsum(_means(n).astype(np.longdouble))]).astype(float) / n  # −Σ_{i>k}
    order = np.argsort(np.abs(z), kind="stable")
    lower = -np.abs(z[order])
    ordered = np.empty(len(z))
    for start, low, law in _windows(n, lower):
        part = slice(start, start + len(law))
        place = np.clip(low[:, None] + np.arange(law.shape[1]), 0, n)
        mode = tails[
            np.clip(low + law.shape[1] // 2, 0, n)
        ]  # taken out, so that Σ law = 1 + O(u) is harmless
        ordered[part] = (norm.pdf(lower[part]) + mode) + (law * (tails[place] - mode[:, None])).sum(axis=1)
    result = np.empty(len(z))
    result[order] = ordered
    return result


def step_excess_rounding(z: Values) -> Values:
    """What D_n errs by: φ_N, windows of counts, and the means above a rank."""
    beyond = ndtr(-np.abs(z))
    return np.asarray(UNIT * ((z**2 + 8) * norm.pdf(z) + 8 * (1 + np.abs(z)) * beyond))


def _windows(
    trials: int, noise: Values
) -> Iterator[tuple[int, Int[np.ndarray, " r"], Float[np.ndarray, "r w"]]]:
    """Blocks of binomial windows of Φ(noise): the first row, the first outcome of each, the laws."""
    start = 0
    while start < len(noise):
        width = 2 * half_width(trials, ndtr(noise[start : start + 1])) + 1
        rows = max(1, _BLOCK // width)
        low, law = binomial_windows(trials, ndtr(noise[start : start + rows]))
        yield start, low, law
        start += len(law)
