"""P4: noise is the gradient of the Moreau envelope, and the field is a gradient.

Assumed: the contract. The envelope's gradient is checked by differences of its values, with a certified
error (a 1/λ-smooth convex function); the conjugate ψ* by Fenchel–Young; the absence of curl by complex steps
through prox where it is analytic, which nobody told that Jacobians of gradients are symmetric, and by
circulations for every target.
"""

import numpy as np
import pytest

from numerics.accuracy import COMPLEX, EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import complex_jacobian
from numerics.potentials import Sphere
from theorems.proximal_denoiser.rotated import RotatedCircle
from theorems.proximal_denoiser.secants import circulation
from theorems.setting.draws import affordable, generator
from theorems.setting.interpolant import Interpolant
from theorems.setting.quantifiers import ANALYTIC, SCHEDULES, SEEDS, TARGETS, TIMES, for_all
from theorems.setting.vectors import dot, norm


@for_all("P4", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_noise_is_recovered(evidence, target, schedule, t, seed):
    at = Interpolant.drawn(target, schedule, t, 400, generator(seed))
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|∇e_λφ(x_t/β) − x₀|",
        norm(at.field.noise(None, at.xt, remaining=1 - t) - at.x0),
        at.field.roundings.noise(None, at.xt, remaining=1 - t, moved=at.of_path.bound),
        because="the gradient of the envelope is exactly x₀; what the field and x_t round",
        clause="noise",
    )


