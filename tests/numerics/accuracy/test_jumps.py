"""Where T jumps: under an isometry, whose products round across it, and for arguments moved by any length."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.geometry import norms
from numerics.potentials import (
    Arc,
    Curve,
    Ellipsoid,
    FiniteAtoms,
    Grassmannian,
    NearestPoint,
    PointCloud,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    Union,
    embed,
    rotate,
)
from tests.numerics.accuracy.harness import judge
from tests.numerics.accuracy.nearest_oracles import M, as_a_curve, distance, exact_ellipse_point

# Not of the one list: each has d = 1, where K is 0 and T jumps.
ON_THE_LINE = [Sphere(1, 1.5), Ellipsoid([[2.25]]), Stiefel(1, 1)]


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(60):
        yield


def _polar(matrix):
    """The isometry that a matrix of doubles means: Newton's iteration, from 1e-15 away."""
    v = mp.matrix(np.asarray(matrix).tolist())
    for _ in range(3):
        v = v * (3 * mp.eye(v.cols) - v.T * v) / 2
    return v


def _orthonormal(rows, columns, rng):
    return np.linalg.qr(rng.standard_normal((rows, columns)))[0]


@pytest.mark.parametrize("base", ON_THE_LINE, ids=repr)
def test_a_pair_of_points_in_space(base):
    """x₀ across the line, to rounding: the sign of ⟨v,x₀⟩ in rationals, which the computed one may miss."""
    rng, cases = np.random.default_rng(1), []
    for _ in range(300):
        v = _orthonormal(4, 1, rng)
        x0 = rng.standard_normal(4)
        x0 = (x0 - (x0 @ v) * v[:, 0]) + 10.0 ** rng.uniform(-18, -15.5) * rng.standard_normal() * v[:, 0]
        along = sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(v[:, 0], x0, strict=True))
        if x0 @ v == 0 or not along:
            continue  # refused, or truly a tie
        length = mp.sqrt(mp.fsum(M(float(a)) ** 2 for a in v[:, 0]))
        exact = [mp.sign(M(along.numerator)) * M(base.scale) * M(float(a)) / length for a in v[:, 0]]
        p = embed(base, v)
        cases.append((distance(p.transport(x0[None])[0], exact), p.roundings.transport(x0[None]).bound[0]))
    judge(*np.array(cases, dtype=float).T)
    assert (np.array(cases)[:, 0] > 1).sum() >= 3, "no draw lies on the other side of its rounding"


def test_orthogonal_matrices_near_singular_ones():
    """T is the rotation or the reflection in closed form, by the sign of the determinant."""
    rng, cases = np.random.default_rng(2), []
    for _ in range(200):
        turn, (u, v) = _orthonormal(8, 4, rng), (_orthonormal(2, 2, rng) for _ in range(2))
        x = u @ np.diag([rng.uniform(0.1, 2), 10.0 ** rng.uniform(-16, -14)]) @ v
        across = 50 * rng.standard_normal(8)  # which only the isometry forgets, to rounding
        x0 = turn @ x.ravel() + across - turn @ (turn.T @ across)
        p, q = embed(Stiefel(2, 2), turn), _polar(turn)
        a, b, c, d = q.T * mp.matrix(x0.tolist())
        s = mp.sign(a * d - b * c)
        first, second = a + s * d, b - s * c
        length = mp.hypot(first, second)
        exact = q * mp.matrix([first / length, second / length, -s * second / length, s * first / length])
        try:
            found = p.transport(x0[None])[0]
        except ValueError:
            continue  # rank-deficient to rounding
        cases.append((distance(found, exact), p.roundings.transport(x0[None]).bound[0]))
    judge(*np.array(cases, dtype=float).T)
    assert len(cases) >= 60
    assert (np.array(cases)[:, 0] > 1).any(), "no draw lies on the other side of its rounding"


def test_a_turned_ellipse_beside_its_medial_axis():
    """At Q(p, 0) and within rounding of it: which side, only Q knows; also at the cusp p = D/A."""
    rng, cases = np.random.default_rng(3), []
    for k in range(200):
        long = 10.0 ** rng.uniform(-1, 1)
        short, turn = long * float(rng.uniform(0.1, 1)), _orthonormal(2, 2, rng)
        axis = (long**2 - short**2) / long
        place = axis * (rng.uniform(0, 1) if k % 2 else 1 + rng.choice([-1, 1]) * 10.0 ** rng.uniform(-16, 0))
        x0 = turn @ [place, rng.standard_normal() * long * 10.0 ** rng.uniform(-18, -16)]
        p, q = rotate(NearestPoint(Curve.ellipse(long, short)), turn), _polar(turn)
        exact = q * mp.matrix(exact_ellipse_point(*(q.T * mp.matrix(x0.tolist())), M(long), M(short)))
        cases.append((distance(p.transport(x0[None])[0], exact), p.roundings.transport(x0[None]).bound[0]))
    judge(*np.array(cases, dtype=float).T)
    assert (np.array(cases)[:, 0] > 0.1).sum() >= 3, "no draw lies on the other side of its rounding"


def test_two_isometries_reach_a_jump_together():
    """embed(embed(±1)): the inner product rounds after the outer one, and their sum reaches farther."""
    rng, cases = np.random.default_rng(4), []
    for _ in range(300):
        v, w = _orthonormal(3, 1, rng), _orthonormal(5, 3, rng)
        both = _polar(w) * _polar(v)
        x0 = rng.standard_normal(5)
        x0 = x0 - (x0 @ (w @ v)) * (w @ v)[:, 0] + 10.0 ** rng.uniform(-17, -15) * (w @ v)[:, 0]
        p = embed(embed(Sphere(1), v), w)
        if (x0 @ w) @ v == 0:
            continue
        exact = both * mp.sign((both.T * mp.matrix(x0.tolist()))[0])
        cases.append((distance(p.transport(x0[None])[0], exact), p.roundings.transport(x0[None]).bound[0]))
    judge(*np.array(cases, dtype=float).T)


