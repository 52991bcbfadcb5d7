r"""Gaussian integrals over the faces of cells in space, from their edges (docs/theory.md §4.3).

For a face at signed distance h from 0, with normal n, and each of its edges, counter-clockwise, at signed
distance k from the foot hn of the perpendicular, s the position along it, q = k² + s², r² = h² + q:

- swept, the mass beyond the face as seen from 0: $\mathrm{sgn}(h) Q(|h|)·W - Σ∫
\frac{hk}{2π}\frac{Q(r)}{rq}ds$,
  Q = 1 − Φ and W the winding number of the face's boundary about its foot;
- flux, its Gaussian area: $φ(h)·[W - Σ∫\frac{k}{2πq}e^{-q/2}ds]$.

With 2Q(r)/r = 1/r − M(r²) and M, φ in divided differences,

$$∫\frac{hk}{2π}\frac{Q(r)}{rq}ds = \frac{1}{4π}[Δψ - \mathrm{erf}(\tfrac{h}{√2})Δθ] +
  \frac{hk}{4π}∫\frac{M(h^2)-M(r^2)}{q}ds, \quad \tanθ = \frac sk,\ \tanψ = \frac{hs}{kr},$$

whose integrand is entire (`edge_rules`). W = (ΣΔθ + the angle at infinity)/2π is never rounded: where the
foot lies on the boundary to rounding, W is the angle there over 2π, and what W jumps by cancels in Δθ and
Δψ. For that the two edges at a corner must see it in one place: positions in a face are projections of
corners, equal bit by bit, and k is their cross product.

Next to 0 the sweeping field is singular, and where an edge passes 0 nearby solid angles turn on rounding. The
field $C(r)/(4πr^3)·x$ has the normal density as divergence too, and is smooth at 0; what it lets

- passed, through the face, is $Σ[\frac{hk}{4π}∫\frac{M(h^2)-M(r^2)}{q}ds] + \mathrm{erf}(\tfrac{h}{√2})·
  (\text{the angle at infinity})/4π$, and P(C_i) = (cone of C_i at infinity)/4π + Σ passed:

it is what cells with an edge within `NEAR` of 0 are measured by.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import erf, gamma, gammainc, ndtr

from numerics.transport.edge_rules import ORDERS, REACH, classes, rule
from numerics.transport.skeleton import Skeleton, cross, dot
from numerics.transport.solid_angles import cones

Numbers: TypeAlias = Float[np.ndarray, " _"]
Values: TypeAlias = Float[np.ndarray, "..."]
Vectors: TypeAlias = Float[np.ndarray, "3 _"]

NEAR = 1e-2
"""Cells with an edge nearer to 0 are measured by the smooth field: farther, rounding grows by 1/NEAR."""
_TAU = 2 * np.pi
_ROOT_TAU = float(np.sqrt(_TAU))
_ROOT_TWO = float(np.sqrt(2))
_NEAR_FOOT = 2.0**-10
_FACES = ((0, 1, 1.0), (1, 2, 1.0), (0, 2, -1.0))
"""The faces at an edge abc, as places in the triple, and the sign of u × n: outward is towards the third."""


@dataclass(frozen=True)
class FaceIntegrals:
    """What the faces sweep and let through.

    Attributes:
        pairs: (m, 2), the atoms i < j on the two sides of each face.
        offset: (m,), h along the normal i → j.
        swept: (m,), the mass beyond each face as seen from 0, with the sign of h.
        flux: (m,), φ(h) times the planar Gaussian mass of the face, ≥ 0.
        passed: (m,), what the smooth field lets through each face along its normal.
        near: (n,), whether a cell has an edge within NEAR of 0.
        cone: (n,), the part of all directions in which each cell reaches infinity.
    """

    pairs: Int[np.ndarray, "m 2"]
    offset: Float[np.ndarray, " m"]
    swept: Float[np.ndarray, " m"]
    flux: Float[np.ndarray, " m"]
    passed: Float[np.ndarray, " m"]
    near: Bool[np.ndarray, " n"]
    cone: Float[np.ndarray, " n"]


def integrate(
    points: Float[np.ndarray, "n 3"], heights: Float[np.ndarray, " n"], edges: Skeleton
) -> FaceIntegrals:
    """The integrals over all faces of a diagram with these edges.

    What edges miss by their rules is stated in `edge_rules`, what the cut at distance 9 misses is below
    1e−18; the rest is rounding, some eps a face.
    """
    n = len(points)
    pairs = np.concatenate([edges.triples[:, [first, second]] for first, second, _ in _FACES])
    sign = np.repeat([sign for *_, sign in _FACES], len(edges.triples))
    key, face = np.unique(pairs[:, 0] * n + pairs[:, 1], return_inverse=True)
    found = np.column_stack([key // n, key % n])
    normal = (points[found[:, 1]] - points[found[:, 0]]).T
    length = np.sqrt(dot(normal, normal))
    normal, offset = normal / length, (heights[found[:, 1]] - heights[found[:, 0]]) / length
    segments = Segments.of(edges)
    sides = Sides.of(segments, normal[:, face], offset[face], sign)
    at_infinity = _directions_at_infinity(segments, normal, face, sign)
    angle = np.arctan2(dot(normal, cross(*at_infinity)), dot(*at_infinity))
    winding = np.bincount(face, sides.angle, len(found)) + angle
    swept, flux, passed = (np.bincount(face, part, len(found)) for part in _along_edges(segments, sides))
    swept = np.where(offset == 0, 0.0, np.sign(offset) * ndtr(-np.abs(offset)) * winding / _TAU - swept)
    flux = np.maximum(_density(offset**2) * winding / _TAU - flux, 0.0)
    passed += erf(offset / _ROOT_TWO) * angle / (2 * _TAU)
    near = np.zeros(n, dtype=bool)
    near[edges.triples[segments.distance < NEAR]] = True
    return FaceIntegrals(found, offset, swept, flux, passed, near, cones(points, found, *at_infinity))


# --- where edges are --------------------------------------------------------------------------


@dataclass(frozen=True)
class Segments:
    """The m edges in space.

    Attributes:
        along: (3, m), unit vectors from start to stop.
        start: (3, m), 0 where the edge begins at infinity.
        stop: (3, m), 0 where it ends there.
        begins: (m,), whether start is a corner.
        ends: (m,), whether stop is.
        distance: (m,), of the line from 0.
        low: (m,), where the part within REACH of 0 begins, from the point of the line nearest to 0.
        high: (m,), where it ends; low where there is none.
    """

    along: Vectors
    start: Vectors
    stop: Vectors
    begins: Bool[np.ndarray, " _"]
    ends: Bool[np.ndarray, " _"]
    distance: Numbers
    low: Numbers
    high: Numbers

    @classmethod
    def of(cls, edges: Skeleton) -> "Segments":
        """Edges with their directions taken from their own corners, so that both ends lie on one line."""
        begins, ends = np.isfinite(edges.start[0]), np.isfinite(edges.stop[0])
        start, stop = np.where(begins, edges.start, 0.0), np.where(ends, edges.stop, 0.0)
        step = stop - start
        length = np.sqrt(dot(step, step))
        both = begins & ends & (length > 0)
        length = np.where(both, length, 1.0)
        along = np.where(both, step / length, edges.along)
        nearer = begins & (~ends | (dot(start, start) < dot(stop, stop)))
        foot = np.where(nearer, start, stop)
        foot = foot - along * dot(foot, along)
        distance = np.sqrt(dot(foot, foot))
        low = np.where(begins, dot(start, along), -np.inf)
        high = np.where(ends, dot(stop, along), np.inf)
        cut = _cut(distance)
        low, high = np.clip(low, -cut, cut), np.clip(high, -cut, cut)
        return cls(along, start, stop, begins, ends, distance, low, high)


@dataclass(frozen=True)
class Sides:
    """Edges as sides of faces, three faces an edge: entry f·m + e is edge e in its f-th face.

    Attributes:
        h: Distance of the face's plane from 0.
        k: Distance of the edge's line from the foot, outward; its sign says how the boundary runs.
        start: Where the edge begins, from the point of the line nearest to the foot; −inf at infinity.
        stop: Where it ends.
        low: Where its part within REACH of 0 begins.
        high: Where that ends.
        angle: Δθ over the whole edge.
    """

    h: Numbers
    k: Numbers
    start: Numbers
    stop: Numbers
    low: Numbers
    high: Numbers
    angle: Numbers

    @classmethod
    def of(cls, segments: Segments, normal: Vectors, offset: Numbers, sign: Numbers) -> "Sides":
        """Positions of the edges in their faces, from projections of the corners."""
        begins, ends = np.tile(segments.begins, 3), np.tile(segments.ends, 3)
        first, last = (_projected(np.tile(end, 3), normal) for end in (segments.start, segments.stop))
        whole = begins & ends
        step = last - first
        length = np.sqrt(dot(step, step))
        length = np.where(length > 0, length, 1.0)
        along = np.where(whole, step / length, np.tile(segments.along, 3))
        turn = sign * dot(normal, cross(first, last))
        half = sign * dot(normal, cross(np.where(begins, first, last), along))
        k = np.where(whole, turn / length, half)
        start = np.where(begins, dot(first, along), -np.inf)
        stop = np.where(ends, dot(last, along), np.inf)
        # On a line through the foot Δθ, 0 or ±π, is 0: what the boundary turns there belongs to neither side.
        turned = np.where(turn == 0, 0.0, np.arctan2(turn, dot(first, last)))
        angle = np.where(whole, turned, _angle(start, stop, k))
        cut = np.tile(_cut(segments.distance), 3)
        return cls(offset, k, start, stop, np.clip(start, -cut, cut), np.clip(stop, -cut, cut), angle)


def _projected(corner: Vectors, normal: Vectors) -> Vectors:
    """Corners in the planes ⟂ normal; twice, so that also those next to 0 there lie in them to rounding."""
    once = corner - normal * dot(corner, normal)
    return once - normal * dot(once, normal)


def _cut(distance: Numbers) -> Numbers:
    """Where a line at that distance leaves the ball of radius REACH about 0; 0 if it never enters."""
    return np.sqrt(np.maximum(REACH**2 - distance**2, 0.0))


def _angle(low: Numbers, high: Numbers, k: Numbers) -> Numbers:
    """arctan(high/k) − arctan(low/k); 0 on lines through the foot."""
    through = k == 0
    divisor = np.where(through, 1.0, k)
    with np.errstate(over="ignore"):
        return np.where(through, 0.0, np.arctan(high / divisor) - np.arctan(low / divisor))


def _directions_at_infinity(
    segments: Segments, normal: Vectors, face: Int[np.ndarray, " _"], sign: Numbers
) -> tuple[Vectors, Vectors]:
    """(3, m) twice: where each face's boundary goes to infinity and comes from; 0 if nowhere.

    It runs counter-clockwise. The angle between them is below π, as the atoms span space.
    """
    outgoing, incoming = np.zeros((2, 3, normal.shape[1]))
    for finite, towards in ((segments.ends, 1.0), (segments.begins, -1.0)):
        rows = np.flatnonzero(~np.tile(finite, 3))
        direction = towards * segments.along[:, rows % len(finite)]
        leaves = sign[rows] == towards
        outgoing[:, face[rows[leaves]]] = direction[:, leaves]
        incoming[:, face[rows[~leaves]]] = direction[:, ~leaves]
    return outgoing, incoming


# --- what is integrated along them ------------------------------------------------------------


def _along_edges(segments: Segments, sides: Sides) -> tuple[Numbers, Numbers, Numbers]:
    """The three integrals over each side, in the order of the sides."""
    over_kernel, over_density = _smooth_parts(segments, sides)
    over_kernel *= sides.h * sides.k
    angle = _angle(sides.low, sides.high, sides.k)
    leaning = _leaning(sides, sides.high) - _leaning(sides, sides.low)
    beyond = _leaning(sides, sides.stop) - _leaning(sides, sides.start) - leaning
    slope = erf(sides.h / _ROOT_TWO)
    swept = (leaning - slope * angle + over_kernel) / (2 * _TAU)
    flux = (_density(sides.h**2) * angle - sides.k * over_density) / _TAU
    passed = (over_kernel + slope * (sides.angle - angle) - beyond) / (2 * _TAU)
    return swept, flux, passed


def _leaning(sides: Sides, s: Numbers) -> Numbers:
    """ψ = arctan(hs/(kr)) at positions s; 0 on lines through the foot."""
    closest = np.sqrt(sides.h**2 + sides.k**2)
    through = sides.k == 0
    with np.errstate(over="ignore", divide="ignore"):
        towards = 1 / np.sqrt(1 + (np.where(through, 1.0, closest) / s) ** 2)
        slope = sides.h / np.where(through, 1.0, sides.k) * np.copysign(towards, s)
    return np.where(through, 0.0, np.arctan(slope))


def _smooth_parts(segments: Segments, sides: Sides) -> Float[np.ndarray, "2 k"]:
    """∫(M(h²) − M(r²))/q ds and ∫(φ(h) − φ(r))/q ds over each side, by the rule that its length asks for."""
    m = len(segments.low)
    out = np.zeros((2, 3 * m))
    size = segments.high - segments.low
    kind = np.where(size > 0, classes(size / 2), -1)
    for place, order in enumerate(ORDERS):
        rows = np.flatnonzero(kind == place)
        nodes, weights = rule(order)
        position = segments.low[rows, None] + size[rows, None] * nodes
        square = segments.distance[rows, None] ** 2 + position**2
        kernels = _kernel(square), _density(square)
        for side in (rows, rows + m, rows + 2 * m):
            length = (sides.high - sides.low)[side]
            q = sides.k[side, None] ** 2 + (sides.low[side, None] + length[:, None] * nodes) ** 2
            for part, values in enumerate(_divided(sides.h[side, None] ** 2, q, kernels)):
                out[part, side] = length * (values @ weights)
    return out


def _divided(v: Values, q: Values, kernels: tuple[Values, Values]) -> tuple[Values, Values]:
    r"""(M(v) − M(v+q))/q and the same of φ, given M and φ at v + q; where q is small, from derivatives.

    With F_n(T) = ∫₀¹t²ⁿe^{−Tt²}dt the first is −M' at the middle less q²/24 times M''' there,
    $[F_1 + q^2F_3/96]/\sqrt{2π}$ at T = (v + q/2)/2; the next term is below q⁴/3e5 of it.
    """
    small = q < _NEAR_FOOT
    divisor = np.where(small, 1.0, q)
    first, second = ((f(v) - at) / divisor for f, at in zip((_kernel, _density), kernels, strict=True))
    rows, columns = np.nonzero(small)
    near, base = q[rows, columns], v[rows, 0]
    middle = (base + near / 2) / 2
    first[rows, columns] = (_boys(1, middle) + near**2 / 96 * _boys(3, middle)) / _ROOT_TAU
    near = np.maximum(near, np.finfo(float).tiny)
    second[rows, columns] = -_density(base) * np.expm1(-near / 2) / near
    return first, second


def _boys(n: int, t: Numbers) -> Numbers:
    """F_n(t) = ∫₀¹ x²ⁿ e^{−tx²}dx by the incomplete Γ function."""
    t = np.maximum(t, 1e-40)
    return np.asarray(gamma(n + 0.5) * gammainc(n + 0.5, t) / (2 * t ** (n + 0.5)))


def _kernel(square: Values) -> Values:
    """M(r²) = erf(r/√2)/r."""
    r = np.sqrt(np.maximum(square, np.finfo(float).tiny))
    return np.asarray(erf(r / _ROOT_TWO) / r)


def _density(square: Values) -> Values:
    """φ(r), the normal density on the line, of r²."""
    with np.errstate(under="ignore"):
        return np.asarray(np.exp(-square / 2) / _ROOT_TAU)
