"""What is stated of K where the argument moves over a tie of a nearest point: K jumps with T."""

import numpy as np
import pytest
from mpmath import mp
from scipy import stats

from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Curve,
    Ellipsoid,
    Grassmannian,
    NearestPoint,
    PointCloud,
    SpecialOrthogonal,
    Stiefel,
    Union,
    embed,
)

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


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize(
    ("p", "near"),
    [
        (Grassmannian(2, 1), lambda g: [1 + g, 0.0, 1.0]),
        (Grassmannian(3, 1), lambda g: [1 + g, 0.0, 0.0, 1.0, 0.0, 0.0]),
        (Stiefel(3, 2), lambda g: [1.0, 0.0, 0.0, g, 0.0, 0.0]),
        (Stiefel(3, 3), lambda g: np.diag([1.0, g / 2, g / 2]).ravel()),
        (SpecialOrthogonal(), lambda g: np.diag([1.0, g / 2, g / 2]).ravel()),
        (Ellipsoid(np.diag([1e12, 1.0])), lambda g: [0.3 * g, 1e6 * g]),
    ],
    ids=lambda each: repr(each) if hasattr(each, "dim") else "",
)
def test_k_bends_over_its_distance_from_a_jump(p, near, gap):
    """K is about 1/gap: a move of a thousandth changes it so much, however small the gap beside |x₀|."""
    x = np.array([near(gap)], dtype=float)
    radius, moved = gap / 1000, 0.0
    directions = np.concatenate([np.eye(p.dim), np.random.default_rng(0).standard_normal((40, p.dim))])
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    here = p.transport_jacobian(x)
    for sign in (1, -1):
        there = p.transport_jacobian(x + sign * radius * directions)
        moved = max(moved, float(np.linalg.norm(there - here, axis=(1, 2)).max()))
    stated = float(p.roundings.transport_jacobian(x, moved=radius).bound[0])
    assert moved <= 1.01 * stated
    assert stated <= 8 * moved


def test_k_that_is_zero_does_not_change():
    """Of the one projector on all of space, whose size is more than 4: its size over ‖K‖ overflows."""
    p = Grassmannian(20, 20)
    x0 = np.random.default_rng(0).standard_normal((1, p.dim))
    assert p.roundings.transport_jacobian(x0, moved=1e-9).bound[0] == 0


JUMPING = AtomAndDensity([0.0], [0.4], stats.norm(1.0))


@pytest.mark.parametrize("radius", [1e-12, 1e-9, 1e-3])
@pytest.mark.parametrize("side", [-1, 1])
def test_at_the_end_of_an_atoms_interval(side, radius):
    """T' jumps from 0 to Q'(Φ)φ: it is stated where the end is within the radius, else next to nothing.

    A difference over the radius straddles the end, too: it adds half of the jump.
    """
    end = float(JUMPING.law.stops[0])
    x = np.array([[end + side * radius / 2]])
    jump = np.abs(JUMPING.transport_jacobian(x - side * radius) - JUMPING.transport_jacobian(x)).max()
    assert jump > 1
    assert jump <= JUMPING.roundings.transport_jacobian(x, moved=radius).bound[0] <= 1.6 * jump
    own = JUMPING.law.backward(np.array([end]))[0]  # what the end itself errs by
    for share in (0.3, 0.6, 0.9):
        beyond = np.array([[end + side * (radius + share * own)]])
        assert JUMPING.roundings.transport_jacobian(beyond, moved=radius).bound[0] >= (1 - 10 * radius) * jump
    short = JUMPING.roundings.transport_jacobian(x, moved=radius / 4).bound[0]
    bends = 10 * (JUMPING.transport_jacobian(x)[0, 0, 0] > 0)
    assert short <= JUMPING.roundings.transport_jacobian(x).bound[0] + bends * radius


def test_an_embedded_law_beside_the_end_of_an_atoms_interval():
    """Far off the line Vᵀx₀ errs by more than its distance from the end: K of either side is allowed for."""
    direction, normal = np.array([0.6, 0.8]), np.array([-0.8, 0.6])
    p, end = embed(JUMPING, direction[:, None]), float(JUMPING.law.stops[0])
    x0 = (end - 1e-13) * direction + 1e6 * normal
    with mp.workdps(40):
        exact = sum(mp.mpf(c) * mp.mpf(v) for c, v in zip(x0, direction, strict=True))
    assert abs(float(exact) - end) < 1e-9
    jump = np.abs(np.diff(JUMPING.transport_jacobian([[end - 1e-9], [end + 1e-9]]), axis=0)).max()
    assert jump <= p.roundings.transport_jacobian(x0[None]).bound[0] <= 2 * jump


@pytest.mark.parametrize("off", [0.3, 3.0])
@pytest.mark.parametrize("beyond", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_k_bends_over_its_distance_from_a_focal_point(beyond, off):
    """Beside the cusp (3/2, 0) of the ellipse's evolute K changes over beyond^{3/2} across the axis."""
    p, width = NearestPoint(Curve.ellipse(float(A), float(B))), beyond**1.5
    x = np.array([[1.5 + beyond, off * width]])
    turn = np.linspace(0, 2 * np.pi, 33)
    there = x + 1e-3 * width * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    moved = np.linalg.norm(p.transport_jacobian(there) - p.transport_jacobian(x), axis=(1, 2))
    stated = p.roundings.transport_jacobian(x, moved=1e-3 * width).bound[0]
    own = p.roundings.transport_jacobian(there).bound
    assert (moved <= 1.01 * stated + own).all()
    assert stated <= 5 * moved.max() + 100 * own.max()
