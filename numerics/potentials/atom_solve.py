"""The prox of a batch for finitely many atoms, and what is proved of it, in doubles or in rationals."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq
from jaxtyping import Float

from numerics.accuracy import EPS, UNIT
from numerics.factors import WIDE
from numerics.geometry import norms
from numerics.potentials.atom_certificate import FaceCertificate, Numbers, projectors
from numerics.potentials.atom_set import AtomSet
from numerics.solvers import active_set
from numerics.solvers.exact_active_set import ExactPoint, dot, doubles, face_of, minus, rational, rationals


@dataclass
class Certified:
    """Proved for a batch: bounds on the errors of prox and envelope, and how far the face reaches.

    Attributes:
        point, envelope: (n,) bounds on the errors.
        kink: (n,) distance of z to the next change of face, from below.
    """

    point: Numbers
    envelope: Numbers
    kink: Numbers


class AtomSolve:
    """One solved batch of prox_{step·φ}(z), φ the convex envelope of heights on atoms.

    Rows whose face floating point cannot prove are solved again in rationals.

    Args:
        atoms: The atoms and their heights.
        z: (n,d), complex where derivatives are taken by complex steps.
        step: (n,).
    """

    def __init__(self, atoms: AtomSet, z: np.ndarray, step: Numbers) -> None:
        self._atoms, self._z, self._step = atoms, z, step
        centred = z - atoms.centre - step[:, None] * atoms.tilt
        faces = active_set.solve(atoms.centred, atoms.tilted, centred.real, step)
        self.faces = [
            (f, active_set.on_face(atoms.centred, atoms.tilted, f.members, centred[f.rows], step[f.rows]))
            for f in faces
        ]

    @cached_property
    def point(self) -> np.ndarray:
        """The prox (n,d); an atom exactly where it is one."""
        u = np.empty_like(self._z)
        for face, solution in self.faces:
            single = face.members.shape[1] == 1
            moved = self._atoms.centre + solution.point
            u[face.rows] = self._atoms.points[face.members[:, 0]] if single else moved
        return u

    @cached_property
    def envelope(self) -> Numbers:
        """Moreau's envelope (n,)."""
        value = np.empty(len(self._z))
        for face, solution in self.faces:
            on = (solution.weights * self._atoms.heights[face.members]).sum(axis=1)
            moved = norms(self.point[face.rows] - self._z[face.rows])  # its square may be no number
            value[face.rows] = on + moved / (2 * self._step[face.rows]) * moved
        return value

    @cached_property
    def _proofs(self) -> list[tuple[active_set.Face, FaceCertificate]]:
        return [
            (face, FaceCertificate(self._atoms, face, solution, self._z, self._step))
            for face, solution in self.faces
        ]

    @cached_property
    def _decided(self) -> dict[int, ExactPoint]:
        """The rows that floating point could not prove, in rationals."""
        return {
            int(face.rows[i]): self._decide(int(face.rows[i]), proof.members[i], proof.weights[i])
            for face, proof in self._proofs
            for i in np.flatnonzero(~proof.slack[1])
        }

    def _decide(self, row: int, members: np.ndarray, weights: np.ndarray) -> ExactPoint:
        z, step = rationals(self._z[row]), rational(self._step[row])
        return self._atoms.exact.prox(z, step, *face_of(members, weights))

    @cached_property
    def certified(self) -> Certified:
        """What is proved of the batch."""
        n = len(self._z)
        found = Certified(np.empty(n), np.empty(n), np.zeros(n))
        for face, proof in self._proofs:
            room, proved = proof.slack
            at = face.rows[proved]
            found.point[at] = proof.point_error(self.point)[proved]
            found.envelope[at] = proof.envelope_error(self.envelope)[proved]
            found.kink[at] = np.minimum(room, proof.fall)[proved]
        for row, answer in self._decided.items():
            found.point[row] = _length(minus(rationals(self.point[row]), answer.point))
            away = minus(rationals(self._z[row]), answer.point)
            envelope = answer.value + dot(away, away) / (2 * rational(self._step[row]))
            found.envelope[row] = abs(_up(rational(self.envelope[row]) - envelope))
        return found

    @cached_property
    def jacobian(self) -> tuple[Float[np.ndarray, "n d d"], Numbers]:
        """D prox (n,d,d) as computed, and a bound on its error, √d where z may lie on a kink."""
        n, d = self._z.shape
        found, off = np.empty((n, d, d)), np.empty(n)
        for face, proof in self._proofs:
            proved = proof.slack[1]
            matrices, error = proof.projectors()
            inner = proof.fall[proved] > 0
            found[face.rows[proved]] = matrices[proved]
            off[face.rows[proved]] = np.where(inner, np.minimum(error[proved], np.sqrt(d)), np.sqrt(d))
        for row, answer in self._decided.items():
            found[row], off[row] = self._tangent(answer)
        return found, off

    def _tangent(self, answer: ExactPoint) -> tuple[Float[np.ndarray, "d d"], float]:
        """The projector on the span of all atoms that tie, one of Clarke's Jacobians on a kink."""
        atoms, d = self._atoms, self._z.shape[1]
        rank = atoms.exact.rank(answer.tied)
        first, *rest = answer.members if rank == len(answer.members) - 1 else answer.tied
        edges = atoms.points[rest].astype(WIDE) - atoms.points[first]
        left, sizes, _ = np.linalg.svd(edges.astype(float).T, full_matrices=False)
        basis = left[:, :rank]
        if rank != len(answer.members) - 1:
            return basis @ basis.T, float(np.sqrt(d))
        least = np.array([sizes[-1] - 8 * d * (rank + 1) * UNIT * sizes[0] if rank else 1.0])
        matrix, error = projectors(edges[None], basis[None], np.maximum(least, 1e-300))
        return matrix[0], min(float(error[0]), float(np.sqrt(d)))


def _up(value: fmpq) -> float:
    """The modulus as a double, not less."""
    return float(np.nextafter(abs(float(int(value.p) / int(value.q))), np.inf)) if value != 0 else 0.0


def _length(vector: list[fmpq]) -> float:
    return float(norms(doubles(vector))) * (1 + (len(vector) + 4) * EPS)
