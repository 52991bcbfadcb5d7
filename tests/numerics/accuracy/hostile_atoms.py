"""Atoms that are hard to tell apart, points beside the kinks of their prox, and brute force in fractions."""

import itertools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

KINDS = ("generic", "grid", "collinear", "near", "coplanar", "thin")


def draw(rng):
    """(kind, atoms, heights, z, step): at most six atoms in d ≤ 3, sizes 1e±8, moved by up to 1e6 sizes.

    Atoms are generic, on a grid with ties, collinear, pairs down to 1e−15 apart, of coplanar heights, or thin
    by up to 1e−14; z is anywhere, beside a kink, on the support, beside an atom, or on a grid.
    """
    d, count = int(rng.integers(1, 4)), int(rng.integers(1, 7))
    kind = str(rng.choice(KINDS))
    points = rng.standard_normal((count, d))
    if kind == "grid":
        points = rng.integers(-1, 2, (count, d)).astype(float)
    elif kind == "collinear":
        points = rng.integers(-8, 9, (count, 1)) * rng.integers(1, 3, (1, d)).astype(float)
    elif kind == "near":
        beside = rng.standard_normal((count - count // 2, d)) * 10.0 ** rng.uniform(-15, -3)
        points[count // 2 :] = points[: count - count // 2] + beside
    elif kind == "thin":
        points[:, -1] *= 10.0 ** rng.uniform(-14, -2)
    size = float(rng.choice([1e-8, 1e-3, 1.0, 1e3, 1e8]))
    atoms = np.unique(np.unique(points, axis=0) * size + size * rng.choice([0.0, 1e2, 1e6]), axis=0)
    heights = size * (
        rng.integers(0, 3, len(atoms)) / 2 if kind == "grid" else rng.standard_normal(len(atoms))
    )
    if kind == "coplanar":
        heights = atoms @ rng.standard_normal(d)
    step = float(10.0 ** rng.uniform(-9, 9))
    return kind, atoms, heights, _point(rng, atoms, size, step), step


def _point(rng, atoms, size, step):
    d, atom = atoms.shape[1], atoms[rng.integers(len(atoms))]
    where = rng.integers(5)
    if where == 0:
        return atom + size * rng.standard_normal(d) * 10.0 ** rng.uniform(-3, 3)
    if where == 1:
        return atom + step * rng.standard_normal(d)
    if where == 2:
        return atom * (1 + 10.0 ** rng.uniform(-17, -10) * rng.standard_normal(d))
    if where == 3:
        return np.round(2 * rng.standard_normal(d)) / 2 * size + atoms[0]
    weights = rng.dirichlet(np.ones(len(atoms))) * (rng.random(len(atoms)) < 0.6)
    inside = weights / weights.sum() @ atoms if weights.any() else atom
    return inside + step * rng.standard_normal(d) * rng.choice([0.0, 1.0])


@dataclass
class Exact:
    """The prox in fractions: u, the envelope, and D prox where it exists (None where it does not)."""

    point: list
    envelope: Fraction
    jacobian: list | None


def fractions(values):
    """Of doubles, exactly; fractions stay."""
    return [v if isinstance(v, Fraction) else Fraction(float(v)) for v in values]


def dot(a, b):
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def solve(rows, right):
    """Gauss–Jordan; None where singular."""
    n = len(rows)
    system = [[*row, b] for row, b in zip(rows, right, strict=True)]
    for i in range(n):
        pivot = next((k for k in range(i, n) if system[k][i]), None)
        if pivot is None:
            return None
        system[i], system[pivot] = system[pivot], system[i]
        system[i] = [x / system[i][i] for x in system[i]]
        for k in range(n):
            if k != i and system[k][i]:
                system[k] = [x - system[k][i] * y for x, y in zip(system[k], system[i], strict=True)]
    return [row[-1] for row in system]


def prox(atoms, heights, z, step):
    """The first face whose affine optimum has w ≥ 0 and dual feasibility."""
    y, g, point, lam = [fractions(row) for row in atoms], fractions(heights), fractions(z), Fraction(step)
    for face in _faces(len(y), len(point)):
        rows = [[dot(y[i], y[j]) for j in face] + [Fraction(-1)] for i in face]
        rows.append([Fraction(1)] * len(face) + [Fraction(0)])
        found = solve(rows, [dot(point, y[i]) - lam * g[i] for i in face] + [Fraction(1)])
        if found is None or min(found[:-1]) < 0:
            continue
        u = [dot(found[:-1], [y[i][k] for i in face]) for k in range(len(point))]
        away = [p - q for p, q in zip(point, u, strict=True)]
        scores = [dot(away, row) - lam * h for row, h in zip(y, g, strict=True)]
        if max(scores) == scores[face[0]]:
            envelope = dot(found[:-1], [g[i] for i in face]) + dot(away, away) / (2 * lam)
            held = [i for i, w in zip(face, found, strict=False) if w > 0]
            tied = [i for i, s in enumerate(scores) if s == max(scores)]
            return Exact(u, envelope, _projector(y, held, tied))
    raise AssertionError("no face is optimal")


def value(atoms, heights, x):
    """φ(x) for fractions x: the least over all simplices of atoms that hold x, or None outside the hull."""
    y, g, least = [fractions(row) for row in atoms], fractions(heights), None
    for face in _faces(len(y), len(x)):
        edges, away = _edges(y, face), [p - q for p, q in zip(x, y[face[0]], strict=True)]
        tail = solve([[dot(a, b) for b in edges] for a in edges], [dot(a, away) for a in edges])
        if tail is None:
            continue
        weights = [1 - sum(tail), *tail]
        if min(weights) < 0 or [dot(weights, [y[i][k] for i in face]) for k in range(len(x))] != x:
            continue
        found = dot(weights, [g[i] for i in face])
        least = found if least is None else min(least, found)
    return least


def _faces(count, d):
    for size in range(1, min(count, d + 1) + 1):
        yield from itertools.combinations(range(count), size)


def _edges(y, face):
    return [[a - b for a, b in zip(y[i], y[face[0]], strict=True)] for i in face[1:]]


def _projector(y, held, tied):
    """E(EᵀE)⁻¹Eᵀ of the held atoms, if every atom that ties lies in their affine hull."""
    edges, d = _edges(y, held), len(y[0])
    gram = [[dot(a, b) for b in edges] for a in edges]

    def projected(vector):
        coordinates = solve(gram, [dot(a, vector) for a in edges])
        return [dot(coordinates, [e[k] for e in edges]) for k in range(d)]

    for other in _edges(y, [held[0], *tied]):
        if projected(other) != other:
            return None
    return [projected([Fraction(int(i == k)) for i in range(d)]) for k in range(d)]
