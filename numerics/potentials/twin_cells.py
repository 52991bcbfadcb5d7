r"""∂φ of the twin (twin.py): segments and rays on arc and edges, points on faces, cells at atoms."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_points
from numerics.geometry import norms
from numerics.potentials.support_geometry import Subdifferential
from numerics.potentials.twin_faces import (
    ATOM,
    END,
    FIRST,
    LAST,
    RATIO,
    SECOND,
    SLOPE,
    Face,
    across,
    before_atom,
    face_of,
    jumps,
    steepness,
    turning,
)

Points = Float[np.ndarray, "n 2"]
Numbers = Float[np.ndarray, " n"]
_TOP = np.array([-3.5 * END**2, 1 + LAST])  # where g(−a), g(a) and the left arc meet
_RIGHT = np.array([END**3 / (2 - END), 1 + FIRST])  # g(a), e₁ and the right arc
_OUT = np.array([END**2 / 2 / (1 - END), 1.0])  # along the tie of g(a) and e₁
_TIE = 1.04  # √(1 + L²), L = ¼: |dv₁/dδ| on a tie is half a sum of parameters, or s²/2/(1−s), at most
_STATIONARY = float(np.hypot(1, END))


class Straight(Subdifferential):
    """The set {base + τ·direction : low ≤ τ ≤ high}: a point, a segment or a ray.

    Args:
        base, direction: (2,); the direction is made a unit vector.
        low, high: Ends, maybe infinite.
        condition_number: By how much rounding x₁ by eps moves the set, in eps.
        blur: How far x₁ is from the point whose set this is.
    """

    def __init__(
        self,
        base: ArrayLike,
        direction: ArrayLike,
        low: float,
        high: float,
        condition_number: float,
        blur: float,
    ) -> None:
        self._base, aim = np.asarray(base, dtype=float), np.asarray(direction, dtype=float)
        self._direction = aim / np.linalg.norm(aim)
        self._low, self._high = low * float(np.linalg.norm(aim)), high * float(np.linalg.norm(aim))
        self.rounding, self.blur = 16 * EPS * condition_number, blur

    @property
    def dimension(self) -> int:
        """0 for a point, else 1."""
        return int(self._high > self._low)

    def distance(self, x0: ArrayLike) -> Numbers:
        """Distance of x0 (n,2) from the set."""
        away = as_points("x0", x0, 2) - self._base
        along = np.clip(away @ self._direction, self._low, self._high)
        return norms(away - along[:, None] * self._direction)

    def boundary_distance(self, x0: ArrayLike) -> Numbers:
        """Distance of a member x0 (n,2) from the nearer end; +inf for a point."""
        along = (as_points("x0", x0, 2) - self._base) @ self._direction
        if not self.dimension:
            return np.full(len(along), np.inf)
        return np.maximum(np.minimum(along - self._low, self._high - along), 0.0)


class PlanarCell(Subdifferential):
    """A closed convex cell of the plane, bounded by two rays, and a curve or a broken line between them.

    Args:
        inside: Tells (n,) which points (n,2) belong to it.
        rays: Pairs of an end and a direction, each (2,).
        curves: Maps of (k,) numbers in [0, 1] to points (k,2).
        blur: How far x₁ is from the atom.
    """

    rounding = 64 * EPS

    def __init__(
        self,
        inside: Callable[[Points], Bool[np.ndarray, " n"]],
        rays: list[tuple[np.ndarray, np.ndarray]],
        curves: list[Callable[[Numbers], Points]],
        blur: float,
    ) -> None:
        self._inside, self._curves, self.blur = inside, curves, blur
        self._rays = [Straight(end, aim, 0.0, np.inf, 1.0, 0.0) for end, aim in rays]

    @property
    def dimension(self) -> int:
        """2."""
        return 2

    def _to_boundary(self, points: Points) -> Numbers:
        pieces = [ray.distance(points) for ray in self._rays]
        return np.min([*pieces, *(_to_curve(points, curve) for curve in self._curves)], axis=0)

    def distance(self, x0: ArrayLike) -> Numbers:
        """Distance of x0 (n,2) from the cell, 0 inside."""
        points = as_points("x0", x0, 2)
        return np.where(self._inside(points), 0.0, self._to_boundary(points))

    def boundary_distance(self, x0: ArrayLike) -> Numbers:
        """Distance of a member x0 (n,2) from the boundary."""
        points = as_points("x0", x0, 2)
        return np.where(self._inside(points), self._to_boundary(points), 0.0)


def _to_curve(points: Points, curve: Callable[[Numbers], Points]) -> Numbers:
    """Distance to a curve: the best of 129 places, and thirds of the interval around it."""
    grid = np.linspace(0.0, 1.0, 129)
    best = norms(points[:, None] - curve(grid)).argmin(axis=1)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, 128)]
    for _ in range(90):
        third = (high - low) / 3
        left, right = low + third, high - third
        nearer = norms(points - curve(left)) <= norms(points - curve(right))
        low, high = np.where(nearer, low, left), np.where(nearer, right, high)
    return norms(points - curve((low + high) / 2))


def subdifferential(x1: Float[np.ndarray, " 2"], slack: float) -> Subdifferential:
    """∂φ(x₁) for x₁ of the hull; within ``slack`` of an atom, the arc or an edge it is that one's."""
    first, second = float(x1[0]), float(x1[1])
    for s, atom in ((ATOM, (1.0, 0.0)), (END, (END, END**2 / 2)), (-END, (-END, END**2 / 2))):
        away = float(np.hypot(first - atom[0], second - atom[1]))
        if away <= slack:
            return _cell(s, away)
    off = abs(second - first**2 / 2)
    if off <= slack and abs(first) < END:
        return _on_arc(first, off)
    if second <= slack:
        return Straight([0.0, 1.0], [0.0, 1.0], -np.inf, 0.0, 1.0, abs(second))
    if second >= END**2 / 2 - slack:
        return Straight(_TOP, [0.0, 1.0], 0.0, np.inf, 1.0, abs(second - END**2 / 2))
    right = second - _OUT[0] * (1 - first)
    if right >= -slack:
        return Straight(_RIGHT, _OUT, 0.0, np.inf, 1.0, abs(right))
    face = face_of(x1[None])
    lifted, turned = (float(part[0]) for part in turning(face))
    return Straight(face.dual()[0], [1.0, 0.0], 0.0, 0.0, 1 + turned / max(lifted, EPS), 0.0)


