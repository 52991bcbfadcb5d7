"""P7: what the denoiser and the field tend to at the two ends of time.

Assumed: φ* differentiable at the point for t → 0; condition SC for t → 1. Near t = 0 the identity
prox_{λφ}(x/β) = T((x − βu)/α) turns the limit into continuity of T; near t = 1 the limit is compared with
projections that know nothing of potentials. Control: γ = 0, where the rescaled field dies out.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import linregress
from scipy.stats import t as student

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import (
    Curve,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    Grassmannian,
    NearestPoint,
    Quantile,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    product,
    rotate,
    translate,
)
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving
from theorems.proximal_denoiser.bounds import norm
from theorems.representatives import every_family
from theorems.setting.interpolant import Interpolant
from theorems.targets import few, generator, schedules, seeds, targets, times

TILTED = np.array([[4.0, 1.0], [1.0, 0.5]])


@pytest.mark.claim("P7")
@given(target=targets(), schedule=schedules(), seed=seeds, t=times().map(lambda t: min(t, 1 - t)))
@every_family(schedule=Trigonometric(), seed=1, t=0.4)
def test_denoiser_is_transport_of_shifted_noise(evidence, target, schedule, seed, t):
    """The prox u of x/β satisfies u = T(y), y = (x − βu)/α: as β → 0, y → x and u → T(x)."""
    at = Interpolant.drawn(target, schedule, t, 300, generator(seed))
    found = at.solved
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|prox_{λφ}(x/β) − T((x − βu)/α)|",
        norm(found.point - target.transport(found.dual)),
        found.rounding.point + target.roundings.transport(found.dual, moved=found.rounding.dual.bound),
        because="the exact prox is T of the exact dual; what prox rounds, and T at a dual that is off",
    )


SMOOTH = [
    Sphere(3),
    Ellipsoid(TILTED),
    DegenerateGaussian([1.0, 2.0], TILTED),
    Quantile(stats.expon()),
    Stiefel(3, 2),
    Grassmannian(4, 2),
    SpecialOrthogonal(),
    NearestPoint(Torus(2.0, 0.5), 1.0),
    NearestPoint(Curve.ellipse(2.0, 1.0), 0.75),
    product(rotate(Ellipsoid(TILTED), [[0.6, -0.8], [0.8, 0.6]]), translate(Sphere(2, 2.0), [1.0, 0.0])),
]


@pytest.mark.claim("P7")
@pytest.mark.parametrize("target", SMOOTH, ids=repr)
@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_field_starts_as_the_transport(evidence, rng, target, schedule):
    """v_t → β̇₀T + α̇₀Id. T is smooth here, so order 1 is expected; a wrong limit would show order 0."""
    x = rng.standard_normal((few(target, 200), target.dim))
    x = x[np.linalg.norm(target.transport_jacobian(x), ord=2, axis=(1, 2)) < 4 * target.scale]
    field = ExactField(target, schedule)
    start = float(schedule.beta_dot(0.0)) * target.transport(x) + float(schedule.alpha_dot(0.0)) * x
    t = np.geomspace(1e-5, 1e-3, 6)
    errors = [norm(field.velocity(s, x) - start).max() for s in t]
    slope, interval = _slope(t, errors)
    on = evidence.on(target, schedule=schedule)
    on.trend(
        "log |v_t − v₀| against log t: order 1, where a wrong limit would show 0; threshold ½",
        slope,
        interval,
        theory=0.5,
        rule="interval lies above theory",
        points=len(t) * len(x),
    )
    on.bounded(
        "|v₀ of the library − (β̇₀T + α̇₀Id)|",
        norm(field.velocity(0.0, x) - start),
        Rounding(norm(x) + 2 * norm(target.transport(x)), 4, "two products and a sum, formed twice"),
        because="the limit itself; T is the same double in both",
    )


def _slope(t, errors):
    fit = linregress(np.log(t), np.log(errors))
    half = student.isf(0.005, len(t) - 2) * fit.stderr
    return fit.slope, (fit.slope - half, fit.slope + half)


@pytest.mark.claim("P7")
@given(
    target=st.sampled_from([FiniteAtoms.hypercube(4), FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)]),
    seed=seeds,
)
def test_atoms_are_found_at_once(evidence, target, seed):
    """As soon as β|T(x)| < the distance of x to its cell's boundary the denoiser is T(x), not merely near."""
    x = generator(seed).standard_normal((50, target.dim))
    image = target.transport(x)
    margin = np.array(
        [target.subdifferential(y).boundary_distance(p)[0] for y, p in zip(image, x, strict=True)]
    )
    t = 0.4 * margin / (margin + norm(x) + norm(image))
    found = target.prox(x / t[:, None], (1 - t) / t)
    evidence.on(target, seed=seed, margin=margin).bounded(
        "|prox_{λφ}(x/t) − T(x)| with t small against the margin",
        norm(found - image),
        target.roundings.prox(x / t[:, None], (1 - t) / t),
        because="(x − tT(x))/(1−t) stays in the cell of T(x), so prox returns the atom itself",
    )


# --- t → 1: projections that know nothing of potentials -------------------------------------------------


def _on_cube(x):
    return np.clip(x, -1.0, 1.0)


def _on_cross_polytope(x):
    """Projection on |x|₁ ≤ 1 by sorting [@held1974validation]."""
    size = np.sort(np.abs(x), axis=1)[:, ::-1]
    excess = (np.cumsum(size, axis=1) - 1) / np.arange(1, x.shape[1] + 1)
    threshold = excess[np.arange(len(x)), (size > excess).sum(axis=1) - 1]
    return np.sign(x) * np.maximum(np.abs(x) - np.maximum(threshold, 0)[:, None], 0)


