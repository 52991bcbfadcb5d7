"""N7: the potential's growth and domain, and where its transport goes.

Assumed: noise with a density that is positive almost everywhere; P₀ = N(0, I). Supports and hulls are held to
their own equations (`supports`, `hull_projections`). Controls: max(x²/2, |y|), which is no potential of this
setting, by exact arithmetic; noise without tails, under which φ grows linearly.
"""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import strategies as st
from scipy import stats

from numerics.accuracy import EPS, Rounding
from numerics.geometry import norms
from numerics.potentials import DegenerateGaussian, Quantile, product
from theorems.proximal_denoiser.hull_projections import HULLS
from theorems.proximal_denoiser.supports import SUPPORTS
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SEEDS, TARGETS, for_all
from theorems.setting.roundings import dot_rounding, gap_rounding
from theorems.setting.values import Values
from theorems.statistics import hoeffding

LEVEL = 1e-9

# --- growth, hull, support --------------------------------------------------------------------------------

UNBOUNDED = (
    Quantile(stats.norm(1.0, 2.0)),
    Quantile(stats.expon()),
    Quantile(stats.t(5.0)),
    Quantile(stats.lognorm(0.5)),
    DegenerateGaussian([1.0, 2.0], [[4.0, 1.0], [1.0, 0.5]]),
    product(Quantile(stats.t(5.0)), DegenerateGaussian([0.0], [[1.0]])),
)


@pytest.mark.claim("N7")
@pytest.mark.parametrize("target", UNBOUNDED, ids=repr)
@pytest.mark.parametrize("slope", [1.0, 2.0, 4.0])
def test_potential_outgrows_every_slope(evidence, rng, target, slope):
    """φ(u) ≥ R|u| as soon as |u| ≥ φ*((R+1)u/|u|), a number, as φ* is finite everywhere."""
    way = rng.standard_normal((100, target.dim))
    way /= norms(way)[:, None]
    reach = np.maximum(target.conjugate((slope + 1) * way), 0.0)
    reach = reach + target.roundings.conjugate((slope + 1) * way).bound + 1e-3
    u = reach[:, None] * way
    value = target.value(u)
    inside = np.isfinite(value)
    assert inside.any()
    evidence.on(target, slope=slope).bounded(
        "how far φ(u) falls short of R|u| beyond the radius that φ* gives",
        np.maximum(slope * reach - value, 0.0)[inside],
        (target.roundings.value(u) + Rounding((1 + slope) * reach, 4, "|u| and R|u|"))[inside],
        because="φ(u) ≥ ⟨x, u⟩ − φ*(x) with x = (R+1)u/|u|",
        chosen="places 1e−3 beyond that radius, and whatever is in the domain",
        kind="inequality",
        left_out=int((~inside).sum()),
        clause="growth",
    )


@for_all("N7", target=TARGETS, seed=SEEDS)
def test_hull_of_the_support_lies_in_the_domain(evidence, target, seed):
    """φ(Σ w_k y_k) ≤ Σ w_k φ(y_k) < ∞ at mixtures of data."""
    rng, n = generator(seed), 60
    data = target.sample(4 * n, rng)[1].reshape(n, 4, target.dim)
    weights = rng.dirichlet(np.ones(4), n)
    mixed = (weights[:, :, None] * data).sum(axis=1)
    values = target.value(data.reshape(-1, target.dim)).reshape(n, 4)
    value = target.value(mixed)
    assert np.isfinite(value).all(), "φ is +inf inside the hull of its data"
    stated = target.roundings
    of_each = np.broadcast_to(stated.value(data.reshape(-1, target.dim)).bound, (4 * n,))
    of_data = Rounding.measured(of_each.reshape(n, 4).max(axis=1), "φ at the data")
    spread = np.abs(values).max(axis=1)
    noise = target.proximal_point(mixed, 1e-6 * target.finest).dual
    evidence.on(target, seed=seed).bounded(
        "how far φ at a mixture of data exceeds the mixture of φ",
        np.maximum(value - (weights * values).sum(axis=1), 0.0),
        stated.value(mixed)
        + of_data
        + Rounding(spread, 8, "the mixture")
        + (stated.domain(mixed) + Rounding(norms(data).max(axis=1), 8, "u is formed")).amplified(
            norms(noise) + 1, "φ changes by its slope"
        ),
        because="φ is convex and finite on the support",
        clause="domain",
    )


