"""Couplings of one batch of noise with one batch of data, and what they cost on average.

Each returns ``match`` (n,): noise i is paired with data ``match[i]``. Estimates of c_n average independent
batches of fresh noise and data, so they are unbiased whatever n is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from scipy.stats import t as student

from numerics.checks import as_array, as_generator, positive_integer
from numerics.potentials import Potential

Points: TypeAlias = Float[np.ndarray, "n d"]
Batches: TypeAlias = Float[np.ndarray, "b n d"]
Match: TypeAlias = Int[np.ndarray, " n"]
Coupling: TypeAlias = Callable[[ArrayLike, ArrayLike], Match]
_LOW, _SMALL, _FAR = 4, 128, 1e6
_MOST_COSTS = 2**20  # of batches at once


def independent(x0: ArrayLike, x1: ArrayLike) -> Match:
    """The pairs as they were drawn: π₁, if noise and data were drawn apart.

    Example:
        >>> independent([[0.0], [1.0]], [[5.0], [4.0]]).tolist()
        [0, 1]
    """
    return np.arange(len(_batch(x0, x1)[0]))


def assignment(x0: ArrayLike, x1: ArrayLike) -> Match:
    """The optimal assignment for the squared distance.

    On the line by sorting; up to d = 4 beyond 128 points by POT's network simplex; otherwise by SciPy's
    shortest augmenting paths. Their paths are long where clouds of unequal width lie in few dimensions: at
    n = 2048 they take 6 to 10 times as long as the simplex in the plane, and half as long in d = 64. Both
    take −2⟨x₀,x₁⟩, which is the squared distance up to terms of one point each.

    Raises:
        ValueError: If noise and data are not arrays (n,d) of one shape.

    Example:
        >>> assignment([[0.0], [1.0]], [[5.0], [4.0]]).tolist()  # 0 to 4 and 1 to 5
        [1, 0]
    """
    noise, data = _batch(x0, x1)
    return _assignments(noise[None], data[None])[0]


def _assignments(noise: Batches, data: Batches) -> Int[np.ndarray, "b n"]:
    """The assignment of each batch: what NumPy does for all at once costs a call, not one a batch."""
    b, n, d = noise.shape
    match = np.zeros((b, n), dtype=np.int64)
    if n == 1:
        return match
    if d == 1:
        by_rank = np.argsort(data[:, :, 0], axis=1, kind="stable")
        np.put_along_axis(match, np.argsort(noise[:, :, 0], axis=1, kind="stable"), by_rank, axis=1)
        return match
    noise, data = noise - _middle(noise), data - _middle(data)
    if _by_simplex(n, d):
        return np.array([_peeled(*batch) for batch in zip(noise, data, strict=True)])
    rows = max(1, _MOST_COSTS // n**2)
    for first in range(0, b, rows):
        part = slice(first, first + rows)
        costs = -2 * (noise[part] @ data[part].swapaxes(1, 2))
        match[part] = [linear_sum_assignment(cost)[1] for cost in costs]
    size = np.abs(np.take_along_axis(data, match[:, :, None], axis=1)).max(axis=2) + np.abs(noise).max(axis=2)
    for k in np.flatnonzero(size.max(axis=1) > _FAR * size.min(axis=1)):
        match[k] = _peeled(noise[k], data[k])
    return match


def _middle(points: Batches) -> Float[np.ndarray, "b 1 d"]:
    """The (upper) median of each coordinate of a batch: a few outliers do not move it."""
    half = points.shape[1] // 2
    return np.asarray(np.partition(points, half, axis=1)[:, half : half + 1])


def _by_simplex(n: int, d: int) -> bool:
    return d <= _LOW and n > _SMALL


def _peeled(noise: Points, data: Points) -> Match:
    """The assignment, far points first: part of an optimal assignment is optimal for its points."""
    n, d = noise.shape
    match = np.empty(n, dtype=np.int64)
    rows, columns = np.arange(n), np.arange(n)
    while True:
        cost = -2 * (noise[rows] @ data[columns].T)
        found = _network_simplex(cost) if _by_simplex(len(rows), d) else linear_sum_assignment(cost)[1]
        match[rows] = columns[found]
        size = np.abs(data[match[rows]]).max(axis=1) + np.abs(noise[rows]).max(axis=1)
        if size.max() <= _FAR * size.min():
            return match
        far = size > _FAR * np.median(size)
        if not far.any():
            return match
        rows = rows[~far]
        columns = match[rows]


def greedy(x0: ArrayLike, x1: ArrayLike) -> Match:
    """Nearest pairs first, each point used once. A control: it need not converge to the optimal plan.

    Example:
        >>> greedy([[0.0], [1.0]], [[0.9], [5.0]]).tolist()  # 1 takes 0.9 and leaves 5 to 0: 25.01, not 16.81
        [1, 0]
    """
    noise, data = _batch(x0, x1)
    n = len(noise)
    cost = ((noise[:, None] - data[None]) ** 2).sum(axis=2)
    match, taken = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=bool)
    order = np.argsort(cost, axis=None, kind="stable")
    for start in range(0, n * n, 4 * n):
        i, j = np.divmod(order[start : start + 4 * n], n)
        free = (match[i] < 0) & ~taken[j]
        for row, column in zip(i[free], j[free], strict=True):
            if match[row] < 0 and not taken[column]:
                match[row], taken[column] = column, True
    return match


def _network_simplex(cost: Float[np.ndarray, "n n"]) -> Match:
    """POT's simplex without a cap that stops it early, and without tidying duals that are not used."""
    import ot

    n = len(cost)
    masses, unbounded = np.full(n, 1 / n), np.iinfo(np.int64).max
    plan = ot.emd(masses, masses, cost, numItermax=unbounded, center_dual=False, check_marginals=False)
    match = np.asarray(plan).argmax(axis=1).astype(np.int64)
    if len(np.unique(match)) < n:  # a vertex of the Birkhoff polytope is a permutation; rounding is not
        return linear_sum_assignment(cost)[1].astype(np.int64)
    return match


