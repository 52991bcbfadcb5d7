"""Ends of curves: T and K beside the border of an end's normal cone, in 60 digits, and deep inside it."""

import mpmath as mp
import numpy as np
import pytest

from numerics.geometry import norms
from numerics.potentials import Arc, Curve, NearestPoint, PointCloud, Union
from tests.numerics.accuracy.harness import judge
from tests.numerics.accuracy.nearest_oracles import M, distance

A = 1.25
TURNS = 1.5
SPIRAL = NearestPoint(Curve.spiral(TURNS), A)
START, STOP = np.pi, np.pi * (1 + 2 * TURNS)
WITH_ENDS = [
    SPIRAL,
    NearestPoint(Union(Arc(0.75, 2.0, 4.25), PointCloud([[-2.0, -0.5]])), 1.75),
    NearestPoint(Union(PointCloud([[3.0, 0.0]]), Curve.spiral(1.0)), 0.5),
    NearestPoint(Arc(1.0, -0.5, 2.0), 2.0),
]


@pytest.fixture(autouse=True)
def sixty_digits():
    with mp.workdps(60):
        yield


def _spiral(t):
    """γ, γ' and γ'' of t(cos t, sin t)/2π."""
    out, turn = mp.matrix([mp.cos(t), mp.sin(t)]), mp.matrix([-mp.sin(t), mp.cos(t)])
    return [part / (2 * mp.pi) for part in (t * out, out + t * turn, 2 * turn - t * out)]


def _dot(u, v):
    return u[0] * v[0] + u[1] * v[1]


def _exact(x0, end):
    """T(x₀) and K(x₀) near an end: where |x₀/a − γ|² rises inwards the end, else Newton's zero beside it."""
    x, t = mp.matrix([M(float(v)) / M(A) for v in x0]), M(end)
    sign = 1 if end == START else -1
    if sign * _dot(x - _spiral(t)[0], _spiral(t)[1]) <= 0:
        return _spiral(t)[0], mp.zeros(2)
    for _ in range(60):
        place, speed, bend = _spiral(t)
        t += _dot(x - place, speed) / (_dot(speed, speed) - _dot(x - place, bend))
    place, speed, bend = _spiral(t)
    hessian = M(A) * (_dot(speed, speed) - _dot(x - place, bend)) / _dot(speed, speed)
    return place, speed * speed.T / _dot(speed, speed) / hessian


def _ends(potential):
    """(place, inward tangent, normal) of each end, as the set's strata say."""
    net = potential.closed_set.net
    for stratum in potential.closed_set.strata(net):
        for row, inward in zip(stratum.rows, stratum.inward, strict=True):
            if inward.any():
                yield net[row], inward, np.array([-inward[1], inward[0]])


def _beside_the_border(rng, end):
    """Noise at distances of 1e−16 to 1e−3 from the border of an end's normal cone, on both sides."""
    place, speed, _ = _spiral(M(end))
    place, speed = (np.array([float(v) for v in part]) for part in (place, speed))
    tangent = speed / norms(speed[None])[0] * (1 if end == START else -1)
    normal = np.array([-tangent[1], tangent[0]])
    off = rng.choice([-1, 1]) * 10.0 ** rng.uniform(-16, -3)
    return A * (place + rng.uniform(-0.4, 0.2) * normal) + off * tangent


@pytest.mark.parametrize("end", [START, STOP], ids=["inner end", "outer end"])
def test_beside_the_border_of_an_ends_normal_cone(end):
    """Rounded distances do not tell the end from the minimum 1e−9 beside it; the slope at the end does."""
    rng, maps, jacobians = np.random.default_rng(11), [], []
    for _ in range(300):
        x0 = _beside_the_border(rng, end)
        image, slope = _exact(x0, end)
        found, kernel = SPIRAL.transport(x0[None])[0], SPIRAL.transport_jacobian(x0[None])[0]
        maps.append((distance(found, image), SPIRAL.roundings.transport(x0[None]).bound[0]))
        off = distance(kernel.ravel(), [slope[i, j] for i in (0, 1) for j in (0, 1)])
        jacobians.append((off, SPIRAL.roundings.transport_jacobian(x0[None]).bound[0]))
    judge(*np.array(maps, dtype=float).T, floor=1 / 256)
    table = np.array(jacobians)
    assert (table[:, 0] <= table[:, 1]).all()
    assert np.median(table[:, 1]) < 1e-6, "the statement is of use"


