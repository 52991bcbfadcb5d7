r"""The Grassmannian of k-planes as projectors, in its convex hull, the Fantope (theory.md §4.2, family 5)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics import jacobi
from numerics.accuracy import EPS
from numerics.checks import as_points, positive_integer
from numerics.geometry import norms
from numerics.potentials.base import ManifoldGroup, Potential
from numerics.potentials.spectral import (
    OFF_MANIFOLD,
    SymmetricCoordinates,
    ThresholdNormals,
    real,
    refuse_where,
    symmetric_part,
)


class Grassmannian(Potential):
    r"""The uniform law on the projectors of rank k in R^n: T is the projector on the top k eigenvectors.

    φ\* is the sum of the k largest eigenvalues, φ the indicator of the Fantope {0 ⪯ X ⪯ I, tr X = k},
    prox the projection $V\mathrm{diag}(\mathrm{clip}(λ-θ,0,1))V^⊤$ with θ such that the trace is k.
    $⟨E,KE⟩ = Σ_{i≤k<j} 2(v_i^⊤Ev_j)^2/(λ_i-λ_j)$. Points are the upper triangles, row by row, with
    off-diagonals times √2, so that N(0,I) is the GOE: d = n(n+1)/2, m = k(n−k), scale √k. k = 1 is real
    projective space, k = n the single point I.

    Conditioning: ‖K‖ = 1/(λ_k−λ_{k+1}); where this gap closes T is discontinuous and has no value, and it
    is refused within d·eps·|λ|_max. K has the condition ‖K‖²|X₀|, prox that of any projection. Where an
    eigenvalue of prox meets 0 or 1 `prox_jacobian` is one of the one-sided derivatives.

    Args:
        n: The order of the matrices.
        k: The rank, 1 ≤ k ≤ n.

    Raises:
        ValueError: If n or k is not a positive integer, or k > n; `transport` and `transport_jacobian`
            raise where the gap is closed, and every method at complex input.
    """

    def __init__(self, n: int, k: int) -> None:
        self.n, self.k = positive_integer("n", n), positive_integer("k", k)
        if self.k > self.n:
            raise ValueError(f"k: got {k} > n = {n}; a projector of R^n needs k <= n")
        self._coordinates = SymmetricCoordinates(self.n)
        self.dim = self._coordinates.dim
        self.scale = float(np.sqrt(self.k))

    def __repr__(self) -> str:
        return f"Grassmannian({self.n}, {self.k})"

    def _matrices(self, x: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, "N n n"]:
        return self._coordinates.matrices(real("matrices", x))

    def _as_matrices(self, x: ArrayLike) -> Float[np.ndarray, "N n n"]:
        return self._matrices(as_points("x0", x, self.dim))

    def _regular_frame(
        self, x0: Inexact[np.ndarray, "N d"]
    ) -> tuple[Float[np.ndarray, "N n"], Float[np.ndarray, "N n n"]]:
        """Eigenvalues, largest first, and eigenvectors, where T has a value."""
        values, vectors = jacobi.eigh(self._matrices(x0))
        if self.k < self.n:
            refuse_where(
                values[:, self.k - 1] - values[:, self.k] <= self.dim * EPS * np.abs(values).max(axis=1),
                "x0",
                "has two equal eigenvalues at places k and k+1 to rounding, where the transport has no "
                "single value; perturb it",
            )
        return values, vectors

    def _value(self, x: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        values = np.linalg.eigvalsh(self._matrices(x))
        miss = np.maximum(np.maximum(-values[:, 0], values[:, -1] - 1), 0.0)
        miss = np.maximum(miss, np.abs(values.sum(axis=1) - self.k) / np.sqrt(self.n))
        return np.where(miss <= self._rounding, 0.0, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        return np.linalg.eigvalsh(self._matrices(x0))[:, self.n - self.k :].sum(axis=1)

    def _transport(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        top = self._regular_frame(x0)[1][:, :, : self.k]
        return self._coordinates.vectors(top @ top.transpose(0, 2, 1))

    def _transport_jacobian(self, x0: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d d"]:
        values, vectors = self._regular_frame(x0)
        across = np.zeros((self.n, self.n), dtype=bool)
        across[: self.k, self.k :] = True
        off = across / np.where(across, values[:, :, None] - values[:, None, :], 1.0)
        return self._coordinates.jacobian(vectors, np.zeros_like(vectors), off)

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " N"]:
        """|x₀|/(λ_k − λ_{k+1}) + scale."""
        noise = as_points("x0", x0, self.dim).real
        values, _ = self._regular_frame(noise)
        if self.k == self.n:
            return np.full(len(values), self.scale)
        return norms(noise) / (values[:, self.k - 1] - values[:, self.k]) + self.scale

    def _prox(self, z: Inexact[np.ndarray, "N d"], step: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N d"]:
        values, vectors = jacobi.eigh(self._matrices(z))
        clipped = _fantope_values(values, self.k).values
        return self._coordinates.vectors((vectors * clipped[:, None, :]) @ vectors.transpose(0, 2, 1))

    def _prox_jacobian(
        self, z: Float[np.ndarray, "N d"], step: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, "N d d"]:
        values, vectors = jacobi.eigh(self._matrices(z))
        clipped, free = _fantope_values(values, self.k)
        count = np.maximum(free.sum(axis=1), 1)[:, None, None]
        both = free[:, :, None] & free[:, None, :]
        diagonal = free[:, :, None] * np.eye(self.n) - both / count
        moved = clipped[:, :, None] - clipped[:, None, :]
        fall = np.where(moved == 0, 1.0, values[:, :, None] - values[:, None, :])
        return self._coordinates.jacobian(vectors, diagonal, np.where(both, 1.0, moved / fall))

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> ThresholdNormals:
        if not np.isfinite(self._value(x1[None])[0]):
            raise ValueError("x1: its eigenvalues leave [0, 1] or its trace isn't k; φ is +inf there")
        values, vectors = jacobi.eigh(self._matrices(x1[None]))
        on = (values[0] >= 1 - self._rounding).astype(int) - (values[0] <= self._rounding)
        return ThresholdNormals(self._as_matrices, vectors[0], on)

    def _manifolds(
        self, x1: Float[np.ndarray, "N d"], x0: Float[np.ndarray, "N d"]
    ) -> Sequence[ManifoldGroup]:
        """Tangents ξ = V_kBV_⊥ᵀ + its transpose.

        Along a geodesic γ'' = 2(V_⊥BᵀBV_⊥ᵀ − V_kBBᵀV_kᵀ), so H(ξ,ξ) = 2tr(BᵀPB) − 2tr(BRBᵀ), P and R the
        blocks of X₀ on the plane and off it.
        """
        matrices, noise = self._matrices(x1), self._matrices(x0)
        miss = np.abs(matrices @ matrices - matrices).max(axis=(1, 2))
        wrong = np.abs(np.trace(matrices, axis1=1, axis2=2) - self.k)
        refuse_where(
            np.maximum(miss, wrong) > OFF_MANIFOLD, "x1", "is no projector of rank k; pass transport(x0)"
        )
        _, vectors = jacobi.eigh(matrices)
        inner = vectors.transpose(0, 2, 1) @ noise @ vectors
        plane, rest = inner[:, : self.k, : self.k], inner[:, self.k :, self.k :]
        i, j = (g.ravel() for g in np.meshgrid(np.arange(self.k), np.arange(self.n - self.k), indexing="ij"))
        hessian = plane[:, i[:, None], i] * (j[:, None] == j) - rest[:, j[:, None], j] * (i[:, None] == i)
        left, right = vectors[:, :, i].transpose(0, 2, 1), vectors[:, :, self.k + j].transpose(0, 2, 1)
        outer = left[:, :, :, None] * right[:, :, None, :]
        tangent = self._coordinates.vectors(np.sqrt(2) * symmetric_part(outer)).transpose(0, 2, 1)
        return [ManifoldGroup(np.arange(len(x1)), tangent, symmetric_part(hessian))]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """0 ⪯ X ⪯ I and tr X = k for every row."""
        import cvxpy as cp

        eye = np.eye(self.n)
        units = self._coordinates.matrices(np.eye(self.dim)).reshape(self.dim, -1)
        constraints = []
        for i in range(u.shape[0]):
            matrix = cp.reshape(u[i] @ units, (self.n, self.n), order="C")
            constraints += [matrix >> 0, eye - matrix >> 0, cp.trace(matrix) == self.k]
        return np.zeros(u.shape[0]), constraints


class Clipped(NamedTuple):
    """clip(λ−θ, 0, 1) and which entries lie strictly between."""

    values: Float[np.ndarray, "N n"]
    free: np.ndarray


def _fantope_values(values: Float[np.ndarray, "N n"], k: int) -> Clipped:
    """clip(λ−θ, 0, 1) with sum k, for λ (N,n) in decreasing order: θ from the breakpoints λ_i and λ_i − 1.

    λ is first measured from λ_k, so that the entries that matter are small and exact.
    """
    shifted = values - values[:, k - 1 : k]
    knots = np.sort(np.concatenate([shifted, shifted - 1], axis=1), axis=1)
    sums = np.clip(shifted[:, None, :] - knots[:, :, None], 0.0, 1.0).sum(axis=2)
    rows = np.arange(len(values))
    left = (sums >= k).sum(axis=1) - 1
    start, total = knots[rows, left], sums[rows, left]
    middle = (start + knots[rows, np.minimum(left + 1, knots.shape[1] - 1)]) / 2
    slope = ((shifted > middle[:, None]) & (shifted < middle[:, None] + 1)).sum(axis=1)
    theta = start + (total - k) / np.maximum(slope, 1)
    clipped = np.clip(shifted - theta[:, None], 0.0, 1.0)
    return Clipped(clipped, (clipped > 0) & (clipped < 1))
