r"""Points x at which ∂φ*(x) is known, and what the denoiser tends to there as t → 0 (N4).

With c_t = (1−α)/β and ε = β/α, u = prox_{λφ}(x/β) satisfies u ∈ ∂φ*(x − ε(u − c_t x)), so u − c_t x is the
Yosida approximation of ∂φ* − c_t x at x. It tends to its element of least norm: u → proj of cx on ∂φ*(x),
c = −α̇₀/β̇₀. What is left at one t has a proved bound for each kind of point:

- a polyhedral φ* has ∂φ*(y) = the face of ∂φ*(x) in direction y − x near x, so u = proj(c_t x) exactly;
- on the medial axis of the ellipse φ is a quadratic along the axis, and u is in closed form;
- about the centre of a sphere moved by b, φ is an indicator and x = 0, so u is the projection at every t;
- at a jump of the Cantor law, u is Q(½ − δ), and 1/3 − Q(½ − δ) ≤ 3·δ^{log 3/log 2} by its digits.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from numerics.potentials import Cantor, Curve, FiniteAtoms, NearestPoint, Potential, Sphere, translate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """One point of R^d and the set of data that solutions from it end at.

    Attributes:
        name: Where the point lies.
        target: φ.
        x: (d,).
        nearest: Projection of a point (d,) on ∂φ*(x), by a formula that knows no prox.
        left: (α, β, c_t − c) ↦ a bound on |u − proj(cx)|.
    """

    name: str
    target: Potential
    x: Array
    nearest: Callable[[Array], Array]
    left: Callable[[float, float, float], float]


def _polyhedral(x: Array) -> Callable[[float, float, float], float]:
    """|proj(c_t x) − proj(cx)| ≤ |c_t − c||x|."""
    return lambda alpha, beta, shift: float(abs(shift) * np.linalg.norm(x))  # noqa: ARG005


def on_segment(first: Array, second: Array) -> Callable[[Array], Array]:
    """The projection on a segment."""
    way = second - first
    return lambda p: np.asarray(first + np.clip((p - first) @ way / (way @ way), 0, 1) * way)


def _on_triangle(corners: Array) -> Callable[[Array], Array]:
    """The projection of points outside a triangle on it: on the nearest of its sides."""
    sides = [on_segment(corners[i], corners[i - 1]) for i in range(3)]
    return lambda p: min((side(p) for side in sides), key=lambda q: float(np.linalg.norm(q - p)))


TIE = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)
ALONG, ACROSS = np.array([2.0, -1.0]) / np.sqrt(5), np.array([-1.0, -2.0]) / np.sqrt(5)
THRESHOLD = float(TIE.heights[1] - TIE.heights[0]) / np.sqrt(5)
"""Φ⁻¹(.3): noise with ⟨x, e⟩ there is on the wall between the two atoms."""
ON_THE_WALL = THRESHOLD * ALONG + 0.3 * ACROSS


def _inside() -> Start:
    pentagon, x = FiniteAtoms.regular_polygon(5), np.array([0.7, 0.2])
    corner = pentagon.points[0]
    return Start("interior of a cell", pentagon, x, lambda _: corner, lambda *_: 0.0)


def _tie() -> Start:
    nearest = on_segment(TIE.points[0], TIE.points[1])
    return Start("tie of two cells", TIE, ON_THE_WALL, nearest, _polyhedral(ON_THE_WALL))


def _vertex() -> Start:
    """Binary fractions: the three scores tie without rounding."""
    corners, x = np.array([[1.0, 0.0], [3.0, 1.0], [1.0, 2.0]]), np.array([0.25, 0.5])
    target = FiniteAtoms(corners, corners @ x)
    return Start("vertex of three cells", target, x, _on_triangle(corners), _polyhedral(x))


def _medial() -> Start:
    """(am, 0) for the ellipse (2cos θ, sin θ): nearest points (4m/3, ±Y), φ(u, 0) = (a/2)(1 + ¾u²)."""
    a, m = 0.75, 0.6
    end, height = 4 * m / 3, np.sqrt(1 - 4 * m**2 / 9)
    nearest = on_segment(np.array([end, -height]), np.array([end, height]))

    def left(alpha: float, beta: float, shift: float) -> float:  # noqa: ARG001
        return abs(a * m / (beta + 0.75 * a * alpha) - end)

    target = NearestPoint(Curve.ellipse(2.0, 1.0), a)
    return Start("medial axis of a curve", target, np.array([a * m, 0.0]), nearest, left)


def _centre() -> Start:
    b = np.array([3.0, 0.0, 4.0])
    target = translate(Sphere(3), b)
    return Start("centre of a sphere", target, np.zeros(3), lambda p: b + (p - b) / 5, lambda *_: 0.0)


def _jump() -> Start:
    def left(alpha: float, beta: float, shift: float) -> float:  # noqa: ARG001
        delta = beta / alpha / 3 * 0.4  # |y| = εu, u ≤ 1/3, and the normal density is below 0.4
        return float(3 * delta ** (np.log(3) / np.log(2)))

    nearest = on_segment(np.array([1 / 3]), np.array([2 / 3]))
    return Start("jump of the Cantor law", Cantor(), np.zeros(1), nearest, left)


STARTS = (_inside(), _tie(), _vertex(), _medial(), _centre(), _jump())
