r"""Ellipsoids: $φ^* = \sqrt{x_0^⊤Ax_0}$, φ the indicator of the body (docs/theory.md §4.2, family 4).

Because φ is 0 or +inf, prox is the projection on the body and does not depend on the step.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.checks import symmetric_matrix
from numerics.geometry import norms, tangent_basis
from numerics.potentials.ellipsoid_solve import EllipsoidSolve, Points, secular
from numerics.potentials.normal_ray import NormalRay, nonzero, signs
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.solved_once import SolvedOnce
from numerics.potentials.spectral import times
from numerics.potentials.support_geometry import ManifoldGroup
from numerics.potentials.traits import Traits
from numerics.symmetric import symmetric_frame


class Ellipsoid(SolvedOnce):
    r"""The law of $T(x_0) = Ax_0/h$ on $x^⊤A^{-1}x = 1$: $φ^* = h = \sqrt{x_0^⊤Ax_0}$, φ = δ of the body.

    $K = A/h - (Ax_0)(Ax_0)^⊤/h^3$, with kernel spanned by x₀. prox is the projection: in the axes of A,
    $u_i = a_i z_i/(a_i+μ)$ with μ ≥ 0 the root of $Σ a_i z_i^2/(a_i+μ)^2 = 1$.

    Accuracy (`roundings`), with u = eps/2, for A = V diag(a) Vᵀ, whose a and V are rounded once
    (`symmetric_frame`): w = Vᵀx errs by e = (d+1)u·|x||V|, entry by entry, a product back by (d+1)u·|V||·|;
    neither rounds where A is diagonal.

    - h² is off by Σa(2|w|+e)e, so that h is by that over 2h − |√a e|, or by |√a e|; and by (d/2+3.5)u of h.
      T = V(aw/h) adds a e/h and three roundings, and the product back. K = (A − TTᵀ)/h errs by
      (2|T|+δ)δ/h, δ being T's, by the relative error of h, and by three roundings.
    - x₀ moved by r: with s = r√a_max/h < 1 the new h' is h(1−s) at least and exceeds its tangent
      h + ⟨T,δ⟩ by at most ‖K‖r²/(2(1−s)), so that T moves by ‖K‖r(1 + s/(2(1−s)))/(1−s) at most; from s = 1
      on by the longest axis. On the line T = ±√a rounds once and jumps at 0, and K is 0, exactly.
    - f at a double is off by (d+6)u·f (a's rounding moves a/(a+μ)² by u at most). As f falls, the root lies
      between doubles μ⁻, μ⁺ at which f is so clearly above and below 1; they are found around the μ of this
      very solve, once for w as computed and once with Σa(2|w|+e)e/(a+μ)² for what w errs by.
    - prox: entries move by a|w|·δμ/((a+μ⁻)(a+μ)), and round 4 times. D prox = √R(I − mmᵀ)√R with
      R = a/(a+μ) and a unit vector m, so that e costs √R_max·|√R e|. Inside, prox is exact.
    - D prox: the same form, with what R (relatively) and the direction of m err by, entry by entry; m is
      off by its error's part across m, over its length. Where z may be on either side of the surface: no
      more than both Jacobians' lengths.
    - The envelope |z−u|²/(2λ): (2|z−u|+δ)δ/(2λ), δ being prox's, and d + 4 roundings.
    - The kink is the surface: outside as far as z − u, inside by q(w+h) ≤ q + 2|n||h| + |h|²/a_min, n = w/a.

    Errors of single terms seldom align: the worst seen is a third of T's bound and of prox's.

    Args:
        shape_matrix: A (d,d), symmetric positive definite.

    Raises:
        ValueError: If A is not symmetric positive definite, its least eigenvalue above d·eps times the
            largest entry; `transport` raises at x₀ = 0.

    Example:
        >>> Ellipsoid([[4.0, 0.0], [0.0, 1.0]]).transport([[3.0, 0.0], [0.0, -2.0]]).tolist()  # axes 2, 1
        [[2.0, 0.0], [0.0, -1.0]]
    """

    _traits = Traits(analytic=True)

    def __init__(self, shape_matrix: ArrayLike) -> None:
        self.shape_matrix = symmetric_matrix("shape_matrix", shape_matrix, definite=True)
        self.dim = len(self.shape_matrix)
        frame = symmetric_frame(self.shape_matrix)
        if frame.values[0] <= 0:
            raise ValueError(
                f"shape_matrix: smallest eigenvalue is {frame.values[0]:.3g}; it must be positive definite"
            )
        self._squares, self._axes, self._moduli = frame.values, frame.axes, np.abs(frame.axes)
        self._products = 0.0 if frame.exact else self.dim + 1.0
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
        if self.dim == 1:
            return self.scale * signs(x0)
        return ((x0 @ self._axes) * self._squares / h[:, None]) @ self._axes.T

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        h = nonzero("x0", self._conjugate(x0))
        if self.dim == 1:
            return np.zeros((len(x0), 1, 1))
        image = self._transport(x0)
        return (self.shape_matrix - image[:, :, None] * image[:, None, :]) / h[:, None, None]

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        w = z @ self._axes
        return self._image(z, w, self._multiplier(w))

    def _image(
        self, z: Inexact[np.ndarray, "n d"], w: Inexact[np.ndarray, "n d"], mu: Inexact[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        outside = (w / (1 + mu[:, None] / self._squares)) @ self._axes.T
        return np.where((mu != 0)[:, None], outside, z)

    def _proximal_point(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        w = z @ self._axes
        mu = self._multiplier(w)
        point = self._image(z, w, mu)
        away = norms(z - point)
        solve = EllipsoidSolve(self._squares, self._moduli, self._products, z, w, mu)

        def of_envelope() -> Rounding:
            slip = solve.point_rounding.bound
            moved = Rounding(away**2 / (2 * step), self.dim + 4, "|z−u|²/(2λ): d products and sums")
            return moved + Rounding.measured((2 * away + slip) * slip / (2 * step), "the prox's error")

        return ProximalPoint(
            z,
            step,
            point,
            envelope=lambda: away**2 / (2 * step),
            jacobian=lambda: np.where(
                (mu > 0)[:, None, None], self._axes @ solve.inner @ self._axes.T, np.eye(self.dim)
            ),
            kink=lambda: solve.kink(away),
            errors=(lambda: solve.point_rounding, of_envelope, lambda: solve.jacobian_rounding),
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
        return secular(self._squares, w, mu)

    # --- accuracy ---------------------------------------------------------------------------------

    def _turned(self, x: Points) -> tuple[Points, Points]:
        """|w| for w = Vᵀx, and what its entries err by."""
        return np.abs(x @ self._axes), self._products * UNIT * (np.abs(x) @ self._moduli)

    def _support_error(
        self, w: Float[np.ndarray, "n d"], e: Float[np.ndarray, "n d"]
    ) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
        """The support function h = √Σ a w², and what it errs by."""
        h, most = norms(w * np.sqrt(self._squares)), norms(e * np.sqrt(self._squares))
        moved = (self._squares * (2 * w + e) * e).sum(axis=1)
        by_square = np.divide(moved, 2 * h - most, out=most.copy(), where=2 * h > most)
        return h, np.minimum(by_square, most) + (self.dim / 2 + 3.5) * UNIT * h

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        _, error = self._support_error(*self._turned(x0))
        return Rounding.measured(error, "products with the axes, a sum of d squares, a root")

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        if self.dim == 1:
            return Rounding(np.full(len(x0), self.scale), 1, "√a, of either sign")
        w, e = self._turned(x0)
        h, error = self._support_error(w, e)
        error = np.minimum(error, h / 2)  # beyond, the cap below is less
        image = self._squares * w / h[:, None]
        turned = norms(self._squares * e) / (h - error)
        whole = turned + norms(image) * (error / (h - error) + 3 * UNIT)
        back = self._products * UNIT * norms(image @ self._moduli.T)
        cap = self.scale * (1 + self.dim * EPS) + norms(self._transport(x0))
        return Rounding.measured(np.minimum(whole + back, cap), "products with the axes, h, a quotient")

    def _transport_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        h, error = self._support_error(*self._turned(x0))
        least = np.maximum(h - error, 0.0)
        with np.errstate(divide="ignore"):
            share = self.scale * (1 + (self.dim + 2) * EPS) * radius / least
        room = np.maximum(1 - share, EPS)
        smooth = times(self._stretch(x0), radius) * (1 + share / (2 * room)) / room
        return np.where(share < 1, np.minimum(smooth, 2 * self.scale), 2 * self.scale * (1 + self.dim * EPS))

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        if self.dim == 1:
            return Rounding(np.zeros(len(x0)), 0, "T is constant on both sides of 0")
        h, error = self._support_error(*self._turned(x0))
        image, of_image = norms(self._transport(x0)), self._transport_rounding(x0).bound
        error = np.minimum(error, h / 2)
        found = np.linalg.norm(self._transport_jacobian(x0), axis=(1, 2))
        products = (2 * image + of_image) * of_image + UNIT * image**2
        bound = products / (h - error) + (error / (h - error) + 3 * UNIT) * found
        return Rounding.measured(bound, "(A − TTᵀ)/h: what T and h err by, and three roundings")

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(np.zeros(len(x)), 0, "an indicator is 0")

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "NormalRay":
        excess = float(self._excess(x1[None])[0])
        if excess > self._rounding:
            raise ValueError(f"x1: lies {excess:.3g} outside the ellipsoid; φ is +inf there")
        normal = self._axes @ ((x1 @ self._axes) / self._squares)
        if excess < -self._rounding:
            return NormalRay(self.dim, None)
        condition_number = norms(x1) / (self._squares[0] * norms(normal))
        return NormalRay(self.dim, normal / norms(normal), float(condition_number))

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
