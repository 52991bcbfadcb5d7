"""Closed sets: bad input, a curve of one's own, sets rebuilt from their repr, and moves along them."""

import mpmath
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials import Arc, Curve, FiniteAtoms, NearestPoint, PointCloud, Torus, Union
from numerics.potentials.strata import curved, retracted
from tests.numerics.potentials.nearest_sets import ARC, FAMILIES


def _circle(t):
    return np.stack([np.cos(t), np.sin(t)], axis=1)


def _tangent(t):
    return np.stack([-np.sin(t), np.cos(t)], axis=1)


class _Disc:
    """The flat unit disc of the plane z = 0: a surface with an edge."""

    dim, radius, error, spacing = 3, 1.0, 1e-15, 0.4
    net = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])

    def nearest(self, points):
        return points * [1.0, 1.0, 0.0] / np.maximum(norms(points[:, :2]), 1)[:, None]

    def nearest_rounding(self, points, images, moved):
        return 4 * UNIT + moved

    def rivals(self, points):
        return self.nearest(points)[:, None]

    def strata(self, points):
        edge = norms(points[:, :2]) >= 1
        rows, inside = np.flatnonzero(edge), np.flatnonzero(~edge)
        tangent = np.stack([-points[rows, 1], points[rows, 0], 0 * points[rows, 2]], axis=1)[:, :, None]
        flat = np.broadcast_to(np.eye(3)[:, :2], (len(inside), 3, 2))
        return [
            curved(rows, tangent, -points[rows][:, None, None]),
            curved(inside, flat, np.zeros((len(inside), 2, 2, 3))),
        ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NearestPoint(_Disc()), r"a surface with an edge \(strata of dimensions \[1, 2\]\)"),
        (lambda: NearestPoint(Union(Torus(2.0, 0.5), _Disc())), "a surface with an edge"),
        (lambda: Arc(-1.0, 0.0, 1.0), "radius: got -1"),
        (lambda: Arc(1.0, 0.0, 7.0), "stop: got 7"),
        (lambda: Arc(1.0, 0.0, 1.0, (1.0,)), "centre: got shape"),
        (lambda: Torus(1.0, 1.0), "minor: got 1"),
        (lambda: Curve.ellipse(0.0, 1.0), "a: got 0"),
        (lambda: Curve.spiral(-1.0), "turns: got -1"),
        (lambda: Curve(_circle, _tangent, lambda t: -_circle(t), (0.0, 1.0)), "closed: got True"),
        (lambda: Curve(_circle, _tangent, lambda t: -_circle(t), closed=False), "closed: got False"),
        (lambda: Curve(_circle, _circle, lambda t: -_circle(t)), "velocity: is not the derivative"),
        (lambda: Curve(_circle, _tangent, _circle), "acceleration: is not the derivative"),
        (lambda: Curve(_circle, _tangent, lambda t: -_circle(t), (1.0, 0.0)), "interval: got"),
        (lambda: Curve(lambda t: _circle(t) / t[:, None], _tangent, _circle), "position"),
        (lambda: Union(Arc(1.0, 0.0, 1.0), Torus(2.0, 1.0)), "second: lies in R"),
        (lambda: NearestPoint(Torus(2.0, 1.0), 0.0), "curvature: got 0"),
        (lambda: ARC.transport([[1.0, 1j]]), "complex"),
        (lambda: ARC.subdifferential([5.0, 5.0]), "not in the hull"),
        (lambda: ARC.manifold([0.5, 0.0], [0.0, 1.0]), "row 0 is not on the set"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message), np.errstate(all="ignore"):
        make()


def test_a_curve_of_ones_own():
    """A parabola by three functions: T is the root of a cubic."""
    curve = Curve(
        lambda t: np.stack([t, t**2], axis=1),
        lambda t: np.stack([np.ones_like(t), 2 * t], axis=1),
        lambda t: np.stack([np.zeros_like(t), np.full_like(t, 2.0)], axis=1),
        (-2.0, 2.0),
        closed=False,
    )
    p = NearestPoint(curve, 2.0)
    x = np.array([[0.4, 1.3], [-0.7, 0.2], [0.3, -1.0]])
    for point, image in zip(x, p.transport(2 * x), strict=True):
        roots = np.roots([2.0, 0.0, 1 - 2 * point[1], -point[0]])
        t = roots[np.abs(roots.imag) < 1e-9].real
        best = t[((np.stack([t, t**2], axis=1) - point) ** 2).sum(axis=1).argmin()]
        assert image == pytest.approx([best, best**2], abs=1e-12)


