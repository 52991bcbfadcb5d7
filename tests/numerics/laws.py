"""Laws of the potential contract. Each takes a potential and a generator, and raises AssertionError.

Bounds are what the potential states of itself (`Potential.roundings`), added and amplified; statements are
tested on their own against many digits, in tests/numerics/accuracy. Points are drawn so that every branch is
met: noise, data, points near and far from the support.
"""

from collections.abc import Callable

import numpy as np

from numerics.accuracy import COMPLEX, EPS
from numerics.potentials import Potential
from tests.numerics.differences import complex_step, secants

POINTS = 60
SHARE = 1e-3  # of the length over which a map bends: how far secants reach
STEPS = (1e-6, 1e-2, 1.0, 30.0, 1e6)
Law = Callable[[Potential, np.random.Generator], None]


def _at_most(measured, bound, what):
    worst = int(np.argmax(np.asarray(measured) - np.asarray(bound)))
    allowed = np.ravel(np.broadcast_to(bound, np.shape(measured)))
    assert (measured <= bound).all(), f"{what}: {np.ravel(measured)[worst]:.3g} > {allowed[worst]:.3g}"


def _norm(x):
    return np.linalg.norm(x, axis=-1)


def _dot(x, y):
    return (x * y).sum(axis=-1)


def _anywhere(p, rng):
    """Points on, near and far from the support."""
    x0, x1 = p.sample(POINTS, rng)
    spread = p.scale * 10.0 ** rng.uniform(-3, 1, (POINTS, 1))
    return np.concatenate([x1 + spread * rng.standard_normal(x1.shape), x1 + x0])


def _of_t(p, x0):
    return p.roundings.transport(x0).bound


def _of_prox(p, z, step):
    return p.roundings.prox(z, step).bound


def _pairing_rounding(p, u, y):
    """Of φ(u) + φ*(y) − ⟨u, y⟩, φ being that of a point of its domain beside u."""
    stated, conjugate = p.roundings, p.conjugate(y)
    value = np.nan_to_num(p.value(u), posinf=0.0)
    terms = np.abs(u * y).sum(axis=1) * (p.dim + 2) + 2 * (np.abs(conjugate) + np.abs(value))
    beside = stated.domain(u).bound * _norm(y)
    return stated.value(u).bound + stated.conjugate(y).bound + beside + EPS * terms


def fenchel_young_equality(p, rng):
    """φ(T(x₀)) + φ*(x₀) = ⟨x₀, T(x₀)⟩."""
    x0, x1 = p.sample(POINTS, rng)
    gap = p.value(x1) + p.conjugate(x0) - _dot(x0, x1)
    _at_most(np.abs(gap), _pairing_rounding(p, x1, x0) + 2 * _norm(x0) * _of_t(p, x0), "gap")


def fenchel_young_inequality(p, rng):
    """φ(u) + φ*(y) ≥ ⟨u, y⟩ for any u in the domain and any y."""
    u = p.transport(rng.standard_normal((POINTS, p.dim)))
    y = rng.standard_normal((POINTS, p.dim)) * 10.0 ** rng.uniform(-2, 2, (POINTS, 1))
    for point in (u, (u + u[::-1]) / 2):
        assert np.isfinite(p.value(point)).all(), "the convex hull of the data is not in the domain"
        _at_most(_dot(point, y) - p.value(point) - p.conjugate(y), _pairing_rounding(p, point, y), "excess")


