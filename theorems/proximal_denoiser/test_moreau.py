"""P4: noise is the gradient of the Moreau envelope, and the field is a gradient.

Assumed: the contract. The envelope's gradient is checked by differences of its values, with a certified
error (a 1/λ-smooth convex function); the conjugate ψ* by Fenchel–Young; the absence of curl by complex steps
through prox where it is analytic, which nobody told that Jacobians of gradients are symmetric, and by
circulations for every target.
"""

import numpy as np
import pytest
from hypothesis import given

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import complex_jacobian
from numerics.potentials import Sphere
from numerics.schedules import Trigonometric
from theorems.proximal_denoiser.bounds import dot, norm, recovery_condition
from theorems.proximal_denoiser.rotated import RotatedCircle
from theorems.proximal_denoiser.secants import circulation
from theorems.representatives import every_family
from theorems.targets import analytic_targets, few, generator, is_analytic, schedules, seeds, targets, times


@pytest.mark.claim("P4")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
def test_noise_is_recovered(evidence, target, schedule, t, seed):
    field = ExactField(target, schedule)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    x0, x1 = target.sample(400, generator(seed))
    xt = alpha * x0 + beta * x1
    data = recovery_condition(target, x0, xt / beta, alpha / beta)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|∇e_λφ(x_t/β) − x₀|",
        norm(field.noise(t, xt) - x0),
        condition=(norm(xt) + beta * data) / alpha,
        multiple=64,
        because="x₀ = (x_t − βx₁)/α: the data's error times β/α, and the rounding of the difference over α",
    )


@pytest.mark.claim("P4")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
def test_envelope_has_this_gradient(evidence, target, schedule, t, seed):
    """Convex and 1/λ-smooth: the change of e lies between bounds that differ by the change of g alone."""
    rng = generator(seed)
    step, n = float(schedule.step(t)), few(target, 200)
    x0, x1 = target.sample(n, rng)
    z = x1 + step * x0 + target.scale * rng.uniform(0, 2, (n, 1)) * rng.standard_normal(x0.shape)
    direction = _directions(rng, z, target.scale * 10.0 ** rng.uniform(-4, 1, n))
    gradient, ahead = ((at - target.prox(at, step)) / step for at in (z, z + direction))
    change = target.envelope(z + direction, step) - target.envelope(z, step) - dot(gradient, direction)
    least, most = _bregman_bounds(gradient, ahead, direction, step)
    rounding = 64 * EPS * target.dim * _envelope_condition(target, z, direction, step)
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    because = "e is convex and 1/λ-smooth, so both bounds hold; and the rounding of the terms"
    on.certified("e(z+δ) − e(z) − ⟨g, δ⟩ above ⟨g'−g, δ⟩ − λ|g'−g|²/2", change - most, rounding, because)
    on.certified("e(z+δ) − e(z) − ⟨g, δ⟩ below λ|g'−g|²/2", least - change, rounding, because)


def _directions(rng, x, length):
    direction = rng.standard_normal(x.shape)
    return direction * (length / norm(direction))[:, None]


def _bregman_bounds(gradient, ahead, direction, step):
    """Bounds on f(z+δ) − f(z) − ⟨g, δ⟩ for convex f, 1/λ-smooth, with gradients g and g'.

    Theorem 2.1.5 of [@nesterov2004introductory]. The second is the first, read from z + δ back to z.
    """
    apart = ahead - gradient
    least = step * dot(apart, apart) / 2
    return least, dot(apart, direction) - least


def _envelope_condition(target, z, direction, step):
    """Size of the terms of e at both points, and of the gradient's error times the move."""
    inner = target.prox_condition(z, step)
    moved = z + direction
    size = sum(_envelope_size(target, point, step) for point in (z, moved))
    return size + inner * norm(direction) / step


def _envelope_size(target, z, step):
    """The terms whose difference e is: |z − u|²/(2λ), and φ(u) ≤ |⟨u, y⟩| + |φ*(y)|, y = (z − u)/λ."""
    u = target.prox(z, step)
    y = (z - u) / step
    inner = target.prox_condition(z, step)
    return (norm(u) + target.scale + inner) * (norm(y) + EPS * inner / step) + np.abs(target.conjugate(y))


@pytest.mark.claim("P4")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
def test_conjugate_of_psi(evidence, target, schedule, t, seed):
    """ψ_t*(y) = |y|²/(2β) − αe(y/β) is the supremum of ⟨y,u⟩ − ψ_t(u): attained at prox, no v beats it."""
    rng = generator(seed)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    x0, x1 = target.sample(200, rng)
    y = alpha * x0 + beta * x1
    stated = dot(y, y) / (2 * beta) - alpha * target.envelope(y / beta, alpha / beta)

    def dual(u):
        return dot(y, u) - alpha * target.value(u) - beta * dot(u, u) / 2

    condition = dot(y, y) / beta + alpha * _envelope_size(target, y / beta, alpha / beta)
    condition = condition + norm(y) * target.transport_condition(x0)
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    because = "terms of size |y|²/β and αe cancel; sums of d products"
    on.bounded("|ψ*(y) − (⟨y,x₁⟩ − ψ(x₁))|", np.abs(stated - dual(x1)), condition, 64 * target.dim, because)
    beaten = np.maximum(dual(rng.permutation(x1)) - stated, 0.0)
    on.bounded("⟨y,v⟩ − ψ(v) above ψ*(y), v other data", beaten, condition, 64 * target.dim, because)


