r"""The product of two targets: $φ^* ⊕ ψ^*$ and $φ ⊕ ψ$ (docs/theory.md §4.1)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_points
from numerics.potentials.base import Potential
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.solved_once import SolvedOnce
from numerics.potentials.support_geometry import ManifoldGroup, Subdifferential
from numerics.potentials.traits import Traits


class Product(SolvedOnce):
    """The first ``first.dim`` coordinates follow one law, the others another, independently.

    Accuracy: errors of the blocks are orthogonal, so lengths and Frobenius norms combine as legs of a right
    triangle; φ, φ* and the envelope are sums of two and round once more.
    """

    def __init__(self, first: Potential, second: Potential) -> None:
        self.first, self.second = first, second
        self.dim = first.dim + second.dim
        self.scale = float(np.hypot(first.scale, second.scale))

    def __repr__(self) -> str:
        return f"product({self.first!r}, {self.second!r})"

    @property
    def traits(self) -> Traits:
        """What both factors have."""
        return self.first.traits & self.second.traits

    @property
    def finest(self) -> float:
        """The smaller of the blocks'."""
        return min(self.first.finest, self.second.finest)

    def _split(self, x: Inexact[np.ndarray, "n d"]) -> tuple[np.ndarray, np.ndarray]:
        return x[:, : self.first.dim], x[:, self.first.dim :]

    def _blocks(
        self, upper: Float[np.ndarray, "n p p"], lower: Float[np.ndarray, "n q q"]
    ) -> Float[np.ndarray, "n d d"]:
        whole = np.zeros((len(upper), self.dim, self.dim))
        whole[:, : self.first.dim, : self.first.dim] = upper
        whole[:, self.first.dim :, self.first.dim :] = lower
        return whole

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        a, b = self._split(x)
        return self.first._value(a) + self.second._value(b)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        a, b = self._split(x0)
        return self.first._conjugate(a) + self.second._conjugate(b)

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        a, b = self._split(x0)
        return np.concatenate([self.first._transport(a), self.second._transport(b)], axis=1)

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        a, b = self._split(x0)
        return self._blocks(self.first._transport_jacobian(a), self.second._transport_jacobian(b))

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        a, b = self._split(z)
        return np.concatenate([self.first._prox(a, step), self.second._prox(b, step)], axis=1)

    def _proximal_point(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        a, b = self._split(z)
        upper, lower = self.first._proximal_point(a, step), self.second._proximal_point(b, step)
        return ProximalPoint(
            z,
            step,
            np.concatenate([upper.point, lower.point], axis=1),
            envelope=lambda: upper.envelope + lower.envelope,
            jacobian=lambda: self._blocks(upper.jacobian, lower.jacobian),
            kink=lambda: np.minimum(upper.kink, lower.kink),
            errors=(
                lambda: _legs(upper.rounding.point, lower.rounding.point),
                lambda: _summed(
                    upper.rounding.envelope, lower.rounding.envelope, upper.envelope + lower.envelope
                ),
                lambda: _legs(upper.rounding.jacobian, lower.rounding.jacobian),
            ),
        )

    def _domain_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        a, b = self._split(x)
        return _legs(self.first._domain_rounding(a), self.second._domain_rounding(b))

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        a, b = self._split(x)
        total = np.nan_to_num(self._value(x), posinf=0.0)
        return _summed(self.first._value_rounding(a), self.second._value_rounding(b), total)

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        a, b = self._split(x0)
        total = self._conjugate(x0)
        return _summed(self.first._conjugate_rounding(a), self.second._conjugate_rounding(b), total)

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        a, b = self._split(x0)
        return np.hypot(self.first._conjugate_slope(a), self.second._conjugate_slope(b))

    def _conjugate_slope_within(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        a, b = self._split(x0)
        parts = self.first._conjugate_slope_within(a, radius), self.second._conjugate_slope_within(b, radius)
        return np.hypot(*parts)

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        a, b = self._split(x0)
        return _legs(self.first._transport_rounding(a), self.second._transport_rounding(b))

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        a, b = self._split(x0)
        return _legs(self.first._transport_jacobian_rounding(a), self.second._transport_jacobian_rounding(b))

    def _transport_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        a, b = self._split(x0)
        return np.hypot(self.first._transport_change(a, radius), self.second._transport_change(b, radius))

    def _transport_jacobian_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        a, b = self._split(x0)
        changes = (self.first._transport_jacobian_change, a), (self.second._transport_jacobian_change, b)
        return np.hypot(*(change(part, radius) for change, part in changes))

    def _prox_jacobian_change(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        a, b = self._split(z)
        changes = (self.first._prox_jacobian_change, a), (self.second._prox_jacobian_change, b)
        return np.hypot(*(change(part, step, radius) for change, part in changes))

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "ProductSubdifferential":
        a, b = self._split(x1[None])
        first, second = self.first._within(self._coarseness), self.second._within(self._coarseness)
        return ProductSubdifferential(
            first.subdifferential(a[0]), second.subdifferential(b[0]), self.first.dim, self.dim
        )

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        (a1, b1), (a0, b0) = self._split(x1), self._split(x0)
        groups = []
        first, second = self.first._within(self._coarseness), self.second._within(self._coarseness)
        for upper in first._manifolds(a1, a0):
            for lower in second._manifolds(b1, b0):
                rows, i, j = np.intersect1d(upper.rows, lower.rows, return_indices=True)
                if rows.size:
                    tangent = _diagonal(upper.tangent[i], lower.tangent[j])
                    groups.append(ManifoldGroup(rows, tangent, _diagonal(upper.hessian[i], lower.hessian[j])))
        return groups

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """The blocks' forms in their own variables."""
        import cvxpy as cp

        a = cp.Variable((u.shape[0], self.first.dim))
        b = cp.Variable((u.shape[0], self.second.dim))
        upper, lower = self.first.conic(a), self.second.conic(b)
        if upper is None or lower is None:
            return None
        return upper[0] + lower[0], [*upper[1], *lower[1], cp.hstack([a, b]) == u]


class ProductSubdifferential(Subdifferential):
    """∂φ(a) × ∂ψ(b)."""

    def __init__(self, first: Subdifferential, second: Subdifferential, split: int, dim: int) -> None:
        self._first, self._second, self._at, self._dim = first, second, split, dim
        self.rounding = first.rounding + second.rounding
        self.blur = first.blur + second.blur

    @property
    def dimension(self) -> int:
        """The sum of the blocks' dimensions."""
        return self._first.dimension + self._second.dimension

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the set."""
        x = as_points("x0", x0, self._dim)
        return np.hypot(self._first.distance(x[:, : self._at]), self._second.distance(x[:, self._at :]))

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """The smaller of the blocks' distances to their relative boundaries."""
        x = as_points("x0", x0, self._dim)
        return np.minimum(
            self._first.boundary_distance(x[:, : self._at]), self._second.boundary_distance(x[:, self._at :])
        )


def _diagonal(upper: Float[np.ndarray, "k a b"], lower: Float[np.ndarray, "k c e"]) -> np.ndarray:
    n, a, b = upper.shape
    _, c, e = lower.shape
    whole = np.zeros((n, a + c, b + e))
    whole[:, :a, :b], whole[:, a:, b:] = upper, lower
    return whole


def _legs(upper: Rounding, lower: Rounding) -> Rounding:
    """Errors in orthogonal blocks: √(a² + b²)."""
    reasons = dict.fromkeys([upper.because, lower.because])
    return Rounding.measured(np.hypot(upper.bound, lower.bound), "; ".join(reasons))


def _summed(upper: Rounding, lower: Rounding, total: Float[np.ndarray, " n"]) -> Rounding:
    return upper + lower + Rounding(np.abs(total), 1, "the blocks' sum")
