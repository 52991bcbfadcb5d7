r"""Which batch size is enough to learn the OT-CFM field of a solved cloud (docs/theory.md, M2 and M8).

A pair (x₀, y_j) of a plan has the gap $G = φ^*(x_0) + g_j - ⟨x_0, y_j⟩ ≥ 0$, whatever the heights g are, and
errs from the field of the heights by $|\dot x_t - v_t(x_t)|^2 ≤ G/(t(1-t))$. So the field $v^{(n)}$ that is
learned from optimally matched batches of n has, for every t in (0,1),

$$E|v^{(n)}_t - v_t|^2 ≤ E|\dot x_t - v_t|^2 ≤ \frac{e_n}{2t(1-t)}, \qquad e_n = 2E[G] ≥ c_n - W_2^2,$$

with equality on the right where the heights are optimal for the weights; e_n does not grow with n (M2).

What is known of e_n: on the line it is a sum, exact to rounding. Elsewhere it is a mean over independent
batches: an estimate with a standard error, and an upper limit whose level is a theorem. For the limit,
the mean X of a batch is below the mean over all pairs, $Y = 2(\overline{φ^*} + \bar g - ⟨\bar x_0, \bar y⟩)$;
given the data, Y has a mean of at most M and is a Lipschitz function of the noise with constant
$σ = 2D/\sqrt n$, D the diameter of the cloud. Hence $E(X - M - 6σ)^+ ≤ σ\sqrt{2π}Φ(-6)$ by Gaussian
concentration, and what is below M + 6σ is bounded by Maurer and Pontil's empirical Bernstein inequality
[@maurer2009empirical].
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import ConvexHull, QhullError
from scipy.special import ndtr

from numerics.accuracy import UNIT
from numerics.checks import as_generator, positive_integer, positive_number
from numerics.deprecated import goes
from numerics.geometry import norms
from numerics.transport.costs import expected_cost
from numerics.transport.couplings import BatchEstimate, assignment
from numerics.transport.solution import SemidiscreteSolution

SIZES = (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
POOL = 2**17
"""Pairs of noise and data that the batches of every size are taken from."""
FEWEST, TIMED = 8, 5
_SCORES, _PAIRS_OF_LOSS = 2**23, 2**12
By = Literal["guaranteed", "bound", "loss"]


@dataclass(frozen=True)
class BatchSize:
    """What is known of batches of one size.

    Attributes:
        n: The batch size.
        excess: The means of 2G of independent batches, which average to e_n.
        exact: e_n and its error where it is exact (on the line), else None.
        limit: An upper limit of e_n: exact, or missed with the probability that the study states for all.
        loss: Means of |ẋ − v_t|² at t = ½ in some of these batches: E|v⁽ⁿ⁾ − v|² and the floor of the plan.
        seconds: Median time of one assignment on this machine.

    Example:
        >>> means = BatchEstimate(4, np.array([0.5, 0.7]))
        >>> BatchSize(4, means, exact=None, limit=0.9, loss=means, seconds=1e-5).bound  # the mean
        0.6
    """

    n: int
    excess: BatchEstimate
    exact: tuple[float, float] | None
    limit: float
    loss: BatchEstimate
    seconds: float

    @property
    def bound(self) -> float:
        """The estimate of e_n: the exact number where there is one."""
        return self.excess.mean if self.exact is None else self.exact[0]


@dataclass(frozen=True)
class BatchSizes:
    """The error of the field against the batch size, in shares of E|v|² = W₂², at t = ½.

    Attributes:
        rows: One a size, increasing.
        w2_squared: W₂² between noise and cloud, E|v_t|² at every t.
        w2_error: How far it may be off.
        independent: 2(c_1 − W₂²)/W₂²: the bound for pairs as they are drawn.
        level: The probability that a row's ``limit`` is below its e_n; 0 where they are exact.
        pair_seconds: Time of drawing one exact pair (x₀, T(x₀)) on this machine.

    Example:
        >>> means = BatchEstimate(4, np.array([0.2, 0.4]))
        >>> row = BatchSize(4, means, exact=(0.25, 0.0), limit=0.25, loss=means, seconds=1e-5)
        >>> found = BatchSizes((row,), 2.0, 0.0, independent=1.0, level=0.0, pair_seconds=1e-6)
        >>> found.share(row, "bound"), found.smallest(0.3), found.smallest(0.2)  # 2·0.25/2
        (0.25, 4, None)
    """

    rows: tuple[BatchSize, ...]
    w2_squared: float
    w2_error: float
    independent: float
    level: float
    pair_seconds: float

    @property
    def w2_uncertainty(self) -> float:
        """The older name of ``w2_error``; it goes with the next version."""
        goes("w2_uncertainty", "w2_error")
        return self.w2_error

    def share(self, row: BatchSize, by: By) -> float:
        """An upper estimate of E|v⁽ⁿ⁾ − v|²/E|v|² at t = ½; other t: times 1/(4t(1−t)) but for ``loss``.

        Args:
            row: One of ``rows``.
            by: ``"guaranteed"``: M8 with the limit of e_n, over the least W₂² that is possible;
                ``"bound"``: M8 with the estimate of e_n; ``"loss"``: the estimated loss of the exact field.
        """
        if by == "guaranteed":
            return 2 * row.limit / max(self.w2_squared - self.w2_error, np.finfo(float).tiny)
        return (2 * row.bound if by == "bound" else row.loss.mean) / self.w2_squared

    def smallest(self, tolerance: float, by: By = "bound") -> int | None:
        """The least n of ``rows`` from which on the share is at most ``tolerance``; None where there is none.

        Raises:
            ValueError: If the tolerance is not positive.
        """
        positive_number("tolerance", tolerance)
        beyond = [row.n for row in self.rows if self.share(row, by) > tolerance]
        enough = [row.n for row in self.rows if not beyond or row.n > max(beyond)]
        return enough[0] if enough else None


def batch_sizes(
    solution: SemidiscreteSolution,
    sizes: Sequence[int] = SIZES,
    *,
    rng: np.random.Generator | int = 0,
    pool: int = POOL,
    level: float = 1e-3,
) -> BatchSizes:
    """How large the error of a field learned from batches of n is, for the user's own solved cloud.

    Data are drawn with the weights that were asked for, not with those that the heights induce, so that
    errors of the heights make e_n larger, never the bound wrong. Every size takes its batches from one pool
    of pairs: batches of one size are independent, sizes are not. Where n is no small part of the cloud the
    answer is about these atoms, not about a law that they were drawn from.

    Args:
        solution: What `semidiscrete.solve` returned.
        sizes: Batch sizes, increasing.
        rng: Where noise and data come from.
        pool: How many pairs there are; at least eight batches a size are drawn, whatever it is.
        level: Of the upper limits together.

    Returns:
        A row a size, with the times that an assignment and an exact pair take.

    Raises:
        ValueError: If sizes don't increase, pool is no positive integer, or level is not in (0, 1).

    Example:
        >>> from numerics.transport import solve
        >>> found = batch_sizes(solve([[-1.0], [1.0]]), [4, 16, 64], pool=1024)
        >>> [round(row.bound, 2) for row in found.rows]  # e_n
        [0.58, 0.15, 0.04]
        >>> [round(found.share(row, "bound"), 2) for row in found.rows], found.smallest(0.2)  # 2e_n/0.404
        ([2.89, 0.76, 0.19], 64)
    """
    sizes = [positive_integer("sizes", n) for n in sizes]
    if not sizes or (np.diff(sizes) <= 0).any():
        raise ValueError(f"sizes: got {sizes}; give batch sizes that increase")
    if not 0 < level < 1:
        raise ValueError(f"level: got {level}; it must be in (0, 1)")
    rng = as_generator("rng", rng)
    batches = {n: _batches(n, positive_integer("pool", pool)) for n in sizes}
    drawn = _Pool(solution, max(n * count for n, count in batches.items()), rng)
    rows, least = [], np.inf
    for n, count in batches.items():
        row = drawn.row(n, count, level / len(sizes))
        least = min(least, row.limit)  # e_n does not grow with n
        rows.append(BatchSize(n, row.excess, row.exact, least, row.loss, row.seconds))
    cost = solution.points.shape[1] + float(solution.weights @ (solution.points**2).sum(axis=1))
    independent = 2 * (cost - solution.w2_squared) / solution.w2_squared
    stated = 0.0 if rows[0].exact is not None else level
    times = _seconds_of_pairs(solution, rng)
    return BatchSizes(tuple(rows), solution.w2_squared, solution.w2_error, independent, stated, times)


def _batches(n: int, pool: int) -> int:
    """Fewer pairs for sizes whose assignments take long: a batch's time grows like n²·⁵ for large n."""
    return max(FEWEST, min(2**12, int(pool / n * min(1.0, (128 / n) ** 1.5))))


