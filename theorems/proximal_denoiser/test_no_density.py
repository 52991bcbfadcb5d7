"""P8: P2 and P3 where the data have no density at all.

Assumed: nothing beyond the contract. Laws of four kinds: atoms, manifolds, an atom mixed with a density, and
the Cantor law, which has neither atoms nor a density. For the last the identity is decided in rationals: with
p = Φ(x₀) it says F(Q(p)) = p, since ∂φ(x) = Φ⁻¹[F(x−), F(x)]. Controls: T in place of the prox inside a jump,
and the posterior mean, which needs no density either but belongs to another coupling.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr, ndtri

from numerics.accuracy import EPS, Rounding
from numerics.flows.independent import IndependentField
from numerics.potentials import (
    AtomAndDensity,
    Cantor,
    FiniteAtoms,
    Quantile,
)
from theorems.setting.draws import generator
from theorems.setting.instances import chosen
from theorems.setting.interpolant import Interpolant
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TIMES, for_all
from theorems.setting.values import Targets
from theorems.setting.vectors import norm

KINDS = chosen(
    "three atoms on a line",
    "Poisson law",
    "sphere of radius 2",
    "orthonormal frames",
    "ellipse as a curve",
    "atom of 3/8 and exponential law",
    "Cantor law",
    "Cantor law times circle",
)
WITHOUT_DENSITY = Targets(st.sampled_from(KINDS), KINDS)
probabilities = st.integers(1, 96).flatmap(lambda m: st.integers(0, m).map(lambda k: Fraction(k, m)))
CANTOR_DOMAIN = "p = k/m in [0, 1], m ≤ 96: binary and ternary digits periodic"


@for_all("P8", target=WITHOUT_DENSITY, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_data_and_loss_without_a_density(evidence, target, schedule, t, seed):
    at = Interpolant.drawn(target, schedule, t, 400, generator(seed))
    _, _, fall, rise = at.coefficients
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    on.bounded(
        "|prox_{λφ}(x_t/β) − x₁| (P2)",
        norm(at.solved.point - at.x1),
        at.of_recovery,
        because="prox returns x₁ exactly; what T, x_t/β and prox round",
        clause="recovery",
    )
    on.bounded(
        "|v_t(x_t) − ẋ_t|, the square root of the loss (P3)",
        norm(at.field.velocity(None, at.xt, remaining=1 - t) - (fall * at.x0 + rise * at.x1)),
        at.field.roundings.velocity(None, at.xt, remaining=1 - t, moved=at.of_path.bound) + at.of_speed,
        because="ẋ_t is v_t(x_t) exactly; what the field, x_t and ẋ_t round",
        clause="recovery",
    )


# --- ∂φ on the line -----------------------------------------------------------------------------------------

_BINOMIAL, _POISSON, _DENSITY = stats.binom(4, 0.375), stats.poisson(2.0), stats.expon()
LINES = {
    "binomial": (Quantile(_BINOMIAL), [0.0, 0.5, 1.0, 3.0, 4.0], _BINOMIAL.cdf),
    "Poisson": (Quantile(_POISSON), [0.0, 1.0, 2.5, 5.0], _POISSON.cdf),
    "exponential": (Quantile(_DENSITY), [0.25, 1.0, 4.0], _DENSITY.cdf),
    "uniform": (Quantile(stats.uniform(-1.0, 2.0)), [-0.75, 0.0, 0.5], stats.uniform(-1.0, 2.0).cdf),
    "atom and density": (
        AtomAndDensity([0.5], [0.375], _DENSITY),
        [0.25, 0.5, 1.5],
        lambda x: 0.625 * _DENSITY.cdf(x) + 0.375 * (np.asarray(x) >= 0.5),
    ),
    "atoms": (
        FiniteAtoms.on_line([0.0, 1.0, 3.0], [0.2, 0.3, 0.5]),
        [0.0, 0.5, 1.0, 3.0],
        lambda x: np.array([0.0, 0.2, 0.5, 1.0])[np.searchsorted([0.0, 1.0, 3.0], x, side="right")],
    ),
}


@pytest.mark.claim("P8")
@pytest.mark.parametrize("name", LINES)
def test_subdifferential_is_the_interval_of_quantiles(evidence, name):
    """∂φ(x) = Φ⁻¹[F(x−), F(x)], F from SciPy or by hand: the distance of noise from it."""
    target, points, law = LINES[name]
    noise = np.linspace(-4, 4, 161)
    for x in points:
        before, upto = float(law(np.nextafter(x, -np.inf))), float(law(x))
        low, high = float(ndtri(before)), float(ndtri(min(upto, 1.0)))
        wanted = np.maximum(np.maximum(low - noise, noise - high), 0.0)
        found = target.subdifferential([x])
        ends = [end for end in (low, high) if np.isfinite(end)]
        steep = max((np.sqrt(2 * np.pi) * np.exp(end**2 / 2) for end in ends), default=0.0)
        blur = found.blur * _slope_bound(law, x, ends)
        evidence.on(target, x=x).bounded(
            "|distance of noise from ∂φ(x) − its distance from Φ⁻¹[F(x−), F(x)]|",
            np.abs(found.distance(noise[:, None]) - wanted),
            Rounding(steep + 4 + max(map(abs, ends), default=0.0), 16, "F rounds, and Φ⁻¹ stretches that")
            + Rounding.measured((1 + np.abs(noise)) * found.rounding + blur, "what ∂φ states of itself"),
            because="φ' is Φ⁻¹∘F, and jumps of F make it an interval",
            clause="subdifferential",
        )


def _slope_bound(law, x, ends):
    """By how much Φ⁻¹∘F moves with x, per unit, off the jumps: F' over the normal density, by differences."""
    h = 1e-4
    change = max(float(law(x + h) - law(x)), float(law(x - 1e-9) - law(x - h))) / h
    return change * max((np.sqrt(2 * np.pi) * np.exp(end**2 / 2) for end in ends), default=0.0)