def test_an_isometry_adds_its_own_rounding_to_a_move():
    """At 1.5b from the jump, b what Vᵀx₀ is stated to err by, and moved by b: neither reaches it, both do."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        v = _orthonormal(6, 1, rng)
        p, across = embed(Sphere(1), v), 50 * rng.standard_normal(6)
        across -= (across @ v) * v[:, 0]
        b = float(p._product.pulled(across[None]).bound[0])
        x0 = (across + (1.5 * b - (across @ v)) * v[:, 0])[None]
        if not 1.2 * b <= (x0 @ v)[0, 0] <= 1.8 * b:
            continue
        assert p.roundings.transport(x0).bound[0] <= 1e-12
        assert p.roundings.transport(x0, moved=b).bound[0] >= 2
        return
    pytest.fail("no draw lies between b and 2b")


# Not of the one list: each of the families whose T jumps, with thin and one-dimensional members.
FAMILIES = [
    Sphere(1, 2.0),
    Sphere(3, 2.0),
    Ellipsoid([[4.0]]),
    Ellipsoid(np.diag([1.0, 1e-6])),
    Ellipsoid([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 0.5]]),
    Stiefel(1, 1),
    Stiefel(2, 2),
    Stiefel(3, 2),
    Grassmannian(4, 2),
    SpecialOrthogonal(),
    NearestPoint(Curve.ellipse(2.0, 1.0), 0.7),
    NearestPoint(Curve.ellipse(1.0, 1.0), 0.7),
    NearestPoint(Arc(1.0, 0.3, 2.5), 1.3),
    NearestPoint(Arc(1.0, 0.3, 5.5, (0.5, 0.0)), 0.7),
    NearestPoint(Curve.spiral(1.5), 0.5),
    NearestPoint(Curve.trefoil(), 0.5),
    NearestPoint(as_a_curve(2.0, 1.0)),
    NearestPoint(Torus(2.0, 0.5)),
    NearestPoint(Union(Arc(1.0, 0.3, 2.5), PointCloud([[0.0, -1.5], [2.0, 0.0], [-2.0, -1.0]]))),
    NearestPoint(Union(Curve.ellipse(2.0, 1.0), Curve.spiral(1.0))),
    FiniteAtoms.regular_polygon(5),
]


def _towards_a_jump(p, rng):
    """A point beside a jump of T, found by halving between two draws, how near it is, and the way across."""
    ends = rng.standard_normal((2, p.dim)) * 10.0 ** rng.uniform(-2, 1)
    for _ in range(int(rng.integers(3, 50))):
        middle = ends.mean(axis=0)
        image = p.transport(np.stack([ends[0], middle, ends[1]]))
        ends[int(norms(image[1] - image[0]) > norms(image[2] - image[1]))] = middle
    near = int(rng.integers(2))
    return ends[near], max(norms(ends[1] - ends[0]), 1e-15), ends[1 - near] - ends[near]


def _far(p, rng):
    """A point, and a way that may lead over 0."""
    x = rng.standard_normal(p.dim) * 10.0 ** rng.uniform(-2, 1)
    return x, norms(x) * 10.0 ** rng.uniform(-7, 0), -x


def moves_within_statement(p, rng, stated=None):
    """Share of what is stated of |T(x') − T(x₀)|, |x' − x₀| ≤ r of any size, towards jumps and over 0."""
    stated = stated or p.roundings.transport
    shares = [0.0]
    for k in range(16):
        try:
            x, size, way = (_far, _towards_a_jump)[k % 2](p, rng)
            reach = size * 10.0 ** rng.uniform(-1, 0.5)
            ways = rng.standard_normal((24, p.dim))
            ways[:12] = way / norms(way) + ways[:12] * 10.0 ** rng.uniform(-6, -0.5, (12, 1))
            there = x + reach * rng.uniform(0.5, 1, (24, 1)) * ways / norms(ways)[:, None]
            own = p.roundings.transport(there).bound
            radius = norms(there - x).max() * (1 + 1e-15)
            change = norms(p.transport(there) - p.transport(x[None])) - own
            bound = stated(x[None], moved=radius).bound
        except ValueError:
            continue  # too near a place where T has no value
        assert (change <= bound).all(), f"{change.max():.4g} beyond {bound[0]:.4g} at {x}, moved {radius}"
        shares.append(float(change.max() / bound[0]) if bound[0] > 0 else 0.0)
    return max(shares)


@pytest.mark.parametrize("p", FAMILIES, ids=lambda p: repr(p)[:40])
def test_what_is_stated_of_a_moved_argument_holds_for_any_move(p):
    """Not to first order only: across a jump T moves by all of it."""
    assert moves_within_statement(p, np.random.default_rng(5)) >= 0.4


@pytest.mark.parametrize("p", [FAMILIES[0], FAMILIES[6], FAMILIES[10]], ids=repr)
def test_a_change_to_first_order_is_rejected(p):
    """‖K‖r, which sees no jump."""

    def first_order(x, moved):
        slope = np.linalg.norm(p.transport_jacobian(x), 2, (1, 2))
        return p.roundings.transport(x) + Rounding.measured(slope * moved, "‖K‖r")

    with pytest.raises(AssertionError):
        assert moves_within_statement(p, np.random.default_rng(5), first_order) >= 0.4
