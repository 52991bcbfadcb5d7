"""Edges and corners of Laguerre cells in space, from the tetrahedra of the lower hull (docs/theory.md §4.3).

A tetrahedron of the hull is a corner where four cells meet, a triangle is an edge where three meet, and a
side is a face between two. On the line of the triangle abc, in the direction (y_b − y_a) × (y_c − y_a), the
cell of a fourth atom on the positive side takes over at a corner, where the edge stops; one on the other
side is left.

Flat tetrahedra, without a volume to rounding, are of two kinds. Inside, their atoms lie on one circle and the
cells around them meet along one edge: they take the corner of a neighbour, and their own edges have length or
area 0. Those that reach the outside join nearly coplanar atoms of the boundary; their corners are far beyond
all noise, and they are left out.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from numerics.accuracy import EPS

THIN = 1e-8
"""Thickness below which a tetrahedron may be flat to Qhull, whose resolution is that of the whole cloud."""
ELIMINATED = 1e-4
"""Thickness below which Cramer's rule, even refined, does not meet the planes to rounding."""
_SIDES = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
_SIX = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]])


@dataclass(frozen=True)
class Skeleton:
    """The m edges of the cells.

    Attributes:
        triples: (m, 3), the atoms a < b < c whose cells meet there.
        along: (3, m), unit vectors along (y_b − y_a) × (y_c − y_a).
        start: (3, m), the corner where each edge starts; NaN at infinity.
        stop: (3, m), where it stops; NaN at infinity.
    """

    triples: Int[np.ndarray, "m 3"]
    along: Float[np.ndarray, "3 m"]
    start: Float[np.ndarray, "3 m"]
    stop: Float[np.ndarray, "3 m"]


def skeleton(
    points: Float[np.ndarray, "n 3"], heights: Float[np.ndarray, " n"], tetrahedra: Int[np.ndarray, "t 4"]
) -> Skeleton:
    """The edges of the cells whose lower hull has these tetrahedra, at least one of them solid."""
    tetrahedra = np.sort(tetrahedra, axis=1)
    corners, thickness = _corners(points, heights, tetrahedra)
    flat = (thickness == 0) | _crossed(points, heights, tetrahedra, corners, thickness)
    tetrahedra, corners = _without_flat(tetrahedra, corners, ~flat)
    order, first, triples = _triangles(tetrahedra)
    owner, opposite = order // 4, tetrahedra.ravel()[order]
    along = _across(*(points[atoms].T for atoms in triples[first].T))
    group = np.cumsum(first) - 1
    side = dot(along[:, group], (points[opposite] - points[triples[:, 0]]).T)
    stops = _sides(side, first)
    start, stop = np.full((2, *along.shape), np.nan)
    ends = corners[owner].T
    stop[:, group[stops]] = ends[:, stops]
    start[:, group[~stops]] = ends[:, ~stops]
    return Skeleton(triples[first], along, start, stop)


def _across(
    a: Float[np.ndarray, "3 m"], b: Float[np.ndarray, "3 m"], c: Float[np.ndarray, "3 m"]
) -> Float[np.ndarray, "3 m"]:
    """Unit vectors along (b − a) × (c − a), from the two shorter sides; 0 where the three lie on a line."""
    sides = np.stack([c - b, a - c, b - a])
    longest = np.argmax([dot(side, side) for side in sides], axis=0)
    columns = np.arange(a.shape[1])
    first, second = sides[(longest + 1) % 3, :, columns].T, sides[(longest + 2) % 3, :, columns].T
    along = cross(first, second)
    return np.asarray(along / np.maximum(np.sqrt(dot(along, along)), np.finfo(float).tiny))


def dot(u: Float[np.ndarray, "3 m"], v: Float[np.ndarray, "3 m"]) -> Float[np.ndarray, " m"]:
    """⟨u, v⟩, summed in a fixed order: equal vectors give equal bits, whatever the batch."""
    return np.asarray(u[0] * v[0] + u[1] * v[1] + u[2] * v[2])


