r"""Finitely many atoms $y_i$ with heights $g_i$ (theory.md §4.2, family 1).

$φ^*(x_0) = \max_i ⟨x_0,y_i⟩ - g_i$; φ is the convex envelope of g on the atoms; the set of noise sent to
$y_i$ is its Laguerre cell. The prox identity is exact whatever the heights are: they only set the weights.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Inexact
from numpy.typing import ArrayLike
from scipy.special import ndtri

from numerics.accuracy import EPS
from numerics.checks import as_array, positive_integer
from numerics.geometry import norms
from numerics.potentials.base import ManifoldGroup, Potential
from numerics.potentials.by_condition import ByCondition
from numerics.potentials.hull import envelope_points, hull_distance
from numerics.potentials.laguerre import LaguerreCell
from numerics.potentials.traits import Traits
from numerics.proximal import active_set

MOST_CORNERS = 4096


class FiniteAtoms(ByCondition):
    r"""The law on the atoms $y_i$ whose weights are the noise masses of the Laguerre cells of the heights.

    Conditioning: T is constant on cells; within eps·|x₀|·max|y| of a cell's boundary the neighbour may be
    returned, and on a tie the atom of lowest index is. On its support prox returns an atom exactly; on a
    face with k atoms it errs by eps·cond(B)·|z − y₀|, B the face's edge matrix (`prox_condition`).

    Args:
        points: (N,d) the atoms, no two equal.
        heights: (N,) their heights g; adding a constant changes nothing but φ and φ* by it.

    Raises:
        ValueError: If shapes disagree, an entry isn't finite, or two atoms coincide.
    """

    _traits = Traits(analytic=True)

    def __init__(self, points: ArrayLike, heights: ArrayLike) -> None:
        self.points = as_array("points", points, ndim=2).real
        self.heights = as_array("heights", heights, ndim=1).real
        if len(self.heights) != len(self.points):
            raise ValueError(f"heights: got {len(self.heights)} for {len(self.points)} points; give one each")
        _refuse_duplicates(self.points)
        self.dim = self.points.shape[1]
        self.scale = float(norms(self.points).max()) or 1.0
        self._centre = self.points.mean(axis=0)
        self._centred = self.points - self._centre
        self._spread = float(norms(self._centred).max()) or 1.0
        self._call: str | None = None

    def __repr__(self) -> str:
        return self._call or f"FiniteAtoms({self.points.tolist()}, {self.heights.tolist()})"

    # --- constructors with closed-form weights --------------------------------------------------

    @classmethod
    def two(cls, y0: ArrayLike, y1: ArrayLike, weight: float) -> "FiniteAtoms":
        """Two atoms, ``weight`` in (0, 1) on y0: g₁ − g₀ = Φ⁻¹(weight)·|y₁ − y₀|.

        Raises:
            ValueError: If the atoms coincide or differ in length, or weight is not in (0, 1).
        """
        first, second = as_array("y0", y0, ndim=1).real, as_array("y1", y1, ndim=1).real
        if len(second) != len(first):
            raise ValueError(f"y1: got length {len(second)}, y0 has {len(first)}; they must agree")
        points = np.stack([first, second])
        _check_weights("weight", np.array([weight, 1 - weight]))
        rise = ndtri(weight) * norms(points[1] - points[0])
        return cls(points, np.array([0.0, rise]))._named(
            f"two({points[0].tolist()}, {points[1].tolist()}, {weight!r})"
        )

    @classmethod
    def on_line(cls, positions: ArrayLike, weights: ArrayLike) -> "FiniteAtoms":
        """Atoms on the real line (d = 1): g_{i+1} − g_i = Φ⁻¹(W_i)(y_{i+1} − y_i), W cumulative weights.

        Args:
            positions: (N,) increasing.
            weights: (N,) positive, summing to 1.

        Raises:
            ValueError: If positions don't increase, or weights aren't positive or don't sum to 1.
        """
        y = as_array("positions", positions, ndim=1).real
        w = as_array("weights", weights, ndim=1).real
        if len(w) != len(y):
            raise ValueError(f"weights: got {len(w)} for {len(y)} positions; give one each")
        if not (np.diff(y) > 0).all():
            raise ValueError(f"positions: must increase; entry {int(np.argmin(np.diff(y))) + 1} does not")
        _check_weights("weights", w)
        below, above = np.cumsum(w)[:-1], np.cumsum(w[::-1])[-2::-1]
        slopes = np.where(below < 0.5, ndtri(below), -ndtri(above))
        heights = np.concatenate([[0.0], np.cumsum(slopes * np.diff(y))])
        return cls(y[:, None], heights)._named(f"on_line({y.tolist()}, {w.tolist()})")

    @classmethod
    def hypercube(cls, d: int) -> "FiniteAtoms":
        """The uniform law on {±1}^d: φ* = |·|₁. At most 4096 corners: beyond, use `product` of `two`."""
        positive_integer("d", d)
        if 2**d > MOST_CORNERS:
            raise ValueError(f"d: 2**{d} corners exceed {MOST_CORNERS}; use a product of FiniteAtoms.two")
        corners = np.array(list(itertools.product([-1.0, 1.0], repeat=d)))
        return cls(corners, np.zeros(2**d))._named(f"hypercube({d})")

    @classmethod
    def cross_polytope(cls, d: int) -> "FiniteAtoms":
        """The uniform law on {±e_i} in R^d: φ* = |·|_∞."""
        eye = np.eye(positive_integer("d", d))
        return cls(np.concatenate([eye, -eye]), np.zeros(2 * d))._named(f"cross_polytope({d})")

    @classmethod
    def regular_polygon(cls, n: int) -> "FiniteAtoms":
        """The uniform law on the n ≥ 2 corners of a regular polygon in the unit circle."""
        angles = 2 * np.pi * np.arange(positive_integer("n", n, least=2)) / n
        corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return cls(corners, np.zeros(n))._named(f"regular_polygon({n})")

    @classmethod
    def permutations(cls, n: int) -> "FiniteAtoms":
        """The uniform law on the n×n permutation matrices, flattened: φ is 0 on the Birkhoff polytope.

        φ* is the value of the optimal assignment. At most n = 6, with 720 atoms in R^36.
        """
        if math.factorial(positive_integer("n", n)) > MOST_CORNERS:
            raise ValueError(f"n: {n}! permutations exceed {MOST_CORNERS}; give n <= 6")
        return _Permutations(n)

    def _named(self, call: str) -> "FiniteAtoms":
        self._call = f"FiniteAtoms.{call}"
        return self

    # --- values and transport -------------------------------------------------------------------

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        value = np.full(len(x), np.inf)
        centred = x - self._centre
        inside = hull_distance(self._centred, centred) <= 4 * self._rounding  # the solver's own rounding
        if inside.any():
            found = envelope_points(self._centred, self.heights, centred[inside], self._rounding)
            value[inside] = [point.value for point in found]
        return value

    def _best(self, x0: Inexact[np.ndarray, "n d"]) -> np.ndarray:
        return np.asarray((x0.real @ self.points.T - self.heights).argmax(axis=1))

    def _conjugate(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, " n"]:
        best = self._best(x0)
        return (x0 * self.points[best]).sum(axis=1) - self.heights[best]

    def _conjugate_slope(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        return np.full(len(x0), self.scale)

    def _transport(self, x0: Inexact[np.ndarray, "n d"]) -> Inexact[np.ndarray, "n d"]:
        return self.points[self._best(x0)] + 0 * x0.imag

    def _transport_jacobian(self, x0: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d d"]:
        return np.zeros((len(x0), self.dim, self.dim))

    # --- proximal maps ----------------------------------------------------------------------------

    def _on_faces(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> list[tuple[active_set.Face, active_set.FaceSolution]]:
        centred = z - self._centre
        faces = active_set.solve(self._centred, self.heights, centred.real, step)
        return [
            (f, active_set.on_face(self._centred, self.heights, f.members, centred[f.rows], step[f.rows]))
            for f in faces
        ]

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        u = np.empty_like(z)
        for face, solution in self._on_faces(z, step):
            single = face.members.shape[1] == 1
            u[face.rows] = self.points[face.members[:, 0]] if single else self._centre + solution.point
        return u

    def _prox_jacobian(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, "n d d"]:
        """The projector on the span of the face: φ is affine there."""
        jacobian = np.empty((len(z), self.dim, self.dim))
        for face, solution in self._on_faces(z, step):
            jacobian[face.rows] = solution.basis @ solution.basis.transpose(0, 2, 1)
            scores = solution.dual @ self._centred.T - self.heights
            tied = scores.max(axis=1, keepdims=True) - scores <= self._tie(solution.dual)[:, None]
            for i in np.flatnonzero(tied.sum(axis=1) > face.members.shape[1]):
                jacobian[face.rows[i]] = self._span_projector(tied[i])
        return jacobian

    def _tie(self, dual: Float[np.ndarray, "m d"]) -> Float[np.ndarray, " m"]:
        """By how much the scores of atoms that tie may differ by rounding."""
        return 1e4 * EPS * (self._spread * (1 + norms(dual)) + np.abs(self.heights).max())

    def _span_projector(self, tied: np.ndarray) -> Float[np.ndarray, "d d"]:
        corners = self._centred[tied]
        left, sizes, _ = np.linalg.svd((corners - corners[0]).T, full_matrices=False)
        span = left[:, sizes > 1e-10 * self._spread]
        return span @ span.T

    def _envelope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        value = np.empty(len(z))
        for face, solution in self._on_faces(z, step):
            on = (solution.weights * self.heights[face.members]).sum(axis=1)
            moved = ((solution.point + self._centre - z[face.rows]) ** 2).sum(axis=1)
            value[face.rows] = on + moved / (2 * step[face.rows])
        return value

    def _prox_condition(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        condition = Potential._prox_condition(self, z, step)
        for face, solution in self._on_faces(z, step):
            if face.members.shape[1] > 1:
                reach = norms(z[face.rows] - self.points[face.members[:, 0]])
                slope = step[face.rows] * norms(solution.dual)
                condition[face.rows] += solution.condition * (reach + slope)
        return condition

    def _kink(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """A lower bound: before that no weight of the face falls to 0, and no other score rises to its.

        u moves by at most |Δz|, so a weight by |∇α_i||Δz|; the dual by |Δz|/λ, so a slack by
        |y_j − y_i||Δz|/λ.
        """
        kink = np.empty(len(z))
        diameter = 2 * norms(self._centred).max()
        for face, solution in self._on_faces(z, step):
            scores = solution.dual @ self._centred.T - self.heights
            level = np.take_along_axis(scores, face.members, axis=1).min(axis=1)
            np.put_along_axis(scores, face.members, -np.inf, axis=1)
            slack = np.maximum(level - scores.max(axis=1) - self._tie(solution.dual), 0.0)
            room = step[face.rows] * slack / (diameter or 1.0)
            corners = self._centred[face.members]
            rises = np.linalg.pinv((corners[:, 1:] - corners[:, :1]).transpose(0, 2, 1))
            rises = np.concatenate([-rises.sum(axis=1, keepdims=True), rises], axis=1)
            steepness = np.linalg.norm(rises, axis=2)
            known = np.maximum(solution.weights - EPS * solution.condition[:, None], 0.0)
            falls = np.divide(known, steepness, out=np.full_like(known, np.inf), where=steepness > 0)
            kink[face.rows] = np.minimum(room, falls.min(axis=1))
        return kink

    # --- geometry -----------------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> LaguerreCell:
        centred = (x1 - self._centre)[None]
        if hull_distance(self._centred, centred)[0] > 4 * self._rounding:
            raise ValueError(f"x1: {x1.tolist()} lies outside the hull of the atoms; φ is +inf there")
        (found,) = envelope_points(self._centred, self.heights, centred, self._rounding)
        scores = self._centred @ found.dual - self.heights
        tied = np.flatnonzero(scores.max() - scores <= self._tie(found.dual[None])[0])
        return LaguerreCell(self.points, self.heights, found.members, tied, found.blur)

    def _manifolds(
        self, x1: Float[np.ndarray, "n d"], x0: Float[np.ndarray, "n d"]
    ) -> Sequence[ManifoldGroup]:
        """Every atom is a manifold of dimension 0."""
        away = norms(x1 - self._transport(x0))
        if (away > self._rounding).any():
            row = int(np.argmax(away))
            raise ValueError(f"x1: row {row} is not the atom T(x0), which is {self._transport(x0)[row]}")
        n = len(x1)
        return [ManifoldGroup(np.arange(n), np.zeros((n, self.dim, 0)), np.zeros((n, 0, 0)))]

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """φ(u) = min Σ w_i g_i over weights w in the simplex with Σ w_i y_i = u."""
        import cvxpy as cp

        weights = cp.Variable((u.shape[0], len(self.points)), nonneg=True)
        return weights @ self.heights, [weights @ self.points == u, cp.sum(weights, axis=1) == 1]

    def conic_conjugate(self, y: Any) -> tuple[Any, list[Any]]:
        """φ*(y) as a maximum of affine functions, for prox through Moreau's identity."""
        import cvxpy as cp

        top = cp.Variable(y.shape[0])
        scores = y @ self.points.T - np.tile(self.heights, (y.shape[0], 1))
        return top, [scores <= cp.reshape(top, (y.shape[0], 1), order="C")]


