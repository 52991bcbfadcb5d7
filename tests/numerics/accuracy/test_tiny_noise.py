"""Noise where T or K has no value, or K is beyond the largest double: one error, no warning, the same in both."""

import numpy as np
import pytest

from numerics.potentials import Arc, Ellipsoid, NearestPoint, Sphere, Stiefel, Torus, product, rotate

TURN = np.array([[0.6, 0.8], [-0.8, 0.6]])
TARGETS = {
    "sphere": Sphere(3),
    "ellipsoid": Ellipsoid(np.diag([1.0, 2.0, 3.0])),
    "torus": NearestPoint(Torus(2.0, 0.5), 0.25),
    "arc": NearestPoint(Arc(1.0, 0.0, 2.0), 0.5),
    "Stiefel": Stiefel(2, 1),
    "turned": rotate(Sphere(2), TURN),
    "product": product(Sphere(2), Sphere(2)),
}


@pytest.mark.parametrize("size", [0.0, 5e-324, 1e-310, 1e-300, 1e-200])
@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_statements_of_k_fail_as_k_does(target, size):
    x0 = np.full((2, target.dim), size)
    x0[0] = 1.0
    try:
        found = target.transport_jacobian(x0)
    except ValueError as error:
        assert "row 1" in str(error)
        with pytest.raises(ValueError, match="row 1"):
            target.roundings.transport_jacobian(x0)
        return
    assert size > 0
    assert np.isfinite(found).all()
    bound = target.roundings.transport_jacobian(x0).bound
    assert np.isfinite(bound[0])
    assert bound[1] > 0
