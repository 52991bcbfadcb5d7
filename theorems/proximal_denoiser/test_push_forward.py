"""P1, the push-forward T#P₀ = P₁ of finite targets: heights found by transport give the cells their weights.

Assumed: distinct atoms with positive weights summing to 1. In the plane it is exact: proved by interval
arithmetic for up to 50 atoms, to rounding for more; so in space (`test_push_forward_in_space`). In dimension
4 it is statistical, on noise that the solver has not seen. Controls: heights off by a little, and the
textbook area formula, which forgets the arc at infinity of unbounded cells.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import ConvexHull
from scipy.special import ndtr, owens_t
from scipy.stats import binom
from sklearn.datasets import make_moons

from numerics.accuracy import EPS, Rounding
from numerics.transport.cells import laguerre
from numerics.transport.certify import MOST_ATOMS, certify
from numerics.transport.newton import goal
from numerics.transport.sampled import Budget
from numerics.transport.semidiscrete import solve
from theorems.proximal_denoiser.duality import mean_conjugate
from theorems.proximal_denoiser.raised_height import record_raised_height
from theorems.proximal_denoiser.sampled_heights import measure_duality, measure_weights, on_fresh_noise
from theorems.setting.draws import generator
from theorems.setting.grammar import seeds
from theorems.setting.quantifiers import SEEDS, for_all

LEVEL = 1e-9
BUDGET = Budget(draws=10_000, held_out=40_000)
"""So much that the weights are met to a total variation of 0.03 and W₂² is known to 3 percent."""
KINDS = ("normal", "moons", "grid", "clusters", "ring")


def _cloud(kind, n, rng):
    """About n distinct points of the plane, not on a line."""
    if kind == "moons":
        return make_moons(n, noise=0.05, random_state=int(rng.integers(2**31)))[0]
    if kind == "grid":
        side = int(np.sqrt(n))
        return np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) / 2.0
    if kind == "ring":
        angle = 2 * np.pi * np.arange(n) / n
        return 2 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.5
    cloud = rng.standard_normal((n, 2))
    return 0.1 * cloud + 3 * rng.choice([-1.0, 1.0], (n, 1)) if kind == "clusters" else cloud


def _weights(n, decades, rng):
    weights = 10.0 ** rng.uniform(-decades, 0, n)
    return weights / weights.sum()


def _case(kind, n, decades, seed):
    rng = generator(seed)
    points = _cloud(kind, n, rng)
    return points, _weights(len(points), decades, rng)


@for_all("P1", kind=st.sampled_from(KINDS), n=st.integers(4, 24), decades=st.integers(0, 4), seed=SEEDS)
def test_cells_of_few_atoms_are_proved_to_have_their_weights(evidence, kind, n, decades, seed):
    points, weights = _case(kind, n, decades, seed)
    on = evidence.on("FiniteAtoms", kind=kind, n=n, decades=decades, seed=seed)
    solution = solve(points, weights)
    measure_proved_push_forward(on, solution)
    measure_duality_in_the_plane(on, solution)


def measure_proved_push_forward(on, solution):
    """The masses of at most 50 planar cells, enclosed by interval arithmetic, against the weights."""
    on.certified(
        "|P₀(cell of y_i) − w_i| in the plane, by interval enclosures",
        certify(solution.points, solution.heights).error_bound(solution.weights),
        bound=1e-12,
        because="each mass is enclosed by interval arithmetic in 128 bits from heights taken as exact",
        chosen="the accuracy 1e−12 that the solver states",
        clause="push-forward",
    )


def measure_duality_in_the_plane(on, solution):
    """W₂² as the cost of the plan, E⟨x₀,x₁⟩ by Green's formula, against the dual, E φ* along rays."""
    mean, error = mean_conjugate(solution.points, solution.heights)
    n = len(solution.points)
    on.bounded(
        "|W₂² by the plan − W₂² by the dual| in the plane",
        abs(solution.w2_squared - _dual(solution, mean, solution.heights)),
        Rounding(_size(solution), 8 * n, "sums over n cells and their edges, and over rays"),
        because="equidistant rays err by at most max|y|·E|x₀|·h²/12; the weights' errors",
        main=2 * error + solution.w2_error,
        points=len(solution.points),
        clause="duality",
    )