def cross(u: Float[np.ndarray, "3 m"], v: Float[np.ndarray, "3 m"]) -> Float[np.ndarray, "3 m"]:
    """The product u × v."""
    return np.stack([u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]])


# --- corners ----------------------------------------------------------------------------------


def _corners(
    points: Float[np.ndarray, "n 3"], heights: Float[np.ndarray, " n"], tetrahedra: Int[np.ndarray, "t 4"]
) -> tuple[Float[np.ndarray, "t 3"], Float[np.ndarray, " t"]]:
    """The corner x of each tetrahedron, ⟨x, y_j − y_i⟩ = g_j − g_i for its sides, and its thickness.

    Solved from the tree of its three shortest sides, so that each plane is met to rounding relative to its
    own atoms' distance: by Cramer's rule, refined once, and thin ones by elimination with pivoting, whose
    corners may be far off along the edges that meet there but lie on them. A determinant that rounding of
    the atoms could have made, 32·eps·|y|·(the two longer sides of the tree), is none; else thickness is its
    ratio to the product of the three sides.
    """
    ends = tetrahedra[:, _SIX]
    sides = points[ends[..., 1]] - points[ends[..., 0]]
    square = (sides**2).sum(axis=2)
    chosen = _shortest_tree(square)
    rows = np.arange(len(tetrahedra))[:, None]
    tree = sides[rows, chosen].transpose(1, 2, 0)
    rises = (heights[ends[..., 1]] - heights[ends[..., 0]])[rows, chosen].T
    length = np.sqrt(square[rows, chosen])
    size = np.abs(points - points.mean(axis=0)).max(axis=1)[tetrahedra].max(axis=1)
    normals = np.stack([cross(tree[1], tree[2]), cross(tree[2], tree[0]), cross(tree[0], tree[1])])
    volume = dot(tree[0], normals[0])
    solid = np.abs(volume) > 32 * EPS * size * length[:, 1] * length[:, 2]
    volume = np.where(solid, volume, 1.0)
    x = _three_by_three(normals, rises, volume)
    x += _three_by_three(normals, rises - np.stack([dot(side, x) for side in tree]), volume)
    thickness = np.abs(volume) / length.prod(axis=1)
    thin = np.flatnonzero(solid & (thickness < ELIMINATED))
    rows = tree[..., thin].transpose(2, 0, 1) / length[thin, :, None]
    x[:, thin] = np.linalg.solve(rows, (rises.T[thin] / length[thin])[..., None])[..., 0].T
    return x.T, np.where(solid & np.isfinite(x).all(axis=0), thickness, 0.0)


def _three_by_three(
    normals: Float[np.ndarray, "3 3 t"], rises: Float[np.ndarray, "3 t"], volume: Float[np.ndarray, " t"]
) -> Float[np.ndarray, "3 t"]:
    """The solutions of ⟨x, side_k⟩ = rise_k by Cramer's rule."""
    return np.asarray((rises[0] * normals[0] + rises[1] * normals[1] + rises[2] * normals[2]) / volume)


def _shortest_tree(square: Float[np.ndarray, "t 6"]) -> Int[np.ndarray, "t 3"]:
    """Of the six sides the three of the shortest spanning tree, by length (Kruskal).

    The third shortest side closes a triangle with the first two if the three share no common end and touch
    only three corners; then the fourth is taken, which cannot.
    """
    order = np.argsort(square, axis=1, kind="stable")
    touched = (1 << _SIX[order[:, :3]]).reshape(len(order), 6)
    closed = np.bitwise_count(np.bitwise_or.reduce(touched, axis=1)) == 3
    return np.column_stack([order[:, :2], np.where(closed, order[:, 3], order[:, 2])])


# --- flat tetrahedra --------------------------------------------------------------------------


