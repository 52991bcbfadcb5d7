r"""Finite atoms in rational arithmetic: prox, φ and φ* without rounding and without tolerance.

A prox is known by its Karush–Kuhn–Tucker conditions: u = Σ w_i y_i with w in the simplex, and y = (z − u)/λ
makes every atom with w_i > 0 maximal. Wherever the weights come from, they are judged by that.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from numerics.solvers import active_set

Vector = tuple[Fraction, ...]
ZERO, ONE = Fraction(0), Fraction(1)


def dot(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    """⟨x, y⟩."""
    return sum((a * b for a, b in zip(x, y, strict=True)), ZERO)


def combine(*terms: tuple[Fraction, Sequence[Fraction]]) -> Vector:
    """Σ c·x over pairs (c, x)."""
    columns = zip(*(vector for _, vector in terms), strict=True)
    return tuple(dot([factor for factor, _ in terms], column) for column in columns)


@dataclass(frozen=True)
class RationalAtoms:
    """Atoms y_i and heights g_i as fractions.

    Attributes:
        points: N atoms of length d, distinct.
        heights: N heights.
    """

    points: tuple[Vector, ...]
    heights: tuple[Fraction, ...]

    def scores(self, y: Sequence[Fraction]) -> list[Fraction]:
        """⟨y, y_i⟩ − g_i."""
        return [dot(y, point) - height for point, height in zip(self.points, self.heights, strict=True)]

    def conjugate(self, y: Sequence[Fraction]) -> Fraction:
        """φ*(y)."""
        return max(self.scores(y))

    def point(self, weights: Sequence[Fraction]) -> Vector:
        """Σ w_i y_i."""
        return combine(*zip(weights, self.points, strict=True))

    def height(self, weights: Sequence[Fraction]) -> Fraction:
        """Σ w_i g_i: φ(Σ w_i y_i) where the weights are those of a prox."""
        return dot(weights, self.heights)

    def solves(self, weights: Sequence[Fraction], z: Sequence[Fraction], step: Fraction) -> bool:
        """Whether the weights satisfy every condition of prox_{step·φ}(z)."""
        away = combine((ONE, z), (-ONE, self.point(weights)))
        scores = self.scores([a / step for a in away])
        best = max(scores)
        in_simplex = sum(weights) == 1 and min(weights) >= 0
        return in_simplex and all(s == best for s, w in zip(scores, weights, strict=True) if w > 0)

    def prox_weights(self, z: Sequence[Fraction], step: Fraction) -> list[Fraction]:
        """Weights of prox_{step·φ}(z): a face proposed in floating point, else any face, solved exactly.

        Raises:
            RuntimeError: If no face solves it, which convexity excludes.
        """
        for members in itertools.chain([self._proposed(z, step)], self._faces()):
            weights = self._on_face(members, z, step)
            if weights is not None and self.solves(weights, z, step):
                return weights
        raise RuntimeError(f"no face of {self} holds the prox of {z} with step {step}")

    def value(self, u: Sequence[Fraction]) -> Fraction | None:
        """φ(u) by Carathéodory: the least Σ w_i g_i over faces of at most d + 1 atoms; None for +∞."""
        found = [self.height(w) for members in self._faces() if (w := self._barycentric(members, u))]
        return min(found, default=None)

    def without(self, left_out: set[int]) -> "RationalAtoms":
        """The same without some atoms."""
        kept = [i for i in range(len(self.points)) if i not in left_out]
        return RationalAtoms(tuple(self.points[i] for i in kept), tuple(self.heights[i] for i in kept))

    def _faces(self) -> Iterator[tuple[int, ...]]:
        sizes = range(1, min(len(self.points), len(self.points[0]) + 1) + 1)
        return itertools.chain.from_iterable(
            itertools.combinations(range(len(self.points)), k) for k in sizes
        )

    def _proposed(self, z: Sequence[Fraction], step: Fraction) -> tuple[int, ...]:
        points, heights = np.array(self.points, dtype=float), np.array(self.heights, dtype=float)
        at = np.array([[float(x) for x in z]])
        (face,) = active_set.solve(points, heights, at, np.array([float(step)]))
        return tuple(int(i) for i in face.members[0])

    def _edges(self, members: Sequence[int]) -> list[Vector]:
        first = self.points[members[0]]
        return [combine((ONE, self.points[i]), (-ONE, first)) for i in members[1:]]

    def _on_face(
        self, members: Sequence[int], z: Sequence[Fraction], step: Fraction
    ) -> list[Fraction] | None:
        """The minimiser over the affine hull: Gram matrix · weights = ⟨edges, z − y₀⟩ − λ·rises."""
        edges, first = self._edges(members), members[0]
        away = combine((ONE, z), (-ONE, self.points[first]))
        rises = [self.heights[i] - self.heights[first] for i in members[1:]]
        right = [dot(edge, away) - step * rise for edge, rise in zip(edges, rises, strict=True)]
        return self._spread(members, solve_linear([[dot(a, b) for b in edges] for a in edges], right))

    def _barycentric(self, members: Sequence[int], u: Sequence[Fraction]) -> list[Fraction] | None:
        """Weights ≥ 0 on an affinely independent face with Σ w_i y_i = u, if there are such."""
        edges = self._edges(members)
        away = combine((ONE, u), (-ONE, self.points[members[0]]))
        tail = solve_linear([[dot(a, b) for b in edges] for a in edges], [dot(a, away) for a in edges])
        weights = self._spread(members, tail)
        if weights is None or min(weights) < 0 or self.point(weights) != tuple(u):
            return None
        return weights

    def _spread(self, members: Sequence[int], tail: list[Fraction] | None) -> list[Fraction] | None:
        if tail is None:
            return None
        weights = [ZERO] * len(self.points)
        for i, w in zip(members, [1 - sum(tail), *tail], strict=True):
            weights[i] = Fraction(w)
        return weights


def solve_linear(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    """The solution of a square system by elimination; None where the matrix is singular."""
    rows = [[*row, b] for row, b in zip(matrix, right, strict=True)]
    n = len(rows)
    for k in range(n):
        pivot = next((i for i in range(k, n) if rows[i][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [a / rows[k][k] for a in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]
