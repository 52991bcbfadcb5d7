r"""Laguerre cells in the plane and their Gaussian integrals, in closed form (docs/theory.md §4.3).

For atoms $y_i ∈ R^2$ and heights $g_i$ the cell of atom i is

$$C_i = \{x_0 : ⟨x_0, y_i⟩ - g_i ≥ ⟨x_0, y_j⟩ - g_j \text{ for all } j\}.$$

It is a convex polygon, bounded or not, and may be empty. The cells are dual to the lower convex hull of
the lifted points $(y_i, g_i)$: an edge of the hull is an edge between two cells, a triangle of the hull is
a corner where three cells meet, and the slope of the triangle is that corner.

With n the outward unit normal of an edge of $C_i$, h the signed distance of its line from the origin and
s₁ < s₂ the positions of its ends counter-clockwise, φ and Φ the normal density and law, T Owen's function:

- mass $P(C_i) = 1\{0 ∈ C_i\} - Σ [T(h, s_2/h) - T(h, s_1/h)]$, $T(h, ±∞) = ±\tfrac12 Φ(-|h|)$;
- first moment $∫_{C_i} x\,dγ = -Σ n\,φ(h)(Φ(s_2) - Φ(s_1))$, by Green's formula, as $∇γ = -xγ$;
- $∂P(C_i)/∂g_j = φ(h)(Φ(s_2) - Φ(s_1))/|y_i - y_j|$ for the neighbour j.

Everything is one array operation over edges; each edge serves the cells on its two sides.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import ArrayLike
from scipy.spatial import ConvexHull
from scipy.special import ndtr, owens_t

from numerics.accuracy import EPS
from numerics.checks import as_array, as_points
from numerics.transport.diagram import Diagram, levelled
from numerics.transport.hulls import collinear_neighbours, lower_hull, principal_axes

_ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class LaguerreDiagram(Diagram):
    """The cells of n atoms in the plane, as the list of the m edges between them.

    Attributes:
        points: (n, 2), the atoms y.
        start: (m,), s₁ along the normal of each edge turned by +90°, −inf where the edge has no end.
        stop: (m,), s₂, +inf where the edge has no end. s₂ < s₁ happens by rounding only.
    """

    start: Float[np.ndarray, " m"]
    stop: Float[np.ndarray, " m"]

    def at(self, heights: Float[np.ndarray, " n"]) -> "LaguerreDiagram":
        """The cells of the same atoms at other heights."""
        return build(self.points, heights)

    @cached_property
    def flux(self) -> Float[np.ndarray, " m"]:
        """φ(h)(Φ(s₂) − Φ(s₁)) ≥ 0: the Gaussian line integral over each edge."""
        with np.errstate(over="ignore"):
            across = np.exp(-(self.offset**2) / 2) / _ROOT_TWO_PI
        return across * np.maximum(_normal_between(self.start, self.stop), 0.0)

    @cached_property
    def swept(self) -> Float[np.ndarray, " m"]:
        """T(h, s₂/h) − T(h, s₁/h): the mass beyond each edge as seen from 0."""
        return _swept(self.offset, self.start, self.stop)

    @cached_property
    def around_origin(self) -> Float[np.ndarray, " n"]:
        """(n,), the part of a small disc about 0 that lies in each cell."""
        return _around_origin(self.points, self.heights)


def laguerre(points: ArrayLike, heights: ArrayLike) -> LaguerreDiagram:
    """The Laguerre diagram of atoms in the plane.

    Args:
        points: (n, 2), finite, no two equal; collinear atoms are allowed (the cells are then strips).
        heights: (n,), finite.

    Returns:
        The diagram, in time n log n (Qhull). Which of two cells gets an edge of length below rounding is
        decided by rounding; the masses do not notice.

    Raises:
        ValueError: If shapes don't fit or an entry is not finite.
    """
    atoms = as_points("points", as_array("points", points, ndim=2), 2)
    g = as_array("heights", heights, ndim=1)
    if len(g) != len(atoms):
        raise ValueError(f"heights: got {len(g)} for {len(atoms)} points; give one a point")
    return build(atoms, g)


def build(points: Float[np.ndarray, "n 2"], heights: Float[np.ndarray, " n"]) -> LaguerreDiagram:
    """As `laguerre`, without validation: for loops that build many diagrams."""
    heights = levelled(heights)
    triangles = lower_hull(points, heights)
    if not len(triangles):
        pairs = collinear_neighbours(points, heights)
        infinite = np.full(len(pairs), np.inf)
        return _diagram(points, heights, pairs, -infinite, infinite)
    return _from_triangles(points, heights, triangles)


# --- edges ------------------------------------------------------------------------------------


def _from_triangles(
    points: Float[np.ndarray, "n 2"], heights: Float[np.ndarray, " n"], triangles: Int[np.ndarray, "t 3"]
) -> LaguerreDiagram:
    corners, solid = _corners(points, heights, triangles)
    triangles, corners = triangles[solid], corners[solid]
    sides = np.concatenate([triangles[:, [1, 2]], triangles[:, [2, 0]], triangles[:, [0, 1]]])
    third = np.concatenate([triangles[:, 0], triangles[:, 1], triangles[:, 2]])
    ends = np.concatenate([corners, corners, corners])
    sides.sort(axis=1)
    key = sides[:, 0] * len(points) + sides[:, 1]
    order = np.argsort(key, kind="stable")
    key, sides, third, ends = key[order], sides[order], third[order], ends[order]
    unit = points[sides[:, 1]] - points[sides[:, 0]]
    unit /= np.hypot(*unit.T)[:, None]
    # Along the edge, the cell of the third atom begins at the corner: beyond it if that atom lies on the
    # positive side of y_i y_j, before it otherwise.
    across = _cross(unit, points[third] - points[sides[:, 0]])
    position = _cross(unit, ends)
    first = np.ones(len(sides), dtype=bool)
    first[1:] = key[1:] != key[:-1]
    group = np.cumsum(first) - 1
    start, stop = np.full(group[-1] + 1, -np.inf), np.full(group[-1] + 1, np.inf)
    positive = _sides_of_edges(across, first)
    stop[group[positive]] = position[positive]
    start[group[~positive]] = position[~positive]
    return _diagram(points, heights, sides[first], start, stop)


def _sides_of_edges(across: Float[np.ndarray, " k"], first: Bool[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
    """Whether the third atom is on the positive side; of two triangles at an edge the fatter one decides.

    Two triangles at an edge lie on opposite sides of it. For slivers the computed signs may coincide.
    """
    positive = across > 0
    second = np.flatnonzero(~first)
    clash = second[positive[second] == positive[second - 1]]
    thin = np.where(np.abs(across[clash]) < np.abs(across[clash - 1]), clash, clash - 1)
    positive[thin] = ~positive[thin]
    return positive


def _corners(
    points: Float[np.ndarray, "n 2"], heights: Float[np.ndarray, " n"], triangles: Int[np.ndarray, "t 3"]
) -> tuple[Float[np.ndarray, "t 2"], Bool[np.ndarray, " t"]]:
    """The corner x of each triangle, ⟨x, y_b − y_a⟩ = g_b − g_a for its sides, and whether it has an area.

    Solved from the two shortest sides, which are the better conditioned, and refined once. An area that the
    hull's rounding of the atoms could have made, 16·eps·|y|·(longest side), is none: its sign, and with it
    the side on which the corner lies, is noise. Such slivers join nearly collinear atoms of the boundary,
    as in a turned grid, and their corners are far beyond all noise.
    """
    corner = points[triangles]
    opposite = corner[:, [2, 0, 1]] - corner[:, [1, 2, 0]]
    base = np.argmax((opposite**2).sum(axis=2), axis=1)
    rows = np.arange(len(triangles))
    a, b, c = (triangles[rows, (base + k) % 3] for k in range(3))
    u, v = points[b] - points[a], points[c] - points[a]
    rise_u, rise_v = heights[b] - heights[a], heights[c] - heights[a]
    area = _cross(u, v)
    longest = np.sqrt((opposite**2).sum(axis=2).max(axis=1))
    size = np.abs(corner - points.mean(axis=0)).max(axis=(1, 2))
    solid = np.abs(area) > 16 * EPS * size * longest
    area = np.where(solid, area, 1.0)
    x = _two_by_two(u, v, rise_u, rise_v, area)
    x += _two_by_two(u, v, rise_u - (u * x).sum(axis=1), rise_v - (v * x).sum(axis=1), area)
    return x, solid & np.isfinite(x).all(axis=1)


def _two_by_two(
    u: Float[np.ndarray, "t 2"],
    v: Float[np.ndarray, "t 2"],
    rise_u: Float[np.ndarray, " t"],
    rise_v: Float[np.ndarray, " t"],
    area: Float[np.ndarray, " t"],
) -> Float[np.ndarray, "t 2"]:
    """The solutions of ⟨x,u⟩ = rise_u, ⟨x,v⟩ = rise_v by Cramer's rule, area = u × v."""
    x = rise_u * v[:, 1] - rise_v * u[:, 1]
    y = rise_v * u[:, 0] - rise_u * v[:, 0]
    return np.column_stack([x, y]) / area[:, None]


