"""What is stated of K where the argument moves over a tie of a nearest point: K jumps with T."""

import numpy as np
import pytest
from mpmath import mp

from numerics.potentials import Arc, Curve, NearestPoint, PointCloud, Union

A, B = 2, 1


def _projection_slope(x, side):
    """K of the ellipse in 50 digits beside its long axis: from the foot's angle on that side, a = 1."""
    first, second = (mp.mpf(c) for c in x)

    def slope(t):
        tangent = -A * mp.sin(t), B * mp.cos(t)
        return (first - A * mp.cos(t)) * tangent[0] + (second - B * mp.sin(t)) * tangent[1]

    t = mp.findroot(slope, side * mp.acos(A * first / (A**2 - B**2)))
    tangent, square = (-A * mp.sin(t), B * mp.cos(t)), A**2 * mp.sin(t) ** 2 + B**2 * mp.cos(t) ** 2
    bend = square + (first - A * mp.cos(t)) * A * mp.cos(t) + (second - B * mp.sin(t)) * B * mp.sin(t)
    return [a * b / bend for a in tangent for b in tangent]


@pytest.mark.parametrize("radius", [1e-12, 1e-10, 1e-8])
def test_over_the_medial_axis_of_an_ellipse(radius):
    """At most what is stated, and most of it; short of the axis by more than roundings nothing is added."""
    p, rng = NearestPoint(Curve.ellipse(float(A), float(B))), np.random.default_rng(0)
    off = radius * rng.uniform(0.1, 0.9, 20)
    x = np.stack([rng.uniform(-1.3, 1.3, 20), off], axis=1)
    here, stated = p.transport_jacobian(x), p.roundings.transport_jacobian(x, moved=radius).bound
    with mp.workdps(50):
        for place, k, bound in zip(x, here, stated, strict=True):
            there = _projection_slope((place[0], mp.mpf(place[1]) - mp.mpf(radius)), -1)
            jump = mp.sqrt(sum((a - mp.mpf(b)) ** 2 for a, b in zip(there, k.ravel(), strict=True)))
            assert bound / 1.1 < jump <= bound
    short = p.roundings.transport_jacobian(x, moved=off / 2).bound
    assert (short < 100 * (off + 1e-14)).all()


def test_between_an_arc_and_an_atom():
    """K = 1/|x₀| on the arc of radius 1, and 0 at the atom: by all of it."""
    p = NearestPoint(Union(Arc(1.0, 0.3, 2.5), PointCloud([[0.0, 3.0]])))
    x = np.array([[0.0, 2 - 1e-12], [0.0, 2 + 1e-12]])
    stated = p.roundings.transport_jacobian(x, moved=3e-12).bound
    assert np.linalg.norm(np.diff(p.transport_jacobian(x), axis=0)) > 0.49
    assert (stated >= 0.5).all()
    assert (stated < 0.51).all()
    assert (p.roundings.transport_jacobian(x, moved=1e-13).bound < 1e-11).all()
