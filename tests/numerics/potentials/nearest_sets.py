"""Nearest points of one set of each kind, by name: tests of them grid each set by hand."""

from numerics.potentials import Arc, Curve, NearestPoint, PointCloud, Torus, Union

ARC = NearestPoint(Arc(1.0, 0.3, 2.5), 0.7)
SHIFTED = NearestPoint(Arc(2.0, -1.0, 3.5, (1.0, -0.5)), 1.3)
ELLIPSE = NearestPoint(Curve.ellipse(2.0, 1.0), 0.7)
TREFOIL = NearestPoint(Curve.trefoil(), 1.0)
SPIRAL = NearestPoint(Curve.spiral(1.5), 0.5)
TORUS = NearestPoint(Torus(2.0, 0.5), 1.0)
MIXED = NearestPoint(Union(Arc(1.0, 0.3, 2.5), PointCloud([[0.0, -1.0], [2.0, 0.0]])), 1.0)
FAMILIES = [ARC, SHIFTED, ELLIPSE, TREFOIL, SPIRAL, TORUS, MIXED]
