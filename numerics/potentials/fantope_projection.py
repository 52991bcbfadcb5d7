r"""The projection of symmetric matrices on the Fantope from one decomposition, and what it errs by.

Let Z = VΛVᵀ as computed, and Z' = V̂ΛV̂ᵀ with the orthonormal V̂ next to V (`numerics.factors`): everything
about Z' is known from Λ, and ε ≥ |Z − Z'| is measured.

**Eigenvalues.** The projection of Z' has the frame V̂ and the eigenvalues c\* = clip(λ − θ, 0, 1) of sum k.
Numbers c in [0, 1] of sum k + ρ are exactly clip(λ + e − θ, 0, 1) for some e, read off for any θ; projections
on a convex set are nonexpansive, and changing the sum by ρ changes all entries in one direction, so by |ρ| in
all: |c − c\*| ≤ |e| + |ρ|. This certifies c in `WIDE`, from which the computed values differ by a measured
amount.

**Point.** The computed point is at a measured distance from V̂ diag(c) V̂ᵀ; to this comes |c − c\*|, and Lε
for the way from Z' to Z: L = 1, or 1/(λ_k − λ_{k+1} − 2ε) where λ_k − λ_{k+1} > 1 + 2ε, and the projection
is the projector on the top k eigenvectors.

**Kink.** The faces are polyhedra in λ: f eigenvalues are free, 0 < c_i < 1, others 1 or 0. With θ = mean of
the free λ + const, a free one leaves at distance $c_i/\sqrt{1-1/f}$ or $(1-c_i)/\sqrt{1-1/f}$, a one joins
at $(λ_i-θ-1)/\sqrt{1+1/f}$ and a zero at $(θ-λ_i)/\sqrt{1+1/f}$; with none free λ_k − λ_{k+1} falls to 1 at
$(λ_k-λ_{k+1}-1)/\sqrt 2$. The least of these is the distance in λ, and by Hoffman and Wielandt's inequality
that of Z'; that of Z is at least that less ε.

**Jacobian.** What the computed one errs by at Z' is measured against V̂, Λ, c in `WIDE`; there c errs by δ,
which moves the coefficients $(c_i-c_j)/(λ_i-λ_j)$ of pairs on different faces by at most
$\sqrt{2(n-1)}δ/\mathrm{sep}$, where sep is the least distance of eigenvalues on different faces. From Z' to
Z it bends: it is $Df_θ[F] - P\,\mathrm{tr}(PF)/f$ with f_θ(λ) = clip(λ−θ, 0, 1), P the projector on the free
eigenvectors, and dθ[E] = tr(PE)/f. As for `numerics.potentials.ball_projection`,
$|D^2f_θ[E,·]| ≤ 2\sqrt n|E|/\mathrm{sep}$; moving θ changes $Df_θ$ by $(f'_i-f'_j)/(λ_i-λ_j)$ on the at most
2f(n−f) ordered pairs across, of norm $\sqrt{2f(n-f)}/\mathrm{sep}$ times |E|/√f; and |dP[E]| ≤ |E|/sep makes
$\sqrt 2/(\sqrt f\,\mathrm{sep})$ of the last term. With none free it is that of the projector, 2√n/sep². All
with sep − 2ε for sep. Within ε of a kink the Jacobian may be that of the other side: two symmetric matrices
with spectra in [0, 1] differ by at most √d.
"""

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from numerics.accuracy import Rounding
from numerics.factors import WIDE, WIDE_UNIT, Factors, norm
from numerics.potentials.projected import Projection
from numerics.potentials.spectral import SymmetricCoordinates, over_gap


