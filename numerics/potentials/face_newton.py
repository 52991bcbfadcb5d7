r"""Newton on the optimality conditions of faces, and what its linear system says of errors.

Unknowns: the slope p, the weights w_i, and tangential displacements of the atoms. Levels are compared with
the first atom's, through differences of atoms, which keeps short chords as well conditioned as they are.
Faces with the same number of atoms are solved together. Every atom has as many displacements as the largest
stratum; those that an atom lacks have the equation "displacement = 0".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from numerics.accuracy import EPS
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope, Faces, by_atoms
from numerics.potentials.strata import retracted

_STEPS = 40
_TINY = float(np.finfo(float).tiny)
_NEGLIGIBLE = 1e-13
"""A singular value below this share of the largest counts as 0: more level atoms than a face needs."""


@dataclass(frozen=True)
class Systems:
    """Matrices and residuals in (p, w, displacements), and the tangents, whose missing columns are 0.

    Attributes:
        matrix: One for each face.
        residual: What the conditions miss.
        tangent: Orthonormal columns, or zero ones, for every atom.
        free: Which displacements there are.
    """

    matrix: Float[np.ndarray, "n q q"]
    residual: Float[np.ndarray, "n q"]
    tangent: Float[np.ndarray, "n k d m"]
    free: Bool[np.ndarray, "n k m"]

    def __getitem__(self, rows: np.ndarray) -> "Systems":
        return Systems(self.matrix[rows], self.residual[rows], self.tangent[rows], self.free[rows])

    def solve(self, right: Float[np.ndarray, "n q r"]) -> Float[np.ndarray, "n q r"]:
        """Least squares, rows brought to one size; NaN where the matrix is not finite."""
        return self._solved(right, np.ones_like(self.matrix[:, :1]), 1)

    def solve_of_one_size(self, right: Float[np.ndarray, "n q r"]) -> Float[np.ndarray, "n q r"]:
        """The same with columns brought to one size, too, and what is missed solved for once more.

        The columns of the slope are of size λ: beside those of the weights they would count as 0. And the
        rounding of large unknowns would spread to small ones.
        """
        rows = np.abs(self.matrix) / np.maximum(np.abs(self.matrix).max(axis=2, keepdims=True), _TINY)
        return self._solved(right, 1 / np.maximum(rows.max(axis=1, keepdims=True), _TINY), 2)

    def _solved(
        self, right: Float[np.ndarray, "n q r"], columns: Float[np.ndarray, "n 1 q"], turns: int
    ) -> Float[np.ndarray, "n q r"]:
        size = 1 / np.maximum(np.abs(self.matrix).max(axis=2, keepdims=True), _TINY)
        known = np.isfinite(self.matrix).all(axis=(1, 2), keepdims=True)
        matrix = np.where(known, self.matrix, 0.0)
        found = np.zeros_like(right)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # Newton that runs away ends so
            u, s, vt = np.linalg.svd(np.where(known, size * matrix * columns, 0.0))
            inverse = np.where(s > _NEGLIGIBLE * s[:, :1], 1 / s, 0.0)[:, :, None]
            for turn in range(turns):
                missed = right - matrix @ found if turn else right
                turned = vt.transpose(0, 2, 1) @ (inverse * (u.transpose(0, 2, 1) @ (size * missed)))
                found = found + columns.transpose(0, 2, 1) * turned
        return np.where(known, found, np.nan)

    def inverse(self) -> Float[np.ndarray, "n q q"]:
        """Of every matrix; exactly that of the identity where displacements are missing."""
        n, q, _ = self.matrix.shape
        one = np.broadcast_to(np.eye(q), self.matrix.shape)
        there = np.ones((n, q), dtype=bool)
        there[:, q - self.free[0].size :] = self.free.reshape(n, -1)
        return np.where(there[:, :, None] & there[:, None], self.solve_of_one_size(one), one)

    def displacements(self, unknowns: Float[np.ndarray, "n q"]) -> Float[np.ndarray, "n k m"]:
        """Those of each atom, out of all unknowns."""
        n, k, _, m = self.tangent.shape
        return unknowns[:, unknowns.shape[1] - k * m :].reshape(n, k, m)

    def moves(self, unknowns: Float[np.ndarray, "n q"]) -> Float[np.ndarray, "n k d"]:
        """Tangential vectors of the displacements."""
        return np.einsum("nkdm,nkm->nkd", self.tangent, self.displacements(unknowns))

    def hessians(self) -> Float[np.ndarray, "n k m m"]:
        """H of each atom; minus 1 for displacements that there are not."""
        n, k, d, m = self.tangent.shape
        first = d + k
        blocks = [
            self.matrix[:, first + i * m : first + i * m + m, first + i * m : first + i * m + m]
            for i in range(k)
        ]
        return -np.stack(blocks, axis=1).reshape(n, k, m, m)


def systems(
    envelope: Envelope, faces: Faces, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
) -> Systems:
    """The optimality conditions at faces, linearised; levels against that of the first atom."""
    atoms, weights, slope = faces.atoms, faces.weights, faces.slope
    n, k, d = atoms.shape
    tangent, hessian, free = _frames(envelope, faces)
    m = tangent.shape[3]
    away = slope[:, None] - envelope.curvature * atoms
    tilt = np.einsum("nkdm,nkd->nkm", tangent, away)
    matrix = np.zeros((n, d + k + k * m, d + k + k * m))
    residual = np.zeros(matrix.shape[:2])
    matrix[:, :d, :d], matrix[:, :d, d : d + k] = step[:, None, None] * np.eye(d), atoms.transpose(0, 2, 1)
    matrix[:, d, d : d + k], matrix[:, d + 1 : d + k, :d] = 1.0, atoms[:, 1:] - atoms[:, :1]
    residual[:, :d], residual[:, d] = faces.point + step[:, None] * slope - z, weights.sum(axis=1) - 1
    residual[:, d + 1 : d + k] = envelope.excess(*np.broadcast_arrays(slope[:, None], atoms[:, :1], atoms))[
        :, 1:
    ]
    for i in range(k):
        part = slice(d + k + i * m, d + k + (i + 1) * m)
        matrix[:, :d, part] = weights[:, i, None, None] * tangent[:, i]
        matrix[:, part, :d] = tangent[:, i].transpose(0, 2, 1)
        matrix[:, part, part] = np.where(free[:, i, :, None], -hessian[:, i], np.eye(m))
        residual[:, part] = tilt[:, i]
        rows = slice(d + i, d + i + 1) if i else slice(d + 1, d + k)
        matrix[:, rows, part] += tilt[:, None, i] if i else -tilt[:, None, i]
    return Systems(matrix, residual, tangent, free)


def _frames(
    envelope: Envelope, faces: Faces
) -> tuple[Float[np.ndarray, "n k d m"], Float[np.ndarray, "n k m m"], Bool[np.ndarray, "n k m"]]:
    """Tangents and H = aI − ⟨p − a y, II⟩ at every atom, zero beyond the dimension of its stratum."""
    n, k, d = faces.atoms.shape
    m = envelope.most
    tangent, hessian = np.zeros((n * k, d, m)), np.zeros((n * k, m, m))
    free = np.zeros((n * k, m), dtype=bool)
    atoms, slopes = faces.atoms.reshape(n * k, d), np.repeat(faces.slope, k, axis=0)
    for s in envelope.closed_set.strata(atoms):
        own = s.dimension
        tangent[s.rows, :, :own], free[s.rows, :own] = s.tangent, True
        hessian[s.rows, :own, :own] = envelope.hessians(atoms[s.rows], slopes[s.rows], s.second)
    return tangent.reshape(n, k, d, m), hessian.reshape(n, k, m, m), free.reshape(n, k, m)


def polished(
    envelope: Envelope,
    chords: Sequence[Chord],
    z: Float[np.ndarray, "n d"],
    step: Float[np.ndarray, " n"],
) -> list[Chord]:
    """Newton; atoms whose weights turn negative leave; no atom moves by more than half-way to another.

    Where λ is far below rounding the row Σw = 1 is lost beside the others in least squares, so the
    weights are made convex at the end: the certificate is about convex combinations. A slope that is not
    finite says that Newton did not end.
    """
    found = list(chords)
    waiting = np.arange(len(found))
    while waiting.size:
        most = max(len(found[i].atoms) for i in waiting)
        rows = np.array([i for i in waiting if len(found[i].atoms) == most])
        chosen = [found[i] for i in rows]
        again = []
        for i, (chord, fewer) in zip(
            rows, _settled(envelope, Faces.of(chosen), z[rows], step[rows]), strict=True
        ):
            found[i] = chord
            if fewer:
                again.append(i)
        waiting = np.concatenate([np.setdiff1d(waiting, rows), again]).astype(int)
    return found


def _settled(
    envelope: Envelope, faces: Faces, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
) -> list[tuple[Chord, bool]]:
    """Each face where Newton ends, or with an atom less and True, from where it begins anew."""
    n = len(faces.slope)
    atoms, weights, slope = faces.atoms.copy(), faces.weights.copy(), faces.slope.copy()
    radius, last = envelope.closed_set.radius, np.full(n, np.inf)
    live, leaves = np.arange(n), np.zeros(n, dtype=bool)
    for _ in range(_STEPS):
        now = Faces(atoms[live], weights[live], slope[live])
        moved, settled = _newton_step(envelope, now, z[live], step[live])
        atoms[live], weights[live], slope[live] = moved.atoms, moved.weights, moved.slope
        leaves[live] = (moved.weights.min(axis=1) < 0) & (atoms.shape[1] > 1)
        small = (settled <= 1e-9 * radius) & (settled > last[live] / 4)
        ended = leaves[live] | small | (settled <= 2 * EPS * radius) | ~np.isfinite(settled)
        last[live] = settled
        live = live[~ended]
        if not live.size:
            break
    ends = [Chord(*each) for each in zip(atoms, weights, slope, strict=True)]
    return [
        (chord.without_least() if fewer else chord.convex(), bool(fewer))
        for chord, fewer in zip(ends, leaves, strict=True)
    ]


def _newton_step(
    envelope: Envelope, faces: Faces, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
) -> tuple[Faces, Float[np.ndarray, " n"]]:
    """The faces after a damped step, and by how much they changed, as a length."""
    closed_set = envelope.closed_set
    n, k, d = faces.atoms.shape
    at = systems(envelope, faces, z, step)
    change = at.solve(-at.residual[:, :, None])[:, :, 0]
    moves = at.moves(change)
    size = norms(moves).max(axis=1)
    first, second = np.triu_indices(k, 1)
    apart = norms(faces.atoms[:, first] - faces.atoms[:, second]).min(axis=1, initial=np.inf)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        damping = np.where(
            size > 0, np.minimum(1.0, np.minimum(4 * closed_set.spacing, 0.4 * apart) / size), 1.0
        )
    known = np.isfinite(change).all(axis=1)
    moves = np.where(known[:, None, None], damping[:, None, None] * moves, 0.0)
    atoms = retracted(closed_set, faces.atoms.reshape(n * k, d), moves.reshape(n * k, d)).reshape(n, k, d)
    weights = faces.weights + damping[:, None] * change[:, d : d + k]
    settled = np.maximum(
        norms(atoms - faces.atoms).max(axis=1), np.abs(change[:, d : d + k]).max(axis=1) * closed_set.radius
    )
    return Faces(atoms, weights, faces.slope + damping[:, None] * change[:, :d]), settled


def face_jacobians(
    envelope: Envelope, chords: Sequence[Chord], step: Float[np.ndarray, " n"]
) -> Float[np.ndarray, "n d d"]:
    """D prox on the interior of faces: I − λ ∂p/∂z from the same linear system."""
    d = envelope.closed_set.dim
    jacobian = np.zeros((len(chords), d, d))
    for rows, faces in by_atoms(chords):
        at = systems(envelope, faces, faces.point, step[rows])
        right = np.zeros((*at.residual.shape, d))
        right[:, :d] = np.eye(d)
        jacobian[rows] = np.eye(d) - step[rows, None, None] * at.solve_of_one_size(right)[:, :d]
    return jacobian
