r"""Residual maps, their log-determinants, inverses and compositions (docs/theory.md F1, F2).

$φ(x) = x + δ u(x)$, $u(x) = V\tanh(Wx + b)$. With one hidden unit it is the planar map
[@rezende2015variational]. By the matrix determinant lemma
$\det Dφ = \det(I_k + δ\,\mathrm{diag}(\tanh')\,W V)$, a k×k determinant for any dimension.
If $q = δ\,\|V\|\|W\| < 1$, then $x ↦ y - δu(x)$ contracts by q, and its fixed point is φ⁻¹(y)
[@behrmann2019invertible].
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_array, as_complex_points, as_points, positive_integer, positive_number

Points = Inexact[np.ndarray, "n d"]


@dataclass(frozen=True)
class Inverse:
    """φ⁻¹(y) (n,d), a proved bound (n,) on its error, and the number of iterations it took.

    Example:
        >>> bend = ResidualMap([[1.0]], [[1.0]], [0.0], step=0.5)
        >>> found = bend.inverse([[1.0 + np.tanh(1.0) / 2]])
        >>> bool(abs(found.points[0, 0] - 1.0) <= found.error[0])
        True
    """

    points: Float[np.ndarray, "n d"]
    error: Float[np.ndarray, " n"]
    iterations: int


class ResidualMap:
    """φ(x) = x + δ V tanh(Wx + b) on R^d; complex points pass.

    Args:
        outer: V (d,k).
        inner: W (k,d).
        offset: b (k,).
        step: δ > 0.

    Raises:
        ValueError: If shapes disagree or the step isn't positive.

    Example:
        >>> bend = ResidualMap([[1.0]], [[1.0]], [0.0], step=0.5)  # x + tanh(x)/2
        >>> bend([[0.0]]).tolist(), bend.jacobian([[0.0]]).tolist()
        ([[0.0]], [[[1.5]]])
    """

    def __init__(self, outer: ArrayLike, inner: ArrayLike, offset: ArrayLike, step: float) -> None:
        self.outer = as_array("outer", outer, ndim=2)
        self.inner = as_array("inner", inner, ndim=2)
        self.offset = as_array("offset", offset, ndim=1)
        d, k = self.outer.shape
        if self.inner.shape != (k, d) or self.offset.shape != (k,):
            raise ValueError(
                f"inner, offset: got shapes {self.inner.shape}, {self.offset.shape} for outer {(d, k)};"
                f" need {(k, d)} and {(k,)}"
            )
        self.step = positive_number("step", step)

    @classmethod
    def planar(cls, outer: ArrayLike, normal: ArrayLike, offset: float, step: float) -> "ResidualMap":
        """One hidden unit: u(x) = v tanh(⟨w, x⟩ + b), v and w (d,)."""
        v, w = as_array("outer", outer, ndim=1), as_array("normal", normal, ndim=1)
        return cls(v[:, None], w[None], [offset], step)

    @property
    def dim(self) -> int:
        """The dimension d."""
        return self.outer.shape[0]

    @property
    def contraction(self) -> float:
        """Q = δ‖V‖‖W‖ ≥ δ·Lip(u), spectral norms, as |tanh'| ≤ 1."""
        return self.step * float(np.linalg.norm(self.outer, 2) * np.linalg.norm(self.inner, 2))

    def displacement(self, x: ArrayLike) -> Points:
        """u(x) for x (n,d)."""
        points = as_complex_points("x", x, self.dim)
        return np.tanh(points @ self.inner.T + self.offset) @ self.outer.T

    def __call__(self, x: ArrayLike) -> Points:
        """φ(x) for x (n,d)."""
        return as_complex_points("x", x, self.dim) + self.step * self.displacement(x)

    def jacobian(self, x: ArrayLike) -> Inexact[np.ndarray, "n d d"]:
        """Dφ = I + δV diag(tanh')W at x (n,d)."""
        return np.eye(self.dim) + self.step * np.einsum(
            "dk,nk,ke->nde", self.outer, self.slope(x), self.inner
        )

    def log_determinant(self, x: ArrayLike) -> Float[np.ndarray, " n"]:
        """log|det Dφ| at x (n,d) by the lemma; −inf where φ folds."""
        small = np.eye(len(self.offset)) + self.step * self.slope(x)[:, :, None] * (self.inner @ self.outer)
        return np.linalg.slogdet(small)[1]

    def iterates(
        self, y: ArrayLike, count: int, start: ArrayLike | None = None
    ) -> Float[np.ndarray, "c n d"]:
        """The first ``count`` steps of x ← y − δu(x), with the start (y if left out) in front.

        It runs whatever q is: beyond q = 1 nothing is promised.
        """
        image = as_points("y", y, self.dim)
        found = [image if start is None else as_points("start", start, self.dim)]
        for _ in range(positive_integer("count", count)):
            found.append(image - self.step * self.displacement(found[-1]).real)
        return np.stack(found)

    def inverse(self, y: ArrayLike) -> Inverse:
        """φ⁻¹(y) for y (n,d) by iteration until rounding stops it.

        The error is at most (q·|last move| + rounding)/(1 − q), Banach's bound.

        Raises:
            ValueError: If q ≥ 1: φ need not have an inverse.
        """
        q = self.contraction
        if q >= 1:
            raise ValueError(f"step: δ·Lip(u) is bounded by {q:.6g}; the inverse is promised only below 1")
        x = as_points("y", y, self.dim)
        reach = self.step * float(np.linalg.norm(self.outer, 2)) * np.sqrt(len(self.offset))
        count = 1 + int(np.ceil(np.log(EPS / 2) / np.log(q))) if q > EPS else 2
        before, after = self.iterates(x, count)[-2:]
        rounding = 16 * self.dim * len(self.offset) * EPS * (np.linalg.norm(x, axis=1) + reach)
        moved = np.linalg.norm(after - before, axis=1)
        return Inverse(after, (q * moved + rounding) / (1 - q), count)

    def slope(self, x: ArrayLike) -> Inexact[np.ndarray, "n k"]:
        """1 − tanh²(Wx + b) (n,k), the derivative of each unit at x (n,d)."""
        return 1 - np.tanh(as_complex_points("x", x, self.dim) @ self.inner.T + self.offset) ** 2


