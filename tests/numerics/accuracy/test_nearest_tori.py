"""Nearest points of tori, the thinnest too, against closed forms in 50 digits."""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import UNIT
from numerics.potentials import NearestPoint, Torus
from tests.numerics.accuracy.harness import judge
from tests.numerics.accuracy.nearest_oracles import (
    M,
    case,
    distance,
    frobenius,
    judge_all,
    log_uniform,
    objective,
    solved,
)


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def _slope_on_axis(zeta, step, pull, minor):
    """The s with minor·s/√(pull² + s²) + step·s = ζ: concave and increasing, so Newton from below rises."""
    slope = max(abs(zeta) / (minor / pull + step), (abs(zeta) - minor) / step)
    for _ in range(400):
        far = mp.hypot(pull, slope)
        rise = abs(zeta) - minor * slope / far - step * slope
        slope += rise / (minor * pull**2 / far**3 + step)
        if rise <= abs(zeta) * M(10) ** -45:
            break
    return slope * mp.sign(zeta)


def exact_torus_prox(z, step, a, major, minor):
    """In the half-plane of z: a disc's point, the tube's, or one of a horizontal disc."""
    z = [M(float(x)) for x in z]
    step, a, major, minor = M(step), M(a), M(major), M(minor)
    rho, zeta = mp.hypot(z[0], z[1]), z[2]
    e = [z[0] / rho, z[1] / rho] if rho else [M(1), M(0)]
    k = (rho - major * (1 + a * step), zeta)
    size, top = mp.hypot(*k), a * (major**2 + minor**2) / 2
    if size <= minor:
        region = "disc"
        flat, height = rho - step * a * major, zeta
        value = a * major * (flat - major) + top
        around, inner = flat / rho, [[1, 0], [0, 1]]
    elif rho - major - minor * k[0] / size >= 0:
        n, region = (k[0] / size, k[1] / size), "tube"
        flat, height = major + minor * n[0], minor * n[1]
        value = a / 2 * (flat**2 + height**2)
        around = flat / rho
        inner = [[minor / size * n[1] ** 2, -minor / size * n[0] * n[1]]]
        inner.append([inner[0][1], minor / size * n[0] ** 2])
    else:
        pull, region = a * major, "axis"
        slope = _slope_on_axis(zeta, step, pull, minor)
        flat, height = rho, minor * slope / mp.hypot(pull, slope)
        value = top - pull * minor * pull / mp.hypot(pull, slope)
        steep = minor * pull**2 / mp.hypot(pull, slope) ** 3
        around, inner = M(1), [[1, 0], [0, steep / (steep + step)]]
    u = [flat * e[0], flat * e[1], height]
    frame = [[e[0], e[1], 0], [0, 0, 1]]
    turn = [-e[1], e[0], 0]
    jacobian = [
        [
            around * turn[i] * turn[j]
            + mp.fsum(inner[s][t] * frame[s][i] * frame[t][j] for s in range(2) for t in range(2))
            for j in range(3)
        ]
        for i in range(3)
    ]
    return u, objective(value, u, z, float(step)), jacobian, region


def _torus_case(rng, major, minor, a):
    """z whose prox lies in the tube's disc, on the tube, or inside the hole; and at their borders."""
    step = log_uniform(rng, -4, 2) / a
    kind, angle = rng.integers(4), rng.uniform(0, 2 * np.pi)
    radial = np.array([np.cos(angle), np.sin(angle), 0.0])
    if kind < 2:
        turned = rng.uniform(0, 2 * np.pi)
        depth = minor * (rng.uniform(0, 1.5) if kind else 1 + rng.choice([-1, 1]) * log_uniform(rng, -16, -1))
        u = major * radial + depth * (np.cos(turned) * radial + np.array([0, 0, np.sin(turned)]))
        return u + step * a * major * radial, step
    if kind == 2:
        u = rng.uniform(0, 1) * (major - minor) * radial
        return u + np.array(
            [0, 0, rng.choice([-1, 1]) * (minor + step * a * major) * log_uniform(rng, -3, 2)]
        ), step
    return rng.standard_normal(3) * (major + minor) * log_uniform(rng, -2, 1), step


def test_tori():
    """Thin ones too: discs, tubes, the hole; where they meet; T and K beside."""
    rng, cases, transports, regions = np.random.default_rng(3), [], [], []
    for _ in range(250):
        major = log_uniform(rng, -3, 3)
        minor = major * float(rng.choice([0.125, rng.uniform(0.3, 0.9), log_uniform(rng, -4, -1)]))
        a = log_uniform(rng, -1, 1)
        p = NearestPoint(Torus(major, minor), a)
        z, step = _torus_case(rng, major, minor, a)
        answer = exact_torus_prox(z, step, a, major, minor)
        cases.append(case(p, z, step, answer))
        regions.append(answer[3])
        x0 = rng.standard_normal(3) * a * major
        transports.append(_torus_transport_case(p, x0, major, minor))
    judge_all(cases, set(), regions)
    table = np.array(transports)
    judge(table[:, 0, 0], table[:, 0, 1])
    judge(table[:, 1, 0], table[:, 1, 1])


