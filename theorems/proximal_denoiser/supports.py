"""The supports of target laws by their own equations, which know no potential (P1, N7)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from numerics.geometry import norms
from numerics.potentials import (
    Arc,
    Cantor,
    Curve,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    Grassmannian,
    NearestPoint,
    Potential,
    Quantile,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
)

Array = NDArray[np.float64]
TILTED = np.array([[4.0, 1.0, 0.0], [1.0, 2.0, 0.25], [0.0, 0.25, 0.5]])


@dataclass(frozen=True)
class Support:
    """A target and an equation F = 0 of its support.

    Attributes:
        name: What it is.
        target: φ.
        miss: (n,d) ↦ |F| (n,), 0 on the support and nowhere else near it.
        slope: Lipschitz constant of F around the support.
        terms: How many roundings of the size ``slope·scale`` evaluating F passes.
    """

    name: str
    target: Potential
    miss: Callable[[Array], Array]
    slope: float
    terms: int


def _of_gram(n: int, p: int) -> Callable[[Array], Array]:
    """|YᵀY − I| for n×p matrices."""

    def miss(x: Array) -> Array:
        y = x.reshape(-1, n, p)
        return np.asarray(np.linalg.norm(y.transpose(0, 2, 1) @ y - np.eye(p), axis=(1, 2)))

    return miss


def matrices(x: Array, n: int) -> Array:
    """Symmetric matrices from their upper triangles, off-diagonals times √2."""
    rows, columns = np.triu_indices(n)
    found = np.zeros((len(x), n, n))
    found[:, rows, columns] = found[:, columns, rows] = x / np.where(rows == columns, 1.0, np.sqrt(2))
    return found


def _of_projectors(x: Array) -> Array:
    """|P² − P| and |tr P − 2| for 4×4 matrices."""
    p = matrices(x, 4)
    return np.asarray(np.linalg.norm(p @ p - p, axis=(1, 2)) + np.abs(np.trace(p, axis1=1, axis2=2) - 2))


def _of_rotations(x: Array) -> Array:
    return _of_gram(3, 3)(x) + np.abs(np.linalg.det(x.reshape(-1, 3, 3)) - 1)


def _of_cantor(x: Array) -> Array:
    """Distance from the Cantor set: 40 times its two pieces, 3x and 3x − 2, whichever is nearer."""
    at, unit = x[:, 0].copy(), 1.0
    away = np.maximum(np.maximum(-at, at - 1), 0.0)
    for _ in range(40):
        upper = at > 0.5
        inside = np.where(upper, 2 / 3 - at, at - 1 / 3)
        away = np.maximum(away, unit * np.maximum(inside, 0.0))
        at, unit = np.where(upper, 3 * at - 2, 3 * at), unit / 3
    return np.asarray(away)


_CLOUD = FiniteAtoms(
    np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0], [2.0, 2.5], [-1.0, 1.5]]),
    [0.0, 0.4, 0.3, 0.1, 1.0, 0.2],
)
_INVERSE = np.linalg.inv(TILTED)

SUPPORTS = (
    Support(
        "atoms",
        _CLOUD,
        lambda x: np.min([norms(x - y) for y in _CLOUD.points], axis=0),
        1.0,
        2,
    ),
    Support(
        "Gaussian on a line",
        DegenerateGaussian([1.0, -0.5], [[4.0, 2.0], [2.0, 1.0]]),
        lambda x: np.abs((x - [1.0, -0.5]) @ [1.0, -2.0]) / np.sqrt(5),
        1.0,
        4,
    ),
    Support("sphere", Sphere(3, 2.0), lambda x: np.abs(norms(x) - 2), 1.0, 4),
    Support(
        "ellipsoid",
        Ellipsoid(TILTED),
        lambda x: np.abs(np.einsum("ni,ij,nj->n", x, _INVERSE, x) - 1),
        float(2 * np.linalg.norm(_INVERSE, 2) * np.sqrt(np.linalg.norm(TILTED, 2))),
        64,
    ),
    Support("frames", Stiefel(3, 2), _of_gram(3, 2), 3.0, 16),
    Support("projectors", Grassmannian(4, 2), _of_projectors, 6.0, 32),
    Support("rotations", SpecialOrthogonal(), _of_rotations, 6.0, 32),
    Support(
        "ellipse",
        NearestPoint(Curve.ellipse(2.0, 1.0), 0.75),
        lambda x: np.abs(x[:, 0] ** 2 / 4 + x[:, 1] ** 2 - 1),
        2.0,
        8,
    ),
    Support(
        "arc",
        NearestPoint(Arc(1.0, 0.25, 2.5), 0.75),
        lambda x: (
            np.abs(norms(x) - 1) + np.maximum(np.abs(np.arctan2(x[:, 1], x[:, 0]) - 1.375) - 1.125, 0.0)
        ),
        2.0,
        8,
    ),
    Support(
        "torus",
        NearestPoint(Torus(2.0, 0.5), 1.0),
        lambda x: np.abs(np.hypot(np.hypot(x[:, 0], x[:, 1]) - 2, x[:, 2]) - 0.5),
        1.0,
        8,
    ),
    Support("integers from 0", Quantile(stats.poisson(2.0)), lambda x: np.abs(x - np.round(x))[:, 0], 1.0, 2),
    Support("Cantor set", Cantor(), _of_cantor, 1.0, 8),
)
