r"""The Grassmannian: projectors on k-planes, hull: the Fantope (docs/theory.md §4.2, family 5)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact, Shaped
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_points, positive_integer
from numerics.factors import WIDE, Factors
from numerics.potentials.fantope_projection import (
    FantopeProjection,
    Weights,
    projector_bend,
    symmetric_jacobian_misfit,
)
from numerics.potentials.normal_cones import ThresholdNormals
from numerics.potentials.projected import HullIndicator
from numerics.potentials.spectral import (
    DOUBTFUL,
    OFF_MANIFOLD,
    SymmetricCoordinates,
    moved_within,
    over_gap,
    real,
    refuse_where,
    symmetric_part,
    times,
)
from numerics.potentials.support_geometry import ManifoldGroup
from numerics.solvers import jacobi


class Grassmannian(HullIndicator):
    r"""The uniform law on the projectors of rank k in R^n: T is the projector on the top k eigenvectors.

    φ\* is the sum of the k largest eigenvalues, φ the indicator of the Fantope {0 ⪯ X ⪯ I, tr X = k},
    prox the projection $V\mathrm{diag}(\mathrm{clip}(λ-θ,0,1))V^⊤$ with θ such that the trace is k.
    $⟨E,KE⟩ = Σ_{i≤k<j} 2(v_i^⊤Ev_j)^2/(λ_i-λ_j)$. Points are the upper triangles, row by row, with
    off-diagonals times √2, so that N(0,I) is the GOE: d = n(n+1)/2, m = k(n−k), scale √k. k = 1 is real
    projective space, k = n the single point I.

    Conditioning: ‖K‖ = 1/sep with the separation sep = λ_k−λ_{k+1}; where it is 0 T is discontinuous and has
    no value, and it is refused where sep is at most 2ε, ε being what the computed factors miss the matrix by.
    Where an eigenvalue of prox meets 0 or 1 `prox_jacobian` is one of the one-sided derivatives.

    Accuracy: the factors are exact, once made orthonormal, for a matrix X' within a measured ε of X₀
    (`numerics.factors`). On the segment between them eigenvalues change by at most ε (Weyl), so by the mean
    value theorem T moves by at most ε/(sep − 2ε), and K by its Lipschitz constant 2√n/sep² times
    ε: second divided differences of the step function are at most 1/sep² (the formula is in
    `numerics.potentials.ball_projection`; the prox in `numerics.potentials.fantope_projection`). To that
    comes the measured distance of the computed T and K from those of X'. φ\* is √k-Lipschitz, and k numbers
    are summed. φ itself is 0, at the point of the Fantope at a measured distance.

    Args:
        n: The order of the matrices.
        k: The rank, 1 ≤ k ≤ n.

    Raises:
        ValueError: If n or k is not a positive integer, or k > n; `transport` and `transport_jacobian`
            raise where eigenvalues k and k+1 are not separate, and every method at complex input.

    Example:
        >>> Grassmannian(2, 1).transport([[2.0, 0.0, 1.0]]).tolist()  # diag(2, 1) goes to the projector on e₁
        [[1.0, 0.0, 0.0]]
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

    def regular_frame(
        self, x0: Inexact[np.ndarray, "N d"]
    ) -> tuple[Float[np.ndarray, "N n"], Float[np.ndarray, "N n n"]]:
        """Eigenvalues, largest first, and eigenvectors, where T has a value."""
        matrices = self._matrices(x0)
        values, vectors = jacobi.eigh(matrices)
        if self.k == self.n:
            return values, vectors
        separation = values[:, self.k - 1] - values[:, self.k]
        asked = np.flatnonzero(separation <= DOUBTFUL * np.abs(values).max(axis=1))
        flat = np.zeros(len(separation), dtype=bool)
        if len(asked):
            v = vectors[asked]
            flat[asked] = separation[asked] <= 2 * Factors(v, v).misfit(matrices[asked], values[asked])
        refuse_where(
            flat,
            "x0",
            "has two equal eigenvalues at places k and k+1 to rounding, where the transport has no "
            "single value; perturb it",
        )
        return values, vectors

    def _wide(self, x: Inexact[np.ndarray, "N d"]) -> Shaped[np.ndarray, "N n n"]:
        return SymmetricCoordinates(self.n, WIDE).matrices(x.astype(WIDE))

    def _value(self, x: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        values = np.linalg.eigvalsh(self._matrices(x))
        miss = np.maximum(np.maximum(-values[:, 0], values[:, -1] - 1), 0.0)
        miss = np.maximum(miss, np.abs(values.sum(axis=1) - self.k) / np.sqrt(self.n))
        return np.where(miss <= self._rounding, 0.0, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        return jacobi.eigh(self._matrices(x0))[0][:, : self.k].sum(axis=1)

    def _conjugate_slope(self, x0: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        return np.full(len(x0), self.scale)

    def _transport(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        top = self.regular_frame(x0)[1][:, :, : self.k]
        return self._coordinates.vectors(top @ top.transpose(0, 2, 1))

    def _transport_jacobian(self, x0: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d d"]:
        values, vectors = self.regular_frame(x0)
        return self._coordinates.jacobian(vectors, *self._weights(values))

    def _weights(self, values: Shaped[np.ndarray, "N n"]) -> Weights:
        """The divided differences of the step function."""
        across = np.zeros((self.n, self.n), dtype=bool)
        across[: self.k, self.k :] = True
        off = across / np.where(across, values[:, :, None] - values[:, None, :], 1.0)
        return np.zeros(off.shape), off

    def _domain_rounding(self, x: Float[np.ndarray, "N d"]) -> Rounding:
        """Measured; no more than `_value` admits, with as much for what the eigenvalues err by.

        Eigenvalues leave [0, 1] by ρ at most and their sum k by √n ρ: cut to it they move by √n ρ, and the
        sum, then off by (n + √n)ρ, is restored within [0, 1] by as much.
        """
        most = 2 * (self.n + 2 * np.sqrt(self.n)) * self._rounding
        return Rounding.measured(np.minimum(self._projection(x).distance, most), "the point of the Fantope")

    def _conjugate_rounding(self, x0: Float[np.ndarray, "N d"]) -> Rounding:
        values, vectors = jacobi.eigh(self._matrices(x0))
        miss = Factors(vectors, vectors).misfit(self._wide(x0), values)
        summed = Rounding(np.abs(values[:, : self.k]).sum(axis=1), self.k - 1.0, "k eigenvalues are summed")
        return Rounding.measured(np.sqrt(self.k) * miss, "φ* is √k-Lipschitz") + summed

    def _transport_rounding(self, x0: Float[np.ndarray, "N d"]) -> Rounding:
        values, vectors = self.regular_frame(x0)
        factors = Factors(vectors, vectors)
        plateau = np.broadcast_to(np.arange(self.n) < self.k, values.shape).astype(float)
        composed = factors.misfit(self._wide(self._transport(x0)), plateau)
        moved = self._slope(values, factors.misfit(self._wide(x0), values))
        return Rounding.measured(moved + composed, "the factors' backward error times ‖K‖, and T's")

    def _transport_change(
        self, x0: Float[np.ndarray, "N d"], radius: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        """The integral of ‖K‖ = 1/(λ_k − λ_{k+1}), and the diameter where the two may meet."""
        if self.k == self.n:
            return np.zeros(len(x0))
        values, vectors = self.regular_frame(x0)
        miss = Factors(vectors, vectors).misfit(self._wide(x0), values)
        gap = values[:, self.k - 1] - values[:, self.k] - 2 * miss
        return moved_within(radius, gap, 1.0, np.sqrt(2), self._diameter)

    @property
    def _diameter(self) -> float:
        return float(np.sqrt(2 * min(self.k, self.n - self.k)))

    def _slope(
        self, values: Float[np.ndarray, "N n"], miss: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        """How far T moves within ``miss``: at most the diameter of the manifold."""
        if self.k == self.n:
            return np.zeros(len(values))
        separation = values[:, self.k - 1] - values[:, self.k] - 2 * miss
        return np.minimum(times(over_gap(1.0, separation), miss), self._diameter)

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "N d"]) -> Rounding:
        values, vectors = self.regular_frame(x0)
        jacobian = self._coordinates.jacobian(vectors, *self._weights(values))
        bound = self.jacobian_misfit(jacobian, values, vectors, self._wide(x0))
        return Rounding.measured(bound, "K of the factors, which bends to that of x0")

    def jacobian_misfit(
        self,
        jacobian: Float[np.ndarray, "N e e"],
        values: Float[np.ndarray, "N n"],
        vectors: Float[np.ndarray, "N n n"],
        x0: Shaped[np.ndarray, "N n n"],
        frame: Shaped[np.ndarray, "d e"] | None = None,
    ) -> Float[np.ndarray, " N"]:
        """A bound on |jacobian − FᵀK(x₀)F|, F = ``frame`` or I, for x0 in `WIDE`."""
        factors = Factors(vectors, vectors)
        composed = symmetric_jacobian_misfit(jacobian, factors, self._weights(values.astype(WIDE)), frame)
        if self.k == self.n:
            return composed
        miss = factors.misfit(x0, values)
        separation = values[:, self.k - 1] - values[:, self.k] - 2 * miss
        return composed + times(projector_bend(self.n, separation), miss)

    def _projection(self, z: Inexact[np.ndarray, "N d"]) -> FantopeProjection:
        values, vectors = jacobi.eigh(self._matrices(z))
        return FantopeProjection(self._coordinates, self.k, values, vectors, lambda: self._wide(z))

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> ThresholdNormals:
        if not np.isfinite(self._value(x1[None])[0]):
            raise ValueError("x1: its eigenvalues leave [0, 1] or its trace isn't k; φ is +inf there")
        values, vectors = jacobi.eigh(self._matrices(x1[None]))
        on = (values[0] >= 1 - self._rounding).astype(int) - (values[0] <= self._rounding)
        snapped = np.where(on == 0, values[0], on > 0)
        blur = Factors(vectors, vectors).misfit(self._wide(x1[None]), snapped[None])
        return ThresholdNormals(self._as_matrices, vectors[0], on, snapped, float(blur[0]))

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
