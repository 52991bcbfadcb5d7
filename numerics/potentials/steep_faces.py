r"""Faces on which φ is finite and ∂φ empty, and those beside them, of which slopes have no useful bound.

Where M touches a supporting plane of its hull without a corner, slopes grow without bound towards the face in
that plane. So slopes are sought as p = q/τ, |q| = 1, τ ≥ 0. The conditions of a face for λ = 0, times τ, are

    Σ w_i y_i = x,  Σ w_i = 1,  P_{T_i}(q − τa y_i) = 0,  ⟨q,y_i⟩ − (τa/2)|y_i|² = θ for all i,

those for the curvature τa. At τ = 0 they say that the atoms lie in one supporting plane of the hull: then
φ(x) is the least Σ w_i (a/2)|y_i|² over the atoms there, and no slope is a subgradient. Every face in the
plane is level there: of several the lowest is to be taken (`proximal_faces`).
"""

import numpy as np
from jaxtyping import Float

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope, Faces
from numerics.potentials.face_newton import systems
from numerics.potentials.strata import retracted

_STEPS = 100
"""Beside the face in the plane, x is off it by the square of τ: Newton gains one bit a step there."""


def steep_face(
    envelope: Envelope, near: Chord, x: Float[np.ndarray, " d"], rounding: float, *, beside: bool = True
) -> Chord | None:
    """The face that holds x, by Newton from one ``near`` it; None where there is none within ``rounding``.

    Its slope is infinite where τ = 0: that is tried first, as τ > 0 ``beside`` it is known to √rounding only.
    Where M has more level points than a face needs (a tube's disc) Newton may leave a face that holds x: that
    one is tried last.
    """
    if not norms(near.slope) > 0:
        return None
    for in_plane in (True, False) if beside else (True,):
        face, tau = _reduced(envelope, near, x, 0.0 if in_plane else 1 / float(norms(near.slope)), in_plane)
        if tau < 0 or norms(face.point - x) > rounding or not _is_level(envelope, face, tau):
            continue
        if not in_plane:
            return Chord(face.atoms, face.weights, face.slope / tau)
        face = _lowered(envelope, face, x, rounding)
        slope = np.where(face.slope == 0, 0.0, np.copysign(np.inf, face.slope))
        return Chord(face.atoms, face.weights, slope)
    holds = np.isfinite(near.slope).all() and near.weights.min() >= 0 and norms(near.point - x) <= rounding
    return near if holds and envelope.is_level(near, near.slope) else None


def _lowered(envelope: Envelope, face: Chord, x: Float[np.ndarray, " d"], rounding: float) -> Chord:
    """The face in the plane with atoms moved along M within it to where φ is least, if Newton ends there.

    At τ = 0 they are level anywhere; at τ = √ε the terms with τ place them to √ε, so φ, least there, to ε.
    """
    small = float(np.sqrt(EPS)) / (envelope.curvature * envelope.closed_set.radius)
    lower, _ = _reduced(envelope, face, x, small, True)
    lower, _ = _reduced(envelope, lower, x, 0.0, True)
    if not norms(lower.point - x) <= rounding or not _is_level(envelope, lower, 0.0):
        return face
    return min(face, lower, key=lambda each: each.weights @ envelope.lift(each.atoms))


def _reduced(
    envelope: Envelope, face: Chord, x: Float[np.ndarray, " d"], tau: float, fixed: bool
) -> tuple[Chord, float]:
    """Where Newton ends, without the atoms of which it makes less than nothing, with slope q; and τ."""
    while True:
        face, tau = _settled(envelope, face, x, tau, fixed)
        if len(face.atoms) == 1 or face.weights.min() >= 0:
            return face.convex(), tau
        face = face.without_least()


def _settled(
    envelope: Envelope, face: Chord, x: Float[np.ndarray, " d"], tau: float, fixed: bool
) -> tuple[Chord, float]:
    """Where Newton ends, with slope q, and τ; weights may be below 0."""
    face = Chord(face.atoms, face.weights, face.slope / float(norms(face.slope)))
    last = np.inf
    for _ in range(_STEPS):
        face, tau, moved = _newton_step(envelope, face, tau, x, fixed)
        stays = moved <= 2 * EPS * envelope.closed_set.radius or (moved <= 1e-9 and moved > last)
        if stays or not np.isfinite(moved):
            break
        last = moved
    return face, tau


def _newton_step(
    envelope: Envelope, face: Chord, tau: float, x: Float[np.ndarray, " d"], fixed: bool
) -> tuple[Chord, float, float]:
    """The face and τ after a damped step, and by how much its atoms and weights changed, as a length."""
    closed_set, a = envelope.closed_set, envelope.curvature
    k, d = face.atoms.shape
    at = systems(envelope.with_curvature(tau * a), Faces.of([face]), x[None], np.zeros(1))
    levels = -a / 2 * ((face.atoms[1:] - face.atoms[0]) * (face.atoms[1:] + face.atoms[0])).sum(axis=1)
    tilts = -a * np.einsum("kdm,kd->km", at.tangent[0], face.atoms)
    by_tau = np.concatenate([np.zeros(d + 1), levels, tilts.ravel()])
    matrix = np.zeros((len(by_tau) + 1, len(by_tau) + 1))
    matrix[:-1, :-1], matrix[-1, :d], residual = at.matrix[0], face.slope, np.append(at.residual[0], 0.0)
    matrix[:-1, -1] = 0.0 if fixed else by_tau
    if not np.isfinite(matrix).all():
        return face, tau, np.nan
    size = np.maximum(np.abs(matrix).max(axis=1), np.finfo(float).tiny)
    change = np.linalg.lstsq(matrix / size[:, None], -residual / size, rcond=EPS)[0]
    moves = at.moves(change[None, :-1])[0]
    apart = norms(face.atoms[:, None] - face.atoms)[np.triu_indices(k, 1)].min(initial=np.inf)
    longest = float(norms(moves).max())
    damping = min(1.0, min(4 * closed_set.spacing, 0.4 * apart) / longest) if longest > 0 else 1.0
    atoms = retracted(closed_set, face.atoms, damping * moves)
    slope, weights = face.slope + damping * change[:d], face.weights + damping * change[d : d + k]
    length = float(norms(slope))
    moved = max(norms(atoms - face.atoms).max(), np.abs(weights - face.weights).max() * closed_set.radius)
    return Chord(atoms, weights, slope / length), float(tau + damping * change[-1]) / length, float(moved)


def _is_level(envelope: Envelope, face: Chord, tau: float) -> bool:
    """Whether no point of M is above the atoms' level, as far as rounding tells.

    In the plane that is asked of slopes so long that the heights (a/2)|y|² are below their rounding.
    """
    size = envelope.curvature * envelope.closed_set.radius
    flat = 0.0 if tau > EPS / size else size * envelope.closed_set.radius
    return envelope.is_level(face, face.slope / max(tau, EPS / size), flat)
