r"""The convex envelope of heights on atoms: its domain, and its value at a point of the domain.

$φ(x) = \min \{Σ w_i g_i : w \text{ in the simplex}, Σ w_i y_i = x\} = \max_y ⟨x,y⟩ - φ^*(y)$. Points are
centred as the atoms are.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from numerics.accuracy import EPS, UNIT
from numerics.factors import WIDE, WIDE_UNIT
from numerics.geometry import norms
from numerics.potentials.atom_set import AtomSet
from numerics.solvers import active_set
from numerics.solvers.best_atoms import best_atoms
from numerics.solvers.exact_active_set import (
    ExactAtoms,
    doubles,
    face_of,
    minus,
    rationals,
)

_MOST_STEPS = 60
_RISE = 1e4
_SNAP = 4.5  # points within so many roundings of a face are taken to lie on it


@dataclass(frozen=True)
class EnvelopePoint:
    """What certifies φ at one point.

    Attributes:
        value: φ(x).
        members: (k,) atoms of a face that holds x.
        weights: (k,) ≥ 0, with x = Σ w_i y_i to rounding.
        dual: (d,) a subgradient of φ at x.
        held: Those members whose weights are no rounding: x is in the relative interior of their hull.
        blur: How far x may be from the hull of those.
    """

    value: float
    members: Int[np.ndarray, " k"]
    weights: Float[np.ndarray, " k"]
    dual: Float[np.ndarray, " d"]
    held: Int[np.ndarray, " l"]
    blur: float


def in_hull(atoms: AtomSet, x: Float[np.ndarray, "n d"], reach: float) -> Bool[np.ndarray, " n"]:
    """Which of x (n,d) lie within ``reach`` of the atoms' hull: the projection is the prox for heights 0.

    A point counts as outside only where that is proved. Let u be the projection that was found, w = x − u:
    the hull lies where ⟨w,·⟩ is at most its largest value on atoms, so that x is off it by no less than
    (⟨w,x⟩ − max ⟨w,y_i⟩)/|w|. Where u may be wrong, as for atoms of very unequal scales, rationals decide.
    """
    flat, one = np.zeros(len(atoms.centred)), np.ones(len(x))
    inside, exact = np.zeros(len(x), dtype=bool), ExactAtoms(atoms.centred, atoms.heights)
    for face in active_set.solve(atoms.centred, flat, x, one):
        found = active_set.on_face(atoms.centred, flat, face.members, x[face.rows], one[face.rows])
        away = x[face.rows] - found.point
        inside[face.rows] = norms(away) <= reach
        far = np.flatnonzero(norms(away) > reach)
        way = away[far] / norms(away[far])[:, None]
        room = (way * x[face.rows[far]]).sum(axis=1) - (way @ atoms.centred.T).max(axis=1)
        own = (x.shape[1] + 4) * EPS * (norms(x[face.rows[far]]) + atoms.spread)
        for i in far[room - own <= reach]:
            place = rationals(x[face.rows[i]])
            nearest = exact.projection(place, face_of(face.members[i], face.weights[i]))
            inside[face.rows[i]] = norms(doubles(minus(place, nearest))) <= reach
    return inside


def envelope_points(atoms: AtomSet, x: Float[np.ndarray, "n d"], rounding: float) -> list[EnvelopePoint]:
    """φ at points x (n,d) of the hull, with the face and the subgradient that certify it.

    The proximal-point method on max_y ⟨x,y⟩ − φ*(y): x is the prox of x + λy exactly when y ∈ ∂φ(x), and y
    moves by (x − prox)/λ. φ being polyhedral it ends after finitely many steps, the fewer the smaller λ is;
    but rounding of x disturbs y by eps/λ. So λ falls until the prox is x, and rises again from the y so found
    while the duality gap is more than rounding: a y that is nearly right allows a larger λ. A risen λ is kept
    for one step more: the first corrects y, and only the second can land on x. Points that are not done soon,
    a few roundings off a face, are solved in rationals, where there is no rounding to go round in.
    """
    spread = atoms.spread
    rise = max(float(np.ptp(atoms.heights)), spread)  # of φ on its domain: subgradients of order 1 at least
    largest = spread**2 / rise
    step, dual = np.full(len(x), largest), np.zeros_like(x)
    risen = np.zeros(len(x), dtype=bool)
    done: list[EnvelopePoint | None] = [None] * len(x)
    left = np.arange(len(x))
    for _ in range(_MOST_STEPS):
        target = x[left] + step[left, None] * dual[left]
        for face in active_set.solve(atoms.centred, atoms.heights, target, step[left]):
            rows = left[face.rows]
            found = active_set.on_face(
                atoms.centred, atoms.heights, face.members, target[face.rows], step[rows]
            )
            dual[rows] = found.dual
            weights, point = _projected(atoms, face, x[rows])
            off = x[rows] - point
            value = (weights * atoms.heights[face.members]).sum(axis=1) + (found.dual * off).sum(axis=1)
            best = best_atoms(atoms.centred, atoms.heights, found.dual)[1]
            gap = value - (x[rows] * found.dual).sum(axis=1) + best
            size = 2 * spread * norms(found.dual) + np.abs(atoms.heights).max() + rise
            there = norms(off) <= _SNAP * rounding
            closed = gap <= 64 * (x.shape[1] + 2) * EPS * size
            for i in map(int, np.flatnonzero(there & closed)):
                blur = _SNAP * rounding * float(found.condition_number[i])
                done[rows[i]] = _point(
                    atoms, float(value[i]), face.members[i], weights[i], found.dual[i], rounding, blur
                )
            fallen = np.where(risen[rows], step[rows], step[rows] / 10)
            step[rows] = np.where(there, np.minimum(_RISE * step[rows], largest), fallen)
            risen[rows] = there
        left = np.array([i for i in left if done[i] is None], dtype=int)
        if not left.size:
            break
    return [
        _exact_point(atoms, x[i], dual[i], rounding) if point is None else point
        for i, point in enumerate(done)
    ]


def _projected(
    atoms: AtomSet, face: active_set.Face, x: Float[np.ndarray, "m d"]
) -> tuple[Float[np.ndarray, "m k"], Float[np.ndarray, "m d"]]:
    """Weights of x's projections on the faces' affine hulls, or the faces' own where one is negative."""
    flat = np.zeros_like(atoms.heights)
    found = active_set.on_face(atoms.centred, flat, face.members, x, np.ones(len(x)))
    inside = np.asarray((found.weights >= 0).all(axis=1))[:, None]
    weights = np.where(inside, found.weights, face.weights)
    return weights, np.einsum("mk,mkd->md", weights, atoms.centred[face.members])