@pytest.mark.claim("N7")
@pytest.mark.parametrize("hull", HULLS, ids=lambda hull: hull.name)
def test_domain_ends_at_the_hull_of_the_support(evidence, rng, hull):
    """φ = +∞ where the distance from the hull is positive, and is finite on the hull.

    Drawn points and, as near to the hull as can be told from it, points twice their rounding beyond.
    """
    target = hull.target
    x = 2 * target.scale * rng.standard_normal((200, target.dim))
    aim = hull.project(x)
    away = norms(x - aim)
    near = aim + (x - aim) * (1e-12 * target.scale / np.maximum(away, 1e-3 * target.scale))[:, None]
    asked = np.concatenate([x, near])
    feet = hull.project(asked)
    held = np.where(np.isfinite(target.value(asked)), norms(asked - feet), 0.0)
    on = evidence.on(target)
    on.bounded(
        "distance from the hull of points at which φ is finite",
        held,
        Rounding(target.scale, 64 * target.dim, "twice the width to which a domain is kept, 16d·eps·scale")
        + hull.rounding(asked, feet),
        because="φ is +∞ off the closed hull, told apart by that width and what the projection rounds",
        clause="domain",
    )
    on.estimated(
        "points on the hull at which φ is not finite: their number",
        float((~np.isfinite(target.value(aim))).sum()),
        0.0,
        by="projections of rounded points, which are on the hull but for what they themselves round",
        because="φ is finite on the hull of these supports, and kept so to rounding",
        points=len(aim),
        clause="domain",
        kind="count",
    )


@pytest.mark.claim("N7", "P1")
@pytest.mark.parametrize("support", SUPPORTS, ids=lambda support: support.name)
def test_transport_takes_values_in_the_support(evidence, rng, support):
    """At noise of every size, not at typical noise alone: |x₀| from 1e−3 to 1e3."""
    target = support.target
    x0 = 10.0 ** rng.uniform(-3, 3, (400, 1)) * rng.standard_normal((400, target.dim))
    if target.dim == 1:
        x0 = np.clip(x0, -8, 8)  # beyond, Φ(x₀) is 1 to rounding
    image = target.transport(x0)
    evidence.on(support.target, x0=x0).bounded(
        f"|F(T(x₀))| for an equation F = 0 of the support: {support.name}",
        support.miss(image),
        target.roundings.transport(x0).amplified(support.slope)
        + Rounding(support.slope * (norms(image) + target.scale), support.terms, "F is evaluated"),
        because="∇φ*(x₀) is a limit of gradients at noise whose image is in the support, which is closed",
        clause="image",
    )


@for_all(
    "N7",
    "P1",
    target=TARGETS,
    seed=SEEDS,
    step=Values(st.integers(-6, 6).map(lambda k: 4.0**k), 0.5, (2.0**-8, 0.5, 16.0)),
)
def test_image_is_the_only_maximiser(evidence, target, seed, step):
    """At other data u the gap is |u − prox_{λφ}(u + λx₀)|²/λ at least, for every λ."""
    n = 60
    x0, _ = target.sample(n, generator(seed))
    u = target.sample(n, generator(seed + 1))[1]
    found = target.proximal_point(u + step * x0, step)
    away = norms(u - found.point)
    gap = target.value(u) + target.conjugate(x0) - (u * x0).sum(axis=1)
    slip = found.rounding.point.bound + 2 * EPS * (norms(u) + step * norms(x0))
    slip = slip + target.roundings.domain(u).bound
    evidence.on(target, seed=seed, step=step).bounded(
        "|u − prox_{λφ}(u + λx₀)|²/λ above the Fenchel–Young gap of (x₀, u)",
        np.maximum(away**2 / step - gap, 0.0),
        gap_rounding(target, u, x0)
        + dot_rounding(u, x0)
        + Rounding.measured((2 * away + slip) * slip / step, "prox, and forming its argument"),
        because="strong convexity of φ + |· − u − λx₀|²/(2λ), and of its dual: each gives half",
        clause="uniqueness",
    )


