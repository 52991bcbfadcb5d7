r"""The convex envelope of heights on atoms: its domain, and its value at a point of the domain.

$φ(x) = \min \{Σ w_i g_i : w \text{ in the simplex}, Σ w_i y_i = x\} = \max_y ⟨x,y⟩ - φ^*(y)$.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.proximal import active_set

_MOST_STEPS = 200
_RISE = 1e4
_SNAP = 4  # points within 4 roundings of a face are taken to lie on it


@dataclass(frozen=True)
class EnvelopePoint:
    """What certifies φ at one point.

    Attributes:
        value: φ(x).
        members: Atoms with x in the relative interior of their hull.
        dual: (d,) a subgradient of φ at x.
        blur: How far x may be from the hull of the members.
    """

    value: float
    members: Int[np.ndarray, " k"]
    dual: Float[np.ndarray, " d"]
    blur: float


def hull_distance(atoms: Float[np.ndarray, "N d"], x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
    """Distance of x (n,d) from the convex hull of the atoms: the projection is the prox for heights 0."""
    flat, one = np.zeros(len(atoms)), np.ones(len(x))
    distance = np.empty(len(x))
    for face in active_set.solve(atoms, flat, x, one):
        solution = active_set.on_face(atoms, flat, face.members, x[face.rows], one[face.rows])
        distance[face.rows] = norms(solution.point - x[face.rows])
    return distance


def envelope_points(
    atoms: Float[np.ndarray, "N d"],
    heights: Float[np.ndarray, " N"],
    x: Float[np.ndarray, "n d"],
    rounding: float,
) -> list[EnvelopePoint]:
    """φ at points x (n,d) of the hull, with the face and the subgradient that certify it.

    The proximal-point method on max_y ⟨x,y⟩ − φ*(y): x is the prox of x + λy exactly when y ∈ ∂φ(x), and y
    moves by (x − prox)/λ. φ being polyhedral it ends after finitely many steps, the fewer the smaller λ is;
    but rounding of x disturbs y by eps/λ. So λ falls until the prox is x, and rises again from the y so found
    while the duality gap is more than rounding: a y that is nearly right allows a larger λ. A risen λ is kept
    for one step more: the first corrects y, and only the second can land on x.

    Raises:
        RuntimeError: If a point isn't done within the limit of steps, naming it.
    """
    spread = float(norms(atoms).max()) or 1.0
    rise = max(float(np.ptp(heights)), spread)  # of φ on its domain: subgradients of order 1 at least
    largest = spread**2 / rise
    step, dual = np.full(len(x), largest), np.zeros_like(x)
    risen = np.zeros(len(x), dtype=bool)
    done: list[EnvelopePoint | None] = [None] * len(x)
    left = np.arange(len(x))
    for _ in range(_MOST_STEPS):
        target = x[left] + step[left, None] * dual[left]
        for face in active_set.solve(atoms, heights, target, step[left]):
            rows = left[face.rows]
            found = active_set.on_face(atoms, heights, face.members, target[face.rows], step[rows])
            dual[rows] = found.dual
            off = x[rows] - found.point
            value = (found.weights * heights[face.members]).sum(axis=1) + (found.dual * off).sum(axis=1)
            gap = value - (x[rows] * found.dual).sum(axis=1) + (found.dual @ atoms.T - heights).max(axis=1)
            size = 2 * spread * norms(found.dual) + np.abs(heights).max() + rise
            there = norms(off) <= _SNAP * rounding * found.condition
            closed = gap <= 64 * (atoms.shape[1] + 2) * EPS * size
            for i in map(int, np.flatnonzero(there & closed)):
                snap = _SNAP * rounding
                done[rows[i]] = _point(float(value[i]), face.members[i], found, i, spread, snap)
            fallen = np.where(risen[rows], step[rows], step[rows] / 10)
            step[rows] = np.where(there, np.minimum(_RISE * step[rows], largest), fallen)
            risen[rows] = there
        left = np.array([i for i in left if done[i] is None], dtype=int)
        if not left.size:
            return [point for point in done if point is not None]
    raise RuntimeError(f"envelope: {left.size} points not done in {_MOST_STEPS} steps; first {x[left[0]]}")


def _point(
    value: float,
    members: Int[np.ndarray, " k"],
    found: active_set.FaceSolution,
    row: int,
    spread: float,
    snap: float,
) -> EnvelopePoint:
    """The result of one row, without the atoms whose weights are rounding."""
    weights = found.weights[row]
    held = weights * spread > snap
    off = snap * float(found.condition[row]) + 2 * spread * float(weights[~held].sum())
    return EnvelopePoint(value, members[held], found.dual[row], off)
