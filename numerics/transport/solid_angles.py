"""How atoms of equal height share the noise near 0: the normal cones of their convex hull (theory.md §4.3)."""

import numpy as np
from jaxtyping import Float
from scipy.spatial import ConvexHull

from numerics.transport.hulls import principal_axes


def shares(points: Float[np.ndarray, "k d"]) -> Float[np.ndarray, " k"]:
    """(k,), the solid angle of each atom's normal cone to the hull, over that of all directions; d ≤ 3.

    Near 0 the cells of atoms of equal height are these cones. Atoms that are no corners have none. On a line
    two ends have half each; in a plane exterior angles count, also inside space.
    """
    k = len(points)
    if k <= 2:
        return np.full(k, 1.0 / k)
    along, width = principal_axes(points)
    share = np.zeros(k)
    rank = int((width > 0).sum())
    if rank == 1:
        share[[np.argmin(along[:, 0]), np.argmax(along[:, 0])]] = 0.5
        return share
    if rank == 2:
        return _exterior_angles(along[:, :2], width[:2])
    return _solid_angles(along, width)


def _exterior_angles(
    along: Float[np.ndarray, "k 2"], width: Float[np.ndarray, " 2"]
) -> Float[np.ndarray, " k"]:
    """Exterior angles of the hull over 2π, in coordinates along the principal axes."""
    corners = ConvexHull(along / width).vertices
    side = np.roll(along[corners], -1, axis=0) - along[corners]
    before = np.roll(side, 1, axis=0)
    turn = np.arctan2(before[:, 0] * side[:, 1] - before[:, 1] * side[:, 0], (before * side).sum(axis=1))
    share = np.zeros(len(along))
    share[corners] = np.abs(turn) / np.abs(turn).sum()
    return share


def _solid_angles(
    along: Float[np.ndarray, "k 3"], width: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " k"]:
    """Solid angles spanned by the outward normals of the facets at each corner, over their sum.

    A side ab of the hull, between facets with normals u and v, adds to the cone of a the spherical triangle
    (c, u, v), c the direction of a from the middle, oriented about b − a; all sides at a make up its cone,
    whatever c is. The triangle is twice the argument of 1 + ⟨c,u⟩ + ⟨u,v⟩ + ⟨v,c⟩ + i·det(c,u,v)
    [@vanoosterom1983solid].
    """
    hull = ConvexHull(along / width, qhull_options="Qt")
    normals = hull.equations[:, :3] / width
    normals /= np.sqrt((normals**2).sum(axis=1))[:, None]
    facet = np.repeat(np.arange(len(hull.simplices)), 6)
    here, there = hull.simplices[:, [[1, 2], [2, 1], [0, 2], [2, 0], [0, 1], [1, 0]]].reshape(-1, 2).T
    u, v = normals[facet], normals[np.repeat(hull.neighbors.ravel(), 2)]
    c = along - along.mean(axis=0)
    c = (c / np.maximum(np.sqrt((c**2).sum(axis=1)), np.finfo(float).tiny)[:, None])[here]
    turn = (np.cross(u, v) * (along[there] - along[here])).sum(axis=1)
    volume = np.sign(turn) * (c * np.cross(u, v)).sum(axis=1)
    angle = np.arctan2(volume, 1 + (c * u).sum(axis=1) + (u * v).sum(axis=1) + (v * c).sum(axis=1))
    share = np.abs(np.bincount(here, angle, minlength=len(along)))
    return np.asarray(share / share.sum())
