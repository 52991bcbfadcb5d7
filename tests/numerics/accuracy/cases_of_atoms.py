"""Atoms, clouds and the twin: hostile draws beside brute force in fractions, and beside balls."""

from fractions import Fraction
from itertools import chain

import numpy as np
from flint import arb

from numerics.intervals.balls import distance, dot, doubles, exact, subtract, times
from numerics.intervals.twin import ExactTwin
from numerics.potentials import FiniteAtoms, NearestPoint, PointCloud, Twin
from numerics.potentials.twin_faces import END, RATIO, SLOPE, across, before_atom, place, steepness
from tests.numerics.accuracy import hostile_atoms as hostile
from tests.numerics.accuracy.ball_oracles import Oracle, in_balls, of_kinks, of_noise, of_points, together
from tests.numerics.accuracy.cases_of_bodies import log_uniform


def _off(computed, exactly):
    """|computed − exact| of doubles and fractions."""
    gaps = [Fraction(float(c)) - e for c, e in zip(np.ravel(computed), exactly, strict=True)]
    return float(sum(gap * gap for gap in gaps)) ** 0.5


def _of_one(p, heights, z, step):
    """(error, bound) of prox, dual and envelope, and of D prox where it exists and is told from any other."""
    found, true = p.proximal_point(z, step), hostile.prox(p.points, heights, z, step)
    dual = [(a - b) / Fraction(step) for a, b in zip(hostile.fractions(z), true.point, strict=True)]
    says = found.rounding
    cases = {
        "prox": (_off(found.point, true.point), says.point),
        "dual": (_off(found.dual, dual), says.dual),
        "envelope": (_off(found.envelope, [true.envelope]), says.envelope),
    }
    if true.jacobian is not None and says.jacobian.bound[0] < 1:
        cases["prox_jacobian"] = (_off(found.jacobian, chain.from_iterable(true.jacobian)), says.jacobian)
    return {name: (np.array([error]), stated.bound) for name, (error, stated) in cases.items()}


def _of_noise(p, heights, x0):
    """The same of T, of which any best atom will do, K, which is 0, and φ*."""
    rows, heights, says = [hostile.fractions(y) for y in p.points], hostile.fractions(heights), p.roundings
    errors = {"transport": [], "conjugate": []}
    for x, image, value in zip(x0, p.transport(x0), p.conjugate(x0), strict=True):
        scores = [hostile.dot(hostile.fractions(x), y) - g for y, g in zip(rows, heights, strict=True)]
        best = [_off(image, y) for y, s in zip(rows, scores, strict=True) if s == max(scores)]
        errors["transport"].append(min(best))
        errors["conjugate"].append(_off(value, [max(scores)]))
    slopes = np.abs(p.transport_jacobian(x0)).max(axis=(1, 2)), says.transport_jacobian(x0).bound
    stated = {"transport": says.transport(x0).bound, "conjugate": says.conjugate(x0).bound}
    return {name: (np.array(errors[name]), stated[name]) for name in stated} | {"transport_jacobian": slopes}


def _beside_a_tie(rng, atoms, heights):
    """Noise where two scores tie, or beside; anywhere for one atom."""
    x0 = rng.standard_normal(atoms.shape[1]) * log_uniform(rng, -3, 3)
    if len(atoms) == 1:
        return x0
    edge, rise = atoms[1] - atoms[0], heights[1] - heights[0]
    share = float(rise - x0 @ edge) / (edge @ edge)
    return x0 + edge * share * (1 + rng.choice([0, 1]) * log_uniform(rng, -17, -1))


def _between_two(rng, made):
    """φ of two atoms a power of 2 apart, at dyadic shares of the way, so that no weight rounds."""
    gap, share = 2.0 ** rng.integers(-5, 6), rng.integers(0, 257) / 256
    atoms, heights, p = made(np.array([[0.0], [gap]]), rng)
    true = hostile.value(atoms, heights, [Fraction(share) * Fraction(gap)])
    at = np.array([[share * gap]])
    return {"value": (np.array([_off(p.value(at), [true])]), p.roundings.value(at).bound)}


def _all_of(rng, made, draws, n):
    parts = []
    for k in range(n):
        atoms, heights, p, z, step = draws(rng)
        x0 = np.array([_beside_a_tie(rng, atoms, heights) for _ in range(6)])
        parts += [_of_one(p, heights, z, step), _of_noise(p, heights, x0), _between_two(rng, made)]
        if k % 8 == 0:
            parts.append(of_kinks(p, z[None], np.array([step]), rng))
    return together(parts)