@for_all("P4", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_envelope_has_this_gradient(evidence, target, schedule, t, seed):
    """Convex and 1/λ-smooth: the change of e lies between bounds that differ by the change of g alone."""
    rng = generator(seed)
    step, n = float(schedule.step(t)), 200
    x0, x1 = target.sample(n, rng)
    z = x1 + step * x0 + target.scale * rng.uniform(0, 2, (n, 1)) * rng.standard_normal(x0.shape)
    direction = _directions(rng, z, target.scale * 10.0 ** rng.uniform(-4, 1, n))
    moved = z + direction
    here, there = target.proximal_point(z, step), target.proximal_point(moved, step)
    arrow = moved - z  # the very direction that was taken, after rounding; exact (Sterbenz) or one rounding
    change = there.envelope - here.envelope - dot(here.dual, arrow)
    least, most = _bregman_bounds(here.dual, there.dual, arrow, step)
    duals = here.rounding.dual + there.rounding.dual
    apart = norm(there.dual - here.dual)
    formed = Rounding(
        (norm(here.dual) + apart) * norm(arrow) + step * apart**2, target.dim + 6, "the products"
    )
    slopes = duals.amplified(2 * norm(arrow) + step * (apart + duals.bound), "in ⟨g, δ⟩ and λ|g'−g|²/2")
    sizes = Rounding(np.abs(here.envelope) + np.abs(there.envelope), 1, "the difference of envelopes")
    rounding = here.rounding.envelope + there.rounding.envelope + slopes + formed + sizes
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    because = "e is convex and 1/λ-smooth, so both bounds hold"
    above, below = np.maximum(change - most, 0.0), np.maximum(least - change, 0.0)
    on.bounded(
        "e(z+δ) − e(z) − ⟨g, δ⟩ above ⟨g'−g, δ⟩ − λ|g'−g|²/2",
        above,
        rounding,
        because,
        clause="noise",
    )
    on.bounded(
        "e(z+δ) − e(z) − ⟨g, δ⟩ below λ|g'−g|²/2",
        below,
        rounding,
        because,
        clause="noise",
    )


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


@for_all("P4", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_conjugate_of_psi(evidence, target, schedule, t, seed):
    """ψ_t*(y) = |y|²/(2β) − αe(y/β) is the supremum of ⟨y,u⟩ − ψ_t(u): attained at prox, no v beats it."""
    rng = generator(seed)
    at = Interpolant.drawn(target, schedule, t, 200, rng)
    (alpha, beta, *_), y, others = at.coefficients, at.xt, rng.permutation(at.x1)
    stated = dot(y, y) / (2 * beta) - alpha * at.solved.envelope

    def dual(u):
        return dot(y, u) - alpha * target.value(u) - beta * dot(u, u) / 2

    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    of_stated = at.solved.rounding.envelope.amplified(alpha) + _of_argument(at)
    # x₁ maximises ⟨y,·⟩ − ψ, at the exact x_t with slope 0: an error δ of the pair costs |δ|(|x₀|α + β|δ|).
    of_pair = at.of_data.amplified(alpha * norm(at.x0) + norm(y) + beta * norm(at.x1), "an error of x₁")
    on.bounded(
        "|ψ*(y) − (⟨y,x₁⟩ − ψ(x₁))|",
        np.abs(stated - dual(at.x1)),
        of_stated + _of_dual(at, at.x1) + of_pair,
        because="the supremum is attained at x₁",
        clause="conjugate",
    )
    on.bounded(
        "⟨y,v⟩ − ψ(v) above ψ*(y), v other data",
        np.maximum(dual(others) - stated, 0.0),
        of_stated + _of_dual(at, others),
        because="no v exceeds the supremum; values at points of dom φ beside v",
        clause="conjugate",
    )


def _of_argument(at):
    """Of e at z = y/β, divided with λ = α/β: slope |y₀| = |x₀|, ∂e/∂λ = −|x₀|²/2; and of |y|²/(2β)."""
    alpha, beta, *_ = at.coefficients
    length, noise = norm(at.xt), norm(at.solved.dual)
    divided = Rounding(alpha * noise * norm(at.z) + alpha * at.step * noise**2 / 2, 2, "z and λ are divided")
    return divided + Rounding(
        length**2 / (2 * beta) + alpha * np.abs(at.solved.envelope), at.target.dim + 4, "sums"
    )


def _of_dual(at, u):
    """Of ⟨y,u⟩ − αφ(u) − β|u|²/2, φ being that of a point beside u."""
    (alpha, beta, *_), stated = at.coefficients, at.target.roundings
    size = norm(at.xt) * norm(u) + alpha * np.abs(at.target.value(u)) + beta * norm(u) ** 2 / 2
    beside = stated.domain(u).amplified(norm(at.xt) + beta * norm(u), "u stands for a point of the domain")
    return stated.value(u).amplified(alpha) + beside + Rounding(size, at.target.dim + 4, "sums of d products")


@for_all("P4", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_field_is_the_gradient_of_its_potential(evidence, target, schedule, t, seed):
    """V = (α̇β − β̇α)e(x/β) + β̇|x|²/(2β): with g read off v, e changes as one whose gradient is g."""
    rng = generator(seed)
    field, n = ExactField(target, schedule), 100
    alpha, beta = float(schedule.alpha(t)), float(schedule.beta(t))
    fall, rise = float(schedule.alpha_dot(t)), float(schedule.beta_dot(t))
    x0, x1 = target.sample(n, rng)
    x = alpha * x0 + beta * x1
    x = x + beta * target.scale * rng.uniform(0, 1, (n, 1)) * rng.standard_normal(x0.shape)
    direction = _directions(rng, x, beta * target.scale * 10.0 ** rng.uniform(-4, 1, n))
    moved = x + direction
    arrow = moved - x
    change = field.velocity_potential(t, moved) - field.velocity_potential(t, x)
    weight = fall * beta - rise * alpha
    velocities = field.velocity(t, x), field.velocity(t, moved)
    gradient, ahead = (
        beta * (v - rise / beta * at) / weight for v, at in zip(velocities, (x, moved), strict=True)
    )
    square = rise / beta * (dot(x, arrow) + dot(arrow, arrow) / 2)
    excess = (change - square) / weight - dot(gradient, arrow) / beta
    least, most = _bregman_bounds(gradient, ahead, arrow / beta, alpha / beta)
    rounding = _of_bregman(field, t, x, moved, arrow, velocities, gradient, ahead, weight)
    on = evidence.on(target, schedule=schedule, t=t, seed=seed)
    because = "∇V = v makes e's gradient g, and e is convex and 1/λ-smooth"
    above, below = np.maximum(excess - most, 0.0), np.maximum(least - excess, 0.0)
    on.bounded(
        "V(x+δ) − V(x), its part in e, above ⟨g'−g, δ/β⟩ − λ|g'−g|²/2",
        above,
        rounding,
        because,
        clause="gradient",
    )
    on.bounded(
        "V(x+δ) − V(x), its part in e, below λ|g'−g|²/2",
        below,
        rounding,
        because,
        clause="gradient",
    )


def _of_bregman(field, t, x, moved, arrow, velocities, gradient, ahead, weight):
    """V at both points over the weight, g from v times β over the weight, and the products formed of them."""
    s, stated = field.schedule, field.roundings
    alpha, beta, rise = float(s.alpha(t)), float(s.beta(t)), float(s.beta_dot(t))
    length = norm(arrow) / beta
    values = stated.velocity_potential(t, x) + stated.velocity_potential(t, moved)
    sizes = norm(velocities[0]) + norm(velocities[1]) + rise / beta * (norm(x) + norm(moved))
    slopes = (
        stated.velocity(t, x) + stated.velocity(t, moved) + Rounding(sizes, 3, "g is read off v")
    ).amplified(beta / abs(weight))
    apart = norm(ahead - gradient)
    reach = slopes.amplified(2 * length + alpha / beta * (apart + slopes.bound), "in ⟨g, δ⟩ and λ|g'−g|²/2")
    potentials = np.abs(field.velocity_potential(t, x)) + np.abs(field.velocity_potential(t, moved))
    squares = rise / beta * (norm(x) * norm(arrow) + norm(arrow) ** 2)
    products = (norm(gradient) + norm(ahead)) * length + alpha / beta * apart**2
    formed = Rounding((potentials + squares) / abs(weight) + products, x.shape[1] + 6, "sums and products")
    # The step of the exact field is α/β exactly, here divided: λ|g'−g|²/2 moves by u of itself.
    return values.amplified(1 / abs(weight)) + reach + formed


@for_all("P4", target=ANALYTIC, t=TIMES, seed=SEEDS)
def test_field_has_no_curl(evidence, target, t, seed):
    rng = generator(seed)
    step = (1 - t) / t
    n = affordable(50, target.dim)
    z = target.scale * rng.standard_normal((n, target.dim)) * 10.0 ** rng.uniform(-1, 1, (n, 1))
    z = z + step * rng.standard_normal(z.shape)
    jacobian = complex_jacobian(lambda _, y: target.prox(y, step), 0.0, z, tiny=1e-30 * target.scale)
    skew = np.abs(jacobian - jacobian.transpose(0, 2, 1)).max(axis=(1, 2))
    evidence.on(target, t=t, seed=seed).bounded(
        "|J − Jᵀ| for J = D prox by complex steps",
        skew,
        target.roundings.prox_jacobian(z, step).amplified(2 * COMPLEX, "J and its transpose"),
        because="the exact J is symmetric; complex steps carry no truncation and round as J does",
        clause="gradient",
    )


@for_all("P4", target=TARGETS, t=TIMES, seed=SEEDS)
def test_circulation_vanishes(evidence, target, t, seed):
    """No derivative needed: around triangles of every size prox, a gradient, does no work."""
    rng = generator(seed)
    step, n = (1 - t) / t, 6
    centre = target.scale * rng.standard_normal((n, 1, target.dim)) * 10.0 ** rng.uniform(-1, 1, (n, 1, 1))
    size = target.scale * 10.0 ** rng.uniform(-3, 1, (n, 1, 1))
    corners = centre + size * rng.standard_normal((n, 3, target.dim))
    work, truncation, rounding = circulation(target, corners, step, panels=6 if n == 1 else 24)
    evidence.on(target, t=t, seed=seed).bounded(
        "|∮ prox·dl| around a triangle",
        np.abs(work),
        rounding,
        because="a gradient does no work; prox is 1-Lipschitz, so the midpoint rule errs by h²/4 a panel",
        main=truncation,
        clause="gradient",
    )


# --- control ------------------------------------------------------------------------------------------


@pytest.mark.control("P4")
@pytest.mark.parametrize("degrees", [20, 60, 90])
@pytest.mark.parametrize("t", [0.2, 0.8])
def test_rotated_coupling_has_curl(evidence, rng, degrees, t):
    """The loss cannot see this coupling (P3); its curl R sin θ/(α(αr + βR cos θ)) does."""
    target = Sphere(2, 2.0)
    coupling = RotatedCircle(target.radius, np.deg2rad(degrees))
    drawn = rng.standard_normal((300, 2))
    x0 = drawn[norm(drawn) > 0.1]
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
        left_out=len(drawn) - len(x0),
        chosen="left out where |x₀| ≤ 0.1, near the cut locus",
    )
