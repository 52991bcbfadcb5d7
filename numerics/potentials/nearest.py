r"""Nearest points of a closed set M: every projection is an optimal transport (theory.md §4.2, family 6).

$φ^*(x_0) = \max_{y∈M} ⟨x_0,y⟩ - (a/2)|y|^2$ (Asplund's function), $T(x_0) = \mathrm{proj}_M(x_0/a)$, and φ is
the convex envelope of $(a/2)|·|^2 + δ_M$.
"""

import hashlib

import numpy as np
from numpy.typing import ArrayLike

from numerics.checks import as_array, positive_number
from numerics.potentials.atoms import FiniteAtoms


class PointCloud:
    """A closed set of finitely many points.

    Args:
        points: (N,d), no two equal.
        name: What ``repr`` prints instead of a digest of a large cloud.
    """

    def __init__(self, points: ArrayLike, name: str | None = None) -> None:
        self.points = as_array("points", points, ndim=2).real
        self._name = name

    def __repr__(self) -> str:
        if self._name:
            return self._name
        if self.points.size <= 64:
            return f"PointCloud({self.points.tolist()})"
        digest = hashlib.sha256(np.ascontiguousarray(self.points).tobytes()).hexdigest()[:12]
        n, d = self.points.shape
        return f"PointCloud(<{n} points in R^{d}, sha256 {digest}>)"


class NearestPoint(FiniteAtoms):
    """The law of the point of a closed set that is nearest to x₀/a, x₀ ~ N(0, I).

    For a point cloud these are `FiniteAtoms` with heights (a/2)|y|²: their cells are Voronoi cells, scaled.

    Args:
        closed_set: `PointCloud`.
        scale: a > 0, the curvature of (a/2)|·|².

    Raises:
        ValueError: If two points coincide or the scale is not positive.
    """

    def __init__(self, closed_set: PointCloud, scale: float = 1.0) -> None:
        self.closed_set = closed_set
        self.curvature = positive_number("scale", scale)
        points = closed_set.points
        super().__init__(points, self.curvature / 2 * (points**2).sum(axis=1))
        self._call = f"NearestPoint({closed_set!r}, {self.curvature!r})"