def _point(
    atoms: AtomSet,
    value: float,
    members: Int[np.ndarray, " k"],
    weights: Float[np.ndarray, " k"],
    dual: Float[np.ndarray, " d"],
    rounding: float,
    blur: float,
) -> EnvelopePoint:
    """The result of one row, and its members without those whose weights are rounding."""
    held = weights * atoms.spread > _SNAP * rounding
    off = blur + 2 * atoms.spread * float(weights[~held].sum())
    return EnvelopePoint(value, members, weights, dual, members[held], off)


def _exact_point(
    atoms: AtomSet, x: Float[np.ndarray, " d"], near: Float[np.ndarray, " d"], rounding: float
) -> EnvelopePoint:
    """The same at the point of the hull nearest to x, in rationals."""
    exact = ExactAtoms(atoms.centred, atoms.heights)
    found = exact.subgradient(exact.projection(rationals(x)), rationals(near))
    members, weights = np.array(found.members), doubles(found.weights)
    value = float(doubles([found.value])[0])
    return _point(atoms, value, members, weights, doubles(found.dual), rounding, _SNAP * rounding)


def value_error(atoms: AtomSet, found: EnvelopePoint) -> float:
    """A bound on |value − φ(x')| for x' = Σ w_i y_i exactly.

    φ(x') ≤ Σ w_i g_i, and ≥ ⟨x',y⟩ − max_j(⟨y,y_j⟩ − g_j) for the subgradient y that was found. All is formed
    in `WIDE` from the atoms themselves, less their centre: d + k + 8 roundings of the terms, at most. Those j
    alone are formed so whose scores in doubles, which err by d + 8 roundings, may be the largest.
    """
    order = np.argsort(-found.weights)
    members, tail = found.members[order], found.weights[order][1:].astype(WIDE)
    d, products = len(found.dual), 4 * atoms.spread * float(norms(found.dual))
    scores = atoms.centred @ found.dual - atoms.heights
    off = (d + 8) * UNIT * (products + atoms.highest) + float(atoms.off.max())
    near = np.flatnonzero(scores >= scores.max() - 2 * off)

    def offset(of: Int[np.ndarray, " l"]) -> np.ndarray:
        return np.asarray(atoms.points[of].astype(WIDE) - atoms.centre)

    first, lowest = offset(members[:1])[0], atoms.heights[members[0]]
    place = first + tail @ (offset(members[1:]) - first)
    above = tail @ (atoms.heights[members[1:]].astype(WIDE) - lowest)
    rise = (offset(near) - place) @ found.dual.astype(WIDE) - (atoms.heights[near].astype(WIDE) - lowest)
    gap, upper = rise.max() + above, lowest + above
    size = products + 2 * float(np.ptp(atoms.heights)) + abs(float(lowest))
    error = (d + len(members) + 8) * WIDE_UNIT * size + float(atoms.off.max())
    ends = [abs(float(found.value - upper)), abs(float(found.value - upper + gap))]
    return (max(ends) + error) * (1 + 4 * EPS)
