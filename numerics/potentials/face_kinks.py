"""How far a point is from where its face changes, and what D prox on a face errs by."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from numerics.accuracy import UNIT
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope, Faces, by_atoms
from numerics.potentials.face_certificate import Certificate
from numerics.potentials.face_newton import systems
from numerics.potentials.set_calculus import along, bending, pressure
from numerics.potentials.sharp_faces import change_over, spectral_radius
from numerics.potentials.strata import Numbers, Points

_QUARTERINGS = 30
_BLOCK_ENTRIES = 1_000_000


def net_reach(envelope: Envelope, atoms: Float[np.ndarray, "n k d"], slope: Points, step: Numbers) -> Numbers:
    """How far z may move before a point of M away from these atoms, each highest at the slope, is as high.

    The slope moves by δ/λ at most. A point of the net that lies lower than an atom by s stays lower while
    δ|y' − y|/λ ≤ s; between its neighbours the set rises by at most (a + |p − ay'||II|)·spacing²/8, here
    bounded by the largest II. Nearer than 3 spacings to an atom H decides: `bend_reach`.
    """
    net, spacing, a = envelope.closed_set.net, envelope.closed_set.spacing, envelope.curvature
    largest, reach = float(bending(envelope, net).max()), np.full(len(step), np.inf)
    block = max(1, _BLOCK_ENTRIES // (len(net) * atoms.shape[1]))
    for first in range(0, len(step), block):
        part = slice(first, first + block)
        here, at = slope[part, None, None], atoms[part, :, None]
        apart = norms(net - at)
        rise = (a + norms(here - a * net) * largest) * spacing**2 / 8
        lower = -envelope.excess(*np.broadcast_arrays(here, at, net))
        far = apart.min(axis=1) > 3 * spacing
        ratio = np.maximum(lower - rise, 0.0) / np.where(apart > 0, apart, 1.0)
        reach[part] = step[part] * ratio.max(axis=1).min(axis=1, initial=np.inf, where=far)
    return reach


def bend_reach(envelope: Envelope, y: Points, slope: Points, step: Numbers, speed: Numbers) -> Numbers:
    """How far z may move before H, at points that move by ``speed`` times as much, is 0; +inf at corners.

    It stays above half of itself while δ(|II|/λ + speed·|dH/ds|) ≤ H/2, and twice that is given. Where it is
    0 a second maximum parts from the first, which the net does not tell from it.
    """

    def field(at: Points) -> Float[np.ndarray, "n d d"]:
        out = np.zeros((len(at), envelope.closed_set.dim, envelope.closed_set.dim))
        for s in envelope.closed_set.strata(at):
            hessian = envelope.hessians(at[s.rows], slope[s.rows], s.second)
            out[s.rows] = s.tangent @ hessian @ s.tangent.transpose(0, 2, 1)
        return out

    reach, change = np.full(len(y), np.inf), along(envelope, y, slope, np.ones(len(y)), field)[1]
    for s in envelope.closed_set.strata(y):
        if s.dimension:
            least = np.linalg.eigvalsh(envelope.hessians(y[s.rows], slope[s.rows], s.second))[:, 0]
            bend = np.linalg.norm(s.second.reshape(len(s.rows), -1), axis=1)
            rate = bend / step[s.rows] + speed[s.rows] * change[s.rows]
            reach[s.rows] = np.maximum(least, 0.0) / np.maximum(rate, np.finfo(float).tiny)
    return reach


def kinks_of(
    envelope: Envelope, chords: Sequence[Chord], found: Sequence[Certificate], z: Points, step: Numbers
) -> Numbers:
    """Bounds below on how far z is from where the face changes; 0 without the sharp certificate.

    While z moves by δ the unknowns move by |N_z|δ at most to first order, twice that while |N|ΔM < 1/2 over
    a box of that size, in units of a·radius, 1 and radius: quartered until that holds. Until then no weight
    vanishes if δ ≤ w_i/(2|∂w_i/∂z|), and no rival comes level if its depth is more than |δp||y_r − y_i|,
    with |δp| ≤ δ/λ as z ↦ λp is nonexpansive; nor does another point of the set, by `net_reach`, nor one that
    parts from an atom, by `bend_reach`. An end of a curve stays one while |δp| is less than p − ay against
    the inward tangent.
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
    reach = np.minimum(reach, net_reach(envelope, faces.atoms, faces.slope, step) / 2)
    speed = norms(rates[:, d + k :].reshape(n, k, -1)).ravel()
    alone = faces.atoms.reshape(n * k, d), np.repeat(faces.slope, k, axis=0), np.repeat(step, k)
    reach = np.minimum(reach, bend_reach(envelope, *alone, speed).reshape(n, k).min(axis=1) / 2)
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