# --- the Cantor law in rationals ------------------------------------------------------------------------


@for_all("P8", p=probabilities)
def test_cantor_identity_is_exact(evidence, p):
    """Q is fixed by its digits: Q(p/2) = Q(p)/3 and Q((1+p)/2) = 2/3 + Q(p)/3."""
    q = Cantor.quantile_exact(p)
    on = evidence.on("Cantor()", p=p)
    if p < 1:  # at p = 1 the first digit of p/2 = ½ is that of the other end of the gap
        on.exact(
            "Q(p/2) = Q(p)/3",
            Cantor.quantile_exact(p / 2) == q / 3,
            CANTOR_DOMAIN,
            clause="recovery",
        )
    upper = Cantor.quantile_exact((1 + p) / 2)
    on.exact(
        "Q((1+p)/2) = 2/3 + Q(p)/3",
        upper == Fraction(2, 3) + q / 3,
        CANTOR_DOMAIN,
        clause="recovery",
    )
    on.exact(
        "F(Q(p)) = p, so x₀ = Φ⁻¹(p) lies in ∂φ(T(x₀)): prox_{λφ}(T(x₀) + λx₀) = T(x₀)",
        Cantor.distribution_exact(q) == p,
        CANTOR_DOMAIN,
        clause="recovery",
    )


@pytest.mark.claim("P8")
def test_cantor_conjugate_is_the_integral_of_its_quantile(evidence):
    """By digits: between the noises of j/2ᵏ and (j+1)/2ᵏ T lies within 3⁻ᵏ/2 of Σ 2bᵢ3⁻ⁱ + 3⁻ᵏ/2, bᵢ of j."""
    k, places = 18, np.array([-4.0, -1.5, -0.3, -1e-3, 1e-3, 0.4, 2.0, 4.5])
    j = np.arange(2**k)
    values = sum(2 * ((j >> (k - i)) & 1) * 3.0**-i for i in range(1, k + 1)) + 3.0**-k / 2
    edges = ndtri(np.arange(2**k + 1) / 2**k)
    found = []
    for s in places:
        inside = np.clip(edges, min(s, 0.0), max(s, 0.0))
        found.append(np.sign(s) * float(values @ np.diff(inside)))
    cantor, ends = Cantor(), places[:, None]
    conjugate = cantor.conjugate(ends) - cantor.conjugate(np.zeros((1, 1)))
    evidence.on(cantor, digits=k).bounded(
        "|φ*(s) − φ*(0) − ∫₀ˢ Q(Φ(r))dr|, Q by its digits",
        np.abs(conjugate - np.array(found)),
        cantor.roundings.conjugate(ends)
        + Rounding(np.abs(places) * 2 + 1, 24, "Φ⁻¹ at 2¹⁸ places, by partial sums in pairs"),
        because="φ*' = Q∘Φ: main term half a step of Q times |s|",
        main=np.abs(places) * 3.0**-k / 2,
        clause="subdifferential",
    )


