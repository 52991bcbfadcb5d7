r"""Spheres: $φ^* = R|·|$, φ the indicator of the ball (docs/theory.md §4.2, family 4)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.checks import positive_integer, positive_number
from numerics.geometry import norms, outer_complement, tangent_basis, widest_turn
from numerics.potentials.base import Potential
from numerics.potentials.normal_ray import NormalRay, nonzero, signs
from numerics.potentials.support_geometry import ManifoldGroup
from numerics.potentials.traits import Traits


class Sphere(Potential):
    r"""The uniform law on $|x| = R$: $φ^*(x_0) = R|x_0|$, $T(x_0) = R x_0/|x_0|$, φ = δ of the ball.

    On the tangent space K = R/|x₀|, on the normal 0. At x₀ = 0, the cut locus, T has no value.

    Accuracy (`roundings`): |x₀| is the root of d squares, d/2 + 1 roundings relatively; T and, outside the
    ball, prox divide and multiply once more: d/2 + 3 of R, at every x₀. K and D prox are R/|x₀| times a
    projector, I − nnᵀ: the length in n counts d + 2 along nnᵀ, that in the factor R/|x₀| with its quotient
    √(d−1)(d/2 + 2) along I − nnᵀ, which is orthogonal to it. What rounds entry by entry lies along neither:
    those of nnᵀ 3 times, and their difference from I and its product with the factor √(d−1) each. On the
    line the direction is ±1: T and prox are exact, K and D prox 0, also by complex steps. x₀ moved by r turns
    T by arcsin(r/|x₀|) at most, and to the other side from r = |x₀| on. Inside the ball prox and D prox are
    exact; so near the sphere that |z| may be rounded across it, prox misses R by as much as outside, and D
    prox may be that of the other side, whose difference has length 1. The kink is the sphere.

    Args:
        dim: d, the ambient dimension: ``Sphere(3)`` is S².
        radius: R > 0.

    Raises:
        ValueError: If dim is not a positive integer, or radius not positive and finite; `transport` and
            `transport_jacobian` raise at x₀ = 0.

    Example:
        >>> Sphere(2, 3.0).transport([[0.0, 5.0]]).tolist()
        [[0.0, 3.0]]
        >>> Sphere(2, 3.0).prox([[1.0, 0.0], [9.0, 0.0]], step=0.5).tolist()  # the projection on the ball
        [[1.0, 0.0], [3.0, 0.0]]
    """

    _traits = Traits(analytic=True)

    def __init__(self, dim: int, radius: float = 1.0) -> None:
        self.dim = positive_integer("dim", dim)
        self.radius = positive_number("radius", radius)
        self.scale = self.radius

    def __repr__(self) -> str:
        return f"Sphere({self.dim}, {self.radius!r})"

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return np.where(norms(x) <= self.radius + self._rounding, 0.0, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        return self.radius * norms(x0)

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return np.full(len(x0), self.scale)

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        length = nonzero("x0", norms(x0))
        return self.radius * (signs(x0) if self.dim == 1 else x0 / length[:, None])

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        length = nonzero("x0", norms(x0))
        if self.dim == 1:
            return np.zeros((len(x0), 1, 1))
        return (self.radius / length)[:, None, None] * outer_complement(x0 / length[:, None])

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        length = norms(z)
        if self.dim == 1:
            return np.where((length.real > self.radius)[:, None], self.radius * signs(z), z)
        outside = length.real > self.radius
        shrink = np.where(outside, self.radius / np.where(outside, length, 1.0), 1.0)
        return z * shrink[:, None]

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        length = norms(z)
        outside = length > self.radius
        safe = np.where(outside, length, 1.0)
        curved = (self.radius / safe)[:, None, None] * outer_complement(z / safe[:, None])
        return np.where(outside[:, None, None], curved, np.eye(self.dim))

    # --- accuracy ---------------------------------------------------------------------------------

    def _length_count(self) -> float:
        return self.dim / 2 + 1

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        nonzero("x0", norms(x0))
        size = np.full(len(x0), self.radius if self.dim > 1 else 0.0)
        return Rounding(size, self._length_count() + 2, "a length, a quotient, a product; none on the line")

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(self.radius * norms(x0), self._length_count() + 1, "a length and a product")

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return self._projector_rounding(nonzero("x0", norms(x0)))

    def _projector_rounding(self, length: Float[np.ndarray, " n"]) -> Rounding:
        """Of (R/|x|)(I − xxᵀ/|x|²)."""
        if self.dim == 1:
            return Rounding(np.zeros(len(length)), 0, "1 − (±1)² = 0")
        across = np.sqrt(self.dim - 1)
        lengths = np.hypot(self.dim + 2, across * (self._length_count() + 1))
        return Rounding(self.radius / length, lengths + 3 + 2 * across, "a projector, and R/|x|")

    def _near(self, z: Float[np.ndarray, "n d"]) -> tuple[Float[np.ndarray, " n"], np.ndarray]:
        """Lengths, and which of them lie outside the ball or may be rounded across the sphere."""
        length = norms(z)
        return length, length > self.radius * (1 - (self.dim + 2) * EPS)

    def _prox_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        size = np.where(self._near(z)[1] & (self.dim > 1), self.radius, 0.0)
        return Rounding(size, self._length_count() + 2, "a length, a quotient, a product; 0 inside")

    def _prox_jacobian_rounding(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Rounding:
        length = norms(z)
        either = np.abs(length - self.radius) <= (self.dim + 2) * UNIT * length
        own = self._projector_rounding(np.where(length > self.radius, length, np.inf))
        return own + Rounding.measured(np.where(either, 1.0, 0.0), "z may be on either side of the sphere")

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(np.zeros(len(x)), 0, "an indicator is 0")

    def _kink(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        length = norms(z)
        return np.maximum(np.abs(length - self.radius) - (self.dim + 2) * UNIT * length, 0.0)

    def _transport_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The chord 2R·sin(θ/2) of the widest turn θ; on the line none but to the other side."""
        turn = widest_turn(radius * (1 + (self.dim + 4) * UNIT), norms(x0))
        chord = 2 * self.radius * np.sin(turn / 2)
        return chord if self.dim > 1 else np.where(turn < np.pi, 0.0, chord)

    def _transport_jacobian_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return self._bend(norms(x0)) * radius

    def _prox_jacobian_change(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        length = norms(z)
        beyond = self._bend(np.maximum(length, self.radius))
        return np.where(length > self.radius, beyond, 0.0) * radius

    def _bend(self, length: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """‖D(R/|x|·P)‖: along x R/|x|²·√(d−1), across it R/|x|²·√2, orthogonal; P = 0 on the line."""
        if self.dim == 1:
            return np.zeros(len(length))
        return self.radius / length / length * np.sqrt(max(self.dim - 1.0, 2.0))

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "NormalRay":
        length = float(norms(x1))
        if length > self.radius + self._rounding:
            raise ValueError(f"x1: |x1| = {length} exceeds the radius {self.radius}; φ is +inf there")
        on_boundary = length >= self.radius - self._rounding
        return NormalRay(self.dim, x1 / length if on_boundary else None)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        multiplier = (x0 * x1).sum(axis=1) / self.radius**2
        tangent = tangent_basis(x1 / norms(x1)[:, None])
        hessian = multiplier[:, None, None] * np.eye(self.dim - 1)
        return [ManifoldGroup(np.arange(len(x1)), tangent, hessian)]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """One second-order cone a row: |u/R| ≤ 1."""
        import cvxpy as cp

        return np.zeros(u.shape[0]), [cp.norm(u / self.radius, 2, axis=1) <= 1]
