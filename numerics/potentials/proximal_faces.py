r"""The face that holds prox_{λφ}(z): rounds of a finite prox, Newton, and new atoms, until nothing improves.

Of every round's answers (the prox of the pool's atoms, and what Newton makes of each grouping of them) the
one with the best certificate is kept; a polished one before a plain one at equal certificates.
"""

import numpy as np
from jaxtyping import Float

from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope, levels, starts
from numerics.potentials.face_certificate import Certificate, certify, rivals_of
from numerics.potentials.face_newton import polished

_ROUNDS = 30
_PATIENCE = 4
_ACCEPTED = 1e-4


def faces_of_prox(
    envelope: Envelope, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
) -> list[tuple[Chord, Certificate]]:
    """`face_of_prox` of every row.

    The finite prox on the net and the search for rivals are done for all rows at once; a row whose first
    face has no sharp certificate goes its rounds alone.
    """
    plains = levels(envelope, envelope.closed_set.net, z, step)
    first = [
        polished(envelope, next(starts(envelope, plain)), point, float(at))
        for plain, point, at in zip(plains, z, step, strict=True)
    ]
    rivals = rivals_of(envelope, np.nan_to_num(np.stack([chord.slope for chord in first])))
    faces = []
    for plain, chord, point, at, others in zip(plains, first, z, step, rivals, strict=True):
        known = np.isfinite(chord.slope).all()
        found = certify(envelope, chord, point, float(at), others) if known else None
        if found is None or not found.sharp:
            faces.append(_improved(envelope, plain, point, float(at)))
        else:
            faces.append((chord, found))
    return faces


def face_of_prox(envelope: Envelope, z: Float[np.ndarray, " d"], step: float) -> tuple[Chord, Certificate]:
    """The face that holds prox_{step·φ}(z), and its certificate.

    Raises:
        RuntimeError: If no answer is known to 1e−4 of the set's size within 30 rounds.
    """
    return faces_of_prox(envelope, z[None], np.array([step]))[0]


def _improved(
    envelope: Envelope, plain: Chord, z: Float[np.ndarray, " d"], step: float
) -> tuple[Chord, Certificate]:
    """The best of the rounds that begin at the finite prox on the net."""
    accepted = _ACCEPTED * (envelope.closed_set.radius + float(norms(z)))
    best: tuple[Chord, Certificate] | None = None
    idle = 0
    for _ in range(_ROUNDS):
        found = _certified(envelope, plain, z, step)
        first = min(found, key=lambda pair: pair[1].error)
        if best is None or first[1].error < best[1].error * (1 - 1e-3):
            best, idle = first, 0
        else:
            idle += 1
        if best[1].sharp or (idle >= _PATIENCE and best[1].error <= accepted):
            return best
        entering = [c.highest for _, c in found] + [answer.atoms for answer, _ in found]
        pool = _distinct(np.concatenate([best[0].atoms, plain.atoms, *entering]), envelope.closed_set.spacing)
        (plain,) = levels(envelope, pool, z[None], np.array([step]))
    if best is not None and best[1].error <= accepted:
        return best
    raise RuntimeError(
        f"prox on {envelope.closed_set!r}: known to {best[1].error if best else np.inf:.3g} only at z = {z}, "
        f"step = {step}; is the net fine enough?"
    )


def _certified(
    envelope: Envelope, plain: Chord, z: Float[np.ndarray, " d"], step: float
) -> list[tuple[Chord, Certificate]]:
    """What Newton makes of each grouping, until one has the sharp certificate, and the plain answer."""
    found = []
    for start in starts(envelope, plain):
        chord = polished(envelope, start, z, step)
        if np.isfinite(chord.slope).all():
            found.append((chord, certify(envelope, chord, z, step)))
            if found[-1][1].sharp:
                return found
    return [*found, (plain, certify(envelope, plain, z, step))]


def _distinct(atoms: Float[np.ndarray, "k d"], spacing: float) -> Float[np.ndarray, "l d"]:
    """Without those closer than 1e−7 spacings to an earlier one."""
    apart = norms(atoms[:, None] - atoms) > 1e-7 * spacing
    first = [i for i in range(len(atoms)) if apart[i, :i].all()]
    return atoms[first]


def face_at(envelope: Envelope, x: Float[np.ndarray, " d"], rounding: float) -> Chord | None:
    """The face that holds x, or None off the hull: proximal points, then Newton with λ = 0."""
    nearest = envelope.closed_set.nearest(x[None])
    if norms(nearest - x)[0] <= rounding:
        return Chord(nearest, np.ones(1), envelope.curvature * nearest[0])
    step = 1e-2 / envelope.curvature
    slope, missed = np.zeros_like(x), np.inf
    for _ in range(60):
        chord, _ = face_of_prox(envelope, x + step * slope, step)
        slope, before, missed = chord.slope, missed, float(norms(chord.point - x))
        if missed <= rounding:
            return chord
        if missed <= envelope.closed_set.spacing:
            end = polished(envelope, chord, x, 0.0)
            off, extents = norms(end.point - x), _extents(end)
            if off <= rounding * (1 + extents) and _is_level(envelope, end):
                return end
        if missed > before / 2:
            step /= 4
            if step < 1e-8 / envelope.curvature:
                break
    return None


def _is_level(envelope: Envelope, chord: Chord) -> bool:
    slope = np.tile(chord.slope, (len(chord.atoms), 1))
    return bool((envelope.slack(slope, chord.atoms) <= 4 * envelope.rounding(slope)).all())


def _extents(chord: Chord) -> float:
    """Longest over shortest extent of the face; 1 for a single atom."""
    if len(chord.atoms) == 1:
        return 1.0
    extents = np.linalg.svd(chord.atoms[1:] - chord.atoms[0], compute_uv=False)
    return float(extents[0] / max(extents[-1], np.finfo(float).tiny))
