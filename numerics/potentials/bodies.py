r"""Boundaries of convex bodies: φ* is the support function, φ the indicator (theory.md §4.2, family 4).

Because φ is 0 or +inf, prox is the projection on the body and does not depend on the step.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_points, positive_integer, positive_number, symmetric_matrix
from numerics.geometry import norms, outer_complement, tangent_basis
from numerics.potentials.base import ManifoldGroup, Potential, Subdifferential


class Sphere(Potential):
    r"""The uniform law on $|x| = R$: $φ^*(x_0) = R|x_0|$, $T(x_0) = R x_0/|x_0|$, φ = δ of the ball.

    On the tangent space K = R/|x₀|, on the normal 0. Conditioning: T and prox are accurate to a few eps·R
    at every x₀ ≠ 0; K grows like 1/|x₀|, and at x₀ = 0, the cut locus, T has no value.

    Args:
        dim: d, the ambient dimension: ``Sphere(3)`` is S².
        radius: R > 0.

    Raises:
        ValueError: If dim is not a positive integer, or radius not positive and finite; `transport` and
            `transport_jacobian` raise at x₀ = 0.
    """

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
        return self.radius * (x0 / _nonzero("x0", norms(x0))[:, None])

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        length = _nonzero("x0", norms(x0))
        return (self.radius / length)[:, None, None] * outer_complement(x0 / length[:, None])

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        length = norms(z)
        shrink = np.where(length.real > self.radius, self.radius / np.where(length == 0, 1.0, length), 1.0)
        return z * shrink[:, None]

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        length = norms(z)
        outside = length > self.radius
        safe = np.where(outside, length, 1.0)
        curved = (self.radius / safe)[:, None, None] * outer_complement(z / safe[:, None])
        return np.where(outside[:, None, None], curved, np.eye(self.dim))

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


class Ellipsoid(Potential):
    r"""The law of $T(x_0) = Ax_0/h$ on $x^⊤A^{-1}x = 1$: $φ^* = h = \sqrt{x_0^⊤Ax_0}$, φ = δ of the body.

    $K = A/h - (Ax_0)(Ax_0)^⊤/h^3$, with kernel spanned by x₀. prox is the projection: in the axes of A,
    $u_i = a_i z_i/(a_i+μ)$ with μ ≥ 0 the root of $Σ a_i z_i^2/(a_i+μ)^2 = 1$. Conditioning: T errs by
    ‖A‖|x₀|/h ≤ √(‖A‖ cond A) times eps; prox by |z| times eps.

    Args:
        shape_matrix: A (d,d), symmetric positive definite.

    Raises:
        ValueError: If A is not symmetric positive definite; `transport` raises at x₀ = 0.
    """

    def __init__(self, shape_matrix: ArrayLike) -> None:
        self.shape_matrix = symmetric_matrix("shape_matrix", shape_matrix, definite=True)
        self.dim = len(self.shape_matrix)
        self._squares, self._axes = np.linalg.eigh(self.shape_matrix)
        self.scale = float(np.sqrt(self._squares[-1]))

    def __repr__(self) -> str:
        return f"Ellipsoid({self.shape_matrix.tolist()})"

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return np.where(self._excess(x) <= self._rounding, 0.0, np.inf)

    def _excess(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """Signed distance from the body to first order, (q − 1)/|∇q| for q(x) = xᵀA⁻¹x.

        By convexity it is never more than the distance.
        """
        normal = (x @ self._axes) / self._squares
        q = (normal**2 * self._squares).sum(axis=1)
        return (q - 1) / np.maximum(2 * norms(normal), 1 / self.scale)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        return norms((x0 @ self._axes) * np.sqrt(self._squares))

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return np.full(len(x0), self.scale)

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        h = _nonzero("x0", self._conjugate(x0))
        return ((x0 @ self._axes) * self._squares / h[:, None]) @ self._axes.T

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        h = _nonzero("x0", self._conjugate(x0))
        image = self._transport(x0)
        return (self.shape_matrix - image[:, :, None] * image[:, None, :]) / h[:, None, None]

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        w = z @ self._axes
        return (w / (1 + self._multiplier(w)[:, None] / self._squares)) @ self._axes.T

    def _multiplier(self, w: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        """μ ≥ 0 of the projection of w (in the axes of A); 0 inside the body.

        Newton's method on f^{-1/2} = 1, f(μ) = Σ a_i w_i²/(a_i+μ)²: from μ = 0 it increases to the root
        without overshooting (the reciprocal norm of the secular equation is concave).
        """
        mu = np.zeros(len(w))
        for _ in range(100):
            size, slope = self._secular(w.real, mu)
            change = np.where(size > 1, 2 * (size - size**1.5) / slope, 0.0)
            mu = mu + change
            if (change <= 2 * EPS * mu).all():
                break
        else:
            raise RuntimeError(
                f"projection on {self!r}: Newton did not settle; last change {change.max():.3g}"
            )
        if not np.iscomplexobj(w):
            return mu
        size, slope = self._secular(w, mu)
        return np.where(mu > 0, mu - (size - 1) / slope, 0.0)

    def _secular(
        self, w: Inexact[np.ndarray, "n d"], mu: Float[np.ndarray, " n"]
    ) -> tuple[Inexact[np.ndarray, " n"], Inexact[np.ndarray, " n"]]:
        """f(μ) and f'(μ)."""
        shifted = self._squares + mu[:, None]
        terms = self._squares * (w / shifted) ** 2
        slope = -2 * (terms / shifted).sum(axis=1)
        return terms.sum(axis=1), np.where(slope == 0, -1.0, slope)

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        w = z @ self._axes
        mu = self._multiplier(w)
        resolvent = self._squares / (self._squares + mu[:, None])
        normal = w / (self._squares + mu[:, None])
        image = resolvent * normal
        weight = np.where(mu > 0, (normal * image).sum(axis=1), np.inf)
        inner = resolvent[:, :, None] * np.eye(self.dim) - image[:, :, None] * (
            image[:, None, :] / weight[:, None, None]
        )
        return self._axes @ inner @ self._axes.T

    def transport_jacobian_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """‖A‖/h, the terms that cancel in K, times 1 + |Ax₀||x₀|/h², the relative change of h by rounding."""
        noise = as_points("x0", x0, self.dim).real
        h = _nonzero("x0", self._conjugate(noise))
        bend = norms(noise @ self.shape_matrix) * norms(noise) / h**2
        return self._squares[-1] / h * (1 + bend)

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "NormalRay":
        excess = float(self._excess(x1[None])[0])
        if excess > self._rounding:
            raise ValueError(f"x1: lies {excess:.3g} outside the ellipsoid; φ is +inf there")
        normal = self._axes @ ((x1 @ self._axes) / self._squares)
        if excess < -self._rounding:
            return NormalRay(self.dim, None)
        condition = norms(x1) / (self._squares[0] * norms(normal))
        return NormalRay(self.dim, normal / norms(normal), float(condition))

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        inverse = (self._axes / self._squares) @ self._axes.T
        normal = x1 @ inverse
        tangent = tangent_basis(normal / norms(normal)[:, None])
        multiplier = (x0 * x1).sum(axis=1)
        hessian = multiplier[:, None, None] * (tangent.transpose(0, 2, 1) @ inverse @ tangent)
        return [ManifoldGroup(np.arange(len(x1)), tangent, hessian)]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """One second-order cone a row: |A^{-1/2}u| ≤ 1."""
        import cvxpy as cp

        whitening = self._axes / np.sqrt(self._squares)
        return np.zeros(u.shape[0]), [cp.norm(u @ whitening, 2, axis=1) <= 1]


