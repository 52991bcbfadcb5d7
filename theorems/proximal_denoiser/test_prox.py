"""P2 (Lemma 2.1): the inverse of H_t is a proximal operator, and it returns the data point.

Assumed: the contract of the potential, nothing of densities. In the order of the proof: x_t lies in
α∂φ(x₁) + βx₁, so x₁ = prox_{λφ}(x_t/β) exactly; H_t is β-strongly monotone, so its inverse is single-valued
and (1/β)-Lipschitz everywhere. Indicator potentials cannot see the step: a second identity check runs over
families whose φ varies on its domain, and the controls are on those.
"""

import numpy as np
import pytest
from hypothesis import given
from scipy.special import ndtr

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.potentials import DegenerateGaussian, Ellipsoid, FiniteAtoms, Sphere
from numerics.schedules import Linear, Trigonometric
from theorems.proximal_denoiser.bounds import dot, norm, recovery_condition
from theorems.proximal_denoiser.figures import draw_interpolation
from theorems.representatives import every_family
from theorems.statistics import hoeffding
from theorems.targets import few, generator, schedules, seeds, targets, times, varying

ROUNDING = (
    "one rounding of z = x_t/β and of λ, amplified by at most 1 since prox is nonexpansive; T's own error"
)


def _recovery_error(target, schedule, t, seed, n):
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    x0, x1 = target.sample(n, generator(seed))
    z = (alpha * x0 + beta * x1) / beta
    error = norm(target.prox(z, alpha / beta) - x1)
    return error, recovery_condition(target, x0, z, alpha / beta)


@pytest.mark.claim("P2")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
@every_family(schedule=Linear(), t=1e-6, seed=2)
@every_family(schedule=Linear(), t=1 - 1e-6, seed=3)
def test_prox_returns_the_data_point(evidence, target, schedule, t, seed):
    error, condition = _recovery_error(target, schedule, t, seed, n=500)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|prox_{λφ}(x_t/β) − x₁|", error, condition=condition, multiple=64, because=ROUNDING
    )


@pytest.mark.claim("P2")
@given(target=varying(), schedule=schedules(), t=times(), seed=seeds)
def test_prox_returns_the_data_point_where_the_step_matters(evidence, target, schedule, t, seed):
    error, condition = _recovery_error(target, schedule, t, seed, n=500)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|prox_{λφ}(x_t/β) − x₁|, φ not constant",
        error,
        condition=condition,
        multiple=64,
        because=ROUNDING,
    )


@pytest.mark.claim("P2")
@given(target=targets(), t=times(), seed=seeds)
@every_family(t=0.4, seed=1)
def test_interpolant_lies_in_the_operator(evidence, target, t, seed):
    """x_t ∈ H_t(x₁) says that (x_t − βx₁)/α lies in ∂φ(x₁), for x₁ = prox(x_t/β)."""
    x0, x1 = target.sample(3, generator(seed))
    xt, step = (1 - t) * x0 + t * x1, (1 - t) / t
    found = target.prox(xt / t, step)
    again = (xt - t * found) / (1 - t)
    inner = target.prox_condition(xt / t, step) / step + (norm(xt) + norm(found)) / (1 - t)
    sets = [target.subdifferential(data) for data in found]
    distance = [members.distance(y)[0] for members, y in zip(sets, again, strict=True)]
    rounding = [members.rounding / EPS * (1 + norm(y)) for members, y in zip(sets, again, strict=True)]
    condition = inner + rounding + [members.blur / EPS / step for members in sets]
    evidence.on(target, t=t, seed=seed).bounded(
        "distance of (x_t − βx₁)/α from ∂φ(x₁)",
        np.array(distance),
        condition=np.array(condition),
        multiple=8,
        because="the rounding that ∂φ states for itself, and that of forming and undoing x_t",
    )


@pytest.mark.claim("P2")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
def test_inverse_is_single_valued_and_lipschitz_everywhere(evidence, target, schedule, t, seed):
    """β|u − u'|² ≤ ⟨u − u', y − y'⟩ for u = H⁻¹(y) at arbitrary y: strong monotonicity of H."""
    rng = generator(seed)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    step = alpha / beta
    n = few(target, 400)
    z = (target.scale + step) * rng.standard_normal((n, target.dim))
    near = z + 10.0 ** rng.uniform(-6, 0, (n, 1)) * target.scale * rng.standard_normal(z.shape)
    change = target.prox(z, step) - target.prox(near, step)
    condition = target.prox_condition(z, step) + target.prox_condition(near, step)
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    on.bounded(
        "|u−u'|² − ⟨u−u', z−z'⟩ with z = y/β (strong monotonicity of H)",
        np.maximum(norm(change) ** 2 - dot(change, z - near), 0.0),
        condition=condition * (norm(change) + norm(z - near) + 64 * EPS * condition),
        multiple=64,
        because="the exact excess is ≤ 0; each u errs by its condition number",
    )
    on.bounded(
        "|u−u'| − |z−z'| (H⁻¹ is 1/β-Lipschitz)",
        np.maximum(norm(change) - norm(z - near), 0.0),
        condition=condition,
        multiple=64,
        because="the exact excess is ≤ 0; each u errs by its condition number",
    )


