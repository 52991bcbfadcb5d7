"""A point that counts as inside the domain in a batch has a ∂φ alone, too, where sums may round otherwise."""

import numpy as np
import pytest

from numerics.potentials import (
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    Grassmannian,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    embed,
    product,
    rotate,
    translate,
)

TURN = np.array([[0.6, -0.8], [0.8, 0.6]])
FRAME = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 3)))[0]
FORM = np.array([[2.0, 0.5, 0.25], [0.5, 1.0, 0.125], [0.25, 0.125, 0.5]])
# Not of the one list: a border of each kind of domain, turned and alone.
TARGETS = {
    "pentagon": FiniteAtoms.regular_polygon(5),
    "turned pentagon": rotate(FiniteAtoms.regular_polygon(5), TURN),
    "moved and turned": translate(rotate(FiniteAtoms.regular_polygon(5), TURN), [3.0, -1.0]),
    "octahedron in five dimensions": embed(FiniteAtoms.cross_polytope(3), FRAME),
    "turned beside a sphere": product(rotate(FiniteAtoms.regular_polygon(4), TURN), Sphere(3)),
    "sphere": Sphere(7),
    "sphere in five dimensions": embed(Sphere(3), FRAME),
    "ellipsoid": Ellipsoid(FORM),
    "Gaussian in a plane": DegenerateGaussian([1.0, 2.0, 3.0], FORM[:, :2] @ FORM[:, :2].T),
    "Stiefel": Stiefel(3, 2),
    "Grassmannian": Grassmannian(3, 1),
    "rotations": SpecialOrthogonal(),
}


def beside_the_border(target, rng, n):
    """Points x + sw, w a direction that leaves the domain at x, s within 2 % of where φ becomes +∞ alone."""
    x1 = target.sample(n, rng)[1]
    away = rng.standard_normal(x1.shape)
    away /= np.linalg.norm(away, axis=1)[:, None]
    low, high = np.zeros(n), np.full(n, 1e-9 * target.scale)
    leaves = np.isinf(target.value(x1 + high[:, None] * away))
    for _ in range(30):
        middle = (low + high) / 2
        inside = np.isfinite(target.value(x1 + middle[:, None] * away))
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    s = low * rng.uniform(0.98, 1.02, n)
    return (x1 + s[:, None] * away)[leaves]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_has_a_value_has_subgradients(target):
    x = beside_the_border(target, np.random.default_rng(1), 800)
    finite = np.isfinite(target.value(x))
    assert 0 < finite.sum() < len(finite)
    for point in x[finite]:
        assert target.subdifferential(point) is not None
    assert sum(1 for _ in target.subdifferentials(x[finite])) == finite.sum()


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_is_clearly_outside_has_none(target):
    x1 = target.sample(20, np.random.default_rng(2))[1]
    x = x1 + 1e-3 * target.scale * np.random.default_rng(3).standard_normal(x1.shape)
    outside = x[np.isinf(target.value(x))]
    assert len(outside)
    for point in outside:
        with pytest.raises(ValueError, match="x1"):
            target.subdifferential(point)
