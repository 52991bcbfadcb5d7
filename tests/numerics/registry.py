"""Every potential instance that the laws run over. A new family is tested by being listed here."""

import numpy as np
from sklearn.datasets import load_digits

from numerics.potentials import (
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Potential,
    Sphere,
    embed,
    product,
    rotate,
    scale,
    translate,
)

_rng = np.random.default_rng(20261122)


def _orthonormal(rows: int, columns: int) -> np.ndarray:
    return np.linalg.qr(_rng.standard_normal((rows, columns)))[0]


TILTED = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 0.1]])
SCATTER = _rng.standard_normal((40, 3))
DIGITS = (load_digits().data[:60] - load_digits().data.mean(axis=0)) / 16

ATOMS: list[Potential] = [
    FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3),
    FiniteAtoms.two([-1.0], [1.0], 1e-6),
    FiniteAtoms.on_line([0.0, 1.0, 3.0, 10.0], [0.1, 0.2, 0.3, 0.4]),
    FiniteAtoms.hypercube(1),
    FiniteAtoms.hypercube(4),
    FiniteAtoms.cross_polytope(3),
    FiniteAtoms.regular_polygon(7),
    FiniteAtoms([[1.0, 2.0]], [3.0]),
    FiniteAtoms(SCATTER, (SCATTER**2).sum(axis=1) / 3 + _rng.uniform(0, 0.3, 40)),
    FiniteAtoms(SCATTER + 1e3, SCATTER[:, 0] ** 2),
    NearestPoint(PointCloud(SCATTER[:, :2]), 0.7),
    NearestPoint(PointCloud(DIGITS), 1.0),
]

SMOOTH: list[Potential] = [
    DegenerateGaussian([1.0, -2.0, 0.5], np.diag([4.0, 0.0, 1e-4])),
    DegenerateGaussian([0.0, 0.0, 0.0], TILTED),
    DegenerateGaussian([3.0, 4.0], np.zeros((2, 2))),
    Sphere(1, 0.5),
    Sphere(2, 2.0),
    Sphere(5, 1e-3),
    Ellipsoid(TILTED),
    Ellipsoid(np.diag([1e4, 1.0])),
]

DERIVED: list[Potential] = [
    rotate(Ellipsoid(TILTED), _orthonormal(3, 3)),
    embed(FiniteAtoms.regular_polygon(5), _orthonormal(4, 2)),
    translate(Sphere(3, 2.0), [10.0, 0.0, -1.0]),
    scale(DegenerateGaussian([0.5, 0.0], np.diag([2.0, 0.0])), 7.0),
    scale(FiniteAtoms(SCATTER, np.zeros(40)), 1e-3),
    product(Sphere(2), FiniteAtoms.two([0.0], [1.0], 0.2)),
    rotate(product(translate(scale(Sphere(2), 3.0), [1.0, 1.0]), Sphere(2)), _orthonormal(4, 4)),
]

INSTANCES: list[Potential] = ATOMS + SMOOTH + DERIVED


def label(potential: Potential) -> str:
    """A short, unique test id."""
    text = repr(potential)
    short = text if len(text) <= 48 else text[:45] + "…"
    return f"{INSTANCES.index(potential)}-{short}"