class Composition:
    """ψ = φ_K ∘ … ∘ φ₁: log-determinants add, each at its own intermediate point.

    Args:
        maps: φ₁ first; each is callable and has ``log_determinant``.

    Raises:
        ValueError: If there is no map, or dimensions disagree.

    Example:
        >>> stretch = ResidualMap([[1.0]], [[1.0]], [0.0], step=0.5)  # x + tanh(x)/2, of slope 3/2 at 0
        >>> np.exp(Composition([stretch, stretch]).log_determinant([[0.0]])).round(12).tolist()
        [2.25]
    """

    def __init__(self, maps: Sequence[ResidualMap]) -> None:
        if not maps or len({m.dim for m in maps}) != 1:
            raise ValueError(f"maps: got dimensions {[m.dim for m in maps]}; give maps of one dimension")
        self.maps = tuple(maps)

    @property
    def dim(self) -> int:
        """The dimension d."""
        return self.maps[0].dim

    def intermediate(self, x0: ArrayLike) -> list[Points]:
        """x₀, φ₁(x₀), …, ψ(x₀), each (n,d)."""
        points = [as_complex_points("x0", x0, self.dim)]
        for each in self.maps:
            points.append(each(points[-1]))
        return points

    def __call__(self, x0: ArrayLike) -> Points:
        """ψ(x₀) for x₀ (n,d)."""
        return self.intermediate(x0)[-1]

    def log_determinant(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """log|det Dψ| at x₀ (n,d)."""
        before = self.intermediate(x0)[:-1]
        return np.asarray(sum(m.log_determinant(x) for m, x in zip(self.maps, before, strict=True)))

    def inverse(self, y: ArrayLike) -> Float[np.ndarray, "n d"]:
        """ψ⁻¹(y) for y (n,d), map by map from the last."""
        x = as_points("y", y, self.dim)
        for each in reversed(self.maps):
            x = each.inverse(x).points
        return x

    def log_density(self, x1: ArrayLike) -> Float[np.ndarray, " n"]:
        """Log p₁(x₁) of x₁ = ψ(x₀), x₀ ~ N(0,I): log p₀(ψ⁻¹(x₁)) − log|det Dψ(ψ⁻¹(x₁))|."""
        x0 = self.inverse(x1)
        return -(x0**2).sum(axis=1) / 2 - self.dim * np.log(2 * np.pi) / 2 - self.log_determinant(x0)
