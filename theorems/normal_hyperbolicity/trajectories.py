"""Exact trajectories with the support's geometry at their ends, and condition numbers that checks share."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import EPS
from numerics.potentials import Potential
from numerics.schedules import Linear, Polynomial, Schedule, Trigonometric, VariancePreserving
from theorems.proximal_denoiser.bounds import norm

Array = NDArray[np.float64]
HYPERBOLIC: tuple[Schedule, ...] = (
    Linear(),
    Polynomial(0.5),
    Polynomial(2.5),
    Trigonometric(),
    VariancePreserving(),
)
"""Schedules with γ = 1, p, 1 and 1/2."""


@dataclass(frozen=True)
class Bundle:
    """Trajectories that end on strata of one dimension m.

    Attributes:
        x0: (k,d) noise.
        x1: (k,d) data.
        tangent: (k,d,m) orthonormal.
        hessian: (k,m,m), H.
    """

    x0: Array
    x1: Array
    tangent: Array
    hessian: Array

    @property
    def dimension(self) -> int:
        """Dimension m."""
        return int(self.tangent.shape[2])

    def spread(self, on_tangent: Array, off_tangent: float | Array) -> Array:
        """The matrices T·A·Tᵀ + c·P_N for A (k,m,m)."""
        flipped = self.tangent.transpose(0, 2, 1)
        normal = np.eye(self.x0.shape[1]) - self.tangent @ flipped
        return np.asarray(self.tangent @ on_tangent @ flipped + off_tangent * normal)


def bundles(target: Potential, n: int, rng: np.random.Generator) -> Iterator[Bundle]:
    """N exact trajectories of a target, one bundle for each dimension that the support has there."""
    x0, x1 = target.sample(n, rng)
    for group in target.manifolds(x1, x0):
        yield Bundle(x0[group.rows], x1[group.rows], group.tangent, group.hessian)


def field_jacobian(bundle: Bundle, schedule: Schedule, remaining: float) -> Array:
    """H1: (α̇/α)P_N + T(α̇H + β̇)(αH + β)⁻¹Tᵀ, which is (α̇+β̇κ)/(α+βκ) with κ = 1/h; no 1/α on T."""
    alpha, beta, fall, rise = coefficients(schedule, remaining)
    eye = np.eye(bundle.dimension)
    inner = np.linalg.solve(alpha * bundle.hessian + beta * eye, fall * bundle.hessian + rise * eye)
    return bundle.spread(np.asarray(inner, dtype=np.float64), fall / alpha)


def coefficients(schedule: Schedule, remaining: float) -> tuple[float, float, float, float]:
    """α, β, α̇, β̇."""
    parts = (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot)
    alpha, beta, fall, rise = (float(part(remaining=remaining)) for part in parts)
    return alpha, beta, fall, rise


def bend(target: Potential, z: Array, u: Array) -> Array:
    """Length over which prox bends around z, the scale of its Jacobian's rounding."""
    return np.asarray(np.minimum(target.scale, norm(z - u) + 1e-3 * target.scale))


def jacobian_condition(target: Potential, bundle: Bundle, schedule: Schedule, remaining: float) -> Array:
    """Absolute condition number of Dv_t(x_t): that of D prox, times β̇/β − α̇/α."""
    alpha, beta, fall, rise = coefficients(schedule, remaining)
    z = bundle.x1 + alpha / beta * bundle.x0
    inner = target.prox_condition(z, alpha / beta) / bend(target, z, bundle.x1)
    return np.asarray((rise / beta - fall / alpha) * (1 + inner))


def envelope_size(target: Potential, z: Array, step: float) -> Array:
    """The terms whose sum the Moreau envelope is: |z−u|²/(2λ), and φ(u) ≤ |⟨u,y⟩| + |φ*(y)|, y = (z−u)/λ."""
    u = target.prox(z, step)
    y = (z - u) / step
    inner = target.prox_condition(z, step)
    eps = EPS
    return np.asarray((norm(u) + target.scale + inner) * (norm(y) + eps * inner / step)) + np.abs(
        target.conjugate(y)
    )
