"""The solver on hostile clouds: accuracy, certificates, duality, refusals, and what must be rejected."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri
from sklearn.datasets import make_moons

from numerics.accuracy import EPS
from numerics.transport import newton, semidiscrete
from numerics.transport.cells import laguerre
from numerics.transport.certify import certify
from numerics.transport.semidiscrete import solve
from tests.numerics.transport.clouds import KINDS, cloud, hostile, spread_weights

SEEDS = st.integers(0, 2**32 - 1)


def allowed(solution):
    """The promised error: max(1e−12·w, 8·eps), or rounding of the heights where an atom is stalled."""
    promised = np.maximum(1e-12 * solution.weights, 8 * EPS)
    rounding = 16 * laguerre(solution.points, solution.heights).rounding
    return np.where(solution.stalled, rounding, promised)


def solved(points, weights):
    solution = solve(points, weights)
    assert (solution.error <= allowed(solution)).all()
    assert abs(solution.w2_squared - solution.w2_dual) <= solution.w2_error
    return solution


@settings(max_examples=60, deadline=None)
@given(hostile())
def test_hostile_clouds_are_solved_to_rounding(case):
    _, points, weights = case
    solved(points, weights)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("decades", [0.0, 8.0])
def test_errors_are_certified(kind, decades):
    rng = np.random.default_rng(11)
    points = cloud(kind, 16, rng)
    weights = spread_weights(len(points), decades, rng)
    solution = solved(points, weights)
    proved = certify(points, solution.heights).error_bound(solution.weights)
    assert (proved <= allowed(solution) + solution.uncertainty).all()
    if kind in ("normal", "grid", "cocircular", "flat", "shifted", "small", "large"):
        assert proved.max() <= 1e-12


def test_fifty_atoms_are_certified_within_1e_minus_12():
    points = np.random.default_rng(0).normal(size=(50, 2))
    solution = solve(points)
    assert certify(points, solution.heights).error_bound(solution.weights).max() <= 1e-12


@pytest.mark.parametrize("n", [100, 1000])
def test_normal_clouds_take_at_most_eight_steps_and_few_rejected_diagrams(n):
    solution = solved(np.random.default_rng(3).normal(size=(n, 2)), None)
    assert solution.iterations <= 8
    assert solution.diagrams <= 2 * solution.iterations + 1


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_two_moons_take_at_most_fourteen_steps(noise):
    points = make_moons(1000, noise=noise, random_state=0)[0]
    assert solved(points, None).iterations <= 14


def test_ten_thousand_atoms_within_1e_minus_10():
    solution = solve(np.random.default_rng(4).normal(size=(10_000, 2)))
    assert solution.error.max() <= 1e-10


def test_a_mass_of_1e_minus_12_is_met_to_rounding():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    solution = solved(points, [0.5, 0.3, 0.2 - 1e-12, 1e-12])
    assert abs(solution.masses[3] - 1e-12) <= 8 * EPS


def test_a_near_pair_says_which_atoms_stopped_at_rounding():
    points = np.array([[0.0, 0.0], [1.0, 0.3], [1.0 + 1e-9, 0.3], [0.2, 1.0], [-1.0, -0.5]])
    solution = solved(points, None)
    assert set(np.flatnonzero(solution.stalled)) <= {1, 2}
    assert solution.error[[0, 3, 4]].max() <= 8 * EPS


def mean_conjugate_by_quadrature(points, heights):
    """E max(⟨x, y⟩ − g) in polar coordinates: kinks along rays are integrated by many nodes."""
    angle = 2 * np.pi * (np.arange(4000) + 0.5) / 4000
    nodes, weights = np.polynomial.legendre.leggauss(400)
    r, dr = 4.5 * (nodes + 1), 4.5 * weights
    total = 0.0
    for a in angle:
        score = r[:, None] * (points @ [np.cos(a), np.sin(a)])[None] - heights
        total += (score.max(axis=1) * r * np.exp(-(r**2) / 2)) @ dr / 4000
    return total


@pytest.mark.parametrize("seed", range(2))
def test_w2_agrees_with_quadrature_of_the_dual(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(8, 2), loc=[2.0, 0.0])
    weights = spread_weights(8, 1.0, rng)
    solution = solve(points, weights)
    mean = mean_conjugate_by_quadrature(points, solution.heights)
    w2 = 2 + weights @ (points**2).sum(axis=1) - 2 * (mean + weights @ solution.heights)
    assert abs(w2 - solution.w2_squared) <= 1e-5
    assert abs(w2 - solution.w2_dual) <= 1e-5


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_the_solution_minimises_the_semi_dual(seed):
    rng = np.random.default_rng(seed)
    points, weights = rng.normal(size=(10, 2)), spread_weights(10, 1.0, rng)
    solution = solve(points, weights)

    def dual(heights):
        diagram = laguerre(points, heights)
        inner = (diagram.first_moments * points).sum() - diagram.masses @ heights
        return inner + weights @ heights

    best = dual(solution.heights)
    for _ in range(5):
        assert dual(solution.heights + rng.normal(size=10)) >= best - 1e-13


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(1, 12), st.integers(1, 5))
def test_collinear_atoms_have_the_closed_form_in_any_dimension(seed, n, d):
    rng = np.random.default_rng(seed)
    places = np.sort(rng.normal(size=n))
    direction = rng.normal(size=d)
    direction /= np.linalg.norm(direction)
    weights = spread_weights(n, 6.0, rng)
    solution = solve(places[:, None] * direction + rng.normal(size=d), weights)
    assert solution.method == "collinear"
    cuts = np.diff(solution.heights) / np.diff(places)
    levels = np.cumsum(weights)[:-1]
    inner = (levels > 1e-3) & (levels < 1 - 1e-3)
    np.testing.assert_allclose(cuts[inner], ndtri(levels[inner]), atol=1e-7)
    # Two heights round at each end of a cell, by half an eps each, and a cut's density is at most 0.4.
    rounded = EPS * np.abs(solution.heights).max() / np.diff(places).min() if n > 1 else 0.0
    assert solution.error.max() <= 8 * EPS + rounded
    assert abs(solution.w2_squared - solution.w2_dual) <= solution.w2_error


def test_a_small_weight_at_the_upper_end_keeps_its_digits():
    tiny = 1e-14
    solution = solve([[0.0], [1.0], [2.0]], [0.5, 0.5 - tiny, tiny])
    assert solution.heights[2] - solution.heights[1] == pytest.approx(-ndtri(solution.weights[2]), rel=1e-12)
    assert solution.masses[2] == pytest.approx(tiny, rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_atoms(n):
    points = np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 5.0]])[:n]
    solution = solved(points, None)
    assert certify(points, solution.heights).error_bound(solution.weights).max() <= 8 * EPS
    assert solution.potential.dim == 2


def test_one_atom_costs_its_square_and_the_dimension():
    assert solve([[3.0, 4.0]]).w2_squared == pytest.approx(27.0, abs=1e-13)


@pytest.mark.parametrize("d", [3, 5])
def test_atoms_in_a_plane_of_a_larger_space_are_solved_exactly(d):
    rng = np.random.default_rng(d)
    plane = rng.normal(size=(20, 2))
    axes = np.linalg.qr(rng.normal(size=(d, 2)))[0]
    there = solve(plane @ axes.T + 1.0)
    here = solve(plane)
    assert there.method == "newton"
    difference = there.heights - here.heights
    assert np.abs(difference - difference.mean()).max() <= 1e-12
    centre = 2 * (plane.mean(axis=0) @ axes.T).sum() + d
    assert there.w2_squared == pytest.approx(here.w2_squared + d - 2 + centre, abs=1e-11)
    assert (there.error <= 1e-13).all()
    assert (there.uncertainty > 1.5 * here.uncertainty).all()


def test_progress_is_told_before_every_step():
    seen = []
    solve(np.random.default_rng(0).normal(size=(20, 2)), progress=lambda *state: seen.append(state))
    assert [iteration for iteration, _, _ in seen] == list(range(len(seen)))
    assert seen[-1][1] < 1e-12 < seen[0][1]


# --- power ------------------------------------------------------------------------------------


def test_certificates_reject_heights_that_are_slightly_wrong():
    points = np.random.default_rng(0).normal(size=(20, 2))
    solution = solve(points)
    wrong = solution.heights.copy()
    wrong[3] += 1e-11
    assert certify(points, wrong).error_bound(solution.weights).max() > 1e-12


def test_the_semi_dual_with_the_wrong_sign_of_the_heights_is_rejected():
    points = np.random.default_rng(0).normal(size=(20, 2))
    solution = solve(points)
    assert certify(points, -solution.heights).error_bound(solution.weights).max() > 1e-2


def solve_ten_clouds():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        solved(rng.normal(size=(30, 2)), spread_weights(30, 2.0, rng))


def test_a_lax_goal_is_noticed(monkeypatch):
    monkeypatch.setattr(newton, "goal", lambda weights: np.full_like(weights, 1e-9))
    with pytest.raises(AssertionError):
        solve_ten_clouds()


def test_a_wrong_newton_direction_is_noticed(monkeypatch):
    right = newton._direction
    monkeypatch.setattr(newton, "_direction", lambda diagram, excess: -right(diagram, excess))
    with pytest.raises(RuntimeError, match="no step length makes progress"):
        solve(np.random.default_rng(0).normal(size=(30, 2)))


def test_primal_and_dual_part_when_the_weights_are_not_met(monkeypatch):
    points = np.random.default_rng(0).normal(size=(12, 2))
    monkeypatch.setattr(newton, "_merit", lambda *_: 0.0)
    solution = solve(points)
    assert solution.error.max() > 1e-4
    assert solution.w2_dual < solve_exactly(points, monkeypatch) - 1e-6


def solve_exactly(points, monkeypatch):
    monkeypatch.undo()
    return solve(points).w2_squared


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "weights", "message"),
    [
        ([[0.0, np.nan], [1, 1]], None, r"points: entry \(0, 1\) is nan"),
        ([1.0, 2.0], None, r"points: got shape \(2,\)"),
        ([[0.0, 1j], [1, 1]], None, r"points: entry \(0, 1\) is 1j; every entry must be real"),
        (np.empty((0, 2)), None, "points: .*empty"),
        ([[0, 0], [1, 1], [0, 0]], None, "points: atoms 0 and 2 coincide"),
        ([[0, 0], [1, 1]], [0.5, 0.4], "weights: they sum to 0.9"),
        ([[0, 0], [1, 1]], [1.5, -0.5], "weights: entry 1 is -0.5"),
        ([[0, 0], [1, 1]], [1.0, 0.0], "weights: entry 1 is 0.0; .*drop atoms"),
        ([[0, 0], [1, 1]], [1.0], "weights: got 1 for 2 points"),
        ([[0, 0], [1, 1]], [[0.5, 0.5]], r"weights: got shape \(1, 2\)"),
        ([[0, 0], [1, 1]], [0.5, np.inf], r"weights: entry \(1,\) is inf"),
        ([["a", 0], [1, 1]], None, "points: not an array of numbers"),
    ],
)
def test_bad_input_is_named(points, weights, message):
    with pytest.raises(ValueError, match=message):
        solve(points, weights)


def test_a_bad_cap_is_refused():
    with pytest.raises(ValueError, match="max_iterations"):
        solve([[0.0, 0.0]], max_iterations=0)


def test_the_cap_raises_and_names_what_was_reached():
    points = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(RuntimeError, match=r"cap on steps was met after 1 steps; .* error reached is \d"):
        solve(points, max_iterations=1)


def test_a_failed_start_is_followed_by_the_next(monkeypatch):
    points = np.random.default_rng(0).normal(size=(30, 2))
    right = newton.minimise
    calls = []

    def fails_once(*args, **options):
        calls.append(None)
        return right(*args, **options | ({"cap": 1} if len(calls) == 1 else {}))

    monkeypatch.setattr(semidiscrete.newton, "minimise", fails_once)
    solution = solve(points)
    assert len(calls) == 2
    assert solution.iterations > 2
