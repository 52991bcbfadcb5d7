r"""Ellipsoids: $φ^* = \sqrt{x_0^⊤Ax_0}$, φ the indicator of the body (theory.md §4.2, family 4).

Because φ is 0 or +inf, prox is the projection on the body and does not depend on the step.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.checks import as_points, symmetric_matrix
from numerics.geometry import norms, tangent_basis
from numerics.potentials.base import ManifoldGroup
from numerics.potentials.normal_ray import NormalRay, nonzero
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.solved_once import SolvedOnce
from numerics.symmetric import symmetric_frame


class Ellipsoid(SolvedOnce):
    r"""The law of $T(x_0) = Ax_0/h$ on $x^⊤A^{-1}x = 1$: $φ^* = h = \sqrt{x_0^⊤Ax_0}$, φ = δ of the body.

    $K = A/h - (Ax_0)(Ax_0)^⊤/h^3$, with kernel spanned by x₀. prox is the projection: in the axes of A,
    $u_i = a_i z_i/(a_i+μ)$ with μ ≥ 0 the root of $Σ a_i z_i^2/(a_i+μ)^2 = 1$.

    Accuracy (`roundings`): w = Vᵀx errs by e = (d+1)u·|x||V|, entry by entry, V being known as
    `symmetric_frame` states. h errs by Σa|w|e/h + (d/2+4)u·h, T = V(aw)/h by both and the product with V.
    prox is nonexpansive, so that e counts once; the multiplier's error is a posteriori, from the residual of
    the secular equation f(μ) = 1 at the μ returned, 2(|f−1| + (d+5)u)/|f'|, f being convex and decreasing,
    and moves prox by |a w/(a+μ)²| times it. K and D prox err by their formulas' terms and by what the errors
    of w and μ make of them. From order 9 on, A is known to ‖E‖ only, which T and prox take as a perturbation.
    Errors of single terms seldom add up: the worst seen is a tenth of T's bound and a fifth of prox's.

    Args:
        shape_matrix: A (d,d), symmetric positive definite.

    Raises:
        ValueError: If A is not symmetric positive definite; `transport` raises at x₀ = 0.
    """

    def __init__(self, shape_matrix: ArrayLike) -> None:
        self.shape_matrix = symmetric_matrix("shape_matrix", shape_matrix, definite=True)
        self.dim = len(self.shape_matrix)
        frame = symmetric_frame(self.shape_matrix)
        self._squares, self._axes = np.maximum(frame.values, np.finfo(float).tiny), frame.axes
        self._moduli, self._backward = np.abs(self._axes), frame.backward
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
        h = nonzero("x0", self._conjugate(x0))
        return ((x0 @ self._axes) * self._squares / h[:, None]) @ self._axes.T

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        h = nonzero("x0", self._conjugate(x0))
        image = self._transport(x0)
        return (self.shape_matrix - image[:, :, None] * image[:, None, :]) / h[:, None, None]

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        w = z @ self._axes
        return (w / (1 + self._multiplier(w)[:, None] / self._squares)) @ self._axes.T

    def _proximal_point(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        w = z @ self._axes
        mu = self._multiplier(w)
        point = (w / (1 + mu[:, None] / self._squares)) @ self._axes.T
        away = norms(z - point)

        def of_envelope() -> Rounding:
            slip = self._projection_rounding(z, w, mu).bound
            moved = Rounding(away**2 / (2 * step), self.dim + 4, "|z−u|²/(2λ): d products and sums")
            return moved + Rounding.measured(
                (away + slip / 2) * slip / step, "the prox's error, times |z−u|/λ"
            )

        return ProximalPoint(
            z,
            step,
            point,
            envelope=lambda: away**2 / (2 * step),
            jacobian=lambda: self._projection_jacobian(w, mu),
            kink=lambda: self._to_surface(w, mu, away),
            errors=(
                lambda: self._projection_rounding(z, w, mu),
                of_envelope,
                lambda: self._projection_jacobian_rounding(z, step, w, mu),
            ),
        )

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

    def _projection_jacobian(
        self, w: Float[np.ndarray, "n d"], mu: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        resolvent = self._squares / (self._squares + mu[:, None])
        normal = w / (self._squares + mu[:, None])
        image = resolvent * normal
        weight = np.where(mu > 0, (normal * image).sum(axis=1), np.inf)
        inner = resolvent[:, :, None] * np.eye(self.dim) - image[:, :, None] * (
            image[:, None, :] / weight[:, None, None]
        )
        return self._axes @ inner @ self._axes.T

    # --- accuracy ---------------------------------------------------------------------------------

    def _turned_error(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """Of w = Vᵀx, entry by entry; the backward error of A, as a turn of its axes, beside it."""
        return (self.dim + 1) * UNIT * (np.abs(x) @ self._moduli)

    def _support_error(self, w: Float[np.ndarray, "n d"], error: Float[np.ndarray, "n d"]) -> np.ndarray:
        """Of h = √Σ a w²."""
        h = norms(w * np.sqrt(self._squares))
        moved = (self._squares * np.abs(w) * error).sum(axis=1) / h
        backward = self._backward * (w**2).sum(axis=1) / h
        return np.asarray(moved + backward + (self.dim / 2 + 4) * UNIT * h)

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        w = x0 @ self._axes
        safe = np.where(norms(w)[:, None] > 0, w, 1.0)
        bound = np.where(norms(w) > 0, self._support_error(safe, self._turned_error(x0)), 0.0)
        return Rounding.measured(bound, "products with the axes, a sum of d squares, a root")

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        w, error = x0 @ self._axes, self._turned_error(x0)
        h = norms(w * np.sqrt(self._squares))[:, None]
        image = self._squares * np.abs(w) / h
        relative = self._support_error(w, error)[:, None] / h
        entries = self._squares * error / h + image * (relative + 4 * UNIT)
        whole = norms(entries @ self._moduli.T) + (self.dim + 1) * UNIT * norms(image @ self._moduli.T)
        backward = 2 * self._backward * norms(w) / h[:, 0]
        return Rounding.measured(whole + backward, "products with the axes, h, a quotient")

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        w, image = x0 @ self._axes, norms(self._transport(x0))
        h, of_image = norms(w * np.sqrt(self._squares)), self._transport_rounding(x0).bound
        size = np.linalg.norm(self.shape_matrix) + image**2
        relative = self._support_error(w, self._turned_error(x0)) / h
        difference = np.linalg.norm(self._transport_jacobian(x0), axis=(1, 2))
        bound = ((2 * image + of_image) * of_image + 3 * UNIT * size) / h + (relative + UNIT) * difference
        return Rounding.measured(bound, "(A − TTᵀ)/h: what T and h err by, and three roundings")

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(np.zeros(len(x)), 0, "an indicator is 0")

    def _multiplier_error(self, w: Float[np.ndarray, "n d"], mu: Float[np.ndarray, " n"]) -> np.ndarray:
        """Of μ, for this very w: twice the residual over the slope."""
        size, slope = self._secular(w, mu)
        residual = np.abs(size - 1) + (self.dim + 5) * UNIT * np.maximum(size, 1.0)
        return np.where(mu > 0, 2 * residual / np.abs(slope), 0.0)

    def _projection_rounding(
        self, z: Float[np.ndarray, "n d"], w: Float[np.ndarray, "n d"], mu: Float[np.ndarray, " n"]
    ) -> Rounding:
        shifted = self._squares + mu[:, None]
        entries = self._squares * np.abs(w) / shifted
        moved = self._multiplier_error(w, mu) * norms(self._squares * w / shifted**2)
        back = 4 * UNIT * norms(entries) + (self.dim + 1) * UNIT * norms(entries @ self._moduli.T)
        backward = self._backward / self._squares[0] * norms(z - w @ self._axes.T + z)
        bound = norms(self._turned_error(z)) + moved + back + np.where(mu > 0, backward, 0.0)
        # Just inside the surface, f(0) may be rounded across 1: the miss is a rounding of |w|, too.
        return Rounding.measured(bound, "products with the axes, and the residual of the secular equation")

    def _projection_jacobian_rounding(
        self,
        z: Float[np.ndarray, "n d"],
        step: Float[np.ndarray, " n"],
        w: Float[np.ndarray, "n d"],
        mu: Float[np.ndarray, " n"],
    ) -> Rounding:
        normal = norms(w / (self._squares + mu[:, None]))
        radius = norms(self._turned_error(z)) + self._multiplier_error(w, mu) * normal
        change = np.where(mu > 0, self._prox_jacobian_change(z, step, radius), 0.0)
        own = Rounding(np.full(len(z), np.sqrt(self.dim)), 2 * self.dim + 12, "products of d×d matrices")
        return Rounding.measured(change, "D prox within what w and μ are off by") + own

    def _to_surface(
        self, w: Float[np.ndarray, "n d"], mu: Float[np.ndarray, " n"], away: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """Outside, the distance to the body; inside, (1 − √q)·√a_min: q = xᵀA⁻¹x has |∇√q| ≤ 1/√a_min."""
        q = (w**2 / self._squares).sum(axis=1)
        inside = np.maximum(1 - np.sqrt(q), 0.0) * np.sqrt(self._squares[0])
        rounding = (2 * self.dim + 8) * UNIT * (norms(w) + self.scale)
        return np.maximum(np.where(mu > 0, away, inside) - rounding, 0.0)

    def transport_jacobian_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """‖A‖/h, the terms that cancel in K, times 1 + |Ax₀||x₀|/h², the relative change of h by rounding."""
        noise = as_points("x0", x0, self.dim).real
        h = nonzero("x0", self._conjugate(noise))
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
