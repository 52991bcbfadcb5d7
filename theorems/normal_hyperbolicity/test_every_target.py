r"""N1 (a): Jacobians and exponents for every target, at almost every noise; H1 without a manifold.

Assumed: nothing of the target but a second moment; φ\* has an Aleksandrov expansion at almost every noise.
Where T is smooth the field's Jacobian, which goes through the prox, is held to K. The Cantor law and biased
bits are singular: K = 0 almost everywhere, though they have no atoms, by exact slopes over cells that
shrink to a point; the Cantor law's flow is followed by differences over 10⁻¹³.
Controls: the slope of biased bits, by the number predicted; the law of x₀³ at 0.
"""

from fractions import Fraction
from itertools import product as tuples

import numpy as np
import pytest
import sympy as sp
from scipy import stats

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import Bits, Cantor, Sphere, product
from numerics.schedules import Linear, VariancePreserving
from theorems.normal_hyperbolicity.bundles import compared_with_k
from theorems.normal_hyperbolicity.figures import draw_bits
from theorems.setting.draws import affordable, generator
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, TIMES, for_all
from theorems.statistics import hoeffding

P, Q = Fraction(3, 10), Fraction(7, 10)
BIASED = Bits(P)
RATE = float(np.log(2) + P * np.log(float(P)) + Q * np.log(float(Q)))
"""log 2 − h(p), h the entropy of a bit: .0822829."""
SHIFT, TOLD = 1e-13, 1e-4
LEVEL = 1e-9


@for_all("H1", "N1", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_field_jacobian_is_that_of_k_at_almost_every_noise(evidence, target, schedule, t, seed):
    x0, _ = target.sample(affordable(100, target.dim), generator(seed))
    found = compared_with_k(target, x0, schedule, 1 - t)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|Dv_t(x_t) − (α̇I+β̇K)(αI+βK)⁻¹|, K from T alone",
        found.error,
        found.rounding,
        because="they are equal; what D prox, K, T and x_t err by. At kinks: D prox is a set (Clarke)",
        at_kinks=found.at_kinks,
        left_out=found.unknown,
        clause="Jacobian",
    )


@pytest.mark.claim("N1")
def test_exponents_symbolically(evidence):
    """Off ker K the exponent needs α → 0 alone, also for α = 1/(1+τ); on ker K it is that of α."""
    tau, kappa, gamma = sp.symbols("tau kappa gamma", positive=True)
    for name, alpha in (("e^−τ", sp.exp(-tau)), ("1/(1+τ)", 1 / (1 + tau)), ("e^−γτ", sp.exp(-gamma * tau))):
        growth = sp.log(alpha + (1 - alpha) * kappa)
        off = sp.limit(growth.subs(gamma, sp.Rational(1, 2)) / tau, tau, sp.oo)
        evidence.exact(
            f"lim log(α+βκ)/τ = 0 for κ > 0, α = {name}", off == 0, "all κ > 0; γ = 1/2", clause="exponents"
        )
    on = sp.simplify(sp.expand_log(sp.log(sp.exp(-gamma * tau)), force=True) / tau)
    evidence.exact("log α/τ = −γ on ker K for α = e^−γτ", on == -gamma, "all γ, τ > 0", clause="exponents")


