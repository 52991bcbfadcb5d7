"""D1: thresholds of prox-boundedness, exactly where f has a formula, certified over the targets.

The targets cover the convex half: the noise x₀ ∈ ∂φ(x₁) gives an affine minorant, whose envelope bounds
e_λφ from below at every x and λ and touches it at x₁ + λx₀. The threshold itself is decided symbolically.
"""

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from theorems.definitions.known_thresholds import (
    box_minimum,
    concave_square,
    minorant_rounding,
    penalised,
    tangent_minorant,
)
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, STEPS, TARGETS, for_all
from theorems.setting.vectors import norm

r, step = sp.symbols("r lambda", positive=True)
u, x = sp.symbols("u x", real=True)
eighths = st.integers(-40, 40).map(lambda k: Fraction(k, 8))
ratios = st.integers(1, 40).map(lambda k: Fraction(k, 8))
sixty_fourths = st.integers(1, 63).map(lambda k: Fraction(k, 64))


@for_all("D1", target=TARGETS, step=STEPS, seed=SEEDS)
def test_convex_potentials_are_bounded_at_every_step(evidence, target, step, seed):
    rng = generator(seed)
    n = 40
    noise, data = target.sample(n, rng)
    away = target.scale * rng.standard_normal(data.shape) * 10.0 ** rng.uniform(-2, 3, (n, 1))
    z = rng.permutation(data) + away
    below = tangent_minorant(target, z, data, noise, step) - target.envelope(z, step)
    evidence.on(target, step=step, seed=seed).bounded(
        "φ(x₁) + ⟨x₀, x − x₁⟩ − λ|x₀|²/2 above e_λφ(x)",
        np.maximum(below, 0.0),
        _of_both(target, z, data, noise, step),
        because="the envelope of an affine minorant minorises the envelope",
        clause="convex",
    )


@for_all("D1", target=TARGETS, step=STEPS, seed=SEEDS)
def test_the_minorant_is_attained(evidence, target, step, seed):
    """At x₁ + λx₀ the bound is the envelope itself: φ(x₁) + λ|x₀|²/2."""
    noise, data = target.sample(40, generator(seed))
    z = data + step * noise
    apart = np.abs(target.envelope(z, step) - tangent_minorant(target, z, data, noise, step))
    # x₁ + λx₀ is formed: e moves by its slope |x₀| times that, and the minorant likewise.
    formed = Rounding(2 * norm(noise) * (norm(data) + step * norm(noise)), 2, "x₁ + λx₀ is formed")
    evidence.on(target, step=step, seed=seed).bounded(
        "|e_λφ(x₁ + λx₀) − its minorant|",
        apart,
        _of_both(target, z, data, noise, step) + formed,
        because="x₁ minimises, so the minorant touches the envelope",
        clause="convex",
    )


def _of_both(target, z, data, noise, step):
    """Of the minorant and of the envelope; an error δ of x₁ moves φ(x₁) − ⟨x₀, x₁⟩ by at most 2|x₀||δ|."""
    of_data = target.roundings.transport(noise).amplified(2 * norm(noise), "an error of x₁")
    envelope = target.roundings.envelope(z, step) + Rounding(
        np.abs(target.envelope(z, step)), 1, "the difference"
    )
    return minorant_rounding(target, z, data, noise, step) + envelope + of_data


@pytest.mark.claim("D1")
def test_threshold_of_the_concave_square(evidence):
    """λ < 1/r: a completed square. λ = 1/r: affine in u, slope −rx. λ > 1/r: falls for ever, at every x."""
    cost = penalised(concave_square(u, r), u, x, step)
    square = (1 / step - r) / 2 * (u - x / (1 - step * r)) ** 2 - r * x**2 / (2 * (1 - step * r))
    delta = sp.symbols("delta", positive=True)
    beyond = [sp.limit(cost.subs(step, 1 / r + delta), u, end) for end in (sp.oo, -sp.oo)]
    at = sp.expand(cost.subs(step, 1 / r))
    on = evidence.on("−(r/2)x²")
    on.exact(
        "λ < 1/r: e_λ(x) = −rx²/(2(1−λr))",
        sp.simplify(cost - square) == 0,
        "all r, λ, x (symbolic)",
        clause="square",
    )
    on.exact(
        "λ > 1/r: e_λ ≡ −∞",
        beyond == [-sp.oo, -sp.oo],
        "all r, x and λ = 1/r + δ, δ > 0 (symbolic)",
        clause="square",
    )
    on.exact(
        "λ = 1/r: −∞ but at x = 0, so the supremum is not the set's only boundary case",
        sp.simplify(at - (r * x**2 / 2 - r * x * u)) == 0,
        "all r, x (symbolic)",
        clause="square",
    )


