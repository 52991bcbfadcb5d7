"""P3 (Corollary 2.2): the field regressed by OT-CFM is attained without loss.

Assumed: the optimal coupling. The regression target ẋ_t = α̇x₀ + β̇x₁ equals v_t(x_t) pair by pair, so the
loss has infimum 0. The converse fails: rotated couplings reach loss 0 as well, and are told apart by P1
(cost) and P4 (curl). Controls: independent coupling, whose floor is positive, and a rotation beyond 90°.
"""

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.polynomial.hermite_e import hermegauss

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from numerics.schedules import Linear
from theorems.proximal_denoiser.rotated import RotatedCircle, turn
from theorems.setting.draws import generator
from theorems.setting.interpolant import Interpolant
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, TIMES, for_all
from theorems.setting.vectors import dot, norm
from theorems.statistics import hoeffding

LEVEL = 1e-9


@for_all("P3", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_regression_target_is_a_function_of_the_interpolant(evidence, target, schedule, t, seed):
    at = Interpolant.drawn(target, schedule, t, 400, generator(seed))
    _, _, fall, rise = at.coefficients
    stated = at.field.roundings.velocity(None, at.xt, remaining=1 - t, moved=at.of_path.bound)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|v_t(x_t) − ẋ_t| (the loss of OT-CFM, pair by pair)",
        norm(at.field.velocity(None, at.xt, remaining=1 - t) - (fall * at.x0 + rise * at.x1)),
        stated + at.of_speed,
        because="ẋ_t is v_t(x_t) exactly; what the field, x_t and ẋ_t round",
        clause="loss",
    )


@for_all("P3", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_field_has_the_stated_formula(evidence, target, schedule, t, seed):
    """Off the support too: the library forms α̇x₀ + β̇x₁; the claim's formula is evaluated here."""
    field = ExactField(target, schedule)
    x = target.scale * generator(seed).standard_normal((200, target.dim))
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    fall, rise = float(schedule.alpha_dot(t)) / alpha, float(schedule.beta_dot(t))
    data = target.prox(x / beta, alpha / beta)
    stated = fall * x + (rise - fall * beta) * data
    terms = abs(fall) * (norm(x) + beta * norm(data)) + abs(rise) * norm(data)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|v_t − ((α̇/α)x + (β̇ − α̇β/α)·prox_{λφ}(x/β))|",
        norm(field.velocity(t, x) - stated),
        Rounding(terms, 16, "α̇(x − βx₁)/α + β̇x₁, and the claim's arrangement"),
        because="two arrangements of the same sum, of one and the same prox",
        clause="formula",
    )


@for_all(
    "P3",
    degrees=st.integers(1, 90),
    radius=st.integers(1, 16).map(lambda k: k / 4),
    t=st.integers(1, 19).map(lambda k: k / 20),
    seed=SEEDS,
)
def test_zero_loss_does_not_certify_optimality(evidence, degrees, radius, t, seed):
    coupling = RotatedCircle(radius, np.deg2rad(degrees))
    x0 = generator(seed).standard_normal((200, 2))
    x1 = coupling.couple(x0)
    xt = (1 - t) * x0 + t * x1
    size = norm(xt) + t * radius
    # r solves ρ² − (βR sin θ)² = (αr + βR cos θ)²: near 90° and small r the root magnifies rounding of ρ².
    stretch = size**2 / ((1 - t) * norm(x0) + t * radius * np.cos(coupling.theta))
    evidence.on("rotated circle coupling", radius=radius, degrees=degrees, t=t, seed=seed).bounded(
        "|v_t(x_t) − ẋ_t| for a coupling that is not optimal",
        norm(coupling.velocity(t, xt) - (x1 - x0)),
        Rounding(
            (size + stretch) * (1 + size / norm(xt)) * (1 + radius / norm(xt)) / (1 - t),
            24,
            "x_t, ρ², the root (magnified by stretch), two quotients by ρ, a turn and a difference over 1−t",
        ),
        because="|θ| ≤ 90°: |x_t| grows with |x₀|, so x_t determines the pair",
        clause="converse",
    )


# --- controls -----------------------------------------------------------------------------------------


def _sign_floor(t, nodes):
    """E Var(ẋ_t|x_t) of one coordinate for ±1 and independent noise: Gauss–Hermite quadrature.

    The posterior mean is tanh(tx/(1−t)²), and ẋ = (x₁ − x_t)/(1−t).
    """
    x0, weights = hermegauss(nodes)
    xt = (1 - t) * x0 + t  # by symmetry x₁ = 1
    return (weights / weights.sum()) @ (1 - np.tanh(t * xt / (1 - t) ** 2) ** 2) / (1 - t) ** 2


