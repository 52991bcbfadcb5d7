r"""The Stiefel manifold of orthonormal frames, hull: the spectral-norm ball (theory.md §4.2, family 5)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_points, positive_integer
from numerics.geometry import norms
from numerics.potentials.base import ManifoldGroup, Potential, Subdifferential
from numerics.potentials.spectral import (
    OFF_MANIFOLD,
    SingularFrame,
    real,
    refuse_where,
    singular_frame,
    spectral_jacobian,
    symmetric_part,
)


class Stiefel(Potential):
    r"""The uniform law on n×p matrices with orthonormal columns, X₀ = USVᵀ ↦ T = UVᵀ, the polar factor.

    φ\* is the nuclear norm Σs_i, φ the indicator of the spectral-norm ball s₁ ≤ 1, prox the projection
    U min(S,1) Vᵀ. $⟨E,KE⟩ = Σ_{i<j}(F_{ij}-F_{ji})^2/(s_i+s_j) + |(I-UU^⊤)EVS^{-1/2}|^2$, F = UᵀEV. Points
    are n×p matrices flattened row-major: d = np, m = np − p(p+1)/2, scale √p.

    Conditioning: ‖K‖ = 1/s_p for p < n and 2/(s_{p−1}+s_p) for p = n, where s_p is the distance to the
    rank-deficient matrices. At those T is discontinuous and has no value; they are refused within
    d·eps·s₁. K has the condition ‖K‖²|X₀|, prox that of any projection. prox is not differentiable where
    a singular value is 1; there `prox_jacobian` is the derivative from inside.

    Args:
        n: Rows, n ≥ p. ``Stiefel(n, 1)`` is the unit sphere.
        p: Columns, p ≥ 1. ``Stiefel(n, n)`` is the orthogonal group, both components.

    Raises:
        ValueError: If n or p is not a positive integer, or p > n; `transport` and `transport_jacobian`
            raise at rank-deficient matrices, and every method at complex input.
    """

    def __init__(self, n: int, p: int) -> None:
        self.n, self.p = positive_integer("n", n), positive_integer("p", p)
        if self.p > self.n:
            raise ValueError(f"p: got {p} > n = {n}; orthonormal columns need p <= n")
        self.dim = self.n * self.p
        self.scale = float(np.sqrt(self.p))

    def __repr__(self) -> str:
        return f"Stiefel({self.n}, {self.p})"

    def _matrices(self, x: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, "N n p"]:
        return real("matrices", x).reshape(-1, self.n, self.p)

    def _frame(self, x0: Inexact[np.ndarray, "N d"]) -> SingularFrame:
        """The frame of x0 where T has a value."""
        frame = singular_frame(self._matrices(x0))
        flat = frame.s[:, -1] + (frame.s[:, -2] if self.n == self.p > 1 else 0.0)
        refuse_where(
            flat <= self.dim * EPS * frame.s[:, 0],
            "x0",
            "is rank-deficient to rounding, where the transport has no single value; perturb it",
        )
        return frame

    def _value(self, x: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        largest = np.linalg.svd(self._matrices(x), compute_uv=False)[:, 0]
        return np.where(largest <= 1 + self._rounding, 0.0, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        return np.linalg.svd(self._matrices(x0), compute_uv=False).sum(axis=1)

    def _transport(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        frame = self._frame(x0)
        return frame.compose(np.ones_like(frame.s))

    def _transport_jacobian(self, x0: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d d"]:
        frame = self._frame(x0)
        zero = np.zeros((len(x0), self.p, self.p))
        return spectral_jacobian(frame, zero, zero, 2 / _pair_sums(frame.s), 1 / frame.s)

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " N"]:
        """‖K‖·|x₀| + scale, from the two smallest singular values."""
        noise = as_points("x0", x0, self.dim).real
        s = self._frame(noise).s
        if self.p < self.n:
            spread = 1 / s[:, -1]
        else:
            spread = 2 / (s[:, -1] + s[:, -2]) if self.p > 1 else np.zeros(len(s))
        return spread * norms(noise) + self.scale

    def _prox(self, z: Inexact[np.ndarray, "N d"], step: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N d"]:
        frame = singular_frame(self._matrices(z))
        outside = frame.s[:, :1] > 1
        return np.where(outside, frame.compose(np.minimum(frame.s, 1.0)), z)

    def _prox_jacobian(
        self, z: Float[np.ndarray, "N d"], step: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, "N d d"]:
        frame = singular_frame(self._matrices(z))
        s, kept = frame.s, np.minimum(frame.s, 1.0)
        inside = s <= 1
        diagonal = inside[:, :, None] * np.eye(self.p)
        both, either = _both(inside), inside[:, :, None] | inside[:, None, :]
        rise = np.where(either & ~both, s[:, :, None] - s[:, None, :], 1.0)
        symmetric = np.where(both, 1.0, np.where(either, (kept[:, :, None] - kept[:, None, :]) / rise, 0.0))
        skew = np.where(both, 1.0, _pair_sums(kept) / np.where(both, 1.0, _pair_sums(s)))
        return spectral_jacobian(
            frame, diagonal, symmetric, skew, np.where(inside, 1.0, kept / np.maximum(s, 1))
        )

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "SpectralNormals":
        frame = singular_frame(self._matrices(x1[None]))
        largest = float(frame.s[0, 0])
        if largest > 1 + self._rounding:
            raise ValueError(f"x1: its largest singular value is {largest} > 1; φ is +inf there")
        return SpectralNormals(frame, frame.s[0] >= 1 - self._rounding)

    def _manifolds(
        self, x1: Float[np.ndarray, "N d"], x0: Float[np.ndarray, "N d"]
    ) -> Sequence[ManifoldGroup]:
        """Tangents QA (A skew) and Q_⊥B.

        Along a geodesic γ'' has the normal part −Qξᵀξ, so H(ξ,ξ) = tr(Sξᵀξ), S the symmetric part of QᵀX₀.
        """
        q, noise = self._matrices(x1), self._matrices(x0)
        miss = np.abs(q.transpose(0, 2, 1) @ q - np.eye(self.p)).max(axis=(1, 2))
        refuse_where(miss > OFF_MANIFOLD, "x1", "has columns that are not orthonormal; pass transport(x0)")
        full = np.linalg.qr(q, mode="complete").Q
        tangent = np.concatenate(
            [rotation_tangents(q), departure_tangents(full[:, :, self.p :], self.p)], axis=1
        )
        curvature = symmetric_part(q.transpose(0, 2, 1) @ noise)
        return [frame_group(tangent, curvature)]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """Largest singular value at most 1, one semidefinite cone a row."""
        import cvxpy as cp

        rows = [cp.reshape(u[i], (self.n, self.p), order="C") for i in range(u.shape[0])]
        return np.zeros(u.shape[0]), [cp.sigma_max(matrix) <= 1 for matrix in rows]


class SpectralNormals(Subdifferential):
    r"""∂φ(X₁) of the spectral-norm ball: $U_1PV_1^⊤$, P ⪰ 0, with the singular vectors of the values 1.

    The relative boundary is where P is singular, at the distance of its smallest eigenvalue.
    """

    def __init__(self, frame: SingularFrame, active: np.ndarray) -> None:
        self._u, self._v = frame.u[0][:, active], frame.v[0][:, active]
        self._shape = len(frame.u[0]), len(frame.v[0])
        self.rounding = 64 * self._shape[0] * self._shape[1] * EPS

    @property
    def dimension(self) -> int:
        """r(r+1)/2 for r singular values equal to 1."""
        r = self._u.shape[1]
        return r * (r + 1) // 2

    def _core(self, x0: ArrayLike) -> tuple[Float[np.ndarray, "N n p"], Float[np.ndarray, "N r r"]]:
        points = as_points("x0", x0, self._shape[0] * self._shape[1]).real.reshape(-1, *self._shape)
        return points, symmetric_part(self._u.T @ points @ self._v)

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " N"]:
        """Distance of x0 (N,d) from the cone, through the positive part of P."""
        points, core = self._core(x0)
        values, vectors = np.linalg.eigh(core)
        positive = (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.transpose(0, 2, 1)
        return norms((points - self._u @ positive @ self._v.T).reshape(len(points), -1))

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " N"]:
        """The smallest eigenvalue of P; +inf inside the ball, where ∂φ = {0}."""
        points, core = self._core(x0)
        if not self._u.shape[1]:
            return np.full(len(points), np.inf)
        return np.maximum(np.linalg.eigvalsh(core)[:, 0], 0.0)


def _pair_sums(s: Float[np.ndarray, "N p"]) -> Float[np.ndarray, "N p p"]:
    """s_i + s_j off the diagonal, 1 on it."""
    p = s.shape[1]
    return np.where(np.eye(p, dtype=bool), 1.0, s[:, :, None] + s[:, None, :])


def _both(mask: np.ndarray) -> np.ndarray:
    return np.asarray(mask[:, :, None] & mask[:, None, :])


def rotation_tangents(q: Float[np.ndarray, "N n p"]) -> Float[np.ndarray, "N k n p"]:
    """The orthonormal tangents QA, A = (e_ie_jᵀ − e_je_iᵀ)/√2, i < j."""
    p = q.shape[2]
    i, j = np.triu_indices(p, 1)
    skew = np.zeros((len(i), p, p))
    skew[np.arange(len(i)), i, j] = np.sqrt(0.5)
    return np.asarray(q[:, None] @ (skew - skew.transpose(0, 2, 1)))


def departure_tangents(complement: Float[np.ndarray, "N n c"], p: int) -> Float[np.ndarray, "N k n p"]:
    """The orthonormal tangents q_a e_bᵀ, q_a a column of Q_⊥."""
    count, n, c = complement.shape
    return np.einsum("Nna,bp->Nabnp", complement, np.eye(p)).reshape(count, c * p, n, p)


def frame_group(
    tangent: Float[np.ndarray, "N m n p"], curvature: Float[np.ndarray, "N p p"]
) -> ManifoldGroup:
    """Flattened tangents with H_ab = ⟨ξ_a S, ξ_b⟩."""
    count, m, n, p = tangent.shape
    flat = tangent.reshape(count, m, n * p)
    image = (tangent @ curvature[:, None]).reshape(count, m, n * p)
    hessian = symmetric_part(flat @ image.transpose(0, 2, 1))
    return ManifoldGroup(np.arange(count), flat.transpose(0, 2, 1), hessian)