@for_all("D1", r=ratios, share=sixty_fourths, x=eighths, competitor=eighths)
def test_concave_square_below_its_threshold_in_rationals(evidence, r, share, x, competitor):
    step = share / r
    best = x / (1 - share)
    value = penalised(concave_square(best, r), best, x, step)
    beaten = penalised(concave_square(competitor, r), competitor, x, step) - value
    evidence.on("−(r/2)x²", r=r, step=step, x=x, u=competitor).exact(
        "e_λ(x) = −rx²/(2(1−λr)) at u = x/(1−λr), and u' exceeds it by (1/λ − r)(u'−u)²/2",
        value == -r * x**2 / (2 * (1 - share)) and beaten == (1 / step - r) * (competitor - best) ** 2 / 2,
        domain="r, x in ⅛ℤ, λ = k/(64r), k < 64",
        clause="square",
    )


@pytest.mark.claim("D1")
def test_concave_cube_has_no_threshold(evidence):
    cost = penalised(-(u**3), u, x, step)
    evidence.on("−|x|³").exact(
        "e_λ ≡ −∞ for every λ > 0",
        sp.limit(cost, u, sp.oo) == -sp.oo,
        "all λ, x (symbolic), along u → ∞",
        clause="cube",
    )


@pytest.mark.claim("D1")
def test_concave_modulus_has_infinite_threshold(evidence):
    """−|u| + (u−x)²/(2λ) = [(|u|−|x|−λ)² + 2(|x||u| − xu)]/(2λ) − |x| − λ/2: both terms are ≥ 0."""
    cost = penalised(-sp.Abs(u), u, x, step)
    squares = (sp.Abs(u) - sp.Abs(x) - step) ** 2 + 2 * (sp.Abs(x) * sp.Abs(u) - x * u)
    minimum = -sp.Abs(x) - step / 2
    on = evidence.on("−|x|")
    on.exact(
        "e_λ(x) ≥ −|x| − λ/2 as a sum of nonnegative terms",
        sp.simplify(sp.expand(cost - squares / (2 * step) - minimum)) == 0,
        "all λ, x, u (symbolic)",
        clause="modulus",
    )
    positive = sp.symbols("a", nonnegative=True)
    attained = [cost.subs(u, s * (positive + step)).subs(x, s * positive) for s in (1, -1)]
    on.exact(
        "attained at u = ±(|x| + λ)",
        [sp.simplify(value + positive + step / 2) == 0 for value in attained],
        "all λ and x of either sign (symbolic)",
        clause="modulus",
    )
    middle = -sp.Abs(sp.Integer(0)) - (-sp.Abs(sp.Integer(1)) - sp.Abs(sp.Integer(-1))) / 2
    on.exact(
        "−|x| is not convex: its value at 0 exceeds the mean of those at ±1 by 1",
        middle == 1,
        "±1",
        clause="modulus",
    )


