r"""Newton on the optimality conditions of a face, and what its linear system says of errors.

Unknowns: the slope p, the weights w_i, and tangential displacements of the atoms. Levels are compared with
the first atom's, through differences of atoms, which keeps short chords as well conditioned as they are.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.strata import retracted

_STEPS = 40


@dataclass(frozen=True)
class System:
    """Matrix and residual in (p, w, displacements), the tangents, and where each atom's unknowns begin."""

    matrix: Float[np.ndarray, "q q"]
    residual: Float[np.ndarray, " q"]
    tangents: list[np.ndarray]  # (d,m) each
    offsets: list[int]

    def solve(self, right: Float[np.ndarray, "q ..."]) -> Float[np.ndarray, "q ..."]:
        """Least squares, rows brought to one size: a face with more level atoms than it needs is singular."""
        size = 1 / np.maximum(np.abs(self.matrix).max(axis=1), np.finfo(float).tiny)
        scaled = right * (size if right.ndim == 1 else size[:, None])
        return np.asarray(np.linalg.lstsq(size[:, None] * self.matrix, scaled, rcond=1e-13)[0])

    def part(self, i: int) -> slice:
        """The unknowns that displace atom i."""
        return slice(self.offsets[i], self.offsets[i + 1])


def system(envelope: Envelope, chord: Chord, z: Float[np.ndarray, " d"], step: float) -> System:
    """The optimality conditions at a face, linearised; levels against that of the first atom."""
    atoms, weights, slope = chord.atoms, chord.weights, chord.slope
    k, d = atoms.shape
    frames = _frames(envelope, atoms, slope)
    offsets = np.concatenate([[0], np.cumsum([t.shape[1] for t, _ in frames])]).astype(int) + d + k
    matrix = np.zeros((offsets[-1], offsets[-1]))
    residual = np.zeros(len(matrix))
    matrix[:d, :d], matrix[:d, d : d + k] = step * np.eye(d), atoms.T
    matrix[d, d : d + k], matrix[d + 1 : d + k, :d] = 1.0, atoms[1:] - atoms[0]
    residual[:d], residual[d] = weights @ atoms + step * slope - z, weights.sum() - 1
    first = np.broadcast_to(atoms[0], atoms.shape)
    residual[d + 1 : d + k] = envelope.excess(np.broadcast_to(slope, atoms.shape), first, atoms)[1:]
    for i, (tangent, hessian) in enumerate(frames):
        part = slice(offsets[i], offsets[i + 1])
        matrix[:d, part] = weights[i] * tangent
        matrix[part, :d], matrix[part, part] = tangent.T, -hessian
        residual[part] = tangent.T @ (slope - envelope.curvature * atoms[i])
        rows = slice(d + i, d + i + 1) if i else slice(d + 1, d + k)
        matrix[rows, part] += residual[part] if i else -residual[part]
    return System(matrix, residual, [tangent for tangent, _ in frames], offsets.tolist())


def _frames(
    envelope: Envelope, atoms: Float[np.ndarray, "k d"], slope: Float[np.ndarray, " d"]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Tangents (d,m) and H = aI − ⟨p − a y, II⟩ at every atom."""
    frames: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for stratum in envelope.closed_set.strata(atoms):
        hessian = envelope.hessians(
            atoms[stratum.rows], np.tile(slope, (len(stratum.rows), 1)), stratum.second
        )
        frames |= {int(i): (stratum.tangent[j], hessian[j]) for j, i in enumerate(stratum.rows)}
    return [frames[i] for i in range(len(atoms))]


def polished(envelope: Envelope, chord: Chord, z: Float[np.ndarray, " d"], step: float) -> Chord:
    """Newton; atoms whose weights turn negative leave; no atom moves by more than half-way to another.

    Where λ is far below rounding the row Σw = 1 is lost beside the others in least squares, so the
    weights are made convex at the end: the certificate is about convex combinations.
    """
    spacing, radius = envelope.closed_set.spacing, envelope.closed_set.radius
    last = np.inf
    for _ in range(_STEPS):
        at = system(envelope, chord, z, step)
        change = at.solve(-at.residual)
        k, d = chord.atoms.shape
        moves = np.stack([t @ change[at.part(i)] for i, t in enumerate(at.tangents)])
        size = float(norms(moves).max())
        apart = norms(chord.atoms[:, None] - chord.atoms)[np.triu_indices(k, 1)].min(initial=np.inf)
        damping = min(1.0, min(4 * spacing, 0.4 * apart) / size) if size > 0 else 1.0
        moved = retracted(envelope.closed_set, chord.atoms, damping * moves)
        weights = chord.weights + damping * change[d : d + k]
        settled = max(
            float(norms(moved - chord.atoms).max()), float(np.abs(change[d : d + k]).max()) * radius
        )
        chord = Chord(moved, weights, chord.slope + damping * change[:d])
        if k > 1 and weights.min() < 0:
            chord, last = _without(chord, int(weights.argmin())), np.inf
            continue
        small = settled <= 1e-9 * radius
        if settled <= 2 * EPS * radius or (small and settled > last / 4):
            break
        last = settled
    return _convex(chord)


def _without(chord: Chord, leaver: int) -> Chord:
    kept = np.arange(len(chord.atoms)) != leaver
    return _convex(Chord(chord.atoms[kept], chord.weights[kept], chord.slope))


def _convex(chord: Chord) -> Chord:
    weights = np.maximum(chord.weights, 0.0)
    total = weights.sum()
    weights = weights / total if total > 0 else np.full(len(weights), 1 / len(weights))
    return Chord(chord.atoms, weights, chord.slope)


def face_jacobian(envelope: Envelope, chord: Chord, step: float) -> Float[np.ndarray, "d d"]:
    """D prox on the interior of a face: I − λ ∂p/∂z from the same linear system."""
    at = system(envelope, chord, chord.point, step)
    d = chord.atoms.shape[1]
    right = np.zeros((len(at.matrix), d))
    right[:d] = np.eye(d)
    return np.asarray(np.eye(d) - step * at.solve(right)[:d])
