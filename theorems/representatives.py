"""One target of every family and of every rule of the calculus, met by every check whatever is drawn.

Twenty random draws may miss a family. `every_family` adds explicit examples to a Hypothesis test, so that
none is missed; a test of ours compares this list with the public families.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import example
from scipy import stats

from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Cantor,
    Curve,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    Grassmannian,
    NearestPoint,
    PointCloud,
    Potential,
    Quantile,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    Union,
    embed,
    product,
    rotate,
    scale,
    translate,
)

_TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
_TILTED = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.25], [0.0, 0.25, 0.5]])
_SCATTER = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 2.5], [-1.0, 1.5]])
_LINE = DegenerateGaussian([1.0, -0.5], [[4.0, 2.0], [2.0, 1.0]])

REPRESENTATIVES: tuple[Potential, ...] = (
    FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3),
    FiniteAtoms.on_line([0.0, 1.0, 3.0], [0.2, 0.3, 0.5]),
    FiniteAtoms.hypercube(3),
    FiniteAtoms.cross_polytope(3),
    FiniteAtoms.regular_polygon(5),
    FiniteAtoms(_SCATTER, [0.0, 0.4, 0.3, 0.1, 1.0, 0.2]),
    NearestPoint(PointCloud(_SCATTER), 0.5),
    FiniteAtoms([[1.0, 2.0]], [3.0]),
    FiniteAtoms([[0.0], [1.0], [2.0]], [0.0, 5.0, 0.0]),
    _LINE,
    DegenerateGaussian([1.0, 2.0], np.zeros((2, 2))),
    Sphere(3, 2.0),
    Ellipsoid(_TILTED),
    FiniteAtoms.permutations(3),
    Quantile(stats.expon()),
    Quantile(stats.t(5.0)),
    Quantile(stats.poisson(2.0)),
    AtomAndDensity([0.0], [0.375], stats.norm(1.0)),
    Cantor(),
    Stiefel(3, 2),
    Grassmannian(4, 2),
    SpecialOrthogonal(),
    NearestPoint(Arc(1.0, 0.25, 2.5), 0.75),
    NearestPoint(Curve.ellipse(2.0, 1.0), 0.75),
    NearestPoint(Torus(2.0, 0.5), 1.0),
    NearestPoint(Union(Arc(1.0, 0.25, 2.5), PointCloud([[0.0, -1.0], [2.0, 0.0]])), 1.0),
    rotate(Ellipsoid([[4.0, 0.0], [0.0, 0.25]]), _TURN),
    embed(FiniteAtoms.regular_polygon(3), np.array([[1.0, 0.0], [0.0, 0.6], [0.0, 0.8]])),
    translate(Sphere(2), [3.0, -1.0]),
    scale(_LINE, 3.0),
    scale(FiniteAtoms.two([0.0], [1.0], 0.2), 0.5),
    product(Sphere(2), FiniteAtoms.two([0.0], [1.0], 0.2)),
)


def every_family(
    among: Callable[[Potential], bool] = lambda _: True, **others: object
) -> Callable[[Any], Any]:
    """Add one explicit example a representative ``among`` them, with the test's other arguments as given."""

    def decorate(test: Any) -> Any:
        for target in filter(among, REPRESENTATIVES):
            test = example(target=target, **others)(test)
        return test

    return decorate
