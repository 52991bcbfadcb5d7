r"""What the matrix families share: frames, and derivatives of spectral functions [@lewis2001twice].

A spectral function $Uf(S)V^⊤$ changes, in the frame of its singular vectors, by $f'(s_i)$ on the diagonal
and by divided differences off it: $(f_i-f_j)/(s_i-s_j)$ on the symmetric part of $U^⊤EV$ and
$(f_i+f_j)/(s_i+s_j)$ on the skew part. Families hand over these coefficients in closed form, so that equal
singular values or eigenvalues never give 0/0.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Inexact, Int
from numpy.typing import ArrayLike

from numerics import jacobi
from numerics.accuracy import EPS
from numerics.potentials.base import Subdifferential

OFF_MANIFOLD = float(np.sqrt(EPS))


class SingularFrame(NamedTuple):
    """Singular vectors u (N,n,p), v (N,p,p) in columns, and values s (N,p), largest first."""

    u: Float[np.ndarray, "N n p"]
    s: Float[np.ndarray, "N p"]
    v: Float[np.ndarray, "N p p"]

    def compose(self, s: Float[np.ndarray, "N p"]) -> Float[np.ndarray, "N np"]:
        """U diag(s) Vᵀ with other values, flattened row-major."""
        return ((self.u * s[:, None, :]) @ self.v.transpose(0, 2, 1)).reshape(len(s), -1)

    def inner(self, x: Float[np.ndarray, "N n p"]) -> Float[np.ndarray, "N p p"]:
        """UᵀxV, the matrices in this frame."""
        return self.u.transpose(0, 2, 1) @ x @ self.v


def singular_frame(x: Float[np.ndarray, "N n p"]) -> SingularFrame:
    """The thin singular value decomposition of every matrix."""
    return SingularFrame(*jacobi.svd(x))


def real(name: str, x: Inexact[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """x, refused if complex: a complex step does not pass through singular values or eigenvalues.

    Raises:
        ValueError: If x is complex.
    """
    if np.iscomplexobj(x):
        raise ValueError(f"{name}: complex entries; matrix families are real, take their Jacobian methods")
    return x


def refuse_where(bad: Bool[np.ndarray, " n"], name: str, what: str) -> None:
    """Raise, naming the first bad row.

    Raises:
        ValueError: If any row is bad.
    """
    if bad.any():
        raise ValueError(f"{name}: row {int(np.argmax(bad))} {what}")


def symmetric_part(x: Float[np.ndarray, "... p p"]) -> Float[np.ndarray, "... p p"]:
    """(x + xᵀ)/2."""
    return (x + np.swapaxes(x, -1, -2)) / 2


def spectral_jacobian(
    frame: SingularFrame,
    diagonal: Float[np.ndarray, "N p p"],
    symmetric: Float[np.ndarray, "N p p"],
    skew: Float[np.ndarray, "N p p"],
    outer: Float[np.ndarray, "N p"],
) -> Float[np.ndarray, "N d d"]:
    r"""The derivative of a spectral function of n×p matrices, d = np, rows and columns row-major.

    Args:
        frame: The singular frame.
        diagonal: ∂f_i/∂s_j.
        symmetric: $(f_i-f_j)/(s_i-s_j)$ for i ≠ j; its diagonal is not read.
        skew: $(f_i+f_j)/(s_i+s_j)$ for i ≠ j; its diagonal is not read.
        outer: f_i/s_i, for changes orthogonal to the column space (n > p).
    """
    u, _, v = frame
    count, n, p = u.shape
    pairs = np.einsum("Nai,Nbj->Nijab", u, v).reshape(count, p * p, n * p)
    swapped = np.einsum("Naj,Nbi->Nijab", u, v).reshape(count, p * p, n * p)
    off = 1 - np.eye(p)
    same = (off * (symmetric + skew) / 2).reshape(count, p * p, 1)
    cross = (off * (symmetric - skew) / 2).reshape(count, p * p, 1)
    jacobian = pairs.transpose(0, 2, 1) @ (same * pairs + cross * swapped)
    on_diagonal = pairs[:, :: p + 1]
    jacobian += on_diagonal.transpose(0, 2, 1) @ diagonal @ on_diagonal
    if n > p:
        rest = np.eye(n) - u @ u.transpose(0, 2, 1)
        weights = (v * outer[:, None, :]) @ v.transpose(0, 2, 1)
        jacobian += np.einsum("Nac,Nbe->Nabce", rest, weights).reshape(count, n * p, n * p)
    return jacobian


class SymmetricCoordinates:
    """Symmetric n×n matrices as vectors: the upper triangle by rows, off-diagonals times √2: an isometry."""

    def __init__(self, n: int) -> None:
        self.n, self.dim = n, n * (n + 1) // 2
        self._rows, self._columns = np.triu_indices(n)
        self._weights = np.where(self._rows == self._columns, 1.0, np.sqrt(2))
        self._places = np.zeros((n, n), dtype=int)
        self._places[self._rows, self._columns] = np.arange(self.dim)
        self._places[self._columns, self._rows] = np.arange(self.dim)

    def matrices(self, x: Float[np.ndarray, "*batch d"]) -> Float[np.ndarray, "*batch n n"]:
        """Vectors to matrices."""
        return np.take(x / self._weights, self._places, axis=-1)

    def vectors(self, matrix: Float[np.ndarray, "*batch n n"]) -> Float[np.ndarray, "*batch d"]:
        """Matrices to vectors; only the upper triangle is read."""
        flat = matrix.reshape(*matrix.shape[:-2], self.n**2)
        return np.take(flat, self._rows * self.n + self._columns, axis=-1) * self._weights

    def pairs(self, v: Float[np.ndarray, "*batch n n"]) -> Float[np.ndarray, "*batch d d"]:
        """Rows: the orthonormal v_iv_iᵀ and (v_iv_jᵀ + v_jv_iᵀ)/√2, i < j, in this order of (i, j)."""
        i, j = self._rows, self._columns
        left, right = np.swapaxes(v, -1, -2)[..., i, :], np.swapaxes(v, -1, -2)[..., j, :]
        outer = left[..., :, None] * right[..., None, :]
        scale = np.where(i == j, 0.5, np.sqrt(0.5))[:, None, None]
        return self.vectors(scale * (outer + np.swapaxes(outer, -1, -2)))

    def jacobian(
        self,
        v: Float[np.ndarray, "N n n"],
        diagonal: Float[np.ndarray, "N n n"],
        off: Float[np.ndarray, "N n n"],
    ) -> Float[np.ndarray, "N d d"]:
        r"""The derivative of $V\mathrm{diag}(f)V^⊤$: ∂f_i/∂λ_j on, $(f_i-f_j)/(λ_i-λ_j)$ off the diagonal."""
        pairs = self.pairs(v)
        jacobian = np.swapaxes(pairs, 1, 2) @ (
            self.vectors(off)[:, :, None]
            / self._weights[:, None]
            * pairs
            * (self._rows != self._columns)[:, None]
        )
        on_diagonal = pairs[:, self._rows == self._columns]
        return np.asarray(jacobian + np.swapaxes(on_diagonal, 1, 2) @ diagonal @ on_diagonal)


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
        traceless: Whether x0 determines Y up to multiples of I only (SO(3)).
    """

    def __init__(
        self,
        matrices: Callable[[ArrayLike], Float[np.ndarray, "N n n"]],
        vectors: Float[np.ndarray, "n n"],
        kind: Int[np.ndarray, " n"],
        *,
        traceless: bool = False,
    ) -> None:
        self._matrices, self._vectors, self._traceless = matrices, vectors, traceless
        self._blocks = [np.flatnonzero(kind == k) for k in (1, 0, -1)]
        self._across = kind[:, None] != kind
        self.rounding = 64 * len(kind) ** 2 * EPS

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
