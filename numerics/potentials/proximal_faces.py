"""The face that holds prox_{λφ}(z), and the one that holds a point: Newton from the finite prox on a net."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.face_newton import polished
from numerics.potentials.face_rounds import Answer, answers_from, improved
from numerics.potentials.face_starts import grouped, groupings, levels
from numerics.potentials.strata import Numbers, Points

_TRIES = 60


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
    """The face that holds x, row by row; None off the hull: proximal points, then Newton with λ = 0."""
    nearest = envelope.closed_set.nearest(x)
    found: list[Chord | None] = [Chord(y[None], np.ones(1), envelope.curvature * y) for y in nearest]
    rows = np.flatnonzero(norms(nearest - x) > rounding)
    for i in rows:
        found[i] = None
    step, missed = np.full(len(x), 1e-2 / envelope.curvature), np.full(len(x), np.inf)
    slope = np.zeros_like(x)
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
        for j, chord in ended.items():
            found[rows[j]] = chord
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
