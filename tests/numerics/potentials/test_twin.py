"""The twin: its cells by sampling its definition, its hull, how far T moves, and what it refuses."""

import numpy as np
import pytest
from mpmath import mp

from numerics.accuracy import Rounding
from numerics.potentials import Twin
from numerics.potentials.base import Potential
from numerics.potentials.twin_faces import END, RATIO, SLOPE, across, before_atom, cubic, jumps, level

P = Twin()
S = np.linspace(-END, END, 90_001)
ATOMS = np.concatenate([np.stack([S, S**2 / 2], axis=1), [[1.0, 0.0]]])
HEIGHTS = np.append(S**2 / 2 + np.where(S > 0, S**3, 8 * np.abs(S) ** 3), 0.0)


def _scores(v):
    """⟨v, y⟩ − height at every sampled atom, heights typed in from the definition."""
    return v @ ATOMS.T - HEIGHTS


def test_conjugate_and_transport_are_a_maximum_and_where_it_is():
    rng = np.random.default_rng(5)
    v = rng.standard_normal((400, 2)) * 10.0 ** rng.uniform(-2, 1, (400, 1)) + [0.0, 1.0]
    sampled = _scores(v).max(axis=1)
    slack = P.conjugate(v) - sampled
    assert slack.min() > -1e-14 * 30
    assert slack.max() < 1e-5**2 * (1 + np.abs(v)).max() * 10  # the spacing, squared, times curvature
    image = P.transport(v)
    height = image[:, 1] + np.where(
        image[:, 0] > END, 0, np.where(image[:, 0] > 0, 1, 8) * np.abs(image[:, 0]) ** 3
    )
    assert np.abs((v * image).sum(axis=1) - height - P.conjugate(v)).max() < 1e-13


@pytest.mark.parametrize("s", [1e-6, 1e-3, 0.1, 0.3, 0.449])
def test_cells_of_the_right_arc(s):
    """{(3s² − ds, 1 + d) : (3s−2s²)/(1−s/2) ≤ d ≤ (3+k*)s}, k* = .6792614."""
    assert abs(SLOPE - 3.6792614) < 5e-8
    assert abs(RATIO - 0.2615242) < 5e-8
    low, high = s * (3 - 2 * s) / (1 - s / 2), SLOPE * s
    found = P.subdifferential([s, s**2 / 2])
    assert found.dimension == 1
    for d, member in (
        (low, True),
        ((low + high) / 2, True),
        (high, True),
        (low - 1e-3 * s, False),
        (high * 1.001, False),
    ):
        v = np.array([[3 * s**2 - d * s, 1 + d]])
        assert found.contains(v)[0] == member, d
    middle = np.array([[3 * s**2 - s * (low + high) / 2, 1 + (low + high) / 2]])
    assert np.allclose(found.boundary_distance(middle), (high - low) / 2 * np.hypot(1, s), rtol=1e-9)
    assert np.abs(P.transport(middle) - [s, s**2 / 2]).max() < 1e-14


def test_subdifferentials_hold_what_the_definition_ties():
    """A member ties the points of the face; noise at a distance δ from the cell has a positive gap."""
    rng = np.random.default_rng(6)
    z = np.stack([rng.uniform(-0.6, 1.2, 300), rng.uniform(-0.2, 0.3, 300)], axis=1)
    z += np.stack([rng.uniform(-0.5, 0.5, 300), rng.uniform(-1, 12, 300)], axis=1)
    found = P.proximal_point(z, 1.0)
    seen = set()
    for u, y in zip(found.point, found.dual, strict=True):
        cell = P.subdifferential(u)
        seen.add((type(cell).__name__, cell.dimension))
        assert cell.distance(y)[0] < 1e-11
        radius = min(cell.boundary_distance(y)[0], 10.0)
        if cell.dimension == 2 and radius > 1e-6:
            turns = np.linspace(0, 2 * np.pi, 64, endpoint=False)
            circle = y + 0.999 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            assert cell.contains(circle).all()
            beyond = y + 1.001 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            finer = y + 1.01 * radius * np.stack([np.cos(turns), np.sin(turns)], axis=1)
            assert radius == 10.0 or not (cell.contains(beyond).all() and cell.contains(finer).all())
    assert seen == {("Straight", 0), ("Straight", 1), ("PlanarCell", 2)}


