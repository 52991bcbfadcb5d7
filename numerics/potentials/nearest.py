r"""Nearest points of a closed set M: each projection is an optimal transport (docs/theory.md §4.2, family 6).

$φ^*(x_0) = \max_{y∈M} ⟨x_0,y⟩ - (a/2)|y|^2$ (Asplund's function [@asplund1969cebysev]),
$T(x_0) = \mathrm{proj}_M(x_0/a)$, and φ is the convex envelope of $(a/2)|·|^2 + δ_M$.
"""

from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from numerics.checks import positive_number
from numerics.deprecated import goes
from numerics.potentials.atom_set import AtomSet, parabola
from numerics.potentials.atoms import FiniteAtoms
from numerics.potentials.base import Potential
from numerics.potentials.closed_sets import PointCloud
from numerics.potentials.strata import ClosedSet

__all__ = ["NearestPoint", "PointCloud"]


class NearestPoint(Potential):
    r"""The law of the point of a closed set that is nearest to x₀/a, x₀ ~ N(0, I).

    Every kind of set has its family: a point cloud is `FiniteAtoms` with heights (a/2)|y|² (its cells are
    Voronoi cells, scaled); φ is in closed form for an arc, an ellipse and the torus; a union takes the face
    of a part where one part holds it; the faces of other sets are found by Newton. The families say
    how, and what they err by (`roundings`). For a curved set K = H⁻¹ on the tangent space, H = aI − ⟨ν, II⟩
    with x₀ = a x₁ + ν. T is not continuous on the medial axis, and K is infinite at focal points.

    Args:
        closed_set: `PointCloud`, `Curve`, `Arc`, `Torus`, a `Union`, or any `ClosedSet`.
        curvature: a > 0, of (a/2)|·|². Its older keyword, ``scale``, goes with the next version.

    Raises:
        ValueError: If two points coincide, the curvature is not positive, a surface has an edge, and, for a
            curved set, at complex input; `transport_jacobian` raises at focal points.

    Example:
        >>> from numerics.potentials import PointCloud
        >>> law = NearestPoint(PointCloud([[0.0], [1.0]]), curvature=2.0)
        >>> law.transport([[0.9], [1.1]]).tolist()  # of 0.45 and of 0.55
        [[0.0], [1.0]]
    """

    _families: ClassVar[dict[type, type]] = {}

    def __init_subclass__(cls, of: type | None = None, **arguments: Any) -> None:
        """Name the kind of set that a family is for."""
        super().__init_subclass__(**arguments)
        if of is not None:
            NearestPoint._families[of] = cls

    def __new__(
        cls,
        closed_set: ClosedSet,
        curvature: float = 1.0,  # noqa: ARG004
        *,
        scale: float | None = None,  # noqa: ARG004
    ) -> "NearestPoint":
        """The family of the set's kind."""
        known = [kind for kind in type(closed_set).__mro__ if kind in NearestPoint._families]
        return super().__new__(NearestPoint._families[known[0]] if cls is NearestPoint else cls)

    def __init__(self, closed_set: ClosedSet, curvature: float = 1.0, *, scale: float | None = None) -> None:
        if scale is not None:
            goes("NearestPoint's keyword scale", "curvature")
            curvature = scale
        self.closed_set = closed_set
        self.curvature = positive_number("curvature", curvature)
        self._call: str | None = f"NearestPoint({closed_set!r}, {self.curvature!r})"
        self._shape(closed_set)

    def _shape(self, closed_set: ClosedSet) -> None:
        self.dim = closed_set.dim
        self.scale = closed_set.radius or 1.0

    def __repr__(self) -> str:
        return self._call or super().__repr__()

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return np.full(len(x0), self.scale)

    def _of_a_family(self, *arguments: Any, **named: Any) -> Any:
        """What the families implement; `__new__` makes nothing else."""
        raise NotImplementedError(f"{type(self).__name__} is of no family of closed sets")

    _value = _conjugate = _transport = _transport_jacobian = _of_a_family
    _prox = _prox_jacobian = _subdifferential = _manifolds = _of_a_family
    _value_rounding = _conjugate_rounding = _transport_rounding = _transport_jacobian_rounding = _of_a_family
    _prox_rounding = _prox_jacobian_rounding = _of_a_family


class NearestCloudPoint(FiniteAtoms, NearestPoint, of=PointCloud):
    """The nearest point of a cloud: as `FiniteAtoms.nearest`, heights are (a/2)|y|² before they round."""

    def _shape(self, closed_set: ClosedSet) -> None:
        call = self._call
        net = np.asarray(closed_set.net)
        FiniteAtoms.__init__(self, net, parabola(net, self.curvature))
        self._set = AtomSet(self.points, self.heights, self.curvature)
        self._call = call

    __init__ = NearestPoint.__init__
    __repr__ = FiniteAtoms.__repr__
