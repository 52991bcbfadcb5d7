r"""Finitely many atoms $y_i$ with heights $g_i$ (docs/theory.md §4.2, family 1).

$φ^*(x_0) = \max_i ⟨x_0,y_i⟩ - g_i$; φ is the convex envelope of g on the atoms; the set of noise sent to
$y_i$ is its Laguerre cell. The prox identity is exact whatever the heights are: they only set the weights.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Inexact
from numpy.typing import ArrayLike
from scipy.special import ndtri

from numerics.accuracy import EPS, Rounding
from numerics.checks import as_array, positive_integer, positive_number
from numerics.geometry import norms
from numerics.potentials.atom_envelope import EnvelopePoint, envelope_points, in_hull, value_error
from numerics.potentials.atom_set import AtomSet, check_weights, line_heights, parabola, refuse_duplicates
from numerics.potentials.atom_solve import AtomSolve
from numerics.potentials.laguerre import LaguerreCell
from numerics.potentials.proximal_point import ProximalPoint
from numerics.potentials.solved_once import LastSolve, SolvedOnce
from numerics.potentials.support_geometry import ManifoldGroup
from numerics.potentials.traits import Traits
from numerics.solvers.best_atoms import row_blocks

_Faces: TypeAlias = tuple[Bool[np.ndarray, " n"], list[EnvelopePoint]]
MOST_CORNERS = 4096
_MOST_CELLS, _MOST_NUMBERS = 256, 2**22  # that are kept; each holds as many numbers as the atoms


class FiniteAtoms(SolvedOnce):
    r"""The law on the atoms $y_i$ whose weights are the noise masses of the Laguerre cells of the heights.

    Accuracy (`roundings`): T takes atoms, exactly, unless another score is within rounding of the best, which
    is (d+3)u of its terms, or (d+8)u of those about the centre where that is far from 0
    (`numerics.potentials.atom_scores`); then by that atom's distance. On a tie that the scores as computed
    show T is the atom of lowest index.
    φ* lies between the best score less its rounding and the largest score with its. prox, the envelope, D
    prox and φ state what a certificate of the very answer proves (`AtomSolve`, `atom_envelope`): subgradients
    of the face found, its residual in wide arithmetic, and rationals where no face can be proved in floating
    point. On its support prox is an atom exactly. Nearer to a kink than z can be told from it D prox is known
    to √d only.

    Args:
        points: (N,d) the atoms, no two equal.
        heights: (N,) their heights g; adding a constant changes nothing but φ and φ* by it.

    Raises:
        ValueError: If shapes disagree, an entry isn't finite, or two atoms coincide.

    Example:
        >>> signs = FiniteAtoms.hypercube(1)  # ±1 with weight ½ each, cut at 0; φ = 0 between them
        >>> signs.transport([[-0.1], [2.0]]).tolist()
        [[-1.0], [1.0]]
        >>> signs.prox([[0.25], [3.0]], step=1.0).tolist()
        [[0.25], [1.0]]
    """

    _traits = Traits(analytic=True)

    def __init__(self, points: ArrayLike, heights: ArrayLike) -> None:
        self.points = as_array("points", points, ndim=2)
        self.heights = as_array("heights", heights, ndim=1)
        if len(self.heights) != len(self.points):
            raise ValueError(f"heights: got {len(self.heights)} for {len(self.points)} points; give one each")
        refuse_duplicates(self.points)
        self.dim = self.points.shape[1]
        self.scale = float(norms(self.points).max()) or 1.0
        self._set = AtomSet(self.points, self.heights)
        self._last_faces = LastSolve[_Faces]()
        self._last_solve = LastSolve[AtomSolve]()
        self._cells: dict[tuple[float, bytes], LaguerreCell] = {}
        self._of_faces: dict[tuple[bytes, bytes], LaguerreCell] = {}
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
        first, second = as_array("y0", y0, ndim=1), as_array("y1", y1, ndim=1)
        if len(second) != len(first):
            raise ValueError(f"y1: got length {len(second)}, y0 has {len(first)}; they must agree")
        points = np.stack([first, second])
        check_weights("weight", np.array([weight, 1 - weight]))
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
        y = as_array("positions", positions, ndim=1)
        w = as_array("weights", weights, ndim=1)
        if len(w) != len(y):
            raise ValueError(f"weights: got {len(w)} for {len(y)} positions; give one each")
        if not (np.diff(y) > 0).all():
            raise ValueError(f"positions: must increase; entry {int(np.argmin(np.diff(y))) + 1} does not")
        check_weights("weights", w)
        return cls(y[:, None], line_heights(y, w))._named(f"on_line({y.tolist()}, {w.tolist()})")

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
    def nearest(cls, points: ArrayLike, curvature: float = 1.0) -> "FiniteAtoms":
        """The law of the point of a cloud nearest to x₀/a: heights (a/2)|y|², cells of Voronoi, scaled.

        ``heights`` are rounded once, and far from 0 that is much of their differences: the law is that of the
        squares themselves. Far from 0 T compares about the cloud's centre; prox is solved about it and proved
        with exact rises; what φ and φ* state, and T near 0, counts what the heights miss.

        Args:
            points: (N,d), no two equal.
            curvature: a > 0.

        Raises:
            ValueError: If two points coincide, or the curvature is not positive.

        Example:
            >>> FiniteAtoms.nearest([[0.0], [2.0]]).transport([[0.9], [1.1]]).ravel().tolist()
            [0.0, 2.0]
        """
        cloud, a = as_array("points", points, ndim=2), positive_number("curvature", curvature)
        law = cls(cloud, parabola(cloud, a))
        law._set = AtomSet(cloud, law.heights, a)
        return law._named(f"nearest({cloud.tolist()}, {a!r})")

    @classmethod
    def permutations(cls, n: int) -> "FiniteAtoms":
        """The uniform law on the n×n permutation matrices, flattened: φ is 0 on the Birkhoff polytope.

        φ* is the value of the optimal assignment. At most n = 6, with 720 atoms in R^36.
        """
        if math.factorial(positive_integer("n", n)) > MOST_CORNERS:
            raise ValueError(f"n: {n}! permutations exceed {MOST_CORNERS}; give n <= 6")
        from numerics.potentials.permutations import Permutations

        return Permutations(n)

    def _named(self, call: str) -> "FiniteAtoms":
        self._call = f"FiniteAtoms.{call}"
        return self

    # --- values and transport -------------------------------------------------------------------

    def _value(self, x: Float[np.ndarray, "n d"]) -> Float[np.ndarray, " n"]:
        value = np.full(len(x), np.inf)
        inside, found = self._enveloped(x)
        value[inside] = [point.value for point in found]
        return value

    def _enveloped(self, x: Float[np.ndarray, "n d"]) -> _Faces:
        """Which points count as inside the hull, and the faces that hold these."""
        return self._last_faces(self._faces_within, x, np.array(self._rounding))

    def _faces_within(self, x: Float[np.ndarray, "n d"], blur: Float[np.ndarray, ""]) -> _Faces:
        different, back = np.unique(x, axis=0, return_inverse=True)
        back = back.ravel()  # NumPy 2.0 gives it a second axis
        centred = different - self._set.centre
        inside = in_hull(self._set, centred, float(4 * blur))  # the solver's own rounding
        points = envelope_points(self._set, centred[inside], float(blur)) if inside.any() else []
        place = np.cumsum(inside) - 1  # of each point that is inside, among those
        return inside[back], [points[place[k]] for k in back if inside[k]]

    def _best(self, x0: Inexact[np.ndarray, "n d"]) -> np.ndarray:
        return self._set.best(x0)

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

    def _prox(
        self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Inexact[np.ndarray, "n d"]:
        return self._solve(z, step).point.copy()

    def _solve(self, z: Inexact[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> AtomSolve:
        return self._last_solve(lambda at, each: AtomSolve(self._set, at, each), z, step)

    def _proximal_point(self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]) -> ProximalPoint:
        solve = self._solve(z, step)
        return ProximalPoint(
            z,
            step,
            solve.point.copy(),
            envelope=lambda: solve.envelope.copy(),
            jacobian=lambda: solve.jacobian[0].copy(),
            kink=lambda: solve.certified.kink.copy(),
            errors=(
                lambda: Rounding.measured(solve.certified.point, "a subgradient's distance, of this answer"),
                lambda: Rounding.measured(solve.certified.envelope, "a subgradient's distance, squared"),
                lambda: Rounding.measured(solve.jacobian[1], "the face's span, √d on a kink"),
            ),
        )

    # --- accuracy -----------------------------------------------------------------------------------

    def _conjugate_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        rows, _, scores, error = self._set.scores.near(x0, np.zeros(len(x0)))
        found, highest = self._conjugate(x0), np.full(len(x0), -np.inf)
        np.maximum.at(highest, rows, scores + error)
        own = self._set.scores.error(x0, self._best(x0))
        return Rounding.measured(np.maximum(highest - found, own), "d products and sums")

    def _transport_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding.measured(self._rivals(x0, np.zeros(len(x0))), "atoms whose scores tie to rounding")

    def _transport_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return self._rivals(x0, radius)

    def _rivals(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """The farthest atom that may be best within ``radius`` of x₀: scores rise by |y_j − y|·radius."""
        best, apart = self._best(x0), np.zeros(len(x0))
        compared = self._set.compared
        own = compared.of(x0, best) - compared.error(x0, best)
        within = 2 * self._set.spread * (1 + 8 * EPS) * radius
        for part in row_blocks(len(x0), self.points.size):  # all atoms may be rivals
            rows, atoms, scores, error = compared.near(x0[part], within[part])
            rows = rows + part.start
            far = norms(self.points[atoms] - self.points[best[rows]])
            rival = scores + error + (1 + 8 * EPS) * radius[rows] * far >= own[rows]
            np.maximum.at(apart, rows[rival], far[rival] * (1 + (self.dim + 4) * EPS))
        return apart

    def _transport_jacobian_rounding(self, x0: Float[np.ndarray, "n d"]) -> Rounding:
        return Rounding(np.zeros(len(x0)), 0.0, "T is constant on cells")

    def _transport_jacobian_change(
        self, x0: Float[np.ndarray, "n d"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        return np.zeros(len(x0))

    def _prox_jacobian_change(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"], radius: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """0: on this side of a kink D prox is one projector, on the span of a face."""
        return np.zeros(len(z))

    def _prox_jacobian_slope(
        self, z: Float[np.ndarray, "n d"], step: Float[np.ndarray, " n"]
    ) -> Float[np.ndarray, " n"]:
        """0, as for z."""
        return np.zeros(len(z))

    def _value_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        bound = np.zeros(len(x))
        inside, found = self._enveloped(x)
        errors = {id(point): value_error(self._set, point) for point in {id(p): p for p in found}.values()}
        bound[inside] = [errors[id(point)] for point in found]
        return Rounding.measured(bound, "a convex combination from above, a subgradient from below")

    def _domain_rounding(self, x: Float[np.ndarray, "n d"]) -> Rounding:
        """Points within 5 of `_rounding` of the hull count as inside, and of a face as lying on it."""
        return Rounding(self.scale + norms(x), 5 * 32.0 * self.dim, "so near the hull counts as inside")

    # --- geometry -----------------------------------------------------------------------------------

    def _subdifferential(self, x1: Float[np.ndarray, " d"]) -> LaguerreCell:
        kept = self._cells.get(self._key(x1))
        return next(self._subdifferentials(x1[None])) if kept is None else kept

    def _subdifferentials(self, x1: Float[np.ndarray, "n d"]) -> Iterator[LaguerreCell]:
        inside, found = self._enveloped(x1)
        if not inside.all():
            point = x1[int(np.argmin(inside))]
            raise ValueError(f"x1: {point.tolist()} lies outside the hull of the atoms; φ is +inf there")
        return map(self._kept_cell, x1, found)

    def _key(self, x1: Float[np.ndarray, " d"]) -> tuple[float, bytes]:
        return self._rounding, x1.tobytes()

    def _kept_cell(self, x1: Float[np.ndarray, " d"], face: EnvelopePoint) -> LaguerreCell:
        """The cell of x₁, kept: what is drawn from the law is one of few points."""
        key = self._key(x1)
        cell = self._cells[key] if key in self._cells else self._cell(face)
        self._clear_if_many(self._cells)
        self._cells[key] = cell
        return cell

    def _clear_if_many(self, kept: dict[Any, LaguerreCell]) -> None:
        if len(kept) >= min(_MOST_CELLS, _MOST_NUMBERS // self.points.size):
            kept.clear()

    def _cell(self, face: EnvelopePoint) -> LaguerreCell:
        """The cell of a face, formed once for all points within it."""
        scores = self._set.centred @ face.dual - self.heights
        tie = 1e4 * EPS * (self._set.spread * (1 + float(norms(face.dual))) + np.abs(self.heights).max())
        tie += 2 * float(self._set.off.max())
        tied = np.flatnonzero(scores.max() - scores <= tie)
        key = face.held.tobytes(), tied.tobytes()
        if key not in self._of_faces:
            self._clear_if_many(self._of_faces)
            off = 2 * self._set.off.max()
            self._of_faces[key] = LaguerreCell(self.points, self.heights, face.held, tied, off=off)
        return self._of_faces[key].blurred(face.blur)

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
