r"""New targets from old (theory.md §4.1): rotate, translate, scale, embed, product.

The source stays N(0, I) throughout, which is why each rule holds: noise is rotated with the target, and a
product of targets sees independent blocks of noise.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_array, as_points, positive_number
from numerics.geometry import norms
from numerics.potentials.base import ManifoldGroup, Potential, Subdifferential
from numerics.potentials.product import Product


def rotate(base: Potential, rotation: ArrayLike) -> Potential:
    r"""The law of Qx₁: $φ^*(Q^⊤·)$, $φ(Q^⊤·)$; Q (d,d) orthogonal, reflections allowed.

    Raises:
        ValueError: If Q isn't orthogonal of the right size.
    """
    return Isometric(base, rotation, square=True)


def embed(base: Potential, isometry: ArrayLike) -> Potential:
    r"""The law of Vx₁ in $R^{D}$: $φ^*(V^⊤·)$, $φ(V^⊤·) + δ_{\mathrm{range} V}$; V (D,d) with VᵀV = I.

    Raises:
        ValueError: If the columns of V aren't orthonormal or V has the wrong width.
    """
    return Isometric(base, isometry, square=False)


def translate(base: Potential, shift: ArrayLike) -> Potential:
    r"""The law of x₁ + b: $φ^* + ⟨b,·⟩$, $φ(·-b)$; b (d,).

    Raises:
        ValueError: If b has the wrong length or an entry isn't finite.
    """
    return Translated(base, shift)


def scale(base: Potential, factor: float) -> Potential:
    r"""The law of s·x₁, s > 0: $sφ^*$, $sφ(·/s)$.

    Raises:
        ValueError: If s isn't positive and finite.
    """
    return Scaled(base, factor)


def product(first: Potential, second: Potential) -> Potential:
    r"""The product law of two independent blocks: $φ^* ⊕ ψ^*$, $φ ⊕ ψ$."""
    return Product(first, second)


class _Within(Subdifferential):
    """∂φ of a derived potential: a base set seen through a linear map of the noise.

    ``pull`` maps noise (n,D) to the base's noise (n,d), and ``free`` counts the directions it forgets;
    ``stretch`` is by how much rounding of the derived x₁ exceeds that of the base's, ``length`` the unit of
    the derived target in the base's.
    """

    def __init__(
        self,
        base: Subdifferential,
        pull: Callable[[Float[np.ndarray, "n D"]], Float[np.ndarray, "n d"]],
        dim: int,
        free: int,
        stretch: float,
        length: float = 1.0,
    ) -> None:
        self._base, self._pull, self._dim, self._free = base, pull, dim, free
        self.rounding = stretch * base.rounding + 16 * dim * EPS
        self.blur = length * base.blur

    @property
    def dimension(self) -> int:
        """The base's dimension plus the directions that the map forgets."""
        return self._base.dimension + self._free

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,D) from the set."""
        return self._base.distance(self._pull(as_points("x0", x0, self._dim).real))

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,D) to the relative boundary."""
        return self._base.boundary_distance(self._pull(as_points("x0", x0, self._dim).real))


