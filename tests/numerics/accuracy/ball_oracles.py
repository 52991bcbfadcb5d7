"""What a potential states of every member, beside what it errs by against an exact potential in balls.

A case is (error, bound). The oracle's own answers are proved by φ* (`numerics.intervals`) or are closed
forms, in 512 bits; a Jacobian of prox is their central difference over 2⁻¹⁰⁰, which leaves 2⁻²⁰⁰.
"""

from functools import wraps

import numpy as np
from flint import arb, arb_mat, ctx

from numerics.accuracy import EPS
from numerics.intervals.balls import distance, dot, exact, subtract, times

BITS = 512
STEP = arb(2) ** -100
OWN = 1e-30  # of the oracle: what proofs and differences leave, relatively
INFORMED = 64
"""A statement above this share of what it is about says that a jump is near: it is judged by itself."""
RAYS, CELLS, HALVINGS, JUMP = 6, 16, 40, 0.05


def in_balls(function):
    """At the working precision."""

    @wraps(function)
    def run(*arguments, **named):
        with ctx.workprec(BITS):
            return function(*arguments, **named)

    return run


def zero(_):
    """φ of an indicator in its domain; T' of a law that rises by jumps alone."""
    return arb(0)


class Oracle:
    """A potential in balls, its value φ, and D prox where that has a form of its own."""

    def __init__(self, twin, value=None, jacobian=None):
        self.twin, self.value, self._jacobian = twin, value or zero, jacobian

    def transport(self, x0):
        return self.twin.transport(x0).point

    def transport_jacobian(self, x0):
        return self.twin.transport_jacobian(x0)

    def conjugate(self, x0):
        return self.twin.conjugate(x0)

    def prox(self, z, step):
        """The point and φ there; that it is the prox is proved by φ*."""
        found = self.twin.candidate(z, step)
        gap = self.twin.gap(found, times(1 / step, subtract(z, found.point)))
        away = subtract(z, found.point)
        size = float(dot(away, away) / step) + float(dot(found.point, found.point)) / float(step)
        worst = OWN**2 * (size + abs(float(found.value)) + 1e-300)
        assert float(abs(gap).upper()) <= worst, f"{z} {step}: gap {gap} over {worst}"
        return found

    def prox_jacobian(self, z, step):
        if self._jacobian is not None:
            return self._jacobian(z, step)
        columns = []
        for j in range(len(z)):
            ends = [[x + sign * STEP * (i == j) for i, x in enumerate(z)] for sign in (1, -1)]
            rise = subtract(*(self.twin.candidate(end, step).point for end in ends))
            columns.append(times(1 / (2 * STEP), rise))
        return arb_mat(columns).transpose()


def _seen(errors, sizes):
    """Errors, but for what the oracle's own leave at these sizes."""
    return np.where(np.array(errors, dtype=float) <= OWN * np.asarray(sizes), 0.0, errors)


def _told(name, errors, bounds, sizes, units):
    """Cases of a member, those apart whose statement says that a jump is near; units are sizes in general."""
    errors = _seen(errors, units)
    bounds = _each(bounds, errors)
    beside = INFORMED * bounds > sizes
    parts = {name: ~beside, f"{name} beside a jump": beside & (bounds > 0)}
    parts[name] |= bounds == 0
    return {key: (errors[rows], bounds[rows]) for key, rows in parts.items() if rows.any()}


def _each(bound, rows):
    return np.broadcast_to(np.asarray(bound, dtype=float), (len(rows),))


def _sizes(values):
    return np.array([float(np.linalg.norm(value)) for value in values])


@in_balls
def of_noise(p, oracle, x0):
    """T, K and φ* at noise (n,d)."""
    return of_images(p, oracle, x0) | of_conjugates(p, oracle, x0)


@in_balls
def of_images(p, oracle, x0):
    """T and K."""
    noise, image, slope = [exact(x) for x in x0], p.transport(x0), p.transport_jacobian(x0)
    moved = [distance(oracle.transport(x), c) for x, c in zip(noise, image, strict=True)]
    bent = [distance(oracle.transport_jacobian(x).entries(), c) for x, c in zip(noise, slope, strict=True)]
    sizes, units = _sizes(image), _sizes(image) / np.maximum(np.linalg.norm(x0, axis=1), 1e-300)
    bounds = p.roundings.transport_jacobian(x0).bound
    return {
        **_told("transport", moved, p.roundings.transport(x0).bound, sizes, sizes),
        **_told("transport_jacobian", bent, bounds, _sizes(slope), units),
    }


@in_balls
def of_conjugates(p, oracle, x0):
    """φ*."""
    off = [distance([oracle.conjugate(exact(x))], [c]) for x, c in zip(x0, p.conjugate(x0), strict=True)]
    sizes = _sizes(p.transport(x0)) * np.linalg.norm(x0, axis=1)
    return {"conjugate": (_seen(off, sizes), _each(p.roundings.conjugate(x0).bound, x0))}