def _on_arc(s: float, off: float) -> Straight:
    """(c'(s) − δs, 1 + δ) from the tie with e₁ to that with the left arc, or up to that with the right."""
    at = np.array([s])
    base = [float(steepness(at)[0]), 1.0]
    if s > 0:
        return Straight(base, [-s, 1.0], float(before_atom(at)[0]), SLOPE * s, 2.0, off)
    return Straight(base, [-s, 1.0], -np.inf, float(across(-at)[0]), 2.0, off)


def _cell(s: float, away: float) -> PlanarCell:
    """The cell of e₁, g(a) or g(−a)."""
    if s > END:
        return PlanarCell(
            lambda v: v[:, 0] >= jumps(v[:, 1] - 1).second,
            [(np.array([0.0, 1.0]), np.array([0.0, -1.0])), (_RIGHT, _OUT)],
            [_tie_with_atom],
            away,
        )
    if s > 0:
        rays = [(_RIGHT, _OUT), (_TOP, np.array([0.0, 1.0]))]
        return PlanarCell(_inside_right_end, rays, _RIGHT_SIDES, away)
    return PlanarCell(
        lambda v: v[:, 0] <= np.where(v[:, 1] - 1 < LAST, (v[:, 1] - 1 - 24 * END) * END, _TOP[0]),
        [(_TOP, np.array([0.0, 1.0])), (_TOP, np.array([-END, -1.0]))],
        [],
        away,
    )


def _tie_with_atom(t: Numbers) -> Points:
    s = END * t
    return np.stack([s**3 / (2 - s), 1 + before_atom(s)], axis=-1)


def _tie_with_left(t: Numbers) -> Points:
    r = END * (RATIO + (1 - RATIO) * t)
    delta = across(r)
    return np.stack([(delta - 24 * r) * r, 1 + delta], axis=-1)


def _stationary(t: Numbers) -> Points:
    delta = FIRST + (SECOND - FIRST) * t
    return np.stack([(3 * END - delta) * END, 1 + delta], axis=-1)


_RIGHT_SIDES: list[Callable[[Numbers], Points]] = [_stationary, _tie_with_left]


def _inside_right_end(v: Points) -> Bool[np.ndarray, " n"]:
    delta = v[:, 1] - 1
    at = jumps(delta)
    return (v[:, 0] <= at.second) & (v[:, 0] >= at.first) & (v[:, 0] + delta * END >= 3 * END**2)


def clearance(face: Face, step: Numbers) -> Numbers:
    """A lower bound (n,) of the distance of z = u + λv from where its face changes."""
    u, (lifted, _) = face.point, turning(face)
    bent = np.abs(u[:, 1] - u[:, 0] ** 2 / 2) / np.sqrt(2)
    with_atom, chord = face.right > END, END**2 / 2 * RATIO
    line = np.abs(u[:, 1] - END / 2 * (1 - RATIO) * u[:, 0] - chord) / _TIE  # the chord from g(−ρa) to g(a)
    sides = np.where(with_atom, u[:, 1], np.where(face.right < END, line, END**2 / 2 - u[:, 1]))
    third = np.where(with_atom, np.abs(u[:, 1] - _OUT[0] * (1 - u[:, 0])) / _TIE, line)
    inside = np.minimum(np.minimum(bent, sides), third)
    length = np.where(with_atom, 1 - face.left, face.right - face.left)
    ends = length * np.minimum(face.share, 1 - face.share)
    start = np.where(~with_atom, face.delta - LAST, np.where(face.left > 0, face.delta - FIRST, -face.delta))
    on_edge = np.minimum(ends, step * start)
    on_face = np.where(lifted > 0, inside, np.maximum(on_edge, 0.0))
    return np.where(face.on_segment, on_face, step * _within_cell(face))


def _within_cell(face: Face) -> Numbers:
    """A lower bound of the distance of v from the boundary of the smooth piece of T that it lies in."""
    at, s = jumps(face.delta), face.left
    ties = np.minimum(np.abs(face.first - at.first), np.abs(face.first - at.second)) / _TIE
    right = np.abs(face.first + face.delta * END - 3 * END**2) / _STATIONARY
    left = np.abs(face.first - (face.delta - 24 * END) * END) / _STATIONARY
    return np.where(s > END, ties, np.minimum(ties, np.where(s > 0, right, left)))