def conjugate_is_convex_with_gradient(p, rng):
    """φ*(y) ≥ φ*(x₀) + ⟨T(x₀), y − x₀⟩, and T is the complex-step gradient of φ*."""
    x0 = rng.standard_normal((POINTS, p.dim))
    image = p.transport(x0)
    y = x0 + rng.standard_normal(x0.shape) * 10.0 ** rng.uniform(-3, 1, (POINTS, 1))
    slack = p.conjugate(x0) + _dot(image, y - x0) - p.conjugate(y)
    rounding = _pairing_rounding(p, image, y) + _pairing_rounding(p, image, x0)
    _at_most(slack, rounding + _of_t(p, x0) * _norm(y - x0), "convexity")
    if p.traits.analytic:
        gradient = complex_step(lambda x: p.conjugate(x)[:, None], x0)[:, 0]
        own = (p.dim + 2) * EPS * _norm(image)  # the complex step's products and sums
        _at_most(_norm(gradient - image), 2 * _of_t(p, x0) + own, "gradient")
    else:
        _slopes_bracket_the_transport(p, x0, rng)


def _slopes_bracket_the_transport(p, x0, rng):
    """⟨T(x₀−δ), δ⟩ ≤ φ*(x₀) − φ*(x₀−δ) ≤ ⟨T(x₀), δ⟩ ≤ φ*(x₀+δ) − φ*(x₀) ≤ ⟨T(x₀+δ), δ⟩: φ* is convex."""
    shift = rng.standard_normal(x0.shape) * 10.0 ** rng.uniform(-7, -1, (len(x0), 1))
    before, after = x0 - shift, x0 + shift
    slopes = [_dot(p.transport(x), shift) for x in (before, x0, after)]
    fall, rise = p.conjugate(x0) - p.conjugate(before), p.conjugate(after) - p.conjugate(x0)
    order = np.stack([slopes[0], fall, slopes[1], rise, slopes[2]])
    of_map = sum(_of_t(p, x) for x in (before, x0, after)) * _norm(shift)
    of_value = sum(p.roundings.conjugate(x).bound + EPS * np.abs(p.conjugate(x)) for x in (before, x0, after))
    size = sum(_norm(p.transport(x)) for x in (before, x0, after))
    # The two ends x₀ ± δ are rounded, and φ* has slope T there.
    rounding = of_map + of_value + EPS * size * ((p.dim + 2) * _norm(shift) + _norm(x0))
    _at_most((order[:-1] - order[1:]).max(axis=0), rounding, "order of slopes")


def transport_jacobian_is_derivative(p, rng):
    """K = DT by complex steps or secants, symmetric and positive semidefinite."""
    x0 = rng.standard_normal((POINTS, p.dim))
    jacobian = p.transport_jacobian(x0)
    rounding = (1 + COMPLEX) * p.roundings.transport_jacobian(x0).bound
    if p.traits.analytic:
        exact = complex_step(p.transport, x0)
        _at_most(np.linalg.norm(jacobian - exact, axis=(1, 2)), rounding, "K − DT")
    else:
        stretch = np.linalg.norm(jacobian, ord=2, axis=(1, 2))
        width = SHARE * np.minimum(p.scale / np.maximum(stretch, EPS), _norm(x0))
        found = secants(p.transport, p.transport_jacobian, x0, width, rng)
        _means_agree(found, (_of_t(p, x0) + EPS * stretch * _norm(x0)) / width + rounding, "mean of K")
    _at_most(np.linalg.norm(jacobian - jacobian.transpose(0, 2, 1), axis=(1, 2)), rounding, "K − Kᵀ")
    _at_most(-np.linalg.eigvalsh(jacobian)[:, 0], rounding, "−κ")


def prox_recovers_data(p, rng):
    """prox_{λφ}(T(x₀) + λx₀) = T(x₀) for every step (P2)."""
    x0, x1 = p.sample(POINTS, rng)
    for step in STEPS:
        z = x1 + step * x0
        formed = EPS * (_norm(x1) + 2 * step * _norm(x0))
        rounding = _of_prox(p, z, step) + formed + 2 * _of_t(p, x0)
        _at_most(_norm(p.prox(z, step) - x1), rounding, f"error at step {step}")


