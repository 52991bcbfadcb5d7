"""Aleksandrov–Brenier potentials in closed form: exact optimal transport from Gaussian noise to data."""

from numerics.potentials.atoms import FiniteAtoms
from numerics.potentials.base import Manifold, ManifoldGroup, Potential, Subdifferential
from numerics.potentials.bodies import Ellipsoid, Sphere
from numerics.potentials.calculus import embed, product, rotate, scale, translate
from numerics.potentials.gaussian import DegenerateGaussian
from numerics.potentials.nearest import NearestPoint, PointCloud

__all__ = [
    "DegenerateGaussian",
    "Ellipsoid",
    "FiniteAtoms",
    "Manifold",
    "ManifoldGroup",
    "NearestPoint",
    "PointCloud",
    "Potential",
    "Sphere",
    "Subdifferential",
    "embed",
    "product",
    "rotate",
    "scale",
    "translate",
]