@pytest.mark.claim("P2")
def test_picture_of_the_three_points(evidence):
    """The paper's figure 1, drawn from computed values."""
    field = ExactField(Ellipsoid([[4.0, 1.2], [1.2, 1.0]]), Linear())
    angles = np.linspace(0, 2 * np.pi, 9)[:-1] + 0.3
    x0 = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.linspace(0.9, 3.0, 8)[:, None]
    t = 0.5
    xt = field.flow(t, x0)
    evidence.on(field.potential, t=t).bounded(
        "|H_t⁻¹(x_t) − T(x₀)| at the points drawn",
        norm(field.denoise(t, xt) - field.potential.transport(x0)),
        condition=recovery_condition(field.potential, x0, xt / t, (1 - t) / t),
        multiple=64,
        because=ROUNDING,
    )
    evidence.figure(
        "Noise x₀, interpolant x_t and data x₁, with T and H_t⁻¹",
        "Lines from noise points through interpolants to the points of an ellipse that the prox returns.",
        lambda figure: draw_interpolation(figure, field, x0, t),
    )


# --- controls -----------------------------------------------------------------------------------------


def _gaussian(sigma):
    return DegenerateGaussian([0.0, 0.0, 0.0], np.diag([sigma**2, sigma**2, 0.0]))


def _relative_error(found, x1):
    """Coordinates of range Σ: the flat one is exact whatever the step."""
    return np.abs(found[:, :2] - x1[:, :2]) / np.abs(x1[:, :2])


def _cancellation(target, z, x1):
    """Absolute error of a relative error: the condition of prox over the coordinate, counted twice."""
    return 2 * 64 * EPS * np.max(target.prox_condition(z, 1.0)) / np.abs(x1[:, :2]).min()


@pytest.mark.control("P2")
@pytest.mark.parametrize("sigma", [0.5, 2.0])
@pytest.mark.parametrize("factor", [0.5, 1.1, 3.0])
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_wrong_step_on_a_degenerate_gaussian(evidence, rng, sigma, factor, t):
    target, step = _gaussian(sigma), (1 - t) / t
    x0, x1 = target.sample(500, rng)
    z = x1 + step * x0
    found = target.prox(z, factor * step)
    evidence.on(target, factor=factor, t=t).control(
        f"step {factor}·λ instead of λ: relative error of the recovered coordinate",
        predicted=abs(factor - 1) * step / (sigma + factor * step),
        measured=_relative_error(found, x1),
        agreement=_cancellation(target, z, x1),
        because="(σ+λ)/(σ+sλ) − 1 in closed form; rounding of prox over the smallest coordinate",
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_missing_division_by_beta(evidence, rng, t):
    target, step = _gaussian(0.5), (1 - t) / t
    x0, x1 = target.sample(500, rng)
    xt = (1 - t) * x0 + t * x1
    found = target.prox(xt, step)
    evidence.on(target, t=t).control(
        "prox of x_t instead of x_t/β: relative error of the recovered coordinate",
        predicted=1 - t,
        measured=_relative_error(found, x1),
        agreement=_cancellation(target, xt, x1),
        because="prox is linear here and x_t = β·(x_t/β): the coordinate comes out β times too small",
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize("t", [0.2, 0.7])
def test_swapped_alpha_and_beta(evidence, rng, t):
    sigma, step = 0.5, (1 - t) / t
    target = _gaussian(sigma)
    x0, x1 = target.sample(500, rng)
    z = x1 + step * x0
    found = target.prox(z, 1 / step)
    evidence.on(target, t=t).control(
        "step β/α instead of α/β: relative error of the recovered coordinate",
        predicted=abs(step - 1 / step) / (sigma + 1 / step),
        measured=_relative_error(found, x1),
        agreement=_cancellation(target, z, x1),
        because="(σ+λ)/(σ+1/λ) − 1 in closed form; rounding of prox over the smallest coordinate",
    )


@pytest.mark.control("P2")
@pytest.mark.parametrize(("weight", "factor"), [(0.7, 3.0), (0.9, 1.5)])
def test_wrong_step_on_unequal_atoms(evidence, rng, weight, factor):
    """With b = Φ⁻¹(w) > 0, step sλ loses exactly the noise with b < p < sb, p along y₁ − y₀."""
    target, n, step, level = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], weight), 100_000, 0.7, 1e-9
    x0, x1 = target.sample(n, rng)
    lost = norm(target.prox(x1 + step * x0, factor * step) - x1) > 1e-6
    b = target.heights[1] / norm(target.points[1] - target.points[0])
    evidence.on(target, factor=factor).control(
        f"step {factor}·λ on two unequal atoms: probability that the atom is not returned",
        predicted=ndtr(factor * b) - ndtr(b),
        measured=lost.mean(),
        agreement=hoeffding(n, 1.0, level),
        because="y₁ is kept iff p ≥ sb, y₀ iff p ≤ sb; Hoeffding",
        level=level,
        points=n,
    )


@pytest.mark.claim("P2")
@pytest.mark.parametrize("target", [FiniteAtoms.hypercube(3), Sphere(2, 2.0)], ids=["cube", "circle"])
def test_indicators_cannot_see_the_step(evidence, rng, target):
    """Why the controls above are not run on polytopes and spheres: there the wrong step changes nothing."""
    x0, x1 = target.sample(500, rng)
    z = x1 + 0.7 * x0
    evidence.on(target).bounded(
        "|prox with three times the step − prox| where φ is 0 or +∞",
        norm(target.prox(z, 2.1) - target.prox(z, 0.7)),
        condition=target.prox_condition(z, 2.1),
        multiple=64,
        because="prox is a projection: both sides are the same point, computed twice",
    )
