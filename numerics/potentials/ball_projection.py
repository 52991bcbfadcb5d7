r"""The projection of matrices on the spectral-norm ball from one decomposition, and what it errs by.

Let z = USVᵀ as computed, and z' = ÛSV̂ᵀ with the orthonormal factors next to U and V (`numerics.factors`):
everything about z' is known exactly from S, and ε ≥ |z − z'| is measured.

**Point.** The projection of z' is Û min(S,1) V̂ᵀ, at a measured distance from the computed point, and that of
z at most Lε from it; L = 1, or, where every singular value stays above 1 on the segment from z to z' (s_p > 1
+ ε), the bound on ‖K‖ there, 1/(s_p − ε) for p < n and 2/(s_{p−1} + s_p − 2ε) for p = n: there the projection
is the polar factor. Where s₁ ≤ 1 the computed point is z itself, at most min(ε, √p(s₁ + ε − 1)₊) from the
ball.

**Kink.** The projection has no derivative where a singular value is 1. By Mirsky's inequality such a matrix
is min|s_i − 1| from z', exactly, and so at least that less ε from z.

**Jacobian.** At z' it is known exactly from Û, S, V̂, so that what the computed one errs by as a Jacobian at
z' is measured. From z' to z it changes by at most ``bend``·ε while no kink is between: the projection is the
corner of f(H), with f(λ) = λ cut to [−1, 1] and H = [[0, z], [zᵀ, 0]], whose eigenvalues λ are ±s_i and 0 (n
− p times), and [@lewis2001twice]

$$D^2f(H)[E,F]_{ij} = Σ_k f[λ_i,λ_k,λ_j](E_{ik}F_{kj} + F_{ik}E_{kj}),$$

of Hilbert–Schmidt norm over F at most $2|E|\max_{ik}(Σ_jf[λ_i,λ_k,λ_j]^2)^{1/2}$, so at most
$2\sqrt{n+p}\,|E|\max|f[·]|$. The corners make |E| → √2|E|. A second divided difference of f over a triple is
half the jump of f' times the hat function of the triple at the kink (Peano's kernel), so at most 1/sep, where
sep is the distance from the least λ above 1 to the greatest below, less 2ε on the way; where all s_i > 1 it
is at most 1/s_p² or, for p = n, 2/(s_{p−1} + s_p)² over the triples that E and F reach. Within ε of a kink
the Jacobian may be that of the other side: two symmetric matrices with spectra in [0, 1] differ by at most
√d.
"""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Shaped

from numerics.accuracy import UNIT, Rounding
from numerics.factors import WIDE, WIDE_UNIT, Factors, norm
from numerics.potentials.projected import Projection
from numerics.potentials.spectral import SingularFrame, over_gap, singular_frame, spectral_jacobian


