"""Nearest points of arcs, ellipses, tori, curves and unions: hostile draws beside their exact twins."""

from contextlib import suppress

import numpy as np
from flint import arb

from numerics.accuracy import UNIT
from numerics.intervals.balls import UndecidedError, exact, norm
from numerics.intervals.torus import ExactTorus
from numerics.potentials import Arc, Curve, NearestPoint, PointCloud, Torus, Union
from tests.numerics.accuracy.ball_oracles import (
    Oracle,
    in_balls,
    of_kinks,
    of_noise,
    of_points,
    of_values,
    together,
)
from tests.numerics.accuracy.cases_of_bodies import log_uniform
from tests.numerics.accuracy.set_oracles import ExactArc, ExactEllipse, ExactUnion

TURN = 2 * np.pi


def _signs(rng, size):
    return rng.choice([-1.0, 1.0], size)


def _everything(p, oracle, x0, z, step, x, rng, kinks=4, **rays):
    found = of_noise(p, oracle, x0) | of_points(p, oracle, z, step) | of_values(p, oracle, x)
    return found | of_kinks(p, z[:kinks], step[:kinks], rng, **rays)


@in_balls
def arcs(rng):
    """Inside, radial, on the chord, at an end, and from 1e−16 on beside where they meet; φ on the segment."""
    parts, n = [], 8
    for _ in range(100):
        radius, start, a = float(log_uniform(rng, -3, 3)), float(rng.uniform(-9, 9)), log_uniform(rng, -1, 1)
        stop = start + float(rng.choice([rng.uniform(0.001, 6.28), rng.uniform(0.5, 6.0)]))
        centre = rng.choice([0.0, 1.0]) * rng.standard_normal(2) * radius * log_uniform(rng, -2, 3)
        arc = Arc(radius, start, stop, tuple(centre.tolist()))
        twin, step = ExactArc(radius, start, stop, centre, a), log_uniform(rng, -3, 3, n) / a
        turn = rng.choice([arc.half, rng.uniform(0, np.pi)]) + _signs(rng, n) * log_uniform(rng, -16, 0, n)
        near = 1 + _signs(rng, n) * log_uniform(rng, -16, -1, n)
        reach = radius * np.where(rng.random(n) < 0.5, near, log_uniform(rng, -2, 2, n))
        w = (reach * np.array([np.cos(turn), _signs(rng, n) * np.sin(turn)])).T @ arc.frame.T
        z = w + arc.centre * (1 + a * step[:, None])
        deep = np.cos(arc.half) + rng.uniform(0, 1, n) * (1 - np.cos(arc.half))
        x = arc.centre + radius * deep[:, None] * arc.frame[:, 0]
        oracle = Oracle(twin, twin.value)
        parts.append(_everything(NearestPoint(arc, a), oracle, a * (centre + w), z, step, x, rng))
    return together(parts)


def _on_chords(rng, long, short, a, n):
    """Z whose prox lies on the chords at angles t, short as t → 0 (the end of the medial axis), or around."""
    t, weight = log_uniform(rng, -9, 0.19, n), rng.uniform(-1.2, 1.2, n)
    step = log_uniform(rng, -2, 2, n) / a
    u = np.stack([long * np.cos(t), weight * short * np.sin(t)], axis=1)
    pull = a * (1 - (short / long) ** 2) * long * np.cos(t)
    return u + step[:, None] * np.stack([pull, 0 * t], axis=1), step


def _in_the_ellipse(rng, axes, n):
    t = rng.uniform(0, TURN, n)
    return axes * np.stack([np.cos(t), np.sin(t)], axis=1) * np.sqrt(rng.uniform(0, 0.99, (n, 1)))