def prox_is_optimal(p, rng):
    """φ(v) ≥ φ(u) + ⟨(z−u)/λ, v−u⟩ for u = prox(z): the subgradient inequality, at sampled v."""
    z, step = _anywhere(p, rng), 10.0 ** rng.uniform(-2, 2, 2 * POINTS)
    u = p.prox(z, step)
    y = (z - u) / step[:, None]
    value = p.value(u)
    assert np.isfinite(value).all(), "prox left the domain"
    error = _of_prox(p, z, step)
    for v in (p.transport(rng.standard_normal(z.shape)), u[::-1], (u + u[::-1]) / 2):
        slack = value + _dot(y, v - u) - p.value(v)
        assert np.isfinite(slack).all(), "the convex hull of the data is not in the domain"
        size = _pairing_rounding(p, u, y) + _pairing_rounding(p, v, y)
        # u and y = (z−u)/λ are off alike: y in the gap at u and in ⟨y, v−u⟩, and φ at u has slope y.
        moved = error * ((_norm(v - u) + error) / step + 2 * _norm(y))
        _at_most(slack, size + moved, "subgradient inequality")


def prox_residual_is_a_subgradient(p, rng):
    """(z − prox(z))/λ lies in ∂φ(prox(z)), by the explicit set."""
    z, step = _anywhere(p, rng)[::10], 10.0 ** rng.uniform(-1, 1, 2 * POINTS)[::10]
    u = p.prox(z, step)
    y = (z - u) / step[:, None]
    error = _of_prox(p, z, step) / step + 2 * EPS * _norm(y)
    for i in range(len(z)):
        found = p.subdifferential(u[i])
        allowed = error[i] + found.rounding * (1 + _norm(y[i])) + found.blur / step[i]
        _at_most(found.distance(y[i]), np.array([allowed]), f"distance to ∂φ at {i}")


def prox_closes_the_gap(p, rng):
    """φ(u) + φ*(y) = ⟨u, y⟩ for u = prox(z), y = (z−u)/λ (Moreau)."""
    z, step = _anywhere(p, rng), 10.0 ** rng.uniform(-1, 1, 2 * POINTS)
    u = p.prox(z, step)
    y = (z - u) / step[:, None]
    gap = p.value(u) + p.conjugate(y) - _dot(u, y)
    error = p.proximal_point(z, step).rounding
    # An error of y moves φ* by at most its slope there, which is another point of the data than u.
    moved = 2 * error.point.bound * _norm(y) + 2 * error.dual.bound * (_norm(u) + p.scale)
    _at_most(np.abs(gap), _pairing_rounding(p, u, y) + moved, "gap")


def prox_is_firmly_nonexpansive(p, rng):
    """|u−u'|² ≤ ⟨u−u', z−z'⟩: also across the gaps of an atomic support (P5)."""
    z = _anywhere(p, rng)
    other = z + p.scale * rng.standard_normal(z.shape) * 10.0 ** rng.uniform(-4, 0, (len(z), 1))
    for step in (1e-2, 1.0, 30.0):
        change = p.prox(z, step) - p.prox(other, step)
        rounding = _of_prox(p, z, step) + _of_prox(p, other, step)
        size = 2 * _norm(change) + _norm(z - other)
        excess = _norm(change) ** 2 - _dot(change, z - other)
        _at_most(excess, rounding * (size + rounding) + (p.dim + 4) * EPS * size * _norm(change), "firmness")


