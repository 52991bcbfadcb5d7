"""The face that holds prox_{λφ}(z), and the one that holds a point: Newton from the finite prox on a net."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import Bool, Float

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.face_newton import polished
from numerics.potentials.face_rounds import Answer, answers_from, improved
from numerics.potentials.face_starts import grouped, groupings, levels
from numerics.potentials.steep_faces import steep_face
from numerics.potentials.strata import Numbers, Points

_TRIES = 60
_FAR = 1e6
"""Of |M|: so far off the nearest point is the highest to 1e-6, and distances tell points apart to 1e-10."""
_EARLY = 1e-4
"""Of 1/a: the λ at which a face of unbounded slope is tried first."""
_FARTHER = (1.0, 2.0**-4, 2.0**-8)
"""Of the net's spacing: how far off M a face is sought that comes nearer to it than slopes can be raised."""


def faces_of_prox(envelope: Envelope, z: Points, step: Numbers) -> list[Answer]:
    """The face that holds prox_{step·φ}(z) and its certificate, row by row; all rows are solved together.

    Raises:
        RuntimeError: If an answer is not known to 1e−4 of the set's size within 30 rounds.
    """
    if not len(z):
        return []
    plains = levels(envelope, envelope.closed_set.net, z, step)
    begun = grouped(envelope, plains, [groupings(envelope, plain)[0] for plain in plains])
    found = {i: each for i, each in answers_from(envelope, begun, z, step).items() if each[1].sharp}
    rows = np.setdiff1d(np.arange(len(z)), list(found))
    if rows.size:
        found |= zip(rows, improved(envelope, [plains[i] for i in rows], z[rows], step[rows]), strict=True)
    return [found[i] for i in range(len(z))]


def faces_at(envelope: Envelope, x: Points, rounding: float) -> list[Chord | None]:
    """The face that holds x, row by row; None off the hull: proximal points, then Newton with λ = 0.

    Its slope is infinite where no slope is a subgradient (`steep_faces`). What slopes cannot be raised enough
    for, since x is so near to a smaller face or to M, is found beside that (`_leaning`, `_beside`).
    """
    nearest, spacing = envelope.closed_set.nearest(x), envelope.closed_set.spacing
    away = norms(nearest - x)
    atoms = [Chord(y[None], np.ones(1), envelope.curvature * y) for y in nearest]
    found: list[Chord | None] = [*atoms]
    rows = np.flatnonzero(away > rounding).tolist()
    faces, ends = _searched(envelope, x[rows], rounding)
    last: dict[int, Chord] = {}
    for i, face, end in zip(rows, faces, ends, strict=True):
        begin = face or end
        if begin and norms(begin.point - x[i]) > rounding:  # a steep face's φ is off by its slope times that
            last[i], face = begin, steep_face(envelope, begin, x[i], 2 * rounding) or face
        found[i] = face
    for near in (last, {i: atoms[i] for i in rows if away[i] < spacing}):
        for i in [i for i in near if found[i] is None]:
            found[i] = _lowest(envelope, _leaning(envelope, near[i], x[i]), x[i], 2 * rounding)
        left = {i: chord for i, chord in near.items() if found[i] is None}
        for i, chord in _beside(envelope, left, x, rounding).items():
            found[i] = chord
    return found


def _beside(envelope: Envelope, near: dict[int, Chord], x: Points, rounding: float) -> dict[int, Chord]:
    """The faces of rows of x that are beside smaller faces ``near``: along the ray from those through x.

    Farther off more is missed, so that the search ends; drawn back, its face is where Newton begins.
    """
    found: dict[int, Chord] = {}
    for share in _FARTHER:
        length = share * envelope.closed_set.spacing
        away = {i: x[i] - chord.point for i, chord in near.items() if i not in found}
        part = {i: float(norms(by)) / length for i, by in away.items() if 0 < norms(by) < length}
        out = np.array([near[i].point + away[i] / part[i] for i in part]).reshape(-1, x.shape[1])
        for i, *far in zip(part, *_searched(envelope, out, rounding), strict=True):
            for chord, reach in product(filter(None, far), (4 * envelope.closed_set.spacing, 0.0)):
                drawn = chord.drawn_to(near[i], part[i], reach)
                if i not in found and (face := steep_face(envelope, drawn, x[i], 2 * rounding)):
                    found[i] = face
    return found


