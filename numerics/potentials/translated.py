r"""The law of x₁ + b (docs/theory.md §4.1): $φ^* + ⟨b,·⟩$, $φ(·-b)$."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_array
from numerics.geometry import norms
from numerics.potentials.base import Potential
from numerics.potentials.carried import (
    Carried,
    Within,
    moved_envelope,
    moved_jacobian,
    pulled_in,
)
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.support_geometry import ManifoldGroup, Subdifferential


class Translated(Carried):
    """A potential moved by b; what `translate` returns.

    Accuracy: that of the base at x − b, a subtraction, and one addition of b on the way back.
    """

    def __init__(self, base: Potential, shift: ArrayLike) -> None:
        self.shift = as_array("shift", shift, ndim=1)
        if len(self.shift) != base.dim:
            raise ValueError(f"shift: got length {len(self.shift)} for a potential in dimension {base.dim}")
        self.base, self.dim = base, base.dim
        self.scale = base.scale + float(norms(self.shift))

    def __repr__(self) -> str:
        return f"translate({self.base!r}, {self.shift.tolist()})"

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        """φ(x − b), at the nearest point of the domain where x − b misses it by eps·|b| only."""
        inner = x - self.shift
        value = self.base._value(inner)
        missed = np.isinf(value)
        if missed.any():
            value[missed] = self.base._value(self._moved_in(inner[missed]))
        return value

    def _moved_in(self, inner: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The nearest points of the base's domain, where they are as near as eps·|b|; the others stay."""
        return inner if self.base.scale >= self.scale else pulled_in(self.base, inner, self._rounding)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        return self.base._conjugate(x0) + x0 @ self.shift

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        return self.base._transport(x0) + self.shift

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        return self.base._transport_jacobian(x0)

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        return self.base._prox(z - self.shift, step) + self.shift

    def _proximal_point(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        inner = self.base._proximal_point(z - self.shift, step)
        point = inner.point + self.shift
        moved = self._subtracted(z)
        return ProximalPoint(
            z,
            step,
            point,
            envelope=lambda: inner.envelope,
            jacobian=lambda: inner.jacobian,
            kink=lambda: np.maximum(inner.kink - moved.bound, 0.0),
            errors=(
                lambda: inner.rounding.point + moved + Rounding(norms(point), 1, "b is added"),
                lambda: moved_envelope(inner, moved),
                lambda: moved_jacobian(self.base, inner, moved),
            ),
        )

    def _subtracted(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(norms(x - self.shift), 1, "b is subtracted")

    def _domain_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        return self.base._domain_rounding(x - self.shift) + super()._domain_rounding(x) + self._subtracted(x)

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        inner = x - self.shift
        missed = np.isinf(self.base._value(inner))
        if missed.any():
            inner[missed] = self._moved_in(inner[missed])
        return self.base._value_rounding(inner)

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        summed = Rounding(np.abs(x0) @ np.abs(self.shift), self.dim, "⟨b, x₀⟩, d products and sums")
        added = Rounding(np.abs(self._conjugate(x0)), 1, "the sum")
        return self.base._conjugate_rounding(x0) + summed + added

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return self.base._conjugate_slope(x0) + norms(self.shift)

    def _conjugate_slope_within(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return self.base._conjugate_slope_within(x0, radius) + norms(self.shift)

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return self.base._transport_rounding(x0) + Rounding(norms(self._transport(x0)), 1, "b is added")

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return self.base._transport_jacobian_rounding(x0)

    def _inner(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        return x - self.shift

    def _inner_noise(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        return x0

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> Subdifferential:
        inner = self._near().subdifferential(x1 - self.shift)
        return Within(inner, lambda x0: x0, self.dim, 0, 1 + self.scale / self.base.finest)

    def _near(self) -> Potential:
        """The base for points that err by what this target's size explains."""
        return self.base._within(self._rounding - self.base._rounding)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        return self._near()._manifolds(x1 - self.shift, x0)

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """The base's form in v = u − b."""
        import cvxpy as cp

        inner = cp.Variable(u.shape)
        form = self.base.conic(inner)
        moved = inner + np.tile(self.shift, (u.shape[0], 1)) == u
        return None if form is None else (form[0], [*form[1], moved])
