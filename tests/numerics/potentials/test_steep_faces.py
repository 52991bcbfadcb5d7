"""Chords of the hull that a set touches without a corner: φ is finite there, and ∂φ empty.

On such a chord φ is (a/2)((1−w)|y|² + w|y'|²) by hand; a point that is off the hull by the domain's rounding
may be answered for it, where φ is less by the square root of that.
"""

import numpy as np
import pytest
from scipy.optimize import linprog

from numerics.potentials import Arc, NearestPoint, PointCloud, Torus, Union
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.curves import Curve, Ellipse
from numerics.potentials.steep_faces import steep_face


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
    ("kind", "sets"), [(_tangent_arc, 2), (_end_alone, 1), (_two_arcs, 1), (_ellipse, 1), (_torus, 1)]
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


def test_off_the_hull_phi_is_infinite_and_on_the_chord_nothing_is_a_subgradient(rng):
    closed_set, y, other = _end_alone(rng)
    target = NearestPoint(closed_set, 0.5)
    middle = (y + other) / 2
    inside = closed_set.net.mean(axis=0)
    out = middle - inside
    out -= (out @ (other - y)) / ((other - y) @ (other - y)) * (other - y)
    away = np.array([[1e-9], [1e-4]]) * closed_set.radius
    assert np.isinf(target.value(middle + away * out / np.linalg.norm(out))).all()
    with pytest.raises(ValueError, match="∂φ is empty"):
        target.subdifferential(middle)


@pytest.mark.parametrize("start", [-0.25, 0.25])
def test_beside_an_edge_phi_is_affine(start):
    """Between the points (1, −2) and (1, −3), whose triangles with an atom of the arc have bounded slopes."""
    target = NearestPoint(Union(Arc(1.0, start, 1.5), PointCloud([[1.0, -2.0], [1.0, -3.0]])), 1.0)
    depth = np.array([0.0, 1e-13, 1e-12, 1e-10, 1e-8, 1e-6, 1e-5])
    value = target.value(np.stack([1 - depth, np.full(7, -2.3)], axis=1))
    at_edge = 0.7 * 2.5 + 0.3 * 5
    slope = (value[-1] - at_edge) / depth[-1]
    # The triangle's atom turns by less than its weight, so the slope by less than 10 times the depth.
    assert (np.abs(value - at_edge - slope * depth) <= 10 * depth * depth[-1] + 1e-13).all()


@pytest.fixture(scope="module")
def touched_in_space():
    """A circle that touches z = 0 at the first corner of a triangle there, and the two others."""
    corners = np.array([[1.0, 0.0, 0.0], [-1.0, 2.0, 0.0], [-0.5, -2.0, 0.0]])
    place = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    circle = Curve(
        lambda t: corners[0] - place[1] + np.stack([np.cos(t), np.sin(t)], axis=1) @ place,
        lambda t: np.stack([-np.sin(t), np.cos(t)], axis=1) @ place,
        lambda t: -np.stack([np.cos(t), np.sin(t)], axis=1) @ place,
        samples=128,
    )
    return NearestPoint(Union(circle, PointCloud(corners[1:])), 1.0), corners


@pytest.mark.parametrize("thin", [1e-1, 1e-3, 1e-5, 1e-7])
def test_in_a_face_of_three_atoms_phi_is_the_mixture(touched_in_space, thin):
    target, corners = touched_in_space
    weights = np.array([(1 - thin) / 2, (1 - thin) / 2, thin])
    mixture = weights @ (corners**2).sum(axis=1) / 2
    assert np.isclose(target.value((weights @ corners)[None])[0], mixture, rtol=0, atol=1e-13)


@pytest.mark.parametrize("depth", [1e-2, 1e-4, 1e-8, 1e-10])
def test_below_an_edge_of_such_a_face_phi_is_between_its_bounds(touched_in_space, depth):
    """Below the middle of an edge: a mixture of its end and of the disc's point on its axis, at (1, 0, −2δ).

    That point is amid (1 ± √(1 − (1−2δ)²), 0, −2δ) on the circle; φ is above every ⟨p,·⟩ − φ*(p).
    """
    target, corners = touched_in_space
    drop = np.array([0.0, 0.0, 2 * depth])
    x = ((corners[1] + corners[0] - drop) / 2)[None]
    value = target.value(x)[0]
    away = np.sqrt(1 - (1 - 2 * depth) ** 2)
    ends = [0.5 * ((1 + sign * away) ** 2 + 4 * depth**2) for sign in (-1, 1)]
    assert value <= (2.5 + sum(ends) / 2) / 2 + 1e-13
    slopes = np.concatenate([target.proximal_point(x, 10.0**-k).dual for k in range(8)])
    lowest = slopes @ x[0] - target.conjugate(slopes)
    assert lowest.max() - 1e-12 * (1 + np.abs(slopes).max()) <= value
    assert value <= lowest.max() + 1e-4  # λ|p|² for the steps that p is moderate at