def finite_atoms(rng):
    def made(atoms, rng):
        heights = rng.standard_normal(len(atoms))
        return atoms, heights, FiniteAtoms(atoms, heights)

    def draws(rng):
        _, atoms, heights, z, step = hostile.draw(rng)
        return atoms, heights, FiniteAtoms(atoms, heights), z, step

    return _all_of(rng, made, draws, 250)


def clouds(rng):
    """Heights are (a/2)|y|² before they round; up to 1e6 extents away from 0."""

    def made(atoms, rng):
        a = float(log_uniform(rng, -1, 1))
        heights = [Fraction(a) / 2 * hostile.dot(y, y) for y in map(hostile.fractions, atoms)]
        return atoms, heights, NearestPoint(PointCloud(atoms), a)

    def draws(rng):
        d, far, extent = int(rng.integers(1, 4)), rng.choice([0.0, 1.0, 1e3, 1e6]), log_uniform(rng, -3, 0)
        atoms = far * rng.standard_normal(d) + extent * rng.standard_normal((int(rng.integers(2, 6)), d))
        atoms, heights, p = made(atoms, rng)
        step = float(log_uniform(rng, -2, 2))
        z = (1 + p.curvature * step) * (atoms.mean(axis=0) + extent * rng.uniform(-1, 1, d))
        return atoms, heights, p, z, step

    return _all_of(rng, made, draws, 150)


# --- the twin -----------------------------------------------------------------------------------------


def _faces_of_the_twin(rng, n):
    """Points of faces of every kind and noise that ties them: chords, fans, to the atom, the arc.

    Every sixth is on a chord where u₁ is 0 next to its ends: with tiny steps prox errs most there.
    """
    s = END * log_uniform(rng, -8, 0, n)
    q, sign, down = END * rng.uniform(RATIO, 1, n), rng.choice([-1.0, 1.0], n), -log_uniform(rng, -6, 2, n)
    ends = [(-RATIO * s, s), (-q, np.full(n, END)), (s, np.ones(n)), (sign * s, sign * s)]
    deltas = [SLOPE * s, across(q), before_atom(s), down]
    firsts = [(deltas[0] - 24 * RATIO * s) * RATIO * s, (deltas[1] - 24 * q) * q, s**3 / (2 - s)]
    firsts.append(steepness(sign * s) - down * sign * s)
    kind = np.where(np.arange(n) % 6 == 0, 0, rng.integers(0, 4, n))
    low, high = (np.choose(kind, [pair[k] for pair in ends]) for k in range(2))
    first, delta = np.choose(kind, firsts), np.choose(kind, deltas)
    share = rng.uniform(0, 1, (n, 1))
    share[::6] = RATIO / (1 + RATIO) * (1 + log_uniform(rng, -12, -1, (len(share[::6]), 1)))  # where u₁ is 0
    return place(low) + share * (place(high) - place(low)), np.stack([first, 1 + delta], axis=1)


@in_balls
def twins(rng):
    """Faces of all kinds, steps of 1e−12 to 1e6, and anywhere; noise about 0 and (0, 1), and far."""
    p, n, oracle = Twin(), 200, Oracle(ExactTwin())
    u, v = _faces_of_the_twin(rng, n)
    step = np.where(np.arange(n) % 6 == 0, log_uniform(rng, -12, -6, n), log_uniform(rng, -4, 6, n))
    z = u + step[:, None] * v
    z[1::8] = 1.5 * rng.standard_normal((len(z[1::8]), 2))
    clear = p.proximal_point(z, step).kink > 1e-20
    z, step = z[clear], step[clear]
    centre = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 3.0]])[rng.integers(0, 3, 800)]
    x0 = centre + log_uniform(rng, -3, 1, (800, 1)) * rng.standard_normal((800, 2))
    kinks = of_kinks(p, z[-60:], step[-60:], rng)
    return (
        of_noise(p, oracle, x0) | of_points(p, oracle, z, step) | _values_on_faces(p, oracle, z, step) | kinks
    )


def _values_on_faces(p, oracle, z, step):
    """φ beside exact points of faces, by its slope there: to second order in what the points round by."""
    found = p.proximal_point(z, step)
    inner = (found.kink > 1e-6) & (np.abs(np.linalg.det(found.jacobian)) > 1e-9)
    points, errors = [], []
    for at, length in zip(z[inner], step[inner], strict=True):
        at, length = exact(at), arb(float(length))
        u = oracle.prox(at, length)
        x = doubles(u.point)
        slope = times(1 / length, subtract(at, u.point))
        height = u.value + dot(slope, subtract(exact(x), u.point))
        points.append(x)
        errors.append(distance([height], [p.value(x[None])[0]]))
    return {"value": (np.array(errors), p.roundings.value(np.array(points)).bound)}
