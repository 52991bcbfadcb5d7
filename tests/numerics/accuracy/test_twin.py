"""What the twin states about itself, against proofs in balls of 512 bits (`numerics.intervals.twin`)."""

import numpy as np
import pytest
from flint import arb, ctx

from numerics.intervals.balls import PRECISION, distance, dot, exact, subtract, times
from numerics.intervals.twin import ExactTwin
from numerics.potentials import Twin
from numerics.potentials.twin_faces import END, SLOPE, before_atom, jumps, turning
from tests.numerics.accuracy.harness import judge, judge_with_twins

P = Twin()
H = arb(10) ** -25
"""Step of differences of enclosures whose width is 10⁻⁷⁵."""


@pytest.fixture(autouse=True)
def exactly():
    with ctx.workprec(PRECISION):
        yield ExactTwin()


def _off(computed, ball):
    return distance([ball], [float(computed)])


def _noise(rng, n):
    """The body, near the tie at 0 and near (0, 1), far out, and the small cells of the right arc."""
    size = 10.0 ** rng.uniform(-3, 1, (n, 1))
    centre = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 3.0]])[rng.integers(0, 3, n)]
    s = END * 10.0 ** rng.uniform(-6, 0, n)
    delta = before_atom(s) + rng.uniform(0, 1, n) * (SLOPE * s - before_atom(s))
    cells = np.stack([3 * s**2 - delta * s, 1 + delta], axis=1)
    return np.where(np.arange(n)[:, None] % 4 == 0, cells, centre + size * rng.standard_normal((n, 2)))


def test_transport_its_jacobian_and_the_conjugate(exactly):
    noise = _noise(np.random.default_rng(0), 600)
    kinds = np.sign(P.transport(noise)[:, 0]) + 2 * (P.transport(noise)[:, 0] == 1)
    assert {-1, 1, 3} <= set(kinds)
    rows = []
    found = P.transport(noise), P.transport_jacobian(noise), P.conjugate(noise)
    for v, x, k, value in zip(noise, *found, strict=True):
        at = exact(v)
        rows.append(
            (
                distance(exactly.transport(at).point, x),
                distance(exactly.transport_jacobian(at).entries(), k),
                _off(value, exactly.conjugate(at)),
            )
        )
    errors, stated = np.array(rows), P.roundings
    judge_with_twins(errors[:, 0], stated.transport(noise).bound)
    judge(errors[:, 1], stated.transport_jacobian(noise).bound)
    judge(errors[:, 2], stated.conjugate(noise).bound)


def test_the_conjugate_at_ties(exactly):
    """Noise within 8 ulps of both jumps: the wrong end's score is short of φ*, by what is stated."""
    rng, n = np.random.default_rng(4), 800
    s = END * np.minimum(10.0 ** rng.uniform(-6, 0.3, n), 1.3)
    beyond = np.where(rng.random(n) < 0.3, rng.uniform(1, 3, n), 1.0)
    second = rng.random(n) < 0.5
    v2 = 1 + beyond * np.where(second, before_atom(np.minimum(s, END)), SLOPE * s)
    at = jumps(v2 - 1)
    v1 = np.where(second, at.second, at.first)
    v = np.stack([v1 + rng.integers(-8, 9, n) * np.spacing(np.abs(v1)), v2], axis=1)
    values = P.conjugate(v)
    errors = np.array([_off(value, exactly.conjugate(exact(x))) for x, value in zip(v, values, strict=True)])
    judge(errors, P.roundings.conjugate(v).bound)


def _problems(rng, n):
    """z and λ from 1e-4 to 1e4: anywhere, on rays of the support, and where faces are met."""
    step = 10.0 ** rng.uniform(-4, 4, n)
    noise = rng.standard_normal((n, 2))
    faces = np.stack([rng.uniform(-0.5, 1.1, n), rng.uniform(-0.1, 0.2, n)], axis=1)
    tied = np.stack([rng.uniform(-0.5, 0.5, n), 1 + rng.uniform(-0.1, 4.0, n)], axis=1)
    kinds = [1.5 * noise, P.transport(noise) + step[:, None] * noise, faces + step[:, None] * tied]
    return np.choose(np.arange(n)[:, None] % 3, kinds), step