@pytest.mark.claim("P4")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
def test_field_is_the_gradient_of_its_potential(evidence, target, schedule, t, seed):
    """V = (α̇β − β̇α)e(x/β) + β̇|x|²/(2β): with g read off v, e changes as one whose gradient is g."""
    rng = generator(seed)
    field, n = ExactField(target, schedule), few(target, 100)
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    fall, rise = float(schedule.alpha_dot(t)), float(schedule.beta_dot(t))
    x0, x1 = target.sample(n, rng)
    x = alpha * x0 + beta * x1
    x = x + beta * target.scale * rng.uniform(0, 1, (n, 1)) * rng.standard_normal(x0.shape)
    direction = _directions(rng, x, beta * target.scale * 10.0 ** rng.uniform(-4, 1, n))
    change = field.velocity_potential(t, x + direction) - field.velocity_potential(t, x)
    weight = fall * beta - rise * alpha
    gradient, ahead = (
        beta * (field.velocity(t, at) - rise / beta * at) / weight for at in (x, x + direction)
    )
    square = rise / beta * (dot(x, direction) + dot(direction, direction) / 2)
    excess = (change - square) / weight - dot(gradient, direction) / beta
    least, most = _bregman_bounds(gradient, ahead, direction / beta, alpha / beta)
    envelope = _envelope_condition(target, x / beta, direction / beta, alpha / beta)
    squares = rise * (norm(x) + norm(direction)) ** 2 / beta
    rounding = 64 * EPS * target.dim * (envelope + squares / abs(weight))
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    because = "∇V = v makes e's gradient g; V cancels terms of size β̇|x|²/(2β) and α̇βe"
    on.certified(
        "V(x+δ) − V(x), its part in e, above ⟨g'−g, δ/β⟩ − λ|g'−g|²/2", excess - most, rounding, because
    )
    on.certified("V(x+δ) − V(x), its part in e, below λ|g'−g|²/2", least - excess, rounding, because)


@pytest.mark.claim("P4")
@given(target=analytic_targets(), t=times(), seed=seeds)
@every_family(among=is_analytic, t=0.4, seed=1)
def test_field_has_no_curl(evidence, target, t, seed):
    rng = generator(seed)
    step = (1 - t) / t
    z = target.scale * rng.standard_normal((50, target.dim)) * 10.0 ** rng.uniform(-1, 1, (50, 1))
    z = z + step * rng.standard_normal(z.shape)
    jacobian = complex_jacobian(lambda _, y: target.prox(y, step), 0.0, z, tiny=1e-30 * target.scale)
    skew = np.abs(jacobian - jacobian.transpose(0, 2, 1)).max(axis=(1, 2))
    bend = np.minimum(target.scale, norm(z - target.prox(z, step)) + 1e-3 * target.scale)
    evidence.on(target, t=t, seed=seed).bounded(
        "|J − Jᵀ| for J = D prox by complex steps",
        skew,
        condition=target.prox_condition(z, step) / bend,
        multiple=64 * target.dim,
        because="the exact J is symmetric; complex steps carry no truncation, prox bends over this length",
    )


@pytest.mark.claim("P4")
@given(target=targets(), t=times(), seed=seeds)
@every_family(t=0.4, seed=1)
def test_circulation_vanishes(evidence, target, t, seed):
    """No derivative needed: around triangles of every size prox, a gradient, does no work."""
    rng = generator(seed)
    step, n = (1 - t) / t, few(target, 24) // 4
    centre = target.scale * rng.standard_normal((n, 1, target.dim)) * 10.0 ** rng.uniform(-1, 1, (n, 1, 1))
    size = target.scale * 10.0 ** rng.uniform(-3, 1, (n, 1, 1))
    corners = centre + size * rng.standard_normal((n, 3, target.dim))
    work, truncation, condition = circulation(target, corners, step, panels=6 if n == 1 else 24)
    evidence.on(target, t=t, seed=seed).certified(
        "|∮ prox·dl| around a triangle",
        np.abs(work),
        bound=truncation + 64 * EPS * target.dim * condition,
        because="prox is 1-Lipschitz: the midpoint rule errs by at most h²/4 a panel; and its rounding",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P4")
@pytest.mark.parametrize("degrees", [20, 60, 90])
@pytest.mark.parametrize("t", [0.2, 0.8])
def test_rotated_coupling_has_curl(evidence, rng, degrees, t):
    """The loss cannot see this coupling (P3); its curl R sin θ/(α(αr + βR cos θ)) does."""
    target = Sphere(2, 2.0)
    coupling = RotatedCircle(target.radius, np.deg2rad(degrees))
    x0 = rng.standard_normal((300, 2))
    x0 = x0[norm(x0) > 0.1]
    xt = (1 - t) * x0 + t * coupling.couple(x0)
    tiny = 1e-30
    across = coupling.velocity(t, xt + 1j * tiny * np.array([1.0, 0.0]))[:, 1].imag / tiny
    along = coupling.velocity(t, xt + 1j * tiny * np.array([0.0, 1.0]))[:, 0].imag / tiny
    predicted = coupling.curl(t, norm(x0))
    reach = (1 - t) * norm(x0) + t * target.radius * np.cos(coupling.theta)
    stretch = ((norm(xt) + t * target.radius) / reach) ** 2
    evidence.on(target, degrees=degrees, t=t).control(
        "optimal coupling replaced by a rotated one: curl of its field",
        predicted=predicted,
        measured=across - along,
        agreement=64 * EPS * (np.abs(predicted) + 1 / (1 - t)) * stretch * (1 + target.radius / norm(xt)),
        because="closed form from dr/dρ; the square root magnifies the rounding of ρ² by stretch",
    )
