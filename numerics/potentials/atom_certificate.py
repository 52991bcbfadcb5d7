r"""What the prox of finitely many atoms errs by, from a certificate of the very answer.

The solver gives a face, by members and weights $w$. Let $û = Σ w_i y_i$, exactly, and $p = (z-û)/λ$. Any
subgradient $q ∈ ∂φ(û)$ makes û the prox of $û + λq = z + λ(q-p)$; prox is nonexpansive, so that

    |û − prox(z)| ≤ λ|q − p|,   and the envelope at z is within λ|q − p|²/2 of φ(û) + |û − z|²/(2λ)

(its dual's value at q). With E the face's edges and h the rises of its heights, $q - p = e/λ$ for the
shortest e with $E^⊤(z - û + e) = λh$; q is a subgradient if no other atom's score exceeds the members'.
"""

from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from numerics.accuracy import EPS, UNIT
from numerics.factors import WIDE, WIDE_UNIT
from numerics.geometry import norms
from numerics.potentials.atom_set import AtomSet
from numerics.solvers import active_set
from numerics.solvers.best_atoms import row_blocks

_WELL = 0.25  # of the smallest singular value may be lost to the QR's backward error

Points = Float[np.ndarray, "n d"]
Numbers = Float[np.ndarray, " n"]


class FaceCertificate:
    """The certificate of one group of rows whose faces have k members; every rounding is counted.

    û, z − û and the residual are formed in `WIDE`, so that they err by `WIDE_UNIT`, not by u. A face so
    thin that QR's backward error, 8dk·u‖E‖, may be a quarter of its smallest singular value is not judged.
    """

    def __init__(
        self,
        atoms: AtomSet,
        face: active_set.Face,
        solution: active_set.FaceSolution,
        z: Points,
        step: Numbers,
    ) -> None:
        self._atoms, self.rows = atoms, face.rows
        order = np.argsort(-face.weights, axis=1)
        self.members = np.take_along_axis(face.members, order, 1)
        self.weights = np.take_along_axis(face.weights, order, 1)
        self._z, self._step = z[face.rows], step[face.rows]
        self._solution = solution
        self._k, self._d = face.members.shape[1], z.shape[1]
        first = self.members[:, 0]
        self.edges = atoms.points[self.members[:, 1:]].astype(WIDE) - atoms.points[first][:, None]
        self._form_point(first)
        if self._k == 1:
            self._leave()
        else:
            self._correct()

    def _form_point(self, first: np.ndarray) -> None:
        """û and z − û, and what they err by."""
        tail = self.weights[:, 1:]
        self.point = self._atoms.points[first] + np.einsum("mk,mkd->md", tail, self.edges)
        self.away = self._z - self.point
        self.rises, self._off_rises = self._atoms.rises(self.members)
        self._lengths = _lengths(self.edges)
        terms = (tail * self._lengths).sum(axis=1)
        size = _lengths(self.point)
        self.off_point = WIDE_UNIT * ((self._k + 3) * terms + 2 * size) * (self._k > 1)
        self._distance = _lengths(self.away) * (1 + EPS)
        self.off_away = self.off_point + WIDE_UNIT * self._distance

    def _leave(self) -> None:
        """An atom is where it is: there is nothing to correct, and nothing that could be missed."""
        m = len(self.rows)
        self.judged, self.least = np.ones(m, dtype=bool), np.ones(m)
        self.correction = np.full((m, self._d), -0.0)  # changes no sum, not even its sign
        self.missed, self.reach = np.zeros((2, m))

    def _correct(self) -> None:
        """The shortest e as computed, and how far the exact one may be from it."""
        d, k = self._d, self._k
        residual = np.einsum("md,mkd->mk", self.away, self.edges) - self._step[:, None] * self.rises
        q, r = np.linalg.qr(self.edges.astype(float).transpose(0, 2, 1))
        diagonal = np.abs(np.diagonal(r, axis1=1, axis2=2))
        singular = (diagonal == 0).any(axis=1)
        r = np.where(singular[:, None, None], np.eye(k - 1), r)
        inverse = np.linalg.inv(r)
        self._rises_of_weights = np.concatenate([-inverse.sum(axis=1, keepdims=True), inverse], axis=1)
        least = 1 / np.maximum(np.linalg.norm(inverse, axis=(1, 2)), 1e-300)
        lost = 8 * d * k * UNIT * np.linalg.norm(r, axis=(1, 2))
        self.judged = ~singular & (lost <= _WELL * least)
        self.least = np.maximum(least - 2 * lost, least / 2)
        self._thinner = 1 + 4 * lost / least  # what inverting R may lose, relatively
        self.correction = -(q @ (inverse.transpose(0, 2, 1) @ residual.astype(float)[:, :, None]))[:, :, 0]
        length = norms(self.correction)
        left = _lengths(residual + np.einsum("mkd,md->mk", self.edges, self.correction))
        error = self._lengths * (self.off_away + (d + 3) * WIDE_UNIT * (self._distance + length))[:, None]
        error += 4 * WIDE_UNIT * self._step[:, None] * np.abs(self.rises).astype(float)
        error += self._step[:, None] * self._off_rises
        self.missed = (left + norms(error)) / self.least * (1 + 8 * EPS)
        self.reach = (length * (1 + (d + 2) * EPS) + self.missed) * (1 + EPS)

    def point_error(self, computed: Points) -> Float[np.ndarray, " m"]:
        """Of the prox as computed."""
        off = _lengths(computed[self.rows] - self.point)
        return (off * (1 + EPS) + self.off_point + self.reach) * (1 + 4 * EPS)

    def envelope_error(self, computed: Numbers) -> Float[np.ndarray, " m"]:
        """Of the envelope as computed."""
        first = self._atoms.wide[self.members[:, 0]]
        terms = self.weights[:, 1:] * self.rises
        moved = (self.away**2).sum(axis=1) / (2 * self._step)
        off = np.abs(computed[self.rows] - (first + terms.sum(axis=1) + moved)).astype(float)
        size = (np.abs(first) + np.abs(terms).sum(axis=1)).astype(float)
        own = WIDE_UNIT * ((self._k + 4) * size + (self._d + 6) * moved.astype(float))
        own = own + self._atoms.off_wide[self.members[:, 0]]
        own = own + (self.weights[:, 1:] * self._off_rises).sum(axis=1)
        turned = self.off_away * ((self._distance + self.off_away) / self._step)
        return np.asarray((off + own + turned + self.reach**2 / (2 * self._step)) * (1 + 8 * EPS))

    @cached_property
    def slack(self) -> tuple[Float[np.ndarray, " m"], Bool[np.ndarray, " m"]]:
        """(room, proved): how far z may go before another atom's score rises to the members', from below.

        The scores are λ(⟨q,y_j⟩ − g_j), centred; in floating point they err by (d+4)u of their terms. When z
        moves by δ, λq moves by at most δ, and a slack by δ|y_j − y_0|, at most the centred atoms' lengths.
        Not proved are rows where a slack may be negative; atoms that the face itself implies are left out.
        """
        m, room = len(self.rows), np.full(len(self.rows), np.inf)
        proved = self.judged.copy()
        for rows in row_blocks(m, 4 * len(self._atoms.points)):
            room[rows], proved[rows] = self._slack(rows)
        return room, proved

    def _slack(self, rows: slice) -> tuple[Float[np.ndarray, " b"], Bool[np.ndarray, " b"]]:
        atoms, members, step = self._atoms, self.members[rows], self._step[rows]
        dual = self.away[rows].astype(float) + self.correction[rows]
        heights = step[:, None] * atoms.tilted
        scores = (dual - step[:, None] * atoms.tilt) @ atoms.centred.T
        scores -= heights
        error = (norms(dual) + step * norms(atoms.tilt))[:, None] * atoms.lengths
        error += np.abs(heights, out=heights)
        error *= (self._d + 4 + atoms.more) * UNIT
        first = members[:, :1]
        least = np.take_along_axis(scores, first, 1) - np.take_along_axis(error, first, 1)
        apart = (atoms.lengths + atoms.lengths[first]) * (1 + 8 * EPS)
        off = (
            self.missed[rows]
            + self.off_away[rows]
            + 3 * UNIT * (self._distance + norms(self.correction))[rows]
        )
        slack = np.subtract(least, scores, out=scores)
        slack -= error
        slack *= 1 - 4 * EPS
        slack -= off[:, None] * apart
        np.put_along_axis(slack, members, np.inf, 1)
        proved = self.judged[rows].copy()
        for i in np.flatnonzero(proved & (slack <= 0).any(axis=1)):
            unclear = np.flatnonzero(slack[i] <= 0)
            implied = atoms.implied(members[i], unclear)
            slack[i, unclear[implied]] = np.inf
            proved[i] = implied.all()
        slack /= apart
        return np.maximum(slack.min(axis=1), 0.0) * (1 - 8 * EPS), proved

    @cached_property
    def fall(self) -> Float[np.ndarray, " m"]:
        """How far u may go before a member's weight falls to 0, from below; 0 if it may be 0 already."""
        if self._k == 1:
            return np.full(len(self.rows), np.inf)
        steep = np.linalg.norm(self._rises_of_weights, axis=2) * self._thinner[:, None]
        least = (self.weights / steep).min(axis=1) * (1 - 4 * self._k * EPS)
        return np.maximum(least - self.reach, 0.0)

    def projectors(self) -> tuple[Float[np.ndarray, "m d d"], Float[np.ndarray, " m"]]:
        """The projectors on the faces' spans, as computed, and what they err by."""
        return projectors(self.edges, self._solution.basis, self.least)