# --- control ------------------------------------------------------------------------------------------------


@pytest.mark.control("N7")
def test_a_function_with_an_infinite_conjugate_is_no_potential(evidence, rng):
    """max(x²/2, |y|): φ*(v) = v₁²/(2(1 − |v₂|)) for |v₂| < 1; +∞ for |v₂| > 1, which has mass 2Φ(−1)."""
    n = 100_000
    noise = rng.standard_normal((n, 2))
    # along (0, ±k) ⟨v, u⟩ − φ(u) = k(|v₂| − 1), unbounded iff |v₂| > 1: decided in rationals
    infinite = sum(abs(Fraction(float(v))) > 1 for v in noise[:, 1])
    mass = (arb(1) / arb(2).sqrt()).erfc()
    assert float(mass.rad()) < 1e-12
    evidence.on("max(x²/2, |y|)").control(
        "a potential whose conjugate is +∞ on noise of positive mass: that mass",
        predicted=float(mass.mid()),
        measured=infinite / n,
        agreement=hoeffding(n, 1.0, LEVEL),
        because="2Φ(−1) = erfc(1/√2), enclosed in ball arithmetic; Hoeffding",
        level=LEVEL,
        points=n,
    )


@for_all("N7", x=st.integers(-16, 16), y=st.integers(-64, 64), u=st.integers(-16, 16), v=st.integers(-7, 7))
def test_that_conjugate_is_as_stated_where_it_is_finite(evidence, x, y, u, v):
    """The control's formula, in rationals: ⟨v, ·⟩ − φ at its maximiser, and below it elsewhere."""
    first, second = Fraction(u, 4), Fraction(v, 8)
    room = 1 - abs(second)
    stated = first**2 / (2 * room)
    best = first / room
    ends = best, (best**2 / 2 if second >= 0 else -(best**2) / 2)

    def rise(a, b):
        return first * a + second * b - max(a * a / 2, abs(b))

    on = evidence.on("max(x²/2, |y|)", v=(first, second))
    on.exact(
        "φ*(v) is attained at x = v₁/(1−|v₂|), y = ±x²/2",
        rise(*ends) == stated,
        "v₁ ∈ ¼ℤ, v₂ ∈ ⅛ℤ",
        clause="growth",
    )
    on.exact(
        "no other point does better",
        rise(Fraction(x, 4), Fraction(y, 8)) <= stated,
        "v₁, x ∈ ¼ℤ, v₂, y ∈ ⅛ℤ",
        clause="growth",
    )


@pytest.mark.control("N7")
@pytest.mark.parametrize("u", [5.0, 20.0, 60.0])
def test_noise_without_tails_lets_the_potential_grow_linearly(evidence, u):
    """Noise uniform on [0, 1], data Exp(1): φ(u) = u − 1 + e^{−u} never outgrows the slope 1."""
    grid = np.linspace(0, 1, 200_001)
    with np.errstate(divide="ignore", invalid="ignore"):
        conjugate = np.where(grid < 1, grid + (1 - grid) * np.log(1 - grid), 1.0)
    found = (u * grid - conjugate).max()
    target = Quantile(stats.expon())
    evidence.on("uniform noise, exponential data", u=u).control(
        "noise without tails: φ(u)/u",
        predicted=(u - 1 + np.exp(-u)) / u,
        measured=found / u,
        agreement=(1e-5 + 64 * EPS * u) / u,
        because="φ' = F ≤ 1. On a grid of step h the maximum of up − φ*(p) is missed by less than h(u + φ*')"
        " at its end, of which the last step holds at most h·log(1/h)",
        intact=float(target.value([[u]])[0]) / u,
    )
