"""Chords of the hull that a set touches without a corner: φ is finite there, and ∂φ empty.

On such a chord φ is (a/2)((1−w)|y|² + w|y'|²) by hand; a point that is off the hull by the domain's rounding
may be answered for it, where φ is less by the square root of that.
"""

import numpy as np
import pytest

from numerics.potentials import Arc, NearestPoint, PointCloud, Torus, Union
from numerics.potentials.curves import Ellipse


def _tangent_arc(rng):
    """An arc touched inside or at its end, and a point on the tangent."""
    radius, gap = 10 ** rng.uniform(-1, 0.5), 10 ** rng.uniform(-1, 1)
    arc = Arc(radius, -rng.integers(0, 2) * rng.uniform(0.1, 1.5), rng.uniform(0.01, 1.5))
    other = np.array([radius, -gap])
    return Union(arc, PointCloud(other[None])), np.array([radius, 0.0]), other


def _end_alone(rng):
    """The tangent at an arc's end, on to a point on the arc's own side."""
    radius = 10 ** rng.uniform(-1, 0.5)
    other = np.array([radius, -radius * rng.uniform(0.5, 4)])
    return Union(Arc(radius, -0.25, 0.0), PointCloud(other[None])), np.array([radius, 0.0]), other


def _two_arcs(rng):
    """Two arcs on one side of a line that touches both."""
    (one, two), turn = 10 ** rng.uniform(-0.5, 0.5, 2), rng.uniform(0, 2 * np.pi)
    normal, tangent = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    y = rng.standard_normal(2)
    other = y + (one + two) * 10 ** rng.uniform(0, 1) * tangent
    arcs = (
        Arc(radius, turn - rng.uniform(0.1, 1.4), turn + rng.uniform(0.1, 1.4), tuple(at - radius * normal))
        for radius, at in ((one, y), (two, other))
    )
    return Union(*arcs), y, other


def _ellipse(rng):
    curve, t = Ellipse(*10 ** rng.uniform(-0.5, 0.5, 2)), rng.uniform(0, 2 * np.pi)
    y = curve.semi_axes * [np.cos(t), np.sin(t)]
    tangent = curve.semi_axes * [-np.sin(t), np.cos(t)]
    other = y + tangent * 10 ** rng.uniform(-0.5, 1)
    return Union(curve, PointCloud(other[None])), y, other


def _torus(rng):
    """A tangent of the outer half, where the torus is on one side of its tangent planes."""
    torus, turn, up = Torus(2.0, 1.5 * 10 ** rng.uniform(-1, 0)), *rng.uniform(-1.4, 1.4, 2)
    out = np.array([np.cos(turn), np.sin(turn), 0.0])
    normal = np.cos(up) * out + np.array([0.0, 0.0, np.sin(up)])
    y = torus.major * out + torus.minor * normal
    tangent = np.cross(normal, rng.standard_normal(3))
    other = y + tangent / np.linalg.norm(tangent) * 3 * 10 ** rng.uniform(0, 1)
    return Union(torus, PointCloud(other[None])), y, other


@pytest.mark.parametrize(
    ("kind", "sets"), [(_tangent_arc, 3), (_end_alone, 2), (_two_arcs, 2), (_ellipse, 1), (_torus, 2)]
)
def test_phi_on_the_chord_is_the_mixture_of_its_ends(rng, kind, sets):
    for _ in range(sets):
        closed_set, y, other = kind(rng)
        target = NearestPoint(closed_set, 10 ** rng.uniform(-1, 1))
        w = np.concatenate([rng.uniform(0.01, 0.99, 1), 10.0 ** -rng.uniform(2, 10, 2)])
        x = (1 - w)[:, None] * y + w[:, None] * other
        ends = target.curvature / 2 * np.array([y @ y, other @ other])
        size = target.curvature * closed_set.radius**2
        fall = np.sqrt(4 * target.roundings.domain(x).bound / closed_set.radius) * (w < 0.01)
        assert (np.abs(target.value(x) - (1 - w) * ends[0] - w * ends[1]) <= (1e-12 + fall) * size).all()


@pytest.mark.parametrize("depth", [1e-4, 1e-7, 1e-10, 1e-12])
def test_beside_the_chord_phi_falls_as_the_square_root(depth):
    """The chord from (1, −2) through (1−δ, −1) meets |y| = 1 where a quadratic says, and φ mixes its ends."""
    target = NearestPoint(Union(Arc(1.0, -0.25, 1.5), PointCloud([[1.0, -2.0]])), 0.25)
    x, corner = np.array([1 - depth, -1.0]), np.array([1.0, -2.0])
    along = x - corner
    square, half, rest = along @ along, along @ corner, corner @ corner - 1
    far = (-half - np.sqrt(half**2 - square * rest)) / square  # corner + far·along on the circle, first hit
    expected = 0.125 * ((1 - 1 / far) * 5 + 1 / far)
    assert np.isclose(target.value(x[None])[0], expected, rtol=0, atol=1e-15 / np.sqrt(depth))


@pytest.mark.parametrize("kind", [_end_alone, _two_arcs])
def test_off_the_hull_phi_is_infinite_and_on_the_chord_nothing_is_a_subgradient(rng, kind):
    closed_set, y, other = kind(rng)
    target = NearestPoint(closed_set, 0.5)
    middle = (y + other) / 2
    inside = closed_set.net.mean(axis=0)
    out = middle - inside
    out -= (out @ (other - y)) / ((other - y) @ (other - y)) * (other - y)
    beyond = middle + 1e-9 * closed_set.radius * out / np.linalg.norm(out)
    assert np.isinf(target.value(beyond[None])).all()
    with pytest.raises(ValueError, match="∂φ is empty"):
        target.subdifferential(middle)