@pytest.mark.parametrize("p", FAMILIES, ids=repr)
def test_repr_rebuilds_the_set(p):
    names = {"NearestPoint": NearestPoint, "Arc": Arc, "Curve": Curve, "Torus": Torus, "Union": Union}
    rebuilt = eval(repr(p), names | {"PointCloud": PointCloud})
    x0 = np.random.default_rng(3).standard_normal((20, p.dim))
    assert np.array_equal(rebuilt.transport(x0), p.transport(x0))


def test_a_point_cloud_is_still_finite_atoms():
    p = NearestPoint(PointCloud([[0.0, 1.0], [2.0, 0.0]]), 0.5)
    assert isinstance(p, FiniteAtoms)
    assert isinstance(p, NearestPoint)
    assert np.array_equal(p.heights, [0.25, 1.0])
    assert p.conic is not NearestPoint.conic


@pytest.mark.parametrize(
    "closed_set",
    [
        Curve.spiral(1.5),
        Curve.trefoil(),
        Curve.ellipse(2.0, 1.0),
        Union(Curve.ellipse(2.0, 1.0), Curve.spiral(1.0)),
    ],
    ids=repr,
)
def test_retracting_agrees_with_projecting_to_first_order(closed_set):
    """|retract(y, sm) − nearest(y + sm)| = O(s²), and what it returns lies on the set."""
    rng = np.random.default_rng(3)
    y = closed_set.nearest(2 * rng.standard_normal((200, closed_set.dim)))
    moves = rng.standard_normal(y.shape)
    off = []
    for s in (1e-3, 1e-4):
        images = retracted(closed_set, y, s * moves)
        assert norms(images - closed_set.nearest(images)).max() <= 4 * closed_set.error
        off.append(norms(images - closed_set.nearest(y + s * moves)))
    nine_in_ten = [np.quantile(values, 0.9) for values in off]  # the rest are beside ends
    assert nine_in_ten[0] > 0
    assert nine_in_ten[1] <= 1.5e-2 * nine_in_ten[0] + 4 * closed_set.error


def test_where_the_parameter_begins_changes_nothing():
    """A closed curve drawn from another of its points: retracting goes round where the parameter ends."""

    def drawn(start):
        def at(t):
            return np.stack([2 * np.cos(t), np.sin(t)], axis=1)

        def velocity(t):
            return np.stack([-2 * np.sin(t), np.cos(t)], axis=1)

        return Curve(at, velocity, lambda t: -at(t), (start, start + 2 * np.pi))

    first, second = drawn(0.0), drawn(1.0)
    angle = np.concatenate([np.linspace(0, 6, 13), [0.9, 1.1]])
    y = np.stack([2 * np.cos(angle), np.sin(angle)], axis=1)
    tangent = np.stack([-2 * np.sin(angle), np.cos(angle)], axis=1)
    for far in (0.3, -0.3):
        expected = np.stack([2 * np.cos(angle + far), np.sin(angle + far)], axis=1)
        for one in (first, second):
            np.testing.assert_allclose(retracted(one, y, far * tangent), expected, atol=4 * one.error)


def test_the_rival_of_an_ellipse_is_across_its_long_axis():
    """On it, inside the medial axis, both are as near; elsewhere the mirror image is farther."""
    for axes, long in (((2.0, 1.0), 0), ((1.0, 3.0), 1)):
        ellipse = Curve.ellipse(*axes)
        x = np.zeros((3, 2))
        x[:, long] = [0.0, 0.3, -0.5]
        x[2, 1 - long] = 0.25
        best, rival = np.moveaxis(ellipse.rivals(x), 1, 0)
        mirror = np.where(np.arange(2) == long, 1.0, -1.0)
        assert (rival == best * mirror).all()
        near, far = norms(x - best), norms(x - rival)
        np.testing.assert_allclose(near[:2], far[:2], rtol=1e-14)
        assert far[2] > near[2] + 0.1


