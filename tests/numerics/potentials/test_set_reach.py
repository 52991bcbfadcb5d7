"""How far a slope may move: ends of curves, corners where two curves end, straight pieces."""

import numpy as np
import pytest

from numerics.potentials import Arc, Curve, NearestPoint, PointCloud, Union
from numerics.potentials.chords import Envelope
from numerics.potentials.set_reach import slope_reach


def straight(direction):
    """The segment from 0 to ``direction``."""
    along = np.asarray(direction, dtype=float)
    return Curve(
        lambda t: np.outer(t, along),
        lambda t: np.outer(np.ones_like(t), along),
        lambda t: np.outer(np.zeros_like(t), along),
        (0.0, 1.0),
        closed=False,
    )


@pytest.mark.parametrize("step", [1e-6, 1e-2, 0.5, 1e3])
@pytest.mark.parametrize("away", [1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
def test_a_maximum_that_may_run_into_an_end_is_bounded_by_it(step, away):
    """On an arc drawn as a curve, at an angle from its end: |z|·sin of that, and what the arc states."""
    curve = Curve(
        lambda t: np.stack([np.cos(t), np.sin(t)], axis=1),
        lambda t: np.stack([-np.sin(t), np.cos(t)], axis=1),
        lambda t: -np.stack([np.cos(t), np.sin(t)], axis=1),
        (0.0, 2.5),
        closed=False,
    )
    place = np.array([[np.cos(away), np.sin(away)]])
    z = place + step * 2 * place
    found, exact = (
        NearestPoint(each).proximal_point(z, step).kink[0] for each in (curve, Arc(1.0, 0.0, 2.5))
    )
    assert exact <= np.linalg.norm(z) * np.sin(away) * (1 + 1e-6)
    assert 0 < found <= exact * (1 + 1e-9)


@pytest.mark.parametrize("room", [1e-6, 1e-4, 1e-3, 1e-2])
def test_at_a_corner_every_curve_that_ends_there_is_asked(room):
    """Two segments end in 0, each in a part of its own; z may move by λ·room until one of them is left."""
    sides = np.array([[0.0, 1.0, 2.0], [0.0, -1.0, 2.0]])
    parts = [
        Union(straight([x, 0.0, -0.5]), PointCloud([y])) for x, y in zip((-1.0, 1.0), sides, strict=True)
    ]
    target, step = NearestPoint(Union(*parts)), 0.5
    slope = np.array([0.625 - room, 0.0, 1.25])  # level at 0 and both points; 0.625 holds the second segment
    z = (0.3 * sides.sum(axis=0) + step * slope)[None]
    found = target.proximal_point(z, step)
    assert 0 < found.kink[0] <= step * room
    beyond = target.prox_jacobian(z + 2 * step * room * np.array([1.0, 0.0, 0.0]), step)
    assert np.linalg.norm(beyond - found.jacobian) > 0.1, "D prox jumps where the second segment is left for"


@pytest.mark.parametrize("curvature", [1.0, 100.0])
def test_straight_pieces_have_no_warnings(curvature):
    target, step = NearestPoint(straight([1.0, 0.0]), curvature), 0.5
    kink = target.proximal_point([[0.5 + 0.5 * curvature * step, 0.3]], step).kink
    assert 0 < kink[0] <= 0.5 * (1 + curvature * step)


def test_points_alone_have_the_margins_of_their_cells():
    """Of two points the first stays highest till the other is level: by the half that is taken, no less."""
    first, second = np.array([0.0, 0.0]), np.array([1.0, 2.0])
    target, step = NearestPoint(Union(PointCloud([first]), PointCloud([second])), 1.0), 0.5
    for slope in ([-1.0, 0.3], [0.5, 0.5], [0.0, -2.0]):
        kink = target.proximal_point(first + step * np.array([slope]), step).kink[0]
        level = (second @ second / 2 - slope @ second) / np.linalg.norm(second)
        assert 0 < step * level / 2 * (1 - 1e-9) <= kink <= step * level


@pytest.mark.parametrize("curve", [Curve.trefoil(), Curve.spiral(1.0), Curve.ellipse(2.0, 1.0)], ids=repr)
def test_points_far_along_the_curve_are_asked(curve):
    """No more than the points of a net eight times as dense allow that lie half a radius away."""
    a, envelope = 0.5, Envelope(curve, 0.5)
    slope = np.random.default_rng(2).standard_normal((60, curve.dim)) * a * curve.radius
    y = envelope.transport(slope)
    moves = np.linspace(0, 1, 8, endpoint=False)[:, None, None] * (np.roll(curve.net, -1, axis=0) - curve.net)
    dense = curve.nearest((curve.net + moves).reshape(-1, curve.dim))
    apart = np.linalg.norm(dense - y[:, None], axis=2)
    lower = ((slope[:, None] - a / 2 * (y[:, None] + dense)) * (y[:, None] - dense)).sum(axis=2)
    far = apart > 0.5 * curve.radius
    exact = np.min(lower / np.where(far, apart, 1.0), axis=1, where=far, initial=np.inf)
    found = slope_reach(envelope, y[:, None], slope)
    assert (found <= exact * (1 + 1e-6) + 1e-12).all()
    assert (found > 0).mean() > 0.5
