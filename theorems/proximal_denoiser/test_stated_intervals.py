"""P1: intervals that solvers state are as wide as they must be, and no wider.

Assumed: nothing. Frequencies of N draws of a law are off in total variation by about √(2n/πN)/2 in the mean,
whatever is drawn: an interval without that misses the truth where n is of the order of N. What the exact
methods state is rounding.
"""

import numpy as np
import pytest
from scipy.stats import binom

from numerics.accuracy import Rounding
from numerics.transport.cells import laguerre
from numerics.transport.certify import certify
from numerics.transport.sampled import Budget, solve_sampled
from numerics.transport.semidiscrete import solve
from numerics.transport.solution import SemidiscreteSolution
from theorems.setting.draws import apart, generator

LEVEL = 1e-9
DRAWS = 4000
LEAST = 0.01


def _counted(truth, asked, rng):
    """A solution whose masses are frequencies of a law that is known."""
    n = len(truth)
    return SemidiscreteSolution(
        points=np.arange(n)[:, None] * 1.0,
        weights=asked,
        heights=np.zeros(n),
        masses=rng.multinomial(DRAWS, truth) / DRAWS,
        uncertainty=np.zeros(n),
        level=LEVEL,
        stalled=np.zeros(n, dtype=bool),
        w2_squared=0.0,
        w2_dual=0.0,
        w2_error=0.0,
        iterations=0,
        diagrams=0,
        draws=DRAWS,
        method="sampled",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("n", [4, 40, 400])
@pytest.mark.parametrize("moved", [0.0, 0.25])
def test_the_total_variation_lies_in_its_interval(evidence, rng, n, moved):
    """Half of the atoms have 1 + 2·moved times the mass asked for, the others so much less: TV = moved."""
    asked = np.full(n, 1 / n)
    truth = asked * np.where(np.arange(n) < n // 2, 1 + 2 * moved, 1 - 2 * moved)
    solution = _counted(truth, asked, rng)
    low, high = solution.total_variation_interval(LEVEL)
    on = evidence.on("a law on n atoms", n=n, moved=moved)
    on.statistical(
        "how far the true total variation lies outside the stated interval",
        max(low - moved, moved - high, 0.0),
        0.0,
        level=LEVEL,
        because="E‖P̂ − P‖₁ ≤ √(n/N), and a draw moves it by at most 2/N: McDiarmid",
        points=DRAWS,
    )
    mean, spread = np.sqrt(n / DRAWS), np.sqrt(2 * np.log(1 / LEVEL) / DRAWS)
    on.bounded(
        "width of the stated interval",
        high - low,
        Rounding(1.0, 16, "roots, sums and a difference"),
        because="no wider than what McDiarmid's inequality asks for, on both sides",
        main=mean + spread,
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("d", [1, 2, 3], ids=["line", "plane", "space"])
def test_what_exact_methods_state_is_rounding(evidence, d):
    rng = generator(5)
    for n in (4, 12):
        points, weights = rng.standard_normal((n, d)), rng.uniform(0.5, 1.5, n)
        solution = solve(points, weights / weights.sum())
        on = evidence.on("FiniteAtoms", n=n, d=d)
        on.estimated(
            "stated uncertainty of the masses",
            solution.uncertainty,
            1e-12,
            by="the masses themselves, which are at most 1",
            because="the solver meets weights to 1e−12, and cannot know that from masses known less well",
            chosen="the accuracy 1e−12 that the solver states",
        )
        size = d + float(solution.weights @ (points**2).sum(axis=1) + np.ptp(solution.heights))
        on.estimated(
            "stated uncertainty of W₂² over d + E|x₁|² and the heights",
            solution.w2_error / size,
            1e-11,
            by="the terms of W₂²",
            because="masses err by at most 1e−12 times |y|² − 2g, and the sums by rounding",
            chosen="ten times 1e−12",
        )


@pytest.mark.claim("P1")
def test_sampled_masses_lie_in_intervals_of_the_stated_level(evidence):
    """Clopper and Pearson for every atom: at the nearer end as few or as many are seen with level/2n.

    W₂² is stated within six standard errors of its estimates, and what the weights' errors move: both are
    formed again from noise that the solver has not seen.
    """
    rng, n, d = generator(9), 6, 4
    points = rng.standard_normal((n, d))
    solution = solve(points, rng.dirichlet(np.full(n, 2.0)), budget=Budget(400, 2000), seed=3)
    counts = np.round(solution.masses * solution.draws)
    few = binom.logcdf(counts, solution.draws, solution.masses + solution.uncertainty)
    many = binom.logsf(counts - 1, solution.draws, solution.masses - solution.uncertainty)
    on = evidence.on("FiniteAtoms", n=n, d=d)
    on.estimated(
        "|log P(as few, or as many, at the wider end of an interval) − log(level/2n)|",
        np.abs(np.maximum(few, many) - np.log(solution.level / (2 * n))),
        1e-6,
        by="SciPy's binomial tails, relative 1e−9, and ends that are differences of doubles",
        because="Clopper and Pearson, n atoms, two sides each; half-widths are those of the wider side",
        chosen="a millionth",
    )
    _cost_is_stated(on, solution, rng)


def _cost_is_stated(on, solution, rng):
    """W₂² within six standard errors and what the weights' errors move, by noise of another sample."""
    draws, points = 20_000, solution.points
    d = points.shape[1]
    noise, centred = rng.standard_normal((draws, d)), points - solution.weights @ points
    score = noise @ centred.T - solution.heights
    best = score.argmax(axis=1)
    inner = (noise * centred[best]).sum(axis=1)
    spread = max(inner.std(), (inner - solution.heights[best]).std())
    slope = (points**2).sum(axis=1) - 2 * solution.heights
    moved = solution.error @ np.abs(slope - solution.weights @ slope)
    six = 12 * spread / np.sqrt(solution.draws)
    on.estimated(
        "|stated uncertainty of W₂² less what the weights' errors move, over six standard errors − 1|",
        abs((solution.w2_error - moved) / six - 1),
        0.1,
        by=f"the deviation of {draws} other draws, known to a hundredth",
        because="2⟨x₀, T(x₀)⟩ is averaged",
        chosen="a tenth, ten times what the deviation is known to",
        points=draws,
    )
    on.estimated(
        "|W₂² by the plan − W₂² by the dual|, both by sampling, over twice the stated uncertainty",
        abs(solution.w2_squared - solution.w2_dual) / (2 * solution.w2_error),
        1.0,
        by="six standard errors of each",
        because="strong duality; each lies within its uncertainty of W₂²",
        points=solution.draws,
    )


@pytest.mark.claim("P1")
def test_what_a_budget_promises_beforehand_is_met(evidence, rng):
    """Of 64 atoms of the plane, whose masses are exact: the error of frequencies of ¾ of the draws."""
    n, budget = 64, Budget(1000, 100)
    points, left_out = apart(n, 2, LEAST, rng)
    weights = rng.dirichlet(np.full(n, 8.0))
    found = solve_sampled(points, weights, budget=budget, cap=200, progress=None, rng=rng)
    missed = np.abs(laguerre(points, found.heights).masses - weights).sum() / 2
    evidence.on("FiniteAtoms", n=n).estimated(
        "total variation between exact masses and weights over ½Σ√(2w/πN)",
        missed / (np.sqrt(2 * weights / (np.pi * 3 / 4 * budget.draws * n)).sum() / 2),
        2.0,
        by="the iteration's remainder: only to first order is its error that of N draws' frequencies",
        because="the averaged passes end where the minimiser over their N = ¾·draws·n draws is",
        chosen=f"twice that; points nearer than {LEAST} to another are drawn again",
        points=3 * budget.draws * n // 4,
        left_out=left_out,
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("moved", [1e-9, 1e-3])
def test_weights_off_to_either_side_are_told_by_the_enclosures(evidence, moved):
    """The bound is of the farther end: of two weights that are off, one above and one below their mass."""
    rng = generator(11)
    points, weights = rng.standard_normal((7, 2)), rng.dirichlet(np.full(7, 4.0))
    solution = solve(points, weights)
    off = moved * np.array([1.0, -1.0, 0.0, 0.0, 0.0, 1.0, -1.0])
    found = certify(points, solution.heights).error_bound(solution.weights + off)
    evidence.on("FiniteAtoms", n=7, moved=moved).bounded(
        "|proved bound of |mass − weight| − by how much the weight was moved|",
        np.abs(found - np.abs(off)),
        Rounding(1.0, 64, "the solver's goal of 8·eps, and enclosures of an ulp"),
        because="the masses are the weights to 1e−12",
        main=1e-12,
    )