class BallProjection(Projection):
    """The projections of a batch on {s₁ ≤ 1}, lazily.

    Args:
        z: (N,n,p), n ≥ p.

    Attributes:
        frame: The singular frame of z as computed.
        point: (N,np) the projections, row-major.
    """

    def __init__(self, z: Float[np.ndarray, "N n p"]) -> None:
        self.z, self.frame = z, singular_frame(z)
        self._kept = np.minimum(self.frame.s, 1.0)
        self.outside = self.frame.s[:, 0] > 1
        flat = z.reshape(len(z), -1)
        self.point = np.where(self.outside[:, None], self.frame.compose(self._kept), flat)

    @cached_property
    def factors(self) -> Factors:
        """Û and V̂."""
        return Factors(self.frame.u, self.frame.v)

    @cached_property
    def miss(self) -> Float[np.ndarray, " N"]:
        """ε: by how much z misses the matrix whose exact factors are known."""
        return self.factors.misfit(self.z, self.frame.s)

    @cached_property
    def distance(self) -> Float[np.ndarray, " N"]:
        """A bound on the distance of z from the ball."""
        return self.factors.misfit(self.z, self._kept)

    @cached_property
    def point_rounding(self) -> Rounding:
        """Of ``point``, derived above."""
        s, p = self.frame.s, self.frame.s.shape[1]
        inside = np.minimum(self.miss, np.sqrt(p) * np.maximum(s[:, 0] - 1 + self.miss, 0.0))
        composed = self.factors.misfit(self.point.reshape(self.z.shape), self._kept)
        polar = s[:, -1] > 1 + self.miss
        known = np.where(polar[:, None], s, 2.0)  # elsewhere a singular value may be 0
        slope = np.where(polar, polar_slope(known, self.z.shape[1], np.where(polar, self.miss, 0.0)), 1.0)
        bound = np.where(self.outside, np.minimum(slope, 1.0) * self.miss + composed, inside)
        return Rounding.measured(bound, "the factors' backward error, and their product's")

    @cached_property
    def kink(self) -> Float[np.ndarray, " N"]:
        """min|s_i − 1| less ε."""
        least = np.abs(self.frame.s - 1).min(axis=1)
        return np.maximum(least * (1 - 2 * UNIT) - self.miss, 0.0)

    @cached_property
    def jacobian(self) -> Float[np.ndarray, "N d d"]:
        """The derivative, from inside where a singular value is 1."""
        return spectral_jacobian(self.frame, *_weights(self.frame.s))

    @cached_property
    def jacobian_rounding(self) -> Rounding:
        """Of ``jacobian``, derived above."""
        _, n, p = self.z.shape
        composed = wide_jacobian_misfit(self.jacobian, self.factors, _weights(self.frame.s.astype(WIDE)))
        near = self.kink <= 0
        reach = np.where(near, 0.0, self.miss)
        change = np.where(near, np.sqrt(n * p), self._bend(reach) * reach)
        return Rounding.measured(composed + change, "the Jacobian of the factors, which bends to that of z")

    def _bend(self, reach: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
        """The Lipschitz constant of the Jacobian within reach, on this side of the kinks."""
        s, n = self.frame.s, self.z.shape[1]
        above = np.where(s > 1, s, np.inf).min(axis=1)
        rest = 0.0 if n > s.shape[1] else -above
        below = np.maximum(np.where(s <= 1, s, -np.inf).max(axis=1), rest)
        inside = ~self.outside  # f is linear
        with np.errstate(divide="ignore", invalid="ignore"):
            straddled = spread(n, s.shape[1]) / (above - below - 2 * reach)
        polar = s[:, -1] > 1 + reach
        everywhere = polar_bend(np.where(polar[:, None], s, 2.0), n, np.where(polar, reach, 0.0))
        return np.where(inside, 0.0, np.where(polar, np.minimum(everywhere, straddled), straddled))


def spread(n: int, p: int) -> float:
    """2√2·√(n+p): from the largest second divided difference to the change of a Jacobian."""
    return float(2 * np.sqrt(2 * (n + p)))


def polar_slope(
    s: Float[np.ndarray, "N p"], n: int, reach: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """‖K‖ of the polar factor at most, within reach of matrices (N,n,p) with singular values s."""
    p = s.shape[1]
    if p < n:
        return over_gap(1.0, s[:, -1] - reach)
    return over_gap(2.0, s[:, -1] + s[:, -2] - 2 * reach) if p > 1 else np.zeros(len(s))


def polar_bend(
    s: Float[np.ndarray, "N p"], n: int, reach: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """The Lipschitz constant of K, in Frobenius norm, within reach."""
    p = s.shape[1]
    with np.errstate(over="ignore"):
        largest = polar_slope(s, n, reach) ** 2
    return spread(n, p) * (largest if p < n else largest / 2)


def pair_sums(s: Shaped[np.ndarray, "N p"]) -> Shaped[np.ndarray, "N p p"]:
    """s_i + s_j off the diagonal, 1 on it."""
    p = s.shape[1]
    return np.where(np.eye(p, dtype=bool), 1.0, s[:, :, None] + s[:, None, :])


Weights = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _weights(s: Shaped[np.ndarray, "N p"]) -> Weights:
    """The divided differences of min(s, 1): diagonal, symmetric, skew, outer, for `spectral_jacobian`."""
    kept, inside = np.minimum(s, 1), s <= 1
    diagonal = inside[:, :, None] * np.eye(s.shape[1])
    both, either = inside[:, :, None] & inside[:, None, :], inside[:, :, None] | inside[:, None, :]
    rise = np.where(either & ~both, s[:, :, None] - s[:, None, :], 1.0)
    symmetric = np.where(both, 1.0, np.where(either, (kept[:, :, None] - kept[:, None, :]) / rise, 0.0))
    skew = np.where(both, 1.0, pair_sums(kept) / np.where(both, 1.0, pair_sums(s)))
    return diagonal, symmetric, skew, np.where(inside, 1.0, kept / np.maximum(s, 1))


def wide_jacobian_misfit(
    jacobian: Float[np.ndarray, "N d d"], factors: Factors, weights: Weights
) -> Float[np.ndarray, " N"]:
    r"""A bound on |jacobian − the spectral Jacobian with frames Û, V̂ and these weights|.

    The latter is computed in `WIDE`, with p² + 2n + 20 roundings at most of numbers whose norms add to 4d
    times the largest weight; Û and V̂ err by ``off``, and appear twice.
    """
    _, n, p = factors.left.shape
    exact = spectral_jacobian(SingularFrame(factors.left, weights[3], factors.right), *weights)
    diagonal, symmetric, skew, outer = weights
    off = 1 - np.eye(p)  # what is read of the divided differences
    read = [diagonal, symmetric * off, skew * off, outer * (n > p)]
    largest = np.max([np.abs(w).max(axis=tuple(range(1, w.ndim))) for w in read], axis=0).astype(float)
    slack = 4 * n * p * largest * (WIDE_UNIT * (p * p + 2 * n + 20) + 3 * factors.off)
    return norm(jacobian - exact) + slack
