r"""Closed sets with an exact nearest point, for `NearestPoint` (theory.md §4.2, family 6).

A set answers with its nearest points, and near each of its points with the stratum that holds it: tangent
basis and second fundamental form II. Strata of dimension 0 are ends and isolated points.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from numerics.accuracy import EPS
from numerics.checks import as_array, positive_number
from numerics.geometry import norms

Points = Float[np.ndarray, "n d"]
Parameters = Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Stratum:
    """Points of a batch that lie on strata of one dimension m.

    Attributes:
        rows: (k,) which points.
        tangent: (k,d,m), orthonormal.
        second: (k,m,m,d), II in this basis, normal-valued.
        inward: (k,d), at an end of a curve the unit tangent into the curve; zero at all other points.
    """

    rows: Int[np.ndarray, " k"]
    tangent: Float[np.ndarray, "k d m"]
    second: Float[np.ndarray, "k m m d"]
    inward: Float[np.ndarray, "k d"]

    @property
    def dimension(self) -> int:
        """Dimension m."""
        return int(self.tangent.shape[2])


@runtime_checkable
class ClosedSet(Protocol):
    """What `NearestPoint` needs to know of a closed set in R^d.

    Attributes:
        dim: The ambient dimension d.
        radius: The largest |y| on the set (or a bound).
        net: (N,d) points of the set, no two equal, so dense that chords bend little between neighbours.
        spacing: Distance between neighbours in the net; 0 where the net is the whole set.
    """

    dim: int
    radius: float
    net: Float[np.ndarray, "N d"]
    spacing: float

    def nearest(self, points: Points) -> Points:
        """The nearest point of the set for every row, any one where several are nearest."""

    def strata(self, points: Points) -> Sequence[Stratum]:
        """The strata of points on the set, grouped by dimension."""


class PointCloud:
    """A closed set of finitely many points.

    Args:
        points: (N,d), no two equal.
        name: What ``repr`` prints instead of a digest of a large cloud.
    """

    def __init__(self, points: ArrayLike, name: str | None = None) -> None:
        self.points = as_array("points", points, ndim=2).real
        self.net, self.dim, self.spacing = self.points, self.points.shape[1], 0.0
        self.radius = float(norms(self.points).max())
        self._name = name

    def __repr__(self) -> str:
        if self._name:
            return self._name
        if self.points.size <= 64:
            return f"PointCloud({self.points.tolist()})"
        digest = hashlib.sha256(np.ascontiguousarray(self.points).tobytes()).hexdigest()[:12]
        n, d = self.points.shape
        return f"PointCloud(<{n} points in R^{d}, sha256 {digest}>)"

    def nearest(self, points: Points) -> Points:
        """The nearest point; the first where several are."""
        square = (self.net**2).sum(axis=1) - 2 * points @ self.net.T
        return np.asarray(self.net[square.argmin(axis=1)])

    def strata(self, points: Points) -> Sequence[Stratum]:
        """Every point is a stratum of dimension 0."""
        return [isolated(np.arange(len(points)), np.zeros_like(points))]


class Arc:
    """The arc centre + radius·(cos θ, sin θ), start ≤ θ ≤ stop, of less than a full turn, with both ends.

    The law of the nearest point has atoms at the ends. Conditioning: that of θ, |x|·eps over the distance
    from the centre, where θ has no value.

    Args:
        radius: > 0.
        start: θ of the first end.
        stop: θ of the last, start < stop < start + 2π.
        centre: (2,).

    Raises:
        ValueError: If the radius isn't positive or the angles don't make an arc.
    """

    dim = 2

    def __init__(
        self, radius: float, start: float, stop: float, centre: Sequence[float] = (0.0, 0.0)
    ) -> None:
        self._length = positive_number("radius", radius)
        self._start, self._stop = float(start), float(stop)
        if not 0 < self._stop - self._start < 2 * np.pi:
            raise ValueError(f"stop: got {stop} for start = {start}; need start < stop < start + 2π")
        self._centre = as_array("centre", centre, ndim=1).real
        if self._centre.shape != (2,):
            raise ValueError(f"centre: got shape {self._centre.shape}; need two coordinates")
        self.radius = self._length + float(norms(self._centre))
        self.net = self._at(np.linspace(self._start, self._stop, 257))
        self.spacing = self._length * (self._stop - self._start) / 256

    def __repr__(self) -> str:
        centre = f", {tuple(self._centre.tolist())}" if self._centre.any() else ""
        return f"Arc({self._length!r}, {self._start!r}, {self._stop!r}{centre})"

    def _at(self, angle: Parameters) -> Points:
        return self._centre + self._length * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def _angles(self, points: Points) -> Parameters:
        """The angle of the nearest point: clipped, to the closer end where it is outside."""
        x = points - self._centre
        middle = (self._start + self._stop) / 2
        turned = np.arctan2(np.sin(-middle) * x[:, 0] + np.cos(middle) * x[:, 1], _along(x, middle))
        half = (self._stop - self._start) / 2
        angle = middle + np.clip(turned, -half, half)
        return np.where(turned >= half, self._stop, np.where(turned <= -half, self._start, angle))

    def nearest(self, points: Points) -> Points:
        """Radially outward or inward within the arc's angles, else an end."""
        x = points - self._centre
        angle, length = self._angles(points), norms(x)
        inside = (angle != self._start) & (angle != self._stop) & (length > 0)
        radial = self._centre + self._length * x / np.where(length > 0, length, 1.0)[:, None]
        return np.where(inside[:, None], radial, self._at(angle))

    def strata(self, points: Points) -> Sequence[Stratum]:
        """The ends, m = 0, and the rest, m = 1, with II = −(y − centre)/radius²."""
        ends = self._at(np.array([self._start, self._stop]))
        apart = norms(points[:, None] - ends)
        end = np.flatnonzero(apart.min(axis=1) <= 64 * EPS * self.radius)
        last = apart[end].argmin(axis=1)
        inward = np.where(last == 0, 1.0, -1.0)[:, None] * self._tangents(ends)[last]
        rest = np.setdiff1d(np.arange(len(points)), end)
        second = -(points[rest] - self._centre)[:, None, None, :] / self._length**2
        inner = curved(rest, self._tangents(points[rest])[:, :, None], second)
        return [s for s in (isolated(end, inward), inner) if len(s.rows)]

    def _tangents(self, points: Points) -> Points:
        """The unit tangents in the direction of increasing θ."""
        radial = (points - self._centre) / self._length
        return np.stack([-radial[:, 1], radial[:, 0]], axis=1)


