"""The solver in space on hostile clouds: accuracy, certificates, duality, and what must be rejected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from numerics.transport import newton, polyhedra
from numerics.transport.certify_space import certify
from numerics.transport.polyhedra import laguerre
from numerics.transport.semidiscrete import solve
from tests.numerics.transport.clouds import spread_weights
from tests.numerics.transport.space_clouds import KINDS, cloud, grid, hostile, sphere, turn

SEEDS = st.integers(0, 2**32 - 1)


def allowed(solution):
    """The promised error: max(1e−12·w, evaluation), or rounding of the heights where an atom is stalled."""
    diagram = laguerre(solution.points, solution.heights)
    promised = np.maximum(1e-12 * solution.weights, diagram.evaluation)
    return np.where(solution.stalled, 16 * diagram.rounding, promised)


def solved(points, weights):
    solution = solve(points, weights)
    assert solution.method == "space"
    assert (solution.error <= allowed(solution)).all()
    assert abs(solution.w2_squared - solution.w2_dual) <= solution.w2_error
    return solution


@settings(max_examples=12, deadline=None)
@given(hostile())
def test_hostile_clouds_are_solved_to_rounding(case):
    _, points, weights = case
    solved(points, weights)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_certified(kind):
    rng = np.random.default_rng(11)
    points = cloud(kind, 7, rng)
    weights = spread_weights(len(points), 8.0 * (KINDS.index(kind) % 2), rng)
    solution = solved(points, weights)
    proved = certify(points, solution.heights).error_bound(solution.weights)
    assert (proved <= allowed(solution) + solution.uncertainty).all()
    if not solution.stalled.any():
        assert proved.max() <= 1e-12


def test_twelve_atoms_are_certified_within_1e_minus_14():
    points = np.random.default_rng(0).normal(size=(12, 3))
    solution = solve(points)
    assert certify(points, solution.heights).error_bound(solution.weights).max() <= 1e-14


@pytest.mark.parametrize(("n", "error"), [(100, 1e-14), (1000, 1e-14), (3000, 1e-14)])
def test_normal_clouds_take_at_most_eight_steps_and_few_rejected_diagrams(n, error):
    solution = solve(np.random.default_rng(3).normal(size=(n, 3)))
    assert solution.error.max() <= error
    assert solution.iterations <= 8
    assert solution.diagrams <= 2 * solution.iterations + 1


def product():
    """Atoms of a product of three laws on the line: points, weights, heights, correlation E⟨x₀,x₁⟩."""
    places = [np.array([-1.0, 0.5, 2.0]), np.array([-1.0, 1.0]), np.array([0.0, 1.0])]
    weights = [np.array([0.2, 0.5, 0.3]), np.array([0.4, 0.6]), np.array([0.5, 0.5])]
    cuts = [norm.ppf(np.cumsum(w)[:-1]) for w in weights]
    heights = [
        np.concatenate([[0.0], np.cumsum(cut * np.diff(t))]) for cut, t in zip(cuts, places, strict=True)
    ]
    points = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, 3)
    mass = weights[0][:, None, None] * weights[1][:, None] * weights[2]
    total = heights[0][:, None, None] + heights[1][:, None] + heights[2]
    correlation = sum(norm.pdf(cut) @ np.diff(t) for cut, t in zip(cuts, places, strict=True))
    return points, mass.ravel(), total.ravel(), correlation


@pytest.mark.parametrize("seed", [None, 0, 1])
def test_products_have_the_closed_form(seed):
    points, weights, heights, correlation = product()
    points = points if seed is None else points @ turn(np.random.default_rng(seed)).T
    solution = solved(points, weights)
    difference = solution.heights - heights
    assert np.ptp(difference) <= 1e-12
    cost = 3 + weights @ (points**2).sum(axis=1) - 2 * correlation
    assert solution.w2_squared == pytest.approx(cost, abs=1e-13)
    assert solution.w2_dual == pytest.approx(cost, abs=1e-13)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_the_solution_minimises_the_semi_dual(seed):
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(size=(10, 3)), spread_weights(10, 1.0, rng)
    solution = solve(points, weights)

    def dual(heights):
        diagram = laguerre(points, heights)
        return (diagram.first_moments * points).sum() + (weights - diagram.masses) @ heights

    best = dual(solution.heights)
    for _ in range(5):
        assert dual(solution.heights + rng.normal(size=10)) >= best - 1e-13


@pytest.mark.parametrize("d", [4, 6])
def test_atoms_in_a_space_inside_a_larger_one_are_solved_exactly(d):
    rng = np.random.default_rng(d)
    inside = rng.normal(size=(20, 3))
    axes = np.linalg.qr(rng.normal(size=(d, 3)))[0]
    there, here = solve(inside @ axes.T + 1.0), solve(inside)
    assert there.method == here.method == "space"
    assert np.ptp(there.heights - here.heights) <= 1e-11  # the projection's rounding times the noise
    assert (there.error <= 1e-13).all()
    assert (there.uncertainty > 1.5 * here.uncertainty).all()


@pytest.mark.parametrize("side", [2, 3, 4])
def test_turned_grids_are_solved_beyond_doubt(side):
    points = grid(side**3) @ turn(np.random.default_rng(side)).T
    solution = solved(points, None)
    if side < 3:
        assert certify(points, solution.heights).error_bound(solution.weights).max() < 1e-13
    straight = solve(grid(side**3))
    assert np.ptp(solution.heights - straight.heights) <= 1e-12


def test_a_mass_of_1e_minus_12_is_met_to_rounding():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [2, 2, 2]])
    solution = solved(points, [0.4, 0.2, 0.2, 0.2 - 1e-12, 1e-12])
    assert abs(solution.masses[4] - 1e-12) <= 32 * np.finfo(float).eps


def test_cospherical_atoms_of_many_coplanar_quadruples():
    solved(sphere(200, 3.0 * np.arange(200)), None)


def test_frequencies_of_noise_agree_within_five_deviations():
    rng = np.random.default_rng(0)
    points, weights = rng.exponential(size=(40, 3)), spread_weights(40, 1.0, rng)
    solution = solve(points, weights)
    draws = 400_000
    best = (rng.normal(size=(draws, 3)) @ points.T - solution.heights).argmax(axis=1)
    found = np.bincount(best, minlength=40) / draws
    assert (np.abs(found - weights) <= 5 * np.sqrt(weights * (1 - weights) / draws)).all()


# --- power ------------------------------------------------------------------------------------


def test_certificates_reject_heights_that_are_slightly_wrong():
    points = np.random.default_rng(0).normal(size=(10, 3))
    solution = solve(points)
    wrong = solution.heights.copy()
    wrong[3] += 1e-11
    assert certify(points, wrong).error_bound(solution.weights).max() > 1e-12
    assert certify(points, -solution.heights).error_bound(solution.weights).max() > 1e-2


def solve_ten_clouds():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        solved(rng.normal(size=(30, 3)), spread_weights(30, 2.0, rng))


def test_a_lax_goal_is_noticed(monkeypatch):
    monkeypatch.setattr(newton, "goal", lambda weights: np.full_like(weights, 1e-9))
    with pytest.raises(AssertionError):
        solve_ten_clouds()


def test_a_wrong_hessian_is_noticed(monkeypatch):
    right = polyhedra.SpaceDiagram.flux
    monkeypatch.setattr(polyhedra.SpaceDiagram, "flux", property(lambda self: 2 * right.fget(self)))
    points = np.random.default_rng(0).normal(size=(200, 3))
    with pytest.raises((AssertionError, RuntimeError)):
        assert solved(points, None).iterations <= 8


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "heights", "message"),
    [
        (np.random.default_rng(0).normal(size=(26, 3)), np.zeros(26), "got 26 atoms; .* at most 25"),
        (np.vstack([np.zeros(3), np.eye(3)]), [0, 0], "heights: got 2 for 4"),
        (np.vstack([np.zeros(3), np.eye(3), np.zeros(3)]), np.zeros(5), "atoms 0 and 4 coincide"),
        (np.eye(3), np.zeros(3), "points: all atoms lie in one plane"),
        ([[0, 0]], [0], "points: got shape"),
        ([[0, 0, np.nan]], [0], "points: entry"),
    ],
)
def test_bad_input_of_certificates_is_named(points, heights, message):
    with pytest.raises(ValueError, match=message):
        certify(points, heights)
