r"""The rotations of space, SO(3), and their convex hull (theory.md §4.2, family 5).

A unit quaternion q gives the rotation $R(qq^⊤)$, linear in $Q = qq^⊤$, and R is twice an isometry between the
traceless symmetric 4×4 matrices and R^{3×3}. So SO(3) is real projective space Gr(1, 4) in other coordinates,
conv SO(3) = {R(Q) : Q ⪰ 0, tr Q = 1} (Saunderson, Parrilo & Willsky 2015), and the eigenvalues of the adjoint
$R^*(X)$ are $s_1+s_2+s_3, s_1-s_2-s_3, -s_1+s_2-s_3, -s_1-s_2+s_3$ for signed singular values
$s_1 ≥ s_2 ≥ |s_3|$, sgn s₃ = sgn det X.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_points
from numerics.geometry import norms
from numerics.potentials.base import ManifoldGroup, Potential
from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.spectral import (
    OFF_MANIFOLD,
    ThresholdNormals,
    real,
    refuse_where,
    singular_frame,
    symmetric_part,
)
from numerics.potentials.stiefel import frame_group, rotation_tangents

# Rows: the entries of R(Q), row-major, as Σ coefficient·Q[i,j], Q indexed by (w, x, y, z).
_ENTRIES = (
    ((1, 0, 0), (1, 1, 1), (-1, 2, 2), (-1, 3, 3)),
    ((2, 1, 2), (-2, 0, 3)),
    ((2, 1, 3), (2, 0, 2)),
    ((2, 1, 2), (2, 0, 3)),
    ((1, 0, 0), (-1, 1, 1), (1, 2, 2), (-1, 3, 3)),
    ((2, 2, 3), (-2, 0, 1)),
    ((2, 1, 3), (-2, 0, 2)),
    ((2, 2, 3), (2, 0, 1)),
    ((1, 0, 0), (-1, 1, 1), (-1, 2, 2), (1, 3, 3)),
)


def _half_adjoint() -> Float[np.ndarray, "9 4 4"]:
    """The matrices of ½R*, one for every entry of X: an isometry onto the traceless symmetric matrices."""
    basis = np.zeros((9, 4, 4))
    for row, terms in enumerate(_ENTRIES):
        for coefficient, i, j in terms:
            basis[row, i, j] += coefficient / 2
    return symmetric_part(basis)


class SpecialOrthogonal(Potential):
    r"""The uniform law on SO(3): $φ^* = s_1+s_2+\mathrm{sgn}(\det)s_3$, T(X₀) the nearest rotation.

    φ is the indicator of conv SO(3). T comes from the singular vectors, the rest from `Grassmannian(4, 1)`
    through quaternions: φ\* is the largest eigenvalue of R\*(X₀), prox the projection on conv SO(3). Points
    are 3×3 matrices flattened row-major: d = 9, m = 3, scale √3.

    Conditioning: ‖K‖ = 2/(s₂+s₃) with the signed s₃; where s₂+s₃ = 0 T is discontinuous and has no value,
    and it is refused to rounding. K has the condition ‖K‖²|X₀|, prox that of any projection. On the
    boundaries between the smooth pieces of prox `prox_jacobian` is one of the one-sided derivatives.

    Raises:
        ValueError: `transport` and `transport_jacobian` raise where s₂+s₃ = 0, and every method at
            complex input.
    """

    def __init__(self) -> None:
        self.dim = 9
        self.scale = float(np.sqrt(3))
        self._lines = Grassmannian(4, 1)
        self._isometry = self._lines._coordinates.vectors(_half_adjoint())
        self._centre = self._lines._coordinates.vectors(np.eye(4) / 4)

    def __repr__(self) -> str:
        return "SpecialOrthogonal()"

    def _lifted(self, x: Inexact[np.ndarray, "N 9"]) -> Float[np.ndarray, "N 10"]:
        """½R*(x), in the coordinates of symmetric 4×4 matrices."""
        return real("matrices", x) @ self._isometry

    def _quaternions(self, x: Inexact[np.ndarray, "N 9"]) -> Float[np.ndarray, "N 10"]:
        """The Q of trace 1 with R(Q) = x."""
        return self._lifted(x) / 2 + self._centre

    def _rotations(self, q: Float[np.ndarray, "N 10"]) -> Float[np.ndarray, "N 9"]:
        """R(Q)."""
        return 2 * q @ self._isometry.T

    def _value(self, x: Float[np.ndarray, "N 9"]) -> Float[np.ndarray, " N"]:
        smallest = np.linalg.eigvalsh(self._lines._matrices(self._quaternions(x)))[:, 0]
        return np.where(-2 * smallest <= self._rounding, 0.0, np.inf)

    def _conjugate(self, x0: Inexact[np.ndarray, "N 9"]) -> Float[np.ndarray, " N"]:
        return self._lines._conjugate(2 * self._lifted(x0))

    def _transport(self, x0: Inexact[np.ndarray, "N 9"]) -> Float[np.ndarray, "N 9"]:
        """u₁v₁ᵀ + u₂v₂ᵀ + (u₁×u₂)(v₁×v₂)ᵀ: two frames turned into rotations; signed s₃ by the third pair."""
        matrix = real("x0", x0).reshape(-1, 3, 3)
        u, s, v = singular_frame(matrix)
        u3, v3 = np.cross(u[:, :, 0], u[:, :, 1]), np.cross(v[:, :, 0], v[:, :, 1])
        signed = np.einsum("Ni,Nij,Nj->N", u3, matrix, v3)
        refuse_where(
            s[:, 1] + signed <= self.dim * EPS * s[:, 0],
            "x0",
            "has s2 + sgn(det)·s3 = 0 to rounding, where no rotation is nearest; perturb it",
        )
        rotation = u[:, :, :2] @ v[:, :, :2].transpose(0, 2, 1) + u3[:, :, None] * v3[:, None, :]
        return rotation.reshape(-1, 9)

    def _transport_jacobian(self, x0: Float[np.ndarray, "N 9"]) -> Float[np.ndarray, "N 9 9"]:
        return self._inner(self._lines._transport_jacobian(self._lifted(x0) / 2))

    def _inner(self, jacobian: Float[np.ndarray, "N 10 10"]) -> Float[np.ndarray, "N 9 9"]:
        return np.asarray(self._isometry @ jacobian @ self._isometry.T)

    def transport_condition(self, x0: ArrayLike) -> Float[np.ndarray, " N"]:
        """2|x₀|/(s₂+s₃) + scale."""
        noise = as_points("x0", x0, self.dim).real
        values, _ = self._lines._regular_frame(2 * self._lifted(noise))
        return 4 * norms(noise) / (values[:, 0] - values[:, 1]) + self.scale

    def _prox(self, z: Inexact[np.ndarray, "N 9"], step: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N 9"]:
        return self._rotations(self._lines._prox(self._quaternions(z), step))

    def _prox_jacobian(
        self, z: Float[np.ndarray, "N 9"], step: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, "N 9 9"]:
        return self._inner(self._lines._prox_jacobian(self._quaternions(z), step))

    def _subdifferential(self, x1: Float[np.ndarray, " 9"]) -> ThresholdNormals:
        """The Y for which the range of Q lies in the top eigenspace of R*(Y)."""
        values, vectors = np.linalg.eigh(self._lines._matrices(self._quaternions(x1[None]))[0])
        if -2 * values[0] > self._rounding:
            raise ValueError(
                f"x1: lies {-2 * values[0]:.3g} outside the convex hull of SO(3); φ is +inf there"
            )
        kind = np.where(2 * values <= self._rounding, -1, 0)
        return ThresholdNormals(self._lifted_matrices, vectors, kind, traceless=True)

    def _lifted_matrices(self, x0: ArrayLike) -> Float[np.ndarray, "N 4 4"]:
        return self._lines._matrices(self._lifted(as_points("x0", x0, self.dim)))

    def _manifolds(
        self, x1: Float[np.ndarray, "N 9"], x0: Float[np.ndarray, "N 9"]
    ) -> Sequence[ManifoldGroup]:
        """Tangents RA, A skew; H(ξ,ξ) = tr(Sξᵀξ) with S the symmetric part of RᵀX₀."""
        rotation = x1.reshape(-1, 3, 3)
        miss = np.abs(rotation.transpose(0, 2, 1) @ rotation - np.eye(3)).max(axis=(1, 2))
        bad = (miss > OFF_MANIFOLD) | (np.linalg.det(rotation) < 0)
        refuse_where(bad, "x1", "is not a rotation; pass transport(x0)")
        curvature = symmetric_part(rotation.transpose(0, 2, 1) @ x0.reshape(-1, 3, 3))
        return [frame_group(rotation_tangents(rotation), curvature)]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """R(Q) with Q ⪰ 0 of trace 1, for every row."""
        import cvxpy as cp

        columns = 2 * _half_adjoint().reshape(9, 16)
        constraints = []
        for i in range(u.shape[0]):
            q = cp.Variable((4, 4), PSD=True)
            constraints += [cp.trace(q) == 1, u[i] == columns @ cp.vec(q, order="C")]
        return np.zeros(u.shape[0]), constraints
