"""The face that holds prox_{λφ}(z), and the one that holds a point: Newton from the finite prox on a net."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.face_newton import polished
from numerics.potentials.face_rounds import Answer, answers_from, improved
from numerics.potentials.face_starts import grouped, groupings, levels
from numerics.potentials.steep_faces import steep_face
from numerics.potentials.strata import Numbers, Points

_TRIES = 60
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

    Its slope is infinite where no slope is a subgradient (`steep_faces`). Near M, where slopes cannot be
    raised by so little as is missed, a face is also sought from the plane that touches M at the nearest point
    y; and along the ray from y through x, farther off, where more is missed.
    """
    nearest, spacing = envelope.closed_set.nearest(x), envelope.closed_set.spacing
    away = norms(nearest - x)
    found: list[Chord | None] = [Chord(y[None], np.ones(1), envelope.curvature * y) for y in nearest]
    rows = np.flatnonzero(away > rounding)
    for i, chord in zip(rows, _searched(envelope, x[rows], rounding), strict=True):
        found[i] = chord and _at(envelope, chord, x[i], rounding)
    for i in rows:
        if found[i] is None and away[i] < spacing:
            found[i] = steep_face(envelope, _leaning(envelope, nearest[i], x[i]), x[i], 2 * rounding)
    for share in _FARTHER:
        rows = np.array([i for i in rows if found[i] is None and away[i] < share * spacing], dtype=int)
        out = (x[rows] - nearest[rows]) * (share * spacing / away[rows])[:, None]
        for i, chord in zip(rows, _searched(envelope, nearest[rows] + out, rounding), strict=True):
            near = chord and chord.nearer(nearest[i], away[i] / (share * spacing))
            found[i] = near and _at(envelope, near, x[i], rounding)
    return found


def _at(envelope: Envelope, near: Chord, x: Float[np.ndarray, " d"], rounding: float) -> Chord | None:
    """The face that holds x from one near it, if it does not itself."""
    if norms(near.point - x) <= rounding and _is_level(envelope, near):
        return near
    return steep_face(envelope, near, x, 2 * rounding)


def _leaning(envelope: Envelope, y: Float[np.ndarray, " d"], x: Float[np.ndarray, " d"]) -> Chord:
    """y, and of the rest of M what is farthest along x − y."""
    slope = (x - y) * (envelope.closed_set.radius / (np.sqrt(EPS) * norms(x - y)))
    rivals = envelope.closed_set.rivals(slope[None])[0]
    others = rivals[norms(rivals - y) > envelope.closed_set.spacing]
    highest = others[(others @ slope).argsort()[-1:]]
    return Chord(np.concatenate([y[None], highest]), np.eye(1 + len(highest))[0], slope)


def _searched(envelope: Envelope, x: Points, rounding: float) -> list[Chord | None]:
    """For every row the face that holds it, or the last within the net's spacing of it, or None."""
    found: list[Chord | None] = [None] * len(x)
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
        for j, chord in enumerate(chords):
            near = chord if missed[rows[j]] <= envelope.closed_set.spacing else None
            found[rows[j]] = ended.get(j, near)
        slow = missed[rows] > before / 2
        step[rows] = np.where(slow, step[rows] / 4, step[rows])
        left = ~(slow & (step[rows] < 1e-8 / envelope.curvature))
        left[list(ended)] = False
        rows = rows[left]
    return found


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
        allowed = rounding * (1 + _extents(end))
        if norms(end.point - x[i]) <= allowed and _is_level(envelope, end):
            found[i] = end
    return found


def _is_level(envelope: Envelope, chord: Chord) -> bool:
    slope = np.tile(chord.slope, (len(chord.atoms), 1))
    return bool((envelope.slack(slope, chord.atoms) <= 4 * envelope.rounding(slope)).all())


def _extents(chord: Chord) -> float:
    """Longest over shortest extent of the face; 1 for a single atom."""
    if len(chord.atoms) == 1:
        return 1.0
    extents = np.linalg.svd(chord.atoms[1:] - chord.atoms[0], compute_uv=False)
    return float(extents[0] / max(extents[-1], np.finfo(float).tiny))
