r"""Mistakes of well-tested libraries, each beside the right formula; nothing here is used to verify a claim.

Huber
    φ(u) = u²/(2α) for |u| ≤ α, |u| − α/2 beyond; prox_{τφ}(z) = αz/(α+τ) up to |z| = α + τ, z − τ sign z
    beyond. *The mistake*: the switch at |z| = α.
Squared k-overlap norm
    φ = ½‖·‖², φ*(y) = ½ Σ (k largest y_i²), T keeps the k largest entries. With β = 1/τ and |z| sorted,
    the prox shrinks the first entries by β/(β+1), lowers the middle ones by a threshold ℓ and drops the rest
    (Argyriou, Foygel & Srebro 2012). *The mistake*: z/β + 1 > ℓ for z/(β+1) > ℓ in the search for where the
    middle begins.
Dimension of a matrix group
    Tangent vectors of the unitary group span n² dimensions. *The mistake*: n(n+1), and n(n+1)/2 for the
    orthogonal group's n(n−1)/2.
Jacobian of x₀ ↦ Rx₀/|x₀|
    K = R(I − x₀x₀ᵀ/|x₀|²)/|x₀|. *The mistake*: the curvature term left out, K = RI/|x₀|.

The right prox of the k-overlap norm goes another way than the published search: φ(u) = ½ min Σ u_i²/θ_i over
θ ∈ [0,1]^d, Σθ = k, so u_i = θ_i z_i/(θ_i + τ) with θ_i = clip(s|z_i| − τ, 0, 1), and s the root of a
piecewise linear equation.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.accuracy import EPS

Array = NDArray[np.float64]
Prox = Callable[[Array, Array], Array]
ROUNDING = 2.0**16 * EPS


@dataclass(frozen=True)
class Huber:
    """The Huber function on the line; its conjugate is (α/2)y² on [−1, 1].

    Attributes:
        alpha: α > 0, where the parabola ends.
    """

    alpha: float
    dim: int = 1

    def value(self, u: Array) -> Array:
        """φ(u) for u (n,1)."""
        size = np.abs(u[:, 0])
        return np.where(size <= self.alpha, size**2 / (2 * self.alpha), size - self.alpha / 2)

    def conjugate(self, y: Array) -> Array:
        """φ*(y) for y (n,1); |y| may exceed 1 by rounding."""
        inside = np.abs(y[:, 0]) <= 1 + ROUNDING
        return np.where(inside, self.alpha * y[:, 0] ** 2 / 2, np.inf)

    def prox(self, z: Array, step: Array) -> Array:
        """prox_{τφ}(z) for z (n,1), τ (n,)."""
        return self._switch(z, step, self.alpha + step)

    def published_prox(self, z: Array, step: Array) -> Array:
        """The same with the switch at α."""
        return self._switch(z, step, self.alpha + 0 * step)

    def published_gap(self, z: float, step: float) -> float:
        """φ(p) + φ*(v) − vp at the published p, for α < z ≤ α + τ, where v = 1 and p = z − τ."""
        p = z - step
        return (p - self.alpha) ** 2 / (2 * self.alpha) if p >= -self.alpha else -2 * p

    def _switch(self, z: Array, step: Array, at: Array) -> Array:
        tau, switch = step[:, None], at[:, None]
        return np.where(np.abs(z) <= switch, self.alpha * z / (self.alpha + tau), z - tau * np.sign(z))


@dataclass(frozen=True)
class SquaredOverlap:
    """Half the squared k-overlap norm on R^d, the convex envelope of ½|u|² over k-sparse u at each scale.

    Attributes:
        k: How many entries overlap, 1 ≤ k ≤ d.
        dim: d.
    """

    k: int
    dim: int

    def value(self, u: Array) -> Array:
        """φ(u) for u (n,d): the k−r−1 largest entries by squares, the others by their sum, least over r."""
        return np.array([self._value(np.sort(np.abs(row))[::-1]) for row in u])

    def conjugate(self, y: Array) -> Array:
        """φ*(y) = ½ of the k largest squares, for y (n,d)."""
        return (self.transport(y) ** 2).sum(axis=1) / 2

    def transport(self, y: Array) -> Array:
        """T = ∇φ*: the k largest entries are kept, the others put to 0."""
        order = np.argsort(-np.abs(y.real), axis=1)
        kept = np.zeros(y.shape, bool)
        np.put_along_axis(kept, order[:, : self.k], True, axis=1)
        return np.where(kept, y, 0)

    def prox(self, z: Array, step: Array) -> Array:
        """prox_{τφ}(z) for z (n,d), τ (n,), through θ."""
        return np.array([self._through_theta(row, tau) for row, tau in zip(z, step, strict=True)])

    def searched_prox(self, z: Array, step: Array) -> Array:
        """The same by the published search, its bracket in place."""
        return self._search(z, step, lambda size, beta: size / (beta + 1))

    def published_prox(self, z: Array, step: Array) -> Array:
        """The same search with the bracket misplaced."""
        return self._search(z, step, lambda size, beta: size / beta + 1)

    def _value(self, size: Array) -> float:
        sums = []
        for r in range(self.k):
            start = self.k - r - 1
            tail = size[start:].sum()
            if size[start] * (r + 1) <= tail * (1 + ROUNDING):  # θ = (r+1)|u|/tail ≤ 1 on the tail
                sums.append(float((size[:start] ** 2).sum() + tail**2 / (r + 1)))
        return min(sums) / 2

    def _through_theta(self, z: Array, tau: float) -> Array:
        size = np.abs(z)
        charged = size[size > 0]
        if len(charged) <= self.k:
            return z / (1 + tau)
        knots = np.sort(np.concatenate([tau / charged, (1 + tau) / charged]))
        mass = np.clip(knots[:, None] * charged - tau, 0, 1).sum(axis=1)
        theta = np.clip(np.interp(self.k, mass, knots) * size - tau, 0, 1)
        return theta * z / (theta + tau)

    def _search(self, z: Array, step: Array, first: Callable[[float, float], float]) -> Array:
        return np.array([self._searched(row, 1 / tau, first) for row, tau in zip(z, step, strict=True)])

    def _searched(self, z: Array, beta: float, first: Callable[[float, float], float]) -> Array:
        order = np.argsort(-np.abs(z))
        size = np.abs(z)[order]
        shrunk = beta * size / (beta + 1)
        for r in range(self.k):
            start = self.k - r - 1
            for end in range(self.k, self.dim + 1):
                threshold = size[start:end].sum() / (end - self.k + (beta + 1) * r + beta + 1)
                begins = start == 0 or first(size[start - 1], beta) > threshold
                goes_on = threshold >= size[start] / (beta + 1) and size[end - 1] > threshold
                if begins and goes_on and (end == self.dim or threshold >= size[end]):
                    shrunk[start:end] = size[start:end] - threshold
                    shrunk[end:] = 0
                    found = np.empty_like(z)
                    found[order] = shrunk
                    return np.sign(z) * found
        raise ValueError(f"no split of {z.tolist()} at β = {beta} satisfies the search's conditions")


def orthogonal_dimension(n: int) -> int:
    """Dimension of O(n)."""
    return n * (n - 1) // 2


def published_orthogonal_dimension(n: int) -> int:
    """The symmetric matrices' dimension in place of the skew ones'."""
    return n * (n + 1) // 2


def unitary_dimension(n: int) -> int:
    """Dimension of U(n)."""
    return n * n


def published_unitary_dimension(n: int) -> int:
    """The formula n(n+1)."""
    return n * (n + 1)


def sphere_jacobian(x0: Array, radius: float) -> Array:
    """K(x₀) of the sphere (n,d,d)."""
    length = np.linalg.norm(x0, axis=1)[:, None, None]
    return radius * (np.eye(x0.shape[1]) - x0[:, :, None] * x0[:, None, :] / length**2) / length


def published_sphere_jacobian(x0: Array, radius: float) -> Array:
    """The same without the curvature term."""
    length = np.linalg.norm(x0, axis=1)[:, None, None]
    return radius * np.broadcast_to(np.eye(x0.shape[1]), (*x0.shape, x0.shape[1])) / length
