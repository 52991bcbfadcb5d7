r"""The law of s·x₁ (docs/theory.md §4.1): $sφ^*$, $sφ(·/s)$."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import Rounding
from numerics.checks import positive_number
from numerics.geometry import norms
from numerics.potentials.base import Potential
from numerics.potentials.carried import (
    Carried,
    Within,
    moved_envelope,
    moved_jacobian,
)
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.support_geometry import ManifoldGroup, Subdifferential


class Scaled(Carried):
    """A potential stretched by s; what `scale` returns. prox_{λφ_s}(z) = s·prox_{(λ/s)φ}(z/s).

    Accuracy: s times the base's, and one rounding each of z/s, λ/s and the product with s; none of these
    where s is a power of 2.
    """

    def __init__(self, base: Potential, factor: float) -> None:
        self.factor = positive_number("factor", factor)
        self.base, self.dim, self.scale = base, base.dim, base.scale * self.factor
        self._unit = self.factor

    def __repr__(self) -> str:
        return f"scale({self.base!r}, {self.factor!r})"

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return self.factor * self.base._value(x / self.factor)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        return self.factor * self.base._conjugate(x0)

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        return self.factor * self.base._transport(x0)

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        return self.factor * self.base._transport_jacobian(x0)

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        return self.factor * self.base._prox(z / self.factor, step / self.factor)

    def _proximal_point(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        inner = self.base._proximal_point(z / self.factor, step / self.factor)
        point = self.factor * inner.point
        moved = self._once(norms(inner.z), "z/s") + self._once(norms(inner.z - inner.point), "λ/s")

        def of_envelope() -> Rounding:
            longer = self._once(inner.step * norms(inner.dual) ** 2 / 2, "λ/s; ∂e/∂λ = −|y|²/2")
            whole = moved_envelope(inner, self._once(norms(inner.z), "z/s")) + longer
            return whole.amplified(self.factor) + self._once(
                np.abs(self.factor * inner.envelope), "the product"
            )

        return ProximalPoint(
            z,
            step,
            point,
            envelope=lambda: self.factor * inner.envelope,
            jacobian=lambda: inner.jacobian,
            kink=lambda: self.factor * np.maximum(inner.kink - moved.bound, 0.0),
            errors=(
                lambda: (
                    (inner.rounding.point + moved).amplified(self.factor)
                    + self._once(norms(point), "the product with s")
                ),
                of_envelope,
                lambda: moved_jacobian(self.base, inner, moved) + self._of_step(inner),
            ),
        )

    def _once(self, size: Float[np.ndarray, " n"], what: str) -> Rounding:
        """One rounding, or none where s is a power of 2."""
        return Rounding.none() if np.frexp(self.factor)[0] == 0.5 else Rounding(size, 1, f"{what} rounds")

    def _of_step(self, inner: ProximalPoint) -> Rounding:
        """What rounding the step does to D prox."""
        if np.frexp(self.factor)[0] == 0.5:
            return Rounding.none()
        slope = self.base._prox_jacobian_slope(inner.z, inner.step)
        return Rounding(slope, 1, "λ/s rounds, times the slope of D prox in λ")

    def _domain_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        inner = x / self.factor
        return (self.base._domain_rounding(inner) + self._once(norms(inner), "x/s")).amplified(self.factor)

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        finite = np.nan_to_num(np.abs(self._value(x)), posinf=0.0)
        return self.base._value_rounding(x / self.factor).amplified(self.factor) + self._once(finite, "s·φ")

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        whole = np.abs(self._conjugate(x0))
        return self.base._conjugate_rounding(x0).amplified(self.factor) + self._once(whole, "s·φ*")

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return self.factor * self.base._conjugate_slope(x0)

    def _conjugate_slope_within(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return self.factor * self.base._conjugate_slope_within(x0, radius)

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        image = norms(self._transport(x0))
        return self.base._transport_rounding(x0).amplified(self.factor) + self._once(image, "s·T")

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        size = np.linalg.norm(self._transport_jacobian(x0), axis=(1, 2))
        return self.base._transport_jacobian_rounding(x0).amplified(self.factor) + self._once(size, "s·K")

    def _inner(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        return x / self.factor

    def _inner_noise(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        return x0

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> Subdifferential:
        inner = self.base._within(self._coarseness / self.factor).subdifferential(x1 / self.factor)
        return Within(inner, lambda x0: x0, self.dim, 0, 1.0, self.factor)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        base = self.base._within(self._coarseness / self.factor)
        return [
            ManifoldGroup(group.rows, group.tangent, group.hessian / self.factor)
            for group in base._manifolds(x1 / self.factor, x0)
        ]

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """The base's form in v = u/s, times s."""
        import cvxpy as cp

        inner = cp.Variable(u.shape)
        form = self.base.conic(inner)
        return None if form is None else (self.factor * form[0], [*form[1], self.factor * inner == u])
