r"""Exact laws of the expected batch plan π_n on the line, and with two atoms in any dimension (theory.md §2).

Rank by rank, the i-th smallest of n noises meets the i-th smallest of n data; with u = Φ(x₀),
$P(x_1 ≤ s | u) = G_n(u, F_1(s))$, $G_n(u,w) = P(\mathrm{Bin}(n-1,u) < \mathrm{Bin}(n,w))$: the rank of u is
1 + Bin(n−1,u), and the datum of rank i is at most s iff at least i data are. The copula of π_n is the
Bernstein copula of the uniform ranks. `numerics.transport.two_atoms` has the two-atom law, and
`numerics.transport.couplings` couples samples.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import binom, norm

from numerics.accuracy import EPS
from numerics.checks import as_array, positive_integer
from numerics.potentials import FiniteAtoms, Quantile
from numerics.potentials.laws import DiscreteLaw
from numerics.potentials.line import LinePotential
from numerics.transport.binomials import binomial_windows, half_width, survival
from numerics.transport.levels import rules

Ranks: TypeAlias = Int[np.ndarray, "..."]
_BLOCK = 2**22
_NODES_A_DEVIATION, _DEVIATIONS = 3, 10


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


@dataclass(frozen=True)
class ExpectedCost:
    """c_n on the line.

    Attributes:
        n: Batch size.
        optimal: W₂² = E|x₀ − T(x₀)|².
        excess: c_n − W₂² = (2/n) Σ_i Cov(X₍ᵢ₎, Y₍ᵢ₎) where Y₍ᵢ₎ = T(X₍ᵢ₎).
        error: Of the excess: how far the quadrature moves when every second node is dropped, and rounding.
    """

    n: int
    optimal: float
    excess: float
    error: float

    @property
    def cost(self) -> float:
        """c_n."""
        return self.optimal + self.excess


def expected_cost(quantile: LinePotential | FiniteAtoms, n: int) -> ExpectedCost:
    r"""c_n = E x₀² + E x₁² − (2/n) Σ E X₍ᵢ₎ E Y₍ᵢ₎ from order statistics, n up to 10⁶.

    X₍ᵢ₎ has density ∝ Φ^{i−1}(1−Φ)^{n−i}φ_N: a trapezoid rule in x with 3 nodes a standard deviation,
    whose error e^{−2π²·9} is far below rounding for analytic T, normalised by its own sum. Jumps of T are not
    integrated over: $E Y_{(i)} = y_1 + Σ_j (y_{j+1}-y_j) P(\mathrm{Bin}(n, W_j) < i)$. Mixtures and the
    Cantor law are integrated over their levels, as two-atom steps: c_n − W₂² = 2∫D_n(F₁(y))dy,
    $D_n(w) = φ_N(Φ^{-1}(w)) - \frac1n Σ_i E X_{(i)} P(\mathrm{Bin}(n,w) < i)$.

    Args:
        quantile: `Quantile`, `AtomAndDensity`, `Cantor`, or `FiniteAtoms` on the line.
        n: Batch size.

    Raises:
        ValueError: If the law is not on the line, or an atom has no mass.
    """
    n = positive_integer("n", n)
    moments = _OrderStatistics(n)
    if isinstance(quantile, LinePotential) and not isinstance(quantile, Quantile):
        return _cost_by_levels(quantile, n, moments)
    atoms = _atoms(quantile)
    if atoms is not None:
        return _cost_of_atoms(*atoms, n, moments)
    assert isinstance(quantile, Quantile)
    x = moments.nodes
    data = quantile.transport(x[:, None])[:, 0]
    fine, coarse = moments.covariance(data)
    mass = np.exp(-(x**2) / 2)
    optimal = float((mass * (x - data) ** 2).sum() / mass.sum())
    rounding = 64 * EPS * float(np.sqrt((mass * data**2).sum() / mass.sum()))
    return ExpectedCost(n, optimal, 2 * fine, 2 * abs(fine - coarse) + rounding)


def normal_order_means(n: int) -> Float[np.ndarray, " n"]:
    """E X₍ᵢ₎ of n standard normals, to about 1e−14."""
    return _OrderStatistics(positive_integer("n", n)).means(None)[0]


def _atoms(
    quantile: LinePotential | FiniteAtoms,
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k-1"]] | None:
    """Increasing atoms and the noise thresholds between them; None for a continuous law."""
    if isinstance(quantile, FiniteAtoms) and quantile.dim == 1:
        order = np.argsort(quantile.points[:, 0])
        points, heights = quantile.points[order, 0].real, quantile.heights[order]
        thresholds = np.diff(heights) / np.diff(points)
        if (np.diff(thresholds) <= 0).any():
            raise ValueError("quantile: an atom has no mass; drop atoms that lie above the envelope")
        return points, thresholds
    if isinstance(quantile, Quantile):
        law = quantile._law
        if isinstance(law, DiscreteLaw):
            return law.atoms, ndtri(quantile.distribution.cdf(law.atoms[:-1]))
        return None
    raise ValueError(f"quantile: got {quantile!r}; give Quantile or FiniteAtoms on the line")


def _cost_of_atoms(
    points: Float[np.ndarray, " k"],
    thresholds: Float[np.ndarray, " l"],
    n: int,
    moments: "_OrderStatistics",
) -> ExpectedCost:
    gaps, ranks = np.diff(points), np.arange(1, n + 1)
    means, shift = moments.means(None)
    weights = np.diff(np.concatenate([[0.0], ndtr(thresholds), [1.0]]))
    cross = float(gaps @ norm.pdf(thresholds))  # E x₀ T(x₀)
    below = [float(means @ binom.cdf(ranks - 1, n, share)) for share in ndtr(thresholds)]
    batch = float(gaps @ np.array(below)) / n
    scale = float(gaps.sum())
    optimal = 1 + float(weights @ points**2) - 2 * cross
    return ExpectedCost(n, optimal, 2 * (cross - batch), 2 * scale * (shift + 64 * EPS))


def _cost_by_levels(target: LinePotential, n: int, moments: "_OrderStatistics") -> ExpectedCost:
    means, shift = moments.means(None)
    fine, coarse = rules(target)
    tails = -np.concatenate([[0.0], np.cumsum(means.astype(np.longdouble))]).astype(float)  # Σ_{i>k} E X₍ᵢ₎
    excess, rough = (2 * float(rule.weights @ _step_excess(rule.nodes, n, tails)) for rule in (fine, coarse))
    cross, about = (float(rule.weights @ norm.pdf(rule.nodes)) for rule in (fine, coarse))
    law = target._law
    rounding = 2 * float(fine.weights.sum()) * (shift + 16 * EPS * np.sqrt(n))
    optimal = 1 + law.mean**2 + law.deviation**2 - 2 * cross
    return ExpectedCost(n, optimal, excess, abs(excess - rough) + rounding + 2 * abs(cross - about))


def _step_excess(
    z: Float[np.ndarray, " k"], n: int, tails: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " k"]:
    """D_n at w = Φ(z): half the excess of two atoms at distance 1, an even function of z."""
    noise, result = -np.abs(z), np.empty(len(z))
    rows = max(1, _BLOCK // (2 * half_width(n, np.array([0.5])) + 1))
    for start in range(0, len(z), rows):
        part = slice(start, start + rows)
        first, law = binomial_windows(n, ndtr(noise[part]))
        place = np.clip(first[:, None] + np.arange(law.shape[1]), 0, n)
        result[part] = norm.pdf(noise[part]) - (law * tails[place]).sum(axis=1) / n
    return result


class _OrderStatistics:
    """Laws of X₍ᵢ₎, i = 1 … n, on one grid of the noise."""

    def __init__(self, n: int) -> None:
        self.n = n
        # sd of X₍ᵢ₎ is least in the middle, about √(π/(2n)); a batch of one has sd 1.
        step = min(0.25, np.sqrt(np.pi / (2 * n + 2))) / _NODES_A_DEVIATION
        count = 2 * int(np.ceil(6.5 / step)) + 1
        self.nodes = step * np.arange(-count, count + 1)
        self._log_below, self._log_above = log_ndtr(self.nodes), log_ndtr(-self.nodes)
        self._step = step

    def means(self, values: Float[np.ndarray, " k"] | None) -> tuple[Float[np.ndarray, " n"], float]:
        """E f(X₍ᵢ₎) of values f at the nodes (None: f(x) = x), and the largest change on half the nodes."""
        data = self.nodes if values is None else values
        result, change = np.empty(self.n), 0.0
        for rows, place, fine, coarse in self._laws():
            taken = data[place]
            result[rows] = (fine * taken).sum(axis=1)
            change = max(change, float(np.abs((coarse * taken[:, ::2]).sum(axis=1) - result[rows]).max()))
        return result, change

    def covariance(self, values: Float[np.ndarray, " k"]) -> tuple[float, float]:
        """(1/n) Σ Cov(X₍ᵢ₎, f(X₍ᵢ₎)), and the same on half the nodes."""
        totals = [0.0, 0.0]
        for _, place, *laws in self._laws():
            for which, law in enumerate(laws):
                every = slice(None, None, which + 1)
                x, y = self.nodes[place[:, every]], values[place[:, every]]
                centre = (law * x).sum(axis=1, keepdims=True)
                totals[which] += float((law * (x - centre) * y).sum())
        return totals[0] / self.n, totals[1] / self.n

    def _laws(self) -> "Iterator[tuple[Ranks, Ranks, Float[np.ndarray, 'r k'], Float[np.ndarray, 'r l']]]":
        """Blocks of ranks: the rows, the nodes of each, its law on them, its law on every second."""
        ranks = np.arange(1, self.n + 1, dtype=float)
        centre = ndtri(ranks / (self.n + 1))
        slope = np.exp(-(centre**2) / 2) / np.sqrt(2 * np.pi)
        share = ranks / (self.n + 1)
        deviation = np.minimum(np.sqrt(share * (1 - share) / (self.n + 2)) / slope, 1.0)
        reach = np.ceil(_DEVIATIONS * deviation / self._step).astype(int)
        # The extremes have a tail like the noise's own, and its length is not theirs to choose.
        edge = np.minimum(ranks, self.n + 1 - ranks)
        reach = np.maximum(reach, np.where(edge <= 60, int(9.5 / self._step), 0))
        place = np.rint(centre / self._step).astype(int) + len(self.nodes) // 2
        order = np.argsort(reach, kind="stable")
        start = 0
        while start < self.n:
            rows = order[start : start + max(1, min(4096, _BLOCK // (2 * reach[order[start]] + 1)))]
            width = int(reach[rows].max())
            if width > 2 * reach[rows[0]]:
                rows = rows[reach[rows] <= 2 * reach[rows[0]]]
                width = int(reach[rows].max())
            start += len(rows)
            at = np.clip(place[rows][:, None] + np.arange(-width, width + 1), 0, len(self.nodes) - 1)
            inside = np.diff(at, axis=1, prepend=-1) > 0
            rank = ranks[rows][:, None]
            log = (rank - 1) * self._log_below[at] + (self.n - rank) * self._log_above[at]
            log -= self.nodes[at] ** 2 / 2
            mass = np.where(inside, np.exp(log - log.max(axis=1, keepdims=True)), 0.0)
            half = mass[:, ::2]
            yield rows, at, mass / mass.sum(axis=1, keepdims=True), half / half.sum(axis=1, keepdims=True)


def _ranks(name: str, value: ArrayLike) -> Float[np.ndarray, "..."]:
    array = as_array(name, value, ndim=tuple(range(8))).real
    if (array < 0).any() or (array > 1).any():
        worst = array.ravel()[int(np.argmax(np.abs(array - 0.5)))]
        raise ValueError(f"{name}: got {worst}; a rank lies in [0, 1]")
    return array