class Isometric(Potential):
    """A potential carried by an isometry V: R^d → R^D; what `rotate` and `embed` return."""

    def __init__(self, base: Potential, isometry: ArrayLike, *, square: bool) -> None:
        name = "rotation" if square else "isometry"
        self.isometry = as_array(name, isometry, ndim=2).real
        rows, columns = self.isometry.shape
        if columns != base.dim or (square and rows != columns):
            wanted = f"({base.dim}, {base.dim})" if square else f"(D, {base.dim})"
            raise ValueError(f"{name}: got shape {self.isometry.shape}, need {wanted}")
        defect = float(np.abs(self.isometry.T @ self.isometry - np.eye(columns)).max())
        if defect > 64 * rows * EPS:
            raise ValueError(f"{name}: columns miss orthonormality by {defect:.3g}; take the Q of a QR")
        self.base, self.dim, self.scale, self._square = base, rows, base.scale, square

    def __repr__(self) -> str:
        return f"{'rotate' if self._square else 'embed'}({self.base!r}, {self.isometry.tolist()})"

    def _value(self, x: Float[np.ndarray, "n D"]) -> Float[np.ndarray, " n"]:
        inner = x @ self.isometry
        off = norms(x - inner @ self.isometry.T)
        rounding = self._rounding + 16 * self.dim * EPS * norms(x)
        return np.where(off <= rounding, self.base._value(inner), np.inf)

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

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n D"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n D D"]:
        return self.isometry @ self.base._prox_jacobian(z @ self.isometry, step) @ self.isometry.T

    def _envelope(
        self, z: Float[np.ndarray, "n D"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        inner = z @ self.isometry
        off = z - inner @ self.isometry.T
        return self.base._envelope(inner, step) + (off**2).sum(axis=1) / (2 * step)

    def _prox_condition(
        self, z: Float[np.ndarray, "n D"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return super()._prox_condition(z, step) + self.base._prox_condition(z @ self.isometry, step)

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """The base's, and the rounding of two products with V."""
        noise = as_points("x0", x0, self.dim).real
        return self.base.transport_condition(noise @ self.isometry) + super().transport_condition(noise)

    def transport_jacobian_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Twice the base's: the products with V round once more."""
        return 2 * self.base.transport_jacobian_condition(as_points("x0", x0, self.dim).real @ self.isometry)

    def _subdifferential(self, x1: Float[np.ndarray, " D"]) -> Subdifferential:
        if not np.isfinite(self._value(x1[None])[0]):
            raise ValueError(f"x1: {x1.tolist()} is outside the domain; φ is +inf there")
        inner = self.base.subdifferential(x1 @ self.isometry)
        return _Within(inner, lambda x0: x0 @ self.isometry, self.dim, self.dim - self.base.dim, 2.0)

    def _manifolds(
        self, x1: Float[np.ndarray, "n D"], x0: Float[np.ndarray, "n D"]
    ) -> Sequence[ManifoldGroup]:
        return [
            ManifoldGroup(group.rows, self.isometry @ group.tangent, group.hessian)
            for group in self.base._manifolds(x1 @ self.isometry, x0 @ self.isometry)
        ]

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """The base's form in an inner variable v with u = Vv."""
        import cvxpy as cp

        inner = cp.Variable((u.shape[0], self.base.dim))
        form = self.base.conic(inner)
        return None if form is None else (form[0], [*form[1], inner @ self.isometry.T == u])


class Translated(Potential):
    """A potential moved by b; what `translate` returns."""

    def __init__(self, base: Potential, shift: ArrayLike) -> None:
        self.shift = as_array("shift", shift, ndim=1).real
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
            value[missed] = self.base._value(self._pulled_in(inner[missed]))
        return value

    def _pulled_in(self, inner: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        """The nearest points of the base's domain, where they are as near as eps·|b|; the others stay."""
        if self.base.scale >= self.scale:
            return inner
        near = self.base._prox(inner, np.full(len(inner), EPS))
        close = norms(near - inner) <= self._rounding
        return np.where(close[:, None], near, inner)

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

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        return self.base._prox_jacobian(z - self.shift, step)

    def _envelope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return self.base._envelope(z - self.shift, step)

    def _prox_condition(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return super()._prox_condition(z, step) + self.base._prox_condition(z - self.shift, step)

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """The base's, and the rounding of the sum."""
        return self.base.transport_condition(x0) + self.scale

    def transport_jacobian_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """The base's."""
        return self.base.transport_jacobian_condition(x0)

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> Subdifferential:
        point = (x1 - self.shift)[None]
        if np.isinf(self.base._value(point)[0]):
            point = self._pulled_in(point)
        inner = self.base.subdifferential(point[0])
        return _Within(inner, lambda x0: x0, self.dim, 0, 1 + self.scale / self.base.scale)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        return self.base._manifolds(x1 - self.shift, x0)

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """The base's form in v = u − b."""
        import cvxpy as cp

        inner = cp.Variable(u.shape)
        form = self.base.conic(inner)
        moved = inner + np.tile(self.shift, (u.shape[0], 1)) == u
        return None if form is None else (form[0], [*form[1], moved])


class Scaled(Potential):
    """A potential stretched by s; what `scale` returns. prox_{λφ_s}(z) = s·prox_{(λ/s)φ}(z/s)."""

    def __init__(self, base: Potential, factor: float) -> None:
        self.factor = positive_number("factor", factor)
        self.base, self.dim, self.scale = base, base.dim, base.scale * self.factor

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

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        return self.base._prox_jacobian(z / self.factor, step / self.factor)

    def _envelope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return self.factor * self.base._envelope(z / self.factor, step / self.factor)

    def _prox_condition(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return self.factor * self.base._prox_condition(z / self.factor, step / self.factor)

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """The base's times s."""
        return self.factor * self.base.transport_condition(x0)

    def transport_jacobian_condition(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """The base's times s."""
        return self.factor * self.base.transport_jacobian_condition(x0)

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> Subdifferential:
        inner = self.base.subdifferential(x1 / self.factor)
        return _Within(inner, lambda x0: x0, self.dim, 0, 1.0, self.factor)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        return [
            ManifoldGroup(group.rows, group.tangent, group.hessian / self.factor)
            for group in self.base._manifolds(x1 / self.factor, x0)
        ]

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """The base's form in v = u/s, times s."""
        import cvxpy as cp

        inner = cp.Variable(u.shape)
        form = self.base.conic(inner)
        return None if form is None else (self.factor * form[0], [*form[1], self.factor * inner == u])
