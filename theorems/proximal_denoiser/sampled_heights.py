"""Heights found by sampling, judged on noise that the solver has not seen (P1, d ≥ 4)."""

from typing import Any, NamedTuple

import numpy as np

from numerics.accuracy import Rounding
from numerics.transport.sampled import Budget
from numerics.transport.solution import SemidiscreteSolution
from theorems.setting.induced_cost import largest_slope
from theorems.statistics import gaussian_lipschitz

LEVEL = 1e-9
_BLOCK = 2**19
"""Scores held at a time."""


class Fresh(NamedTuple):
    """What fresh noise says of heights.

    Attributes:
        draws: How much noise.
        frequencies: (n,), how often each atom is the best.
        conjugate: The mean of φ*(x₀) − ⟨x₀, m⟩, m the target's mean.
    """

    draws: int
    frequencies: np.ndarray
    conjugate: float


def on_fresh_noise(solution: SemidiscreteSolution, rng: np.random.Generator, draws: int) -> Fresh:
    """Frequencies and E φ* of the solution's heights on as many draws."""
    points = solution.points - solution.weights @ solution.points
    n, d = points.shape
    counts, total, size = np.zeros(n), 0.0, max(1, _BLOCK // n)
    for begin in range(0, draws, size):
        score = rng.standard_normal((min(size, draws - begin), d)) @ points.T - solution.heights
        best = score.argmax(axis=1)
        counts += np.bincount(best, minlength=n)
        total += float(score[np.arange(len(score)), best].sum())
    return Fresh(draws, counts / draws, total / draws)


def noise_of_frequencies(n: int, draws: int) -> float:
    """Total variation of frequencies from n masses, exceeded with probability `LEVEL` (McDiarmid)."""
    return float(np.sqrt(n / draws) + np.sqrt(2 * np.log(1 / LEVEL) / draws)) / 2


def measure_weights(on: Any, solution: SemidiscreteSolution, fresh: Fresh, budget: Budget) -> None:
    """Total variation between frequencies and weights: within what the solver states, and what it promised.

    What it states rests on its held-out noise, and is a theorem about whatever heights it found. What the
    budget promises beforehand is asymptotic, so no level goes with it.
    """
    n, of_fresh = len(solution.weights), noise_of_frequencies(len(solution.weights), fresh.draws)
    found = np.abs(fresh.frequencies - solution.weights).sum() / 2
    on.statistical(
        "total variation between frequencies on fresh noise and the weights asked for",
        found,
        threshold=solution.total_variation_interval(LEVEL)[1] + of_fresh,
        level=2 * LEVEL,
        because="the solver's interval, from the N draws that it held out, and the fresh draws' own:"
        " (√(n/N) + √(2 log(1/level)/N))/2 each, by McDiarmid",
        points=fresh.draws,
    )
    averaged = 3 * budget.draws * n // 4
    on.estimated(
        "the same total variation, against what the budget promises beforehand",
        found,
        2 * noise_of_frequencies(n, averaged) + of_fresh,
        by="the iteration's remainder: only to first order is its error that of N draws' frequencies",
        chosen="twice that error",
        because="twice the error of the sample average's minimiser over the N draws of the averaged passes,"
        " and the fresh draws' own. Nothing that the solver measured enters",
        points=fresh.draws,
    )


def measure_duality(on: Any, solution: SemidiscreteSolution, fresh: Fresh) -> None:
    """W₂² as the cost of the plan against the dual, whose E φ*(x₀) is a mean over fresh noise.

    For the masses that were found the plan's cost is the dual with E φ* over the noise held out: two means of
    one Lipschitz function. What the solver states of both for the weights asked for is six standard errors.
    """
    weights, slope = solution.weights, largest_slope(solution)
    sampling = 2 * gaussian_lipschitz(fresh.draws, slope, LEVEL)
    held_out = 2 * gaussian_lipschitz(solution.draws, slope, LEVEL) if solution.draws else 0.0
    masses = solution.masses if solution.draws else weights
    rounding = float(_rounding(solution, fresh).bound)
    on.statistical(
        "|W₂² by the plan − W₂² by the dual|",
        abs(solution.w2_squared - _dual(solution, fresh, masses)),
        threshold=sampling + (held_out + rounding if solution.draws else solution.w2_error),
        level=(2 if solution.draws else 1) * LEVEL,
        because="φ* less ⟨x₀, mean⟩ is Lipschitz: Gaussian concentration of its means over fresh noise and"
        " over what the solver held out, if it sampled; rounding",
        points=fresh.draws,
    )
    if solution.draws:
        on.estimated(
            "|W₂² by the plan − W₂² by the dual for the weights asked for| against the solver's statement",
            abs(solution.w2_squared - _dual(solution, fresh, weights)),
            sampling + solution.w2_error,
            by="the standard error of the solver's held-out noise",
            because="Gaussian concentration for the fresh noise; what the weights miss; six standard errors"
            " of two means: asymptotic",
            chosen="six standard errors",
            points=fresh.draws,
        )


def _rounding(solution: SemidiscreteSolution, fresh: Fresh) -> Rounding:
    """Of the plan's cost and the dual: sums over draws in any order of scores, and over atoms.

    The terms' absolute values sum to the size or less: E|x₀| ≤ √d. Each passes 2d + 20 roundings and those
    of its sums.
    """
    n, d = solution.points.shape
    of_atoms = (solution.points**2).sum(axis=1) + 2 * np.abs(solution.heights)
    size = d + of_atoms.max() + 2 * (largest_slope(solution) * np.sqrt(d) + np.abs(solution.heights).max())
    count = fresh.draws + solution.draws + 2 * (n + 2 * d + 20)
    return Rounding(size, count, "scores, and their sums over draws and atoms")


def _dual(solution: SemidiscreteSolution, fresh: Fresh, masses: np.ndarray) -> float:
    """The dual d + Σm|y|² − 2(E φ* + Σmg), E φ* over fresh noise."""
    of_atoms = masses @ ((solution.points**2).sum(axis=1) - 2 * solution.heights)
    return float(solution.points.shape[1] + of_atoms - 2 * fresh.conjugate)
