"""Random members of every family: one strategy each, in `FAMILIES`.

Hypothesis strategies. Parameters are small fractions, so that a failing case shrinks to something a person
can read, and every target prints as a constructor call that can be pasted.
"""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from numerics.potentials import (
    Arc,
    AtomAndDensity,
    Cantor,
    Curve,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    Grassmannian,
    NearestPoint,
    PointCloud,
    Potential,
    Quantile,
    SpecialOrthogonal,
    Sphere,
    Stiefel,
    Torus,
    Union,
)

quarters = st.integers(-8, 8).map(lambda k: k / 4)
positive_quarters = st.integers(1, 8).map(lambda k: k / 4)


def _points(d: int, most: int = 8) -> st.SearchStrategy[np.ndarray]:
    rows = st.lists(st.tuples(*[quarters] * d), min_size=1, max_size=most, unique=True)
    return rows.map(np.array)


@st.composite
def scattered_atoms(draw: st.DrawFn, most_dimensions: int = 4) -> FiniteAtoms:
    """Atoms anywhere with any heights: some may be hidden, some may share a line or a plane."""
    points = draw(_points(draw(st.integers(1, most_dimensions))))
    return FiniteAtoms(points, draw(st.lists(quarters, min_size=len(points), max_size=len(points))))


@st.composite
def two_atoms(draw: st.DrawFn) -> FiniteAtoms:
    """Two atoms of unequal weights."""
    d = draw(st.integers(1, 4))
    y0, y1 = draw(st.lists(st.tuples(*[quarters] * d), min_size=2, max_size=2, unique=True))
    return FiniteAtoms.two(y0, y1, draw(st.integers(1, 31).filter(lambda k: k != 16)) / 32)


@st.composite
def atoms_on_a_line(draw: st.DrawFn) -> FiniteAtoms:
    """Weighted atoms in dimension 1."""
    positions = sorted(draw(st.lists(quarters, min_size=1, max_size=8, unique=True)))
    counts = draw(st.lists(st.integers(1, 9), min_size=len(positions), max_size=len(positions)))
    return FiniteAtoms.on_line(positions, np.array(counts) / sum(counts))


def symmetric_atoms() -> st.SearchStrategy[FiniteAtoms]:
    """Orbits of finite groups: φ is the indicator of a polytope."""
    return st.one_of(
        st.integers(1, 6).map(FiniteAtoms.hypercube),
        st.integers(1, 6).map(FiniteAtoms.cross_polytope),
        st.integers(2, 9).map(FiniteAtoms.regular_polygon),
        st.integers(1, 4).map(FiniteAtoms.permutations),
    )


@st.composite
def point_clouds(draw: st.DrawFn) -> NearestPoint:
    """Nearest-point potentials of small clouds."""
    points = draw(_points(draw(st.integers(1, 4)), most=10))
    return NearestPoint(PointCloud(points), draw(st.integers(1, 8)) / 4)


@st.composite
def gaussians(draw: st.DrawFn) -> DegenerateGaussian:
    """Gaussians of any rank from 0 to d: Σ = LLᵀ with L (d,r) of small fractions."""
    d = draw(st.integers(1, 4))
    rank = draw(st.integers(0, d))
    factor = np.reshape(draw(st.lists(quarters, min_size=d * rank, max_size=d * rank)), (d, rank))
    return DegenerateGaussian(draw(st.lists(quarters, min_size=d, max_size=d)), factor @ factor.T)


def spheres() -> st.SearchStrategy[Sphere]:
    """Spheres of radius 1/64 to 64 in dimension 1 to 8."""
    return st.builds(Sphere, st.integers(1, 8), st.integers(-6, 6).map(lambda k: 2.0**k))


@st.composite
def ellipsoids(draw: st.DrawFn) -> Ellipsoid:
    """Ellipsoids A = LLᵀ + I/4."""
    d = draw(st.integers(1, 4))
    factor = np.reshape(draw(st.lists(quarters, min_size=d * d, max_size=d * d)), (d, d))
    return Ellipsoid(factor @ factor.T + np.eye(d) / 4)