def test_the_domain_is_the_hull():
    inside = np.array([[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [0.0, END**2 / 2], [0.0, 0.05], [-0.2, 0.02]])
    outside = np.array(
        [[0.5, -1e-12], [1.0, 1e-12], [0.0, END**2 / 2 + 1e-12], [-0.2, 0.02 - 1e-12], [1.1, 0.0]]
    )
    assert np.isfinite(P.value(inside)).all()
    assert np.isinf(P.value(outside)).all()
    assert np.abs(P.value(inside[:3])).max() == 0  # affine between g(0) and the atom, of equal heights


def test_at_the_tie():
    """∂φ(g(0)) = {0} × (−∞, 1], where H = 1 at the noise 0."""
    at = P.subdifferential([0.0, 0.0])
    assert at.dimension == 1
    assert at.contains([[0.0, 0.0], [0.0, -50.0], [0.0, 1.0]]).all()
    assert not at.contains([[1e-9, 0.0], [-1e-9, 0.0], [0.0, 1 + 1e-9]]).any()
    assert at.boundary_distance([[0.0, 0.0]])[0] == 1
    found = P.manifold([0.0, 0.0], [0.0, 0.0])
    assert found.dimension == 1
    assert np.array_equal(found.tangent, [[1.0], [0.0]])
    assert np.array_equal(found.hessian, [[1.0]])


def _exact_transport(first, second):
    """T(v) in 50 digits: the best of the ends, 0, where the slope of ⟨v, g⟩ − f is 0, and the atom."""
    a, delta = mp.mpf(END), second - 1
    places = [-a, mp.zero, a]
    for cube in (3, -24):  # cube·s² = v₁ + δs
        square = delta**2 + 4 * cube * first
        if square >= 0:
            places += [(delta + sign * mp.sqrt(square)) / (2 * cube) for sign in (1, -1)]
    arc = [s for s in places if abs(s) <= a]
    scores = [first * s + delta * s**2 / 2 - (1 if s > 0 else 8) * abs(s) ** 3 for s in arc]
    best = max(scores)
    if first > best:
        return mp.one, mp.zero
    s = arc[scores.index(best)]
    return s, s**2 / 2


def _moves(rng, n):
    """Noise at 1e-12 … 10 from ties and from where the arcs end, and radii of about that distance, or any."""
    delta = np.where(rng.random(n) < 0.5, rng.uniform(-1, 10, n), 10.0 ** rng.uniform(-6, 1, n))
    at, off = jumps(delta), 10.0 ** rng.uniform(-12, 1, n)
    ends = (3 * END - delta) * END, (delta - 24 * END) * END
    where = np.choose(np.arange(n) % 4, [at.first, at.second, *ends])
    v = np.stack([where + off * rng.choice([-1, 1], n), 1 + delta], axis=1)
    radius = np.where(
        rng.random(n) < 0.5, off * 10.0 ** rng.uniform(-0.5, 0.5, n), 10.0 ** rng.uniform(-12, 1, n)
    )
    return v, np.maximum(radius, 1e-12)


def _ways(v, rng):
    """Along v₁, across the line of noise that T maps to one point, and any."""
    slope = P.transport(v[None])[0, 0]
    across = np.array([1.0, slope if slope <= END else 0.0])
    ways = np.stack([[1.0, 0.0], across, *rng.standard_normal((1, 2))])
    return np.concatenate([ways, -ways]) / np.linalg.norm(np.concatenate([ways, ways]), axis=1)[:, None]


def _farthest(v, reach, rng):
    """The largest |T(v') − T(v)| found with |v' − v| = reach, T(v) as it is computed."""
    image = [mp.mpf(c) for c in P.transport(v[None])[0]]
    found = mp.zero
    for way in _ways(v, rng):
        length = mp.hypot(*map(mp.mpf, way))
        there = _exact_transport(
            *(mp.mpf(c) + reach * mp.mpf(w) / length for c, w in zip(v, way, strict=True))
        )
        found = max(found, mp.hypot(there[0] - image[0], there[1] - image[1]))
    return found


def _ratio(found, whole):
    return mp.mpf(found) / mp.mpf(whole) if whole else mp.inf if found else mp.zero


def _moves_within(stated, seed):
    """The largest part of what is stated that T moves by, and the largest excess of what is stated."""
    rng = np.random.default_rng(seed)
    v, radius = _moves(rng, 600)
    bounds, own = stated(v, radius).bound, P.roundings.transport(v).bound
    share, excess = mp.zero, mp.zero
    with mp.workdps(50):
        for x, r, bound, rounding in zip(v, map(mp.mpf, radius), bounds, own, strict=True):
            within = max(_farthest(x, r, rng), _farthest(x, r * mp.mpf(rng.random()), rng))
            share = max(share, _ratio(within, bound))
            beside = max(within, _farthest(x, 1.02 * r, rng))
            excess = max(excess, _ratio(max(bound - 2 * rounding, 0.0), beside))
    return float(share), float(excess)


def test_how_far_transport_moves():
    """At most as far as is stated, at any radius; a ball of 1.02 times the radius nearly moves it so far."""
    share, excess = _moves_within(P.roundings.transport, 0)
    assert 0.9 < share <= 1
    assert excess <= 6


def test_how_far_transport_moves_to_first_order_is_rejected():
    """‖K‖ρ and no more than the diameter, beside the jumps that the ball reaches."""

    def stated(v, radius):
        whole = P.roundings.transport(v, moved=radius)
        slope = np.linalg.norm(P.transport_jacobian(v), 2, (1, 2))
        smooth = P.roundings.transport(v) + Rounding.measured(slope * radius, "‖K‖ρ")
        return Rounding.measured(np.where(whole.bound > 0.5, whole.bound, smooth.bound), "to first order")

    assert _moves_within(stated, 0)[0] > 1.05


def _exact_slope(first, second):
    """K(v) in 50 digits: ggᵀ/(c'' − δ) on an arc, 0 at an end and at the atom."""
    s = _exact_transport(first, second)[0]
    bend = (6 if s > 0 else -48) * s - (second - 1)
    return [a * b / bend if abs(s) < END else mp.zero for a in (1, s) for b in (1, s)]


def _steepest(v, reach, rng):
    """The largest |K(v') − K(v)| found with |v' − v| = reach, K(v) as it is computed."""
    slope = [mp.mpf(c) for c in P.transport_jacobian(v[None]).ravel()]
    found = mp.zero
    for way in _ways(v, rng):
        length = mp.hypot(*map(mp.mpf, way))
        there = _exact_slope(*(mp.mpf(c) + reach * mp.mpf(w) / length for c, w in zip(v, way, strict=True)))
        found = max(found, mp.sqrt(sum((a - b) ** 2 for a, b in zip(there, slope, strict=True))))
    return found


def _on_arcs(rng, n):
    """Noise of one point of an arc each, between its jumps, and short radii."""
    s = rng.uniform(0, END, n) * np.where(rng.random(n) < 0.5, 1, -1)
    low, size = before_atom(s), np.abs(s)
    right = low + rng.random(n) * (SLOPE * s - low)
    delta = np.where(s > 0, right, across(size) - 10.0 ** rng.uniform(-2, 1, n))
    first = np.where(s > 0, 3.0, -24.0) * s**2 - delta * s
    return np.stack([first, 1 + delta], axis=1), 10.0 ** rng.uniform(-9, -1, n)


def _turns_within(stated, draw=_moves):
    """Bounds of the change of K over what is found within the ball, +∞ where nothing is."""
    rng = np.random.default_rng(3)
    v, radius = draw(rng, 400)
    bounds, found = stated(v, radius), []
    with mp.workdps(50):
        for x, r in zip(v, map(mp.mpf, radius), strict=True):
            found.append(float(max(_steepest(x, r, rng), _steepest(x, r * mp.mpf(rng.random()), rng))))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bounds == found, 1.0, bounds / found)


