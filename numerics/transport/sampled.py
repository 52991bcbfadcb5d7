r"""Semidiscrete transport from noise for d ≥ 4: stochastic Newton on the semi-dual (docs/theory.md §4.3).

A pass draws fresh noise and finds the best and the second-best atom of every draw. Counting the best gives
the cell masses P̂. A draw whose two scores differ by less than ε votes for the wall between its two cells:
that estimates the Laplacian L of −∂P/∂g. After some search passes with steps of fixed length,
$g ← g + k^{-1} \bar L^{-1}(P̂ - w)$ at pass k, with $\bar L$ averaged over the passes, whose error after N
draws in all is that of the sample-average minimiser over N draws [@bercu2020efficient]. The masses
are then measured on held-out noise, with simultaneous Clopper–Pearson intervals.

**What error to expect.** To first order the masses err like frequencies of N = ¾·draws·n draws: a total
variation of $½Σ\sqrt{2w/(πN)}$, for uniform weights $0.46/\sqrt{\text{draws}}$, 0.0084 for the default
budget, whatever n and d. In three dimensions, where exact masses are known, clouds of 30 to 300 normal atoms
end at 0.9 to 1.3 times that. Where a cloud is dense in places the iteration has not come so far: 300
exponential atoms end at 4.4 times it (0.037), three times as many draws having taken off a tenth. What a
solution states, its intervals on held-out noise, holds for both.

First-order ascent of the same function is in POT (`ot.semidiscrete`); benchmarks/sampled.py compares: for the
same CPU time it ends four times as far from the weights.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg
from scipy.stats import beta

from numerics.accuracy import EPS
from numerics.transport.interruption import SolveInterrupted
from numerics.transport.newton import Progress
from numerics.transport.solution import SemidiscreteSolution
from numerics.transport.starts import marginal_potential

LEVEL = 1e-9
SEARCH_PASSES, AVERAGED_PASSES = 15, 25
WORST_TOTAL_VARIATION = 0.1
_BLOCK = 2**18
"""Scores held at a time: few enough to stay in the cache, which makes sampling four times as fast."""


@dataclass(frozen=True)
class Budget:
    """How much noise is drawn, in multiples of the number of atoms.

    Attributes:
        draws: For the passes: a quarter of it for the search, the rest for the averaged passes.
        held_out: For the measurement of the masses.

    Raises:
        ValueError: If one is below 100.

    Example:
        >>> Budget(draws=400)  # with 10 atoms: 4000 noises for the passes, 10000 held out
        Budget(draws=400, held_out=1000)
    """

    draws: int = 3000
    held_out: int = 1000

    @classmethod
    def suited(cls, atoms: int) -> "Budget":
        """The default up to 2000 atoms; from there on fewer draws an atom, so that time grows like n, not n².

        Scores are n a draw. 5000 atoms get 1200 and 400 draws each: a total variation of about 0.013.
        """
        share = min(1.0, 2000 / atoms)
        return cls(max(500, int(cls.draws * share)), max(200, int(cls.held_out * share)))

    def __post_init__(self) -> None:
        for name in ("draws", "held_out"):
            if getattr(self, name) < 100:
                raise ValueError(f"budget.{name}: got {getattr(self, name)}; give at least 100 draws an atom")


def solve_sampled(
    points: Float[np.ndarray, "n d"],
    weights: Float[np.ndarray, " n"],
    inside: Float[np.ndarray, "n k"] | None = None,
    start: Float[np.ndarray, " n"] | None = None,
    *,
    budget: Budget,
    cap: int,
    progress: Progress | None,
    rng: np.random.Generator,
) -> SemidiscreteSolution:
    """Heights by stochastic Newton, masses on held-out noise.

    Scores differ only by what the noise is in the space that the atoms span: there it is normal, too, and
    only there it is drawn.

    Args:
        points: (n,d), the atoms.
        weights: (n,).
        inside: (n,k), their coordinates in the space they span; themselves where None.
        start: (n,), heights to go on from: of the search all but one pass is left out.
        budget: How much noise is drawn.
        cap: On passes.
        progress: As in `semidiscrete.solve`.
        rng: Where the noise comes from.

    Raises:
        RuntimeError: If cap passes don't suffice, or the total variation between masses and weights is
            above 0.1 beyond doubt; the message names what was reached.
        SolveInterrupted: On Ctrl-C, with the heights after the last pass.
    """
    spanned = points if inside is None else inside
    centred = spanned - weights @ spanned
    heights, draws_left = _start(centred, weights), SEARCH_PASSES + AVERAGED_PASSES
    if start is not None:
        heights = start - np.median(start)
    passes, error = _Passes(centred, weights, heights, budget, rng), 1.0
    for k in range(0 if start is None else SEARCH_PASSES - 1, draws_left):
        try:
            excess = passes.step(k)
        except KeyboardInterrupt:
            raise SolveInterrupted(passes.heights, error) from None
        error = float(np.abs(excess).max())
        if progress is not None:
            progress(k, error, passes.length)
        if k + 1 == cap < draws_left:
            raise RuntimeError(
                f"semidiscrete sampling: the cap of {cap} passes was met before {draws_left}; total variation"
                f" on the last pass's noise is {np.abs(excess).sum() / 2:.3g}; raise max_iterations"
            )
    try:
        solution = _measure(points, centred, weights, passes.heights, budget, rng)
    except KeyboardInterrupt:
        raise SolveInterrupted(passes.heights, error) from None
    if solution.total_variation_interval(LEVEL)[0] > WORST_TOTAL_VARIATION:
        raise RuntimeError(
            f"semidiscrete sampling: total variation of {solution.total_variation:.3g} after {draws_left}"
            " passes; raise budget.draws"
        )
    return solution


def _start(centred: Float[np.ndarray, "n d"], weights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Σ_k φ_k(⟨y, e_k⟩) over the principal axes, φ_k the potential of a marginal, as `starts.cartesian`."""
    _, axes = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    heights = np.zeros(len(weights))
    for axis in axes.T:
        heights += marginal_potential(centred @ axis, weights)
    return heights - np.median(heights)


