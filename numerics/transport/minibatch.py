r"""Exact laws of the expected batch plan π_n on the line, and with two atoms in any dimension (theory.md §2).

Rank by rank, the i-th smallest of n noises meets the i-th smallest of n data; with u = Φ(x₀),
$P(x_1 ≤ s | u) = G_n(u, F_1(s))$, $G_n(u,w) = P(\mathrm{Bin}(n-1,u) < \mathrm{Bin}(n,w))$: the rank of u is
1 + Bin(n−1,u), and the datum of rank i is at most s iff at least i data are. The copula of π_n is the
Bernstein copula of the uniform ranks. What batches cost is in `numerics.transport.costs`,
the two-atom law in `numerics.transport.two_atoms`; `numerics.transport.couplings` couples samples.
"""

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.checks import as_array, positive_integer
from numerics.transport.binomials import binomial_windows, half_width, survival
from numerics.transport.costs import ExpectedCost, expected_cost
from numerics.transport.order_statistics import normal_order_means

__all__ = [
    "ExpectedCost",
    "assignment_probability",
    "bernstein_copula",
    "expected_cost",
    "normal_order_means",
]
_BLOCK = 2**22


def assignment_probability(u: ArrayLike, w: ArrayLike, n: int) -> Float[np.ndarray, "..."]:
    """G_n(u,w) = P(Bin(n−1,u) < Bin(n,w)), independent binomials; decreasing in u, increasing in w.

    Absolute error at most 8·eps·√n, also in the layer |u − w| ~ n^{−1/2}; time and memory √n a point.

    Args:
        u: Ranks of the noise in [0,1], any shape.
        w: Ranks of the data in [0,1], broadcast against u.
        n: Batch size.

    Raises:
        ValueError: If a rank is outside [0,1] or n < 1.
    """
    n = positive_integer("n", n)
    first, second = _ranks("u", u), _ranks("w", w)
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
    """
    n = positive_integer("n", n)
    wide_u, wide_v = np.broadcast_arrays(_ranks("u", u), _ranks("v", v))
    flat_u, flat_v = wide_u.ravel(), wide_v.ravel()
    first, law = binomial_windows(n - 1, flat_u)
    other, second = binomial_windows(n - 1, flat_v)
    place = first[:, None] - other[:, None] + np.arange(law.shape[1])
    inside = (place >= 0) & (place < second.shape[1])
    matched = np.take_along_axis(second, np.clip(place, 0, second.shape[1] - 1), axis=1)
    return (n * (law * np.where(inside, matched, 0.0)).sum(axis=1)).reshape(wide_u.shape)


def _ranks(name: str, value: ArrayLike) -> Float[np.ndarray, "..."]:
    array = as_array(name, value, ndim=tuple(range(8))).real
    if (array < 0).any() or (array > 1).any():
        worst = array.ravel()[int(np.argmax(np.abs(array - 0.5)))]
        raise ValueError(f"{name}: got {worst}; a rank lies in [0, 1]")
    return array
