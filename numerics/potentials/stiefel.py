r"""The Stiefel manifold of orthonormal frames; hull: the spectral ball (docs/theory.md §4.2, family 5)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact, Shaped

from numerics.accuracy import Rounding
from numerics.checks import positive_integer
from numerics.factors import WIDE, Factors
from numerics.potentials.ball_projection import (
    BallProjection,
    Weights,
    pair_sums,
    polar_bend,
    polar_slope,
    wide_jacobian_misfit,
)
from numerics.potentials.normal_cones import SpectralNormals
from numerics.potentials.projected import HullIndicator
from numerics.potentials.spectral import (
    DOUBTFUL,
    OFF_MANIFOLD,
    SingularFrame,
    moved_within,
    real,
    refuse_where,
    singular_frame,
    spectral_jacobian,
    symmetric_part,
    times,
)
from numerics.potentials.support_geometry import ManifoldGroup


class Stiefel(HullIndicator):
    r"""The uniform law on n×p matrices with orthonormal columns, X₀ = USVᵀ ↦ T = UVᵀ, the polar factor.

    φ\* is the nuclear norm Σs_i, φ the indicator of the spectral-norm ball s₁ ≤ 1, prox the projection
    U min(S,1) Vᵀ. $⟨E,KE⟩ = Σ_{i<j}(F_{ij}-F_{ji})^2/(s_i+s_j) + |(I-UU^⊤)EVS^{-1/2}|^2$, F = UᵀEV. Points
    are n×p matrices flattened row-major: d = np, m = np − p(p+1)/2, scale √p.

    Conditioning: ‖K‖ = 1/s_p for p < n and 2/(s_{p−1}+s_p) for p = n, where s_p is the distance to the
    rank-deficient matrices. At those T is discontinuous and has no value; they are refused where s_p is at
    most ε, what the computed factors miss the matrix by. prox is not differentiable where a singular value
    is 1; there `prox_jacobian` is the derivative from inside.

    Accuracy: the factors are exact, once made orthonormal, for a matrix X' within a measured ε of X₀
    (`numerics.factors`). On the segment between them s_i changes by at most ε (Weyl), so by the mean value
    theorem T moves by at most ‖K‖ε with s_i − ε for s_i, and K by its Lipschitz constant times ε:
    $2\sqrt{2(n+p)}$ times the largest second divided difference of the sign over 0 and ±s_i, 1/s_p² for p <
    n, 2/(s_{p−1}+s_p)² for p = n (the formula is in `numerics.potentials.ball_projection`, with the prox).
    To that comes the measured distance of the computed T and K from those of X'. Where X₀ itself is moved by
    r, T moves by the integral of ‖K‖ along the way, and by up to 2√p where r reaches s_p: there T jumps, also
    for p = n, whose ‖K‖ does not show it. φ\* is √p-Lipschitz, and p
    numbers are summed. φ itself is 0, at the point of the ball at a measured distance.

    Args:
        n: Rows, n ≥ p. ``Stiefel(n, 1)`` is the unit sphere.
        p: Columns, p ≥ 1. ``Stiefel(n, n)`` is the orthogonal group, both components.

    Raises:
        ValueError: If n or p is not a positive integer, or p > n; `transport` and `transport_jacobian`
            raise at rank-deficient matrices, and every method at complex input.

    Example:
        >>> Stiefel(2, 1).transport([[3.0, 4.0]]).round(12).tolist()  # x₀/|x₀|
        [[0.6, 0.8]]
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
        """The frame of x0 where T has a value; ε is measured where s_p is small enough to ask."""
        matrices = self._matrices(x0)
        frame = singular_frame(matrices)
        asked = np.flatnonzero(frame.s[:, -1] <= DOUBTFUL * frame.s[:, 0])
        flat = np.zeros(len(matrices), dtype=bool)
        if len(asked):
            u, s, v = (part[asked] for part in frame)
            flat[asked] = s[:, -1] <= Factors(u, v).misfit(matrices[asked], s)
        refuse_where(
            flat, "x0", "is rank-deficient to rounding, where the transport has no single value; perturb it"
        )
        return frame

    def _value(self, x: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        largest = np.linalg.svd(self._matrices(x), compute_uv=False)[:, 0]
        return np.where(largest <= 1 + self._rounding, 0.0, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        return singular_frame(self._matrices(x0)).s.sum(axis=1)

    def _conjugate_slope(self, x0: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        return np.full(len(x0), self.scale)

    def _transport(self, x0: Inexact[np.ndarray, "N d"]) -> Float[np.ndarray, "N d"]:
        frame = self._frame(x0)
        return frame.compose(np.ones_like(frame.s))

    def _transport_jacobian(self, x0: Float[np.ndarray, "N d"]) -> Float[np.ndarray, "N d d"]:
        frame = self._frame(x0)
        return spectral_jacobian(frame, *self._weights(frame.s))

    def _weights(self, s: Shaped[np.ndarray, "N p"]) -> Weights:
        """The divided differences of the sign."""
        zero = np.zeros((len(s), self.p, self.p))
        return zero, zero, 2 / pair_sums(s), 1 / s

    def _polar(self, x0: Float[np.ndarray, "N d"]) -> tuple[SingularFrame, Factors, Float[np.ndarray, " N"]]:
        """The frame of x0, its orthonormal neighbour, and ε."""
        frame = self._frame(x0)
        factors = Factors(frame.u, frame.v)
        return frame, factors, factors.misfit(self._matrices(x0), frame.s)

    def _domain_rounding(self, x: Float[np.ndarray, "N d"]) -> Rounding:
        """Measured; no more than `_value` admits of p singular values, with as much for what they err by."""
        most = 2 * np.sqrt(self.p) * self._rounding
        return Rounding.measured(np.minimum(self._projection(x).distance, most), "the point of the ball")

    def _conjugate_rounding(self, x0: Float[np.ndarray, "N d"]) -> Rounding:
        frame = singular_frame(self._matrices(x0))
        miss = Factors(frame.u, frame.v).misfit(self._matrices(x0), frame.s)
        summed = Rounding(frame.s.sum(axis=1), self.p - 1.0, "p singular values are summed")
        return Rounding.measured(np.sqrt(self.p) * miss, "φ* is √p-Lipschitz") + summed

    def _transport_rounding(self, x0: Float[np.ndarray, "N d"]) -> Rounding:
        frame, factors, miss = self._polar(x0)
        ones = np.ones_like(frame.s)
        composed = factors.misfit(frame.compose(ones).reshape(len(x0), self.n, self.p), ones)
        moved = np.minimum(times(polar_slope(frame.s, self.n, miss), miss), 2 * self.scale)
        return Rounding.measured(moved + composed, "the factors' backward error times ‖K‖, and T's")

    def _transport_change(
        self, x0: Float[np.ndarray, "N d"], radius: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        """Through full rank the integral of ‖K‖; T jumps where the radius reaches rank p − 1."""
        frame, _, miss = self._polar(x0)
        smallest = frame.s[:, -1] - miss
        if self.p < self.n:
            return moved_within(radius, smallest, 1.0, 1.0, 2 * self.scale)
        pair = smallest + (frame.s[:, -2] - miss if self.p > 1 else np.inf)
        smooth = moved_within(radius, pair, 2.0, 2.0, 2 * self.scale)
        return np.where(radius < smallest, smooth, 2 * self.scale)

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "N d"]) -> Rounding:
        frame, factors, miss = self._polar(x0)
        jacobian = spectral_jacobian(frame, *self._weights(frame.s))
        composed = wide_jacobian_misfit(jacobian, factors, self._weights(frame.s.astype(WIDE)))
        moved = times(polar_bend(frame.s, self.n, miss), miss)
        return Rounding.measured(moved + composed, "K of the factors, which bends to that of x0")

    def _projection(self, z: Inexact[np.ndarray, "N d"]) -> BallProjection:
        return BallProjection(self._matrices(z))

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> "SpectralNormals":
        matrix = self._matrices(x1[None])
        frame = singular_frame(matrix)
        largest = float(frame.s[0, 0])
        if largest > 1 + self._rounding:
            raise ValueError(f"x1: its largest singular value is {largest} > 1; φ is +inf there")
        return SpectralNormals(matrix, frame, frame.s[0] >= 1 - self._rounding)

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
