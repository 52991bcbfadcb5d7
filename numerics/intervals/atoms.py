r"""Finitely many atoms in exact arithmetic: φ\* = max ⟨x₀,y_i⟩ − g_i, φ the envelope of the heights."""

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat
from numpy.typing import ArrayLike

from numerics.checks import as_array
from numerics.intervals.balls import UndecidedError, Vector, columns, dot, doubles, exact, subtract, zeros
from numerics.intervals.exact_potential import ByConjugate, Candidate
from numerics.solvers import active_set


class ExactAtoms(ByConjugate):
    """Atoms and heights that are doubles, taken as exact.

    T is decided by strict comparison of scores. Off the support the face is proposed by the active-set method
    and its weights are solved in rationals: Σw_iy_i with w ≥ 0, Σw = 1 is a point where φ ≤ Σw_ig_i.

    Args:
        points: (N,d).
        heights: (N,).

    Raises:
        ValueError: If the shapes disagree or an entry is not finite.
    """

    def __init__(self, points: ArrayLike, heights: ArrayLike) -> None:
        self._points = as_array("points", points, ndim=2)
        self._heights = as_array("heights", heights, ndim=1)
        if len(self._points) != len(self._heights):
            raise ValueError(f"heights: got {len(self._heights)} for {len(self._points)} points")
        self.dim = self._points.shape[1]
        self._atoms, self._exact_heights = [exact(y) for y in self._points], exact(self._heights)

    def scores(self, y: Vector) -> Vector:
        """⟨y, y_i⟩ − g_i."""
        return [dot(y, atom) - height for atom, height in zip(self._atoms, self._exact_heights, strict=True)]

    def conjugate(self, y: Vector) -> arb:
        """The largest score."""
        top, *rest = self.scores(y)
        for score in rest:
            top = top.max(score)
        return top

    def transport(self, x0: Vector) -> Candidate:
        """The atom whose score is proved to exceed every other.

        Raises:
            UndecidedError: At a tie.
        """
        scores = self.scores(x0)
        best = max(range(len(scores)), key=lambda i: float(scores[i].mid()))
        if not all(scores[best] > score for i, score in enumerate(scores) if i != best):
            raise UndecidedError("two atoms tie")
        return Candidate(self._atoms[best], self._exact_heights[best])

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """0: T is constant on a cell, and x₀ is proved to be inside one."""
        self.transport(x0)
        return zeros(self.dim, self.dim)

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """The point of the proposed face, in rationals; weights below 0 are refused."""
        members, weights = self._face(z, step)
        point = [
            sum((w * self._atoms[i][k] for i, w in zip(members, weights, strict=True)), arb(0))
            for k in range(self.dim)
        ]
        return Candidate(
            point, sum((w * self._exact_heights[i] for i, w in zip(members, weights, strict=True)), arb(0))
        )

    def _face(self, z: Vector, step: arb) -> tuple[list[int], Vector]:
        """Gram matrix of the edges times the weights = edges·(z − y₀) − λ·rises."""
        (face,) = active_set.solve(
            self._points, self._heights, doubles(z)[None], np.array([float(step.mid())])
        )
        members = [int(i) for i in face.members[0]]
        first, rest = members[0], members[1:]
        if not rest:
            return members, [arb(1)]
        edges = [[_rational(a) - _rational(b) for a, b in self._pairs(i, first)] for i in rest]
        away = [a.mid().fmpq() - _rational(b) for a, b in zip(z, self._points[first], strict=True)]
        base, first_height = step.mid().fmpq(), _rational(self._heights[first])
        right = [
            _product(edge, away) - base * (_rational(self._heights[i]) - first_height)
            for edge, i in zip(edges, rest, strict=True)
        ]
        gram = fmpq_mat([[_product(a, b) for b in edges] for a in edges])
        tail = gram.solve(fmpq_mat(len(rest), 1, right)).entries()
        weights = [1 - sum(tail, fmpq(0)), *tail]
        if min(weights) < 0:
            raise UndecidedError(f"the proposed face has a negative weight, {float(min(weights)):.3g}")
        return members, [arb(w) for w in weights]

    def _pairs(self, i: int, j: int) -> list[tuple[float, float]]:
        return [(float(a), float(b)) for a, b in zip(self._points[i], self._points[j], strict=True)]

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """The projector on the span of the face, E(EᵀE)⁻¹Eᵀ."""
        members, weights = self._face(z, step)
        if not all(w > 0 for w in weights):
            raise UndecidedError("a weight is 0: the prox is on the border of its face")
        if len(members) == 1:
            return zeros(self.dim, self.dim)
        edges = columns([subtract(self._atoms[i], self._atoms[members[0]]) for i in members[1:]])
        return edges * (edges.transpose() * edges).solve(edges.transpose())


def _rational(value: float) -> fmpq:
    return fmpq(*float(value).as_integer_ratio())


def _product(x: list[fmpq], y: list[fmpq]) -> fmpq:
    return sum((a * b for a, b in zip(x, y, strict=True)), fmpq(0))
