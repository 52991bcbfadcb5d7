r"""The normal cones ∂φ of the matrix families' hulls: the spectral-norm ball, the Fantope and conv SO(3).

A cone is described by the frame of x₁. With that made orthonormal, and the values that are 1 or 0 to rounding
made so, it is exactly the cone of a point within a measured ε of x₁ (`numerics.factors`): ε is the ``blur``.

``rounding`` has two parts. Points ε apart on the same face have invariant subspaces that differ by a rotation
with |R − I| ≤ 2·sin ∠ ≤ 2√2·ε/sep (Wedin), sep being the least separation of values on different faces, and a
member turns with them; x₁ may stand for a point as far from it again, hence 2ε. And the distance itself is
computed with products in the frame and an eigenvalue decomposition of order r by LAPACK, whose own tests let
pass backward errors of 60·r·eps of the matrix (threshold of TESTING/sep.in); it is that figure, far more than
what happens, that keeps this statement from being sharp.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from numerics.accuracy import UNIT
from numerics.checks import as_points
from numerics.factors import Factors
from numerics.geometry import norms
from numerics.potentials.spectral import SingularFrame, symmetric_part
from numerics.potentials.support_geometry import Subdifferential

LAPACK_TESTS = 120.0  # units roundoff per order: 60 eps, the threshold of LAPACK's tests of eigensolvers


class SpectralNormals(Subdifferential):
    r"""∂φ(X₁) of the spectral-norm ball: $U_1PV_1^⊤$, P ⪰ 0, with the singular vectors of the values 1.

    The relative boundary is where P is singular, at the distance of its smallest eigenvalue.
    """

    def __init__(self, x1: Float[np.ndarray, "1 n p"], frame: SingularFrame, active: np.ndarray) -> None:
        """Left and right members W = U₁V₁ᵀ and P turn apart: W by ε + 2√2ε/sep, P twice by 2√2ε/sep."""
        self._u, self._v = frame.u[0][:, active], frame.v[0][:, active]
        n, p = self._shape = len(frame.u[0]), len(frame.v[0])
        self.blur = float(Factors(frame.u, frame.v).misfit(x1, np.where(active, 1.0, frame.s))[0])
        r = int(active.sum())
        separation = 1 - float(frame.s[0, ~active].max(initial=-np.inf))  # +inf where every value is 1
        turned = 2 * self.blur * (1 + 6 * np.sqrt(2) / separation) if r else 0.0
        self.rounding = turned + (LAPACK_TESTS * r + 2 * r * (n + p) + n * p) * UNIT

    @property
    def dimension(self) -> int:
        """r(r+1)/2 for r singular values equal to 1."""
        r = self._u.shape[1]
        return r * (r + 1) // 2

    def _core(self, x0: ArrayLike) -> tuple[Float[np.ndarray, "N n p"], Float[np.ndarray, "N r r"]]:
        points = as_points("x0", x0, self._shape[0] * self._shape[1]).reshape(-1, *self._shape)
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


class ThresholdNormals(Subdifferential):
    r"""The symmetric Y, block diagonal on three subspaces, with $Y_A ⪰ μI$, $Y_C = μI$, $Y_B ⪯ μI$ for a μ.

    This is ∂φ of {0 ⪯ X ⪯ I, tr X = k} at an X with eigenvalues 1 on A, 0 on B and between on C. The
    nearest member has $Y_A = \max(·,μ)$, $Y_B = \min(·,μ)$ with μ the root of a piecewise linear increasing
    function. A member is at distance $δ\sqrt{c/(1+c)}$ from the relative boundary when c = dim C > 0, δ the
    smaller of λ_min(Y_A) − μ and μ − λ_max(Y_B); and at (λ_min(Y_A) − λ_max(Y_B))/√2 when c = 0.

    Args:
        matrices: Turns x0 (N,d) into symmetric matrices, isometrically.
        vectors: (n,n) an orthonormal frame, in columns.
        kind: (n,) 1, 0 and −1 for columns of A, C and B.
        values: (n,) the eigenvalues of x₁ in that frame.
        blur: ε, as the module says, in the unit of x₁.
        traceless: Whether x0 determines Y up to multiples of I only (SO(3)).
    """

    def __init__(
        self,
        matrices: Callable[[ArrayLike], Float[np.ndarray, "N n n"]],
        vectors: Float[np.ndarray, "n n"],
        kind: Int[np.ndarray, " n"],
        values: Float[np.ndarray, " n"],
        blur: float,
        *,
        traceless: bool = False,
    ) -> None:
        self._matrices, self._vectors, self._traceless = matrices, vectors, traceless
        self._blocks = [np.flatnonzero(kind == k) for k in (1, 0, -1)]
        self._across = kind[:, None] != kind
        self.blur, n = blur, len(kind)
        drops = np.where(self._across, np.abs(values[:, None] - values), np.inf)
        turned = 2 * 2 * 2 * np.sqrt(2) * blur / float(drops.min())  # RYRᵀ: on both sides
        self.rounding = turned + (LAPACK_TESTS * n + 2 * n * n + 4 * n) * UNIT

    @property
    def dimension(self) -> int:
        """a(a+1)/2 + b(b+1)/2, and one more for μ when c > 0."""
        a, c, b = (len(block) for block in self._blocks)
        return a * (a + 1) // 2 + b * (b + 1) // 2 + (c > 0) - self._traceless

    def _split(self, x0: ArrayLike) -> tuple[Float[np.ndarray, "N n n"], list[Float[np.ndarray, "N m"]]]:
        """x0 in the frame, and the eigenvalues of its three diagonal blocks."""
        inner = self._vectors.T @ self._matrices(x0) @ self._vectors
        return inner, [np.linalg.eigvalsh(inner[:, b[:, None], b]) for b in self._blocks]

    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " N"]:
        """Distance of x0 (N,d) from the cone."""
        inner, (high, middle, low) = self._split(x0)
        mu = _threshold(high, middle, low)[:, None]
        square = ((inner * self._across) ** 2).sum(axis=(1, 2))
        square += (np.maximum(mu - high, 0.0) ** 2).sum(axis=1) + ((middle - mu) ** 2).sum(axis=1)
        return np.sqrt(square + (np.maximum(low - mu, 0.0) ** 2).sum(axis=1))

    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " N"]:
        """Distance of a member x0 (N,d) to the relative boundary; +inf where ∂φ is a subspace."""
        _, (high, middle, low) = self._split(x0)
        least = high.min(axis=1, initial=np.inf)
        most = low.max(axis=1, initial=-np.inf)
        c = middle.shape[1]
        if c == 0:
            return np.maximum(least - most, 0.0) / np.sqrt(2)
        mu = middle.mean(axis=1)
        return np.maximum(np.minimum(least - mu, mu - most), 0.0) * np.sqrt(c / (1 + c))


def _threshold(
    high: Float[np.ndarray, "N a"], middle: Float[np.ndarray, "N c"], low: Float[np.ndarray, "N b"]
) -> Float[np.ndarray, " N"]:
    """The μ that minimises Σ(μ−high)₊² + Σ(μ−middle)² + Σ(low−μ)₊², from its sorted breakpoints."""
    knots = np.sort(np.concatenate([high, middle, low], axis=1), axis=1)

    def slope(mu: Float[np.ndarray, "N k"]) -> Float[np.ndarray, "N k"]:
        above = np.maximum(mu[:, :, None] - high[:, None, :], 0.0).sum(axis=2)
        below = np.maximum(low[:, None, :] - mu[:, :, None], 0.0).sum(axis=2)
        return above - below + (mu[:, :, None] - middle[:, None, :]).sum(axis=2)

    values = slope(knots)
    right = np.clip((values <= 0).sum(axis=1), 1, knots.shape[1] - 1) if knots.shape[1] > 1 else None
    if right is None:
        return np.asarray(knots[:, 0])
    rows = np.arange(len(knots))
    left_knot, right_knot = knots[rows, right - 1], knots[rows, right]
    left_value, right_value = values[rows, right - 1], values[rows, right]
    rise = np.where(right_value > left_value, right_value - left_value, 1.0)
    part = np.where(right_value > left_value, np.clip(-left_value / rise, 0.0, 1.0), 0.5)
    return np.asarray(left_knot + part * (right_knot - left_knot))
