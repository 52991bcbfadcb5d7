r"""Closed sets with an exact nearest point, for `NearestPoint` (docs/theory.md §4.2, family 6).

A set answers with its nearest points, and near each of its points with the stratum that holds it: tangent
basis and second fundamental form II. Strata of dimension 0 are ends and isolated points.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from numerics.accuracy import UNIT
from numerics.checks import as_array, positive_number
from numerics.deprecated import moved
from numerics.geometry import norms, widest_turn
from numerics.potentials.strata import (
    ClosedSet,
    Parameters,
    Points,
    Stratum,
    curved,
    farther,
    isolated,
    merged,
    retracted,
)

__getattr__ = moved(__name__, "numerics.potentials.torus")  # Torus was here


class PointCloud:
    """A closed set of finitely many points.

    Args:
        points: (N,d), no two equal.
        name: What ``repr`` prints instead of a digest of a large cloud.

    Example:
        >>> PointCloud([[0.0], [1.0]]).nearest(np.array([[0.4], [0.6]])).tolist()
        [[0.0], [1.0]]
    """

    def __init__(self, points: ArrayLike, name: str | None = None) -> None:
        self.points = as_array("points", points, ndim=2)
        self.net, self.dim, self.spacing = self.points, self.points.shape[1], 0.0
        self.radius = float(norms(self.points).max())
        self.error = 0.0
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

    def rivals(self, points: Points) -> Float[np.ndarray, "n k d"]:
        """All: each is a part of its own, and any number of them may be as near."""
        return np.broadcast_to(self.net, (len(points), *self.net.shape))

    def nearest_rounding(self, points: Points, images: Points, moved: Parameters) -> Parameters:
        """0, but for ties: the farthest point that may be nearest instead.

        The difference of two |y|² − 2⟨x,y⟩ errs by (2d + 2) roundings of |y|(|y| + 2|x|), and changes by
        2|y − y'| times what x moves by.
        """
        square = (self.net**2).sum(axis=1) - 2 * points @ self.net.T
        noise = (2 * self.dim + 2) * UNIT * self.radius * (self.radius + 2 * norms(points))
        excess = square - square.min(axis=1, keepdims=True) - noise[:, None]
        found = np.zeros(len(points))
        asked = (excess <= (4 * self.radius * moved)[:, None]).sum(axis=1) > 1
        for row in np.flatnonzero(asked):
            apart = norms(self.net - images[row])
            found[row] = apart[excess[row] <= 2 * moved[row] * apart * (1 + 8 * UNIT)].max(initial=0.0)
        return found


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

    Example:
        >>> from numerics.potentials import NearestPoint
        >>> NearestPoint(Arc(1.0, 0.0, 3.0)).transport([[0.0, 2.0], [1.0, -1.0]]).round(12).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """

    dim = 2

    def __init__(
        self, radius: float, start: float, stop: float, centre: Sequence[float] = (0.0, 0.0)
    ) -> None:
        self.length = positive_number("radius", radius)
        self.start, self.stop = float(start), float(stop)
        if not 0 < self.stop - self.start < 2 * np.pi:
            raise ValueError(f"stop: got {stop} for start = {start}; need start < stop < start + 2π")
        self.centre = as_array("centre", centre, ndim=1)
        if self.centre.shape != (2,):
            raise ValueError(f"centre: got shape {self.centre.shape}; need two coordinates")
        self.radius = self.length + float(norms(self.centre))
        self.error = 9 * UNIT * self.length + UNIT * self.radius * bool(self.centre.any())
        self.half, lost = _half(self.stop, -self.start)
        self.chord = _turned(self.half, lost)  # cos and sin of half the arc's angle
        middle, lost = _half(self.start, self.stop)
        cosine, sine = _turned(middle, lost)
        self.frame = np.array([[cosine, -sine], [sine, cosine]])  # columns: to the middle, and along
        self.ends = self._at(np.array([self.start, self.stop]))
        self.net = self._at(np.linspace(self.start, self.stop, 257))
        self.net[[0, -1]] = self.ends
        self.spacing = self.length * (self.stop - self.start) / 256

    def __repr__(self) -> str:
        centre = f", {tuple(self.centre.tolist())}" if self.centre.any() else ""
        return f"Arc({self.length!r}, {self.start!r}, {self.stop!r}{centre})"

    def _at(self, angle: Parameters) -> Points:
        return self.centre + self.length * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def turned(self, x: Points) -> Parameters:
        """The angle of x − centre from the middle of the arc."""
        along = (x - self.centre) @ self.frame
        return np.asarray(np.arctan2(along[:, 1], along[:, 0]))

    def nearest(self, points: Points) -> Points:
        """Radially outward or inward within the arc's angles, else an end."""
        x, turned = points - self.centre, self.turned(points)
        length = norms(x)
        radial = self.centre + self.length * x / np.where(length > 0, length, 1.0)[:, None]
        inside = (np.abs(turned) < self.half) & (length > 0)
        return np.where(inside[:, None], radial, self.ends[(turned > 0).astype(int)])

    def nearest_rounding(self, points: Points, images: Points, moved: Parameters) -> Parameters:
        """Inside 4 roundings of the radius and what turns x − centre; ends: cos, sin to 4 ulp; and the sum.

        What moves x − centre =: w by δ turns it by arcsin(δ/|w|) at most. The angle itself is only compared:
        it errs by 17u of π (4 ulp of arctan2, 9u of the frame), by which the image then moves along the arc;
        and on the ray opposite to the middle, where both ends are nearest, by the chord.
        """
        x = points - self.centre
        length, turned = norms(x), self.turned(points)
        centred = bool(self.centre.any())
        twist = widest_turn(moved + UNIT * length * centred, length)
        inside = (np.abs(turned) < self.half) & (length > 0)
        error = self.length * np.where(inside, 4 * UNIT + twist, 9 * UNIT) + UNIT * norms(images) * centred
        blur = twist + 17 * np.pi * UNIT
        error += np.where(np.abs(np.abs(turned) - self.half) <= blur, self.length * blur, 0.0)
        tie = ~inside & (np.pi - np.abs(turned) <= blur)
        return error + np.where(tie, 2 * self.length * self.chord[1], 0.0)

    def rivals(self, points: Points) -> Float[np.ndarray, "n k d"]:
        """The nearest point and both ends."""
        return np.stack([self.nearest(points), *(np.broadcast_to(end, points.shape) for end in self.ends)], 1)

    def strata(self, points: Points) -> Sequence[Stratum]:
        """The ends, m = 0, and the rest, m = 1, with II = −(y − centre)/radius²."""
        apart = norms(points[:, None] - self.ends)
        end = np.flatnonzero(apart.min(axis=1) <= 32 * UNIT * self.radius)
        last = apart[end].argmin(axis=1)
        inward = np.where(last == 0, 1.0, -1.0)[:, None] * self._tangents(self.ends)[last]
        rest = np.setdiff1d(np.arange(len(points)), end)
        second = -(points[rest] - self.centre)[:, None, None, :] / self.length**2
        inner = curved(rest, self._tangents(points[rest])[:, :, None], second)
        return [s for s in (isolated(end, inward), inner) if len(s.rows)]

    def _tangents(self, points: Points) -> Points:
        """The unit tangents in the direction of increasing θ."""
        radial = (points - self.centre) / self.length
        return np.stack([-radial[:, 1], radial[:, 0]], axis=1)