@pytest.mark.claim("D1")
def test_the_three_functions_in_every_dimension(evidence):
    """Both norms and the inner product are all that enters: a = |u|, b = |x|, p = ⟨u, x⟩ ≤ ab, in any R^d."""
    a, b = sp.symbols("a b", nonnegative=True)
    p, end = sp.symbols("p", real=True), sp.symbols("s", positive=True)

    def cost(f):
        return f + (a**2 - 2 * p + b**2) / (2 * step)

    rest = 1 - step * r
    square = (1 / step - r) / 2 * (a**2 - 2 * p / rest + b**2 / rest**2) - r * b**2 / (2 * rest)
    on, domain = (
        evidence.on("−(r/2)|x|², −|x|³ and −|x| in R^d"),
        "all d, u, x, λ, r (symbolic in |u|, |x|, ⟨u,x⟩)",
    )
    on.exact(
        "−(r/2)|u|² + |u−x|²/(2λ) = (1/λ − r)|u − x/(1−λr)|²/2 − r|x|²/(2(1−λr))",
        sp.simplify(cost(-r * a**2 / 2) - square) == 0,
        domain,
        clause="square",
    )
    delta = sp.symbols("delta", positive=True)
    ray = {a: end, p: end * b}  # u = s·x/|x|, or any unit vector where x = 0
    falls = [
        sp.limit(cost(-r * a**2 / 2).subs(ray).subs(step, 1 / r + delta), end, sp.oo),
        sp.limit(cost(-(a**3)).subs(ray), end, sp.oo),
    ]
    for name, fall, clause in (("−(r/2)|x|² beyond 1/r", falls[0], "square"), ("−|x|³", falls[1], "cube")):
        on.exact(f"e_λ ≡ −∞ for {name}", fall == -sp.oo, f"{domain}, along x", clause=clause)
    squares = ((a - b - step) ** 2 + 2 * (a * b - p)) / (2 * step)
    on.exact(
        "−|u| + |u−x|²/(2λ) = [(|u|−|x|−λ)² + 2(|x||u| − ⟨x,u⟩)]/(2λ) − |x| − λ/2, and attained",
        [
            sp.simplify(cost(-a) - squares + b + step / 2) == 0,
            sp.simplify(squares.subs({a: b + step, p: (b + step) * b})) == 0,
        ],
        f"{domain}; Cauchy and Schwarz: the second term is ≥ 0",
        clause="modulus",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("D1")
@pytest.mark.parametrize("excess", [1e-3, 0.1, 1.0, 100.0])
@pytest.mark.parametrize("x", [0.0, 3.0])
def test_beyond_the_threshold_the_envelope_falls_with_the_box(evidence, excess, x):
    """−(r/2)x², λ = (1+excess)/r: doubling the box B lowers the minimum by 3(r/2 − 1/(2λ))B² + |x|B/λ."""
    r, size = 2.0, 1e3
    step = (1 + excess) / r
    lows = [_least(lambda u: concave_square(u, r), x, step, b) for b in (size, 2 * size)]
    on = evidence.on("−(r/2)x²", r=r, step=step, x=x, B=size)
    size_of_terms = r * (2 * size) ** 2 / 2 + (2 * size + abs(x)) ** 2 / (2 * step)
    on.control(
        "λ beyond 1/r: minimum over the box [−B, B]",
        predicted=box_minimum(r, x, step, size),
        measured=lows[0],
        agreement=64 * EPS * size_of_terms,
        because="a concave quadratic is least at an end of the box",
    )
    on.control(
        "λ beyond 1/r: fall of the minimum when the box is doubled",
        predicted=3 * (r / 2 - 1 / (2 * step)) * size**2 + abs(x) * size / step,
        measured=lows[0] - lows[1],
        agreement=64 * EPS * size_of_terms,
        because="below the threshold the minimiser is inside both boxes and nothing changes",
    )


@pytest.mark.control("D1")
@pytest.mark.parametrize("step", [1e-3, 1.0, 1e3])
def test_no_step_holds_the_cube(evidence, step):
    x, size = 1.0, 4 / step + 4.0
    lows = [_least(lambda u: -(np.abs(u) ** 3), x, step, b) for b in (size, 2 * size)]
    first, second = (-(b**3) + (b - x) ** 2 / (2 * step) for b in (size, 2 * size))
    evidence.on("−|x|³", step=step, x=x, B=size).control(
        "−|x|³ at any λ: fall of the minimum when the box is doubled",
        predicted=first - second,
        measured=lows[0] - lows[1],
        agreement=64 * EPS * (2 * size) ** 3 * (1 + 1 / step),
        because="for B ≥ 4/λ + 4 the cube has overtaken the square: least at the end u = B",
    )


def _least(f, x, step, size):
    """Minimum over 4001 points of the box, ends included, knowing nothing of where it should be."""
    grid = np.linspace(-size, size, 4001)
    return float(penalised(f(grid), grid, x, step).min())
