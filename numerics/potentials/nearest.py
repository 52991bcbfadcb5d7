r"""Nearest points of a closed set M: every projection is an optimal transport (theory.md §4.2, family 6).

$φ^*(x_0) = \max_{y∈M} ⟨x_0,y⟩ - (a/2)|y|^2$ (Asplund's function [@asplund1969cebysev]),
$T(x_0) = \mathrm{proj}_M(x_0/a)$, and φ is the convex envelope of $(a/2)|·|^2 + δ_M$.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact

from numerics.accuracy import EPS
from numerics.checks import positive_number
from numerics.geometry import norms
from numerics.potentials.atoms import FiniteAtoms
from numerics.potentials.base import ManifoldGroup, Potential, Subdifferential
from numerics.potentials.chords import Chord, Envelope
from numerics.potentials.closed_sets import ClosedSet, PointCloud
from numerics.potentials.spectral import real, refuse_where
from numerics.potentials.support_cell import SupportCell

__all__ = ["NearestPoint", "PointCloud"]


class NearestPoint(Potential):
    r"""The law of the point of a closed set that is nearest to x₀/a, x₀ ~ N(0, I).

    For a point cloud these are `FiniteAtoms` with heights (a/2)|y|²: their cells are Voronoi cells, scaled.
    For a curved set K = H⁻¹ on the tangent space, H = aI − ⟨ν, II⟩ with x₀ = a x₁ + ν, and prox is

    - y = proj_M(z/(1+aλ)), where y is nearest to x₀/a for x₀ = (z−y)/λ: on every x₁ + λx₀, and around;
    - a point of a chord, triangle, … of the envelope elsewhere, found for one point at a time (`chords`).

    Conditioning: T has ‖K‖ = 1/λ_min(H), infinite at focal points; it jumps on the medial axis, where the
    sets' own docstrings say which point is taken. prox on a chord errs by eps·|z| times the ratio of the
    face's extents. φ is returned as +inf on boundary chords of the hull that touch M at both ends,
    where ∂φ is empty, and may be where its slope is above some 10³·a·radius: so close to such a chord its
    face is lost to rounding. The envelope does not suffer from this.

    Args:
        closed_set: `PointCloud`, `Curve`, `Arc`, `Torus`, a `Union`, or any `ClosedSet`.
        scale: a > 0, the curvature of (a/2)|·|².

    Raises:
        ValueError: If two points coincide, the scale is not positive, and, for a curved set, at complex
            input; `transport_jacobian` raises at focal points.
    """

    def __new__(cls, closed_set: ClosedSet, scale: float = 1.0) -> "NearestPoint":  # noqa: ARG004
        """A point cloud makes `FiniteAtoms`."""
        return super().__new__(NearestCloudPoint if isinstance(closed_set, PointCloud) else cls)

    def __init__(self, closed_set: ClosedSet, scale: float = 1.0) -> None:
        self.closed_set = closed_set
        self.curvature = positive_number("scale", scale)
        self._call: str | None = f"NearestPoint({closed_set!r}, {self.curvature!r})"
        self._shape(closed_set)

    def _shape(self, closed_set: ClosedSet) -> None:
        self.dim = closed_set.dim
        self.scale = closed_set.radius or 1.0
        self._lifted = Envelope(closed_set, self.curvature)

    def __repr__(self) -> str:
        return self._call or super().__repr__()

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        value = self._lifted.lift(x)
        for i in np.flatnonzero(norms(x - self.closed_set.nearest(x)) > self._rounding):
            chord = self._lifted.at(x[i], self._rounding)
            value[i] = np.inf if chord is None else chord.weights @ self._lifted.lift(chord.atoms)
        return value

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        y = self._transport(x0)
        return np.asarray((x0 * y).sum(axis=1) - self._lifted.lift(y))

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
        return self._lifted.transport(real("x0", x0))

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        jacobian = np.zeros((len(x0), self.dim, self.dim))
        for group in self._manifolds(self._transport(x0), x0):
            smallest = np.linalg.eigvalsh(group.hessian).min(axis=1, initial=np.inf)
            focal = np.zeros(len(x0), dtype=bool)
            focal[group.rows] = smallest <= EPS * (self.curvature + norms(x0[group.rows]) / self.scale)
            refuse_where(focal, "x0", "is a focal point of the set, where K is infinite; perturb it")
            inverse = np.linalg.inv(group.hessian)
            jacobian[group.rows] = group.tangent @ inverse @ group.tangent.transpose(0, 2, 1)
        return jacobian

    # --- proximal maps ------------------------------------------------------------------------

    def _on_set(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> tuple[Float[np.ndarray, "n d"], np.ndarray]:
        """The candidates proj_M(z/(1+aλ)), and which of them are the prox."""
        y = self.closed_set.nearest(z / (1 + self.curvature * step)[:, None])
        x0 = (z - y) / step[:, None]
        return y, self._lifted.slack(x0, y) <= self._lifted.blur(z, step, x0)

    def _chords(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"], on_set: np.ndarray
    ) -> list[tuple[int, Chord]]:
        return [(int(i), self._lifted.prox(z[i], float(step[i]))) for i in np.flatnonzero(~on_set)]

    def _prox(self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n d"]:
        u, on_set = self._on_set(real("z", z), step)
        u = u.copy()
        for i, chord in self._chords(z, step, on_set):
            u[i] = chord.point
        return u

    def _envelope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """φ at the prox is read off the face that holds it: no search for the face of a given point."""
        u, on_set = self._on_set(z, step)
        u, value = u.copy(), self._lifted.lift(u)
        for i, chord in self._chords(z, step, on_set):
            u[i], value[i] = chord.point, chord.weights @ self._lifted.lift(chord.atoms)
        return np.asarray(value + ((u - z) ** 2).sum(axis=1) / (2 * step))

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        """On M: P_T(I+λH)⁻¹P_T at x₀ = (z−u)/λ. On a face: from the linearised optimality conditions."""
        y, on_set = self._on_set(z, step)
        jacobian = np.zeros((len(z), self.dim, self.dim))
        x0 = (z - y) / step[:, None]
        rows = np.flatnonzero(on_set)
        for stratum in self.closed_set.strata(y[rows]) if rows.size else ():
            at = rows[stratum.rows]
            hessian = self._lifted.hessians(y[at], x0[at], stratum.second)
            resolvent = np.linalg.inv(np.eye(stratum.dimension) + step[at, None, None] * hessian)
            jacobian[at] = stratum.tangent @ resolvent @ stratum.tangent.transpose(0, 2, 1)
        for i, chord in self._chords(z, step, on_set):
            jacobian[i] = self._lifted.face_jacobian(chord, float(step[i]))
        return jacobian

    def _prox_condition(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        u, on_set = self._on_set(z, step)
        factor = np.ones(len(z))
        u = u.copy()
        for i, chord in self._chords(z, step, on_set):
            u[i], factor[i] = chord.point, chord.condition
        return factor * (norms(z) + norms(z - u) + self.scale * (1 + self.curvature * step))

    # --- geometry -----------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> Subdifferential:
        chord = self._lifted.at(x1, 64 * self._rounding)
        if chord is None:
            raise ValueError(f"x1: {x1.tolist()} is not in the hull of {self.closed_set!r}; φ is +inf there")
        return SupportCell(self._lifted, chord.atoms)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        """The strata of the set, with H = aI − ⟨x₀ − a x₁, II⟩."""
        away = norms(x1 - self.closed_set.nearest(x1))
        refuse_where(away > 1e3 * self._rounding, "x1", "is not on the set; pass transport(x0)")
        return [
            ManifoldGroup(s.rows, s.tangent, self._lifted.hessians(x1[s.rows], x0[s.rows], s.second))
            for s in self.closed_set.strata(x1)
        ]

    def conic(self, u: Any) -> tuple[Any, list[Any]] | None:
        """None: the envelope of a curved set is no disciplined convex program."""
        return None


class NearestCloudPoint(FiniteAtoms, NearestPoint):
    """The nearest point of a cloud: `FiniteAtoms` with heights (a/2)|y|²."""

    def _shape(self, closed_set: ClosedSet) -> None:
        call = self._call
        FiniteAtoms.__init__(self, closed_set.net, self.curvature / 2 * (closed_set.net**2).sum(axis=1))
        self._call = call

    __init__ = NearestPoint.__init__
    __repr__ = FiniteAtoms.__repr__
