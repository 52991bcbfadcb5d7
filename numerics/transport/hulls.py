"""Lower convex hulls of lifted atoms: which Laguerre cells are neighbours (docs/theory.md §4.3)."""

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import ConvexHull, QhullError

from numerics.accuracy import EPS


def principal_axes(
    points: Float[np.ndarray, "n d"],
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " d"]]:
    """Coordinates (n,d) of the atoms along their principal axes about the mean, and each axis' half-width.

    A half-width of at most 16·d·eps·(largest coordinate) is rounding, and returned as 0.
    """
    centred = points - points.mean(axis=0)
    size = float(np.abs(points).max())
    largest = float(np.abs(centred).max()) or 1.0
    _, _, axes = np.linalg.svd(centred / largest, full_matrices=len(points) < points.shape[1])
    along = centred @ axes.T
    width = np.abs(along).max(axis=0)
    return along, np.where(width <= 16 * points.shape[1] * EPS * size, 0.0, width)


def lower_hull(
    points: Float[np.ndarray, "n d"], heights: Float[np.ndarray, " n"]
) -> Int[np.ndarray, "t d+1"]:
    """The simplices (t,d+1) of the lower convex hull of the lifted atoms; none if the atoms don't span R^d.

    An apex at vertical infinity makes every hull solid, also that of lifted points in one plane, and turns
    upper and vertical sides into sides through the apex: the lower hull is exactly what does not touch it.
    """
    along, width = principal_axes(points)
    corners_needed = points.shape[1] + 1
    if len(points) < corners_needed or not width.all():
        return np.empty((0, corners_needed), dtype=np.intp)
    corners = _hull(_lift(along, heights))
    return corners[(corners != len(points)).all(axis=1)]


def _hull(lifted: Float[np.ndarray, "n k"]) -> Int[np.ndarray, "f k"]:
    """The facets of a convex hull, as indices of their corners.

    Qhull merges facets that are flat to rounding, and with them loses atoms of little mass. Told not to (Q0)
    it keeps them, but gives up on some degenerate input, where merging is right.
    """
    try:
        hull = ConvexHull(lifted, qhull_options="Qt Q0")
    except QhullError:
        hull = ConvexHull(lifted, qhull_options="Qt")
    return hull.simplices.astype(np.intp)


def _lift(along: Float[np.ndarray, "n k"], heights: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n+1 k+1"]:
    """Lifted atoms and, last, the apex, in coordinates where vertical infinity is the origin.

    The projective map (y, g) ↦ (y, −1)/(g + 1), g ≥ 0, keeps the hull's combinatorics and sends the apex
    (0, ∞) to 0. Since g grows with |y|, it also brings far-away atoms near, and Qhull, whose tolerance is
    relative to the largest coordinate, keeps its resolution for the others. Medians set the units.
    """
    centred = along - np.median(along, axis=0)
    flat = centred / _typical(np.abs(centred))
    rise = heights - heights.min()
    weight = 1 / (rise / _typical(rise[:, None]) + 1)
    return np.vstack([np.column_stack([flat * weight[:, None], -weight]), np.zeros(flat.shape[1] + 1)])


def _typical(sizes: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " k"]:
    """The median of each column, but at least 1e−8 of its maximum; 1 where that is 0."""
    median, largest = np.median(sizes, axis=0), sizes.max(axis=0)
    return np.where(largest > 0, np.maximum(median, 1e-8 * largest), 1.0)


def collinear_neighbours(
    points: Float[np.ndarray, "n 2"], heights: Float[np.ndarray, " n"]
) -> Int[np.ndarray, "m 2"]:
    """Neighbouring pairs of collinear atoms: the sides of the lower hull in the plane (position, height)."""
    n = len(points)
    if n == 1:
        return np.empty((0, 2), dtype=np.intp)
    if n == 2:
        return np.array([[0, 1]], dtype=np.intp)
    along, _ = principal_axes(points)
    sides = _hull(_lift(along[:, :1], heights))
    return np.sort(sides[(sides != n).all(axis=1)], axis=1)
