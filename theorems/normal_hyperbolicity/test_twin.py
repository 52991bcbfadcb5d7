r"""H9: a law whose support is M near x₁, with A1, A2, A3 and A5 but not A4, and without H3 (the twin).

φ\* is the largest of ⟨v, g(s)⟩ − f(s), |s| ≤ .45, and v₁, with g = (s, s²/2) and f = s²/2 + s³ or
s²/2 + 8|s|³; x₀ = 0, x₁ = g(0) = 0. What the definition says is proved for symbols, and the potential of the
library held to it. The noise 0 is a tie with the atom (1, 0), and P₀-null: by N1 nothing of this happens at
noise where φ\* is differentiable. This is about the statement as we know it: the paper's full text may assume
A4, for instance through partial smoothness.
"""

import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx

from numerics.accuracy import EPS, Rounding
from numerics.intervals.balls import above
from numerics.potentials import Manifold, Twin
from theorems.normal_hyperbolicity.assumptions import MOVE, margins
from theorems.normal_hyperbolicity.figures import draw_twin
from theorems.normal_hyperbolicity.roots import positive_root

P = Twin()
STEP = 0.7
s, d = sp.symbols("s d", positive=True)
FIRST, SECOND = 3 * s**2 - d * s, d  # v₁ and v₂ − 1 of the cell of g(s), s > 0
LEAST = (3 * s - 2 * s**2) / (1 - s / 2)
PLACES = np.array([1e-1, 1e-2, 1e-3])


@pytest.mark.claim("H9")
def test_assumptions_at_the_tie_symbolically(evidence):
    """At v = (0, w): A2 and A3 from the scores along the arc; A1 and A5 from f on M; A4's distance."""
    on, w, x = evidence.on(P), sp.Symbol("w", real=True), sp.Symbol("x", positive=True)
    scores = [(w - 1) * x**2 / 2 - cubic * x**3 for cubic in (1, 8)]
    below = [sp.expand(score.subs(w, 1 - d)).is_negative for score in scores]
    on.exact(
        "A2, A3: ∂φ(0) = {0} × (−∞, 1], with 0 in its relative interior",
        [*below, *(sp.limit(score.subs(w, 1 + d) / x**2, x, 0, "+") > 0 for score in scores)],
        "at v = (0, w) the score of g(±x) is < 0 for w < 1, > 0 next to 0 for w > 1, and that of (1, 0) is 0",
        clause="assumptions",
    )
    heights = [x**2 / 2 + cubic * x**3 for cubic in (1, 8)]
    second = [sp.diff(height, x, 2).subs(x, 0) for height in heights]
    on.exact(
        "A1, A5: f is C² across 0, f'(0) = 0 and H = f''(0) = 1",
        [*(sp.diff(height, x).subs(x, 0) == 0 for height in heights), *(value == 1 for value in second)],
        "in the chart s, |g'(0)| = 1",
        clause="assumptions",
    )
    square = (s**3 / (2 - s)) ** 2 + (1 + LEAST) ** 2
    on.exact(
        "A4 fails: dist(0, ∂φ(g(s)))² = (s³/(2−s))² + (1+d)² > 1 at the least d of the cell, and → 1",
        [
            sp.simplify(FIRST.subs(d, LEAST) - s**3 / (2 - s)) == 0,
            sp.simplify(sp.diff(FIRST**2 + (1 + d) ** 2, d) / 2 - ((1 + d) - s * FIRST)) == 0,
            sp.limit(square, s, 0, "+") == 1,
        ],
        "0 < s ≤ 9/20: there the derivative in d, (1+d) − s(3s²−ds), is positive for d ≥ 0",
        clause="A4",
    )


@pytest.mark.claim("H9")
def test_distances_of_the_noise_from_the_subdifferentials(evidence):
    """The library's ∂φ(g(s)) against the closed form: 1.294737, 1.029950, 1.002999 at s = .1, .01, .001."""
    found = np.array([P.subdifferential([x, x**2 / 2]).distance(np.zeros((1, 2)))[0] for x in PLACES])
    least = PLACES * (3 - 2 * PLACES) / (1 - PLACES / 2)
    exact = np.hypot(PLACES**3 / (2 - PLACES), 1 + least)
    evidence.on(P, s=PLACES).bounded(
        "|dist(0, ∂φ(g(s))) − its closed form|",
        np.abs(found - exact),
        Rounding(2.0, 16, "a foot on a line; x₁ as doubles turn it by as much"),
        because="they are equal",
        clause="A4",
    )
    evidence.on(P, s=PLACES).bounded(
        "|dist(0, ∂φ(g(s))) − 1.294737, 1.029950, 1.002999|",
        np.abs(found - [1.294737, 1.029950, 1.002999]),
        Rounding(2.0, 16, "as above"),
        because="published to six decimals",
        main=0.5e-6,
        clause="A4",
    )


def _the_cubic(on):
    """The cubic and its slope at 0, by symbols: stationarity of |z − u|²/2 + λφ(u) on the curve."""
    x = sp.Symbol("x", positive=True)
    lam = sp.Symbol("lambda", positive=True)
    cubic = x + lam * (x + 24 * x**2) + x**3 / 2
    away = [-d + x, -(x**2) / 2]  # z − g(−x) at z = (−e, 0), e = d
    stationary = sp.expand((away[0] - away[1] * x - lam * (-x - 24 * x**2)).subs(d, cubic))
    on.exact(
        "g(−x) is stationary for z = (−e, 0) iff x + λ(x + 24x²) + x³/2 = e, and dx/de = 1/(1+λ) at 0",
        [stationary == 0, sp.simplify(sp.diff(cubic, x).subs(x, 0) - (1 + lam)) == 0],
        "all λ, x > 0",
        clause="H3",
    )


