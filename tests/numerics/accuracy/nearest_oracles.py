"""What the prox of nearest-point targets is, in as many digits as mpmath has, and how answers are judged."""

import mpmath as mp
import numpy as np

from numerics.potentials import Curve
from tests.numerics.accuracy.harness import judge, judge_with_twins

M = mp.mpf


def distance(x, exact):
    return float(mp.sqrt(mp.fsum((M(float(a)) - b) ** 2 for a, b in zip(x, exact, strict=True))))


def frobenius(matrix, exact):
    return distance(np.ravel(matrix), [entry for row in exact for entry in row])


def log_uniform(rng, low, high):
    return float(10.0 ** rng.uniform(low, high))


def solved(p, z, step):
    """The five numbers of one solve and their bounds, for one point."""
    f = p.proximal_point(np.array(z)[None], step)
    r = f.rounding
    return (
        f,
        float(r.point.bound[0]),
        float(np.ravel(r.envelope.bound)[0]),
        float(np.ravel(r.jacobian.bound)[0]),
    )


def case(p, z, step, exact):
    """(error, bound) of point, dual, envelope and D prox, from exact (u, e, J)."""
    f, point, envelope, jacobian = solved(p, z, step)
    u, e, j = exact[:3]
    y = [(M(float(a)) - b) / M(step) for a, b in zip(z, u, strict=True)]
    return [
        (distance(f.point[0], u), point),
        (distance(f.dual[0], y), float(f.rounding.dual.bound[0])),
        (abs(float(M(float(f.envelope[0])) - e)), envelope),
        (frobenius(f.jacobian[0], j) if j is not None else 0.0, jacobian),
    ]


def judge_all(cases, sharp, regions=None):
    """Every column judged, those in ``sharp`` with twins; the point also within every region by itself."""
    table = np.array(cases)
    for k in range(table.shape[1]):
        (judge_with_twins if k in sharp else judge)(table[:, k, 0], table[:, k, 1])
    for region in sorted(set(regions or ())):
        rows = np.array(regions) == region
        assert rows.sum() >= 8, f"{region}: {rows.sum()} cases"
        judge(table[rows, 0, 0], table[rows, 0, 1])


def objective(value, u, z, step):
    return value + mp.fsum((a - M(float(b))) ** 2 for a, b in zip(u, z, strict=True)) / (2 * M(step))


def exact_ellipse_point(p, q, long, short):
    """The nearest point of (p, q), by bisection of the secular equation and Newton."""
    signs = (mp.sign(p) or 1, mp.sign(q) or 1)
    p, q, gap = abs(p), abs(q), long**2 - short**2
    if q == 0 and long * p <= gap:
        x = long * p / gap if gap else M(0)
        return long * x * signs[0], short * mp.sqrt(1 - x * x) * signs[1]
    low, high = max(long * p - gap, short * q, M(10) ** -1500), long * p + short * q
    while high > low * (1 + M(10) ** -12):
        middle = mp.sqrt(low * high) if high > 2 * low else (low + high) / 2
        above = (long * p / (gap + middle)) ** 2 + (short * q / middle) ** 2 > 1
        low, high = (middle, high) if above else (low, middle)
    nu = low
    for _ in range(4):
        x, y = long * p / (gap + nu), short * q / nu
        nu += (x * x + y * y - 1) / (2 * (x * x / (gap + nu) + y * y / nu))
    return long**2 * p / (gap + nu) * signs[0], short**2 * q / nu * signs[1]


def exact_ellipse_prox(z, step, a, long, short):
    """(p/(1+λaκ), q) inside, else the projection of z/(1+aλ); D prox from the curvature at it."""
    p, q, step, a, long, short = (M(float(x)) for x in (*z, step, a, long, short))
    flat = 1 - (short / long) ** 2
    u, region = [p / (1 + step * a * flat), q], "inside"
    jacobian = [[1 / (1 + step * a * flat), M(0)], [M(0), M(1)]]
    if (u[0] / long) ** 2 + (u[1] / short) ** 2 > 1:
        x = [p / (1 + a * step), q / (1 + a * step)]
        u, region = list(exact_ellipse_point(*x, long, short)), "on the ellipse"
        c, s = u[0] / long, u[1] / short
        square = (long * s) ** 2 + (short * c) ** 2
        tangent = [-long * s / mp.sqrt(square), short * c / mp.sqrt(square)]
        bend = 1 + ((x[0] - u[0]) * long * c + (x[1] - u[1]) * short * s) / square
        jacobian = [[tangent[i] * tangent[j] / bend / (1 + a * step) for j in range(2)] for i in range(2)]
    value = a / 2 * (short**2 + flat * u[0] ** 2)
    return u, objective(value, u, z, float(step)), jacobian, region


def short_chord(rng, long, short, a):
    """z whose prox lies on the chord at angle t, short as t → 0 (the end of the medial axis), or around."""
    t, weight = log_uniform(rng, -9, 0.19), float(rng.uniform(-1.2, 1.2))
    step = log_uniform(rng, -2, 2) / a
    u = np.array([long * np.cos(t), weight * short * np.sin(t)])
    z = u + step * np.array([a * (1 - (short / long) ** 2) * long * np.cos(t), 0.0])
    return z, step, t


def as_a_curve(long, short, turn=0.0):
    """The ellipse by three functions: its closed form is not used. ``turn`` shifts the net along it."""
    axes = np.array([long, short])

    def at(t):
        return axes * np.stack([np.cos(t + turn), np.sin(t + turn)], axis=1)

    def speed(t):
        return axes * np.stack([-np.sin(t + turn), np.cos(t + turn)], axis=1)

    return Curve(at, speed, lambda t: -at(t))
