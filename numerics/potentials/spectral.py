r"""What the matrix families share: frames, and derivatives of spectral functions [@lewis2001twice].

A spectral function $Uf(S)V^⊤$ changes, in the frame of its singular vectors, by $f'(s_i)$ on the diagonal
and by divided differences off it: $(f_i-f_j)/(s_i-s_j)$ on the symmetric part of $U^⊤EV$ and
$(f_i+f_j)/(s_i+s_j)$ on the skew part. Families hand over these coefficients in closed form, so that equal
singular values or eigenvalues never give 0/0.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Inexact, Shaped

from numerics.accuracy import EPS
from numerics.solvers import jacobi

OFF_MANIFOLD = float(np.sqrt(EPS))
DOUBTFUL = 2.0**-40  # below this share of the largest value, whether a separation is one has to be measured


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
    diagonal: Shaped[np.ndarray, "N p p"],
    symmetric: Shaped[np.ndarray, "N p p"],
    skew: Shaped[np.ndarray, "N p p"],
    outer: Shaped[np.ndarray, "N p"],
) -> Shaped[np.ndarray, "N d d"]:
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
    """Symmetric n×n matrices as vectors: the upper triangle by rows, off-diagonals times √2: an isometry.

    Args:
        n: The order.
        dtype: The precision in which √2 is taken.
    """

    def __init__(self, n: int, dtype: type = np.float64) -> None:
        self.n, self.dim = n, n * (n + 1) // 2
        self._rows, self._columns = np.triu_indices(n)
        self._weights = np.where(self._rows == self._columns, 1.0, np.sqrt(dtype(2)))
        self._halves = np.where(self._rows == self._columns, 0.5, np.sqrt(dtype(0.5)))
        self._places = np.zeros((n, n), dtype=int)
        self._places[self._rows, self._columns] = np.arange(self.dim)
        self._places[self._columns, self._rows] = np.arange(self.dim)

    def matrices(self, x: Shaped[np.ndarray, "*batch d"]) -> Shaped[np.ndarray, "*batch n n"]:
        """Vectors to matrices."""
        return np.take(x / self._weights, self._places, axis=-1)

    def vectors(self, matrix: Shaped[np.ndarray, "*batch n n"]) -> Shaped[np.ndarray, "*batch d"]:
        """Matrices to vectors; only the upper triangle is read."""
        flat = matrix.reshape(*matrix.shape[:-2], self.n**2)
        return np.take(flat, self._rows * self.n + self._columns, axis=-1) * self._weights

    def pairs(self, v: Shaped[np.ndarray, "*batch n n"]) -> Shaped[np.ndarray, "*batch d d"]:
        """Rows: the orthonormal v_iv_iᵀ and (v_iv_jᵀ + v_jv_iᵀ)/√2, i < j, in this order of (i, j)."""
        i, j = self._rows, self._columns
        left, right = np.swapaxes(v, -1, -2)[..., i, :], np.swapaxes(v, -1, -2)[..., j, :]
        outer = left[..., :, None] * right[..., None, :]
        return self.vectors(self._halves[:, None, None] * (outer + np.swapaxes(outer, -1, -2)))

    def jacobian(
        self,
        v: Shaped[np.ndarray, "N n n"],
        diagonal: Shaped[np.ndarray, "N n n"],
        off: Shaped[np.ndarray, "N n n"],
    ) -> Shaped[np.ndarray, "N d d"]:
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


def over_gap(slope: float, gap: Float[np.ndarray, " N"], power: int = 1) -> Float[np.ndarray, " N"]:
    """slope/gap^power, +inf where the gap may be closed."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(gap > 0, slope / np.where(gap > 0, gap, 1.0) ** power, np.inf)


def times(constant: Float[np.ndarray, " N"], reach: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """What a map of this Lipschitz constant moves by within reach: 0 for none, even where it is +inf."""
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(reach > 0, constant * reach, 0.0)


def moved_within(
    radius: Float[np.ndarray, " N"], gap: Float[np.ndarray, " N"], slope: float, fall: float, most: float
) -> Float[np.ndarray, " N"]:
    """How far a map may go within ``radius`` where its slope is at most slope/gap and the gap falls.

    Along a segment the gap falls by at most ``fall`` times the way, so that the slope's integral is
    (slope/fall)·log(1/(1 − fall·radius/gap)); where the gap may close the map jumps, by at most ``most``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(gap > 0, fall * radius / gap, np.inf)
        way = -(slope / fall) * np.log1p(-np.minimum(used, 1.0))
    return np.where(used < 1, np.minimum(way, most), most) * (1 + 8 * EPS)