def _crossed(
    points: Float[np.ndarray, "n 3"],
    heights: Float[np.ndarray, " n"],
    tetrahedra: Int[np.ndarray, "t 4"],
    corners: Float[np.ndarray, "t 3"],
    thickness: Float[np.ndarray, " t"],
) -> Bool[np.ndarray, " t"]:
    """Thin tetrahedra at whose triangles the hull is not convex: they are flat to the rounding of Qhull.

    Of two neighbours, the atom of one across the triangle must not beat the other's atoms at its corner.
    Where it does by more than rounding the thinner is flat, if it is thinner than THIN.
    """
    flat = np.zeros(len(tetrahedra), dtype=bool)
    if not (thickness < THIN).any():
        return flat
    order, first, _ = _triangles(tetrahedra)
    second = np.flatnonzero(~first)
    for one, other in ((second - 1, second), (second, second - 1)):
        here, there = order[one] // 4, order[other] // 4
        own, across = tetrahedra.ravel()[order[one]], tetrahedra.ravel()[order[other]]
        shared = tetrahedra[here, (order[one] + 1) % 4]
        step, rise = points[across] - points[shared], heights[across] - heights[shared]
        lead = (corners[here] * step).sum(axis=1) - rise
        size = np.abs(corners[here] * step).sum(axis=1) + np.abs(rise)
        thinner = np.where(thickness[here] < thickness[there], here, there)
        crossed = (lead > 1e-10 * size) & (own != across)
        flat[thinner[crossed]] = True
    return flat & (thickness < THIN)


def _without_flat(
    tetrahedra: Int[np.ndarray, "t 4"], corners: Float[np.ndarray, "t 3"], solid: Bool[np.ndarray, " t"]
) -> tuple[Int[np.ndarray, "s 4"], Float[np.ndarray, "s 3"]]:
    """Tetrahedra without the flat ones at the outside; those inside get a neighbour's corner.

    Flat ones that share triangles lie in one plane and share one fate and one corner: on which side of their
    triangles each lies is noise, and matters to no edge that way.
    """
    if solid.all():
        return tetrahedra, corners
    order, first, _ = _triangles(tetrahedra)
    owner, second = order // 4, np.flatnonzero(~first)
    left, right = owner[second - 1], owner[second]
    flat = ~solid
    both = flat[left] & flat[right]
    size = len(tetrahedra)
    links = csr_array((np.ones(int(both.sum())), (left[both], right[both])), shape=(size, size))
    _, group = connected_components(links, directed=False)
    outside = np.zeros(size, dtype=bool)
    outside[group[flat & (np.bincount(np.concatenate([left, right]), minlength=size) < 4)]] = True
    one, other = np.concatenate([left, right]), np.concatenate([right, left])
    known = solid[one] & flat[other]
    inherited = np.full((size, 3), np.nan)
    inherited[group[other[known]]] = corners[one[known]]
    corners = np.where(solid[:, None], corners, inherited[group])
    kept = solid | ~(outside[group] | np.isnan(corners[:, 0]))
    return tetrahedra[kept], corners[kept]


def _triangles(
    tetrahedra: Int[np.ndarray, "t 4"],
) -> tuple[Int[np.ndarray, " k"], Bool[np.ndarray, " k"], Int[np.ndarray, "k 3"]]:
    """The triangles of tetrahedra with ascending rows, equal ones side by side.

    Entry 4t + k is the triangle of tetrahedron t opposite its corner k.

    Returns:
        The order of the entries; whether each is the first of its kind; its atoms, ascending.
    """
    n = int(tetrahedra.max()) + 1
    triples = tetrahedra[:, _SIDES].reshape(-1, 3)
    key = (triples[:, 0] * n + triples[:, 1]) * n + triples[:, 2]
    order = np.argsort(key, kind="stable")
    first = np.ones(len(key), dtype=bool)
    first[1:] = key[order][1:] != key[order][:-1]
    return order, first, triples[order]


def _sides(side: Float[np.ndarray, " k"], first: Bool[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
    """Whether the fourth atom is on the positive side; of two tetrahedra at a triangle the fatter decides."""
    positive = side > 0
    second = np.flatnonzero(~first)
    clash = second[positive[second] == positive[second - 1]]
    thin = np.where(np.abs(side[clash]) < np.abs(side[clash - 1]), clash, clash - 1)
    positive[thin] = ~positive[thin]
    return positive