@pytest.mark.parametrize(
    ("minor", "a", "z", "step"),
    [
        (0.5, 1.0, [1.378265825741649, -1.4277162603760918, -0.06431447402952344], 0.0010167123559906),
        (0.25, 0.25, [-0.6571640443339745, -1.9121039892835974, 0.004499769856090624], 0.00783844408886036),
        (0.5, 1.0, [1.9378532722325577, -1.0585044473075738, 0.06601518836526943], 0.16583604246177153),
    ],
)
def test_the_case_files_discs_are_exact(minor, a, z, step):
    """On the tube's disc prox(z) is z − λaRe; these erred up to 1e6 times what was stated."""
    p, at = NearestPoint(Torus(2.0, minor), a), [M(x) for x in z]
    reach, pull = mp.hypot(at[0], at[1]), M(step) * M(a) * 2
    exact = [at[0] - pull * at[0] / reach, at[1] - pull * at[1] / reach, at[2]]
    assert mp.hypot(mp.hypot(exact[0], exact[1]) - 2, exact[2]) < minor
    found, bound, _, _ = solved(p, z, step)
    assert distance(found.point[0], exact) <= bound <= 1e-14


def _torus_transport_case(p, x0, major, minor):
    a = M(p.curvature)
    x = [M(float(v)) / a for v in x0]
    rho = mp.hypot(x[0], x[1])
    e = [x[0] / rho, x[1] / rho]
    q = (rho - M(major), x[2])
    size = mp.hypot(*q)
    n = (q[0] / size, q[1] / size)
    y = [(major + minor * n[0]) * e[0], (major + minor * n[0]) * e[1], minor * n[1]]
    around, along = (major + minor * n[0]) / rho / a, minor / size / a
    turn, meridian = [-e[1], e[0], 0], [-n[1] * e[0], -n[1] * e[1], n[0]]
    slope = [
        [around * turn[i] * turn[j] + along * meridian[i] * meridian[j] for j in range(3)] for i in range(3)
    ]
    r = p.roundings
    return [
        (distance(p.transport(x0[None])[0], y), float(r.transport(x0[None]).bound[0])),
        (
            frobenius(p.transport_jacobian(x0[None])[0], slope),
            float(r.transport_jacobian(x0[None]).bound[0]),
        ),
    ]


def test_thin_tori_to_a_hundred_millionth():
    """All three kinds of face, beside where they meet; no net grows with R/r."""
    rng, cases = np.random.default_rng(9), []
    for _ in range(200):
        major = log_uniform(rng, -3, 3)
        minor, a = major * log_uniform(rng, -8, -3), log_uniform(rng, -1, 1)
        step, turn, around = log_uniform(rng, -2, 2) / a, rng.uniform(0, 6.28), rng.uniform(0, 6.28)
        outward = np.array([np.cos(around), np.sin(around), 0.0])
        reach = minor * (1 + rng.choice([-1, 1]) * log_uniform(rng, -12, 0))
        z = (major * (1 + a * step) + reach * np.cos(turn)) * outward
        z += np.array([0.0, 0.0, reach * np.sin(turn)])
        if rng.random() < 0.3:
            z = rng.standard_normal(3) * major * log_uniform(rng, -3, 1)
        exact = exact_torus_prox(z, step, a, major, minor)
        cases.append(case(NearestPoint(Torus(major, minor), a), z, step, exact)[:3])
    assert Torus(1.0, 1e-8).net.size < 1e6
    judge_all(cases, set())


def test_gap_beside_the_top_circle():
    """φ is infinitely steep there off the torus; a rounded point of it has the value of that beside it."""
    rng = np.random.default_rng(21)
    for _ in range(20):
        major = log_uniform(rng, -1, 1)
        minor, a, angle = major * rng.uniform(0.05, 0.9), log_uniform(rng, -1, 1), rng.uniform(0, 6.28, 300)
        outward = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1)
        aside, far = 10.0 ** rng.uniform(-14, -1, (2, 300, 1))
        up = rng.choice([-1.0, 1.0], (300, 1)) * np.array([0.0, 0.0, 1.0])
        x0 = a * (major * outward + minor * 100 * far * (up - aside * outward))
        p = NearestPoint(Torus(major, minor), a)
        x1, r = p.transport(x0), p.roundings
        gap = np.abs(p.value(x1) + p.conjugate(x0) - (x0 * x1).sum(axis=1))
        size = np.linalg.norm(x0, axis=1)
        beside = r.domain(x1).bound + 2 * r.transport(x0).bound
        terms = 8 * UNIT * (size * np.linalg.norm(x1, axis=1) + np.abs(p.conjugate(x0)))
        stated = r.value(x1).bound + r.conjugate(x0).bound + beside * size + terms
        assert (gap <= stated).all(), (p, x0[np.argmax(gap / stated)])
