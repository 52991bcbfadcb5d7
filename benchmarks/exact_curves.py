"""Do exact curves of the batch size up to a million take less than a minute?"""

import time

import numpy as np
from scipy import stats

from benchmarks.recording import Table, verdict
from numerics.potentials import AtomAndDensity, Cantor, FiniteAtoms, Quantile
from numerics.transport.minibatch import assignment_probability, expected_cost
from numerics.transport.two_atoms import TwoAtomLaw

SIZES = tuple(10**k for k in range(7))
LAWS = (
    Quantile(stats.norm()),
    Quantile(stats.poisson(2)),
    FiniteAtoms.two([0.0], [2.0], 0.3),
    AtomAndDensity([0.0], [0.375], stats.norm(1)),
    Cantor(),
)


def run() -> Table:
    columns = ("curve, n = 1, 10, … 10⁶", "seconds", "n·value at 10⁶", "stated error", "goal")
    table = Table("exact_curves", str(__doc__), columns)
    for law in LAWS:
        seconds, last = _timed(lambda n, law=law: expected_cost(law, n))
        goal = verdict(seconds, 60, at_least=False)
        table.rows.append((f"c_n − W₂² of {law!r}", seconds, 1e6 * last.excess, 1e6 * last.error, goal))
    seconds, _ = _timed(lambda n: assignment_probability(np.linspace(0, 1, 1001), 0.3, n))
    table.rows.append(("G_n(u, 0.3) at 1001 u", seconds, "", "", verdict(seconds, 60, at_least=False)))
    seconds, found = _timed(_constants)
    goal = verdict(seconds, 60, at_least=False)
    table.rows.append(
        ("M6's three quantities, w = 0.3, Δ = 2", seconds, 1e6 * found.value, 1e6 * found.error, goal)
    )
    return table


def _constants(n):
    law = TwoAtomLaw([[0.0], [2.0]], 0.3, n)
    law.misassigned_mass(), law.plan_distance()
    return law.cost_excess()


def _timed(work):
    """Seconds for all sizes, and the last result."""
    start = time.perf_counter()
    results = [work(n) for n in SIZES]
    return time.perf_counter() - start, results[-1]