class _Passes:
    """The state of the stochastic Newton iteration."""

    def __init__(
        self,
        centred: Float[np.ndarray, "n d"],
        weights: Float[np.ndarray, " n"],
        heights: Float[np.ndarray, " n"],
        budget: Budget,
        rng: np.random.Generator,
    ) -> None:
        n = len(weights)
        self.heights, self.length = heights, 0.0
        self._centred, self._weights, self._rng = centred.astype(np.float32), weights, rng
        self._search_draws = max(1, budget.draws * n // (4 * SEARCH_PASSES))
        self._averaged_draws = max(1, 3 * budget.draws * n // (4 * AVERAGED_PASSES))
        self._walls = csr_array((n, n))

    def step(self, k: int) -> Float[np.ndarray, " n"]:
        """One pass; returns P̂ − w before the step."""
        searching = k < SEARCH_PASSES
        draws = self._search_draws if searching else self._averaged_draws
        best, second, margin = _two_best(self._centred, self.heights.astype(np.float32), draws, self._rng)
        n = len(self._weights)
        masses = np.bincount(best, minlength=n) / draws
        averaged = k - SEARCH_PASSES + 1
        share = (0.5 if self._walls.nnz else 1.0) if searching else 1 / (averaged + 1)
        self._walls = (1 - share) * self._walls + share * _walls(best, second, margin, n)
        self.length = 0.7 if searching else 1 / averaged
        typical = float(np.median(margin))
        move = self._newton(masses - self._weights, typical)
        self.heights = self.heights + self.length * move
        self._rescue((masses == 0) & (draws * self._weights > 20), draws)
        return masses - self._weights

    def _rescue(self, lost: Bool[np.ndarray, " n"], draws: int) -> None:
        """Lower atoms that no draw met, though many were due: they have no walls to steer by.

        Each is lowered by its least distance from being best over as much noise again, which gives it the
        mass of about one draw.
        """
        if not lost.any():
            return
        nearest = np.full(int(lost.sum()), np.inf)
        heights = self.heights.astype(np.float32)
        for x in _noise(draws, self._centred, self._rng):
            score = x @ self._centred.T - heights
            nearest = np.minimum(nearest, (score.max(axis=1)[:, None] - score[:, lost]).min(axis=0))
        self.heights[lost] -= nearest

    def _newton(self, excess: Float[np.ndarray, " n"], typical: float) -> Float[np.ndarray, " n"]:
        """L̄⁻¹(P̂ − w), clipped to twice the typical margin; a ridge keeps atoms with few votes in place."""
        degree: np.ndarray = np.asarray(self._walls.sum(axis=0)).ravel()
        diagonal = 1.001 * np.maximum(degree, 0.2 * self._weights / typical)
        scaled = diags_array(1 / diagonal)
        move, _ = cg(diags_array(diagonal) - self._walls, excess, rtol=1e-4, maxiter=300, M=scaled)
        move -= np.median(move)
        return np.clip(move, -2 * typical, 2 * typical)


def _two_best(
    points: Float[np.ndarray, "n d"], heights: Float[np.ndarray, " n"], draws: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """For fresh noise: the atom of the highest score ⟨x₀, y⟩ − g, that of the second, and their margin."""
    parts = []
    for x in _noise(draws, points, rng):
        score = x @ points.T
        score -= heights
        rows = np.arange(len(x))
        best = score.argmax(axis=1)
        top = score[rows, best]
        score[rows, best] = -np.inf
        second = score.argmax(axis=1)
        parts.append((best, second, (top - score[rows, second]).astype(float)))
    best, second, margin = (np.concatenate(part) for part in zip(*parts, strict=True))
    return best, second, margin


def _noise(
    draws: int, points: Float[np.ndarray, "n d"], rng: np.random.Generator
) -> Iterator[Float[np.ndarray, "k d"]]:
    n, d = points.shape
    size = max(1, _BLOCK // n)
    for begin in range(0, draws, size):
        yield rng.standard_normal((min(size, draws - begin), d), dtype=points.dtype)


def _walls(
    best: Int[np.ndarray, " N"], second: Int[np.ndarray, " N"], margin: Float[np.ndarray, " N"], n: int
) -> csr_array:
    """(n,n), ∂P_i/∂g_j estimated, i ≠ j: the density at 0 of the margin of i over j, by the closest fifth."""
    width = max(float(np.quantile(margin, 0.2)), float(np.finfo(np.float32).tiny))
    close = margin <= width
    i, j = best[close], second[close]
    votes = csr_array((np.full(len(i), 1 / (2 * width * len(best))), (i, j)), shape=(n, n))
    return votes + votes.T


def _tallied(
    centred: Float[np.ndarray, "n k"], heights: Float[np.ndarray, " n"], draws: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """How often each atom is best of a draw; sums of ⟨x₀,y⟩ and of the best score, and their squares."""
    n = len(centred)
    counts, sums, squares = np.zeros(n), np.zeros(2), np.zeros(2)
    for x in _noise(draws, centred, rng):
        score = x @ centred.T
        score -= heights
        best = score.argmax(axis=1)
        counts += np.bincount(best, minlength=n)
        inner = (x * centred[best]).sum(axis=1)
        both = np.stack([inner, inner - heights[best]])
        sums += both.sum(axis=1)
        squares += (both**2).sum(axis=1)
    return counts, sums, squares


def _measure(
    points: Float[np.ndarray, "n d"],
    centred: Float[np.ndarray, "n k"],
    weights: Float[np.ndarray, " n"],
    heights: Float[np.ndarray, " n"],
    budget: Budget,
    rng: np.random.Generator,
) -> SemidiscreteSolution:
    """Masses and W₂² of the heights on held-out noise, in float64."""
    n, d = points.shape
    draws = budget.held_out * n
    counts, sums, squares = _tallied(centred, heights, draws, rng)
    means = sums / draws
    deviation = float(np.sqrt(np.maximum(squares / draws - means**2, 0.0).max() / draws))
    masses = counts / draws
    square = (points**2).sum(axis=1)
    slope = square - 2 * heights
    effect = float(np.abs(masses - weights) @ np.abs(slope - weights @ slope))
    return SemidiscreteSolution(
        points=points,
        weights=weights,
        heights=heights,
        masses=masses,
        uncertainty=_half_widths(counts, draws),
        level=LEVEL,
        stalled=np.zeros(n, dtype=bool),
        w2_squared=d + float(masses @ square) - 2 * float(means[0]),
        w2_dual=d + float(weights @ square) - 2 * float(means[1] + weights @ heights),
        w2_error=12 * deviation + effect + 16 * EPS * (d + float(weights @ square)),
        iterations=SEARCH_PASSES + AVERAGED_PASSES,
        diagrams=0,
        draws=draws,
        method="sampled",
    )


def _half_widths(counts: Float[np.ndarray, " n"], draws: int) -> Float[np.ndarray, " n"]:
    """Half-widths of Clopper–Pearson intervals about counts/draws, simultaneous over atoms at LEVEL."""
    tail = LEVEL / (2 * len(counts))
    estimate = counts / draws
    low = np.where(counts > 0, beta.ppf(tail, np.maximum(counts, 1), draws - counts + 1), 0.0)
    high = np.where(counts < draws, beta.isf(tail, counts + 1, np.maximum(draws - counts, 1)), 1.0)
    return np.maximum(estimate - low, high - estimate)
