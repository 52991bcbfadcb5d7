r"""The twin in balls: φ\* from its definition, T by strict comparison, prox proved by the Fenchel–Young gap.

$φ^*(v) = \max(\max_{|s| ≤ a} ⟨v, g(s)⟩ - f(s),\ v_1)$, and a cubic's largest value on a side of the arc is
taken at an end or at the larger root of its derivative. The library proposes the face of prox(z), Newton's
iteration in balls its parameter; the convex combination of its atoms is a point whose φ is bounded.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb, arb_mat, arb_series

from numerics.intervals.balls import UndecidedError, Vector, column, dot, doubles, zeros
from numerics.intervals.exact_potential import ByConjugate, Candidate
from numerics.potentials.twin import Twin
from numerics.potentials.twin_faces import END, Face

_A = arb(END)
_STEPS = 7  # of Newton's iteration, from 12 digits on


class ExactTwin(ByConjugate):
    """The law on the arc (s, s²/2), |s| ≤ a, a the double .45, and at the atom (1, 0)."""

    dim = 2

    def __init__(self) -> None:
        self._ratio = _solve(lambda r: 8 * r**3 + 24 * r**2 - 3 * r - 1, arb(0.2615))

    def _roots(self, y: Vector) -> list[arb]:
        """The larger root of the derivative on either side, as parameters; 0 where there is none."""
        delta = y[1] - 1
        right = (delta + (delta**2 + 12 * y[0]).max(arb(0)).sqrt()) / 6
        left = (delta + (delta**2 - 96 * y[0]).max(arb(0)).sqrt()) / 48
        return [right.max(arb(0)).min(_A), -(left.max(arb(0)).min(_A))]

    def conjugate(self, y: Vector) -> arb:
        """The largest of the values at the roots, the ends, the middle and the atom."""
        found = y[0]
        for s in (arb(0), _A, -_A):
            found = found.max(dot(y, _point(s)) - _height(s, s >= 0))
        for s, positive in zip(self._roots(y), (True, False), strict=True):
            found = found.max(dot(y, _point(s)) - _height(s, positive))
        return found

    def _maximiser(self, x0: Vector) -> arb | None:
        """The parameter of T(x₀), None for the atom, proved to beat every other candidate.

        Raises:
            UndecidedError: At a tie.
        """
        places: list[arb | None] = [None, _A, -_A]
        places += [s for s in self._roots(x0) if 0 < abs(s) < _A]
        scores = [x0[0] if s is None else dot(x0, _point(s)) - _height(s, s >= 0) for s in places]
        best = max(range(len(scores)), key=lambda i: float(scores[i].mid()))
        if not all(scores[best] > score for i, score in enumerate(scores) if i != best):
            raise UndecidedError("two atoms tie")
        return places[best]

    def transport(self, x0: Vector) -> Candidate:
        """The atom, or a point of the arc, with its height."""
        s = self._maximiser(x0)
        if s is None:
            return Candidate([arb(1), arb(0)], arb(0))
        return Candidate(_point(s), _height(s, s >= 0))

    def transport_jacobian(self, x0: Vector) -> arb_mat:
        """(1, s)(1, s)ᵀ/(c''(s) − δ) inside the arc; 0 at its ends and at the atom."""
        s = self._maximiser(x0)
        if s is None or not abs(s) < _A:
            return zeros(2, 2)
        curvature = (6 * s if s > 0 else -48 * s) - (x0[1] - 1)
        return _dyad(s) / curvature

    def prox_jacobian(self, z: Vector, step: arb) -> arb_mat:
        """Near the interpolant: the root of s³/2 + 3λs² + (1+λ−z₂)s = z₁ (or −24λs²), differentiated."""
        face = _proposed(z, step)
        if face.on_segment[0]:
            raise UndecidedError("z is not on the ray of an atom")
        if abs(float(face.left[0])) >= END:
            return zeros(2, 2)
        s = _solve(
            lambda x: _stationary(x, face.left[0] > 0, _minus(z, _point(x)), step), _start(face.left[0])
        )
        slope = 3 * s**2 / 2 + step * (6 * s if s > 0 else -48 * s) + 1 + step - z[1]
        return _dyad(s) / slope

    def candidate(self, z: Vector, step: arb) -> Candidate:
        """The proposed face, its parameter refined."""
        face = _proposed(z, step)
        left, right = float(face.left[0]), float(face.right[0])
        if not face.on_segment[0]:
            return self._atom(left, z, step)
        start = right if right < END else left
        turns = right < END or (-END < left < END and left != 0)

        def of(s: Any) -> tuple[Any, Any]:
            if right > END:
                return s, None
            return (-self._ratio * s, s) if right < END else (s, _A)

        def excess(s: Any) -> Any:
            point, _ = _on_face(of(s), z, step)
            return _stationary(s, start > 0, _minus(z, point), step)

        s = _solve(excess, _start(start)) if turns else _start(start)
        return Candidate(*_on_face(of(s), z, step))

    @staticmethod
    def _atom(s: float, z: Vector, step: arb) -> Candidate:
        if s > END:
            return Candidate([arb(1), arb(0)], arb(0))
        if abs(s) == END:
            return Candidate(_point(arb(s)), _height(arb(s), s > 0))
        found = _solve(lambda x: _stationary(x, s > 0, _minus(z, _point(x)), step), _start(s))
        return Candidate(_point(found), _height(found, s > 0))


def _point(s: Any) -> list[Any]:
    """g(s), of a ball or a power series."""
    return [s, s * s / 2]


def _height(s: Any, positive: bool) -> Any:
    """f(s) on one side of 0."""
    return s * s / 2 + s * s * s * (1 if positive else -8)


def _stationary(s: Any, positive: bool, away: list[Any], step: arb) -> Any:
    """⟨z − u, g'(s)⟩ − λf'(s), for z − u: 0 where (z − u)/λ is stationary at g(s)."""
    return away[0] + away[1] * s - step * (s + s * s * (3 if positive else -24))


def _on_face(ends: tuple[Any, Any], z: Vector, step: arb) -> tuple[list[Any], Any]:
    """The point of [g(s), g(s')], or [g(s), e₁], whose noise ties both atoms, and φ's bound there."""
    low, high = ends
    first, base = _point(low), _height(low, _positive(low))
    if high is None:
        last, top = [arb(1), arb(0)], arb(0)
    else:
        last, top = _point(high), _height(high, True)
    along, rise = _minus(last, first), top - base
    share = (dot(_minus(z, first), along) - step * rise) / dot(along, along)
    return [a + share * d for a, d in zip(first, along, strict=True)], base + share * rise


def _minus(x: list[Any], y: list[Any]) -> list[Any]:
    """The difference x − y, of power series too."""
    return [a - b for a, b in zip(x, y, strict=True)]


def _positive(s: Any) -> bool:
    return bool((s.coeffs()[0] if isinstance(s, arb_series) else s) >= 0)


def _dyad(s: arb) -> arb_mat:
    return column([arb(1), s]) * column([arb(1), s]).transpose()


def _start(s: float) -> arb:
    return arb(float(s))


def _proposed(z: Vector, step: arb) -> Face:
    """The library's face at the doubles next to z."""
    return Twin()._solve(doubles(z)[None], np.array([float(step.mid())]))


def _solve(function: Callable[[Any], Any], s: arb) -> arb:
    """Newton's iteration on midpoints, derivatives by power series."""
    for _ in range(_STEPS):
        value, slope = (function(arb_series([s, 1], 2)) + arb_series([0, 0], 2)).coeffs()[:2]
        s = (s - value / slope).mid()
    return s