def _lowest(
    envelope: Envelope, begun: Sequence[Chord], x: Float[np.ndarray, " d"], rounding: float
) -> Chord | None:
    """Of the faces that Newton makes of these the one on which φ is least: in a plane they are all level."""
    faces = [steep_face(envelope, chord, x, rounding) for chord in begun]
    held = [face for face in faces if face]
    return min(held, key=lambda face: face.weights @ envelope.lift(face.atoms), default=None)


def _leaning(envelope: Envelope, near: Chord, x: Float[np.ndarray, " d"]) -> list[Chord]:
    """A smaller face beside x with one atom more: of each part of M the farthest along the way to x."""
    slope = x - near.point
    slope *= envelope.closed_set.radius / (np.sqrt(EPS) * max(norms(slope), np.finfo(float).tiny))
    rivals = envelope.closed_set.rivals(slope[None])[0]
    away = norms(rivals[:, None] - near.atoms).min(axis=1)
    weights = np.append(near.weights, 0.0)
    others = rivals[away > envelope.closed_set.spacing]
    return [Chord(np.concatenate([near.atoms, atom[None]]), weights, slope) for atom in others]


def _searched(
    envelope: Envelope, x: Points, rounding: float
) -> tuple[list[Chord | None], list[Chord | None]]:
    """For every row the face that holds it, or None; and the last within the net's spacing of it, if any.

    What is missed halves from step to step, or λ is too large; where it is small already, slopes may have no
    bound, which is tried once on the way.
    """
    found: list[Chord | None] = [None] * len(x)
    last: list[Chord | None] = [None] * len(x)
    step, missed = np.full(len(x), 1e-2 / envelope.curvature), np.full(len(x), np.inf)
    slope, rows = np.zeros_like(x), np.arange(len(x))
    for _ in range(_TRIES):
        if not rows.size:
            break
        chords = [
            chord
            for chord, _ in faces_of_prox(envelope, x[rows] + step[rows, None] * slope[rows], step[rows])
        ]
        slope[rows] = [chord.slope for chord in chords]
        before, missed[rows] = (
            missed[rows],
            [float(norms(c.point - x[i])) for i, c in zip(rows, chords, strict=True)],
        )
        ended = _ended(envelope, chords, x[rows], missed[rows], rounding)
        slow, near = missed[rows] > before / 2, missed[rows] <= envelope.closed_set.spacing
        early = step[rows] * envelope.curvature
        for j, i in enumerate(rows):
            last[i] = chords[j] if near[j] else None
            if j not in ended and near[j] and slow[j] and _EARLY / 4 <= early[j] < _EARLY:
                face = steep_face(envelope, chords[j], x[i], 2 * rounding, beside=False)
                ended |= {j: face} if face else {}
            found[i] = ended.get(j)
        step[rows] = np.where(slow, step[rows] / 4, step[rows])
        left = ~(slow & (step[rows] < 1e-8 / envelope.curvature))
        left[list(ended)] = False
        left &= ~(slow & left & _off_hull(envelope, x[rows], np.array([c.point for c in chords]), rounding))
        rows = rows[left]
    return found, last


def _off_hull(envelope: Envelope, x: Points, u: Points, rounding: float) -> Bool[np.ndarray, " n"]:
    """Whether the plane normal to x − u proves that x is off the hull by more than the rounding.

    The nearest point y of M to Rq, |q| = 1, has ⟨q,·⟩ ≤ ⟨q,y⟩ + |M|²/(2R) on M.
    """
    length, radius = norms(x - u), envelope.closed_set.radius
    normal = (x - u) / np.where(length > 0, length, 1.0)[:, None]
    highest = envelope.closed_set.nearest(normal * radius * _FAR)
    return ((x - highest) * normal).sum(axis=1) > 2 * rounding + radius / _FAR


def face_at(envelope: Envelope, x: Float[np.ndarray, " d"], rounding: float) -> Chord | None:
    """`faces_at` of one point."""
    return faces_at(envelope, x[None], rounding)[0]


def _ended(
    envelope: Envelope, chords: Sequence[Chord], x: Points, missed: Numbers, rounding: float
) -> dict[int, Chord]:
    """Those that hold their point, and what Newton makes of those that nearly do, if it does."""
    found = {i: chords[i] for i in np.flatnonzero(missed <= rounding).tolist()}
    near = np.flatnonzero((missed > rounding) & (missed <= envelope.closed_set.spacing))
    ends = (
        polished(envelope, [chords[i] for i in near.tolist()], x[near], np.zeros(len(near)))
        if near.size
        else []
    )
    for i, end in zip(near.tolist(), ends, strict=True):
        if norms(end.point - x[i]) <= 2 * rounding and envelope.is_level(end, end.slope):
            found[i] = end
    return found