def _dual(solution, mean_conjugate, heights):
    """The dual value d + Σw|y|² − 2(E φ* + Σwg)."""
    mean_square = solution.weights @ (solution.points**2).sum(axis=1)
    return solution.points.shape[1] + mean_square - 2 * (mean_conjugate + solution.weights @ heights)


def _size(solution):
    return 1 + (solution.points**2).sum(axis=1).max() + np.abs(solution.heights).max()


@for_all(
    "P1", kind=st.sampled_from(KINDS), n=st.integers(MOST_ATOMS, 300), decades=st.integers(0, 6), seed=SEEDS
)
def test_cells_of_many_atoms_have_their_weights(evidence, kind, n, decades, seed):
    points, weights = _case(kind, n, decades, seed)
    on = evidence.on("FiniteAtoms", kind=kind, n=n, decades=decades, seed=seed)
    measure_push_forward_in_the_plane(on, solve(points, weights))


def met(solution):
    """By how much the solver says that masses miss their weights: its goal, above which stalled atoms are."""
    return np.where(
        solution.stalled, solution.error, np.maximum(goal(solution.weights), solution.uncertainty)
    )


def measure_push_forward_in_the_plane(on, solution):
    """The masses of planar cells, found again after a quarter turn of everything, against the weights."""
    cells = laguerre(solution.points @ np.array([[0.0, 1.0], [-1.0, 0.0]]), solution.heights)
    on.bounded(
        "|P₀(cell of y_i) − w_i| in the plane",
        np.abs(cells.masses - solution.weights),
        Rounding.measured(solution.uncertainty + cells.rounding, "both masses, as they are stated"),
        because="the solver ends where every cell is at its goal, or says how far rounding keeps it off",
        main=met(solution),
        chosen="the goal max(1e−12·w, 8·eps) of the solver, or what masses err by",
        clause="push-forward",
    )


@for_all("P1", n=st.integers(1, 100), decades=st.integers(0, 6), seed=SEEDS)
def test_cells_on_the_line_have_their_weights(evidence, n, decades, seed):
    rng = generator(seed)
    solution = solve(rng.standard_t(2, (n, 1)), _weights(n, decades, rng))
    measure_push_forward_on_the_line(evidence.on("FiniteAtoms", n=n, decades=decades, seed=seed), solution)


def measure_push_forward_on_the_line(on, solution):
    """The masses of intervals between the noise at which neighbours tie, against the weights."""
    order = np.argsort(solution.points[:, 0])
    y, g = solution.points[order, 0], solution.heights[order]
    ties = np.diff(g) / np.diff(y)
    ends = np.concatenate([[-np.inf], ties, [np.inf]])
    moved = np.ptp(solution.heights) / np.diff(y) * np.exp(-(ties**2) / 2) + 1
    on.bounded(
        "|P₀(cell of y_i) − w_i| on the line",
        np.abs(np.diff(ndtr(ends)) - solution.weights[order]),
        Rounding(
            np.convolve(np.concatenate([[0.0], moved, [0.0]]), [1, 1], "valid") + len(y),
            16,
            "heights are sums, rounded to eps·max|g| each: a tie moves by that over y_j − y_i; n weights"
            " add up to the probability of each tie",
        ),
        because="the heights are those of the weights in closed form",
        clause="push-forward",
    )


@pytest.mark.claim("P1")
@pytest.mark.parametrize("n", [5, 30])
def test_frequencies_of_fresh_noise_beyond_space(evidence, rng, n):
    """Dimension 4: stated masses and W₂², and how near the weights are met, on noise not seen before."""
    points, seed = 2.25 * rng.standard_normal((n, 4)), int(rng.integers(2**31))
    solution = solve(points, _weights(n, 1, rng), budget=BUDGET, seed=seed)
    low, high = solution.total_variation_interval(LEVEL)
    on, fresh = evidence.on("FiniteAtoms", n=n, d=4), on_fresh_noise(solution, rng, 2_000_000)
    measure_frequencies(on, solution, rng, draws=100_000)
    measure_weights(on, solution, fresh, BUDGET)
    measure_duality(on, solution, fresh)
    evidence.table(
        f"{n} atoms in dimension 4: what is known of the masses",
        ("atoms", "held-out draws", "largest |mass − weight|", "± at most", "level", "TV from", "TV to"),
        [(n, solution.draws, solution.error.max(), solution.uncertainty.max(), solution.level, low, high)],
    )


