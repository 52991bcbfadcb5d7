r"""How far a computed face's point may be from the prox: an a-posteriori bound.

**Crude, always true.** For u = Σ w_i y_i, a slope p and G = Σ w_i (φ*(p) − ⟨p,y_i⟩ + (a/2)|y_i|²) ≥ φ(u) +
φ*(p) − ⟨u,p⟩: the primal objective at u and the dual one at p differ by G and are strongly convex and
concave, with moduli 1/λ and λ, so |u − prox(u+λp)| ≤ √(λG); and prox is nonexpansive: |z − u − λp| is
added. It is about convex combinations: by what Σ w_i is off 1, times the largest atom, u misses one, and
twice that is added. The objective at u exceeds its minimum by G + |z − u − λp|²/(2λ) at most.

**Full faces**, d + 1 atoms that hold a ball of radius r about u: let no atom be more than e below φ*(p). As
φ*(p+q) ≥ φ*(p) − e + max_i ⟨q,y_i⟩ ≥ φ*(p) − e + ⟨q,u⟩ + r|q|, the dual objective rises from p to p + q by no
more than e + (|z − u − λp| − r)|q|, so that its maximum is within e/(r − |z − u − λp|) of p, and λ times that
stands for √(λG). So it is on flats, where every point of a piece of M is level and H = 0.

**Sharp.** Where Newton's conditions have a solution beside the computed one: see `sharp_faces`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope, Faces, by_atoms
from numerics.potentials.sharp_faces import paired, sharp_bound
from numerics.potentials.strata import Numbers, Points

_MOST_CONDITION_NUMBER = 1e6


@dataclass(frozen=True)
class Certificate:
    """What is known of a face.

    Attributes:
        error: Bound on |Σ w_i y_i − prox(z)|.
        sharp: Whether it is the sharp one.
        violation: φ*(p) less the level of the lowest atom, over what the comparison errs by; at most 1 if
            certified.
        highest: The rivals, new atoms if the face is not certified.
        suboptimality: Bound on the primal objective at Σ w_i y_i less its minimum.
        below: By how much rivals are below the level, over the distance; +inf for those that are atoms, 0
            for those that are level to rounding. None if not sharp.
        change: By how much the matrix of the optimality conditions may be off; None if not sharp.
    """

    error: float
    sharp: bool
    violation: float
    highest: Float[np.ndarray, "r d"]
    suboptimality: float
    below: Float[np.ndarray, " r"] | None
    change: Float[np.ndarray, "q q"] | None


def certify(
    envelope: Envelope,
    chords: Sequence[Chord],
    z: Points,
    step: Numbers,
    rivals: Float[np.ndarray, "n r d"] | None = None,
) -> list[Certificate]:
    """Bound the distance of each face's point from prox_{step·φ}(z); ``rivals`` where they are known."""
    if rivals is None:
        rivals = rivals_of(envelope, np.stack([chord.slope for chord in chords]))
    found: dict[int, Certificate] = {}
    for rows, faces in by_atoms(chords):
        each = _of_faces(envelope, faces, z[rows], step[rows], rivals[rows])
        found |= zip(rows.tolist(), each, strict=True)
    return [found[i] for i in range(len(chords))]


def rivals_of(envelope: Envelope, slopes: Points) -> Float[np.ndarray, "n r d"]:
    """The highest points for every slope: the nearest to p/a, and the nearest of every part of the set."""
    images = slopes / envelope.curvature
    nearest = envelope.closed_set.nearest(images)[:, None]
    return np.concatenate([nearest, envelope.closed_set.rivals(images)], axis=1)


def _of_faces(
    envelope: Envelope, faces: Faces, z: Points, step: Numbers, rivals: Float[np.ndarray, "n r d"]
) -> list[Certificate]:
    """The sharp bound where it holds and is better than the crude one."""
    crude, suboptimality, violation = _crude(envelope, faces, z, step, rivals)
    rows = np.flatnonzero((violation <= 1) & (faces.weights.min(axis=1) >= 0))
    found = [
        Certificate(
            float(crude[i]), False, float(violation[i]), rivals[i], float(suboptimality[i]), None, None
        )
        for i in range(len(z))
    ]
    if not rows.size:
        return found
    sharp = sharp_bound(envelope, faces[rows], z[rows], step[rows], rivals[rows])
    for j in np.flatnonzero(sharp.error <= crude[rows]):
        i = rows[j]
        found[i] = Certificate(
            float(sharp.error[j]),
            True,
            float(violation[i]),
            rivals[i],
            float(suboptimality[i]),
            sharp.below[j],
            sharp.change[j],
        )
    return found


def _crude(
    envelope: Envelope, faces: Faces, z: Points, step: Numbers, rivals: Float[np.ndarray, "n r d"]
) -> tuple[Numbers, Numbers, Numbers]:
    """The crude bound, that of full faces where it is better; the suboptimality; and the violation."""
    k = faces.atoms.shape[1]
    pairs = paired(faces, rivals)
    excess, noise = envelope.excess(*pairs), 2 * envelope.noise(*pairs)
    point, far = faces.point, norms(faces.slope) * step
    sizes = 2 * norms(z) + 3 * norms(point) + 3 * far
    missed = norms(z - point - step[:, None] * faces.slope) + UNIT * sizes
    fallen = (excess + noise).max(axis=2, initial=0.0)
    suboptimality = (np.abs(faces.weights) * fallen).sum(axis=1)
    unbalanced = (np.abs(faces.weights.sum(axis=1) - 1) + k * UNIT) * norms(faces.atoms).max(axis=1)
    apart = np.minimum(np.sqrt(step * suboptimality), step * _full(faces, missed, fallen.max(axis=1)))
    # p = (z−u)/λ is known to roundings of |z|/λ, and no levels are closer than that
    known = 8 * UNIT * (norms(z) + 2 * norms(point)) / step
    blur = noise + known[:, None, None] * norms(pairs[2] - pairs[1])
    violation = (excess / np.maximum(blur, np.finfo(float).tiny)).max(axis=(1, 2), initial=0.0)
    return (
        apart + missed + 2 * unbalanced + 2 * envelope.off_set,
        suboptimality + missed**2 / (2 * step),
        violation,
    )


def _full(faces: Faces, missed: Numbers, fallen: Numbers) -> Numbers:
    """A bound on |p* − p| on faces of d + 1 atoms; inf on others, and where they nearly lie in a plane.

    ``missed`` is |z − u − λp|, ``fallen`` is e, by how much an atom may be below φ*(p).

    The distance of u from the facet across from an atom is its weight over the length of its barycentric
    coordinate's gradient. Of r half is taken, as the gradients are known to eps times the condition number.
    """
    n, k, d = faces.atoms.shape
    bound = np.full(n, np.inf)
    if k != d + 1:
        return bound
    edges = (faces.atoms[:, 1:] - faces.atoms[:, :1]).transpose(0, 2, 1)
    rows = np.flatnonzero((faces.weights.min(axis=1) > 0) & (np.linalg.cond(edges) <= _MOST_CONDITION_NUMBER))
    gradients = np.linalg.inv(edges[rows])
    gradients = np.concatenate([-gradients.sum(axis=1, keepdims=True), gradients], axis=1)
    room = (faces.weights[rows] / norms(gradients)).min(axis=1) / 2 - missed[rows]
    with np.errstate(divide="ignore"):
        bound[rows] = np.where(room > 0, fallen[rows] / np.maximum(room, 0.0), np.inf)
    return bound