@in_balls
def ellipses(rng):
    """Chords of all lengths, far points, circles; noise anywhere and beside the medial axis."""
    parts, n = [], 16
    for _ in range(60):
        long, a = float(log_uniform(rng, -3, 3)), log_uniform(rng, -1, 1)
        short = long * float(rng.choice([1.0, rng.uniform(0.02, 1), rng.uniform(0.3, 0.95)]))
        twin = ExactEllipse(long, short, a)
        z, step = _on_chords(rng, long, short, a, n)
        far = rng.random(n) < 0.5
        z[far] = rng.standard_normal((far.sum(), 2)) * long * log_uniform(rng, -1, 1, (far.sum(), 1))
        z[far] *= (1 + a * step[far])[:, None]
        x0 = a * rng.standard_normal((n, 2)) * long * log_uniform(rng, -1, 2, (n, 1))
        axis = (long - short) * (long + short) / long
        beside = (
            axis * (1 + _signs(rng, n) * log_uniform(rng, -16, 0, n)),
            short * log_uniform(rng, -18, 1, n),
        )
        if short < long:
            x0[: n // 4] = a * np.stack(beside, axis=1)[: n // 4]
        p, x = NearestPoint(Curve.ellipse(long, short), a), _in_the_ellipse(rng, [long, short], n)
        parts.append(_everything(p, Oracle(twin, twin.value), x0, z, step, x, rng))
    return together(parts)


def _tube(rng, major, minor, a, n):
    """Z whose prox lies in the tube's discs, on the tube, over the hole, and at their borders; its step."""
    step, angle, turned = log_uniform(rng, -4, 2, n) / a, rng.uniform(0, TURN, n), rng.uniform(0, TURN, n)
    radial, up = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1), np.array([0.0, 0.0, 1.0])
    border = 1 + _signs(rng, n) * log_uniform(rng, -16, -1, n)
    depth = minor * np.where(rng.random(n) < 0.5, border, rng.uniform(0, 1.5, n))
    u = (major + depth * np.cos(turned))[:, None] * radial + (depth * np.sin(turned))[:, None] * up
    tube = u + (step * a * major)[:, None] * radial
    height = _signs(rng, n) * (minor + step * a * major) * log_uniform(rng, -3, 2, n)
    hole = (rng.uniform(0, 1, n) * (major - minor))[:, None] * radial + height[:, None] * up
    far = rng.standard_normal((n, 3)) * (major + minor) * log_uniform(rng, -2, 1, (n, 1))
    return np.choose(rng.integers(0, 4, n)[:, None], [tube, tube, hole, far]), step


@in_balls
def tori(rng):
    """Thin ones too: discs, tubes, the hole; where they meet; φ on both kinds of disc."""
    parts, n = [], 8
    for _ in range(60):
        major, a = float(log_uniform(rng, -3, 3)), log_uniform(rng, -1, 1)
        minor = major * float(rng.choice([0.125, rng.uniform(0.3, 0.9), log_uniform(rng, -4, -1)]))
        z, step = _tube(rng, major, minor, a, n)
        angle, psi, share = rng.uniform(0, TURN, n), rng.uniform(0, TURN, n), minor * rng.uniform(0, 0.99, n)
        deep = np.sqrt((minor - share) * (minor + share))
        over = rng.random(n) < 0.5
        rho = np.where(over, (major - deep) * rng.uniform(0, 0.99, n), major + share * np.cos(psi))
        x = np.stack(
            [rho * np.cos(angle), rho * np.sin(angle), np.where(over, 1, np.sin(psi)) * share], axis=1
        )
        twin, x0 = (
            ExactTorus(major, minor, a),
            a * major * rng.standard_normal((n, 3)) * log_uniform(rng, -1, 1, (n, 1)),
        )
        oracle = Oracle(twin, _value_over(major, minor, a))
        parts.append(_everything(NearestPoint(Torus(major, minor), a), oracle, x0, z, step, x, rng))
    return together(parts)


def _value_over(major, minor, a):
    """φ: affine on the tube's discs, and on horizontal ones what it is on the circle that bounds them."""
    major, minor, a = arb(major), arb(minor), arb(a)

    def value(x):
        rho, squares = norm(x[:2]), a * (major**2 + minor**2) / 2
        reach = (minor**2 - x[2] ** 2).max(arb(0)).sqrt()
        if rho <= major - reach:
            return squares - a * major * reach
        return a * major * (rho - major) + squares

    return value