def _least_mixture(circle, points, height, x):
    """The least Σ w|y|²/2 with Σ w y = x over points and a circle around 0 in one plane, by linear programs.

    Every program's multiplier s asks for the point of the circle that is highest for it, 2s/|s|.
    """
    angles = np.append(np.linspace(0, 2 * np.pi, 17), np.arctan2(x[1], x[0]))
    atoms = np.concatenate([points, circle * np.stack([np.cos(angles), np.sin(angles)], axis=1)])
    for _ in range(60):
        rows, right = np.vstack([atoms.T, np.ones(len(atoms))]), np.append(x, 1.0)
        tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
        found = linprog((atoms**2).sum(axis=1) / 2, A_eq=rows, b_eq=right, method="highs", options=tight)
        slope, level = found.eqlin.marginals[:2], found.eqlin.marginals[2]
        if circle * np.linalg.norm(slope) + level <= circle**2 / 2 + 1e-13:
            break
        atoms = np.vstack([atoms, circle * slope / np.linalg.norm(slope)])
    return found.fun + height**2 / 2


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("torus_first", [False, True])
def test_of_many_faces_in_a_plane_that_is_touched_the_lowest_holds(rng, count, torus_first):
    """The top circle of a torus and points in its plane: every triangle of theirs is level there."""
    points = np.append(rng.uniform(-1.2, 1.2, (count, 2)), np.full((count, 1), 0.25), axis=1)
    parts = Torus(2.0, 0.25), PointCloud(points)
    target = NearestPoint(Union(*parts if torus_first else parts[::-1]), 1.0)
    radius, angle = 2 - 10.0 ** -rng.uniform(0, 5, 5), rng.uniform(0, 2 * np.pi, 5)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(5, 0.25)], axis=1)
    expected = [_least_mixture(2.0, points[:, :2], 0.25, each[:2]) for each in x]
    assert np.allclose(target.value(x), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("depth", [1e-12, 8.2e-10, 1e-8, 1e-6])
def test_just_below_such_a_plane_phi_is_finite_and_near(depth):
    """φ is convex: along the way up to the plane it falls short of the chord, and it is above every plane."""
    target = NearestPoint(Union(PointCloud([[0.3, 0.1, 0.25]]), Torus(2.0, 0.25)), 1.0)
    x = np.array([1.9887132246007793, -0.209414953861756, 0.25 - depth])
    top = _least_mixture(2.0, np.array([[0.3, 0.1]]), 0.25, x[:2])
    below = target.value((x - [0, 0, 0.25 - depth])[None])[0]
    share = depth / 0.25
    assert target.value(x[None])[0] <= (1 - share) * top + share * below + 1e-13
    slopes = np.concatenate([target.proximal_point(x[None], 10.0**-k).dual for k in range(9)])
    lowest = (slopes @ x - target.conjugate(slopes)).max()
    assert lowest - 1e-9 <= target.value(x[None])[0]


def test_an_infinite_slope_makes_no_chord_a_face():
    """Every point is level for it as far as rounding tells; a chord through a torus is none."""
    closed_set = Union(PointCloud([[0.3, 0.1, 0.25]]), Torus(2.0, 0.25))
    near = Chord(
        np.array([[2.25, 0.0, 0.0], [-1.75, 0.0, 0.0]]), np.full(2, 0.5), np.array([0.0, 0.0, np.inf])
    )
    with np.errstate(invalid="ignore"):  # Newton from there is not a number
        assert steep_face(Envelope(closed_set, 1.0), near, near.point, 1e-13) is None


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_chord_through_the_hull_is_no_face(side):
    """Its ends are corners, so the conditions hold on it; points of the set are beyond on both sides."""
    closed_set = Union(Arc(1.0, -0.25, 1.5), PointCloud([[1.0, -2.0], [-3.0, 0.0], [-3.0, -3.0]]))
    ends = np.array([[1.0, -2.0], [-3.0, 0.0]])
    near = Chord(ends, np.full(2, 0.5), side * 1e6 * np.array([1.0, 2.0]))
    assert steep_face(Envelope(closed_set, 1.0), near, near.point, 1e-13, beside=False) is None


@pytest.mark.parametrize("reach", [0.0, 1e-3])
def test_a_face_drawn_to_another_is_at_its_share_of_the_way(rng, reach):
    one, other = (Chord(rng.standard_normal((k, 3)), rng.dirichlet(np.ones(k)), np.ones(3)) for k in (3, 2))
    other.atoms[0] = one.atoms[1] + (reach / 4 or 0.01)
    drawn = one.drawn_to(other, 0.1, reach)
    assert len(drawn.atoms) == (4 if reach else 5)
    assert np.isclose(drawn.weights.sum(), 1, rtol=0, atol=1e-15)
    expected = 0.1 * one.point + 0.9 * other.point
    assert np.allclose(drawn.point, expected, rtol=0, atol=reach + 1e-15)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_a_point_above_a_chord_is_noticed_as_far_as_rounding_tells(size):
    """(0, 1) is above the level of (±1, 0) by p₂ at the slope (0, p₂), all times the size."""
    cloud = PointCloud(size * np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    chord = Chord(cloud.net[:2], np.full(2, 0.5), np.zeros(2))
    envelope = Envelope(cloud, 1.0)
    for above, level in ((-1e-14, True), (1e-16, True), (1e-13, False), (1e-8, False)):
        assert envelope.is_level(chord, size * np.array([0.0, above])) is level
    assert envelope.is_level(chord, size * np.array([0.0, 1e-8]), flat=2e-8 * size**2)