class Torus:
    """The torus in R³ with axis e₃: tube of radius r around the circle of radius R.

    Conditioning: T is not defined on the axis and on the core circle, and errs by eps·|x| over the distance
    from them (relative to R and r).

    Args:
        major: R > r.
        minor: r > 0.

    Raises:
        ValueError: If a radius isn't positive or minor ≥ major.
    """

    dim = 3

    def __init__(self, major: float, minor: float) -> None:
        self._major, self._minor = positive_number("major", major), positive_number("minor", minor)
        if self._minor >= self._major:
            raise ValueError(f"minor: got {minor}; it must be less than major = {major}")
        self.radius = self._major + self._minor
        columns = 24
        rows = int(np.ceil(columns * self.radius / self._minor))
        u, v = np.meshgrid(2 * np.pi * np.arange(rows) / rows, 2 * np.pi * np.arange(columns) / columns)
        self.net = self._at(u.ravel(), v.ravel())
        self.spacing = 2 * np.pi * self._minor / columns * np.sqrt(2)

    def __repr__(self) -> str:
        return f"Torus({self._major!r}, {self._minor!r})"

    def _at(self, u: Parameters, v: Parameters) -> Points:
        reach = self._major + self._minor * np.cos(v)
        return np.stack([reach * np.cos(u), reach * np.sin(u), self._minor * np.sin(v)], axis=1)

    def _frame(self, points: Points) -> tuple[Points, Points]:
        """Unit directions from the axis and from the core circle."""
        outward = points * np.array([1.0, 1.0, 0.0])
        outward = _unit(outward, np.array([1.0, 0.0, 0.0]))
        return outward, _unit(points - self._major * outward, outward)

    def nearest(self, points: Points) -> Points:
        """The point of the tube in the direction from the core circle."""
        outward, normal = self._frame(points)
        return self._major * outward + self._minor * normal

    def strata(self, points: Points) -> Sequence[Stratum]:
        """Dimension 2: the circles through the point, with curvatures 1/r and cos v/(R + r cos v)."""
        outward, normal = self._frame(points)
        around = np.stack([-outward[:, 1], outward[:, 0], np.zeros(len(points))], axis=1)
        tangent = np.stack([around, np.cross(around, normal)], axis=2)
        cosine = (outward * normal).sum(axis=1)
        curvature = np.stack(
            [cosine / (self._major + self._minor * cosine), np.full(len(points), 1 / self._minor)]
        )
        second = -np.eye(2)[None, :, :, None] * curvature.T[:, :, None, None] * normal[:, None, None, :]
        return [curved(np.arange(len(points)), tangent, second)]


