r"""Potentials of uniform laws on plane curves, lifted from semidiscrete solutions (docs/theory.md §3, §4.3).

A curve made of circular arcs is cut into n pieces; each piece becomes an atom at its middle that weighs its
share of the length. The heights of the exact solution along an arc are values of φ at the atoms, up to the
discretisation; a spline f(s) through them, s the arc length, gives φ on the curve, its derivative
f' = ⟨x₀, γ'⟩ for every x₀ ∈ ∂φ(γ(s)), and the covariant Hessian $H = f'' - ⟨x_0, γ''⟩$ of docs/theory.md H3.

The error is estimated by the same with n/2 atoms. It falls like n⁻² for φ inside an arc. At a free end f'
has a singularity like √log (all noise beyond the end goes to a short piece), which no spline follows: the
estimate is pointwise, and says so.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline, make_interp_spline

from numerics.checks import as_array, as_points, positive_integer, positive_number
from numerics.transport.semidiscrete import solve
from numerics.transport.solution import SemidiscreteSolution

DEGREE = 5
FEWEST = 2 * (DEGREE + 1)


@dataclass(frozen=True)
class Arc:
    """γ(s) = centre + radius·(cos θ, sin θ), θ = begin + s/radius, 0 ≤ s ≤ radius·angle.

    Attributes:
        centre: (2,).
        radius: R > 0.
        begin: Angle at s = 0.
        angle: In (0, 2π]; 2π makes a circle, on which s is periodic.

    Raises:
        ValueError: If one is out of range.

    Example:
        >>> quarter = Arc((0.0, 0.0), 2.0, 0.0, np.pi / 2)
        >>> bool(quarter.length == np.pi), quarter.point(np.array([0.0, np.pi])).round(12).tolist()
        (True, [[2.0, 0.0], [0.0, 2.0]])
    """

    centre: tuple[float, float]
    radius: float
    begin: float = 0.0
    angle: float = 2 * np.pi

    def __post_init__(self) -> None:
        as_points("centre", self.centre, 2)
        positive_number("radius", self.radius)
        if positive_number("angle", self.angle) > 2 * np.pi:
            raise ValueError(f"angle: got {self.angle}; it must be at most 2π")

    @property
    def closed(self) -> bool:
        """Whether it is a whole circle."""
        return self.angle == 2 * np.pi

    @property
    def length(self) -> float:
        """radius·angle."""
        return self.radius * self.angle

    def point(self, s: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k 2"]:
        """γ(s)."""
        return np.asarray(self.centre) - self.radius**2 * self.acceleration(s)

    def tangent(self, s: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k 2"]:
        """γ'(s), of length 1."""
        theta = self.begin + s / self.radius
        return np.column_stack([-np.sin(theta), np.cos(theta)])

    def acceleration(self, s: Float[np.ndarray, " k"]) -> Float[np.ndarray, "k 2"]:
        """γ''(s) = −(γ − centre)/radius²."""
        theta = self.begin + s / self.radius
        return -np.column_stack([np.cos(theta), np.sin(theta)]) / self.radius


def two_moons() -> tuple[Arc, Arc]:
    """The two half circles of scikit-learn's ``make_moons``, without noise.

    Example:
        >>> [bool(moon.length == np.pi) for moon in two_moons()]
        [True, True]
    """
    return Arc((0.0, 0.0), 1.0, 0.0, np.pi), Arc((1.0, 0.5), 1.0, np.pi, np.pi)