def test_far_away_a_union_still_takes_the_better_part():
    """φ* against 40 digits, far out, where the end of an arc and a point are about as near.

    Their distances differ there by less than they are rounded; the wrong one costs φ* more than it states.
    """
    a, end = 0.25, mpmath.matrix([mpmath.cos(2) / 2, mpmath.sin(2) / 2])
    p = NearestPoint(Union(Arc(0.5, 2.0, 4.0), PointCloud([[1.25, -1.25]])), a)
    rng = np.random.default_rng(5)
    chord = np.array([float(end[0]) - 1.25, float(end[1]) + 1.25])
    along = np.array([-chord[1], chord[0]]) / np.linalg.norm(chord)
    along *= np.sign(along @ [1.0, 1.0])
    length = 10.0 ** rng.uniform(2, 7, 200)
    level = a / 2 * (0.25 - 2 * 1.25**2)  # ⟨x₀, chord⟩ where both are as near
    beside = level + rng.uniform(-1, 1, 200) * 1e-16 * length**2  # to the rounding of a squared distance
    x0 = length[:, None] * along + beside[:, None] * chord / (chord @ chord)
    with mpmath.workdps(40):
        exact = []
        for x in x0:
            x = [mpmath.mpf(float(v)) for v in x]
            both = [
                (q, x[0] * q[0] + x[1] * q[1] - a * (q[0] ** 2 + q[1] ** 2) / 2) for q in (end, (1.25, -1.25))
            ]
            exact.append(max(both, key=lambda pair: pair[1])[1])
        error = np.array(
            [float(mpmath.mpf(float(f)) - e) for f, e in zip(p.conjugate(x0), exact, strict=True)]
        )
    assert (np.abs(error) <= p.roundings.conjugate(x0).bound).all()


@pytest.mark.parametrize("curve", [Curve.spiral(1.5), Curve.trefoil()], ids=["spiral", "trefoil"])
def test_far_away_a_curve_takes_the_best_of_its_minima(curve):
    """φ*(x) ≥ ⟨x,y⟩ − (a/2)|y|² for y all along the curve, far out, where two places are about as near."""
    a, rng = 0.5, np.random.default_rng(4)
    p = NearestPoint(curve, a)
    y = curve._gamma(np.linspace(curve._start, curve._stop, 100_001))
    half, wide = a / 2 * (y**2).sum(axis=1), y.astype(np.longdouble)

    def best(x):
        return y[(y @ x - half).argmax()]

    ties = []
    for _ in range(20):
        far = 10.0 ** rng.uniform(5, 7) * rng.standard_normal((2, p.dim))
        low, high = map(best, far)
        for _ in range(60):  # to where what is best jumps from one side to the other
            middle = far.mean(axis=0)
            here = best(middle)
            if norms(here - low) > norms(here - high):
                far[1], high = middle, here
            else:
                far[0], low = middle, here
        chord = high - low
        if norms(chord) > 0.2:
            beside = (
                rng.uniform(-1, 1, (6, 1)) * 1e-16 * norms(far[0]) ** 2 / a
            )  # a squared distance's rounding
            ties += [*(far[0] + beside * chord / (chord @ chord))]
    assert len(ties) >= 24
    x0 = np.array(ties)
    scores = wide @ x0.T - a / 2 * (wide**2).sum(axis=1)[:, None]
    missed = (scores.max(axis=0) - p.conjugate(x0)).astype(float)
    assert (missed <= p.roundings.conjugate(x0).bound).all()


@pytest.mark.parametrize("turns", [0.75, 1.5])
def test_places_beside_an_end_are_found(turns):
    """Within a cell of the net from either end: x = γ(t) + n/100 has γ(t) for its nearest point."""
    curve = Curve.spiral(turns)
    within = (curve._parameters[1] - curve._parameters[0]) * np.array([1e-6, 0.1, 0.5, 0.9])
    t = np.concatenate([curve._start + within, curve._stop - within])
    velocity = curve._velocity(t)
    normal = np.stack([-velocity[:, 1], velocity[:, 0]], axis=1) / norms(velocity)[:, None]
    points, found = curve._gamma(t) + normal / 100, curve._gamma(t)
    off = norms(curve.nearest(points) - found)
    assert (off <= curve.nearest_rounding(points, found, 4 * UNIT * norms(points))).all()


