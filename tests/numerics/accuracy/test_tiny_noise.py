"""Noise where K has no value or is beyond the largest double: one error, and no warning, in both members."""

import numpy as np
import pytest

from numerics.potentials import Arc, Ellipsoid, NearestPoint, Sphere, Stiefel, Torus, product, rotate
from numerics.potentials.instances import instances

TURN = np.array([[0.6, 0.8], [-0.8, 0.6]])
# Not of the one list: those whose T jumps at 0, alone and in rules.
TARGETS = {
    "sphere": Sphere(3),
    "ellipsoid": Ellipsoid(np.diag([1.0, 2.0, 3.0])),
    "torus": NearestPoint(Torus(2.0, 0.5), 0.25),
    "arc": NearestPoint(Arc(1.0, 0.0, 2.0), 0.5),
    "Stiefel": Stiefel(2, 1),
    "turned": rotate(Sphere(2), TURN),
    "product": product(Sphere(2), Sphere(2)),
}


def answered(member, x0):
    """What a member returns, and the words of its error."""
    try:
        return member(x0), ""
    except ValueError as error:
        return None, str(error)


@pytest.mark.parametrize("size", [0.0, 5e-324, 1e-310, 1e-300, 1e-200])
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_the_statement_of_k_fails_as_k_does(target, size):
    x0 = np.full((2, target.dim), size)
    x0[0] = 1.0
    found, words = answered(target.transport_jacobian, x0)
    stated, same = answered(target.roundings.transport_jacobian, x0)
    assert same == words
    if found is None:
        assert "row 1" in words
    else:
        assert size > 0
        assert np.isfinite(found).all()
        assert np.isfinite(stated.bound[0])
        assert stated.bound[1] > 0


@pytest.mark.parametrize("instance", instances(), ids=lambda instance: repr(instance.potential)[:70])
def test_every_statement_at_tiny_points_is_a_number(instance):
    """At 0, and where coordinates are below the normal numbers: or it is refused in a sentence of its own."""
    p, first, last = instance.potential, *np.eye(instance.dim)[[0, -1]]
    points = np.stack([0 * first, 5e-324 * first, -5e-324 * last, np.full(p.dim, 1e-310), 1e-300 * first])
    statements = p.roundings.transport, p.roundings.transport_jacobian
    for x in points[:, None]:
        for moved in (0.0, 1e-9):
            asked = [answered(lambda at, of=of, by=moved: of(at, moved=by), x) for of in statements]
            asked.append(answered(lambda at, by=moved: p.roundings.prox_jacobian(at, 1.0, moved=by), x))
            for found, words in asked:
                assert "of a rounding" not in words
                assert found is None or (found.bound >= 0).all()
        assert p.roundings.conjugate(x).bound[0] >= 0
        solved = p.proximal_point(x, 1.0)
        assert solved.kink[0] >= 0
        assert solved.rounding.point.bound[0] < np.inf