@dataclass(frozen=True)
class CurveLift:
    """φ on a curve, lifted from n atoms, with n/2 atoms beside it for the error.

    Attributes:
        arcs: The curve's arcs.
        fine: The solution with n atoms, arc after arc.
        coarse: That with n/2 atoms.
        fine_places: One array an arc: the arc lengths of its atoms.
        coarse_places: The same for the coarse solution.

    Example:
        >>> lifted = lift((Arc((0.0, 0.0), 1.0),), 48)  # the circle, φ = const on it: H = |x₀|
        >>> bool(abs(lifted.hessian(0, [0.0], [[2.0, 0.0]]) - 2.0) < 1e-9)
        True
    """

    arcs: tuple[Arc, ...]
    fine: SemidiscreteSolution
    coarse: SemidiscreteSolution
    fine_places: tuple[Float[np.ndarray, " _"], ...]
    coarse_places: tuple[Float[np.ndarray, " _"], ...]

    def value(self, arc: int, s: ArrayLike) -> Float[np.ndarray, " k"]:
        """φ(γ(s)), with the constant that makes its mean over the law 0."""
        return self._derivative(arc, s, 0)

    def slope(self, arc: int, s: ArrayLike) -> Float[np.ndarray, " k"]:
        """d/ds φ(γ(s)) = ⟨x₀, γ'(s)⟩ for every x₀ that is sent to γ(s)."""
        return self._derivative(arc, s, 1)

    def hessian(self, arc: int, s: ArrayLike, x0: ArrayLike) -> Float[np.ndarray, " k"]:
        """H = f''(s) − ⟨x₀, γ''(s)⟩ for s (k,) and x0 (k,2) sent there (only its normal part is free)."""
        where = self._within(arc, s)
        noise = as_points("x0", x0, 2)
        if len(noise) != len(where):
            raise ValueError(f"x0: got {len(noise)} points for {len(where)} places; give one a place")
        bend = (noise * self.arcs[arc].acceleration(where)).sum(axis=1)
        return self._derivative(arc, where, 2) - bend

    def error(self, arc: int, s: ArrayLike, order: int = 0) -> Float[np.ndarray, " k"]:
        """|fine − coarse| of that derivative: three times the fine error where that is O(n⁻²)."""
        where = self._within(arc, s)
        return np.abs(self._derivative(arc, where, order) - self._coarse_splines[arc](where, nu=order))

    def _derivative(self, arc: int, s: ArrayLike, order: int) -> Float[np.ndarray, " k"]:
        where = self._within(arc, s)
        return np.asarray(self._fine_splines[arc](where, nu=order))

    def _within(self, arc: int, s: ArrayLike) -> Float[np.ndarray, " k"]:
        if not 0 <= arc < len(self.arcs):
            raise ValueError(f"arc: got {arc}; there are {len(self.arcs)}, counted from 0")
        where = np.atleast_1d(as_array("s", s, ndim=(0, 1)))
        length = self.arcs[arc].length
        if (where < 0).any() or (where > length).any():
            raise ValueError(f"s: got values from {where.min()} to {where.max()}; need 0 ≤ s ≤ {length}")
        return where

    @cached_property
    def _fine_splines(self) -> list[BSpline]:
        return _splines(self.arcs, self.fine, self.fine_places)

    @cached_property
    def _coarse_splines(self) -> list[BSpline]:
        return _splines(self.arcs, self.coarse, self.coarse_places)


def lift(arcs: tuple[Arc, ...], n: int, grading: float = 0.0) -> CurveLift:
    """φ of the uniform law on a curve of circular arcs, from about n atoms with exact weights.

    Args:
        arcs: The arcs; n is shared out by length.
        n: At least 24 atoms an arc.
        grading: In [0, 1): how unequal the pieces of a circle are. 0 cuts it evenly, which is exact by
            symmetry and shows nothing; other values are there to test the error against the known φ.

    Raises:
        ValueError: If n is too small or grading out of range.
        RuntimeError: As `semidiscrete.solve`.

    Example:
        >>> lifted = lift((Arc((0.0, 0.0), 1.0),), 48)  # a circle: φ is constant on it
        >>> bool(abs(lifted.value(0, [0.0, 1.0])).max() < 1e-9)
        True
    """
    positive_integer("n", n)
    if not 0 <= grading < 1:
        raise ValueError(f"grading: got {grading}; it must be in [0, 1)")
    fine, fine_places = _discretised(arcs, n, grading)
    coarse, coarse_places = _discretised(arcs, n // 2, grading)
    return CurveLift(tuple(arcs), fine, coarse, fine_places, coarse_places)


def _discretised(
    arcs: tuple[Arc, ...], n: int, grading: float
) -> tuple[SemidiscreteSolution, tuple[Float[np.ndarray, " _"], ...]]:
    total = sum(arc.length for arc in arcs)
    points, weights, places = [], [], []
    for arc in arcs:
        pieces = round(n * arc.length / total)
        if pieces < FEWEST:
            raise ValueError(
                f"n: {n} leaves {pieces} atoms on an arc; each needs {2 * FEWEST} of the n asked for"
            )
        u = np.arange(pieces + 1) / pieces
        cuts = arc.length * (u + grading * np.sin(2 * np.pi * u) / (2 * np.pi))
        middles = (cuts[1:] + cuts[:-1]) / 2
        points.append(arc.point(middles))
        weights.append(np.diff(cuts) / total)
        places.append(middles)
    w = np.concatenate(weights)
    return solve(np.concatenate(points), w / w.sum()), tuple(places)


def _splines(
    arcs: tuple[Arc, ...], solution: SemidiscreteSolution, places: tuple[Float[np.ndarray, " _"], ...]
) -> list[BSpline]:
    """One spline an arc through its heights; periodic on circles. All share one constant."""
    heights = solution.heights - solution.weights @ solution.heights
    out, begin = [], 0
    for arc, s in zip(arcs, places, strict=True):
        values = heights[begin : begin + len(s)]
        begin += len(s)
        if arc.closed:
            closed = np.append(s, s[0] + arc.length), np.append(values, values[0])
            out.append(make_interp_spline(*closed, k=DEGREE, bc_type="periodic"))
        else:
            out.append(make_interp_spline(s, values, k=DEGREE))
    return out
