"""P5: spectral bounds of the prox and of the field, and the Lipschitz constant off the support.

Assumed: the contract. The stated Jacobian is compared with complex steps through prox, or with secants where
these don't pass, before its spectrum is bounded; Lipschitz bounds need no derivative and hold across the gaps
of atomic targets too. Controls: the argmin over atoms, which jumps in the gaps, and the field of independent
coupling, which breaks the bound.
"""

import numpy as np
import pytest

from numerics.accuracy import COMPLEX, EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.flows.spectrum import complex_jacobian
from numerics.potentials import FiniteAtoms
from theorems.proximal_denoiser.secants import slopes
from theorems.setting.draws import affordable, generator
from theorems.setting.quantifiers import ANALYTIC, SCHEDULES, SEEDS, TARGETS, TIMES, WITH_A_MANIFOLD, for_all
from theorems.setting.roundings import length_rounding
from theorems.setting.vectors import norm

RESOLVED = 1e-3


def _everywhere(target, step, rng, n):
    """Points on the support of z = x₁ + λx₀, and far off it."""
    x0, x1 = target.sample(n, rng)
    return x1 + step * x0 + target.scale * rng.uniform(0, 2, (n, 1)) * rng.standard_normal(x0.shape)


def _bend(target, z, u):
    """Length over which prox bends, for the width of differences."""
    return np.minimum(target.scale, norm(z - u) + 1e-3 * target.scale)


@for_all("P5", target=ANALYTIC, t=TIMES, seed=SEEDS)
def test_prox_jacobian_is_a_contraction(evidence, target, t, seed):
    step = (1 - t) / t
    z = _everywhere(target, step, generator(seed), affordable(60, target.dim))
    jacobian = target.prox_jacobian(z, step)
    difference = np.abs(jacobian - _complex_jacobian(target, z, step)).max(axis=(1, 2))
    spectrum, stated = np.linalg.eigvalsh(jacobian), target.roundings.prox_jacobian(z, step)
    on = evidence.on(target, t=t, seed=seed)
    on.bounded(
        "|J − D prox by complex steps|",
        difference,
        stated.amplified(1 + COMPLEX, "either way"),
        because="complex steps carry no truncation and round as J does",
        clause="contraction",
    )
    on.bounded(
        "eig J beyond [0, 1]",
        np.maximum(-spectrum[:, 0], spectrum[:, -1] - 1).clip(0),
        stated + _of_eigenvalues(target.dim),
        because="Weyl: eigenvalues move by no more than the error of J",
        clause="contraction",
    )


def _of_eigenvalues(d):
    """The symmetric eigensolver's own, for matrices of norm at most 1 [@higham2002accuracy]."""
    return Rounding(1.0, 8 * d, "the eigenvalues of a symmetric d×d matrix")


@for_all(
    "P5",
    target=WITH_A_MANIFOLD,
    t=TIMES,
    seed=SEEDS,
    unasked="among thousands of atoms a segment crosses kinks that two rules may both miss",
)
def test_prox_jacobian_is_the_slope_of_secants(evidence, target, t, seed):
    """Where complex steps don't pass: differences of prox within the face of z. The Cantor law has no J."""
    rng = generator(seed)
    step = (1 - t) / t
    z = _everywhere(target, step, rng, 40)
    found = target.proximal_point(z, step)
    of_ends = found.rounding.point.bound + _of_node(z)
    # Within the error of prox a kink may lie in the step: slopes of a 1-Lipschitz map are at most 1,
    # extrapolated 5/3, J at most 1, and the rounding over such a step is 6. So no point is left out.
    width = np.maximum(np.minimum(1e-3 * _bend(target, z, found.point), found.kink / 2), of_ends)
    slope = slopes(lambda x: target.prox(x, step), z, width, rng)
    stated, on = of_ends * slope.rounding, evidence.on(target, t=t, seed=seed)
    error = norm(slope.value - np.einsum("nij,nj->ni", found.jacobian, slope.direction))
    on.estimated(
        "|slope of prox − J in a random direction|",
        error,
        2 * slope.truncation + stated + found.rounding.jacobian.bound,
        by="extrapolated differences of prox over h, h/2 and h/4",
        because="J is the derivative where z has no kink within h; prox's rounding over h, and J's own",
        clause="contraction",
    )
    on.estimated(
        "by how much rounding alone moves a slope of prox, at the median point",
        float(np.median(stated)),
        RESOLVED,
        by="the median of the drawn points",
        because="few points lie near kinks, and elsewhere a step is long beside rounding",
        chosen=f"{RESOLVED:g}, and the median",
        points=len(z),
        clause="contraction",
    )


def _of_node(z):
    """The ends of a difference are rounded, and prox moves with them."""
    return 2 * EPS * norm(z)


def _complex_jacobian(target, z, step):
    return complex_jacobian(lambda _, y: target.prox(y, step), 0.0, z, tiny=1e-30 * target.scale)


