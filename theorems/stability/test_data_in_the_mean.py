r"""N5 in the mean: W₂ of the data bounds what proximal maps differ by; adding data; the line.

Proof. Glue the optimal coupling of x₁ ~ P and x₁^Q ~ Q to (x₀, x₁^Q = T_Q(x₀)): (x₀, x₁) is a plan of P₀
and P, whose mean gap is C(P) − E⟨x₀,x₁⟩ ≤ |C(P) − C(Q)| + √d δ ≤ 2√d δ, C the largest correlation. With
F(u) = u − prox(u + λx₀), |F(x₁)|² ≤ λ·gap and F 1-Lipschitz: ‖F(T_Q)‖ ≤ δ + √(2λ√d δ). On the line T_Q and
T_P are the monotone rearrangements, so their distance is δ.

Assumed: second moments. Clouds in the plane are solved exactly; δ comes from a linear program with its
dual, and where only a coupling is at hand it bounds δ from above, which weakens the bound.
"""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.stats import norm as normal

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.potentials import FiniteAtoms, Sphere
from numerics.transport.cells import laguerre
from numerics.transport.lifts import two_moons
from numerics.transport.neighbours import reweighted
from numerics.transport.semidiscrete import solve
from theorems.setting.quantifiers import for_all
from theorems.statistics import hoeffding

LEVEL = 1e-11
DRAWS = 4000


def _cloud(rng, n, spread=1.0):
    weights = rng.uniform(0.5, 1.5, n)
    return spread * rng.standard_normal((n, 2)), weights / weights.sum()


def _coupling(x, y, a, b):
    """The optimal coupling, and W₂² with what primal and dual leave open."""
    import ot  # it imports torch: a second for every run that asks something else

    cost = ((x[:, None] - y) ** 2).sum(axis=2)
    plan, log = ot.emd(a, b, cost, log=True)
    slack = np.minimum(cost - log["u"][:, None] - log["v"], 0.0)
    dual = a @ log["u"] + b @ log["v"] + slack.min()
    return plan, float((plan * cost).sum()), float((plan * cost).sum() - dual)


def _squares(first, second, step, x0):
    """|F(T_Q(x₀))|² at every x₀."""
    u = second.transport(x0)
    return norms(u - first.prox(u + step * x0, step)) ** 2


def _length_rounding(first, second, step, x0):
    """Of |F(T_Q(x₀))|: T_Q, which F may double, z, prox, and a difference."""
    u = second.transport(x0)
    sizes = norms(u) + step * norms(x0)
    of_z = Rounding(sizes, 2, "z") + second.roundings.transport(x0).amplified(2.0)
    return first.roundings.prox(u + step * x0, step) + of_z + Rounding(2 * sizes, 4, "a length")


# --- the glued plan -------------------------------------------------------------------------------------


@pytest.mark.claim("N5")
@pytest.mark.parametrize("near", [0.01, 0.1, 1.0])
def test_glued_plan_has_a_small_gap(evidence, rng, near):
    """Clouds of 9 and 7 atoms, or of 9 and the same moved: cells' means and masses are exact in the plane."""
    x, a = _cloud(rng, 9)
    y, b = _cloud(rng, 7) if near == 1.0 else (x + near * rng.standard_normal(x.shape), a)
    first, second = solve(x, a), solve(y, b)
    plan, squared, open_ = _coupling(x, y, first.masses, second.masses)
    delta = np.sqrt(squared)  # of a coupling: at least W₂
    mine, theirs = (laguerre(s.points, s.heights) for s in (first, second))
    # E⟨x₀, x₁⟩ of the glued plan: the mean of x₀ in Q's cell j, with x₁ drawn from column j of the coupling
    given_q = (plan / plan.sum(axis=0)).T @ x
    glued = float((theirs.first_moments * given_q).sum())
    best = float((mine.first_moments * x).sum())
    evidence.on("clouds in the plane", near=near).estimated(
        "E gap of the glued plan",
        best - glued,
        2 * np.sqrt(2) * delta + first.w2_error + second.w2_error,
        by=f"what the solver states of either's cost; primal less dual of the linear program, {open_:.1e}",
        because="2√d δ, d = 2",
        clause="gap",
    )


# --- proximal maps --------------------------------------------------------------------------------------


