"""M6: the three constants of the two-atom model, and the order of what remains.

Derivation. With A noises below the threshold and B data at y₀, both Bin(n,w): the misassigned mass is
E|A−B|/n, whence the first constant, and 1 − (1/σ² − 1)/(8n) by Edgeworth and Euler–Maclaurin for the
lattice. The excess is 2Δ∫(q(u)−b)(G_n − 1{u<w})du with q = Φ⁻¹; its moments M_k = ∫(u−w)^k(G_n − 1{u<w})du
are polynomials (Beta moments and rising factorials of B), and M₁ = w(1−w)/(n+1) gives the second. In the
layer u = w + σs/√n, G_n → Φ(−s): noise at s is moved by ∫_{-∞}^s Φ(r)dr = φ_N(s)+sΦ(s), which gives the
third. Controls: the independent coupling, by its mass and by its excess.
"""

from fractions import Fraction
from functools import cache
from math import comb

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import quad
from scipy.special import ndtr, ndtri
from scipy.stats import norm
from sympy.functions.combinatorial.numbers import stirling

from numerics.accuracy import EPS
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.minibatch_convergence.field_errors import RESOLUTIONS
from theorems.minibatch_convergence.figures import draw_ratios
from theorems.minibatch_convergence.test_line import N, U, W, probability
from theorems.setting.fits import last_slope
from theorems.statistics import hoeffding

LEVEL = 1e-9
DISTANCE = 2.0
WEIGHTS = (0.1, 0.3, 0.8)
SIZES = np.array([4, 16, 64, 256, 1024, 4096, 16384])
LARGE = np.array([65536, 1_000_000])
QUANTITIES = ("misassigned mass", "excess of the cost", "moving noise with labels kept")


def constants(w):
    """Of misassigned mass, excess, and moving noise with labels kept."""
    height, sigma = norm.pdf(ndtri(w)), np.sqrt(2 * w * (1 - w))
    moved = quad(lambda z: (norm.pdf(z) + z * ndtr(z)) ** 2 * ndtr(-z), -12, 12, epsabs=1e-13)[0]
    return (
        2 * np.sqrt(w * (1 - w) / np.pi),
        2 * DISTANCE * w * (1 - w) / height,
        2 * sigma**3 * moved / height**2,
    )


def measured(w, sizes):
    """n^{1/2}, n and n^{3/2} times the three, over their constants; and the relative quadrature errors."""
    laws = [TwoAtomLaw([[0.0], [DISTANCE]], w, int(n)) for n in sizes]
    found = [[law.misassigned_mass(), law.cost_excess(), law.plan_distance()] for law in laws]
    powers = sizes[:, None] ** np.array([0.5, 1.0, 1.5])
    values = np.array([[f.value for f in row] for row in found])
    errors = np.array([[f.error for f in row] for row in found])
    return powers * values / constants(w), errors / values


def second_order(w):
    """Relative coefficients of 1/n of mass and excess; the latter from exact moments M₂, M₃."""
    second, third = (float(central.subs(W, sp.Rational(str(w)))) for central in _central_limits())
    b = ndtri(w)
    height = norm.pdf(b)
    bend = (b / height**2 / 2 * second + (1 + 2 * b**2) / height**3 / 6 * third) * height / (w * (1 - w))
    return -(1 / (2 * w * (1 - w)) - 1) / 8, -1 + bend


@cache
def _central_limits():
    """n²M₂ and n²M₃ about w as n grows, in w: the same for every weight."""

    def moment(k):
        rising = sp.expand(sp.rf(sp.Symbol("B"), k + 1))
        total = sum(c * _binomial_moment(int(p[0])) for p, c in sp.Poly(rising, sp.Symbol("B")).terms())
        return total / ((k + 1) * sp.prod([N + j for j in range(k + 1)])) - W ** (k + 1) / (k + 1)

    m = {k: moment(k) for k in (0, 1, 2, 3)}
    return [
        sp.limit(
            sp.simplify(N**2 * sum(sp.binomial(k, j) * (-W) ** (k - j) * m[j] for j in range(k + 1))),
            N,
            sp.oo,
        )
        for k in (2, 3)
    ]