@pytest.mark.claim("N1")
@pytest.mark.parametrize("target", [Cantor(), product(Cantor(), Sphere(2))], ids=repr)
@pytest.mark.parametrize("schedule", [Linear(), VariancePreserving()], ids=repr)
def test_flow_of_the_cantor_law_contracts(evidence, rng, target, schedule):
    """|X_t(x₀+hu) − X_t(x₀)|/h along the Cantor coordinate is α_t, unless T rises by more than εh within h.

    Take J with 3⁻ᴶ ≤ εh < 3¹⁻ᴶ. Between neighbouring dyadic probabilities of order J the quantile rises by
    3⁻ᴶ; so one of them, 2ᴶ ≤ 2(εh)^{−log 2/log 3} in number, must lie within h of s, as each does with
    probability h/√(2π) at most.
    """
    n, remaining = 4000, float(np.exp(-8.0))
    x0, along = rng.standard_normal((n, target.dim)), np.eye(target.dim)[0]
    field, alpha, beta = ExactField(target, schedule), *_shares(schedule, remaining)
    moved = field.flow(None, x0 + SHIFT * along, remaining=remaining) - field.flow(
        None, x0, remaining=remaining
    )
    step = (x0 + SHIFT * along - x0)[:, 0]
    grown = np.linalg.norm(moved, axis=1) / step
    blur = 4 * EPS * (alpha * np.abs(x0[:, 0]) + beta) / SHIFT
    rate = 2 * (TOLD * SHIFT) ** (-np.log(2) / np.log(3)) * SHIFT / np.sqrt(2 * np.pi)
    kernel = target.transport_jacobian(x0)
    stated = np.linalg.norm(alpha * along + beta * kernel @ along, axis=1)  # |(αI+βK)u| by the library's K
    beyond = int((np.abs(grown - stated) > beta * TOLD + blur).sum())
    evidence.on(target, schedule=schedule, remaining=remaining).statistical(
        "number of points whose growth along the Cantor coordinate is not |(αI+βK)u| = α, of 4000",
        beyond,
        float(stats.binom.isf(LEVEL, n, min(rate, 1.0))),
        LEVEL,
        because="K = 0; T rises by more than 1e-4·h within h = 1e-13 with probability 1e-2 at most",
        clause="exponents",
    )


def _shares(schedule, remaining):
    return float(schedule.alpha(remaining=remaining)), float(schedule.beta(remaining=remaining))


@pytest.mark.claim("N1")
def test_slopes_of_the_cantor_quantile_in_rationals(evidence):
    """Q((j+u)/2ᵏ) − Q(j/2ᵏ) = 3⁻ᵏQ(u): over every cell of k digits Q has the slope (2/3)ᵏ, which tends to 0.

    T is monotone, so T' exists almost everywhere (Lebesgue), and is then the limit of slopes over cells that
    shrink to the point: 0.
    """
    q = Cantor.quantile_exact
    places = [(k, j, Fraction(u, 7)) for k in range(1, 7) for j in range(2**k) for u in range(1, 7)]
    holds = [q((j + u) / Fraction(2**k)) - q(Fraction(j, 2**k)) == q(u) / 3**k for k, j, u in places]
    evidence.on(Cantor()).exact(
        "Q((j+u)/2ᵏ) − Q(j/2ᵏ) = Q(u)/3ᵏ", holds, "k ≤ 6, all j, u = 1/7, …, 6/7", clause="Jacobian"
    )


