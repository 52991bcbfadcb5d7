r"""Semidiscrete transport from noise for d ≥ 4: stochastic Newton on the semi-dual (docs/theory.md §4.3).

A pass draws fresh noise and finds the best and the second-best atom of every draw. Counting the best gives
the cell masses P̂. A draw whose two scores differ by less than ε votes for the wall between its two cells:
that estimates the Laplacian L of −∂P/∂g, ε being a share of the best atom's mean margin: the cells of one
cloud may be small and large. Search passes take steps of bounded length until the total variation on fresh
noise falls no more; a step that makes it half as bad again is taken back. Then
$g ← g + (k+1)^{-1} \bar L^{-1}(P̂ - w)$ at pass k, with $\bar L$ averaged over the passes, whose error after N
draws in all is that of the sample-average minimiser over N draws [@bercu2020efficient]. The masses are then
measured on held-out noise, with simultaneous Clopper–Pearson intervals.

**What error to expect.** To first order the masses err like frequencies of N = ¾·draws·n draws: a total
variation of $½Σ\sqrt{2w/(πN)}$, for uniform weights $0.46/\sqrt{\text{draws}}$, 0.0084 for the default
budget, whatever n and d. Where exact masses are known that is what is met: 200 clouds of 64 atoms of the
plane end at 0.99 ± 0.09 times it (1.3 at most), 36 clouds in space of 30 to 300 normal, exponential, Cauchy
or clumped atoms at 0.8 to 1.4 times. Atoms in pairs a hundredth of their distance from the others apart end
at 1 to 1.5 times it, a thousandth at 1 to 4 times. What a solution states, its intervals on held-out noise,
holds for all.

First-order ascent of the same function is in POT (`ot.semidiscrete`); benchmarks/sampled.py compares: for the
same CPU time it ends four times as far from the weights.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import beta

from numerics.accuracy import EPS
from numerics.transport.interruption import SolveInterrupted
from numerics.transport.newton import Progress
from numerics.transport.solution import SemidiscreteSolution
from numerics.transport.stochastic_newton import Passes, noise, starts

LEVEL = 1e-9
WORST_TOTAL_VARIATION = 0.1


@dataclass(frozen=True)
class Budget:
    """How much noise is drawn, in multiples of the number of atoms.

    Attributes:
        draws: For the passes: a sixtieth for each of the search, three quarters for all averaged ones.
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
        start: (n,), heights to go on from; the search ends when they are settled, after six passes or more.
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
    passes = Passes(centred, weights, budget.draws * len(weights), rng)
    passes.begin(starts(centred, weights) if start is None else [start])
    error = _iterate(passes, cap, progress)
    try:
        solution = _measure(points, centred, weights, passes, budget, rng)
    except KeyboardInterrupt:
        raise SolveInterrupted(passes.heights, error) from None
    if solution.total_variation_interval(LEVEL)[0] > WORST_TOTAL_VARIATION:
        raise RuntimeError(
            f"semidiscrete sampling: total variation of {solution.total_variation:.3g} after"
            f" {passes.count} passes; raise budget.draws"
        )
    return solution


def _iterate(passes: Passes, cap: int, progress: Progress | None) -> float:
    """All passes; the largest error of a weight before the last one's step."""
    error = 1.0
    while not passes.done:
        if passes.count == cap:
            raise RuntimeError(
                f"semidiscrete sampling: the cap of {cap} passes was met before the end; the largest error of"
                f" a weight on the last pass's noise is {error:.3g}; raise max_iterations"
            )
        try:
            excess = passes.step()
        except KeyboardInterrupt:
            raise SolveInterrupted(passes.heights, error) from None
        error = float(np.abs(excess).max())
        if progress is not None:
            progress(passes.count - 1, error, passes.length)
    return error


def _tallied(
    centred: Float[np.ndarray, "n k"], heights: Float[np.ndarray, " n"], draws: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """How often each atom is best of a draw; sums of ⟨x₀,y⟩ and of the best score, and their squares."""
    n = len(centred)
    counts, sums, squares = np.zeros(n), np.zeros(2), np.zeros(2)
    for x in noise(draws, centred, rng):
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
    passes: Passes,
    budget: Budget,
    rng: np.random.Generator,
) -> SemidiscreteSolution:
    """Masses and W₂² of the heights on held-out noise, in float64."""
    (n, d), heights = points.shape, passes.heights
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
        iterations=passes.count,
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
