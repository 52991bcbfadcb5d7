r"""One solve of the prox of any curved set: points on the set where that is beyond doubt, faces elsewhere.

**Settled.** A point u of M is prox_{λφ}(u + λau), as au is in ∂φ(u); and prox is nonexpansive, so
|u − prox(z)| ≤ |z − u − λau|, and the objective at u exceeds its minimum by at most |z − u − λau|²/(2λ).
Where that is a few roundings of z no face, whichever holds the prox, can do better, and none is looked for:
so it is where λ is so small that x₀ = (z−u)/λ is rounding. D prox is not known there.
"""

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT, Rounding
from numerics.geometry import norms
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.face_certificate import Certificate
from numerics.potentials.face_kinks import jacobian_errors, kinks_of
from numerics.potentials.face_newton import face_jacobians
from numerics.potentials.proximal_faces import faces_of_prox
from numerics.potentials.set_calculus import along, bending, bent, hessian_noise, pressure
from numerics.potentials.set_reach import slope_reach
from numerics.potentials.strata import Numbers, Points

_SETTLED = 16
"""Roundings of z and u: what forming z costs anyway; and what a point computed on M is off it, twice over."""


class SolvedFaces:
    """One solve: the candidates on the set, then a face for every other row."""

    def __init__(self, envelope: Envelope, z: Points, step: Numbers) -> None:
        self.envelope, self.z, self.step = envelope, z, step
        a, closed_set = envelope.curvature, envelope.closed_set
        inner = z / (1 + a * step)[:, None]
        self.point = closed_set.nearest(inner).copy()
        self.error = closed_set.nearest_rounding(inner, self.point, 3 * UNIT * norms(inner))
        self.margin = self._margins()
        self.height = self.envelope.lift(self.point)
        self.missed = self._missed(inner)
        doubted = self.margin <= 0
        within = _SETTLED * UNIT * (norms(z) + norms(self.point)) + 4 * envelope.off_set
        self.settled = doubted & (self.missed <= within)
        self.error[self.settled] = self.missed[self.settled]
        self.on_face = np.flatnonzero(doubted & ~self.settled)
        self.on_set = np.setdiff1d(np.arange(len(z)), self.on_face)
        solved = faces_of_prox(self.envelope, z[self.on_face], step[self.on_face])
        self.chords: list[Chord] = [chord for chord, _ in solved]
        self.certificates: list[Certificate] = [found for _, found in solved]
        for i, (chord, found) in zip(self.on_face, solved, strict=True):
            self.point[i], self.error[i] = chord.point, found.error
            self.height[i] = chord.weights @ self.envelope.lift(chord.atoms)

    def _missed(self, inner: Points) -> Numbers:
        """|z − u − λau| = (1+aλ)|z/(1+aλ) − u| and its roundings; u is within `Envelope.off_set` of M."""
        stretch = 1 + self.envelope.curvature * self.step
        away, off_set = norms(inner - self.point), self.envelope.off_set
        rounded = 3 * UNIT * norms(inner) + (self.envelope.closed_set.dim / 2 + 2) * UNIT * away
        return stretch * (1 + 4 * UNIT) * (away + rounded + off_set) + off_set

    def _margins(self) -> Numbers:
        """By how much y is higher than every rival for x₀ = (z−y)/λ, over the distance; 0 where in doubt."""
        y, step, a = self.point, self.step, self.envelope.curvature
        x0 = (self.z - y) / step[:, None]
        moved, images = self._moved(), x0 / a
        rivals = np.concatenate(
            [self.envelope.closed_set.nearest(images)[:, None], self.envelope.closed_set.rivals(images)],
            axis=1,
        )
        here = np.broadcast_to(y[:, None], rivals.shape)
        slope = np.broadcast_to(x0[:, None], rivals.shape)
        apart = norms(rivals - here)
        lower = -self.envelope.excess(slope, here, rivals)
        doubt = 2 * self.envelope.noise(slope, here, rivals) + 2 * moved[:, None] * apart
        patch = self._patch(x0, moved)
        same = apart <= patch[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            margin = np.where(same, np.inf, np.maximum(lower - doubt, 0.0) / apart)
        return np.where(patch > 0, margin.min(axis=1), 0.0)

    def _moved(self) -> Numbers:
        """By how much (z−u)/λ is off: by what u is, and two roundings."""
        return (self.error + 2 * UNIT * norms(self.z) + 2 * UNIT * norms(self.point)) / self.step

    def _patch(self, x0: Points, moved: Numbers) -> Numbers:
        """Within this distance a stationary point for x₀ is y itself; 0 where H is not steady so far."""
        a, y, envelope = self.envelope.curvature, self.point, self.envelope
        least = envelope.steady(y, x0, np.zeros(len(y)))
        slope = norms(x0 - a * y)
        noise = 2 * moved + 40 * UNIT * (norms(x0) + a * norms(y)) + a * envelope.off_set
        drift = (a + slope * bending(self.envelope, y)) * self.error
        with np.errstate(divide="ignore"):
            patch = (
                np.minimum(4 * (noise + drift) / least + 4 * self.error, self.envelope.closed_set.radius)
                + 4 * envelope.off_set
            )
        return np.where(envelope.steady(y, x0, patch) > 0, patch, 0.0)

    def envelope_error(self) -> Rounding:
        """The suboptimality of the point, and its two terms."""
        a, step = self.envelope.curvature, self.step
        away = norms(self.z - self.point)
        tilt = norms((self.z - self.point) / step[:, None] - a * self.point)
        bend = 1 / step + a + tilt * bending(self.envelope, self.point)
        suboptimality = self.error**2 * bend / 2 + tilt * self.envelope.off_set
        suboptimality[self.settled] = (self.missed**2 / (2 * step) + tilt * self.envelope.off_set)[
            self.settled
        ]
        suboptimality[self.on_face] = [found.suboptimality for found in self.certificates]
        terms = Rounding(
            away**2 / (2 * step) + self.height,
            self.envelope.closed_set.dim + 4.0,
            "|z−u|²/(2λ) and (a/2)|y|²",
        )
        return terms + Rounding.measured(suboptimality, "what the objective at u is above its minimum")

    def jacobian(self) -> Float[np.ndarray, "n d d"]:
        """On M: P_T(I+λH)⁻¹P_T at x₀ = (z−u)/λ. On a face: from the linearised optimality conditions."""
        jacobian = np.zeros((len(self.z), self.envelope.closed_set.dim, self.envelope.closed_set.dim))
        rows = self.on_set
        if rows.size:
            jacobian[rows] = self._bent(self.point[rows], rows)
        jacobian[self.on_face] = face_jacobians(self.envelope, self.chords, self.step[self.on_face])
        return jacobian

    def _bent(self, y: Points, rows: np.ndarray) -> Float[np.ndarray, "n d d"]:
        return bent(self.envelope, y, (self.z[rows] - y) / self.step[rows, None], self.step[rows])

    def jacobian_error(self) -> Numbers:
        """On the set λ times what H errs by, 32 roundings, and the change over u's error; faces likewise.

        Where the point is settled D prox is unknown: two projections' difference is at most √d.
        """
        total = np.zeros(len(self.z))
        rows = self.on_set
        if rows.size:
            y, step = self.point[rows], self.step[rows]
            x0 = (self.z[rows] - y) / step[:, None]
            here, change = along(self.envelope, y, x0, self.error[rows], lambda at: self._bent(at, rows), 1.0)
            lost = (
                hessian_noise(self.envelope, y, x0)
                + bending(self.envelope, y) * UNIT * 2 * norms(self.z[rows]) / step
            )
            size = np.linalg.norm(here, axis=(1, 2))
            most = size + np.sqrt(self.envelope.closed_set.dim)  # 0 ≼ D prox ≼ I
            total[rows] = np.minimum(change + size * (step * lost * size + 32 * UNIT), most)
        total[self.settled] = np.sqrt(self.envelope.closed_set.dim)
        total[self.on_face] = jacobian_errors(*self._faces())
        return total

    def _faces(self) -> tuple[Envelope, list[Chord], list[Certificate], Points, Numbers]:
        """What the faces' own statements are about."""
        return self.envelope, self.chords, self.certificates, self.z[self.on_face], self.step[self.on_face]

    def kink(self) -> Numbers:
        """On the set from the margins of rivals and net (`_set_kink`), on faces from the certificate."""
        kink = np.zeros(len(self.z))
        rows = self.on_set
        if rows.size:
            kink[rows] = self._set_kink(rows)
        kink[self.on_face] = kinks_of(*self._faces())
        return kink

    def _set_kink(self, rows: np.ndarray) -> Numbers:
        """Within z's ball of this radius y stays the highest point, by `slope_reach` and its margin.

        An end of a curve stays one while δ/λ is less than x₀ − ay against the inward tangent.
        """
        y, step = self.point[rows], self.step[rows]
        x0 = (self.z[rows] - y) / step[:, None]
        reach = np.minimum(pressure(self.envelope, y, x0), slope_reach(self.envelope, y[:, None], x0))
        return step * np.minimum(self.margin[rows], np.maximum(reach - self._moved()[rows], 0.0)) / 2