@pytest.mark.claim("N5")
@pytest.mark.parametrize("near", [0.003, 0.03, 0.3])
@pytest.mark.parametrize("step", [0.1, 1.0, 10.0])
def test_clouds_moved_and_reweighted(evidence, rng, near, step):
    x, a = _cloud(rng, 9)
    b = a * (1 + near * rng.uniform(-1, 1, 9))
    first, second = solve(x, a), solve(x + near * rng.standard_normal(x.shape), b / b.sum())
    _, squared, open_ = _coupling(first.points, second.points, first.masses, second.masses)
    delta = np.sqrt(squared)
    width = _diameter(first.points, second.points) ** 2
    squares = _squares(first.potential, second.potential, step, rng.standard_normal((DRAWS, 2)))
    bound = delta + np.sqrt(2 * step * np.sqrt(2) * delta)
    evidence.on("clouds in the plane", near=near, step=step, of_program=open_).statistical(
        "mean of |prox_Q − prox_P|²",
        squares.mean(),
        bound**2 + hoeffding(DRAWS, width, LEVEL),
        LEVEL,
        because="(δ + √(2λ√d δ))²; each square is at most the squared diameter: Hoeffding",
        clause="mean",
    )


def _diameter(x, y):
    both = np.concatenate([x, y])
    return float(norms(both[:, None] - both).max())


def _arranged(angles):
    """W₂² at most, from sorted points of the unit circle to the uniform law: arcs of equal length in order.

    The best turn of the arcs is in closed form: 2 − 2|Σ_i (1/2π)∫_{arc i} e^{i(a_i − u)}du|.
    """
    n = len(angles)
    ends = 2 * np.pi * np.arange(n + 1) / n
    arcs = (np.exp(-1j * ends[1:]) - np.exp(-1j * ends[:-1])) / (-1j * 2 * np.pi)
    return 2 - 2 * float(np.abs((np.exp(1j * np.sort(angles)) * arcs).sum()))


@pytest.mark.claim("N5")
@pytest.mark.parametrize("n", [8, 32, 128])
def test_population_against_samples_of_the_circle(evidence, rng, n):
    """P the circle, Q n draws of it: by how much a model of finite data errs at its own interpolants."""
    step, angles = 1.0, rng.uniform(0, 2 * np.pi, n)
    second = solve(np.column_stack([np.cos(angles), np.sin(angles)]))
    first, delta = Sphere(2), np.sqrt(_arranged(angles))
    x0 = rng.standard_normal((DRAWS, 2))
    squares = _squares(first, second.potential, step, x0)
    apart = norms(second.potential.transport(x0) - first.transport(x0)) ** 2
    bound = delta + np.sqrt(2 * step * np.sqrt(2) * delta)
    on = evidence.on("the circle against draws of it", n=n)
    on.statistical(
        "mean of |prox_Q − prox_P|²",
        squares.mean(),
        bound**2 + hoeffding(DRAWS, 4.0, LEVEL),
        LEVEL,
        because="(δ + √(2λ√d δ))², δ from above by arcs in order; squares are at most 4: Hoeffding",
        clause="mean",
    )
    on.table(
        f"circle against {n} draws, λ = 1",
        ["n", "δ from above", "‖T_Q − T_P‖", "‖prox_Q − prox_P‖", "δ + √(2λ√d δ)"],
        [[n, delta, np.sqrt(apart.mean()), np.sqrt(squares.mean()), bound]],
    )


def _on_moons(n, rng=None):
    """N points of the two half circles, in the middle of equal pieces or drawn."""
    first, _ = arcs = two_moons()
    total = 2 * first.length
    s = total * ((np.arange(n) + 0.5) / n if rng is None else np.sort(rng.random(n)))
    which = s >= first.length
    points = [arc.point(s[which == k] - k * first.length) for k, arc in enumerate(arcs)]
    return np.concatenate(points)