@st.composite
def atoms_and_density(draw: st.DrawFn) -> AtomAndDensity:
    """One to three atoms mixed with a normal, exponential or uniform density."""
    atoms = sorted(draw(st.lists(quarters, min_size=1, max_size=3, unique=True)))
    counts = draw(st.lists(st.integers(1, 5), min_size=len(atoms), max_size=len(atoms)))
    law = draw(st.sampled_from([stats.norm(), stats.expon(), stats.uniform(-1.0, 2.0)]))
    return AtomAndDensity(atoms, np.array(counts) / 16, law)


def _sizes() -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n)))


def stiefels() -> st.SearchStrategy[Stiefel]:
    """Frames of p ≤ n ≤ 4 vectors."""
    return _sizes().map(lambda pair: Stiefel(*pair))


def grassmannians() -> st.SearchStrategy[Grassmannian]:
    """Subspaces of dimension k ≤ n ≤ 4."""
    return _sizes().map(lambda pair: Grassmannian(*pair))


def quantiles() -> st.SearchStrategy[Quantile]:
    """Laws on the line, with and without a density, bounded and not, heavy tails (t with 3 degrees) too."""
    return st.one_of(
        st.builds(lambda m, s: Quantile(stats.norm(m, s)), quarters, positive_quarters),
        st.builds(lambda s: Quantile(stats.expon(scale=s)), positive_quarters),
        st.builds(lambda a: Quantile(stats.gamma(a + 0.5)), positive_quarters),
        st.builds(lambda a, w: Quantile(stats.uniform(a, w)), quarters, positive_quarters),
        st.integers(3, 9).map(lambda k: Quantile(stats.t(float(k)))),
        st.integers(1, 4).map(lambda k: Quantile(stats.lognorm(k / 4))),
        positive_quarters.map(lambda m: Quantile(stats.poisson(m))),
        st.integers(1, 9).map(lambda k: Quantile(stats.binom(k, 0.375))),
    )


def _arcs() -> st.SearchStrategy[Arc]:
    radius, start, length = positive_quarters, quarters, st.integers(1, 20).map(lambda k: k / 4)
    return st.builds(lambda r, a, w: Arc(r, a, a + w), radius, start, length)


def closed_sets() -> st.SearchStrategy[object]:
    """Arcs, ellipses, spirals, tori, and an arc with isolated points."""
    isolated = st.lists(st.tuples(quarters, quarters), min_size=1, max_size=3, unique=True)
    return st.one_of(
        _arcs(),
        st.builds(Curve.ellipse, positive_quarters, positive_quarters),
        positive_quarters.map(Curve.spiral),
        st.integers(1, 3).map(lambda k: Torus(2.0, k / 4)),
        st.builds(lambda arc, points: Union(arc, PointCloud(np.array(points))), _arcs(), isolated),
    )


def curved_sets() -> st.SearchStrategy[NearestPoint]:
    """Nearest-point potentials of curved sets."""
    return st.builds(NearestPoint, closed_sets(), positive_quarters)


VARYING: tuple[tuple[str, st.SearchStrategy[Potential]], ...] = (
    ("FiniteAtoms", two_atoms()),
    ("FiniteAtoms", atoms_on_a_line()),
    ("FiniteAtoms", scattered_atoms()),
    ("NearestPoint", point_clouds()),
    ("DegenerateGaussian", gaussians()),
    ("Quantile", quantiles()),
    ("AtomAndDensity", atoms_and_density()),
    ("Cantor", st.builds(Cantor)),
    ("NearestPoint", curved_sets()),
)
"""Families whose φ is not constant on its domain: the ones that can see a wrong step."""
CONSTANT: tuple[tuple[str, st.SearchStrategy[Potential]], ...] = (
    ("FiniteAtoms", symmetric_atoms()),
    ("Sphere", spheres()),
    ("Ellipsoid", ellipsoids()),
    ("Stiefel", stiefels()),
    ("Grassmannian", grassmannians()),
    ("SpecialOrthogonal", st.builds(SpecialOrthogonal)),
)
"""Families whose φ is 0 on its domain."""
FAMILIES = VARYING + CONSTANT
"""Every public family by its name, with the strategy that draws it."""
NOT_DRAWN = {
    "Bits": "its φ is a sum over cells, a second a draw; one that is biased is met by every check",
    "Twin": "it has no parameters; it is met by every check",
}
"""Public families without a strategy, and why."""