class Union:
    """The union of two closed sets in the same space; a common point counts as one of the first.

    Args:
        first: A closed set.
        second: Another.

    Raises:
        ValueError: If the dimensions differ.

    Example:
        >>> both = Union(PointCloud([[0.0, 0.0]]), PointCloud([[4.0, 0.0]]))
        >>> both.nearest(np.array([[1.0, 1.0], [3.0, 0.0]])).tolist()
        [[0.0, 0.0], [4.0, 0.0]]
    """

    def __init__(self, first: ClosedSet, second: ClosedSet) -> None:
        self.parts = [first, second]
        self._names = f"{first!r}, {second!r}"
        if self.parts[0].dim != self.parts[1].dim:
            raise ValueError(f"second: lies in R^{self.parts[1].dim}, the first in R^{self.parts[0].dim}")
        self.dim = self.parts[0].dim
        self.radius = max(part.radius for part in self.parts)
        self.error = max(part.error for part in self.parts)
        self.net = np.unique(np.concatenate([part.net for part in self.parts]), axis=0)
        self.spacing = max(part.spacing for part in self.parts)
        self._retracted: tuple[bytes, list[Int[np.ndarray, " k"]]] | None = None

    def __repr__(self) -> str:
        return f"Union({self._names})"

    def _closest(self, points: Points) -> tuple[Points, Int[np.ndarray, " n"]]:
        images = np.stack([part.nearest(points) for part in self.parts])
        part = (farther(points, *images) < 0).astype(np.intp)
        return images[part, np.arange(len(points))], part

    def nearest(self, points: Points) -> Points:
        """The nearer of the two nearest points."""
        return self._closest(points)[0]

    def nearest_rounding(self, points: Points, images: Points, moved: Parameters) -> Parameters:
        """That of the part, or where the other is as near the distance to it and its own, if that is more.

        |x−y'|² − |x−y|² = ⟨2x − y − y', y − y'⟩ is compared: d + 5 roundings, and what each squared distance
        errs by: points lie off a part by its ``error``, and along it, where |x − y| is stationary, by what it
        states, at a slope of 40u(|x| + |y|); a tie within a part leaves its distance as it is. As
        |x|² − |x−y|² is convex of slope 2y, a move δ of x changes this by 2δ|y − y'|, y' nearest then.
        """
        del images
        each = np.stack([part.nearest(points) for part in self.parts])
        both = zip(self.parts, each, strict=True)
        errors = np.stack([part.nearest_rounding(points, y, moved) for part, y in both])
        part, at = self._closest(points)[1], np.arange(len(points))
        apart, away = norms(each[0] - each[1]), norms(points - each)
        off = np.array([p.error for p in self.parts])[:, None]
        along = np.minimum(away, 40 * UNIT * (norms(points) + norms(each)))
        noise = 2 * (away * off + along * errors).sum(axis=0)
        noise += (self.dim + 5) * UNIT * apart * norms(each[0] + each[1] - 2 * points)
        own, other = errors[part, at], errors[1 - part, at]
        tie = np.abs(farther(points, *each)) <= noise + 2 * moved * (apart + other)
        return np.maximum(own, np.where(tie, apart + other, 0.0))

    def rivals(self, points: Points) -> Float[np.ndarray, "n k d"]:
        """Those of both parts."""
        return np.concatenate([part.rivals(points) for part in self.parts], axis=1)

    def _owners(self, points: Points) -> list[Int[np.ndarray, " k"]]:
        """Which points belong to each part; those on both to the first. Points just retracted keep theirs."""
        if self._retracted is not None and self._retracted[0] == points.tobytes():
            return self._retracted[1]
        images = np.stack([part.nearest(points) for part in self.parts])
        apart = norms(points - images)
        second = apart[0] > np.maximum(apart[1], 32 * UNIT * self.radius)
        return [np.flatnonzero(second == bool(k)) for k in range(2)]

    def retract(self, points: Points, moves: Points) -> Points:
        """That of the part that each point belongs to."""
        images, owners = np.empty_like(points), self._owners(points)
        for part, rows in zip(self.parts, owners, strict=True):
            if rows.size:
                images[rows] = retracted(part, points[rows], moves[rows])
        self._retracted = images.tobytes(), owners
        return images

    def strata(self, points: Points) -> Sequence[Stratum]:
        """Those of the part that each point belongs to."""
        strata = []
        for part, rows in zip(self.parts, self._owners(points), strict=True):
            if rows.size:
                strata += [replace(s, rows=rows[s.rows]) for s in part.strata(points[rows])]
        return merged(strata)


def _half(first: float, second: float) -> tuple[float, float]:
    """(first + second)/2 and what its rounding lost [@higham2002accuracy, §4.3]."""
    total = first + second
    back = total - first
    return total / 2, ((first - (total - back)) + (second - back)) / 2


def _turned(angle: float, lost: float) -> tuple[float, float]:
    """Cosine and sine of angle + lost."""
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    return cosine - lost * sine, sine + lost * cosine