def _stated_turn(v, radius):
    return P.roundings.transport_jacobian(v, moved=radius).bound


@pytest.mark.parametrize(("draw", "most"), [(_moves, 1.5), (_on_arcs, 2.5)])
def test_how_far_the_jacobian_moves(draw, most):
    """At most as far as is stated at any radius, over ties and ends too, and mostly nearly as far."""
    excess = _turns_within(_stated_turn, draw)
    assert (excess >= 1).all()
    assert np.median(excess) < most
    assert np.isinf(_stated_turn(np.array([[1e-12, 1.0]]), 1e-9)).all()


def test_how_far_the_jacobian_moves_to_first_order_is_rejected():
    def to_first_order(v, radius):
        change = Potential._transport_jacobian_change(P, v, radius)
        return P.roundings.transport_jacobian(v).bound + change

    assert (_turns_within(to_first_order) < 0.5).mean() > 0.1


def _beside_ends(rng, n):
    """Noise within 12 ulps of the lines that T maps to the arc's ends, on both sides."""
    delta = np.where(rng.random(n) < 0.5, rng.uniform(-3, 1.5, n), -(10.0 ** rng.uniform(0, 4, n)))
    where = np.where(rng.random(n) < 0.5, (3 * END - delta) * END, (delta - 24 * END) * END)
    return np.stack([where + rng.integers(-12, 13, n) * np.spacing(np.abs(where)), 1 + delta], axis=1)


