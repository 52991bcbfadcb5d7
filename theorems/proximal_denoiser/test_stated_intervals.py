"""P1: intervals that solvers state are as wide as they must be, and no wider.

Assumed: nothing. Frequencies of N draws of a law are off in total variation by about √(2n/πN)/2 in the mean,
whatever is drawn: an interval without that misses the truth where n is of the order of N. What the exact
methods state is rounding.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.transport.semidiscrete import solve
from numerics.transport.solution import SemidiscreteSolution
from theorems.setting.draws import generator

LEVEL = 1e-9
DRAWS = 4000


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
        w2_uncertainty=0.0,
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
            solution.w2_uncertainty / size,
            1e-11,
            by="the terms of W₂²",
            because="masses err by at most 1e−12 times |y|² − 2g, and the sums by rounding",
            chosen="ten times 1e−12",
        )