def _on_ball(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1)


def _on_segment(x):
    start, end = np.array([0.0, 1.0]), np.array([2.0, 0.0])
    along = np.clip((x - start) @ (end - start) / 5.0, 0, 1)
    return start + along[:, None] * (end - start)


def _on_line(x):
    return np.stack([x[:, 0], np.full(len(x), 2.0)], axis=1)


HULLS = [
    (FiniteAtoms.hypercube(3), _on_cube),
    (FiniteAtoms.cross_polytope(3), _on_cross_polytope),
    (Sphere(3), _on_ball),
    (FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3), _on_segment),
    (DegenerateGaussian([1.0, 2.0], np.diag([4.0, 0.0])), _on_line),
]
NAMES = ["cube", "cross-polytope", "sphere", "two atoms", "gaussian on a line"]


@pytest.mark.claim("P7")
@pytest.mark.parametrize(("target", "project"), HULLS, ids=NAMES)
@pytest.mark.parametrize(
    "schedule", [Linear(), Polynomial(2.0), Trigonometric(), VariancePreserving()], ids=repr
)
def test_field_ends_as_the_projection_on_the_hull(evidence, rng, target, project, schedule):
    """|(1−t)v_t(x) − γ(proj(x) − x)| is bounded by what SC's remainders and λ leave, and that vanishes."""
    x = target.scale * 2 * rng.standard_normal((400, target.dim))
    aim = project(x)
    rates = _slope_of_potential(target, aim)
    field, gamma = ExactField(target, schedule), schedule.terminal_order
    for gap in (1e-3, 1e-6, 1e-9, 1e-12):
        alpha, beta = (float(f(remaining=gap)) for f in (schedule.alpha, schedule.beta))
        fall = gap * float(schedule.alpha_dot(remaining=gap)) / alpha
        rise = gap * float(schedule.beta_dot(remaining=gap))
        measured = norm(gap * field.velocity(None, x, remaining=gap) - gamma * (aim - x))
        near = (alpha / beta) * rates + norm(x) * (1 - beta) / beta  # |prox_{λφ}(x/β) − proj(x)|
        allowed = abs(fall + gamma) * norm(x - aim) + (abs(fall) + rise) * near + rise * norm(aim)
        allowed += abs(fall) * (1 - beta) * norm(aim)
        stated = field.roundings.velocity(None, x, remaining=gap).amplified(gap)
        compared = Rounding(2 * norm(x) + 2 * norm(aim), target.dim + 8, "the projection, and the comparison")
        evidence.on(target, schedule=schedule, remaining=gap).bounded(
            f"|(1−t)v_t(x) − γ(proj(x) − x)| at 1−t = {gap:g}",
            measured,
            stated + compared,
            because="SC's remainders times |x − proj|, and |prox_{λφ}(z) − proj(z)| ≤ λ·min|∂φ(proj)|",
            main=allowed,
        )


def _slope_of_potential(target, aim):
    """A bound on the least subgradient of φ at the projections: |prox_{λφ}(z) − proj(z)| ≤ λ times it.

    0 for indicators; for two atoms the slope |g₁ − g₀|/|y₁ − y₀|; for the Gaussian |x₁ − 1|/2.
    """
    if isinstance(target, DegenerateGaussian):
        return np.abs(aim[:, 0] - 1) / 2
    if isinstance(target, FiniteAtoms):
        return np.full(len(aim), np.ptp(target.heights) / max(norm(target.points[0] - target.points[-1]), 1))
    return np.zeros(len(aim))


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("P7")
@pytest.mark.parametrize("decades", [3, 6, 12])
def test_without_terminal_order_the_field_dies_out(evidence, rng, decades):
    """γ = 0 violates SC: here |(1−t)v_t| = α_t|proj(x) − x| exactly, with α = 1/(1 + k log 10)."""
    target, gap = Sphere(3), 10.0**-decades
    x = 2 * _on_ball(rng.standard_normal((300, 3)) * 10)
    field = ExactField(target, Logarithmic())
    found = norm(gap * field.velocity(None, x, remaining=gap)) / norm(x - _on_ball(x))
    alpha = 1 / (1 + decades * np.log(10))
    # (1−t)v = −α(x − βu) + α²u with u = x/|x|, |x| = 2, β = 1 − α: −α(2 − (1−α)) + α² = −α.
    evidence.on(target, schedule=Logarithmic(), remaining=gap).control(
        "γ = 0: |(1−t)v_t(x)| over |proj(x) − x|",
        predicted=alpha,
        measured=found,
        agreement=64 * EPS * 4,
        because="(1−t)α̇/α = −α for this schedule, |x| = 2 and the hull is the unit ball",
        intact=1.0,
    )


@pytest.mark.control("P7")
def test_nearest_atom_is_not_the_limit(evidence, rng):
    """Projecting on the support instead of its hull: on a segment the two differ by the way to its end."""
    target, gap = FiniteAtoms.two([0.0], [2.0], 0.3), 1e-9
    x = rng.uniform(0.1, 1.9, (300, 1))
    limit = x + gap * ExactField(target).velocity(None, x, remaining=gap)
    nearest = np.where(x < 1, 0.0, 2.0)
    evidence.on(target, remaining=gap).control(
        "support instead of its convex hull: distance of the field's limit from it",
        predicted=np.minimum(x, 2 - x)[:, 0],
        measured=norm(limit - nearest),
        agreement=4 * gap * (1 + np.abs(target.heights).max()) + 64 * EPS,
        because="points of the hull are their own projection; the remainder is of order 1 − t",
    )