def test_one_solve(exactly):
    """Point, dual, envelope and D prox of 120 problems; every kind of face is among them."""
    z, step = _problems(np.random.default_rng(1), 120)
    found = P.proximal_point(z, step)
    stated = found.rounding
    faces = P._solve(z, step)
    kinds = set(np.sign(faces.right - END) + 4 * faces.on_segment)
    assert kinds == {-1, 0, 1, 3, 4, 5}
    errors, clear = [], found.kink > 1e-20
    for i in range(len(z)):
        at, lam = exact(z[i]), arb(float(step[i]))
        proved = exactly.enclose(at, lam)
        y = times(1 / lam, subtract(at, proved.centre))
        away = subtract(at, proved.centre)
        envelope = exactly.candidate(at, lam).value + dot(away, away) / (2 * lam)
        of_point = proved.distance(found.point[i]), distance(y, found.dual[i])
        errors.append((*of_point, _off(found.envelope[i], envelope)))
    table = np.array(errors)
    judge(table[:, 0], stated.point.bound)
    judge(table[:, 1], stated.dual.bound)
    judge(table[:, 2], stated.envelope.bound)
    rows = np.flatnonzero(clear)[:60]
    assert clear.mean() > 0.8
    slopes = [distance(_slopes(exactly, z[i], step[i]), found.jacobian[i].T) for i in rows]
    judge(slopes, stated.jacobian.bound[rows])


def _slopes(exactly, z, step):
    """D prox, column by column, by central differences of enclosures."""
    at, lam, found = exact(z), arb(float(step)), []
    for j in range(2):
        places = [[x + sign * H * (i == j) for i, x in enumerate(at)] for sign in (1, -1)]
        ends = [exactly.candidate(place, lam).point for place in places]
        found += times(1 / (2 * H), subtract(*ends))
    return found


def test_values_on_faces(exactly):
    """Next to an exact point of a face: φ there and its slope, to second order in the point's rounding."""
    z, step = _problems(np.random.default_rng(2), 600)
    faces = P._solve(z, step)
    inside = turning(faces)[0] > 0  # no edge of the hull
    inner = np.flatnonzero(inside & (P.proximal_point(z, step).kink > 1e-6))
    errors, points = [], []
    for i in inner:
        at, lam = exact(z[i]), arb(float(step[i]))
        found = exactly.candidate(at, lam)
        x = np.array([float(c.mid()) for c in found.point])
        slope = times(1 / lam, subtract(at, found.point))
        points.append(x)
        errors.append(_off(P.value(x[None])[0], found.value + dot(slope, subtract(exact(x), found.point))))
    assert len(inner) > 30
    judge(errors, P.roundings.value(np.array(points)).bound)


def test_kinks_are_bounds():
    """Within the stated distance D prox is continuous: nowhere does its face change."""
    rng = np.random.default_rng(3)
    z, step = _problems(rng, 2000)
    kink, here = P.proximal_point(z, step).kink, P._solve(z, step)
    assert (kink > 0).mean() > 0.9
    for _ in range(20):
        turn = rng.standard_normal(z.shape)
        turn *= (0.999 * kink / np.linalg.norm(turn, axis=1))[:, None]
        there = P._solve(z + turn, step)
        for end in ("left", "right"):
            kinds = [np.sign(getattr(f, end)) * (1 + (np.abs(getattr(f, end)) >= END)) for f in (here, there)]
            assert (kinds[0] == kinds[1])[kink > 0].all()
        assert (here.on_segment == there.on_segment)[kink > 0].all()