@in_balls
def of_points(p, oracle, z, step):
    """Prox, its dual, the envelope and D prox at z (n,d) with steps (n,)."""
    found, points, steps = p.proximal_point(z, step), [exact(x) for x in z], [arb(float(s)) for s in step]
    true = [oracle.prox(*pair) for pair in zip(points, steps, strict=True)]
    away = [subtract(x, t.point) for x, t in zip(points, true, strict=True)]
    duals = [times(1 / s, v) for s, v in zip(steps, away, strict=True)]
    heights = [[t.value + dot(v, v) / (2 * s)] for t, v, s in zip(true, away, steps, strict=True)]
    slopes = [oracle.prox_jacobian(*pair).entries() for pair in zip(points, steps, strict=True)]
    errors = [
        [distance(e, c) for e, c in zip(exactly, computed, strict=True)]
        for exactly, computed in (
            ([t.point for t in true], found.point),
            (duals, found.dual),
            (heights, found.envelope[:, None]),
            (slopes, found.jacobian),
        )
    ]
    says, sizes, units = found.rounding, np.linalg.norm(z, axis=1), np.ones(len(z))
    return {
        "prox": (_seen(errors[0], sizes), _each(says.point.bound, z)),
        "dual": (_seen(errors[1], sizes / step), _each(says.dual.bound, z)),
        "envelope": (_seen(errors[2], sizes**2 / step), _each(says.envelope.bound, z)),
        **_told("prox_jacobian", errors[3], says.jacobian.bound, units, units),
    }


@in_balls
def of_values(p, oracle, x):
    """φ at points (n,d), which lie in the domain beyond doubt."""
    found = p.value(x)
    errors = [distance([oracle.value(exact(v))], [c]) for v, c in zip(x, found, strict=True)]
    return {"value": (_seen(errors, np.abs(found) + p.scale), _each(p.roundings.value(x).bound, x))}


def of_kinks(p, z, step, rng, rays=RAYS, cells=CELLS, halvings=HALVINGS):
    """What is stated of the distance to the nearest kink, beside the nearest jump of D prox on some rays.

    Rays reach as many times as far as is stated as they have cells; where +inf is, as many times |z| + scale,
    and a jump is an error. Their points are rounded, and so is on which side of a kink they are seen.
    """
    kink, size = p.proximal_point(z, step).kink, np.linalg.norm(z, axis=1) + p.scale
    z, step, size, kink = (part[kink > 0] for part in (z, step, size, kink))
    none = np.isinf(kink)
    reach = np.where(none, size, kink)
    jump = _jumps(p, z, step, reach, rng, rays, cells, halvings) if len(z) else np.empty(0)
    nearest = np.where(none, 1.0, reach) * jump + (p.dim + 4) * EPS * size
    stated = np.where(none, np.where(np.isinf(jump), 0.0, np.inf), kink)
    shown = none | np.isfinite(jump)
    pair = stated[shown], np.where(none, 0.0, nearest)[shown]
    return {"kink": pair} if shown.any() else {}


def _jumps(p, z, step, reach, rng, rays, cells, halvings):
    """Where D prox jumps first on rays from z, in units of their reach; +inf where no jump is seen.

    In each ray the cell in which D prox changes most is halved towards the larger change; it is a jump if
    something is left of it in the end.
    """
    at, by = np.repeat(z, rays, axis=0), np.repeat(step, rays)
    ways = rng.standard_normal(at.shape)
    ways *= (np.repeat(reach, rays) / np.linalg.norm(ways, axis=1))[:, None]

    def slopes(share):
        return p.prox_jacobian(at + share[:, None] * ways, by)

    shares = np.arange(cells + 1.0)
    nodes = (at + shares[:, None, None] * ways).reshape(-1, p.dim)
    grid = p.prox_jacobian(nodes, np.tile(by, cells + 1)).reshape(cells + 1, len(at), p.dim, p.dim)
    cell, ray = np.linalg.norm(np.diff(grid, axis=0), axis=(2, 3)).argmax(axis=0), np.arange(len(at))
    ends, low, high = [grid[cell, ray], grid[cell + 1, ray]], cell.astype(float), cell + 1.0
    for _ in range(halvings):
        middle = (low + high) / 2
        inner = slopes(middle)
        first = _apart(ends[0], inner) > _apart(inner, ends[1])
        low, high = np.where(first, low, middle), np.where(first, middle, high)
        pick = first[:, None, None]
        ends = [np.where(pick, ends[0], inner), np.where(pick, inner, ends[1])]
    return np.where(_apart(*ends) > JUMP, high, np.inf).reshape(len(z), rays).min(axis=1)


def _apart(one, other):
    return np.linalg.norm(one - other, axis=(1, 2))


def together(parts):
    """Cases of many draws as those of one."""
    names = dict.fromkeys(name for part in parts for name in part)
    return {
        name: tuple(np.concatenate([part[name][k] for part in parts if name in part]) for k in range(2))
        for name in names
    }