@pytest.mark.control("P3")
@pytest.mark.parametrize("t", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("dim", [1, 3])
def test_independent_coupling_has_a_loss_floor(evidence, rng, dim, t):
    target, n = FiniteAtoms.hypercube(dim), 200_000
    weights = np.full(2**dim, 2.0**-dim)
    field = IndependentField(target.points, weights, Linear())
    x1 = target.points[rng.integers(2**dim, size=n)]
    x0 = rng.standard_normal((n, dim))
    loss = norm(field.velocity(t, (1 - t) * x0 + t * x1) - (x1 - x0)) ** 2
    predicted = dim * _sign_floor(t, 120)
    quadrature = dim * abs(_sign_floor(t, 120) - _sign_floor(t, 80))
    evidence.on(target, t=t).control(
        "optimal pairs replaced by independent ones: loss of the best field",
        predicted=predicted,
        measured=loss.mean(),
        agreement=hoeffding(n, 4 * dim / (1 - t) ** 2, LEVEL) + 2 * quadrature,
        because="the floor is E Var(x₁|x_t)/(1−t)²; each loss is at most 4d/(1−t)²: Hoeffding",
        level=LEVEL,
        points=n,
    )


@pytest.mark.control("P3")
@pytest.mark.parametrize("t", [0.05, 0.5, 0.95])
@pytest.mark.parametrize("dim", [1, 3, 6])
def test_prox_recovers_independent_pairs_with_probability_two_to_the_minus_d(evidence, rng, dim, t):
    target, n = FiniteAtoms.hypercube(dim), 50_000
    x0 = rng.standard_normal((n, dim))
    x1 = target.points[rng.integers(2**dim, size=n)]
    found = ExactField(target).denoise(t, (1 - t) * x0 + t * x1)
    evidence.on(target, t=t).control(
        "optimal pairs replaced by independent ones: probability that prox returns x₁",
        predicted=2.0**-dim,
        measured=(norm(found - x1) < 1e-9).mean(),
        agreement=hoeffding(n, 1.0, LEVEL),
        because="the projection on the cube keeps a coordinate iff x₀x₁ ≥ 0 there; Hoeffding",
        chosen="within 1e−9 is x₁ itself, as no two atoms are nearer than 2",
        intact=1.0,
        level=LEVEL,
        points=n,
    )


@pytest.mark.control("P3")
@pytest.mark.parametrize("t", [0.3, 0.5])
def test_rotation_beyond_a_right_angle_loses_the_function(evidence, rng, t):
    """θ = 120°: two noises r and βR/α − r share |x_t|; turned onto each other they want two velocities."""
    coupling, alpha = RotatedCircle(2.0, np.deg2rad(120)), 1 - t
    both = t * coupling.radius / alpha
    r = both * rng.uniform(0.05, 0.45, 300)
    first, second = (np.stack([s, 0 * s], axis=1) for s in (r, both - r))
    xt, other = (alpha * x0 + t * coupling.couple(x0) for x0 in (first, second))
    angle = np.arctan2(xt[:, 1], xt[:, 0]) - np.arctan2(other[:, 1], other[:, 0])
    turned = np.concatenate([turn(second[[i]], angle[i]) for i in range(len(r))])
    rho = norm(xt)
    along = (alpha * np.stack([r, both - r]) * np.cos(coupling.theta) + t * coupling.radius) / rho
    across = alpha * np.stack([r, both - r]) * np.sin(coupling.theta) / rho
    turn_between = np.arctan2(across[0], along[0]) - np.arctan2(across[1], along[1])
    velocity = coupling.couple(first) - first
    other_velocity = coupling.couple(turned) - turned
    same = norm(alpha * turned + t * coupling.couple(turned) - xt)
    evidence.on("rotated circle coupling", radius=2.0, degrees=120, t=t).control(
        "two pairs with one x_t: distance of their velocities",
        predicted=2 * coupling.radius * np.abs(np.sin(turn_between / 2)) / alpha,
        measured=norm(velocity - other_velocity),
        agreement=64 * EPS * (rho + coupling.radius) / alpha * coupling.radius / rho + same / alpha,
        because="ẋ = (x₁ − x_t)/(1−t) and x₁ is x_t/ρ turned by ω, sin ω = αr sin θ/ρ",
    )


@pytest.mark.control("P3")
def test_data_of_the_wrong_sign_is_not_regressed(evidence, rng):
    """Forgetting that ẋ regresses on the pair: with x₁ replaced by −x₁ the loss is 4E|x₁|²."""
    target, t = FiniteAtoms.hypercube(3), 0.5
    x0, x1 = target.sample(1000, rng)
    field = ExactField(target)
    loss = norm(field.velocity(t, (1 - t) * x0 + t * x1) - (-x1 - x0)) ** 2
    assert (dot(x1, x1) == 3).all()
    evidence.on(target).control(
        "data of the wrong sign in the regression target: loss",
        predicted=12.0,
        measured=loss,
        agreement=64 * EPS * 12 * (1 + norm(x0)),
        because="|2x₁|² = 4d",
    )
