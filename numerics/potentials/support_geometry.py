"""Where data lies near a point x₁, and which noise is sent there: the answers of a potential's geometry."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Manifold:
    """The support M near a point x₁, as the potential sees it (docs/theory.md §3).

    Attributes:
        tangent: (d, m), orthonormal basis of the tangent space T.
        hessian: (m, m), covariant Hessian H on M of φ − ⟨x₀, ·⟩ in that basis; K = H⁻¹ on T (H3).

    Example:
        >>> from numerics.potentials import Sphere
        >>> at = Sphere(2).manifold([1.0, 0.0], [3.0, 0.0])  # H = |x₀|/R on the circle
        >>> at.dimension, at.hessian.tolist()
        (1, [[3.0]])
    """

    tangent: Float[np.ndarray, "d m"]
    hessian: Float[np.ndarray, "m m"]

    @property
    def dimension(self) -> int:
        """Dimension m of M."""
        return int(self.tangent.shape[1])


@dataclass(frozen=True)
class ManifoldGroup:
    """The points of a batch that share a dimension m: their rows, tangents (k,d,m) and Hessians (k,m,m).

    Example:
        >>> from numerics.potentials import Sphere
        >>> (group,) = Sphere(2).manifolds([[1.0, 0.0], [0.0, 1.0]], [[3.0, 0.0], [0.0, 5.0]])
        >>> group.rows.tolist(), group.hessian[:, 0, 0].tolist()
        ([0, 1], [3.0, 5.0])
    """

    rows: np.ndarray
    tangent: Float[np.ndarray, "k d m"]
    hessian: Float[np.ndarray, "k m m"]

    @property
    def dimension(self) -> int:
        """Dimension m of M at these points."""
        return int(self.tangent.shape[2])


class Subdifferential(ABC):
    """The closed convex set ∂φ(x₁) at one point x₁.

    Attributes:
        rounding: How far outside a member may be computed to lie by rounding alone, per unit of |x0| + 1.
        blur: How far x₁ may be from the point whose set this is: x₁ counts as lying on a face near it.

    Example:
        >>> from numerics.potentials import FiniteAtoms
        >>> slopes = FiniteAtoms.hypercube(1).subdifferential([1.0])  # at the atom 1: [0, ∞)
        >>> slopes.contains([[2.0], [-1.0]]).tolist(), slopes.boundary_distance([[2.0]]).tolist()
        ([True, False], [2.0])
    """

    rounding: float
    blur: float = 0.0

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Dimension of its affine hull; d − m under assumption A2."""

    @abstractmethod
    def distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d) from the set, 0 inside."""

    @abstractmethod
    def boundary_distance(self, x0: ArrayLike) -> Float[np.ndarray, " n"]:
        """Distance of x0 (n,d), a member, to the relative boundary; +inf where there is none (A3)."""

    def contains(self, x0: ArrayLike) -> Bool[np.ndarray, " n"]:
        """Whether x0 (n,d) belongs to ∂φ(x₁), to rounding."""
        size = 1 + np.linalg.norm(np.atleast_2d(np.asarray(x0, dtype=float)), axis=1)
        return self.distance(x0) <= self.rounding * size