def measure_frequencies(on, solution, rng, draws):
    """How often T sends fresh noise to each atom, against its weight, within what the solver states."""
    n = len(solution.weights)
    x1 = solution.potential.transport(rng.standard_normal((draws, solution.points.shape[1])))
    found = np.array([(x1 == y).all(axis=1).mean() for y in solution.points])
    least = np.clip(solution.masses - solution.uncertainty, 0, 1)
    most = np.clip(solution.masses + solution.uncertainty, 0, 1)
    tail = LEVEL / (2 * n)
    above = binom.isf(tail, draws, most) / draws - solution.weights
    below = solution.weights - binom.ppf(tail, draws, least) / draws
    on.statistical(
        "|frequency of y_i − w_i| on fresh noise, within the error that the solver states",
        np.abs(found - solution.weights),
        threshold=np.maximum(above, below),
        level=LEVEL + solution.level,
        because="the mass lies in the solver's simultaneous intervals, and counts are binomial with it",
        points=draws,
        clause="push-forward",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("P1")
@given(kind=st.sampled_from(KINDS), n=st.integers(4, 60), seed=seeds)
def test_heights_off_by_a_little_give_other_weights(evidence, kind, n, seed):
    points, weights = _case(kind, n, 1, seed)
    on = evidence.on("FiniteAtoms", kind=kind, n=n, seed=seed)
    record_raised_height(on, laguerre, points, weights, "")


@pytest.mark.control("P1")
@given(kind=st.sampled_from(KINDS), n=st.integers(4, 24), seed=seeds)
def test_heights_of_the_wrong_sign_fall_short_of_the_cost(evidence, kind, n, seed):
    """Weak duality: at −g the dual is below W₂². By how much the cells' first moments say, and the rays."""
    points, weights = _case(kind, n, 2, seed)
    solution = solve(points, weights)
    wrong = -solution.heights
    cells = laguerre(points, wrong)
    exact = (cells.first_moments * points).sum() - cells.masses @ wrong
    found, error = mean_conjugate(points, wrong)
    evidence.on("FiniteAtoms", kind=kind, n=n, seed=seed).control(
        "heights of the wrong sign: by how much the dual falls short of W₂²",
        predicted=solution.w2_squared - _dual(solution, exact, wrong),
        measured=solution.w2_squared - _dual(solution, found, wrong),
        agreement=2 * error + 64 * EPS * n * _size(solution),
        because="Σ⟨∫_cell x₀, y_i⟩ − P_i·g_i in closed form; equidistant rays err by max|y|·E|x₀|·h²/12",
    )


@pytest.mark.control("P1")
@given(kind=st.sampled_from(KINDS), n=st.integers(4, 60), seed=seeds)
def test_textbook_formula_misses_the_arc_at_infinity(evidence, kind, n, seed):
    """Σ Δθ/2π in place of 1{0 ∈ cell} loses each unbounded cell's opening: an exterior angle of the hull."""
    points, weights = _case(kind, n, 1, seed)
    cells = laguerre(points, solve(points, weights).heights)
    hull = ConvexHull(points).vertices
    side = np.roll(points[hull], -1, axis=0) - points[hull]
    into = np.roll(side, 1, axis=0)
    cross = into[:, 0] * side[:, 1] - into[:, 1] * side[:, 0]
    opening = np.arctan2(cross, (into * side).sum(axis=1)) / (2 * np.pi)
    wide = opening > 1e-6
    evidence.on("FiniteAtoms", kind=kind, n=n, seed=seed).control(
        "Σ Δθ/2π in place of the indicator of 0: mass of an unbounded cell",
        predicted=(weights[hull] - opening)[wide],
        measured=_textbook_masses(cells)[hull][wide],
        agreement=1e-9,
        because="seen from 0 the edges miss the arc at infinity, the exterior angle of the hull at its atom",
        intact=weights[hull][wide],
    )


def _textbook_masses(cells):
    """Σ over the edges of Δθ/2π − [T(h, s₂/h) − T(h, s₁/h)], counter-clockwise."""
    slopes = cells.start / cells.offset, cells.stop / cells.offset
    swept = [np.arctan(a) / (2 * np.pi) - owens_t(cells.offset, a) for a in slopes]
    part, n = swept[1] - swept[0], len(cells.points)
    return np.bincount(cells.pairs[:, 0], part, n) - np.bincount(cells.pairs[:, 1], part, n)
