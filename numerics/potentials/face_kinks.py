"""How far a point is from where its face changes, and what D prox on a face errs by."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope, Faces, by_atoms
from numerics.potentials.face_certificate import Certificate
from numerics.potentials.face_newton import systems
from numerics.potentials.set_calculus import pressure
from numerics.potentials.set_reach import slope_reach
from numerics.potentials.sharp_faces import change_over, spectral_radius
from numerics.potentials.strata import Numbers, Points

_QUARTERINGS = 30


def kinks_of(
    envelope: Envelope, chords: Sequence[Chord], found: Sequence[Certificate], z: Points, step: Numbers
) -> Numbers:
    """Bounds below on how far z is from where the face changes; 0 without the sharp certificate.

    While z moves by δ the unknowns move by |N_z|δ at most to first order, twice that while |N|ΔM < 1/2 over
    a box of that size, in units of a·radius, 1 and radius: quartered until that holds. Until then no weight
    vanishes if δ ≤ w_i/(2|∂w_i/∂z|), and no rival comes level if its depth is more than |δp||y_r − y_i|,
    with |δp| ≤ δ/λ as z ↦ λp is nonexpansive; nor does another point of the set, by `slope_reach`. An end of
    a curve stays one while |δp| is less than p − ay against the inward tangent.
    """
    kink = np.zeros(len(z))
    for rows, faces, _ in _sharp(chords, found):
        errors = np.array([found[i].error for i in rows])
        n, k, d = faces.atoms.shape
        pressed = pressure(envelope, faces.atoms.reshape(n * k, d), np.repeat(faces.slope, k, axis=0))
        depth = np.minimum([_lowest(found[i]) for i in rows], pressed.reshape(n, k).min(axis=1))
        room = np.maximum(step[rows] * depth - errors, 0.0)
        kink[rows] = _reaches(envelope, faces, room, z[rows], step[rows])
    return kink


def _lowest(found: Certificate) -> float:
    """The smallest depth of a rival; +inf if none is below the level."""
    return np.inf if found.below is None else float(found.below.min(initial=np.inf))


def _sharp(
    chords: Sequence[Chord], found: Sequence[Certificate]
) -> Iterator[tuple[Int[np.ndarray, " m"], Faces, Float[np.ndarray, "m q q"]]]:
    """The faces with a sharp certificate, by their number of atoms, and their ΔM."""
    known = [(i, each.change) for i, each in enumerate(found) if each.change is not None]
    for rows, faces in by_atoms([chords[i] for i, _ in known]):
        yield np.array([known[j][0] for j in rows]), faces, np.stack([known[j][1] for j in rows])


def _reaches(envelope: Envelope, faces: Faces, room: Numbers, z: Points, step: Numbers) -> Numbers:
    n, k, d = faces.atoms.shape
    at = systems(envelope, faces, z, step)
    inverse = at.inverse()
    rates = norms(inverse[:, :, :d])
    radius = envelope.closed_set.radius
    reach = np.minimum(radius, room / 2)
    reach = np.minimum(reach, step * slope_reach(envelope, faces.atoms, faces.slope) / 2)
    if k > 1:
        vanishing = faces.weights / np.maximum(rates[:, d : d + k], np.finfo(float).tiny)
        reach = np.minimum(reach, vanishing.min(axis=1) / 2)
    others = rates.shape[1] - d - k
    units = np.repeat([envelope.curvature * radius, 1.0, radius], [d, k, others])
    live, kink = np.arange(n), np.zeros(n)
    for _ in range(_QUARTERINGS):
        box = 2 * rates[live] * reach[live, None]
        change, same = change_over(envelope, faces[live], z[live], step[live], at[live], box)
        holds = same & (np.abs(inverse[live]) @ change @ units <= units / 2).all(axis=1)
        kink[live[holds]] = reach[live[holds]]
        live = live[~holds]
        if not live.size:
            break
        reach[live] /= 4
    return kink


def jacobian_errors(
    envelope: Envelope, chords: Sequence[Chord], found: Sequence[Certificate], z: Points, step: Numbers
) -> Numbers:
    """λN, N ≈ M⁻¹, errs by λ|N|E(I − E)⁻¹, E = |I − MN| + |δM||N|; √d where that is none.

    For (M + δM)⁻¹ = N((M + δM)N)⁻¹ = N(I − F)⁻¹ with |F| ≤ E, of a spectral radius below 1. The residual
    rounds (q+1) times; δM is its change over the box of the certificate, with 40 roundings.
    """
    d = z.shape[1]
    total = np.full(len(z), np.sqrt(d))
    for rows, faces, change in _sharp(chords, found):
        at = systems(envelope, faces, z[rows], step[rows])
        inverse = at.inverse()
        size = np.abs(at.matrix) @ np.abs(inverse)
        count = size.shape[1]
        defect = np.abs(np.eye(count) - at.matrix @ inverse) + (count + 41) * UNIT * size
        defect += change @ np.abs(inverse)
        small = spectral_radius(defect) <= 0.5
        rows, inverse, defect = rows[small], inverse[small], defect[small]
        summed = np.linalg.solve(np.eye(count) - defect, defect)  # both factors commute
        lost = np.linalg.norm(np.abs(inverse[:, :d]) @ summed[:, :, :d], axis=(1, 2))
        total[rows] = np.minimum(step[rows] * lost + 2 * UNIT * d, np.sqrt(d))
    return total
