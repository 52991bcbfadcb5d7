"""Aleksandrov–Brenier potentials in closed form: exact optimal transport from Gaussian noise to data."""

from numerics.potentials.atoms import FiniteAtoms
from numerics.potentials.base import Potential
from numerics.potentials.bits import Bits
from numerics.potentials.calculus import embed, product, rotate, scale, translate
from numerics.potentials.cantor import Cantor
from numerics.potentials.catalogue import Benchmark, catalogue
from numerics.potentials.closed_sets import Arc, PointCloud, Union
from numerics.potentials.curves import Curve
from numerics.potentials.ellipsoid import Ellipsoid
from numerics.potentials.gaussian import DegenerateGaussian
from numerics.potentials.grassmannian import Grassmannian
from numerics.potentials.line import AtomAndDensity, Quantile
from numerics.potentials.nearest import NearestPoint
from numerics.potentials.nearest_arc import NearestArcPoint  # noqa: F401  the family of an arc
from numerics.potentials.nearest_ellipse import NearestEllipsePoint  # noqa: F401  of an ellipse
from numerics.potentials.nearest_torus import NearestTorusPoint  # noqa: F401  of a torus
from numerics.potentials.nearest_union import NearestUnionPoint  # noqa: F401  of a union
from numerics.potentials.rotations import SpecialOrthogonal
from numerics.potentials.sphere import Sphere
from numerics.potentials.stiefel import Stiefel
from numerics.potentials.support_geometry import Manifold, ManifoldGroup, Subdifferential
from numerics.potentials.torus import Torus
from numerics.potentials.twin import Twin

__all__ = [
    "Arc",
    "AtomAndDensity",
    "Benchmark",
    "Bits",
    "Cantor",
    "Curve",
    "DegenerateGaussian",
    "Ellipsoid",
    "FiniteAtoms",
    "Grassmannian",
    "Manifold",
    "ManifoldGroup",
    "NearestPoint",
    "PointCloud",
    "Potential",
    "Quantile",
    "SpecialOrthogonal",
    "Sphere",
    "Stiefel",
    "Subdifferential",
    "Torus",
    "Twin",
    "Union",
    "catalogue",
    "embed",
    "product",
    "rotate",
    "scale",
    "translate",
]