def prox_jacobian_is_derivative(p, rng):
    """J = D prox by complex steps or secants, symmetric, with spectrum in [0, 1]."""
    z = _anywhere(p, rng)
    for step in (1e-2, 1.0, 30.0):
        jacobian = p.prox_jacobian(z, step)
        rounding = (1 + COMPLEX) * p.roundings.prox_jacobian(z, step).bound + 16 * p.dim * EPS
        if p.traits.analytic:
            exact = complex_step(lambda x, s=step: p.prox(x, s), z)
            _at_most(np.linalg.norm(jacobian - exact, axis=(1, 2)), rounding, "J − D prox")
        else:
            width = SHARE * _resolution(p, z, step)
            maps = [lambda x, f=f, s=step: f(x, s) for f in (p.prox, p.prox_jacobian)]
            found = secants(*maps, z, width, rng)
            _means_agree(found, (_of_prox(p, z, step) + EPS * _norm(z)) / width + rounding, "mean of J")
        _at_most(np.linalg.norm(jacobian - jacobian.transpose(0, 2, 1), axis=(1, 2)), rounding, "J − Jᵀ")
        spectrum = np.linalg.eigvalsh(jacobian)
        _at_most(np.maximum(-spectrum[:, 0], spectrum[:, -1] - 1), rounding, "spectrum beyond [0, 1]")


def _means_agree(found, rounding, what):
    """Secants equal the means on segments without a kink or jump; at most a quarter may have one."""
    bound = 2 * rounding + 2 * found.truncation
    jumped = found.size > 4 * found.mean + bound
    kinked = found.truncation > 1e-6 * (1 + found.mean)
    assert jumped.sum() <= len(bound) // 12, f"{what}: {jumped.sum()} of {len(bound)} secants see a jump"
    assert kinked.sum() <= len(bound) // 4, f"{what}: {kinked.sum()} of {len(bound)} segments have a kink"
    _at_most(np.where(jumped | kinked, 0.0, found.error), bound, what)


def _resolution(p, z, step):
    """Length over which prox bends: a Jacobian loses digits when it is small beside the points."""
    u = p.prox(z, step)
    return np.minimum(p.scale, _norm(z - u) + p.scale * 1e-3)


def envelope_matches_its_minimiser(p, rng):
    """e(z) = φ(u) + |z−u|²/(2λ), and no sampled v does better."""
    z, step = _anywhere(p, rng), 10.0 ** rng.uniform(-1, 1, 2 * POINTS)
    u = p.prox(z, step)
    y = (z - u) / step[:, None]
    envelope = p.envelope(z, step)
    direct = _dot(z - u, z - u) / (2 * step) + p.value(u)
    error = _of_prox(p, z, step)
    stated = p.roundings.envelope(z, step).bound + p.roundings.value(u).bound
    beside = (p.roundings.domain(u).bound + error) * (2 * _norm(y) + error / step)
    size = np.abs(envelope) + _dot(z - u, z - u) / step
    rounding = stated + beside + (p.dim + 6) * EPS * size
    _at_most(np.abs(envelope - direct), rounding, "e − its minimum")
    v = p.transport(rng.standard_normal(z.shape))
    cost = p.value(v) + _dot(z - v, z - v) / (2 * step)
    rounding = rounding + p.roundings.value(v).bound + (p.dim + 6) * EPS * np.abs(cost)
    rounding = rounding + p.roundings.domain(v).bound * (_norm(y) + _norm(z - v) / step)
    _at_most(envelope - cost, rounding, "e above a competitor")


def subdifferential_holds_the_noise(p, rng):
    """x₀ ∈ ∂φ(T(x₀)), dim ∂φ = d − m, and balls of the stated radius in its hull stay inside (A2, A3)."""
    x0, x1 = p.sample(8, rng)
    for group in p.manifolds(x1, x0):
        for k, i in enumerate(group.rows):
            found = p.subdifferential(x1[i])
            assert found.contains(x0[i]).all(), f"x0 not in ∂φ(T(x0)): {found.distance(x0[i])}"
            assert found.dimension == p.dim - group.dimension, (found.dimension, p.dim, group.dimension)
            radius = found.boundary_distance(x0[i])[0]
            tangent = group.tangent[k]
            normal = rng.standard_normal((20, p.dim))
            normal -= normal @ tangent @ tangent.T
            if found.dimension and radius > 1e-6:
                normal *= min(0.99 * radius, 1e3) / _norm(normal)[:, None]
                normal -= (
                    normal @ tangent @ tangent.T
                )  # rounding of the first projection grew with the radius
                assert found.contains(x0[i] + normal).all(), "the ball inside the boundary leaves ∂φ"
            _agrees_with_the_gap(p, found, x1[i], rng)
            if group.dimension:
                off = x0[i] + 1e-3 * (1 + _norm(x0[i])) * tangent.T
                assert not found.contains(off).any(), "∂φ holds tangent directions"