def _binomial_moment(p):
    """E B^p of Bin(n, w), by Stirling numbers and falling factorials."""
    return sum(stirling(p, j) * sp.prod([N - i for i in range(j)]) * W**j for j in range(p + 1))


@pytest.mark.claim("M6")
def test_misassigned_mass_is_a_mean_difference(evidence):
    holds = []
    for n in range(1, 9):
        mass = 2 * sp.integrate(probability(n, n - 1).as_expr(), (U, W, 1))
        law = [sp.binomial(n, k) * W**k * (1 - W) ** (n - k) for k in range(n + 1)]
        apart = sum(abs(a - b) * law[a] * law[b] for a in range(n + 1) for b in range(n + 1)) / sp.Integer(n)
        holds.append(sp.expand(mass - apart) == 0)
    evidence.exact(
        "∫|G_n − 1{u<w}|du = E|A−B|/n", holds, domain="n ≤ 8, polynomials in w", clause="misassigned mass"
    )


@pytest.mark.claim("M6")
def test_half_weights_have_the_central_binomial_coefficient(evidence):
    """W = ½: E|A−B| = n·C(2n,n)/4^n, A − B + n being Bin(2n,½)."""
    sizes = (1, 4, 16, 64)
    exact = [float(Fraction(comb(2 * n, n), 4**n)) for n in sizes]
    found = [TwoAtomLaw([[0.0], [DISTANCE]], 0.5, n).misassigned_mass() for n in sizes]
    evidence.on("TwoAtomLaw", w=0.5).estimated(
        "|misassigned mass − C(2n,n)/4^n|",
        [abs(f.value - e) for f, e in zip(found, exact, strict=True)],
        [f.error + EPS for f in found],
        by=RESOLUTIONS,
        because="closed form",
        clause="misassigned mass",
    )


def _beyond_the_first_term(on, ratio, first):
    """Mass and cost have a derived term first/n; what remains beyond it is of order 1/n²."""
    sizes = SIZES[2:5]
    for k in (0, 1):
        slope, interval = last_slope(sizes, ratio[2:5, k] - 1 - first[k] / sizes)
        on.trend(
            f"what remains of {QUANTITIES[k]} beyond its derived 1/n term, against log n",
            slope=slope,
            interval=interval,
            theory=-2.0,
            rule="interval contains theory",
            alternative=-1.0,
            points=3,
            clause="order",
        )


@pytest.mark.claim("M6")
@pytest.mark.parametrize("w", WEIGHTS)
def test_constants_are_approached_at_order_one_over_n(evidence, w):
    sizes = SIZES[:6]
    ratio, error = measured(w, sizes)
    on = evidence.on("TwoAtomLaw", w=w, distance=DISTANCE)
    for k, name in enumerate(QUANTITIES):
        slope, interval = last_slope(sizes, ratio[:, k] - 1)
        on.trend(
            f"log|{name} / asymptotic form − 1| against log n",
            slope=slope,
            interval=interval,
            theory=-1.0,
            rule="interval contains theory",
            alternative=-0.5,
            points=6,
            clause="constants",
        )
    _beyond_the_first_term(on, ratio, second_order(w))
    on.estimated(
        "relative quadrature error, n = 4 … 4096",
        error,
        np.full(error.shape, 1e-9),
        by=RESOLUTIONS,
        because="the error is far below the least remainder that slopes are read from",
        chosen="a thousandth of it, 1e−6 at n = 4096",
        clause="constants",
    )
    on.table(
        f"measured over asymptotic, w = {w}, Δ = 2",
        ["n", *QUANTITIES, "largest relative quadrature error"],
        [[int(n), *r, e.max()] for n, r, e in zip(sizes, ratio, error, strict=True)],
    )