def test_any_number_of_points_may_tie():
    """Four and more points on a circle about x₀, up to rounding: the farthest of them may be the nearest."""
    rng, cases = np.random.default_rng(12), []
    for _ in range(200):
        centre, k = rng.standard_normal(2), int(rng.integers(3, 8))
        angle = 2 * np.pi * rng.permutation(k) / k
        ring = centre + np.stack([np.cos(angle), np.sin(angle)], axis=1)
        cloud = PointCloud(np.vstack([ring, np.add(centre, [0.0, 3.0])]))
        moved = rng.choice([0.0, 1e-13, 1e-3])
        x = centre + moved * rng.uniform(-0.5, 0.5, 2)
        off = np.array([moved])
        found = cloud.nearest(x[None])
        stated = cloud.nearest_rounding(x[None], found, off)[0]
        with mpmath.workdps(50):
            away = [[mpmath.mpf(float(v)) - float(w) for v, w in zip(y, x, strict=True)] for y in cloud.net]
            square = [a**2 + b**2 for a, b in away]
            may = [float(s - min(square)) <= 0.4 * moved for s in square]  # a fifth of the move, times 2
        farthest = norms(cloud.net[np.array(may)] - found).max()
        assert farthest <= stated <= 2.1, (centre, k, moved)
        cases.append(farthest)
    assert max(cases) > 1.5


def test_every_point_of_a_cloud_is_a_rival():
    cloud = PointCloud([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    rivals = cloud.rivals(np.zeros((2, 2)))
    assert rivals.shape == (2, 4, 2)
    assert (rivals == cloud.points).all()


def test_a_union_counts_a_tie_once():
    """A tie within one part is none with a part far away; of two rivals the farther counts, not the sum."""
    pair, far = PointCloud([[-1.0, 0.0], [1.0, 0.0]]), PointCloud([[0.0, 2.0], [0.0, 9.0]])
    x, still = np.array([[0.0, 0.0]]), np.zeros(1)
    assert Union(pair, far).nearest_rounding(x, x, still)[0] == 2.0
    third = PointCloud([[0.0, 1.0], [0.0, 9.0]])
    both = Union(pair, third)
    assert both.nearest_rounding(x, both.nearest(x), still)[0] == 2.0
    assert Union(third, pair).nearest_rounding(x, x, still)[0] == np.sqrt(2.0) + 2.0  # either end of the pair
    beside = np.array([[1e-3, 0.0]])
    assert both.nearest_rounding(beside, beside, still)[0] == 0.0


@pytest.mark.parametrize("first_is_near", [True, False])
def test_a_union_sees_the_tie_of_its_parts(first_is_near):
    """On the bisector, moved across it, and far out, where distances are drowned; not a little off it."""
    arc, point = Arc(1.0, -1.0, 1.0), PointCloud([[5.0, 0.0]])
    both = Union(arc, point) if first_is_near else Union(point, arc)
    for x, moved, tied in (
        ([3.0, 0.0], 0.0, True),
        ([3.0 + 1e-9, 0.0], 0.0, False),
        ([3.0 + 1e-9, 0.0], 2e-9, True),
        ([3.0 - 1e-9, 0.0], 2e-9, True),
        ([2.9, 0.0], 0.09, False),
    ):
        at = np.array([x])
        stated = both.nearest_rounding(at, both.nearest(at), np.array([moved]))[0]
        assert (stated >= 4.0) == tied, (x, moved, stated)


@pytest.mark.parametrize("curve", [Curve.spiral(1.5), Curve.trefoil()], ids=["spiral", "trefoil"])
def test_far_away_a_curve_sees_no_tie_where_there_is_none(curve):
    """At 1e15 two places tie to |x|, not to |x|² roundings: what is stated is no jump."""
    far = 1e15 * np.random.default_rng(6).standard_normal((200, curve.dim))
    stated = curve.nearest_rounding(far, curve.nearest(far), np.zeros(200))
    assert (stated >= 0.1).mean() <= 0.02


@pytest.mark.parametrize("step", [1e-12, 1.0, 1e12])
def test_at_the_centre_of_an_arc_statements_are_finite(step):
    """All points of the arc are as near, and focal; φ is flat around 0, so that prox is 0."""
    p = NearestPoint(Union(Arc(1.0, 0.3, 2.5), PointCloud([[0.0, -1.0], [2.0, 0.0]])), 1.0)
    found = p.proximal_point(np.zeros((1, 2)), step)
    assert norms(found.point)[0] <= found.rounding.point.bound[0] < 10
    assert np.linalg.norm(found.jacobian[0] - np.eye(2)) <= found.rounding.jacobian.bound[0] < 10
    assert np.isfinite(found.rounding.envelope.bound).all()