def _diagram(
    points: Float[np.ndarray, "n 2"],
    heights: Float[np.ndarray, " n"],
    pairs: Int[np.ndarray, "m 2"],
    start: Float[np.ndarray, " m"],
    stop: Float[np.ndarray, " m"],
) -> LaguerreDiagram:
    step = points[pairs[:, 1]] - points[pairs[:, 0]]
    offset = (heights[pairs[:, 1]] - heights[pairs[:, 0]]) / np.hypot(*step.T)
    return LaguerreDiagram(points, heights, pairs, offset, start, stop)


# --- Gaussian integrals -----------------------------------------------------------------------


def _cross(u: Float[np.ndarray, "k 2"], v: Float[np.ndarray, "k 2"]) -> Float[np.ndarray, " k"]:
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def _normal_between(start: Float[np.ndarray, " m"], stop: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Φ(s₂) − Φ(s₁), in the tail where both lie so that nothing cancels against 1."""
    flip = np.where(start > -stop, -1.0, 1.0)
    return flip * (ndtr(flip * stop) - ndtr(flip * start))


def _swept(
    offset: Float[np.ndarray, " m"], start: Float[np.ndarray, " m"], stop: Float[np.ndarray, " m"]
) -> Float[np.ndarray, " m"]:
    """T(h, s₂/h) − T(h, s₁/h): the mass beyond the edge as seen from 0; 0 where its line meets 0."""
    through = offset == 0
    h = np.where(through, 1.0, offset)
    with np.errstate(over="ignore"):
        swept = owens_t(h, stop / h) - owens_t(h, start / h)
    return np.where(through, 0.0, swept)


def _around_origin(
    points: Float[np.ndarray, "n 2"], heights: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """(n,), the part of a small disc about 0 that lies in each cell: the atoms of least height share it.

    One lowest atom has all of it. Several, of exactly equal height, share it by the exterior angles of
    their convex hull: near 0 the diagram is the hull's normal fan.
    """
    share = np.zeros(len(points))
    lowest = np.flatnonzero(heights == heights.min())
    share[lowest] = _exterior_angles(points[lowest])
    return share


def _exterior_angles(points: Float[np.ndarray, "k 2"]) -> Float[np.ndarray, " k"]:
    """Exterior angles of the convex hull of the points, over 2π; 0 for points that are no corners."""
    k = len(points)
    if k <= 2:
        return np.full(k, 1.0 / k)
    along, width = principal_axes(points)
    share = np.zeros(k)
    if not width.all():
        share[[np.argmin(along[:, 0]), np.argmax(along[:, 0])]] = 0.5
        return share
    corners = ConvexHull(along / width).vertices
    side = np.roll(points[corners], -1, axis=0) - points[corners]
    before = np.roll(side, 1, axis=0)
    turn = np.arctan2(_cross(before, side), (before * side).sum(axis=1))
    share[corners] = np.abs(turn) / np.abs(turn).sum()
    return share
