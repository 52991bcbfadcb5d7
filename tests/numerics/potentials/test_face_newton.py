"""Faces of curves by Newton: convex combinations, known to their statement at steps far below rounding."""

import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials import Curve, NearestPoint
from numerics.potentials.proximal_faces import face_of_prox

CURVES = [NearestPoint(Curve.spiral(1.5), 0.5), NearestPoint(Curve.trefoil(), 1.0)]


@pytest.mark.parametrize("target", CURVES, ids=repr)
@pytest.mark.parametrize("step", [1e-22, 1e-19, 2.5e-17, 1.0])
def test_prox_returns_the_data_point_within_its_statement(target, step):
    """At λ of 1e−17 least squares lost Σw = 1: the point was 8e−13 off the hull, more than was stated."""
    x0, x1 = target.sample(6, np.random.default_rng(5))
    z = x1 + step * x0
    found = target.proximal_point(z, step)
    formed = 2 * UNIT * (norms(x1) + step * norms(x0))
    allowed = found.rounding.point.bound + 2 * target.roundings.transport(x0).bound + formed
    assert (norms(found.point - x1) <= allowed).all()


@pytest.mark.parametrize("target", CURVES, ids=repr)
@pytest.mark.parametrize("step", [1e-19, 2.5e-17, 1.0])
def test_a_face_is_a_convex_combination(target, step):
    x0, x1 = target.sample(2, np.random.default_rng(6))
    for z in x1 + step * x0:
        chord, _ = face_of_prox(target._lifted, z, step)
        assert (chord.weights >= 0).all()
        assert abs(chord.weights.sum() - 1) <= len(chord.weights) * UNIT