@for_all("P8", k=st.integers(1, 40), data=st.data(), part=st.integers(0, 16).map(lambda j: Fraction(j, 16)))
def test_cantor_gaps_are_exact(evidence, k, data, part):
    """At a dyadic p of k digits T jumps by 3⁻ᵏ: every u of the gap is prox(u + λΦ⁻¹(p)), for F(u) = p."""
    p = Fraction(2 * data.draw(st.integers(0, 2 ** (k - 1) - 1), label="j") + 1, 2**k)
    u = Cantor.quantile_exact(p) - part / 3**k
    evidence.on("Cantor()", p=p, part=part).exact(
        "F = p on the whole gap [Q(p) − 3⁻ᵏ, Q(p)]: no density there, and prox is z − λΦ⁻¹(p)",
        Cantor.distribution_exact(u) == p,
        "dyadic p with at most 40 digits, points of the gap in sixteenths",
        clause="subdifferential",
    )


@for_all("P8", seed=SEEDS)
def test_cantor_transport_has_the_exact_digits(evidence, seed):
    """T(s) against Q of the rational number that the double Φ(s) is; s < 0, where Φ keeps its digits."""
    s = -np.abs(generator(seed).standard_normal(40))
    exact = np.array([float(Cantor.quantile_exact(Fraction(float(ndtr(x))))) for x in s])
    evidence.on("Cantor()", s=s).bounded(
        "|T(s) − Q(Φ(s))| with Q in rationals",
        np.abs(Cantor().transport(s[:, None])[:, 0] - exact),
        Rounding(
            np.full(len(s), 1.0), 5, "53 Horner steps (v + 2b)/3, each rounding shrunk by 3 at the next"
        ),
        because="T(s) is Q of the double Φ(s)",
        clause="recovery",
    )


# --- controls ---------------------------------------------------------------------------------------------


@pytest.mark.control("P8")
@pytest.mark.parametrize("digits", [1, 3, 6])
@pytest.mark.parametrize("step", [0.1, 1.0, 10.0])
def test_quantile_in_place_of_prox_inside_a_jump(evidence, digits, step):
    """For z = λs + u, u inside the jump at s, T(s) is an end of the gap: wrong by its distance from u."""
    p = Fraction(1, 2**digits)
    s, end = float(ndtri(float(p))), Cantor.quantile_exact(p)
    part = np.arange(1, 16) / 16
    u = float(end) - part / 3**digits
    z = (u + step * s)[:, None]
    target = Cantor()
    beyond = np.full_like(z, s + 9 * EPS)
    wrong = target.transport(beyond)[:, 0]
    right = target.prox(z, step)[:, 0]
    on = evidence.on("Cantor()", digits=digits, step=step)
    on.control(
        "Q(Φ(x₀)) returned inside a jump instead of (x_t − αx₀)/β: distance from the prox",
        predicted=part / 3**digits,
        measured=np.abs(wrong - right),
        agreement=target.roundings.prox(z, step).bound + 4 * EPS * (1 + norm(z)) + 3.0**-46,
        because="nine eps beyond s, Φ has passed p in its 47th digit at the earliest: T is off by 3⁻⁴⁶",
    )


@pytest.mark.control("P8")
@pytest.mark.parametrize("t", [0.1, 0.3, 0.5])
def test_posterior_mean_is_another_denoiser(evidence, t):
    """On atoms ±1 the posterior mean of independent noise is tanh(tx/(1−t)²), never an atom."""
    field = IndependentField([[-1.0], [1.0]], [0.5, 0.5])
    x0 = np.linspace(-1.5, 1.5, 60)[:, None]
    x1 = FiniteAtoms.hypercube(1).transport(x0)
    xt = (1 - t) * x0 + t * x1
    mean = field.denoise(t, xt)
    predicted = 1 - np.tanh(t * np.abs(xt) / (1 - t) ** 2)
    evidence.on("independent coupling, atoms ±1", t=t).control(
        "prox replaced by E[x₁|x_t] of the independent coupling: |x₁ − E[x₁|x_t]| on optimal pairs",
        predicted=predicted,
        measured=np.abs(x1 - mean),
        agreement=64 * EPS * (1 + np.abs(xt) / (1 - t) ** 2),
        because="Bayes for two atoms: weights e^{±tx/(1−t)²}",
    )