@dataclass(frozen=True)
class BatchEstimate:
    """An unbiased estimate from independent batches.

    Attributes:
        n: Batch size.
        values: (batches,) one a batch.

    Example:
        >>> found = BatchEstimate(8, np.array([1.0, 2.0, 3.0]))
        >>> float(found.mean), round(float(found.standard_error), 4)  # 1/√3
        (2.0, 0.5774)
    """

    n: int
    values: Float[np.ndarray, " batches"]

    @property
    def mean(self) -> float:
        """The estimate."""
        return float(self.values.mean())

    @property
    def standard_error(self) -> float:
        """Its standard error."""
        return float(self.values.std(ddof=1) / np.sqrt(len(self.values)))

    def interval(self, level: float) -> tuple[float, float]:
        """Student's interval over batches, missed with probability ``level``."""
        reach = float(student.isf(level / 2, len(self.values) - 1)) * self.standard_error
        return self.mean - reach, self.mean + reach


def estimate_cost(
    target: Potential,
    n: int,
    batches: int,
    rng: np.random.Generator | int,
    coupling: Coupling = assignment,
) -> BatchEstimate:
    """c_n = E|x₀ − x₁|² of a coupling of n noises with n data drawn apart.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> found = estimate_cost(FiniteAtoms.hypercube(1), 1, 1000, 0)  # x₁ = ±1 drawn apart from x₀: 1 + 1
        >>> bool(abs(found.mean - 2.0) < 5 * found.standard_error)
        True
    """
    return BatchEstimate(n, _values(target, n, batches, rng, coupling, _squared_distance))