@pytest.mark.claim("N5")
@pytest.mark.parametrize("n", [20, 80])
def test_population_against_samples_of_the_moons(evidence, rng, n):
    """P is 240 atoms with exact weights on two moons, Q n draws of the moons: δ by a linear program."""
    step, grid, drawn = 0.5, _on_moons(240), _on_moons(n, rng)
    first, second = solve(grid), solve(drawn)
    _, squared, open_ = _coupling(grid, drawn, first.masses, second.masses)
    delta, width = np.sqrt(squared), _diameter(grid, drawn) ** 2
    squares = _squares(first.potential, second.potential, step, rng.standard_normal((DRAWS // 4, 2)))
    bound = delta + np.sqrt(2 * step * np.sqrt(2) * delta)
    evidence.on("two moons against draws of them", n=n, of_program=open_).statistical(
        "mean of |prox_Q − prox_P|²",
        squares.mean(),
        bound**2 + hoeffding(DRAWS // 4, width, LEVEL),
        LEVEL,
        because="(δ + √(2λ√d δ))²; each square is at most the squared diameter: Hoeffding",
        clause="mean",
    )


# --- the line -------------------------------------------------------------------------------------------

twelfths = st.integers(1, 11)
positions = st.lists(st.integers(-12, 12), min_size=1, max_size=4, unique=True).map(sorted)


@st.composite
def _laws(draw):
    """Two laws on integers with weights k/12: positions and how many of twelve each has."""
    sides = []
    for _ in range(2):
        y = draw(positions)
        cuts = sorted(draw(st.lists(twelfths, min_size=len(y) - 1, max_size=len(y) - 1, unique=True)))
        sides.append((y, np.diff([0, *cuts, 12]).tolist()))
    return sides


@for_all("N5", laws=_laws())
def test_on_the_line_the_transports_are_as_far_apart_as_the_data(evidence, laws):
    """∫|Q_Q(u) − Q_P(u)|²du over merged cells in fractions; δ² by assignments of twelve equal parts."""
    (y, a), (z, b) = laws
    merged = sorted({0, 12, *np.cumsum(a).tolist(), *np.cumsum(b).tolist()})
    apart = Fraction(0)
    for low, high in pairwise(merged):
        at = [p[int(np.searchsorted(np.cumsum(w), low, side="right"))] for p, w in laws]
        apart += Fraction(high - low, 12) * (at[0] - at[1]) ** 2
    parts = np.repeat(y, a), np.repeat(z, b)
    cost = np.subtract.outer(*parts) ** 2
    rows, columns = linear_sum_assignment(cost)
    evidence.on("laws on the line", first=laws[0], second=laws[1]).exact(
        "E|T_Q − T_P|² = W₂²",
        apart == Fraction(int(cost[rows, columns].sum()), 12),
        "up to four atoms in ℤ, weights in ℤ/12; integers below 2⁵³ are exact in the assignment solver",
        clause="line",
    )


@pytest.mark.claim("N5")
@pytest.mark.parametrize("step", [0.5, 5.0, 50.0])
def test_two_weights_in_closed_form(evidence, step):
    """Weights .3 and .4 of an atom at 0, Δ = 2: only noise between the thresholds errs, by min(λh, Δ)."""
    pair, distance = reweighted(0.3, 0.4, 2.0), 2.0
    low, high = normal.ppf([0.3, 0.4])
    found, own = [], 0.0
    for count in (40, 60):
        nodes, weights = np.polynomial.legendre.leggauss(count)
        bend = min(low + distance / step, high)
        total = 0.0
        for start, end in ((low, bend), (bend, high)):
            x = (start + end) / 2 + (end - start) / 2 * nodes
            squares = _squares(pair.first, pair.second, step, x[:, None])
            own = max(own, _length_rounding(pair.first, pair.second, step, x[:, None]).bound.max())
            total += (end - start) / 2 * weights @ (normal.pdf(x) * squares)
        found.append(np.sqrt(total))
    # a root of a mean of squares moves by no more than what is squared; beside it 120 positive terms
    own += float(Rounding(found[1], 120 + 40, "densities, squares, their sum").bound)
    on = evidence.on(pair.first, other=pair.second, step=step)
    on.estimated(
        "‖prox_Q − prox_P‖ on the line",
        found[1],
        pair.distance + abs(found[0] - found[1]) + own,
        by="quadratures of two orders",
        because="δ = Δ√|w − w'|",
        clause="mean",
    )
    on.table(
        f"weights .3 and .4, Δ = 2, λ = {step}",
        ["δ", "‖prox_Q − prox_P‖", "δ + √(2λδ)"],
        [[pair.distance, found[1], pair.distance + np.sqrt(2 * step * pair.distance)]],
    )


# --- control --------------------------------------------------------------------------------------------


@pytest.mark.control("N5")
@pytest.mark.parametrize("mixed", [0.25, 1.0])
def test_a_plan_that_is_not_glued_has_a_large_gap(evidence, mixed):
    """Q = P on the square's corners, δ = 0: a share of the labels drawn apart from the noise has gap C(P)."""
    target = FiniteAtoms.hypercube(2)
    cells = laguerre(target.points, target.heights)
    labels = (1 - mixed) * target.points  # the mean of corners drawn apart is 0
    measured = float((cells.first_moments * (target.points - labels)).sum())
    evidence.on(target, mixed=mixed).control(
        "a plan of the same marginals that is not glued: mean gap where δ = 0",
        predicted=mixed * 2 * np.sqrt(2 / np.pi),
        measured=measured,
        agreement=256 * EPS,
        because="C(P) = E|x₀|₁ = 2√(2/π), cells' first moments; rounding",
    )
