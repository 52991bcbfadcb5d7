"""What costs, fields and odds of batches state they err by is of the size that rounding makes unavoidable.

Assumed: dimension 1 for costs, two atoms for fields. A cost is a sum of numbers of the size of c_n + W₂², so
one rounding of these cannot be avoided; slopes of fields and odds are read off their values. That a statement
is large enough is what the checks of M2, M5, M6 and N2 ask.
"""

import numpy as np
import pytest
from scipy import stats

from numerics.accuracy import EPS, Rounding
from numerics.potentials import AtomAndDensity
from numerics.schedules import Linear, Trigonometric
from numerics.transport.minibatch import expected_cost
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.minibatch_convergence.test_cost import LAWS
from theorems.setting.draws import generator
from theorems.setting.statements import HELD, WIDE, by_draws, over, unavoidable

SIZES = (1, 16, 256, 4096)
MOST = 256
"""Beyond, the statement of odds, (n−1)(|z|+1) for their slope, exceeds the slopes that occur."""
CASES = ((Linear(), 0.5), (Trigonometric(), 0.9))
N = 60
COST = {
    "by": "the sizes of what is added",
    "because": "eps·(c_n + W₂²) is what one rounding of each makes",
    "chosen": "a thousand times that",
}


MORE = {"two atoms and a density": AtomAndDensity([-1.5, 0.75], [0.25, 0.125], stats.norm(1))}
"""An atom at 0 or 2 would not tell y² from 2y, or from nothing."""
COSTS = LAWS | MORE


@pytest.mark.claim("M2", "M5")
@pytest.mark.parametrize("name", COSTS)
def test_statements_of_costs_are_no_larger_than_rounding(evidence, name):
    for n in SIZES[:3]:
        found = expected_cost(COSTS[name], n)
        made, on = EPS * (found.cost + found.optimal), evidence.on(COSTS[name], n=n)
        for what, stated in (
            ("c_n − W₂²", found.error),
            ("W₂²", found.optimal_error),
            ("c_n", found.cost_error),
        ):
            on.estimated(f"statement of {what} over what rounding makes", stated / made, WIDE, **COST)


def _plan(n, schedule, t):
    """Two atoms in the plane and N places x_t, drawn apart."""
    law = TwoAtomLaw([[0.0, 1.0], [2.0, 0.0]], 0.3, n, schedule)
    rng, (alpha, beta) = generator(5), (float(f(t)) for f in (schedule.alpha, schedule.beta))
    return law, alpha * rng.standard_normal((N, 2)) + beta * law.points[rng.integers(0, 2, N)]


@pytest.mark.claim("M6", "N2")
@pytest.mark.parametrize(("schedule", "t"), CASES)
def test_statements_of_two_atoms_are_no_larger_than_rounding(evidence, schedule, t):
    """Sums over windows of √n outcomes lose of the order of √n roundings: as many are not to be avoided."""
    for n in (None, *SIZES):
        law, x = _plan(n, schedule, t)
        on, least = evidence.on(law.points.tolist(), n=n, schedule=schedule, t=t), 1 + np.sqrt(n or 0)
        size = unavoidable(lambda y, f=law.velocity: f(t, y), x, generator(1))
        found = over(law.velocity_rounding(t, x), size)
        on.estimated("statement of v over what rounding makes", found, WIDE, by=by_draws(N), **HELD)
        if n is None or n > MOST:
            continue
        size = unavoidable(lambda y, f=law.log_odds: f(t, y), x, generator(1), least)
        found = over(law.log_odds_rounding(t, x), size)
        on.estimated(
            "statement of the log-odds over what rounding makes", found, WIDE, by=by_draws(N), **HELD
        )


@pytest.mark.control("M2", "M5", "M6", "N2")
@pytest.mark.parametrize("factor", [1e6, 3e4])
def test_a_statement_of_a_batch_that_is_too_large_is_told(evidence, factor):
    law, x = _plan(16, Linear(), 0.5)
    size = unavoidable(lambda y: law.log_odds(0.5, y), x, generator(1), 5.0)
    stated = law.log_odds_rounding(0.5, x)
    wrong = over(Rounding(stated.size * factor, stated.count, "multiplied"), size)
    evidence.on(law.points.tolist(), n=16, factor=factor).control(
        "a statement of the log-odds multiplied, over what rounding makes: beyond a thousand",
        predicted=factor * over(stated, size),
        measured=wrong,
        agreement=1e-9 * wrong,
        because="a statement is linear in its size",
        intact=WIDE,
    )