@pytest.mark.claim("N1")
def test_cells_of_biased_bits_in_rationals(evidence):
    """F rises over the cell of k bits by the product of their chances: Q has the slope 2⁻ᵏ over that."""
    f, holds = BIASED.distribution_exact, []
    for bits in tuples((0, 1), repeat=8):
        x = sum((Fraction(b, 2**i) for i, b in enumerate(bits, start=1)), Fraction(0))
        holds.append(f(x + Fraction(1, 256)) - f(x) == P ** sum(bits) * Q ** (8 - sum(bits)))
    evidence.on(BIASED).exact(
        "F(x + 2⁻ᵏ) − F(x) = pʲqᵏ⁻ʲ, j ones", holds, "all 256 cells of 8 bits", clause="Jacobian"
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("N1")
@pytest.mark.parametrize("k", [10, 20, 100])
def test_mean_and_median_slope_of_biased_bits(evidence, k):
    """E log slope = −k(log 2 − h) in rationals, and it is the median where kp is an integer: K = 0."""
    chances = [sp.binomial(k, j) * P**j * Q ** (k - j) for j in range(k + 1)]
    ones = sum(j * c for j, c in enumerate(chances))
    on = evidence.on(BIASED, k=k)
    below = sum(chances[: int(k * P)])
    assert ones == k * P  # so E log slope = −k log 2 − kp log p − kq log q, exactly
    assert below < sp.Rational(1, 2) < below + chances[int(k * P)]
    spread = float(np.sqrt(float(P * Q)) * np.log(float(Q / P)))
    log_slopes = -np.log(2) * k - np.array([j * np.log(0.3) + (k - j) * np.log(0.7) for j in range(k + 1)])
    weights = np.array([float(c) for c in chances])
    on.control(
        "A1 violated, K = 0: mean of the log slope of Q over cells of k bits, over k",
        predicted=-0.0822829,
        measured=float(weights @ log_slopes) / k,
        agreement=0.5e-7 + 1e-12,
        because="log 2 − h(.3) = .0822829 to seven decimals; E(number of ones) = kp in rationals",
        clause="Jacobian",
    )
    on.control(
        "A1 violated: median of the log slope, over k, kp an integer",
        predicted=-RATE,
        measured=float(log_slopes[int(k * P)]) / k,
        agreement=Rounding(1.0, 4 * k, "k terms").bound,
        because="P(j < kp) < ½ < P(j ≤ kp), in rationals",
    )
    on.control(
        "A1 violated: deviation of the log slope over √k",
        predicted=0.3882807,
        measured=float(np.sqrt(weights @ (log_slopes + k * RATE) ** 2 / k)),
        agreement=0.5e-7 + 1e-12,
        because=f"√(pq)·log(q/p) = {spread:.7f} for each bit",
    )


@pytest.mark.control("N1")
def test_slopes_at_drawn_noise(evidence, rng):
    """The library's T draws the bits: the mean of log slopes over the cells of 30 bits that it falls in."""
    n, k = 2000, 30
    _, x1 = Bits(0.3).sample(n, rng)
    cells = np.floor(x1[:, 0] * 2.0**k).astype(np.int64)
    ones = np.array([int(c).bit_count() for c in cells])
    slopes = -np.log(2) * k - ones * np.log(0.3) - (k - ones) * np.log(0.7)
    level = 1e-9
    evidence.on(Bits(0.3), k=k).control(
        "A1 violated: mean of the log slope of Q over cells of 30 bits, at drawn noise",
        predicted=-k * RATE,
        measured=slopes.mean(),
        agreement=k * np.log(7 / 3) * hoeffding(n * k, 1.0, level),
        because="Hoeffding: the bits of all points are independent, each worth log(q/p)",
        level=level,
        intact=0.0,
    )
    evidence.figure(
        "A law with a support that is an interval, and K = 0: biased bits, p = .3",
        "The quantile function rises everywhere, but its slope over cells of k bits falls as exp(−.0823k) in "
        "the mean and the median of its logarithm",
        lambda figure: draw_bits(figure, Bits(0.3), RATE, np.sqrt(0.21) * np.log(7 / 3)),
        size=(8.0, 3.4),
    )


@pytest.mark.control("N1")
def test_law_of_the_cube_at_0(evidence):
    """T = x³: K = 0 at 0 on a tangent direction, m = 1, φ = (3/4)|x|^{4/3}: exponent −γ at that noise."""
    x, h = sp.symbols("x h", positive=True)
    potential = sp.Rational(3, 4) * x ** sp.Rational(4, 3)
    assert sp.simplify(sp.diff(potential, x) - x ** sp.Rational(1, 3)) == 0  # ∂φ = T⁻¹
    assert sp.limit(sp.diff(potential, x, 2), x, 0, "+") == sp.oo  # A1 fails at 0
    quotient = sp.limit(h**3 / h, h, 0, "+")
    alpha = np.exp(-np.array([4.0, 5.0]))
    evidence.on("the law of x₀³ at 0").control(
        "H infinite on the support's own direction: exponent there, instead of 0",
        predicted=-1.0,
        measured=float(np.diff(np.log(alpha + (1 - alpha) * float(quotient)))[0]),
        agreement=Rounding(5.0, 8, "two logarithms").bound,
        because="K = lim T(h)/h = 0, in symbols: DX_t = α_t",
        intact=0.0,
        clause="exponents",
    )