def projectors(
    edges: np.ndarray, basis: Float[np.ndarray, "m d r"], least: Float[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, "m d d"], Float[np.ndarray, " m"]]:
    """QQᵀ, and its distance from the projector on the span of the edges.

    |P − P_Q| = √2|(I − P_Q)E E⁺| ≤ √2|E − QQᵀE|/σ_min(E) in Frobenius norm, and |P_Q − QQᵀ| ≤ |QᵀQ − I|.

    Args:
        edges: (m,r,d) E, in `WIDE`.
        basis: (m,d,r) Q, nearly orthonormal.
        least: (m,) at most σ_min(E).
    """
    wide, r = basis.astype(WIDE), basis.shape[2]
    found = basis @ basis.transpose(0, 2, 1)
    if not r:
        return found, np.zeros(len(found))
    columns = edges.transpose(0, 2, 1)
    outside = _frobenius(columns - wide @ (wide.transpose(0, 2, 1) @ columns))
    outside += 4 * (basis.shape[1] + r) * WIDE_UNIT * _frobenius(columns)
    skew = _frobenius(wide.transpose(0, 2, 1) @ wide - np.eye(r))
    rounded = _frobenius(found - wide @ wide.transpose(0, 2, 1))
    bound = np.sqrt(2) * outside / least + skew + rounded + 4 * (basis.shape[1] + r) * r * WIDE_UNIT
    return found, bound * (1 + 16 * EPS)


def _lengths(x: np.ndarray) -> np.ndarray:
    """Lengths of vectors in `WIDE`, along the last axis, as doubles."""
    return np.sqrt((x * x).sum(axis=-1)).astype(float)


def _frobenius(x: np.ndarray) -> Float[np.ndarray, " m"]:
    return np.sqrt((x * x).sum(axis=(1, 2))).astype(float)