class Union:
    """The union of two closed sets in the same space; a common point counts as one of the first.

    Args:
        first: A closed set.
        second: Another.

    Raises:
        ValueError: If the dimensions differ.
    """

    def __init__(self, first: ClosedSet, second: ClosedSet) -> None:
        self._parts = [first, second]
        self._names = f"{first!r}, {second!r}"
        if self._parts[0].dim != self._parts[1].dim:
            raise ValueError(f"second: lies in R^{self._parts[1].dim}, the first in R^{self._parts[0].dim}")
        self.dim = self._parts[0].dim
        self.radius = max(part.radius for part in self._parts)
        self.net = np.unique(np.concatenate([part.net for part in self._parts]), axis=0)
        self.spacing = max(part.spacing for part in self._parts)

    def __repr__(self) -> str:
        return f"Union({self._names})"

    def _closest(self, points: Points) -> tuple[Points, Int[np.ndarray, " n"]]:
        images = np.stack([part.nearest(points) for part in self._parts])
        part = norms(points - images).argmin(axis=0)
        return images[part, np.arange(len(points))], part

    def nearest(self, points: Points) -> Points:
        """The nearer of the two nearest points."""
        return self._closest(points)[0]

    def strata(self, points: Points) -> Sequence[Stratum]:
        """Those of the part that each point belongs to."""
        images = np.stack([part.nearest(points) for part in self._parts])
        apart = norms(points - images)
        second = apart[0] > np.maximum(apart[1], 64 * EPS * self.radius)
        strata = []
        for k, part in enumerate(self._parts):
            rows = np.flatnonzero(second == bool(k))
            if rows.size:
                strata += [replace(s, rows=rows[s.rows]) for s in part.strata(points[rows])]
        return _merged(strata)


def isolated(rows: Int[np.ndarray, " k"], inward: Float[np.ndarray, "k d"]) -> Stratum:
    """Points that are strata of dimension 0: ends of a curve, or isolated where ``inward`` is zero."""
    k, dim = inward.shape
    return Stratum(rows, np.zeros((k, dim, 0)), np.zeros((k, 0, 0, dim)), inward)


def curved(
    rows: Int[np.ndarray, " k"], tangent: Float[np.ndarray, "k d m"], second: Float[np.ndarray, "k m m d"]
) -> Stratum:
    """Points inside a stratum of dimension m ≥ 1."""
    return Stratum(rows, tangent, second, np.zeros(tangent.shape[:2]))


def _merged(strata: list[Stratum]) -> list[Stratum]:
    """One stratum for each dimension."""
    merged = []
    for m in sorted({s.dimension for s in strata}):
        same = [s for s in strata if s.dimension == m]
        merged.append(
            Stratum(
                np.concatenate([s.rows for s in same]),
                np.concatenate([s.tangent for s in same]),
                np.concatenate([s.second for s in same]),
                np.concatenate([s.inward for s in same]),
            )
        )
    return merged


def _along(x: Points, angle: float) -> Parameters:
    return np.cos(angle) * x[:, 0] + np.sin(angle) * x[:, 1]


def _unit(x: Points, fallback: Float[np.ndarray, "..."]) -> Points:
    """x/|x|, the fallback where x = 0."""
    length = norms(x)[:, None]
    return np.where(length > 0, x / np.where(length > 0, length, 1.0), fallback)