def _beside_jumps(rng, n):
    """Noise within 8 ulps of either jump."""
    delta = np.where(rng.random(n) < 0.5, rng.uniform(-1, 10, n), 10.0 ** rng.uniform(-8, 1, n))
    at = jumps(delta)
    where = np.where(rng.random(n) < 0.5, at.first, at.second)
    return np.stack([where + rng.integers(-8, 9, n) * np.spacing(np.abs(where) + 1e-16), 1 + delta], axis=1)


@pytest.mark.parametrize("beside", [_beside_ends, _beside_jumps])
def test_roundings_beside_ends_and_jumps(beside):
    """An end is what it is, but beside its line, or a jump, the exact point and K may be the other side's."""
    v = beside(np.random.default_rng(0), 600)
    image, slope, stated = P.transport(v), P.transport_jacobian(v), P.roundings
    bounds = np.stack([stated.transport(v).bound, stated.transport_jacobian(v).bound], axis=1)
    arcs = 0
    with mp.workdps(50):
        for x, y, k, bound in zip(v, image, slope, bounds, strict=True):
            s, height = _exact_transport(mp.mpf(x[0]), mp.mpf(x[1]))
            assert mp.hypot(s - mp.mpf(y[0]), height - mp.mpf(y[1])) <= bound[0]
            bend = (6 if s > 0 else -48) * s - (mp.mpf(x[1]) - 1)
            on_arc = abs(s) < END
            exact = [a * b / bend if on_arc else mp.zero for a in (1, s) for b in (1, s)]
            off = mp.sqrt(sum((a - mp.mpf(b)) ** 2 for a, b in zip(exact, k.ravel(), strict=True)))
            assert off <= bound[1]
            arcs += on_arc != (abs(y[0]) < END)
    assert arcs > 5


def test_refusals():
    with pytest.raises(ValueError, match="outside the hull"):
        P.subdifferential([2.0, 0.0])
    with pytest.raises(ValueError, match="is not T"):
        P.manifold([0.2, 0.02], [5.0, 0.0])
    with pytest.raises(ValueError, match=r"x0: .*K is infinite"):
        P.transport_jacobian([[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(ValueError, match="x0"):
        P.transport(np.array([[1j, 0.0]]))


def test_the_older_name_of_cubic_still_answers():
    with pytest.warns(DeprecationWarning, match="use cubic"):
        assert level(np.array([0.1]))[0] == cubic(np.array([0.1]))[0] > 0
