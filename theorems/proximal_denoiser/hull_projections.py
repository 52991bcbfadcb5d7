"""Projections on closed convex hulls of supports, by geometry alone: no prox enters (P7, N7)."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from numerics.accuracy import Rounding
from numerics.geometry import norms
from numerics.potentials import (
    Arc,
    Curve,
    DegenerateGaussian,
    FiniteAtoms,
    Grassmannian,
    NearestPoint,
    Potential,
    Quantile,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
)

Array = NDArray[np.float64]
Projection = Callable[[Array], Array]


@dataclass(frozen=True)
class Hull:
    """A target and the projection on the closed convex hull of its support.

    Attributes:
        name: What the hull is.
        target: φ.
        project: (n,d) ↦ (n,d).
        roundings: How many roundings of the point's length the projection passes; it is nonexpansive.
        decomposed: What a decomposition of the point that the projection rests on errs by, measured.
        slope: A bound on the least subgradient of φ at points of the hull's boundary, where one is known.
    """

    name: str
    target: Potential
    project: Projection
    roundings: int
    slope: Callable[[Array], Array] | None = None
    decomposed: Callable[[Array], Rounding] | None = None

    def distance_of_prox(self, z: Array, step: float) -> Array:
        """A bound on |prox_{step·φ}(z) − p|, p = proj(z): √(2λ(φ(p) − min φ)), or λ times the slope.

        u = prox is in the hull, so |u − p|² ≤ |u − z|² − |p − z|² ≤ 2λ(φ(p) − φ(u)); and min φ = −φ*(0).
        """
        aim = self.project(z)
        above = self.target.value(aim) + self.target.conjugate(np.zeros((1, self.target.dim)))
        root = np.sqrt(2 * step * np.maximum(above, 0.0))
        return root if self.slope is None else np.minimum(root, step * self.slope(aim))

    def rounding(self, x: Array, aim: Array) -> Rounding:
        """Of the projection and of a difference from it."""
        own = Rounding(2 * norms(x) + 2 * norms(aim), self.roundings, "the projection, and the comparison")
        return own if self.decomposed is None else own + self.decomposed(x)


# --- polytopes ------------------------------------------------------------------------------------------


def on_cross_polytope(x: Array) -> Array:
    """On |x|₁ ≤ 1 by sorting [@held1974validation]."""
    size = np.sort(np.abs(x), axis=1)[:, ::-1]
    excess = (np.cumsum(size, axis=1) - 1) / np.arange(1, x.shape[1] + 1)
    threshold = excess[np.arange(len(x)), (size > excess).sum(axis=1) - 1]
    return np.asarray(np.sign(x) * np.maximum(np.abs(x) - np.maximum(threshold, 0)[:, None], 0))


def on_vertices(vertices: Array) -> Projection:
    """On the hull of a few points: the nearest among the feet on the faces that contain their foot."""
    sizes = range(1, len(vertices[0]) + 2)
    subsets = [s for k in sizes for s in itertools.combinations(range(len(vertices)), k)]

    def project(x: Array) -> Array:
        best, least = np.zeros_like(x), np.full(len(x), np.inf)
        for first, *rest in subsets:
            edges = (vertices[rest] - vertices[first]).T
            if rest and np.linalg.matrix_rank(edges) < len(rest):  # NumPy 2.0 knows no rank of no column
                continue
            inner = (x - vertices[first]) @ np.linalg.pinv(edges).T
            foot = vertices[first] + inner @ edges.T
            held = (inner >= 0).all(axis=1) & (inner.sum(axis=1) <= 1)
            nearer = held & (norms(foot - x) < least)
            best[nearer], least[nearer] = foot[nearer], norms(foot - x)[nearer]
        return best

    return project


def on_segment(first: Array, second: Array) -> Projection:
    """On a segment."""
    way = second - first
    return lambda x: np.asarray(first + np.clip((x - first) @ way / (way @ way), 0, 1)[:, None] * way)


# --- curves and surfaces ----------------------------------------------------------------------------------


def on_ellipse(a: float, b: float) -> Projection:
    """On x²/a² + y²/b² ≤ 1: x_i a_i²/(a_i² + τ), τ ≥ 0 by bisection."""
    squares = np.array([a**2, b**2])

    def project(x: Array) -> Array:
        low, high = np.zeros(len(x)), max(a, b) * norms(x) + 1.0
        for _ in range(100):
            middle = (low + high) / 2
            outside = ((squares * x / (squares + middle[:, None])) ** 2 / squares).sum(axis=1) > 1
            low, high = np.where(outside, middle, low), np.where(outside, high, middle)
        inside = (x**2 / squares).sum(axis=1) <= 1
        return np.where(inside[:, None], x, squares * x / (squares + high[:, None]))

    return project


def on_circular_segment(radius: float, start: float, stop: float) -> Projection:
    """On the hull of an arc below a half-turn: of the arc and its chord, the nearer, unless inside."""
    ends = radius * np.array([[np.cos(angle), np.sin(angle)] for angle in (start, stop)])
    middle = np.array([np.cos((start + stop) / 2), np.sin((start + stop) / 2)])
    on_chord = on_segment(*ends)

    def project(x: Array) -> Array:
        inside = (norms(x) <= radius) & (x @ middle >= ends[0] @ middle)
        turned = (np.arctan2(x[:, 1], x[:, 0]) - start) % (2 * np.pi)
        radial = radius * x / norms(x)[:, None]
        above = (turned <= stop - start) & (x @ middle >= ends[0] @ middle)
        return np.where(inside[:, None], x, np.where(above[:, None], radial, on_chord(x)))

    return project


def on_torus_hull(major: float, minor: float) -> Projection:
    """On the flat disc of the major radius, thickened by the minor one."""

    def project(x: Array) -> Array:
        flat = x * [1.0, 1.0, 0.0]
        disc = flat * np.minimum(1.0, major / np.maximum(norms(flat), 1e-300))[:, None]
        away = x - disc
        return np.asarray(disc + away * np.minimum(1.0, minor / np.maximum(norms(away), 1e-300))[:, None])

    return project


# --- matrices ---------------------------------------------------------------------------------------------


def missed(matrices: Array, left: Array, size: Array, right: Array, at_zero: float = 0.0) -> Rounding:
    """What computed factors L, s, R make of a projection L·f(s)·R: (n,).

    Of f it is asked that it is nonexpansive and |f(0)| ≤ ``at_zero``. The polar factors of L and R are
    orthonormal and within |LᵀL − I| and |RRᵀ − I| of them, so a matrix with exactly these decompositions lies
    within r + e|s| of the given one, r the residual and e the two defects, and its projection within e|f(s)|
    of the computed one, |f(s)| ≤ |s| + |f(0)|. Projections are nonexpansive; nothing is taken from LAPACK on
    trust. Residual and defects are inner products of few terms, and so are the products.
    """
    p, identity = size.shape[1], np.eye(size.shape[1])
    residual = np.linalg.norm((left * size[:, None]) @ right - matrices, axis=(1, 2))
    defect = np.linalg.norm(left.transpose(0, 2, 1) @ left - identity, axis=(1, 2))
    defect = defect + np.linalg.norm(right @ right.transpose(0, 2, 1) - identity, axis=(1, 2))
    length = norms(size) + at_zero
    found = Rounding.measured(residual + 2.1 * defect * length, "a decomposition's residual and its defects")
    return found + Rounding(p * length, 8 * (len(left[0]) + 4), "inner products of its factors")


def by_singular_values(n: int, p: int) -> Callable[[Array], Rounding]:
    """`missed` for n×p matrices."""

    def measured(x: Array) -> Rounding:
        matrices = x.reshape(-1, n, p)
        return missed(matrices, *np.linalg.svd(matrices, full_matrices=False))

    return measured


def by_eigenvalues(n: int) -> Callable[[Array], Rounding]:
    """`missed` for symmetric n×n matrices, given by their upper triangles, and eigenvalues cut to [0, 1]."""

    def measured(x: Array) -> Rounding:
        matrices = symmetric(x, n)
        size, vectors = np.linalg.eigh(matrices)
        return missed(matrices, vectors, size, vectors.transpose(0, 2, 1), np.sqrt(n))

    return measured


def symmetric(x: Array, n: int) -> Array:
    """Symmetric matrices (k,n,n) from upper triangles, off-diagonals times √2."""
    rows, columns = np.triu_indices(n)
    matrix = np.zeros((len(x), n, n))
    matrix[:, rows, columns] = matrix[:, columns, rows] = x / np.where(rows == columns, 1.0, np.sqrt(2))
    return matrix


def on_spectral_ball(n: int, p: int) -> Projection:
    """On the n×p matrices of spectral norm at most 1: singular values are cut off."""

    def project(x: Array) -> Array:
        left, size, right = np.linalg.svd(x.reshape(-1, n, p), full_matrices=False)
        return np.asarray(((left * np.minimum(size, 1.0)[:, None]) @ right).reshape(len(x), -1))

    return project


def on_fantope(n: int, k: int) -> Projection:
    """On 0 ≼ P ≼ I with trace k: eigenvalues are shifted and cut off, the shift by bisection."""
    rows, columns = np.triu_indices(n)
    factor = np.where(rows == columns, 1.0, np.sqrt(2))

    def project(x: Array) -> Array:
        size, vectors = np.linalg.eigh(symmetric(x, n))
        low, high = size.min(axis=1) - 1, size.max(axis=1)
        for _ in range(100):
            middle = (low + high) / 2
            much = np.clip(size - middle[:, None], 0, 1).sum(axis=1) > k
            low, high = np.where(much, middle, low), np.where(much, high, middle)
        cut = np.clip(size - low[:, None], 0, 1)
        found = (vectors * cut[:, None]) @ vectors.transpose(0, 2, 1)
        return np.asarray(found[:, rows, columns] * factor)

    return project


def on_rotations(x: Array) -> Array:
    """On the hull of SO(3): signed singular values go to the tetrahedron of signs with product 1."""
    corners = np.array([[1.0, 1.0, 1.0], [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]])
    left, size, right = np.linalg.svd(x.reshape(-1, 3, 3))
    sign = np.sign(np.linalg.det(left) * np.linalg.det(right))
    signed = on_vertices(corners)(size * np.stack([sign * 0 + 1, sign * 0 + 1, sign], axis=1))
    left = left.copy()
    left[:, :, 2] *= sign[:, None]
    return np.asarray(((left * signed[:, None]) @ right).reshape(len(x), -1))


def _flat(aim: Array) -> Array:
    """0 is a subgradient of an indicator at every point of its domain."""
    return np.zeros(len(aim))


TWO = FiniteAtoms.two([0.0, 1.0], [2.0, 0.0], 0.3)


def _between(aim: Array) -> Array:
    """φ is linear between two atoms: its slope is |g₁ − g₀|/|y₁ − y₀|."""
    return np.full(len(aim), np.ptp(TWO.heights) / np.sqrt(5))


HULLS = (
    Hull("cube", FiniteAtoms.hypercube(3), lambda x: np.clip(x, -1.0, 1.0), 8, _flat),
    Hull("cross-polytope", FiniteAtoms.cross_polytope(3), on_cross_polytope, 16, _flat),
    Hull(
        "pentagon",
        FiniteAtoms.regular_polygon(5),
        on_vertices(FiniteAtoms.regular_polygon(5).points),
        16,
        _flat,
    ),
    Hull("ball", Sphere(3), lambda x: np.asarray(x / np.maximum(norms(x), 1)[:, None]), 8, _flat),
    Hull("segment", TWO, on_segment(TWO.points[0], TWO.points[1]), 16, _between),
    Hull(
        "line",
        DegenerateGaussian([1.0, 2.0], np.diag([4.0, 0.0])),
        lambda x: np.stack([x[:, 0], np.full(len(x), 2.0)], axis=1),
        4,
        lambda aim: np.abs(aim[:, 0] - 1) / 2,
    ),
    Hull("half-line", Quantile(stats.expon()), lambda x: np.maximum(x, 0.0), 2),
    Hull("interval", Quantile(stats.uniform(-1.0, 2.0)), lambda x: np.clip(x, -1.0, 1.0), 2),
    Hull("integers from 0", Quantile(stats.poisson(2.0)), lambda x: np.maximum(x, 0.0), 2),
    Hull("ellipse", NearestPoint(Curve.ellipse(2.0, 1.0), 0.75), on_ellipse(2.0, 1.0), 64),
    Hull(
        "segment of a disc", NearestPoint(Arc(1.0, 0.25, 2.5), 0.75), on_circular_segment(1.0, 0.25, 2.5), 32
    ),
    Hull("thick disc", NearestPoint(Torus(2.0, 0.5), 1.0), on_torus_hull(2.0, 0.5), 32),
    Hull("spectral ball", Stiefel(3, 2), on_spectral_ball(3, 2), 16, _flat, by_singular_values(3, 2)),
    Hull("Fantope", Grassmannian(4, 2), on_fantope(4, 2), 64, _flat, by_eigenvalues(4)),
    Hull("hull of the rotations", SpecialOrthogonal(), on_rotations, 128, _flat, by_singular_values(3, 3)),
)
"""Beside decompositions: a shift of four eigenvalues, to 24 roundings of 1; feet on a tetrahedron's faces."""
