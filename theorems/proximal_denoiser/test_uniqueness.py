"""N7: the potential exists and is unique up to one constant, because noise is everywhere.

Assumed: noise with a density that is positive almost everywhere; P₀ = N(0, I); all weights positive, so that
all atoms are visible. Two solvers that share nothing but the problem find one potential: stochastic Newton on
drawn noise, and damped Newton on exact cell masses, for the very weights that the first one's heights induce.
On the line a third route is in closed form. Controls: noise with a hole, which leaves a whole interval of
heights; a hidden atom, whose height is not determined.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.potentials import FiniteAtoms
from numerics.transport.cells import laguerre
from numerics.transport.sampled import Budget, solve_sampled
from numerics.transport.semidiscrete import solve
from theorems.proximal_denoiser.shape_figures import draw_undetermined
from theorems.setting.draws import apart, generator
from theorems.setting.quantifiers import SEEDS, TARGETS, for_all

BUDGET = Budget(draws=4000, held_out=100)
LEAST = 0.01


def _apart(first, second):
    """Heights up to their constant."""
    difference = first - second
    return difference - difference.mean()


def _inverse(cells):
    """The pseudoinverse of −∂P/∂g, and the reciprocal of its least eigenvalue but 0."""
    n = len(cells.points)
    matrix = np.zeros((n, n))
    i, j = cells.pairs.T
    np.add.at(matrix, (i, j), -cells.conductance)
    matrix = matrix + matrix.T
    matrix -= np.diag(matrix.sum(axis=1))
    return np.linalg.pinv(matrix, hermitian=True), 1 / np.linalg.eigvalsh(matrix)[1]


@pytest.mark.claim("N7")
@pytest.mark.parametrize("n", [4, 9, 16])
def test_two_solvers_find_one_potential(evidence, rng, n):
    points, left_out = apart(n, 2, LEAST, rng)
    weights = rng.dirichlet(np.full(n, 4.0))
    points = 1.5 * points
    drawn = solve_sampled(points, weights, budget=BUDGET, cap=200, progress=None, rng=rng)
    cells = laguerre(points, drawn.heights)
    masses = cells.masses / cells.masses.sum()
    inverse, stretch = _inverse(cells)
    again = solve(points, masses)
    tolerance = np.maximum(1e-12 * masses, 8 * EPS) + cells.rounding + 4 * EPS
    on = evidence.on("FiniteAtoms", n=n)
    on.estimated(
        "|heights by Newton − heights by sampling| up to one constant, for the weights of the latter",
        norms(_apart(again.heights, drawn.heights)),
        bound=2 * stretch * norms(tolerance) + 16 * EPS * norms(drawn.heights),
        by="linearisation: heights move by the inverse of −∂P/∂g times the masses' errors, at most twice",
        because="the semi-dual is strictly convex up to constants; Newton ends within its tolerance",
        clause="constant",
        chosen=f"points nearer than {1.5 * LEAST} to another are drawn again",
        left_out=left_out,
    )
    asked = solve(points, weights)
    missed = masses - weights
    here, there = inverse @ missed, _inverse(laguerre(points, asked.heights))[0] @ missed
    on.estimated(
        "|difference of both solvers' heights for the weights asked for − its linear prediction|",
        norms(_apart(asked.heights, drawn.heights) - there + there.mean()),
        bound=2 * norms(here - there) + 4 * stretch * norms(tolerance),
        by="two linearisations, at either end",
        because="heights are only as good as weights: −L⁺(masses − weights) to first order",
        clause="constant",
    )


@for_all("N7", n=st.integers(2, 40), seed=SEEDS)
def test_cells_on_the_line_leave_one_constant(evidence, n, seed):
    """(g_{i+1} − g_i)/(y_{i+1} − y_i) is the only noise with the mass W_i below it: two routes to it."""
    rng = generator(seed)
    y, w = np.sort(rng.standard_normal(n)) + 0.01 * np.arange(n), rng.dirichlet(np.full(n, 2.0))
    w = np.maximum(w, 1e-6) / np.maximum(w, 1e-6).sum()
    closed = FiniteAtoms.on_line(y, w)
    found = solve(y[:, None], w)
    slopes = np.diff(closed.heights) / np.diff(y)
    density = np.exp(-(slopes**2) / 2) / np.sqrt(2 * np.pi)
    evidence.on("FiniteAtoms.on_line", n=n, seed=seed).bounded(
        "|ties of neighbouring atoms by the solver − in closed form|",
        np.abs(np.diff(found.heights) / np.diff(y) - slopes),
        Rounding(
            n / density + (np.abs(closed.heights).max() + np.abs(found.heights).max()) / np.diff(y).min(),
            16,
            "n weights add up to a tail, whose quantile moves by that over the density; heights are sums",
        ),
        because="the normal law has one quantile at each level, as its density is positive",
        clause="constant",
    )


@for_all("N7", target=TARGETS, seed=SEEDS)
def test_conjugate_is_finite_far_out(evidence, target, seed):
    """φ* is finite on all of R^d: φ*(x) ≤ φ*(0) + ⟨T(x), x⟩ by convexity, at |x| up to 8√d."""
    n = 200
    x = 8.0 * generator(seed).uniform(-1, 1, (n, target.dim))
    value, image = target.conjugate(x), target.transport(x)
    assert np.isfinite(value).all(), "φ* is infinite"
    inner = (image * x).sum(axis=1)
    stated = target.roundings
    evidence.on(target, seed=seed).bounded(
        "how far φ*(x) exceeds φ*(0) + ⟨T(x), x⟩",
        np.maximum(value - target.conjugate(np.zeros((1, target.dim))) - inner, 0.0),
        stated.conjugate(x)
        + Rounding.measured(np.full(n, stated.conjugate(np.zeros((1, target.dim))).bound[0]), "φ*(0)")
        + stated.transport(x).amplified(norms(x), "in ⟨T(x), x⟩")
        + Rounding(norms(image) * norms(x) + np.abs(value), target.dim + 4, "⟨T(x), x⟩ and sums"),
        because="φ* is convex with gradient T at x",
        clause="finiteness",
    )


# --- controls ---------------------------------------------------------------------------------------------


def _mass_beyond(threshold):
    """Of noise uniform on [−2,−1] ∪ [1,2], above the threshold: exact."""
    parts = [(Fraction(-2), Fraction(-1)), (Fraction(1), Fraction(2))]
    return sum((max(b - max(a, threshold), Fraction(0)) for a, b in parts), Fraction(0)) / 2


@pytest.mark.control("N7")
def test_noise_with_a_hole_leaves_an_interval_of_heights(evidence):
    """Data ±1, half each: the scores tie at (g₁−g₀)/2, which may lie anywhere in the hole of the noise."""
    differences = [Fraction(k, 16) for k in range(-80, 81)]
    right = [g for g in differences if _mass_beyond(g / 2) == Fraction(1, 2)]
    images = {tuple(1 if x > g / 2 else -1 for x in (-2, Fraction(-3, 2), Fraction(3, 2), 2)) for g in right}
    assert images == {(-1, -1, 1, 1)}, "all of them have one transport on the noise"
    evidence.on("noise uniform on [−2,−1] ∪ [1,2], data ±1").control(
        "noise whose density vanishes on an interval: length of the interval of g₁ − g₀",
        predicted=4.0,
        measured=float(right[-1] - right[0]),
        agreement=0.0,
        because="the mass above (g₁−g₀)/2 is ½ iff it lies in [−1, 1]; on a grid of sixteenths, in rationals",
    )
    evidence.figure(
        "Noise with a hole does not determine the potential",
        "φ* for six differences of heights: wedges with their corners between −1 and 1, all with slopes −1"
        " and 1 over the two shaded intervals of noise.",
        lambda figure: draw_undetermined(figure, np.linspace(-2, 2, 6)),
    )


@pytest.mark.control("N7")
@pytest.mark.parametrize("rise", [0.5, 3.0])
def test_height_of_a_hidden_atom_is_not_determined(evidence, rng, rise):
    """φ is unique, not its heights: raise an atom that has no mass, and nothing but its height changes."""
    points = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.5, 0.5]])
    heights = np.array([0.0, 0.25, 0.5, 1.0])
    first = FiniteAtoms(points, heights)
    second = FiniteAtoms(points, heights + rise * np.array([0.0, 0.0, 0.0, 1.0]))
    x0 = 2 * rng.standard_normal((2000, 2))
    u = rng.dirichlet(np.ones(3), 100) @ points[:3]
    same = np.abs(first.conjugate(x0) - second.conjugate(x0)).max()
    same = max(same, np.abs(first.value(u) - second.value(u)).max())
    evidence.on(first, rise=rise).control(
        "heights compared at a hidden atom, where only φ is unique: their difference less that of φ and φ*",
        predicted=rise,
        measured=_largest(first.heights, second.heights) - same,
        agreement=64 * EPS * (1 + rise),
        because="the atom lies above the envelope of the others: φ and φ* are those of the visible three",
    )


def _largest(first, second):
    return float(np.abs(first - second).max())
