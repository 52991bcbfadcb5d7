r"""N5, pointwise: two data laws P and Q, one noise x₀, one step λ.

Proof. F(u) = u − prox_{λφ_P}(u + λx₀) is 1-Lipschitz (Id − prox is) and vanishes at T_P(x₀): so
|F(T_Q(x₀))| ≤ |T_Q(x₀) − T_P(x₀)|, and prox_{λφ_Q}(T_Q(x₀) + λx₀) = T_Q(x₀). For any datum x₁ of P,
|F(x₁)|² ≤ λ·gap_P(x₁; x₀) (M8 in gap form), so |F(T_Q)| ≤ |T_Q − x₁| + √(λ gap). The fields differ by |β̇ −
α̇β/α||F|, λ = α/β.

Assumed: both laws have the noise's dimension. Over all pairs of representatives that share one, and over
the grammar against moved and scaled copies.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.exact import ExactField
from numerics.geometry import norms
from numerics.potentials import DegenerateGaussian, scale, translate
from numerics.schedules import Trigonometric
from theorems.setting.draws import generator
from theorems.setting.instances import REPRESENTATIVES
from theorems.setting.quantifiers import SCHEDULES, SEEDS, STEPS, TARGETS, TIMES, for_all
from theorems.setting.roundings import gap_rounding


def _residual(target, u, x0, step):
    """F(u), and what it rounds."""
    z = u + step * x0
    formed = Rounding(norms(u) + 2 * step * norms(x0), 2, "u + λx₀")
    found = target.prox(z, step)
    stated = target.roundings.prox(z, step) + formed
    return u - found, stated + Rounding(norms(u) + norms(found), 1, "a difference")


def _measure(on, first, second, x0, step):
    """|F(T_Q)| ≤ |T_Q − T_P|, and ≤ |T_Q − x₁| + √(λ gap) with data x₁ of P drawn apart."""
    u, image = second.transport(x0), first.transport(x0)
    off, stated = _residual(first, u, x0, step)
    apart = norms(u - image)
    sizes = norms(u) + norms(image)
    of_image = first.roundings.transport(x0) + Rounding(sizes, x0.shape[1] / 2 + 3, "a length")
    on.bounded(
        "|prox_{λφ_Q}(z) − prox_{λφ_P}(z)|, z = T_Q(x₀) + λx₀",
        norms(off),
        stated + of_image + Rounding(norms(off), x0.shape[1] / 2 + 2, "a length"),
        because="|T_Q(x₀) − T_P(x₀)|: F is 1-Lipschitz and vanishes at T_P(x₀)",
        main=apart,
        clause="pointwise",
    )
    x1 = np.roll(image, 1, axis=0)  # data of P that have nothing to do with x₀
    gap = np.maximum(first.value(x1) + first.conjugate(x0) - (x0 * x1).sum(axis=1), 0.0)
    of_gap = gap_rounding(first, x1, x0).bound
    beside = first.roundings.domain(x1)
    on.bounded(
        "|prox_{λφ_Q}(z) − prox_{λφ_P}(z)|, by any datum of P",
        norms(off),
        stated
        + beside
        + Rounding.measured(np.sqrt(step * (gap + of_gap)) - np.sqrt(step * gap), "the gap, under the root")
        + Rounding(norms(u) + norms(x1) + np.sqrt(step * gap), x0.shape[1] / 2 + 6, "lengths and a root"),
        because="|T_Q(x₀) − x₁| + √(λ·gap_P(x₁; x₀))",
        main=norms(u - x1) + np.sqrt(step * gap),
        clause="pointwise",
    )


@pytest.mark.claim("N5")
def test_all_pairs_that_share_a_dimension(evidence, rng):
    for first in REPRESENTATIVES:
        n = 8
        x0, step = rng.standard_normal((n, first.dim)), 2.0 ** rng.integers(-4, 5)
        others = [q for q in REPRESENTATIVES if q.dim == first.dim and q is not first]
        for second in others:
            _measure(evidence.on(first, other=second, step=step), first, second, x0, step)


@for_all("N5", target=TARGETS, step=STEPS, seed=SEEDS)
def test_moved_and_scaled_data(evidence, target, step, seed):
    """Q is P moved by up to its size, and P scaled by 2, ¼ or 1 + 2⁻²⁰."""
    rng, n = generator(seed), 25
    x0 = rng.standard_normal((n, target.dim))
    shift = target.scale * 10.0 ** rng.integers(-8, 1) * rng.standard_normal(target.dim)
    factor = float(rng.choice([2.0, 0.25, 1 + 2.0**-20]))
    for second in (translate(target, shift), scale(target, factor)):
        _measure(evidence.on(target, other=second, step=step, seed=seed), target, second, x0, step)


@for_all("N5", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_fields_differ_by_no_more_than_transports(evidence, target, schedule, t, seed):
    """At the interpolants of Q, which is P moved: |v^Q − v^P| ≤ |β̇ − α̇β/α||T_Q − T_P|."""
    rng, n = generator(seed), 25
    x0 = rng.standard_normal((n, target.dim))
    other = translate(target, target.scale * 10.0 ** rng.integers(-6, 1) * rng.standard_normal(target.dim))
    alpha, beta, fall, rise = (
        float(f(t)) for f in (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot)
    )
    u, image = other.transport(x0), target.transport(x0)
    xt = alpha * x0 + beta * u
    mine, theirs = ExactField(target, schedule), ExactField(other, schedule)
    factor = abs(rise - fall * beta / alpha)
    of_other = other.roundings.transport(x0)
    of_path = Rounding(alpha * norms(x0) + beta * norms(u), 2, "x_t") + of_other.amplified(beta)
    of_data = of_other + target.roundings.transport(x0)
    speed = norms(theirs.velocity(t, xt) - mine.velocity(t, xt))
    evidence.on(target, other=other, schedule=schedule, t=t, seed=seed).bounded(
        "|v^Q_t(x_t) − v^P_t(x_t)|",
        speed,
        mine.roundings.velocity(t, xt, moved=of_path.bound)
        + theirs.roundings.velocity(t, xt, moved=of_path.bound)
        + (of_data + Rounding(norms(u) + norms(image), target.dim + 8, "a length")).amplified(factor)
        + Rounding(speed, target.dim + 4, "a length"),
        because="|β̇ − α̇β/α||T_Q(x₀) − T_P(x₀)|",
        main=factor * norms(u - image),
        clause="pointwise",
    )


# --- controls -------------------------------------------------------------------------------------------


@pytest.mark.control("N5")
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_another_step_errs_though_the_data_agree(evidence, rng, factor):
    """P = Q Gaussian of deviation σ: the bound is 0, and prox with sλ misses by |x₁||s−1|λ/(σ+sλ)."""
    sigma, step = 1.5, 0.7
    target = DegenerateGaussian([0.0], [[sigma**2]])
    x0 = rng.standard_normal((100, 1))
    x1 = target.transport(x0)
    z = x1 + step * x0
    stated = target.roundings.prox(z, factor * step) + target.roundings.transport(x0).amplified(2.0)
    evidence.on(target, step=step, factor=factor).control(
        "step sλ in one of the two: |F(T_Q(x₀))| where Q = P",
        predicted=norms(x1) * abs(factor - 1) * step / (sigma + factor * step),
        measured=norms(x1 - target.prox(z, factor * step)),
        agreement=(stated + Rounding(norms(z), 8, "z and the prediction")).bound,
        because="prox of a Gaussian in closed form; rounding",
    )


@pytest.mark.control("N5")
def test_the_factor_of_the_fields_is_needed(evidence, rng):
    """A moved Gaussian of deviation σ: fields differ by |β̇ − α̇β/α||h|λ/(σ+λ)."""
    sigma, shift, t, schedule = 1.5, 0.5, 0.8, Trigonometric()
    first = DegenerateGaussian([0.0], [[sigma**2]])
    second = DegenerateGaussian([shift], [[sigma**2]])
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    factor = np.pi / 2 / alpha  # β̇ − α̇β/α = (π/2)(α + β²/α)
    x0 = rng.standard_normal((50, 1))
    xt = alpha * x0 + beta * second.transport(x0)
    mine, theirs = ExactField(first, schedule), ExactField(second, schedule)
    stated = mine.roundings.velocity(t, xt).bound + theirs.roundings.velocity(t, xt).bound
    size = shift * (alpha / beta) / (sigma + alpha / beta)
    evidence.on(first, other=second, t=t).control(
        "without |β̇ − α̇β/α|: |v^Q − v^P| over |F|",
        predicted=factor,
        measured=norms(theirs.velocity(t, xt) - mine.velocity(t, xt)) / size,
        agreement=stated / size + Rounding(factor, 16, "both quotients").bound,
        because="|F| = |h|λ/(σ+λ) for a shift h, at every x; rounding",
        intact=1.0,
    )