def estimate_excess(
    target: Potential,
    n: int,
    batches: int,
    rng: np.random.Generator | int,
    coupling: Coupling = assignment,
) -> BatchEstimate:
    """c_n − W₂² = 2 E[φ(x₁) + φ*(x₀) − ⟨x₀,x₁⟩]: the Fenchel–Young gaps of the pairs, each nonnegative.

    The marginals of the plan are exact, so φ and φ* average to what the optimal plan gives them. Data are
    drawn as x₁ = T(x₀') from noise of their own, so that φ(x₁) = ⟨x₀',x₁⟩ − φ*(x₀').

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> found = estimate_excess(FiniteAtoms.hypercube(1), 1, 1000, 0)  # 2·E|x₀| = 2·√(2/π)
        >>> bool(abs(found.mean - 2 * np.sqrt(2 / np.pi)) < 5 * found.standard_error)
        True
    """

    def gaps(x0: Points, x1: Points, own: Points) -> Float[np.ndarray, " n"]:
        of_data = (own * x1).sum(axis=1) - target.conjugate(own)
        return 2 * (of_data + target.conjugate(x0) - (x0 * x1).sum(axis=1))

    return BatchEstimate(n, _values(target, n, batches, rng, coupling, gaps))


def estimate_loss(
    target: Potential,
    n: int,
    batches: int,
    rng: np.random.Generator | int,
    coupling: Coupling = assignment,
    *,
    t: float = 0.5,
) -> BatchEstimate:
    """E|ẋ_t − v_t(x_t)|² of the population's field v under the coupling's plan, linear schedule, t in (0,1).

    It is E|v^{(n)}_t − v_t|² plus the loss floor E Var(ẋ_t|x_t) of that plan, and at most
    (c_n − W₂²)/(2t(1−t)). With p = prox_{λφ}(x_t/t), λ = (1−t)/t, it is E|x₁ − p|²/(1−t)².

    Raises:
        ValueError: If t is not in (0,1).

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> signs = FiniteAtoms.hypercube(1)
        >>> loss, excess = estimate_loss(signs, 1, 1000, 0), estimate_excess(signs, 1, 1000, 0)
        >>> bool(0 < loss.mean < excess.mean / (2 * 0.5 * 0.5))
        True
    """
    if not 0 < t < 1:
        raise ValueError(f"t: got {t}; it must lie in (0, 1)")
    step = (1 - t) / t

    def losses(x0: Points, x1: Points, _: Points) -> Float[np.ndarray, " n"]:
        return _squared_distance(x1, target.prox(x1 + step * x0, step), _) / (1 - t) ** 2

    return BatchEstimate(n, _values(target, n, batches, rng, coupling, losses))


def _values(
    target: Potential,
    n: int,
    batches: int,
    rng: np.random.Generator | int,
    coupling: Coupling,
    price: Callable[[Points, Points, Points], Float[np.ndarray, " n"]],
) -> Float[np.ndarray, " batches"]:
    """The mean price of each batch: of x₀, the x₁ matched to it, and the noise that x₁ was drawn from."""
    positive_integer("n", n)
    positive_integer("batches", batches, least=2)
    rng = as_generator("rng", rng)
    noise = rng.standard_normal((batches * n, target.dim))
    own, data = target.sample(batches * n, rng)
    pairs = noise.reshape(batches, n, -1), data.reshape(batches, n, -1)
    if coupling is assignment:
        match = _assignments(*pairs)
    else:
        match = np.array([coupling(*batch) for batch in zip(*pairs, strict=True)])
    order = (match + np.arange(0, batches * n, n)[:, None]).ravel()
    return price(noise, data[order], own[order]).reshape(batches, n).mean(axis=1)


def _squared_distance(x0: Points, x1: Points, _: Points) -> Float[np.ndarray, " n"]:
    return ((x0 - x1) ** 2).sum(axis=1)


def _batch(x0: ArrayLike, x1: ArrayLike) -> tuple[Points, Points]:
    noise, data = as_array("x0", x0, ndim=2), as_array("x1", x1, ndim=2)
    if noise.shape != data.shape:
        raise ValueError(
            f"x1: got shape {data.shape} for noise of shape {noise.shape}; they must be equal"
            " (`numerics.transport.optimal_plan` couples unequal numbers)"
        )
    return noise, data
