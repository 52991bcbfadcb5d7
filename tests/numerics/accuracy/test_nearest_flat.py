"""Nearest points of arcs and ellipses against closed forms in 50 digits."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.potentials import Arc, Curve, NearestPoint
from tests.numerics.accuracy.harness import judge, judge_with_twins
from tests.numerics.accuracy.nearest_oracles import (
    M,
    case,
    distance,
    exact_ellipse_point,
    exact_ellipse_prox,
    frobenius,
    judge_all,
    log_uniform,
    objective,
    short_chord,
)


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


class ExactArc:
    def __init__(self, radius, start, stop, centre, a):
        self.r, self.c, self.a = M(radius), [M(float(x)) for x in centre], M(a)
        self.start, self.stop = M(start), M(stop)
        middle = (self.start + self.stop) / 2
        self.half = (self.stop - self.start) / 2
        self.m = (mp.cos(middle), mp.sin(middle))
        self.n = (-self.m[1], self.m[0])

    def prox(self, z, step):
        w = [M(float(x)) - M(step) * self.a * c - c for x, c in zip(z, self.c, strict=True)]
        xi, eta = (w[0] * v[0] + w[1] * v[1] for v in (self.m, self.n))
        length, deep = mp.hypot(*w), self.r * mp.cos(self.half)
        wide = self.r * mp.sin(self.half)
        if length <= self.r and xi >= deep:
            v, jacobian, region = w, [[1, 0], [0, 1]], "inside"
        elif length > self.r and abs(mp.atan2(eta, xi)) <= self.half:
            v, region = [self.r * x / length for x in w], "radial"
            jacobian = [
                [self.r / length * ((i == j) - w[i] * w[j] / length**2) for j in range(2)] for i in range(2)
            ]
        else:
            along = max(-wide, min(wide, eta))
            v = [deep * self.m[i] + along * self.n[i] for i in range(2)]
            flat = abs(eta) < wide
            region = "chord" if flat else "end"
            jacobian = [[self.n[i] * self.n[j] * flat for j in range(2)] for i in range(2)]
        u = [a + b for a, b in zip(v, self.c, strict=True)]
        square = self.c[0] ** 2 + self.c[1] ** 2
        value = self.a * ((self.r**2 - square) / 2 + u[0] * self.c[0] + u[1] * self.c[1])
        return u, objective(value, u, z, step), jacobian, region

    def transport(self, x0):
        w = [M(float(x)) / self.a - c for x, c in zip(x0, self.c, strict=True)]
        xi, eta = (w[0] * v[0] + w[1] * v[1] for v in (self.m, self.n))
        length, turned = mp.hypot(*w), mp.atan2(eta, xi)
        if abs(turned) < self.half:
            return [c + self.r * x / length for x, c in zip(w, self.c, strict=True)]
        angle = self.stop if turned > 0 else self.start
        return [self.c[0] + self.r * mp.cos(angle), self.c[1] + self.r * mp.sin(angle)]

    def transport_jacobian(self, x0):
        w = [M(float(x)) / self.a - c for x, c in zip(x0, self.c, strict=True)]
        xi, eta = (w[0] * v[0] + w[1] * v[1] for v in (self.m, self.n))
        inside, length = abs(mp.atan2(eta, xi)) < self.half, mp.hypot(*w)
        size = self.r / (self.a * length) * inside
        return [[size * ((i == j) - w[i] * w[j] / length**2) for j in range(2)] for i in range(2)]


def _arcs(rng):
    radius, start = log_uniform(rng, -3, 3), float(rng.uniform(-9, 9))
    stop = start + float(rng.choice([rng.uniform(0.001, 6.28), rng.uniform(0.5, 6.0)]))
    centre = rng.choice([0.0, 1.0]) * rng.standard_normal(2) * radius * 10.0 ** rng.uniform(-2, 3)
    a = log_uniform(rng, -1, 1)
    arc = Arc(radius, start, stop, tuple(centre.tolist()))
    return NearestPoint(arc, a), ExactArc(radius, start, stop, centre, a)


def test_arcs():
    """Inside, radial, on the chord, at an end, and within 1e−15 … 1e−3 of where they meet."""
    rng, cases, transports, regions = np.random.default_rng(1), [], [], []
    for _ in range(500):
        p, exact = _arcs(rng)
        arc, step = p.closed_set, log_uniform(rng, -3, 3) / p.curvature
        turn = rng.choice([arc.half, rng.uniform(0, np.pi)]) + rng.choice([-1, 1]) * log_uniform(rng, -16, 0)
        reach = arc.length * rng.choice(
            [1 + rng.choice([-1, 1]) * log_uniform(rng, -16, -1), log_uniform(rng, -2, 2)]
        )
        w = arc.frame @ (reach * np.array([np.cos(turn), rng.choice([-1, 1]) * np.sin(turn)]))
        z = w + arc.centre * (1 + p.curvature * step)
        answer = exact.prox(z, step)
        cases.append(case(p, z, step, answer))
        regions.append(answer[3] + " about 0" * bool(answer[3] != "inside" and not arc.centre.any()))
        x0 = p.curvature * (arc.centre + w)
        error = distance(p.transport(x0[None])[0], exact.transport(x0))
        transports.append((error, float(p.roundings.transport(x0[None]).bound[0])))
    judge_all(cases, {0, 1, 3}, regions)
    judge_with_twins(*np.array(transports).T)


def test_ellipses():
    """Interior, short chords, beyond the focal points, at scales 1e±3; and T beside the medial axis."""
    rng, cases, transports, slopes, regions = np.random.default_rng(2), [], [], [], []
    beside = []
    for k in range(300):
        long = log_uniform(rng, -3, 3)
        short = long * float(rng.choice([rng.uniform(0.02, 1), rng.uniform(0.3, 0.95)]))
        a = log_uniform(rng, -1, 1)
        p = NearestPoint(Curve.ellipse(long, short), a)
        if k % 3:
            z, step, _ = short_chord(rng, long, short, a)
        else:
            z, step = rng.standard_normal(2) * long * log_uniform(rng, -1, 2), log_uniform(rng, -3, 3) / a
        answer = exact_ellipse_prox(z, step, a, long, short)
        cases.append(case(p, z, step, answer))
        regions.append(answer[3])
        axis = (long**2 - short**2) / long
        off, aside = log_uniform(rng, -16, 0), log_uniform(rng, -18, 1)
        x = np.array([axis * (1 + rng.choice([-1, 1]) * off), short * aside])
        beside.append(bool(k % 2 and off < 1e-4 and aside < 1e-4))
        x0 = a * x if k % 2 else rng.standard_normal(2) * a * long
        y = exact_ellipse_point(*(M(float(v)) / M(a) for v in x0), M(long), M(short))
        error = distance(p.transport(x0[None])[0], y)
        transports.append((error, float(p.roundings.transport(x0[None]).bound[0])))
        slopes.append(_slope_case(p, x0, y, long, short))
    judge_all(cases, {0, 1}, regions)
    judge(*np.array(transports).T)
    judge(*np.array(transports)[beside].T)
    judge(*np.array(slopes).T)


def _slope_case(p, x0, y, long, short):
    """K against ττᵀ/(a(1 − ⟨x−y,II⟩)) with x = x₀/a."""
    a = M(p.curvature)
    c, s = y[0] / long, y[1] / short
    square = (long * s) ** 2 + (short * c) ** 2
    bend = 1 + ((M(float(x0[0])) / a - y[0]) * long * c + (M(float(x0[1])) / a - y[1]) * short * s) / square
    tangent = [-long * s / mp.sqrt(square), short * c / mp.sqrt(square)]
    exact = [[tangent[i] * tangent[j] / bend / a for j in range(2)] for i in range(2)]
    error = frobenius(p.transport_jacobian(x0[None])[0], exact)
    return error, float(p.roundings.transport_jacobian(x0[None]).bound[0])


def test_what_a_moved_argument_changes_of_a_slope():
    """Stretch·ττᵀ where x moves along τ, across it and askew; beside the cusp by 3DXY·dθ/(DY²+ν)."""
    rng, cases = np.random.default_rng(6), []
    for k in range(240):
        long = log_uniform(rng, -1, 1)
        short = long * rng.uniform(0.1, 0.95)
        t, turn, focal = log_uniform(rng, -2.5, 0.19), rng.choice([0.0, np.pi / 2, 1.0]), long**2 - short**2
        x, y = np.cos(t), np.sin(t)
        nu = focal * y**2 * log_uniform(rng, -3, 0) if k % 2 else short**2 * log_uniform(rng, -1, 1)
        point = np.array([x * (focal + nu) / long, y * nu / short])
        moved = 1e-6 * (focal * y**2 + nu) ** 2 / long**3
        tangent = np.array([-long * y, short * x]) / np.hypot(long * y, short * x)
        away = np.cos(turn) * tangent + np.sin(turn) * np.array([tangent[1], -tangent[0]])
        p, both = NearestPoint(Curve.ellipse(long, short), 1.0), np.array([point, point + moved * away])
        here, there = p.transport_jacobian(both)
        found = p.closed_set.project(both[:1])
        own = p._relative(found, np.zeros(1))
        stated = float((p._relative(found, np.full(1, moved)) - own)[0])
        cases.append(
            (frobenius(here, there) / float(found.stretch[0]), stated * (1 + 1e-3) + 2 * float(own[0]))
        )
    judge(*np.array(cases).T, floor=0.5)


def test_slopes_at_the_cusp_are_known_or_refused():
    """D/A to rounding, where K is infinite: what is stated holds, or K is refused; farther off never."""
    rng, cases, refused = np.random.default_rng(0), [], []
    for k in range(1200):
        long = rng.uniform(1.05, 3)
        off = rng.choice([-1, 1]) * log_uniform(rng, -16.5, -12)
        aside = 0.0 if k % 2 else log_uniform(rng, -30, -20)
        x = np.array([(long - 1) * (long + 1) / long * (1 + off), aside])
        try:
            y = exact_ellipse_point(*(M(float(v)) for v in x), M(long), M(1))
            cases.append(_slope_case(NearestPoint(Curve.ellipse(long, 1.0), 1.0), x, y, long, 1.0))
        except ValueError:
            refused.append(abs(off))
    judge(*np.array(cases).T)
    assert refused, "nothing lies so near the cusp"
    assert max(refused) < 1e-13


def test_the_medial_axis_is_beside_the_point():
    """On which side of it x₀ lies is seen however close it is, and x₀ moved across it may jump."""
    p = NearestPoint(Curve.ellipse(2.0, 1.0), 1.0)
    x0 = np.array([[0.7, 1e-300], [0.7, -1e-300]])
    assert (np.sign(p.transport(x0)[:, 1]) == [1, -1]).all()
    assert (p.roundings.transport(x0).bound < 1e-14).all()


def test_hessian_of_an_arc_is_as_accurate_as_its_inverse():
    """H = a|x₀/a − C|/R, tiny where the noise is near the centre: K's statement holds for both."""
    rng = np.random.default_rng(22)
    for _ in range(200):
        radius, a = log_uniform(rng, -2, 2), log_uniform(rng, -1, 1)
        centre = rng.standard_normal(2) * radius * rng.choice([0.0, 1.0])
        p = NearestPoint(Arc(radius, 0.5, 2.5, tuple(centre)), a)
        angle, size = rng.uniform(0.6, 2.4), radius * log_uniform(rng, -6, 1)
        x0 = a * (centre + size * np.array([np.cos(angle), np.sin(angle)]))[None]
        (group,) = p.manifolds(p.transport(x0), x0)
        w = [M(float(x)) / M(a) - M(float(c)) for x, c in zip(x0[0], centre, strict=True)]
        exact = M(a) * mp.hypot(*w) / M(radius)
        off = abs(M(float(group.hessian[0, 0, 0])) - exact)
        stated = exact**2 * M(float(p.roundings.transport_jacobian(x0).bound[0])) + 8 * M(UNIT) * exact
        assert off <= stated, (p, x0, float(off / stated))


