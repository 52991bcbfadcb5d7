r"""The rotations of space, SO(3), and their convex hull (docs/theory.md §4.2, family 5).

A unit quaternion q gives the rotation $R(qq^⊤)$, linear in $Q = qq^⊤$, and R is twice an isometry between the
traceless symmetric 4×4 matrices and R^{3×3}. So SO(3) is real projective space Gr(1, 4) in other coordinates,
conv SO(3) = {R(Q) : Q ⪰ 0, tr Q = 1} (Saunderson, Parrilo & Willsky 2015), and the eigenvalues of the adjoint
$R^*(X)$ are $s_1+s_2+s_3, s_1-s_2-s_3, -s_1+s_2-s_3, -s_1-s_2+s_3$ for signed singular values
$s_1 ≥ s_2 ≥ |s_3|$, sgn s₃ = sgn det X.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact, Shaped
from numpy.typing import ArrayLike

from numerics.accuracy import Rounding
from numerics.checks import as_points
from numerics.factors import WIDE, Factors
from numerics.potentials.fantope_projection import FantopeProjection
from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.normal_cones import ThresholdNormals
from numerics.potentials.projected import HullIndicator, Projection
from numerics.potentials.spectral import (
    DOUBTFUL,
    OFF_MANIFOLD,
    SingularFrame,
    SymmetricCoordinates,
    moved_within,
    over_gap,
    real,
    refuse_where,
    singular_frame,
    symmetric_part,
    times,
)
from numerics.potentials.stiefel import frame_group, rotation_tangents
from numerics.potentials.support_geometry import ManifoldGroup
from numerics.solvers import jacobi

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


class SpecialOrthogonal(HullIndicator):
    r"""The uniform law on SO(3): $φ^* = s_1+s_2+\mathrm{sgn}(\det)s_3$, T(X₀) the nearest rotation.

    φ is the indicator of conv SO(3). T comes from the singular vectors, the rest from `Grassmannian(4, 1)`
    through quaternions: φ\* is the largest eigenvalue of R\*(X₀), prox the projection on conv SO(3). Points
    are 3×3 matrices flattened row-major: d = 9, m = 3, scale √3.

    Conditioning: ‖K‖ = 2/(s₂+s₃) with the signed s₃; where s₂+s₃ = 0 T is discontinuous and has no value,
    and it is refused where that is at most 2ε, ε being what the computed factors miss the matrix by. On the
    boundaries between the smooth pieces of prox `prox_jacobian` is one of the one-sided derivatives.

    Accuracy: T's two frames, made orthonormal, are rotations, and with the signed values exact factors of a
    matrix within a measured ε of X₀ (`numerics.factors`). On the segment to it s₂+s₃ falls by at most 2ε, so
    that T moves by at most 2ε/(s₂+s₃−2ε) (mean value theorem). All else is as for `Grassmannian(4, 1)`, whose
    statements are made about the exact quaternion matrices, formed in a wider precision; R is twice an
    isometry on traceless matrices, and R(I) = 0. φ\* = λ_max of R\*(X₀) is measured in the frame of that.

    Raises:
        ValueError: `transport` and `transport_jacobian` raise where s₂+s₃ = 0, and every method at
            complex input.

    Example:
        >>> import numpy as np
        >>> SpecialOrthogonal().transport([np.diag([3.0, 2.0, 1.0]).ravel()]).round(12).tolist()  # to I
        [[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]]
    """

    def __init__(self) -> None:
        self.dim = 9
        self.scale = float(np.sqrt(3))
        self._lines, self._coordinates = Grassmannian(4, 1), SymmetricCoordinates(4)
        self._isometry = self._coordinates.vectors(_half_adjoint())
        self._centre = self._coordinates.vectors(np.eye(4) / 4)

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

    def _wide(self, x: Inexact[np.ndarray, "N 9"]) -> Shaped[np.ndarray, "N 4 4"]:
        """¼R*(x), exactly but for the roundings of `WIDE`: the matrices of ½R* are halves."""
        return np.tensordot(x.astype(WIDE), _half_adjoint(), axes=1) / 2

    def _value(self, x: Float[np.ndarray, "N 9"]) -> Float[np.ndarray, " N"]:
        smallest = np.linalg.eigvalsh(self._coordinates.matrices(self._quaternions(x)))[:, 0]
        return np.where(-2 * smallest <= self._rounding, 0.0, np.inf)

    def _domain_rounding(self, x: Float[np.ndarray, "N 9"]) -> Rounding:
        """Measured; no more than `_value` admits, with as much for what the eigenvalues err by.

        Three of four eigenvalues are −ρ/2 at least: cut at 0 they move by √3 ρ/2, and the trace, off by 3ρ/2,
        is restored by as much; the rotations' hull is twice as large.
        """
        most = 2 * (3 + np.sqrt(3)) * self._rounding
        distance = np.minimum(2 * self._lifted_projection(x).distance, most)
        return Rounding.measured(distance, "the point of the hull")

    def _conjugate(self, x0: Inexact[np.ndarray, "N 9"]) -> Float[np.ndarray, " N"]:
        return self._lines._conjugate(2 * self._lifted(x0))

    def _conjugate_rounding(self, x0: Float[np.ndarray, "N 9"]) -> Rounding:
        values, vectors = jacobi.eigh(self._coordinates.matrices(2 * self._lifted(x0)))
        miss = Factors(vectors, vectors).misfit(4 * self._wide(x0), values)
        return Rounding.measured(miss, "λ_max is 1-Lipschitz")

    def _conjugate_slope(self, x0: Float[np.ndarray, "N d"]) -> Float[np.ndarray, " N"]:
        return np.full(len(x0), self.scale)

    def _transport(self, x0: Inexact[np.ndarray, "N 9"]) -> Float[np.ndarray, "N 9"]:
        u, _, v = self._rotation_frames(x0)
        return (u @ v.transpose(0, 2, 1)).reshape(-1, 9)

    def _rotation_frames(self, x0: Inexact[np.ndarray, "N 9"]) -> SingularFrame:
        """(u₁, u₂, u₁×u₂) and (v₁, v₂, v₁×v₂), rotations, and s₁, s₂, signed s₃, where T has a value."""
        matrix = real("x0", x0).reshape(-1, 3, 3)
        u, s, v = singular_frame(matrix)
        u, v = _right_handed(u), _right_handed(v)
        signed = np.einsum("Ni,Nij,Nj->N", u[:, :, 2], matrix, v[:, :, 2])
        s = np.concatenate([s[:, :2], signed[:, None]], axis=1)
        asked = np.flatnonzero(s[:, 1] + signed <= DOUBTFUL * s[:, 0])
        flat = np.zeros(len(s), dtype=bool)
        if len(asked):
            miss = Factors(u[asked], v[asked]).misfit(matrix[asked], s[asked])
            flat[asked] = s[asked, 1] + signed[asked] <= 2 * miss
        refuse_where(
            flat, "x0", "has s2 + sgn(det)·s3 = 0 to rounding, where no rotation is nearest; perturb it"
        )
        return SingularFrame(u, s, v)

    def _transport_rounding(self, x0: Float[np.ndarray, "N 9"]) -> Rounding:
        u, s, v = self._rotation_frames(x0)
        factors = Factors(u, v)
        miss = factors.misfit(x0.reshape(-1, 3, 3), s)
        composed = factors.misfit(u @ v.transpose(0, 2, 1), np.ones_like(s))
        moved = np.minimum(times(over_gap(2.0, s[:, 1] + s[:, 2] - 2 * miss), miss), np.sqrt(8))
        return Rounding.measured(moved + composed, "the factors' backward error times ‖K‖, and T's")

    def _transport_change(
        self, x0: Float[np.ndarray, "N 9"], radius: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"]:
        """The integral of ‖K‖ = 2/(s₂+s₃), and the diameter √8 where that may vanish."""
        u, s, v = self._rotation_frames(x0)
        miss = Factors(u, v).misfit(x0.reshape(-1, 3, 3), s)
        return moved_within(radius, s[:, 1] + s[:, 2] - 2 * miss, 2.0, 2.0, np.sqrt(8))

    def _transport_jacobian(self, x0: Float[np.ndarray, "N 9"]) -> Float[np.ndarray, "N 9 9"]:
        return self._inner(self._lines._transport_jacobian(self._lifted(x0) / 2))

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "N 9"]) -> Rounding:
        values, vectors = self._lines.regular_frame(self._lifted(x0) / 2)
        jacobian = self._transport_jacobian(x0)
        bound = self._lines.jacobian_misfit(jacobian, values, vectors, self._wide(x0), _wide_isometry())
        return Rounding.measured(bound, "K of the factors, which bends to that of x0")

    def _inner(self, jacobian: Float[np.ndarray, "N 10 10"]) -> Float[np.ndarray, "N 9 9"]:
        return np.asarray(self._isometry @ jacobian @ self._isometry.T)

    def _lifted_projection(self, z: Inexact[np.ndarray, "N 9"]) -> FantopeProjection:
        """Of the quaternion matrices: their distances are half those of the rotations."""
        values, vectors = jacobi.eigh(self._coordinates.matrices(self._quaternions(z)))
        quarter = np.eye(4) / 4
        return FantopeProjection(self._coordinates, 1, values, vectors, lambda: self._wide(z) + quarter)

    def _projection(self, z: Inexact[np.ndarray, "N 9"]) -> "RotationProjection":
        return RotationProjection(self, self._lifted_projection(z))

    def _subdifferential(self, x1: Float[np.ndarray, " 9"]) -> ThresholdNormals:
        """The Y for which the range of Q lies in the top eigenspace of R*(Y)."""
        values, vectors = np.linalg.eigh(self._coordinates.matrices(self._quaternions(x1[None])))
        least = float(values[0, 0])
        if -2 * least > self._rounding:
            raise ValueError(f"x1: lies {-2 * least:.3g} outside the convex hull of SO(3); φ is +inf there")
        kind = np.where(2 * values[0] <= self._rounding, -1, 0)
        snapped = np.where(kind == 0, values, 0.0)
        blur = Factors(vectors, vectors).misfit(self._wide(x1[None]) + np.eye(4) / 4, snapped)
        return ThresholdNormals(
            self._lifted_matrices, vectors[0], kind, 2 * snapped[0], 2 * float(blur[0]), traceless=True
        )

    def _lifted_matrices(self, x0: ArrayLike) -> Float[np.ndarray, "N 4 4"]:
        return self._coordinates.matrices(self._lifted(as_points("x0", x0, self.dim)))

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


class RotationProjection(Projection):
    """The projections on conv SO(3), from those of the quaternion matrices; lazily."""

    def __init__(self, family: SpecialOrthogonal, lifted: FantopeProjection) -> None:
        self._family, self._lifted = family, lifted
        self.point = family._rotations(lifted.point)

    @cached_property
    def point_rounding(self) -> Rounding:
        """Of ``point``: twice the distance of its quaternion matrix from the projection."""
        point = self._family._wide(self.point) + np.eye(4) / 4
        return Rounding.measured(2 * self._lifted.misfit(point), "the quaternions' statement, twice")

    @cached_property
    def kink(self) -> Float[np.ndarray, " N"]:
        """Twice that of the quaternion matrices: those of trace 1 are an affine subspace."""
        return 2 * self._lifted.kink

    @cached_property
    def jacobian(self) -> Float[np.ndarray, "N 9 9"]:
        """The derivative, one of the one-sided ones on a kink."""
        return self._family._inner(self._lifted.jacobian)

    @cached_property
    def jacobian_rounding(self) -> Rounding:
        """Of ``jacobian``."""
        bound = self._lifted.jacobian_misfit(self.jacobian, _wide_isometry())
        return Rounding.measured(bound, "D prox of the quaternions, and its bend")


def _right_handed(frames: Float[np.ndarray, "N 3 3"]) -> Float[np.ndarray, "N 3 3"]:
    """The first two columns and their cross product."""
    third = np.cross(frames[:, :, 0], frames[:, :, 1])
    return np.concatenate([frames[:, :, :2], third[:, :, None]], axis=2)


def _wide_isometry() -> Shaped[np.ndarray, "10 9"]:
    """½R*, in the coordinates of symmetric matrices, in `WIDE`."""
    return np.asarray(SymmetricCoordinates(4, WIDE).vectors(_half_adjoint().astype(WIDE)).T)
