"""Normal cones of the matrix families' hulls: their dimension by hand, distances by prox, exits by search."""

import numpy as np
import pytest

from numerics.potentials import Grassmannian, SpecialOrthogonal, Stiefel
from tests.numerics.potentials.matrix_families import FAMILIES, vector

FACES = [
    (Stiefel(4, 3), lambda r: _with_values(r, 4, [1, 1, 0.3]), 3),
    (Stiefel(3, 2), lambda r: _with_values(r, 3, [0.9, 0.2]), 0),
    (Grassmannian(4, 2), lambda r: _with_eigenvalues(r, [1, 0.7, 0.3, 0]), 3),
    (Grassmannian(4, 2), lambda r: _with_eigenvalues(r, [0.5, 0.5, 0.5, 0.5]), 1),
    (SpecialOrthogonal(), lambda r: _rotated(r, [1, 0.4, 0.4]), 3),
    (SpecialOrthogonal(), lambda r: _rotated(r, [0.8, 0.7, 0.5]), 1),
    (SpecialOrthogonal(), lambda _: np.zeros(9), 0),
]


def _orthogonal(rng, n):
    q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    return q * np.sign(np.linalg.det(q))  # n odd: a rotation


def _with_values(rng, n, s):
    return (_orthogonal(rng, n)[:, : len(s)] * s @ _orthogonal(rng, len(s)).T).ravel()


def _with_eigenvalues(rng, values):
    q = np.linalg.qr(rng.standard_normal((len(values),) * 2))[0]
    return vector(Grassmannian(len(values), 1), q * values @ q.T)


def _rotated(rng, s):
    return (_orthogonal(rng, 3) * s @ _orthogonal(rng, 3).T).ravel()


def _case(value):
    """A test id that every process gives alike: a function's repr holds an address."""
    return None if callable(value) and not hasattr(value, "prox") else str(value)


@pytest.mark.parametrize(("p", "point", "dimension"), FACES, ids=_case)
def test_normal_cone_on_faces(p, point, dimension):
    """Dimension by hand; distance against the projection on the polar of sampled chords, by prox."""
    rng = np.random.default_rng(11)
    x1 = point(rng)
    cone = p.subdifferential(x1)
    assert cone.dimension == dimension
    y = rng.standard_normal((6, p.dim))
    distance = cone.distance(y)
    # Moreau: y = P_N y + P_T y, and (prox(x1 + t·y) − x1)/t → P_T y, whose length is the distance. The second
    # derivative of a spectral function is at most 1/gap, and the gaps of these points are at least 0.1.
    for t in (1e-3, 1e-6):
        tangent = (p.prox(x1 + t * y, 1.0) - x1) / t
        error = np.abs(np.linalg.norm(tangent, axis=1) - distance)
        assert (error <= 10 * t * (1 + np.linalg.norm(y, axis=1) ** 2)).all()


@pytest.mark.parametrize("p", FAMILIES, ids=repr)
def test_boundary_distance_is_sharp(p):
    """Members within it stay in the cone; a sampled search finds no nearer exit, and gets close to it."""
    rng = np.random.default_rng(11)
    x0, x1 = p.sample(1, rng)
    cone = p.subdifferential(x1[0])
    radius = cone.boundary_distance(x0)[0]
    if np.isinf(radius):
        assert cone.contains(x0 + 1e3 * rng.standard_normal((20, p.dim))).all()
        return
    (group,) = p.manifolds(x1, x0)
    tangent = group.tangent[0]
    normal = rng.standard_normal((4000, p.dim))
    for _ in range(2):
        normal -= normal @ tangent @ tangent.T
        normal /= np.linalg.norm(normal, axis=1)[:, None]
    assert cone.contains(x0 + 0.999 * radius * normal).all()
    for _ in range(30):  # exits through the nearest facet: shrink towards the best direction
        reach = cone.boundary_distance(x0 + 0.9 * radius * normal)
        best = normal[reach.argmin()]
        normal = best + 0.5 * np.median(np.linalg.norm(normal - best, axis=1)) * rng.standard_normal(
            normal.shape
        )
        normal -= normal @ tangent @ tangent.T
        normal /= np.linalg.norm(normal, axis=1)[:, None]
    assert not cone.contains(x0 + 1.1 * radius * best).any()
