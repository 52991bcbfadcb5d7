r"""Exact laws of the batch plan π_n on the line, and with two atoms in any dimension (docs/theory.md §2).

Rank by rank, the i-th smallest of n noises meets the i-th smallest of n data; with u = Φ(x₀),
$P(x_1 ≤ s | u) = G_n(u, F_1(s))$, $G_n(u,w) = P(\mathrm{Bin}(n-1,u) < \mathrm{Bin}(n,w))$: the rank of u is
1 + Bin(n−1,u), and the datum of rank i is at most s iff at least i data are. The copula of π_n is the
Bernstein copula of the uniform ranks. What batches cost is in `numerics.transport.costs`,
the two-atom law in `numerics.transport.two_atoms`; `numerics.transport.couplings` couples samples.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import positive_integer
from numerics.transport.binomials import binomial_windows, half_width, survival
from numerics.transport.costs import ExpectedCost, expected_cost
from numerics.transport.order_statistics import normal_order_means
from numerics.transport.tilted import log_assignment_probability, log_assignment_rounding, ranks

__all__ = [
    "ExpectedCost",
    "assignment_probability",
    "bernstein_copula",
    "expected_cost",
    "log_assignment_probability",
    "log_assignment_rounding",
    "mass_below",
    "normal_order_means",
]
_BLOCK = 2**18  # numbers at once: a table of more leaves the cache


def assignment_probability(u: ArrayLike, w: ArrayLike, n: int) -> Float[np.ndarray, "..."]:
    """G_n(u,w) = P(Bin(n−1,u) < Bin(n,w)), independent binomials; decreasing in u, increasing in w.

    Absolute error at most 8·eps·√n, also in the layer |u − w| ~ n^{−1/2}; time and memory √n a point. The
    logarithms of G_n and of 1 − G_n, to relative accuracy, are `log_assignment_probability`'s.

    Args:
        u: Ranks of the noise in [0,1], any shape.
        w: Ranks of the data in [0,1], broadcast against u.
        n: Batch size.

    Raises:
        ValueError: If a rank is outside [0,1] or n < 1.

    Example:
        >>> round(float(assignment_probability(0.3, 0.25, 1)), 12)  # a batch of one: w
        0.25
        >>> round(float(assignment_probability(0.5, 0.5, 2)), 12)  # P(B < B'), B ~ Bin(1, ½), B' ~ Bin(2, ½)
        0.5
    """
    n = positive_integer("n", n)
    first, second = ranks("u", u), ranks("w", w)
    wide_u, wide_w = np.broadcast_arrays(first, second)
    flat_u, flat_w = wide_u.ravel(), wide_w.ravel()
    result = np.empty(len(flat_u))
    length = 4 * half_width(n, np.array([0.5])) + 2
    rows = max(1, _BLOCK // length)
    for start in range(0, len(flat_u), rows):
        part = slice(start, start + rows)
        result[part] = _assignment_probability(flat_u[part], flat_w[part], n)
    return result.reshape(wide_u.shape)


def _assignment_probability(
    u: Float[np.ndarray, " m"], w: Float[np.ndarray, " m"], n: int
) -> Float[np.ndarray, " m"]:
    start, noise = binomial_windows(n - 1, u)
    k = start[:, None] + np.arange(noise.shape[1])
    distinct, back = np.unique(w, return_inverse=True)
    data_start, data = binomial_windows(n, distinct)
    if len(distinct) == 1:
        above = survival(data_start, data, k.reshape(1, -1)).reshape(k.shape)
    else:
        above = survival(data_start[back], data[back], k)
    return np.clip((noise * above).sum(axis=1), 0.0, 1.0)


def bernstein_copula(u: ArrayLike, v: ArrayLike, n: int) -> Float[np.ndarray, "..."]:
    """Density (1/n) Σ_i f_{i:n}(u) f_{i:n}(v), f_{i:n} that of Beta(i, n−i+1): P(equal ranks)·n.

    f_{i:n}(u) = n·P(Bin(n−1,u) = i−1), so the density is n·P(A = B), A, B ~ Bin(n−1,u), Bin(n−1,v).

    Example:
        >>> round(float(bernstein_copula(0.3, 0.8, 1)), 12)  # a batch of one: independent
        1.0
        >>> round(float(bernstein_copula(0.5, 0.5, 3)), 12)  # 3·P(A = B), A, B ~ Bin(2, ½): 3·(1 + 4 + 1)/16
        1.125
    """
    n = positive_integer("n", n)
    wide_u, wide_v = np.broadcast_arrays(ranks("u", u), ranks("v", v))
    flat_u, flat_v = wide_u.ravel(), wide_v.ravel()
    first, law = binomial_windows(n - 1, flat_u)
    other, second = binomial_windows(n - 1, flat_v)
    place = first[:, None] - other[:, None] + np.arange(law.shape[1])
    inside = (place >= 0) & (place < second.shape[1])
    matched = np.take_along_axis(second, np.clip(place, 0, second.shape[1] - 1), axis=1)
    return (n * (law * np.where(inside, matched, 0.0)).sum(axis=1)).reshape(wide_u.shape)


def mass_below(u: Float[np.ndarray, " k"], w: float, n: int) -> Float[np.ndarray, " k"]:
    """H(u) = ∫₀^u G_n(·,w) = E min(A,B)/n, a sum of positive terms.

    Example:
        >>> mass_below(np.array([0.5]), 0.3, 1).round(12).tolist()  # a batch of one: w·u
        [0.15]
    """
    rows = max(1, _BLOCK // (2 * half_width(n, np.array([0.5])) + 1))
    return np.concatenate([_mass_of_block(u[i : i + rows], w, n) for i in range(0, len(u), rows)])


def _mass_of_block(u: Float[np.ndarray, " k"], w: float, n: int) -> Float[np.ndarray, " k"]:
    """E min(A,B) = Σ_a P(A=a) E min(a,B), and E min(a,B) = Σ_{j<a} P(B > j), where P(B > j) = 1 at first."""
    start, law = binomial_windows(n, u)
    first, data = binomial_windows(n, np.array([w]))
    a = start[:, None] + np.arange(law.shape[1])
    sure = max(0, min(int(a.min()), int(first[0])))
    above = survival(first, data, np.arange(sure, max(sure, min(n, int(a.max()))))[None, :])[0]
    least = sure + np.concatenate([[0.0], np.cumsum(above)])
    return (law * least[np.clip(a - sure, 0, len(above))]).sum(axis=1) / n