@pytest.mark.claim("H9")
def test_prox_has_another_slope_on_either_side(evidence):
    """prox(e·e₁) = e·e₁; prox(−e·e₁) = g(−x), x the root of x + λ(x + 24x²) + x³/2 = e: slope 1/(1+λ)."""
    on = evidence.on(P, step=STEP)
    e = np.array([1e-2, 1e-3, 1e-4])
    ahead = P.proximal_point(np.stack([e, 0 * e], axis=1), STEP)
    on.bounded(
        "|prox((e, 0)) − (e, 0)|",
        np.linalg.norm(ahead.point - np.stack([e, 0 * e], axis=1), axis=1),
        Rounding.measured(np.minimum(ahead.rounding.point.bound, 16 * EPS), "the stated one, if small"),
        because="φ = 0 is least on the edge from 0 to (1, 0): φ*(0) = 0",
        clause="H3",
    )
    behind = P.proximal_point(np.stack([-e, 0 * e], axis=1), STEP)
    roots = []
    with ctx.workprec(256):
        for value in e:
            roots.append(positive_root([-arb(float(value)), 1 + arb(STEP), 24 * arb(STEP), arb(1) / 2]))
        off = [above(abs(root + arb(float(u)))) for root, u in zip(roots, behind.point[:, 0], strict=True)]
    on.certified(
        "|−prox₁((−e, 0)) − the root|",
        off,
        np.minimum(behind.rounding.point.bound, 16 * EPS),
        because="the cubic's root in balls; the family's stated rounding, which must itself be small",
        chosen="16 eps at most: the statement is a residual, and would grow with a wrong answer",
        clause="H3",
    )
    on.bounded(
        "|root/e − .557514, .584854, .587894|",
        np.abs(-behind.point[:, 0] / e - [0.557514, 0.584854, 0.587894]),
        Rounding.measured(np.minimum(behind.rounding.point.bound, 16 * EPS) / e, "the prox over e"),
        because="published to six decimals, cut; they tend to 1/1.7 = .588235",
        main=1e-6,
        clause="H3",
    )
    _the_cubic(on)


# --- controls -----------------------------------------------------------------------------------------


def _chart(place):
    """M near x₁ by its chart, with the covariant Hessian of φ − ⟨0, ·⟩: (f'' − Γf')/(1+x²), Γ = x/(1+x²)."""
    x = place[0]
    steep = (1 if x > 0 else 8) * 3
    slope, bent = x + np.sign(x) * steep * x**2, 1 + 2 * steep * abs(x)
    tangent = np.array([[1.0], [x]]) / np.hypot(1, x)
    return np.array([x, x**2 / 2]), Manifold(
        tangent, np.array([[(bent - x * slope / (1 + x**2)) / (1 + x**2)]])
    )


@pytest.mark.control("H9", "N1")
def test_the_twin_is_told_by_a4_alone(evidence):
    """Moving along M to both sides: the margins of A1, A2, A3 and A5 hold, and A4's distance is 1."""
    found = margins(_chart, P.subdifferential, np.zeros(2), MOVE * np.array([[1.0, 0.0], [-1.0, 0.0]]))
    flags = np.array([name in found.violated() for name in ("A1", "A2", "A3", "A4", "A5")], dtype=float)
    on = evidence.on(P)
    on.control(
        "assumptions violated at the tie (1 = violated), summed with weights 1, 2, 4, 8, 16",
        predicted=8.0,
        measured=float(flags @ 2.0 ** np.arange(5)),
        agreement=0.25,
        because="A4 alone fails; integers agree or differ by 1",
    )
    on.control(
        "A4 violated: distance of the noise 0 from ∂φ(g(s)), s → 0",
        predicted=1.0,
        measured=found.distance,
        agreement=4 * MOVE,
        because="1 + 3s + O(s²) at s = 1e-7",
    )


@pytest.mark.control("H9")
def test_envelope_quotients_on_both_sides(evidence):
    """½Δ²_τφ's envelope in the direction e₁ is 0 at every τ; in −e₁ it tends to H3's ½·H/(1+λH), H = 1."""
    tau = np.array([1e-3, 1e-4, 1e-5])
    sides = {}
    for sign in (1.0, -1.0):
        found = P.proximal_point(np.stack([sign * tau, 0 * tau], axis=1), STEP)
        sides[sign] = found.envelope / tau**2, found.rounding.envelope.bound / tau**2
    predicted = 0.5 / (1 + STEP)
    on = evidence.on(P, step=STEP, tau=tau)
    on.control(
        "A4 violated: envelope quotient in the direction e₁",
        predicted=0.0,
        measured=sides[1.0][0],
        agreement=sides[1.0][1],
        because="φ = 0 on the edge, so e_λφ(τe₁) = 0",
        intact=predicted,
    )
    on.control(
        "H3 at the tie: envelope quotient in the direction e₁ less that in −e₁",
        predicted=-predicted,
        measured=sides[1.0][0] - sides[-1.0][0],
        agreement=sides[1.0][1] + sides[-1.0][1] + 8 * tau,
        because="−½/(1+λ) and f's cubic, 8τ³ at most over τ², as the envelope is least at the minimiser",
        intact=0.0,
    )
    on.figure(
        "The twin: its support, ∂φ along M, and envelope quotients on both sides of the tie",
        "Near g(0) the support is the parabola; ∂φ(g(s)), s > 0, are segments next to (0, 1), while those for"
        " s < 0 are rays that fill the left; so the envelope quotients have two limits",
        lambda figure: draw_twin(figure, P, STEP),
        size=(9.6, 3.4),
    )
