r"""Laguerre cells in space and their Gaussian integrals, exact to rounding (docs/theory.md §4.3).

The cell of atom i is a convex polyhedron, bounded or not, and may be empty. Cells are dual to the lower hull
of the lifted points $(y_i, g_i) ∈ R^4$: `hulls` finds its tetrahedra, `skeleton` the edges of the cells,
`face_integrals` what the faces between them cut off. The field $-(1-C(r))/(4πr^3)·x$, C the law of |x₀|, has
the normal density as divergence and flux −1 out of 0, so that

$$P(C_i) = (\text{share of } 0) - Σ_\text{faces} h ∫_\text{face} \frac{1-C(r)}{4πr^3}\,dA,$$

for bounded cells and unbounded ones, and each face's integral is one over its edges.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_array, as_points
from numerics.transport.diagram import Diagram
from numerics.transport.face_integrals import FaceIntegrals, integrate
from numerics.transport.hulls import lower_hull, principal_axes
from numerics.transport.skeleton import skeleton


@dataclass(frozen=True)
class SpaceDiagram(Diagram):
    """The cells of n atoms that span space, as the list of the m faces between them.

    Attributes:
        points: (n, 3), the atoms y.
        found: What is integrated over the faces.
    """

    found: FaceIntegrals

    def at(self, heights: Float[np.ndarray, " n"]) -> "SpaceDiagram":
        """The cells of the same atoms at other heights."""
        return build(self.points, heights)

    @property
    def evaluation(self) -> Float[np.ndarray, " n"]:
        """(n,), 32·eps; for cells next to 0 that reach infinity eps·(ratio of the cloud's widths) more.

        Their solid angle at infinity is made of directions, rounded to eps, that differ by that ratio.
        """
        _, width = principal_axes(self.points)
        return 32 * EPS + np.where(self.found.near & (self.found.cone != 0), EPS * width[0] / width[-1], 0.0)

    @property
    def swept(self) -> Float[np.ndarray, " m"]:
        """(m,), the mass beyond each face as seen from 0, with the sign of h."""
        return self.found.swept

    @property
    def flux(self) -> Float[np.ndarray, " m"]:
        """(m,), φ(h) times the planar Gaussian mass of the face, ≥ 0."""
        return self.found.flux

    @cached_property
    def around_origin(self) -> Float[np.ndarray, " n"]:
        """(n,), whether 0 lies in the cell, where `masses` asks: two atoms of least height have half each."""
        lowest = self.heights == self.heights.min()
        return lowest / lowest.sum()

    @cached_property
    def masses(self) -> Float[np.ndarray, " n"]:
        """(n,), P₀(C_i), summing to 1 to rounding: those with an edge next to 0 by the smooth field."""
        n = len(self.points)
        smooth = self.found.cone + np.bincount(self.pairs[:, 0], self.found.passed, minlength=n)
        smooth -= np.bincount(self.pairs[:, 1], self.found.passed, minlength=n)
        return np.where(self.found.near & ~self.empty, smooth, super().masses)


def laguerre(points: ArrayLike, heights: ArrayLike) -> SpaceDiagram:
    """The Laguerre diagram of atoms in space.

    Args:
        points: (n, 3), finite, no two equal, not all in one plane.
        heights: (n,), finite.

    Returns:
        The diagram, in time about n log n (Qhull).

    Raises:
        ValueError: If shapes don't fit, an entry is not finite, or all atoms lie in one plane to rounding.
    """
    atoms = as_points("points", as_array("points", points, ndim=2), 3)
    g = as_array("heights", heights, ndim=1)
    if len(g) != len(atoms):
        raise ValueError(f"heights: got {len(g)} for {len(atoms)} points; give one a point")
    return build(atoms, g)


def build(points: Float[np.ndarray, "n 3"], heights: Float[np.ndarray, " n"]) -> SpaceDiagram:
    """As `laguerre`, without validation: for loops that build many diagrams."""
    tetrahedra = lower_hull(points, heights)
    if not len(tetrahedra):
        raise ValueError("points: all atoms lie in one plane; solve them in the plane")
    found = integrate(points, heights, skeleton(points, heights, tetrahedra))
    return SpaceDiagram(points, heights, found.pairs, found.offset, found)