@pytest.mark.parametrize("potential", WITH_ENDS, ids=repr)
def test_moves_over_the_border_of_an_ends_normal_cone(potential):
    """K is 0 on one side and H⁻¹ on the other: what is stated covers the jump, and is at most a few of it."""
    rng, reached, a = np.random.default_rng(12), 0, potential.curvature
    for place, inward, normal in _ends(potential):
        # up to where H is a tenth of a: beside a focal point K is all but infinite, and no first order tells
        most = min(0.3, 0.9 * a / abs(normal @ _second(potential, place, inward)))
        for crosses in [True, False] * 20:
            # at 1e−6 at most: beyond 1e−5 of the set differences cross the end, too
            side, off = rng.choice([-1, 1]), 10.0 ** rng.uniform(-9, -7)
            radius = off * (1 + 10.0 ** rng.uniform(-1, 0.95)) if crosses else 10.0 ** rng.uniform(-9, -6)
            x0 = a * place + rng.uniform(-most, most) * normal + side * off * inward
            near = x0 + (-side if crosses else side) * radius * inward
            images = potential.transport(np.stack([x0, near]))
            if norms(images - place).max() > 0.1:
                continue  # nearer to another part
            here, there = potential.transport_jacobian(np.stack([x0, near]))
            stated = potential.roundings.transport_jacobian(x0[None], moved=radius).bound[0]
            actual = np.linalg.norm(there - here)
            assert actual <= stated * (1 + 1e-3), "to first order"
            assert (bool(here.any()) != bool(there.any())) == crosses
            assert crosses <= (stated <= 4 * actual)
            reached += crosses
    assert reached >= 10, "all moves led to another part"


@pytest.mark.parametrize("potential", WITH_ENDS, ids=repr)
def test_deep_inside_an_ends_normal_cone_jacobians_are_known(potential):
    """Even where the curve, did it go on, would have a focal point: H = 0 and I + λH = 0 for its II."""
    a, asked = potential.curvature, 0
    for place, inward, normal in _ends(potential):
        second = _second(potential, place, inward)
        for step in (0.0, 0.25, 2.0):
            goal = a + 1 / step if step else a
            focal = goal / (normal @ second) * normal
            for depth in (0.05, 0.4):
                slope = focal - depth * inward
                x0 = a * place + slope
                if norms(potential.transport(x0[None])[0] - place) > 1e-9:
                    continue
                asked += 1
                assert not potential.transport_jacobian(x0[None]).any()
                assert potential.roundings.transport_jacobian(x0[None]).bound[0] == 0
                if step:
                    solved = potential.proximal_point((place + step * x0)[None], step)
                    assert solved.rounding.jacobian.bound[0] <= 1e-12
    assert asked, "other parts of the set are nearer"


def _second(potential, place, inward):
    inside = potential.closed_set.nearest((place + 1e-7 * inward)[None])
    (stratum,) = potential.closed_set.strata(inside)
    return stratum.second[0, 0, 0]


def test_an_end_that_is_no_minimum_is_not_taken_for_one():
    """At every distance from a curve's end, also of a user's own curve; its parameter tells."""
    half = Curve(
        lambda t: np.stack([2 * np.cos(t), np.sin(t)], axis=1),
        lambda t: np.stack([-2 * np.sin(t), np.cos(t)], axis=1),
        lambda t: np.stack([-2 * np.cos(t), -np.sin(t)], axis=1),
        (0.0, 2.0),
        closed=False,
        name="a part of an ellipse",
    )
    moves = 10.0 ** -np.arange(3.0, 15.0)
    x = np.array([[2.0, 0.0]]) + np.array([[0.3, 0.0]]) + moves[:, None] * np.array([[0.0, 1.0]])
    images = half.nearest(x)
    # h = 1 − ⟨x−γ,γ''⟩/|γ'|² = 1 + 0.3·2/1: the image moves by δ/h.
    np.testing.assert_allclose(images[:, 1], moves / 1.6, rtol=1e-2)