class FantopeProjection(Projection):
    """The projections of a batch on {0 ⪯ X ⪯ I, tr X = k}, lazily.

    Args:
        coordinates: Of the symmetric n×n matrices.
        k: The trace.
        values: (N,n) eigenvalues as computed, largest first.
        vectors: (N,n,n) eigenvectors as computed.
        z: Gives (N,n,n), the matrices themselves, in `WIDE`.

    Attributes:
        point: (N,d) the projections.
    """

    def __init__(
        self,
        coordinates: SymmetricCoordinates,
        k: int,
        values: Float[np.ndarray, "N n"],
        vectors: Float[np.ndarray, "N n n"],
        z: Callable[[], Shaped[np.ndarray, "N n n"]],
    ) -> None:
        self._coordinates, self._k, self._matrices = coordinates, k, z
        self.values, self.vectors = values, vectors
        self._clipped, self._free = fantope_values(values, k)
        self.point = coordinates.vectors((vectors * self._clipped[:, None, :]) @ vectors.transpose(0, 2, 1))

    @cached_property
    def _z(self) -> Shaped[np.ndarray, "N n n"]:
        return self._matrices()

    @cached_property
    def factors(self) -> Factors:
        """V̂, twice."""
        return Factors(self.vectors, self.vectors)

    @cached_property
    def miss(self) -> Float[np.ndarray, " N"]:
        """ε: by how much Z misses the matrix whose exact factors are known."""
        return self.factors.misfit(self._z, self.values)

    @cached_property
    def _wide(self) -> "Certified":
        return certified_values(self.values.astype(WIDE), self._k)

    @cached_property
    def distance(self) -> Float[np.ndarray, " N"]:
        """A bound on the distance of Z from the Fantope."""
        return self.factors.misfit(self._z, self._wide.values) + self._wide.error

    def misfit(self, point: Shaped[np.ndarray, "N n n"]) -> Float[np.ndarray, " N"]:
        """A bound on the distance of computed points, as matrices in `WIDE`, from the projection of Z."""
        composed = self.factors.misfit(point, self._wide.values) + self._wide.error
        n, k = self.values.shape[1], self._k
        if k == n:
            return composed
        separation = self.values[:, k - 1] - self.values[:, k]
        projector = separation > 1 + 2 * self.miss
        slope = np.where(projector, 1 / np.where(projector, separation - 2 * self.miss, 1.0), 1.0)
        return np.minimum(slope, 1.0) * self.miss + composed

    @cached_property
    def point_rounding(self) -> Rounding:
        """Of ``point``, derived above."""
        wide = SymmetricCoordinates(self._coordinates.n, WIDE)
        bound = self.misfit(wide.matrices(self.point.astype(WIDE)))
        return Rounding.measured(bound, "the factors' backward error, and their product's")

    @cached_property
    def kink(self) -> Float[np.ndarray, " N"]:
        """The distance of λ from the boundary of its face, less ε."""
        if self._k == self.values.shape[1]:
            return np.full(len(self.values), np.inf)
        inside = self._wide.depth - 2 * self._wide.error
        return np.maximum(inside - self.miss, 0.0)

    @cached_property
    def jacobian(self) -> Float[np.ndarray, "N d d"]:
        """The derivative, one of the one-sided ones on a kink."""
        return self._coordinates.jacobian(self.vectors, *_weights(self.values, self._clipped, self._free))

    @cached_property
    def jacobian_rounding(self) -> Rounding:
        """Of ``jacobian``, derived above."""
        return Rounding.measured(self.jacobian_misfit(self.jacobian), "D prox of the factors, and its bend")

    def jacobian_misfit(
        self, jacobian: Float[np.ndarray, "N e e"], frame: Shaped[np.ndarray, "d e"] | None = None
    ) -> Float[np.ndarray, " N"]:
        """A bound on |jacobian − FᵀDprox(Z)F| in Frobenius norm, F (d,e) of orthonormal columns."""
        c = self._wide
        composed = symmetric_jacobian_misfit(
            jacobian, self.factors, _weights(self.values.astype(WIDE), c.values, c.free), frame
        )
        near = self.kink <= 0
        reach = np.where(near, 0.0, self.miss)
        n = self.values.shape[1]
        separation = np.where(near, 1.0, self._separation() - 2 * reach)
        blurred = np.sqrt(2 * (n - 1)) * c.error / separation
        change = np.where(near, np.sqrt(self._coordinates.dim), self._bend(separation) * reach + blurred)
        return composed + change

    def _separation(self) -> Float[np.ndarray, " N"]:
        """The least difference of neighbouring eigenvalues that are on different faces."""
        c = self._wide
        face = np.where(c.free, 0, np.where(c.values > 0, 1, -1))
        across = face[:, :-1] != face[:, 1:]
        drops = np.where(across, self.values[:, :-1] - self.values[:, 1:], np.inf)
        return np.asarray(drops.min(axis=1, initial=np.inf))

    def _bend(self, separation: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
        n, f = self.values.shape[1], self._wide.free.sum(axis=1)
        some = np.maximum(f, 1)
        free = 2 * np.sqrt(n) + np.sqrt(2 * (n - f)) + np.sqrt(2 / some)
        return np.where(f > 0, free / separation, projector_bend(n, separation))


class Clipped(NamedTuple):
    """clip(λ−θ, 0, 1) and which entries lie strictly between."""

    values: Shaped[np.ndarray, "N n"]
    free: Bool[np.ndarray, "N n"]


class Certified(NamedTuple):
    """As `Clipped`, with a bound on what the values err by, and how deep λ lies in its face."""

    values: Shaped[np.ndarray, "N n"]
    free: Bool[np.ndarray, "N n"]
    error: Float[np.ndarray, " N"]
    depth: Float[np.ndarray, " N"]


def fantope_values(values: Shaped[np.ndarray, "N n"], k: int) -> Clipped:
    """clip(λ−θ, 0, 1) with sum k, for λ (N,n) in decreasing order: θ from the breakpoints λ_i and λ_i − 1.

    λ is first measured from λ_k, so that the entries that matter are small and exact. Where λ_k − λ_{k+1}
    is at least 1, and for k = n, θ is not unique, and the values are 1 and 0.
    """
    shifted = values - values[:, k - 1 : k]
    knots = np.sort(np.concatenate([shifted, shifted - 1], axis=1), axis=1)
    sums = np.clip(shifted[:, None, :] - knots[:, :, None], 0.0, 1.0).sum(axis=2)
    rows = np.arange(len(values))
    left = (sums >= k).sum(axis=1) - 1
    start, total = knots[rows, left], sums[rows, left]
    middle = (start + knots[rows, np.minimum(left + 1, knots.shape[1] - 1)]) / 2
    slope = ((shifted > middle[:, None]) & (shifted < middle[:, None] + 1)).sum(axis=1)
    theta = start + (total - k) / np.maximum(slope, 1)
    clipped = np.clip(shifted - theta[:, None], 0.0, 1.0)
    vertex = shifted[:, k] <= -1 if k < values.shape[1] else np.ones(len(values), dtype=bool)
    clipped[vertex] = np.arange(values.shape[1]) < k
    return Clipped(clipped, (clipped > 0) & (clipped < 1))


def certified_values(values: Shaped[np.ndarray, "N n"], k: int) -> Certified:
    """`fantope_values` in `WIDE`, certified as the module says.

    θ, measured from λ_k, is the mean of λ − c over the free entries, or lies midway between the zeros' λ and
    the ones' λ − 1 (there are ones, as k > 0). The certificate itself takes n + 4 roundings of |λ − θ| and of
    numbers up to n.
    """
    clipped, free = fantope_values(values, k)
    shifted = values - values[:, k - 1 : k]
    count = free.sum(axis=1)
    zero, one = clipped == 0, clipped == 1
    theta = np.where(free, shifted - clipped, 0.0).sum(axis=1) / np.maximum(count, 1)
    sharp = np.flatnonzero(count == 0)
    low = np.where(zero, shifted, np.min(shifted, axis=1, keepdims=True) - 1)[sharp].max(axis=1)
    high = np.where(one, shifted - 1, np.inf)[sharp].min(axis=1)
    theta[sharp] = (low + high) / 2
    argument = shifted - theta[:, None]
    free_error = np.where(free, argument - clipped, 0.0)
    error = free_error + np.where(one, np.minimum(argument - 1, 0.0), 0.0)
    error = error + np.where(zero, np.maximum(argument, 0.0), 0.0)
    rest = np.abs(clipped.sum(axis=1) - k)
    n = values.shape[1]
    slack = (n + 4) * WIDE_UNIT * (n + np.where(free, np.abs(argument) + np.abs(shifted), 0.0).sum(axis=1))
    total = (norm(error[:, None, :]) + rest + slack).astype(float)
    return Certified(clipped, free, total, _depth(argument, clipped, free, count))


def _depth(
    argument: Shaped[np.ndarray, "N n"],
    clipped: Shaped[np.ndarray, "N n"],
    free: Bool[np.ndarray, "N n"],
    count: Shaped[np.ndarray, " N"],
) -> Float[np.ndarray, " N"]:
    """The distance of λ from the boundary of its face."""
    f = np.maximum(count, 1)[:, None]
    leave = np.minimum(clipped, 1 - clipped) / np.sqrt(np.maximum(1 - 1 / f, 1 / 2))
    join = np.where(clipped == 0, -argument, argument - 1) / np.where(
        count[:, None] > 0, np.sqrt(1 + 1 / f), np.sqrt(0.5)
    )
    return np.maximum(np.where(free, leave, join).min(axis=1), 0.0).astype(float)


def projector_bend(n: int, separation: Float[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
    """The Lipschitz constant, in Frobenius norm, of the derivative of the projector on top eigenvectors."""
    return over_gap(2 * np.sqrt(n), separation, 2)


Weights = tuple[np.ndarray, np.ndarray]


def _weights(
    values: Shaped[np.ndarray, "N n"], clipped: Shaped[np.ndarray, "N n"], free: Bool[np.ndarray, "N n"]
) -> Weights:
    """∂c_i/∂λ_j, and (c_i−c_j)/(λ_i−λ_j) with 1 on free pairs."""
    count = np.maximum(free.sum(axis=1), 1)[:, None, None].astype(values.dtype)
    both = free[:, :, None] & free[:, None, :]
    diagonal = free[:, :, None] * np.eye(values.shape[1]) - both / count
    moved = clipped[:, :, None] - clipped[:, None, :]
    fall = np.where(moved == 0, 1.0, values[:, :, None] - values[:, None, :])
    return diagonal, np.where(both, 1.0, moved / fall)


def symmetric_jacobian_misfit(
    jacobian: Float[np.ndarray, "N e e"],
    factors: Factors,
    weights: Weights,
    frame: Shaped[np.ndarray, "d e"] | None = None,
) -> Float[np.ndarray, " N"]:
    r"""A bound on |jacobian − FᵀJF|, J the Jacobian with the frame V̂ and these weights, F = ``frame`` or I.

    J is computed in `WIDE`, with d + n + 20 roundings at most (2d more for F) of numbers whose norms add to
    4d times the largest weight; V̂ errs by half of ``off`` and appears four times.
    """
    n = factors.left.shape[1]
    coordinates = SymmetricCoordinates(n, WIDE)
    exact = coordinates.jacobian(factors.left, *weights)
    if frame is not None:
        exact = frame.T @ exact @ frame
    d = coordinates.dim
    largest = np.max([np.abs(w).max(axis=(1, 2)) for w in weights], axis=0).astype(float)
    slack = 4 * d * largest * (WIDE_UNIT * (3 * d + n + 20) + 3 * factors.off)
    return norm(jacobian - exact) + slack
