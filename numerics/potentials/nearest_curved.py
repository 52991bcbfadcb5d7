r"""The nearest point of any curved set: the set's own projection where prox lies on it, a face elsewhere.

prox_{λφ}(z) is

- y = proj_M(z/(1+aλ)), where y is nearest to x₀/a for x₀ = (z−y)/λ: on every x₁ + λx₀, and around;
- a point of a chord, triangle, … of the envelope elsewhere, found for all rows together (`proximal_faces`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import EPS, UNIT, Rounding
from numerics.geometry import norms
from numerics.potentials.chords import Envelope
from numerics.potentials.nearest import NearestPoint
from numerics.potentials.proximal_faces import face_at, faces_at
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.set_calculus import across_ends, across_ties, along, bent, changed, hessian_noise
from numerics.potentials.solved_faces import SolvedFaces
from numerics.potentials.solved_once import LastSolve, SolvedOnce
from numerics.potentials.spectral import real, refuse_where
from numerics.potentials.strata import ClosedSet, Numbers, Points, refuse_edges
from numerics.potentials.support_cell import SupportCell
from numerics.potentials.support_geometry import ManifoldGroup, Subdifferential


class NearestCurvedPoint(SolvedOnce, NearestPoint, of=object):
    r"""The nearest point of a curve, a surface or a union.

    Accuracy, with η(x) what the set states for its projection of x (`ClosedSet.nearest_rounding`):

    - T: η at x₀/a, whose division errs by u|x₀|/a.
    - φ*: ⟨x₀,y⟩ − (a/2)|y|² at y = T(x₀), off M by at most its ``error``, over which it changes by
      |x₀−ay| times that; along M by the residual tilt of its slope times η, as it is concave up to its
      maximum; by what a comparison of two maxima errs by where they tie; and d roundings of the terms of
      ⟨x₀,y⟩, d + 1 of (a/2)|y|², and one of their difference.
    - prox on the set: the projection of z/(1+aλ), an argument that errs by 3u|z|/(1+aλ), where the set's own
      comparison x₀ = (z−y)/λ leaves no doubt; otherwise, and on a face, the certificate of `chords`.
    - the envelope: the objective at u exceeds its minimum by the certificate's suboptimality; on the set by
      δ²(1/λ + h)/2 for the error δ of u, h = a + |y − au||II|, and |y − au| times the set's ``error``; and
      what its two terms round.
    - K, D prox: what their entries err by, relatively, and their change over the error of the point itself,
      read off differences along the set (first order); where the argument is off over a tie, K of both sides.
    """

    def _shape(self, closed_set: ClosedSet) -> None:
        super()._shape(closed_set)
        refuse_edges(closed_set)
        self._lifted = Envelope(closed_set, self.curvature)
        self._last_solve = LastSolve[ProximalPoint]()

    # --- values ---------------------------------------------------------------------------------

    def _value(self, x: Points) -> Numbers:
        """φ, read off the face that holds x; finite also where ∂φ is empty (`steep_faces`)."""
        y, rows = self._beside(x)
        value = self._lifted.lift(y)
        for i, chord in zip(rows, faces_at(self._lifted, x[rows], self._rounding), strict=True):
            value[i] = np.inf if chord is None else chord.weights @ self._lifted.lift(chord.atoms)
        return value

    def _beside(self, x: Points) -> tuple[Points, np.ndarray]:
        """The nearest points of M, and the rows which are no points of it."""
        y = self.closed_set.nearest(x)
        return y, np.flatnonzero(norms(x - y) > self._rounding)

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Numbers:
        y = self._transport(x0)
        return np.asarray((x0 * y).sum(axis=1) - self._lifted.lift(y))

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Points:
        return self._lifted.transport(real("x0", x0))

    def _transport_jacobian(self, x0: Points) -> Float[np.ndarray, "n d d"]:
        jacobian = np.zeros((len(x0), self.dim, self.dim))
        for group in self._manifolds(self._transport(x0), x0):
            smallest = np.linalg.eigvalsh(group.hessian).min(axis=1, initial=np.inf)
            focal = np.zeros(len(x0), dtype=bool)
            focal[group.rows] = smallest <= EPS * (self.curvature + norms(x0[group.rows]) / self.scale)
            self._refuse_focal(focal)
            inverse = np.linalg.inv(group.hessian)
            jacobian[group.rows] = group.tangent @ inverse @ group.tangent.transpose(0, 2, 1)
        return jacobian

    def _refuse_focal(self, focal: np.ndarray) -> None:
        refuse_where(focal, "x0", "is a focal point of the set, where K is infinite; perturb it")

    # --- proximal maps --------------------------------------------------------------------------

    def _proximal_point(self, z: Points, step: Numbers) -> ProximalPoint:
        return self._last_solve(self._solve, real("z", z), step).copied()

    def _prox(self, z: Inexact[np.ndarray, "n d"], step: Numbers) -> Points:
        return self._proximal_point(real("z", z), step).point

    def _solve(self, z: Points, step: Numbers) -> ProximalPoint:
        """On the set where that is beyond doubt, on faces elsewhere."""
        solved = SolvedFaces(self._lifted, z, step)
        return ProximalPoint(
            z,
            step,
            solved.point,
            envelope=lambda: solved.height + ((z - solved.point) ** 2).sum(axis=1) / (2 * step),
            jacobian=solved.jacobian,
            kink=solved.kink,
            errors=(
                lambda: Rounding.measured(solved.error, "an a-posteriori certificate of the face"),
                solved.envelope_error,
                lambda: Rounding.measured(solved.jacobian_error(), "D prox over the error of its face"),
            ),
        )

    # --- accuracy -------------------------------------------------------------------------------

    def _value_rounding(self, x: Points) -> Rounding:
        """On M d + 1 roundings of (a/2)|y|², y beside x, and what y's distance off M makes of it, a|y| times.

        On a face as much for its atoms, which are 2(d+1) at most; their weights' products and sums, and by
        what these miss 1, are as many roundings again, twice.
        """
        a, off_set = self.curvature, self._lifted.off_set
        y, rows = self._beside(x)
        count, off = np.full(len(x), self.dim + 1.0), a * norms(y) * off_set
        count[rows], off[rows] = 5 * (self.dim + 1.0), a * self.closed_set.radius * off_set
        value = np.nan_to_num(self._value(x), posinf=0.0)
        formed = Rounding(count * value, 1, "(a/2)|y|² on atoms")
        return formed + Rounding.measured(off, "atoms that are off the set")

    def _domain_rounding(self, x: Points) -> Rounding:
        """A face is the answer where it comes within twice `_rounding` of x (`faces_at`).

        Newton mostly ends a hundred times nearer, so that the statement is generous on such faces.
        """
        return Rounding(self.scale + norms(x), 64.0 * self.dim, "so near a face counts as on it")

    def _conjugate_rounding(self, x0: Points) -> Rounding:
        a, y = self.curvature, self._transport(x0)
        error = self.closed_set.nearest_rounding(x0 / a, y, UNIT * norms(x0) / a)
        size = norms(x0) + a * norms(y)
        tilt = 40 * UNIT * size + a * self._lifted.off_set
        missed = tilt * np.minimum(error, 2 * self.closed_set.spacing)
        tied = np.where(error > 1e3 * UNIT * self.closed_set.radius, self._lifted.rounding(x0), 0.0)
        off = norms(x0 - a * y) * self._lifted.off_set
        terms = Rounding(np.abs(x0 * y).sum(axis=1), self.dim, "⟨x₀,y⟩: products and sums")
        terms += Rounding(self._lifted.lift(y), self.dim + 1, "(a/2)|y|²: squares, sums and a product")
        terms += Rounding(np.abs(self._conjugate(x0)), 1, "their difference")
        return terms + Rounding.measured(off + missed + tied, "T's error, where φ* is stationary")

    def _transport_rounding(self, x0: Points) -> Rounding:
        a = self.curvature
        error = self.closed_set.nearest_rounding(x0 / a, self._transport(x0), UNIT * norms(x0) / a)
        return Rounding.measured(error, "the set's projection at x₀/a")

    def _transport_change(self, x0: Points, radius: Numbers) -> Numbers:
        """What the set states more where x₀/a is farther off: that sees ties, where T jumps."""
        image, y, a = x0 / self.curvature, self._transport(x0), self.curvature
        own = UNIT * norms(x0) / a
        stated = [self.closed_set.nearest_rounding(image, y, off) for off in (own, own + radius / a)]
        return np.maximum(stated[1] - stated[0], 0.0)

    def _transport_jacobian_rounding(self, x0: Points) -> Rounding:
        """K's sizes relatively, its change over T's error, by differences along the set, and beside ends."""
        y, step = self._transport(x0), np.zeros(len(x0))
        error = self._transport_rounding(x0).bound
        usual = 1 / self.curvature
        here, change = along(self._lifted, y, x0, error, lambda at: bent(self._lifted, at, x0, step), usual)
        change = change + across_ends(self._lifted, y, x0, step)
        lost = hessian_noise(self._lifted, y, x0)
        size = np.linalg.norm(here, axis=(1, 2))
        return Rounding.measured(change + size * (lost * size + 32 * UNIT), "H's rounding, and T's error")

    def _transport_jacobian_change(self, x0: Points, radius: Numbers) -> Numbers:
        """To first order, and that of the other side of a tie or of an end's border; 0 for no move."""
        y = self._transport(x0)
        smooth = changed(self._lifted, y, x0, self._stretch(x0), radius)
        jump = across_ties(self._lifted, y, x0, radius) + across_ends(self._lifted, y, x0, radius)
        return np.where(radius > 0, smooth + jump, 0.0)

    # --- geometry -------------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> Subdifferential:
        atoms = self._face(self._at_corners(x1[None])[0], 4 * self._rounding)
        if atoms is None:
            raise ValueError(f"x1: {x1.tolist()} is not in the hull of {self.closed_set!r}; φ is +inf there")
        return SupportCell(self._lifted, atoms, 4 * self._rounding, 4 * self._coarseness)

    def _face(self, x: Float[np.ndarray, " d"], rounding: float) -> Float[np.ndarray, "k d"] | None:
        """Atoms that span the face that holds a point within ``rounding`` of x; None off the hull.

        Raises:
            ValueError: If no slope is a subgradient there.
        """
        chord = face_at(self._lifted, x, rounding)
        if chord and not np.isfinite(chord.slope).all():
            raise ValueError(
                f"x1: ∂φ is empty at {x.tolist()}: the set touches a supporting plane without a corner"
            )
        return None if chord is None else chord.atoms

    def _manifolds(self, x1: Points, x0: Points) -> Sequence[ManifoldGroup]:
        """The strata of the set, with H = aI − ⟨x₀ − a x₁, II⟩."""
        away = norms(x1 - self.closed_set.nearest(x1))
        refuse_where(away > 1e3 * self._rounding, "x1", "is not on the set; pass transport(x0)")
        y = self._at_corners(x1)
        return [
            ManifoldGroup(s.rows, s.tangent, self._lifted.hessians(y[s.rows], x0[s.rows], s.second))
            for s in self.closed_set.strata(y)
        ]

    def _at_corners(self, x: Points) -> Points:
        """Those that are off by more than their own rounding, at the end or atom that they may be, if any."""
        if not self._coarseness:
            return x
        net = self.closed_set.net
        corners = [net[s.rows] for s in self.closed_set.strata(net) if not s.dimension]
        if not corners:
            return x
        apart = norms(x[:, None] - corners[0])
        near = (apart.min(axis=1) <= 4 * self._rounding)[:, None]
        return np.where(near, corners[0][apart.argmin(axis=1)], x)

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """None: the envelope of a curved set is no disciplined convex program."""
        return None