class _Pool:
    """Noise, data and their parts of the gaps, drawn once for all sizes."""

    def __init__(self, solution: SemidiscreteSolution, pairs: int, rng: np.random.Generator) -> None:
        self.solution, self.potential = solution, solution.potential
        n, d = solution.points.shape
        self.noise: Float[np.ndarray, "P d"] = rng.standard_normal((pairs, d))
        self.atom: Int[np.ndarray, " P"] = rng.choice(n, pairs, p=solution.weights)
        block = max(1, _SCORES // n)
        parts = [self.potential.conjugate(self.noise[k : k + block]) for k in range(0, pairs, block)]
        self.conjugate: Float[np.ndarray, " P"] = np.concatenate(parts)
        self.mean, self.diameter = _largest_mean(solution), _diameter(solution.points)

    def row(self, n: int, batches: int, level: float) -> BatchSize:
        """What batches of n show."""
        noise, atom = self.noise[: n * batches], self.atom[: n * batches]
        matched, seconds = np.empty_like(atom), []
        for begin in range(0, len(atom), n):
            part = slice(begin, begin + n)
            data = self.solution.points[atom[part]]
            started = time.perf_counter()
            found = assignment(noise[part], data)
            seconds.append(time.perf_counter() - started)
            matched[part] = atom[part][found]
        data, heights = self.solution.points[matched], self.solution.heights[matched]
        gaps = self.conjugate[: len(atom)] + heights - (noise * data).sum(axis=1)
        excess = BatchEstimate(n, 2 * np.maximum(gaps, 0.0).reshape(batches, n).mean(axis=1))
        shown = max(FEWEST, min(batches, _PAIRS_OF_LOSS // n))
        loss = self._loss(noise[: n * shown], data[: n * shown]).reshape(shown, n).mean(axis=1)
        exact = self._exact(n)
        limit = sum(exact) if exact is not None else self._limit(excess, level)
        return BatchSize(n, excess, exact, limit, BatchEstimate(n, loss), float(np.median(seconds[:TIMED])))

    def _exact(self, n: int) -> tuple[float, float] | None:
        """On the line: c_n − W₂² for the weights that the closed form induces to rounding."""
        if self.solution.points.shape[1] > 1:
            return None
        found = expected_cost(self.potential, n)
        return found.excess, found.error

    def _loss(self, x0: Float[np.ndarray, "P d"], x1: Float[np.ndarray, "P d"]) -> Float[np.ndarray, " P"]:
        """|ẋ − v_t|² at t = ½: |x₁ − prox_φ(x₀ + x₁)|²·4."""
        return 4 * ((x1 - self.potential.prox(x0 + x1, 1.0)) ** 2).sum(axis=1)

    def _lipschitz(self, n: int) -> float:
        """σ: a pair's part of Y has the gradient 2(T(x₀) − ȳ)/n in its noise, at most 2D/n long."""
        return float(2 * self.diameter / np.sqrt(n))

    def _limit(self, excess: BatchEstimate, level: float) -> float:
        """See the module: Maurer–Pontil below the cap, Gaussian concentration above it, and rounding."""
        values, m = excess.values, len(excess.values)
        sigma = self._lipschitz(excess.n)
        cap = self.mean + 6 * sigma
        kept, log = np.minimum(values, cap), np.log(2 / level)
        reach = np.sqrt(2 * kept.var(ddof=1) * log / m) + 7 * cap * log / (3 * (m - 1))
        beyond = sigma * np.sqrt(2 * np.pi) * float(ndtr(-6.0))
        d = self.noise.shape[1]
        size = (norms(self.noise).max() + self.potential.scale) ** 2 + np.abs(self.solution.heights).max()
        return float(kept.mean() + reach + beyond + 8 * (d + 8) * UNIT * size)


def _largest_mean(solution: SemidiscreteSolution) -> float:
    """M: at least 2(E φ*(x₀) + max g). Exact methods know E φ* from the dual value; others bound it.

    E max_j⟨x₀, y_j − b⟩ ≤ R·min(√d, √(2 log N)) for N points within R of b. Far from 0 the squares and the
    dual value cancel: n + d + 8 roundings of each are added.
    """
    points, weights, heights = solution.points, solution.weights, solution.heights
    n, d = points.shape
    if solution.method != "sampled":
        twice = d + float(weights @ (points**2).sum(axis=1)) - solution.w2_dual + solution.w2_error
        size = d + float(weights @ (points**2).sum(axis=1)) + 2 * float(weights @ np.abs(heights))
        rounding = (n + d + 8) * UNIT * (size + abs(solution.w2_dual) + np.abs(heights).max())
        return twice + 2 * float(heights.max() - weights @ heights) + rounding
    radius = norms(points - weights @ points).max()
    return float(2 * (radius * min(np.sqrt(d), np.sqrt(2 * np.log(max(n, 2)))) + np.ptp(heights)))


def _diameter(points: Float[np.ndarray, "n d"]) -> float:
    """At least the diameter of the cloud: exact where all pairs are looked at, else twice a radius.

    Seen from its first point no point is further away than the diameter is long, so that wherever the cloud
    lies the squares cancel by no more than rounding of the diameter's own square: 1e−6 is more than that.
    """
    centred = points - points[0]
    corners = centred
    if len(points) > 2000 and points.shape[1] in (2, 3):
        try:
            corners = centred[ConvexHull(centred).vertices]
        except QhullError:  # flat
            corners = centred
    if len(corners) > 2000:
        return float(2 * norms(centred - centred.mean(axis=0)).max() * (1 + 1e-6))
    square = (corners**2).sum(axis=1)
    return float(np.sqrt(max(0.0, (square[:, None] + square - 2 * corners @ corners.T).max())) * (1 + 1e-6))


def _seconds_of_pairs(solution: SemidiscreteSolution, rng: np.random.Generator, draws: int = 256) -> float:
    x0 = rng.standard_normal((draws, solution.points.shape[1]))
    potential = solution.potential
    potential.transport(x0[:1])
    started = time.perf_counter()
    potential.transport(x0)
    return (time.perf_counter() - started) / draws
