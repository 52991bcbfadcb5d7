r"""The law of Vx₁ for an isometry V (docs/theory.md §4.1): $φ^*(V^⊤·)$, $φ(V^⊤·) + δ_{\mathrm{range} V}$."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS, Rounding
from numerics.checks import as_array
from numerics.geometry import norms
from numerics.potentials.base import Potential
from numerics.potentials.carried import (
    Carried,
    IsometryRounding,
    Within,
    moved_envelope,
    moved_jacobian,
    moved_transport,
    moved_transport_jacobian,
    pulled_in,
)
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.support_geometry import ManifoldGroup, Subdifferential


class Isometric(Carried):
    """A potential carried by an isometry V: R^d → R^D; what `rotate` and `embed` return.

    Accuracy: that of the base at Vᵀx, which errs by γ_D Σ|V||x| and by the columns' departure from
    orthonormality times |x|; and the same again on the way back (`IsometryRounding`).
    """

    def __init__(self, base: Potential, isometry: ArrayLike, *, square: bool) -> None:
        name = "rotation" if square else "isometry"
        self.isometry = as_array(name, isometry, ndim=2)
        rows, columns = self.isometry.shape
        if columns != base.dim or (square and rows != columns):
            wanted = f"({base.dim}, {base.dim})" if square else f"(D, {base.dim})"
            raise ValueError(f"{name}: got shape {self.isometry.shape}, need {wanted}")
        defect = float(np.abs(self.isometry.T @ self.isometry - np.eye(columns)).max())
        if defect > 64 * rows * EPS:
            raise ValueError(f"{name}: columns miss orthonormality by {defect:.3g}; take the Q of a QR")
        self.base, self.dim, self.scale, self._square = base, rows, base.scale, square
        self._product = IsometryRounding(self.isometry)

    def __repr__(self) -> str:
        return f"{'rotate' if self._square else 'embed'}({self.base!r}, {self.isometry.tolist()})"

    def _value(self, x: Float[np.ndarray, "n D"]) -> Float[np.ndarray, " n"]:
        return self._at(x)[1]

    def _at(self, x: Float[np.ndarray, "n D"]) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]:
        """Where the base is asked for its value, and that; +inf off the range of V.

        At Vᵀx, or at the nearest point of the base's domain where rounding alone may keep Vᵀx outside.
        """
        base = self.base._within(self._coarseness)
        inner = x @ self.isometry
        off = norms(x - inner @ self.isometry.T)
        within = off <= self._rounding + 16 * self.dim * EPS * norms(x)
        value = np.where(within, base._value(inner), np.inf)
        missed = within & np.isinf(value)
        if missed.any():
            reach = self._products(x[missed]).bound + self._coarseness
            inner[missed] = pulled_in(base, inner[missed], reach)
            value[missed] = base._value(inner[missed])
        return inner, value

    def _conjugate(self, x0: Inexact[np.ndarray, "n D"]) -> Inexact[np.ndarray, " n"]:
        return self.base._conjugate(x0 @ self.isometry)

    def _transport(self, x0: Inexact[np.ndarray, "n D"]) -> Inexact[np.ndarray, "n D"]:
        return self.base._transport(x0 @ self.isometry) @ self.isometry.T

    def _transport_jacobian(self, x0: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n D D"]:
        return self.isometry @ self.base._transport_jacobian(x0 @ self.isometry) @ self.isometry.T

    def _prox(
        self, z: Inexact[np.ndarray, "n D"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n D"]:
        return self.base._prox(z @ self.isometry, step) @ self.isometry.T

    def _proximal_point(self, z: Float[np.ndarray, "n D"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        w, moved = z @ self.isometry, self._product.pulled(z)
        inner = self.base._proximal_point(w, step)
        off = norms(z - w @ self.isometry.T)

        def of_envelope() -> Rounding:
            missed = moved + self._product.pushed(w) + Rounding(off, 1, "z − Vw is subtracted")
            leaves = missed.amplified((off + missed.bound / 2) / step, "the part across the range")
            square = off**2 / (2 * step)
            return (
                moved_envelope(inner, moved)
                + leaves
                + Rounding(square, self.dim + 4, "its square")
                + Rounding(np.abs(inner.envelope + square), 1, "the sum")
            )

        return ProximalPoint(
            z,
            step,
            inner.point @ self.isometry.T,
            envelope=lambda: inner.envelope + off**2 / (2 * step),
            jacobian=lambda: self.isometry @ inner.jacobian @ self.isometry.T,
            kink=lambda: np.maximum(inner.kink - moved.bound, 0.0),
            errors=(
                lambda: inner.rounding.point + moved + self._product.pushed(inner.point),
                of_envelope,
                lambda: moved_jacobian(self.base, inner, moved) + self._product.conjugated(inner.jacobian),
            ),
        )

    def _domain_rounding(self, x: Float[np.ndarray, "n D"]) -> Rounding:
        off = Rounding(self.scale + norms(x), 32.0 * self.dim, "a point this near the range counts as inside")
        return self.base._domain_rounding(x @ self.isometry) + self._products(x) + off

    def _products(self, x: Float[np.ndarray, "n D"]) -> Rounding:
        """Of Vᵀx for x = Vy, formed by products itself."""
        return self._product.pulled(x) + self._product.pushed(x @ self.isometry)

    def _value_rounding(self, x: Float[np.ndarray, "n D"]) -> Rounding:
        return self.base._value_rounding(self._at(x)[0])

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n D"]) -> Rounding:
        w, moved = x0 @ self.isometry, self._product.pulled(x0)
        slope = self.base._conjugate_slope_within(w, np.broadcast_to(moved.bound, (len(w),)))
        return self.base._conjugate_rounding(w) + moved.amplified(slope, "the slope of φ* is T")

    def _conjugate_slope(self, x0: Float[np.ndarray, "n D"]) -> Float[np.ndarray, " n"]:
        return self.base._conjugate_slope(x0 @ self.isometry)

    def _conjugate_slope_within(
        self, x0: Float[np.ndarray, "n D"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        around = radius + self._product.pulled(x0).bound
        return self.base._conjugate_slope_within(x0 @ self.isometry, around)

    def _transport_rounding(self, x0: Float[np.ndarray, "n D"]) -> Rounding:
        w = x0 @ self.isometry
        back = self._product.pushed(self.base._transport(w))
        return moved_transport(self.base, w, self._product.pulled(x0)) + back

    def _transport_change(
        self, x0: Float[np.ndarray, "n D"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The base's, whose argument Vᵀx₀ is off by its own rounding too: both together may reach a jump."""
        return self.base._transport_change(x0 @ self.isometry, radius + self._product.pulled(x0).bound)

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n D"]) -> Rounding:
        w = x0 @ self.isometry
        back = self._product.conjugated(self.base._transport_jacobian(w))
        return moved_transport_jacobian(self.base, w, self._product.pulled(x0)) + back

    def _inner(self, x: Float[np.ndarray, "n D"]) -> Float[np.ndarray, "n d"]:
        return x @ self.isometry

    def _subdifferential(self, x1: Float[np.ndarray, " D"]) -> Subdifferential:
        (point,), (value,) = self._at(x1[None])
        if not np.isfinite(value):
            raise ValueError(f"x1: {x1.tolist()} is outside the domain; φ is +inf there")
        inner = self._near(x1[None]).subdifferential(point)
        return Within(
            inner,
            lambda x0: x0 @ self.isometry,
            self.dim,
            self.dim - self.base.dim,
            2 * self.scale / self.finest,
        )

    def _near(self, x1: Float[np.ndarray, "n D"]) -> Potential:
        """The base for points that err by what the products do."""
        return self.base._within(float(self._products(x1).bound.max(initial=0.0)) + self._coarseness)

    def _manifolds(
        self, x1: Float[np.ndarray, "n D"], x0: Float[np.ndarray, "n D"]
    ) -> Sequence[ManifoldGroup]:
        return [
            ManifoldGroup(group.rows, self.isometry @ group.tangent, group.hessian)
            for group in self._near(x1)._manifolds(x1 @ self.isometry, x0 @ self.isometry)
        ]

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """The base's form in an inner variable v with u = Vv."""
        import cvxpy as cp

        inner = cp.Variable((u.shape[0], self.base.dim))
        form = self.base.conic(inner)
        return None if form is None else (form[0], [*form[1], inner @ self.isometry.T == u])
