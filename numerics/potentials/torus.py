"""The torus as a closed set (docs/theory.md §4.2, family 6)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from numerics.accuracy import UNIT
from numerics.checks import positive_number
from numerics.geometry import norms, widest_turn
from numerics.potentials.strata import Parameters, Points, Stratum, curved

_COLUMNS = 24  # of a torus's net, around its tube
_MOST_ROWS = 4096  # along it: the nets of thin tori are sparser along the tube than around it


class Torus:
    """The torus in R³ with axis e₃: tube of radius r around the circle of radius R.

    Conditioning: T is not defined on the axis and on the core circle, and errs by eps·|x| over the distance
    from them (relative to R and r).

    Args:
        major: R > r.
        minor: r > 0.

    Raises:
        ValueError: If a radius isn't positive or minor ≥ major.

    Example:
        >>> Torus(2.0, 0.5).nearest(np.array([[3.0, 0.0, 0.0], [2.0, 0.0, 7.0]])).round(12).tolist()
        [[2.5, 0.0, 0.0], [2.0, 0.0, 0.5]]
    """

    dim = 3

    def __init__(self, major: float, minor: float) -> None:
        self.major, self.minor = positive_number("major", major), positive_number("minor", minor)
        if self.minor >= self.major:
            raise ValueError(f"minor: got {minor}; it must be less than major = {major}")
        self.radius = self.major + self.minor
        self.error = UNIT * (6 * self.major + 6 * self.minor)
        rows = min(int(np.ceil(_COLUMNS * self.radius / self.minor)), _MOST_ROWS)
        u, v = np.meshgrid(2 * np.pi * np.arange(rows) / rows, 2 * np.pi * np.arange(_COLUMNS) / _COLUMNS)
        self.net = self._at(u.ravel(), v.ravel())
        self.spacing = 2 * np.pi * max(self.minor / _COLUMNS, self.radius / rows) * np.sqrt(2)

    def __repr__(self) -> str:
        return f"Torus({self.major!r}, {self.minor!r})"

    def _at(self, u: Parameters, v: Parameters) -> Points:
        reach = self.major + self.minor * np.cos(v)
        return np.stack([reach * np.cos(u), reach * np.sin(u), self.minor * np.sin(v)], axis=1)

    def _frame(self, points: Points) -> tuple[Points, Points]:
        """Unit directions from the axis and from the core circle."""
        outward = points * np.array([1.0, 1.0, 0.0])
        outward = _unit(outward, np.array([1.0, 0.0, 0.0]))
        return outward, _unit(points - self.major * outward, outward)

    def nearest(self, points: Points) -> Points:
        """The point of the tube in the direction from the core circle."""
        outward, normal = self._frame(points)
        return self.major * outward + self.minor * normal

    def nearest_rounding(self, points: Points, images: Points, moved: Parameters) -> Parameters:
        """R·outward to 5 roundings, r·normal to 5; the normal turns by its numerator's error over its length.

        Outward turns by 2u + moved/(distance from the axis), the numerator x − R·outward errs by that times
        R, 5u of R, moved and a rounding of its own.
        """
        del images
        axis = np.hypot(points[:, 0], points[:, 1])
        tube = np.hypot(axis - self.major, points[:, 2])
        about = np.where(moved > 0, widest_turn(moved, axis), 0.0)
        twist = widest_turn(moved + self.major * about + 5 * UNIT * self.major, tube)
        return self.major * (5 * UNIT + about) + self.minor * (6 * UNIT + twist) + UNIT * self.radius

    def rivals(self, points: Points) -> Float[np.ndarray, "n k d"]:
        """The nearest point: there is no other local minimum."""
        return self.nearest(points)[:, None]

    def strata(self, points: Points) -> Sequence[Stratum]:
        """Dimension 2: the circles through the point, with curvatures 1/r and cos v/(R + r cos v)."""
        outward, normal = self._frame(points)
        around = np.stack([-outward[:, 1], outward[:, 0], np.zeros(len(points))], axis=1)
        tangent = np.stack([around, np.cross(around, normal)], axis=2)
        cosine = (outward * normal).sum(axis=1)
        curvature = np.stack(
            [cosine / (self.major + self.minor * cosine), np.full(len(points), 1 / self.minor)]
        )
        second = -np.eye(2)[None, :, :, None] * curvature.T[:, :, None, None] * normal[:, None, None, :]
        return [curved(np.arange(len(points)), tangent, second)]


def _unit(x: Points, fallback: Float[np.ndarray, "..."]) -> Points:
    """x/|x|, the fallback where x = 0."""
    length = norms(x)[:, None]
    return np.where(length > 0, x / np.where(length > 0, length, 1.0), fallback)