def _agrees_with_the_gap(p, found, x1, rng):
    """Membership and distance by φ and φ* alone: y ∈ ∂φ(x₁) iff the Fenchel–Young gap is 0, and it is at most
    |T(y) − x₁| times the distance: φ*(y) ≤ φ*(y') + ⟨T(y), y − y'⟩ for the member y' nearest to y."""
    y = rng.standard_normal((12, p.dim)) * 10.0 ** rng.uniform(-1, 1, (12, 1))
    here = np.broadcast_to(x1, y.shape)
    gap = p.value(here) + p.conjugate(y) - _dot(here, y)
    rounding = _pairing_rounding(p, here, y) + _norm(y) * _of_t(p, y)
    distance = found.distance(y)
    _at_most(gap, _norm(p.transport(y) - here) * distance + rounding, "gap beyond its distance")
    clear = gap > rounding
    assert not (clear.any() and found.contains(y[clear]).any()), "∂φ holds noise with a positive gap"


def manifold_inverts_the_transport_jacobian(p, rng):
    """The tangent basis is orthonormal, and K = H⁻¹ on it, 0 across (H3)."""
    x0, x1 = p.sample(POINTS, rng)
    jacobian, stated = p.transport_jacobian(x0), p.roundings.transport_jacobian(x0).bound
    seen = 0
    for group in p.manifolds(x1, x0):
        seen += len(group.rows)
        tangent = group.tangent
        gram = tangent.transpose(0, 2, 1) @ tangent
        _at_most(np.abs(gram - np.eye(group.dimension)).max(initial=0.0), 16 * p.dim * EPS, "Gram − I")
        inverse = tangent @ np.linalg.inv(group.hessian) @ tangent.transpose(0, 2, 1)
        difference = np.linalg.norm(jacobian[group.rows] - inverse, axis=(1, 2))
        spread = np.linalg.cond(group.hessian) if group.dimension else np.ones(len(group.rows))
        inverted = 16 * p.dim * EPS * np.linalg.norm(inverse, axis=(1, 2)) * spread
        # H is taken at x₁, whose error counts in it as one of the noise does in K: so twice, either way.
        _at_most(difference, 4 * stated[group.rows] + inverted, "K − H⁻¹")
        rank = (np.linalg.eigvalsh(jacobian[group.rows]) > 1e-9 * p.scale).sum(axis=1)
        assert (rank == group.dimension).all(), f"rank of K {rank}, m {group.dimension}"
    assert seen == len(x1), f"manifolds covers {seen} of {len(x1)} points"


def sample_is_reproducible(p, rng):
    """The same generator state gives the same pairs, and x₁ = T(x₀)."""
    seed = int(rng.integers(2**31))
    first, second = (p.sample(5, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(first, second)
    assert np.array_equal(first[1], p.transport(first[0]))


LAWS: list[Law] = [
    fenchel_young_equality,
    fenchel_young_inequality,
    conjugate_is_convex_with_gradient,
    transport_jacobian_is_derivative,
    prox_recovers_data,
    prox_is_optimal,
    prox_residual_is_a_subgradient,
    prox_closes_the_gap,
    prox_is_firmly_nonexpansive,
    prox_jacobian_is_derivative,
    envelope_matches_its_minimiser,
    subdifferential_holds_the_noise,
    manifold_inverts_the_transport_jacobian,
    sample_is_reproducible,
]
