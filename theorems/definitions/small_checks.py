"""Small checks that a prox, or a map with its Jacobian, can be put to: what each would have caught.

Each returns the largest (excess, allowed): what exceeds an inequality that is true, and by how much rounding
may. The last of each kind are checks in use that cannot fail: they are here to show it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import Rounding
from numerics.potentials import Potential
from theorems.definitions.mistakes import Huber, Prox, SquaredOverlap
from theorems.setting.vectors import dot, frobenius, norm

Array = NDArray[np.float64]
Excess = tuple[float, float]
POINTS = 400


@dataclass(frozen=True)
class ProxCase:
    """A convex φ and what is claimed to be its prox."""

    convex: Huber | SquaredOverlap
    prox: Prox

    def draw(self, rng: np.random.Generator) -> tuple[Array, Array, Array, Array]:
        """Points z and steps τ, p = prox(z), and v = (z − p)/τ, which must be in ∂φ(p)."""
        z = 3 * rng.standard_normal((POINTS, self.convex.dim))
        step = 10.0 ** rng.uniform(-2, 2, POINTS)
        p = self.prox(z, step)
        return z, step, p, (z - p) / step[:, None]


@dataclass(frozen=True)
class MapCase:
    """A potential, what is claimed to be K = DT, and what is claimed to be the dimension of the support."""

    potential: Potential
    jacobian: Callable[[Array], Array]
    dimension: int


def _worst(excess: Array, allowed: Array) -> Excess:
    place = int(np.argmax(excess - allowed))
    return float(excess[place]), float(allowed[place])


def _of_terms(dim: int, size: Array) -> Array:
    """What sums of inner products of d terms round, in a dozen operations on terms of this size."""
    return Rounding(size, 2 * (dim + 12), "inner products, values and their sums").bound


def _rivals(p: Array, rng: np.random.Generator) -> tuple[Array, ...]:
    other = rng.permutation(p)
    return other, (p + other) / 2, p + rng.standard_normal(p.shape), 2 * rng.standard_normal(p.shape)


def subgradient_inequality(case: ProxCase, rng: np.random.Generator) -> Excess:
    """φ(x') ≥ φ(p) + ⟨v, x'−p⟩ at sampled x': prox-regularity with ρ = 0."""
    z, step, p, v = case.draw(rng)
    value, slope = case.convex.value, norm(v) + norm(z) / step
    found = []
    for x in _rivals(p, rng):
        size = value(p) + value(x) + slope * (norm(x - p) + norm(z))
        found.append(_worst(value(p) + dot(v, x - p) - value(x), _of_terms(case.convex.dim, size)))
    return max(found, key=lambda pair: pair[0] - pair[1])


def fenchel_young_gap(case: ProxCase, rng: np.random.Generator) -> Excess:
    """φ(p) + φ*(v) = ⟨v, p⟩."""
    z, step, p, v = case.draw(rng)
    terms = case.convex.value(p), case.convex.conjugate(v)
    finite = np.where(np.isfinite(terms[1]), terms[1], 0.0)
    size = terms[0] + finite + (norm(v) + norm(z) / step) * (norm(p) + norm(z))
    return _worst(np.abs(terms[0] + terms[1] - dot(v, p)), _of_terms(case.convex.dim, size))


def firm_nonexpansiveness(case: ProxCase, rng: np.random.Generator) -> Excess:
    """|p − p'|² ≤ ⟨p − p', z − z'⟩, at the same step."""
    z, step, p, _ = case.draw(rng)
    other = z + 10.0 ** rng.uniform(-3, 0, (len(z), 1)) * rng.standard_normal(z.shape)
    change, move = case.prox(other, step) - p, other - z
    size = (norm(z) + norm(other)) * (norm(change) + norm(move))
    return _worst(dot(change, change) - dot(change, move), _of_terms(case.convex.dim, size))


def no_rival_costs_less(case: ProxCase, rng: np.random.Generator) -> Excess:
    """φ(p) + |p−z|²/(2τ) ≤ φ(x') + |x'−z|²/(2τ) at sampled x'."""
    z, step, p, _ = case.draw(rng)
    value, found = case.convex.value, []
    for x in _rivals(p, rng):
        costs = [value(a) + dot(a - z, a - z) / (2 * step) for a in (p, x)]
        size = sum(costs) + norm(z) * (norm(p) + norm(x) + norm(z)) / step
        found.append(_worst(costs[0] - costs[1], _of_terms(case.convex.dim, size)))
    return max(found, key=lambda pair: pair[0] - pair[1])


def moreau_identity_with_derived_dual(case: ProxCase, rng: np.random.Generator) -> Excess:
    """Moreau: z = prox_{τφ}(z) + τ·prox_{φ*/τ}(z/τ), the second being *defined* as (z − prox_{τφ}(z))/τ."""
    z, step, p, _ = case.draw(rng)

    def dual(y: Array) -> Array:
        scaled = y * step[:, None]
        return (scaled - case.prox(scaled, step)) / step[:, None]

    residual = z - p - step[:, None] * dual(z / step[:, None])
    return _worst(norm(residual), _of_terms(case.convex.dim, (norm(z) + norm(p))))


def jacobian_is_derivative(case: MapCase, rng: np.random.Generator) -> Excess:
    """K = DT by central differences at two steps; allowed is what the two differ by, an estimate."""
    x0, transport = _noise(case, rng), case.potential.transport
    found, h = [], 1e-3
    for width in (h, h / 2):
        ends = [(transport(x0 + width * a), transport(x0 - width * a)) for a in np.eye(case.potential.dim)]
        found.append(np.stack([(up - down) / (2 * width) for up, down in ends], axis=-1))
    error, truncation = (frobenius(found[1] - other) for other in (case.jacobian(x0), found[0]))
    rounding = case.potential.roundings.transport(x0).amplified(4 * np.sqrt(case.potential.dim) / h).bound
    return _worst(error, truncation + rounding + _allowed(case, x0))


def rank_is_dimension(case: MapCase, rng: np.random.Generator) -> Excess:
    """Rank K = m."""
    spectrum = np.linalg.eigvalsh(case.jacobian(_noise(case, rng)))
    rank = (spectrum > 1e-9 * case.potential.scale).sum(axis=1)
    return _worst(np.abs(rank - case.dimension).astype(float), np.zeros(len(rank)))


def tangent_vectors_span_the_dimension(case: MapCase, rng: np.random.Generator) -> Excess:
    """Differences of T at one point, in d random directions and their doubles, span m dimensions."""
    d, h = case.potential.dim, 1e-5
    x0, directions = rng.standard_normal((1, d)), h * rng.standard_normal((2 * d, d))
    ends = [case.potential.transport(x0 + s * directions) for s in (1, -1)]
    singular = np.linalg.svd((ends[0] - ends[1]) / (2 * h), compute_uv=False)
    rank = int((singular > 1e-5 * singular[0]).sum())
    return float(abs(rank - case.dimension)), 0.0


def jacobian_is_symmetric_and_positive(case: MapCase, rng: np.random.Generator) -> Excess:
    """K = Kᵀ ≥ 0: what a gradient of a convex function needs, and many wrong K have."""
    x0 = _noise(case, rng)
    k = case.jacobian(x0)
    return _worst(
        np.maximum(frobenius(k - k.transpose(0, 2, 1)), -np.linalg.eigvalsh(k)[:, 0]), _allowed(case, x0)
    )


def _noise(case: MapCase, rng: np.random.Generator) -> Array:
    return rng.standard_normal((40, case.potential.dim))


def _allowed(case: MapCase, x0: Array) -> Array:
    return case.potential.roundings.transport_jacobian(x0).amplified(2.0, "K and its transpose").bound


PROX_CHECKS = (
    subgradient_inequality,
    fenchel_young_gap,
    firm_nonexpansiveness,
    no_rival_costs_less,
    moreau_identity_with_derived_dual,
)
MAP_CHECKS = (
    jacobian_is_derivative,
    rank_is_dimension,
    tangent_vectors_span_the_dimension,
    jacobian_is_symmetric_and_positive,
)
BLIND = (moreau_identity_with_derived_dual, jacobian_is_symmetric_and_positive)
