"""How far a sampled cost may be off: an exact method knows better, and ± e in four dimensions is known."""

import numpy as np

from numerics.transport.sampled import Budget
from numerics.transport.semidiscrete import solve
from theorems.setting.induced_cost import cost_reach, largest_slope


def test_exact_methods_are_off_by_what_they_state():
    solution = solve([[0.0, 0.0], [2.0, 1.0], [0.0, 3.0]])
    assert cost_reach(solution, 1e-9) == solution.w2_error < 1e-12


def test_the_slope_is_of_the_farthest_atom_from_the_mean():
    solution = solve([[0.0], [4.0]], [0.25, 0.75])
    assert np.isclose(largest_slope(solution), 3.0)


def test_a_sampled_cost_is_within_its_reach():
    """Corners of a cross-polytope: W₂² = d + 1 − 2E max|x_i|, the reach falls as the root of the draws."""
    points = np.concatenate([np.eye(4), -np.eye(4)])
    maximum = np.abs(np.random.default_rng(0).standard_normal((400_000, 4))).max(axis=1).mean()
    found = [solve(points, budget=Budget(200, held_out)) for held_out in (500, 8000)]
    reach = [cost_reach(solution, 1e-3) for solution in found]
    for solution, allowed in zip(found, reach, strict=True):
        assert abs(solution.w2_squared - (5 - 2 * maximum)) < allowed + 0.02
    assert 3.0 < reach[0] / reach[1] < 5.0
    assert cost_reach(found[0], 1e-9) > reach[0]