@pytest.mark.claim("M6")
def test_constants_hold_to_a_million(evidence):
    """n(measured/asymptotic − 1) = K + L/n + …: from 16384 on it moves by less than from 4096 to 16384."""
    w = 0.3
    small, _ = measured(w, SIZES)
    ratio, error = measured(w, LARGE)
    on = evidence.on("TwoAtomLaw", w=w, distance=DISTANCE)
    coefficient = SIZES[-1] * (small[-1] - 1)
    # K + L/n at 16384 and K at larger n: they differ by at most the change from 4096 to 16384, |L|·3/16384.
    change = np.abs(coefficient - SIZES[-2] * (small[-2] - 1))
    on.estimated(
        "|n(measured/asymptotic − 1) − its value at 16384|, n = 65536 … 10⁶",
        np.abs(LARGE[:, None] * (ratio - 1) - coefficient),
        np.broadcast_to(change, ratio.shape) + LARGE[:, None] * (error + 1e-13 / 0.37),
        by="the change of the coefficient between two sizes, and quadratures of two resolutions",
        because=(
            "geometric decay of the 1/n correction of the coefficient; quadrature of the value and "
            "of I (1e−13)"
        ),
        clause="constants",
    )
    _order_of_remainders(on, ratio, error, change / np.abs(coefficient))
    _show_constants(on, w, small, ratio)


def _order_of_remainders(on, ratio, error, moves):
    """Slopes err by the relative errors of both remainders and by how much the coefficient still moves."""
    far = np.log(LARGE[1] / LARGE[0])
    unsure = ((error + 1e-13 / 0.37) / np.abs(ratio - 1)).sum(axis=0) + moves
    for k, name in enumerate(("misassigned mass", "excess of the cost", "moving noise with labels kept")):
        slope = float(np.log((ratio[1, k] - 1) / (ratio[0, k] - 1)) / far)
        on.trend(
            f"log|{name} / asymptotic form − 1| against log n, n = 65536 and 10⁶",
            slope=slope,
            interval=(slope - unsure[k] / far, slope + unsure[k] / far),
            theory=-1.0,
            rule="interval contains theory",
            alternative=-0.5,
            points=2,
            clause="order",
        )


def _show_constants(on, w, small, ratio):
    sizes, both = np.concatenate([SIZES, LARGE]), np.concatenate([small, ratio])
    on.figure(
        "Two atoms: how fast the constants are reached (w = 0.3)",
        "On log–log axes the three remainders fall parallel to 1/n from n = 4 to a million",
        lambda figure: draw_ratios(
            figure,
            sizes,
            {
                "misassigned mass": both[:, 0],
                "cost excess": both[:, 1],
                "noise moved, labels kept": both[:, 2],
            },
        ),
    )
    on.table(
        "three constants from n = 4 to 10⁶, w = 0.3, Δ = 2: n^½·mass, n·excess, n^{3/2}·K_n",
        ["n", "0.517088…", "2.415927…", "1.69374"],
        [[int(n), *(r * constants(w))] for n, r in zip(sizes, both, strict=True)],
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("M6")
@pytest.mark.parametrize("n", [16, 256])
def test_independent_coupling_misassigns_at_any_size(evidence, rng, n):
    w, draws = 0.3, 100_000
    noise, lower = rng.standard_normal(draws) < ndtri(w), rng.random(draws) < w
    evidence.on("TwoAtomLaw", w=w, n=n).control(
        "independent coupling: misassigned mass",
        predicted=2 * w * (1 - w),
        measured=(noise != lower).mean(),
        agreement=hoeffding(draws, 1.0, LEVEL),
        because="either is below its threshold alone; Hoeffding",
        intact=TwoAtomLaw([[0.0], [DISTANCE]], w, n).misassigned_mass().value,
        level=LEVEL,
        points=draws,
    )


@pytest.mark.control("M6")
@pytest.mark.parametrize("n", [16, 256])
def test_pairs_as_drawn_keep_their_excess(evidence, n):
    """However many pairs a batch has, if they are left as drawn the plan is that of one pair."""
    w, pairs_matched = 0.3, 1
    found = TwoAtomLaw([[0.0], [DISTANCE]], w, pairs_matched).cost_excess()
    evidence.on("TwoAtomLaw", w=w, n=n).control(
        "independent coupling: excess of the cost",
        predicted=2 * DISTANCE * norm.pdf(ndtri(w)),
        measured=found.value,
        agreement=found.error + 8 * EPS,
        because="2E⟨x₀,T(x₀)⟩ = 2Δφ_N(b), as the noise has mean 0; stated quadrature error",
        intact=TwoAtomLaw([[0.0], [DISTANCE]], w, n).cost_excess().value,
    )
