"""What the theorems quantify over: targets with known potentials, schedules, times and noise.

Hypothesis strategies. Parameters are small fractions, so that a failing case shrinks to something a person
can read, and every target prints as a constructor call that can be pasted.
"""

import numpy as np
from hypothesis import strategies as st
from scipy import stats

from numerics.potentials import (
    AtomAndDensity,
    Cantor,
    DegenerateGaussian,
    Ellipsoid,
    FiniteAtoms,
    NearestPoint,
    PointCloud,
    Potential,
    Sphere,
    embed,
    product,
    rotate,
    scale,
    translate,
)
from numerics.schedules import (
    Linear,
    Logarithmic,
    Polynomial,
    Schedule,
    Trigonometric,
    VariancePreserving,
)
from theorems.families import curved_sets, matrix_manifolds, quantiles

MOST_DIMENSIONS = 24

quarters = st.integers(-8, 8).map(lambda k: k / 4)
seeds = st.integers(0, 2**32 - 1)


def generator(seed: int) -> np.random.Generator:
    """The noise of one draw."""
    return np.random.default_rng(seed)


# --- schedules and times ----------------------------------------------------------------------------


def schedules() -> st.SearchStrategy[Schedule]:
    """Every schedule of the library; powers from 1/4 to 4."""
    powers = st.integers(1, 16).map(lambda k: Polynomial(k / 4))
    others = st.sampled_from([Linear(), Trigonometric(), VariancePreserving(), Logarithmic()])
    return st.one_of(others, powers)


def times() -> st.SearchStrategy[float]:
    """Times from 1e-6 to 1 − 1e-6: hundredths, and steps of 1/100 of a decade towards either end."""
    decades = st.integers(1, 600).map(lambda k: 10.0 ** (-k / 100))
    return st.one_of(st.integers(1, 99).map(lambda k: k / 100), decades, decades.map(lambda r: 1 - r))


# --- families ---------------------------------------------------------------------------------------


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


def varying() -> st.SearchStrategy[Potential]:
    """Families whose φ is not constant on its domain: the ones that can see a wrong step."""
    cheap = st.one_of(two_atoms(), atoms_on_a_line(), scattered_atoms(), point_clouds(), gaussians())
    return st.one_of(cheap, quantiles(), atoms_and_density(), st.builds(Cantor), curved_sets())


def families() -> st.SearchStrategy[Potential]:
    """Every closed-form family."""
    return st.one_of(varying(), symmetric_atoms(), spheres(), ellipsoids(), matrix_manifolds())


def parts(target: Potential) -> list[Potential]:
    """The families that a target is composed of."""
    inner = [getattr(target, name) for name in ("base", "first", "second") if hasattr(target, name)]
    return [family for part in inner for family in parts(part)] or [target]


def is_analytic(target: Potential) -> bool:
    """Whether complex steps pass: not through singular values, quantiles and nearest points of curves."""
    return all(isinstance(p, FiniteAtoms | DegenerateGaussian | Sphere | Ellipsoid) for p in parts(target))


def has_a_manifold(target: Potential) -> bool:
    """Whether A1 can hold: the Cantor law's support is a manifold near none of its points."""
    return not any(isinstance(p, Cantor) for p in parts(target))


def analytic_targets() -> st.SearchStrategy[Potential]:
    """The part of the grammar through which complex steps pass."""
    return targets().filter(is_analytic)


def few(target: Potential, n: int) -> int:
    """N points, or n/25 where prox off the support is found for one point at a time (20 ms each)."""
    curved = any(isinstance(p, NearestPoint) and not isinstance(p, FiniteAtoms) for p in parts(target))
    return max(4, n // 25) if curved else n


# --- calculus ---------------------------------------------------------------------------------------


def orthogonal(d: int) -> st.SearchStrategy[np.ndarray]:
    """Rotations by Cayley's transform (I − S)⁻¹(I + S) of a skew matrix; shrinks to the identity."""
    entries = d * (d - 1) // 2
    return st.lists(quarters, min_size=entries, max_size=entries).map(lambda s: _cayley(d, s))


def _cayley(d: int, entries: list[float]) -> np.ndarray:
    skew = np.zeros((d, d))
    skew[np.triu_indices(d, 1)] = entries
    skew -= skew.T
    return np.linalg.solve(np.eye(d) - skew, np.eye(d) + skew)


@st.composite
def _derived(draw: st.DrawFn, base: st.SearchStrategy[Potential]) -> Potential:
    """One operation of the calculus on a drawn target."""
    target = draw(base)
    d = target.dim
    rule = draw(st.sampled_from(["translate", "scale", "rotate", "embed", "product"]))
    if rule == "translate":
        return translate(target, draw(st.lists(quarters, min_size=d, max_size=d)))
    if rule == "scale":
        return scale(target, draw(st.integers(-4, 4).map(lambda k: 2.0**k)))
    if rule == "product":
        return product(target, draw(families()))
    higher = d if rule == "rotate" else d + draw(st.integers(1, 2))
    matrix = draw(orthogonal(higher))
    return rotate(target, matrix) if rule == "rotate" else embed(target, matrix[:, :d])


def targets(depth: int = 3) -> st.SearchStrategy[Potential]:
    """The grammar: a family, wrapped in up to ``depth`` operations of the calculus, d ≤ 24."""
    level = families()
    for _ in range(depth):
        level = st.one_of(level, _derived(level))
    return level.filter(lambda target: target.dim <= MOST_DIMENSIONS)