class NormalRay(Subdifferential):
    """∂φ(x₁) of a smooth convex body: the ray of outward normals on the boundary, {0} inside.

    Args:
        dim: The ambient dimension d.
        direction: (d,) the unit outward normal, or None inside the body.
        condition: By how much rounding x₁ by eps turns the normal, in eps: ‖A⁻¹‖|x₁|/|A⁻¹x₁|.
    """

    def __init__(self, dim: int, direction: Float[np.ndarray, " d"] | None, condition: float = 1.0) -> None:
        self._dim = dim
        self._direction = direction
        self.rounding = 64 * dim * EPS * condition

    @property
    def dimension(self) -> int:
        """1 on the boundary of the body, 0 inside."""
        return 0 if self._direction is None else 1

    def _along(self, x0: ArrayLike) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]:
        points = as_points("x0", x0, self._dim).real
        along = np.zeros(len(points)) if self._direction is None else points @ self._direction
        return points, np.maximum(along, 0.0)

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the ray."""
        points, along = self._along(x0)
        direction = np.zeros(self._dim) if self._direction is None else self._direction
        return norms(points - along[:, None] * direction)

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the ray's end, the origin; +inf for the single point {0}."""
        points, along = self._along(x0)
        return along if self._direction is not None else np.full(len(points), np.inf)


def _nonzero(name: str, length: Inexact[np.ndarray, " n"]) -> Inexact[np.ndarray, " n"]:
    if (length == 0).any():
        row = int(np.argmax(length == 0))
        raise ValueError(f"{name}: row {row} is 0, where the transport has no single value; perturb it")
    return length
