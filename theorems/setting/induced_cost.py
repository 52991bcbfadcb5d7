"""How well W₂² is known of a law that heights induce, as a theorem where its solver sampled (P1, P6, M8).

With the heights g fixed, noise that was held out is independent of them, and `w2_squared` is the mean of
d + (|y|² − 2g_y) − 2φ*(x₀), y the best atom of x₀, as ⟨x₀, y⟩ = φ*(x₀) + g_y: a value of the atom, and a
Lipschitz function of the noise. The six standard errors of `w2_error` have no level.
"""

import numpy as np

from numerics.transport.solution import SemidiscreteSolution
from theorems.setting.vectors import norm
from theorems.statistics import gaussian_lipschitz, hoeffding


def largest_slope(solution: SemidiscreteSolution) -> float:
    """The Lipschitz constant of φ* less ⟨x₀, m⟩, m the mean of the data as they are weighted."""
    return float(norm(solution.points - solution.weights @ solution.points).max())


def cost_reach(solution: SemidiscreteSolution, level: float) -> float:
    """How far `w2_squared` may be from the cost of sending noise to its best atoms, but for this probability.

    Of exact methods: what they state, rounding and what the weights miss, and no probability.
    """
    if not solution.draws:
        return solution.w2_error
    values = (solution.points**2).sum(axis=1) - 2 * solution.heights
    of_atoms = hoeffding(solution.draws, float(np.ptp(values)), level / 2)
    return of_atoms + 2 * gaussian_lipschitz(solution.draws, largest_slope(solution), level / 2)
