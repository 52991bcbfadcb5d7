r"""What singular and eigenvalue factors err by, read off the factors themselves.

Computed factors U, f, V come with no proof of how many rotations made them. But next to them there are
orthonormal Û, V̂, the polar factors of U and V, and $\hat U\,\mathrm{diag}(f)\hat V^⊤$ has exactly the
values f and exactly these frames: whatever the algorithm did, its answer is exact for that matrix, and how
far it is from the given one can be measured (a backward error a posteriori) [@higham2002accuracy]. The
measurement is made in `np.longdouble`, whose own roundings are counted; where that is no wider than float64
the statement stays true and grows by what the measurement errs by.
"""

import numpy as np
from jaxtyping import Float, Shaped

from numerics.accuracy import EPS

WIDE = np.longdouble
WIDE_UNIT = float(np.finfo(WIDE).eps) / 2


class Factors:
    r"""Û and V̂ for computed U (N,n,p), V (N,m,p) of nearly orthonormal columns.

    With D = UᵀU − I, Û = U(I+D)^{-1/2}, and U(I − D/2) is within |D|² of it for |D| ≤ 1/2. D errs by n
    roundings of |U|ᵀ|U|, of norm ≤ p; the product and the difference add less than 2p.

    Args:
        u: (N,n,p).
        v: (N,m,p), or the same array as u for a symmetric matrix.

    Attributes:
        left, right: Û (N,n,p), V̂ (N,m,p), in `WIDE`.
        off: (N,) bound on |left − Û| + |right − V̂| in Frobenius norm.
    """

    def __init__(self, u: Float[np.ndarray, "N n p"], v: Float[np.ndarray, "N m p"]) -> None:
        self.left, off = _orthonormalised(u)
        self.right, other = (self.left, off) if v is u else _orthonormalised(v)
        self.off = off + other

    def compose(self, f: Shaped[np.ndarray, "N p"]) -> Shaped[np.ndarray, "N n m"]:
        """Û diag(f) V̂ᵀ."""
        return np.asarray((self.left * f[:, None, :]) @ self.right.transpose(0, 2, 1))

    def misfit(self, y: Shaped[np.ndarray, "N n m"], f: Shaped[np.ndarray, "N p"]) -> Float[np.ndarray, " N"]:
        """A bound (N,) on |y − Û diag(f) V̂ᵀ| in Frobenius norm, the roundings of this measurement included.

        A product of factors with unit columns errs by p + 2 roundings of at most Σ|f| ≤ √p·|f|, and Û, V̂
        by ``off``, times the largest |f|; y itself, where it was formed in `WIDE`, by 12 roundings of |y|.
        """
        p = f.shape[1]
        size = norm(f[:, None, :])
        miss = norm(y - self.compose(f))
        slack = 2 * self.off + (2 * (p + 2) * np.sqrt(p) + 12) * WIDE_UNIT
        return (miss + slack * size) * (1 + 4 * EPS)


def norm(x: Shaped[np.ndarray, "N n m"]) -> Float[np.ndarray, " N"]:
    """Frobenius norms, summed in the precision of x; up to a relative eps."""
    return np.asarray(np.sqrt((x * x).sum(axis=(1, 2))), dtype=float) * (1 + EPS)


def _orthonormalised(
    u: Float[np.ndarray, "N n p"],
) -> tuple[Shaped[np.ndarray, "N n p"], Float[np.ndarray, " N"]]:
    _, n, p = u.shape
    wide = u.astype(WIDE)
    off = wide.transpose(0, 2, 1) @ wide - np.eye(p)
    return wide - wide @ off / 2, norm(off) ** 2 + (n + 2) * p * WIDE_UNIT