def _erring_ellipse(long, short, turn):
    """An ellipse by functions that err as much as a curve's may: γ is too long and γ' turned (`Curve`)."""
    axes = np.array([long, short])

    def at(t):
        return axes * np.stack([np.cos(t + turn), np.sin(t + turn)], axis=1)

    def speed(t):
        along = axes * np.stack([-np.sin(t + turn), np.cos(t + turn)], axis=1)
        return along + 11 * UNIT * np.stack([-along[:, 1], along[:, 0]], axis=1)

    return Curve(lambda t: (1 + 10 * UNIT) * at(t), speed, lambda t: -(1 + 10 * UNIT) * at(t))


@in_balls
def curves(rng):
    """Faces on chords; pairs y + λx₀ of the curve, x₀ pressing out by 1e−3 … 1e3, or in to its axis."""
    parts, n = [], 24
    for ratio in (0.3, 0.5, 0.8, 0.95) * 2:
        long, a = float(log_uniform(rng, -3, 3)), float(log_uniform(rng, -1, 1))
        short = ratio * long
        p, twin = (
            NearestPoint(_erring_ellipse(long, short, rng.uniform(0, 0.01)), a),
            ExactEllipse(long, short, a),
        )
        y, step = p.transport(rng.standard_normal((n, 2)) * a * long), log_uniform(rng, -3, 2, n) / a
        pressed = a * short * log_uniform(rng, -3, 3, (n, 1))
        x0 = a * y + pressed * y / [long, short] * [1.0, long / short]
        inward = y * [(short / long) ** 2, 1.0]  # from the medial axis
        x0[6:9] = a * (y - rng.uniform(0.2, 0.9, (n, 1)) * inward)[6:9]
        z = y + step[:, None] * x0
        z[:6], step[:6] = _on_chords(rng, long, short, a, 6)
        oracle = Oracle(twin, twin.on_the_set)
        parts.append(of_noise(p, oracle, x0) | of_points(p, oracle, z, step) | of_values(p, oracle, y))
    return together(parts)


@in_balls
def unions(rng):
    """An arc and two points, at scales 1e±3 and up to 1e6 radii away: the parts' faces, and mixed ones."""
    parts, n = [], 16
    for away in (0.0, 0.0, 1.0, 1.0, 1e3, 1e6) * 2:
        radius, a = float(log_uniform(rng, -3, 3)), float(log_uniform(rng, -1, 1))
        centre = away * radius * np.array([0.6, -0.8])
        points = centre + radius * np.array([[0.0, -1.5], [2.0, 0.25]])
        arc = Arc(radius, 0.25, 2.5, tuple(centre.tolist()))
        twin = ExactUnion(ExactArc(radius, 0.25, 2.5, centre, a), points, a)
        p, step = NearestPoint(Union(arc, PointCloud(points)), a), log_uniform(rng, -2, 2, n) / a
        x0 = a * (centre + radius * rng.standard_normal((6 * n, 2)) * log_uniform(rng, -1, 1, (6 * n, 1)))
        u = rng.dirichlet(np.ones(4), n) @ np.concatenate([points, arc.ends])
        z = u + step[:, None] * (x0[:n] + a * radius * rng.standard_normal((n, 2)))
        z, step = (part[_decided(twin, z, step)] for part in (z, step))
        oracle = Oracle(twin, twin.on_the_set)
        found = (
            of_noise(p, oracle, x0) | of_points(p, oracle, z, step) | of_values(p, oracle, p.transport(x0))
        )
        parts.append(found | of_kinks(p, z[:2], step[:2], rng, rays=3, cells=8, halvings=14))
    return together(parts)


def _decided(twin, z, step):
    """Rows whose face the oracle finds."""
    known = []
    for i, (point, length) in enumerate(zip(z, step, strict=True)):
        with suppress(UndecidedError):
            twin.candidate(exact(point), arb(float(length)))
            known.append(i)
    return known