class _Permutations(FiniteAtoms):
    """The vertices of the Birkhoff polytope, which has n! atoms but only n² + 2n constraints."""

    def __init__(self, n: int) -> None:
        self._n = n
        matrices = np.eye(n)[np.array(list(itertools.permutations(range(n))))]
        super().__init__(matrices.reshape(-1, n * n), np.zeros(len(matrices)))
        self._named(f"permutations({n})")

    def conic(self, u: Any) -> tuple[Any, list[Any]]:
        """0 on the doubly stochastic matrices (Birkhoff and von Neumann)."""
        import cvxpy as cp

        eye, ones = np.eye(self._n), np.ones((self._n, 1))
        sums = np.hstack([np.kron(eye, ones), np.kron(ones, eye)])
        return cp.Constant(np.zeros(u.shape[0])), [u >= 0, u @ sums == 1]


def _refuse_duplicates(points: Float[np.ndarray, "N d"]) -> None:
    order = np.lexsort(points.T)
    same = (np.diff(points[order], axis=0) == 0).all(axis=1)
    if same.any():
        first = int(np.argmax(same))
        i, j = sorted((int(order[first]), int(order[first + 1])))
        raise ValueError(f"points: rows {i} and {j} are the same atom; merge them and add their weights")


def _check_weights(name: str, weights: Float[np.ndarray, " N"]) -> None:
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise ValueError(f"{name}: got {weights.min()}; every weight must be greater than 0 and less than 1")
    total = float(weights.sum())
    if abs(total - 1) > 1e-12 * len(weights):
        raise ValueError(f"{name}: sum to {total!r}, not 1; divide by the sum if that is meant")
