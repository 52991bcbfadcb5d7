r"""Degenerate Gaussians: $P_1 = N(b, Σ)$ with any rank (theory.md §4.2, family 3)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_array, as_points, symmetric_matrix
from numerics.potentials.base import ManifoldGroup, Potential, Subdifferential


class DegenerateGaussian(Potential):
    r"""$T(x_0) = Σ^{1/2}x_0 + b$ and $φ(x) = ½(x-b)^⊤(Σ^{1/2})^+(x-b) + δ_{b+\mathrm{range}\,Σ}(x)$.

    M is the affine subspace b + range Σ. Standard deviations below d·eps times the largest count as 0,
    and are set to 0. Conditioning: T and K carry an error of d·eps·σ_max (symmetric eigenproblem);
    prox divides by σ + step, which loses nothing.

    Args:
        mean: (d,), b.
        covariance: (d,d), Σ, symmetric positive semidefinite.

    Raises:
        ValueError: If a shape is wrong, an entry isn't finite, or Σ isn't symmetric semidefinite.
    """

    def __init__(self, mean: ArrayLike, covariance: ArrayLike) -> None:
        self.mean = as_array("mean", mean, ndim=1).real
        self.covariance = symmetric_matrix("covariance", covariance, definite=False)
        self.dim = len(self.mean)
        if len(self.covariance) != self.dim:
            raise ValueError(f"covariance: got {self.covariance.shape} for a mean of length {self.dim}")
        variances, self._axes = np.linalg.eigh(self.covariance)
        negligible = variances <= self.dim * EPS * max(variances[-1], 0.0)
        self._deviations = np.sqrt(np.where(negligible, 0.0, variances))
        self._rank = int((self._deviations > 0).sum())
        self.scale = float(np.linalg.norm(self.mean) + self._deviations[-1]) or 1.0

    def __repr__(self) -> str:
        return f"DegenerateGaussian({self.mean.tolist()}, {self.covariance.tolist()})"

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        w = (x - self.mean) @ self._axes
        flat = self._deviations == 0
        off = np.linalg.norm(w[:, flat], axis=1)
        rounding = self._rounding + 16 * self.dim * EPS * np.linalg.norm(x, axis=1)
        quadratic = (w[:, ~flat] ** 2 / self._deviations[~flat]).sum(axis=1) / 2
        return np.where(off <= rounding, quadratic, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        return ((x0 @ self._axes) ** 2 * self._deviations).sum(axis=1) / 2 + x0 @ self.mean

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        return ((x0 @ self._axes) * self._deviations) @ self._axes.T + self.mean

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        root = (self._axes * self._deviations) @ self._axes.T
        return np.broadcast_to(root, (len(x0), self.dim, self.dim)).copy()

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        shrink = self._deviations / (self._deviations + step[:, None])
        return (((z - self.mean) @ self._axes) * shrink) @ self._axes.T + self.mean

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        shrink = self._deviations / (self._deviations + step[:, None])
        return np.einsum("ik,nk,jk->nij", self._axes, shrink, self._axes)

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "_Fibre":
        if not np.isfinite(self._value(x1[None])[0]):
            raise ValueError(f"x1: {x1.tolist()} is not in the support's affine hull; φ is +inf there")
        return _Fibre(self, x1)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        curved = self._deviations > 0
        n, m = len(x1), self._rank
        tangent = np.broadcast_to(self._axes[:, curved], (n, self.dim, m))
        hessian = np.broadcast_to(np.diag(1 / self._deviations[curved]), (n, m, m))
        return [ManifoldGroup(np.arange(n), tangent, hessian)]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """Weighted squares along the axes of Σ, and an equation for every flat axis."""
        import cvxpy as cp

        curved = self._deviations > 0
        centred = u - np.tile(self.mean, (u.shape[0], 1))
        whitened = centred @ (self._axes[:, curved] / np.sqrt(self._deviations[curved]))
        value = cp.sum(cp.square(whitened), axis=1) / 2 if self._rank else np.zeros(u.shape[0])
        flat = self._axes[:, ~curved]
        return value, [centred @ flat == 0] if flat.size else []


class _Fibre(Subdifferential):
    """∂φ(x₁) = (Σ^{1/2})⁺(x₁ − b) + ker Σ: an affine subspace, without relative boundary."""

    def __init__(self, potential: DegenerateGaussian, x1: Float[np.ndarray, " d"]) -> None:
        curved = potential._deviations > 0
        self._range = potential._axes[:, curved]
        self._centre = ((x1 - potential.mean) @ self._range) / potential._deviations[curved]
        self._dim = potential.dim
        spread = potential._deviations[curved]
        condition = 1 + potential.scale / spread.min() if spread.size else 1.0
        self.rounding = 16 * potential.dim * EPS * float(condition)

    @property
    def dimension(self) -> int:
        return self._dim - self._range.shape[1]

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        return np.linalg.norm(as_points("x0", x0, self._dim) @ self._range - self._centre, axis=1)

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        return np.full(len(as_points("x0", x0, self._dim)), np.inf)