@for_all("P5", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_field_spectrum_lies_between_the_rates(evidence, target, schedule, t, seed):
    field = ExactField(target, schedule)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    fall, rise = float(schedule.alpha_dot(t)) / alpha, float(schedule.beta_dot(t)) / beta
    z = _everywhere(target, alpha / beta, generator(seed), affordable(100, target.dim))
    jacobian = field.jacobian(t, beta * z)
    spectrum = np.linalg.eigvalsh(jacobian)
    stated = field.roundings.jacobian(t, beta * z)
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    if target.traits.analytic:
        of_prox, eye = _complex_jacobian(target, z, alpha / beta), np.eye(target.dim)
        on.bounded(
            "|Dv_t − ((α̇/α)(I − J) + (β̇/β)J)|, J by complex steps",
            np.abs(jacobian - fall * (eye - of_prox) - rise * of_prox).max(axis=(1, 2)),
            stated.amplified(1 + COMPLEX, "either way"),
            because="the error of J times the difference of the rates",
            clause="spectrum",
        )
    on.bounded(
        "eig Dv_t beyond [α̇/α, β̇/β]",
        np.maximum(fall - spectrum[:, 0], spectrum[:, -1] - rise).clip(0),
        stated + _of_eigenvalues(target.dim).amplified(rise - fall),
        because="Dv = (α̇/α)I + (β̇/β − α̇/α)J: Weyl, and the error of J times the difference of the rates",
        clause="spectrum",
    )


@for_all("P5", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_field_is_lipschitz_on_all_of_space(evidence, target, schedule, t, seed):
    rng = generator(seed)
    field = ExactField(target, schedule)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    rate = max(-float(schedule.alpha_dot(t)) / alpha, float(schedule.beta_dot(t)) / beta)
    x = beta * _everywhere(target, alpha / beta, rng, 300)
    length = beta * target.scale * 10.0 ** rng.uniform(-6, 1, (len(x), 1))
    y = x + length * rng.standard_normal(x.shape)
    moved, stated = field.velocity(t, x) - field.velocity(t, y), field.roundings
    lengths = length_rounding(moved) + length_rounding(x - y).amplified(rate)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|v(x) − v(y)| above max(|α̇|/α, β̇/β)·|x − y|",
        np.maximum(norm(moved) - rate * norm(x - y), 0.0),
        stated.velocity(t, x) + stated.velocity(t, y) + lengths,
        because="the exact excess is ≤ 0; v errs by what it states at both points",
        clause="Lipschitz",
    )


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("P5")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_argmin_over_atoms_jumps_in_the_gap(evidence, t):
    """Without the convex envelope the denoiser jumps by |y₁ − y₀| where the two atoms tie."""
    target, step = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3), (1 - t) / t
    away = target.points[1] - target.points[0]
    rise = target.heights[1] - target.heights[0]
    tie = target.points.mean(axis=0) + step * rise * away / (away @ away)
    sides = tie + 1e-9 * np.array([[-1.0], [1.0]]) * away
    cost = target.heights + ((sides[:, None] - target.points) ** 2).sum(axis=2) / (2 * step)
    jump = target.points[cost.argmin(axis=1)]
    on = evidence.on(target, t=t)
    on.control(
        "argmin over the atoms instead of their envelope: jump across the tie",
        predicted=np.sqrt(away @ away),
        measured=norm(jump[1] - jump[0]),
        agreement=64 * EPS * np.sqrt(away @ away),
        because="the two points are 2e-9·|y₁−y₀| apart and find different atoms",
        intact=norm(sides[1] - sides[0]),
    )
    # The envelope's prox moves by no more than the points do: what P5 asks and the argmin breaks.
    change = norm(target.prox(sides[1:], step) - target.prox(sides[:1], step))
    assert (change <= norm(sides[1] - sides[0]) * (1 + 1e-6)).all()


@pytest.mark.control("P5")
@pytest.mark.parametrize("t", [0.7, 0.9, 0.98])
def test_independent_field_breaks_the_upper_bound(evidence, t):
    """For ±1 and independent noise Dv_t(0) = (t/(1−t)² − 1)/(1−t), beyond 1/t."""
    field = IndependentField([[-1.0], [1.0]], [0.5, 0.5])
    h = 1e-4 * (1 - t) ** 2
    ends = field.velocity(t, [[-h], [h]])
    slope = float(ends[1, 0] - ends[0, 0]) / (2 * h)
    exact = (t / (1 - t) ** 2 - 1) / (1 - t)
    assert exact > 1 / t
    evidence.on("independent coupling, atoms ±1", t=t).control(
        "optimal pairs replaced by independent ones: Dv_t(0) − 1/t, the excess over P5's bound",
        predicted=exact - 1 / t,
        measured=slope - 1 / t,
        agreement=exact * ((t * h / (1 - t) ** 2) ** 2 + 16 * EPS / h),
        because="Cov(x₁|0) = 1; tanh leaves its tangent by (th/(1−t)²)²/3, relatively; rounding is eps/h",
    )