def test_slopes_of_an_arc_beside_the_rays_through_its_ends():
    """K is R/(a|w|) within the arc's angles and 0 beyond: on the ray rounding decides."""
    p = NearestPoint(Arc(1.0, -0.4394112209020049, 1.15836932575077))
    x0 = [1.1767699267517693, 2.6896385426566596]  # K is .34 there, and was computed as 0
    assert p.roundings.transport_jacobian([x0]).bound[0] >= 0.34
    rng, cases = np.random.default_rng(23), []
    for _ in range(400):
        p, exact = _arcs(rng)
        arc, aside = p.closed_set, rng.choice([-1, 1]) * log_uniform(rng, -17, -1)
        ray = rng.choice([-1, 1]) * (arc.half + aside)
        w = arc.frame @ (arc.length * log_uniform(rng, -1, 2) * np.array([np.cos(ray), np.sin(ray)]))
        x0 = p.curvature * (arc.centre + w)
        bound = float(p.roundings.transport_jacobian(x0[None]).bound[0])
        cases.append((frobenius(p.transport_jacobian(x0[None])[0], exact.transport_jacobian(x0)), bound))
    judge(*np.array(cases).T)
    off = np.array([bound * p.curvature for _, bound in cases])
    assert (off > 1e-3).mean() <= 0.5, "only beside a ray"


def test_a_moved_argument_may_pass_the_ray_through_an_end():
    """K moved by r: over the ray it jumps by R/(a|w|), short of it it bends by √2·R/(a|w|²)·r."""
    p = NearestPoint(Arc(2.0, -1.0, 1.0), 0.5)
    turn = 1.0 - np.array([1e-3, 1e-3, -1e-3, -1e-3])
    x0 = 3.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    stated = p.roundings.transport_jacobian(x0, moved=[1e-3, 4e-3, 1e-3, 4e-3]).bound
    size = 2.0 / 3.0
    assert np.sqrt(2) * size / 3 * 1e-3 <= stated[0] <= 1.001 * np.sqrt(2) * size / 3 * 1e-3
    assert (size <= stated[[1, 3]]).all()
    assert (stated[[1, 3]] <= 1.01 * size).all()
    assert stated[2] == 0.0
