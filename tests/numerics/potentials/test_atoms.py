"""Finite atoms against brute force: every face by subsets in exact fractions, and a linear program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.special import ndtr

from numerics.accuracy import EPS
from numerics.potentials import FiniteAtoms, NearestPoint, PointCloud
from tests.numerics.accuracy import hostile_atoms

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def nasty(draw):
    """At most six atoms in d ≤ 3: generic, a grid with ties, collinear, or pairs 1e−9 apart."""
    rng = np.random.default_rng(draw(SEEDS))
    d, count = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    kind = draw(st.sampled_from(["generic", "grid", "collinear", "near"]))
    points = rng.standard_normal((count, d))
    if kind == "grid":
        points = rng.integers(-1, 2, (count, d)).astype(float)
    elif kind == "collinear":
        points = rng.integers(-8, 9, (count, 1)) * rng.integers(1, 3, (1, d)).astype(float)
    elif kind == "near":
        points[count // 2 :] = points[: count - count // 2] + 1e-9 * rng.standard_normal(
            (count - count // 2, d)
        )
    points = np.unique(points, axis=0)
    heights = rng.integers(0, 3, len(points)) / 2.0 if kind == "grid" else rng.standard_normal(len(points))
    size = draw(st.sampled_from([1e-8, 1.0, 1e8]))
    shift = draw(st.sampled_from([0.0, 1e6])) * size
    step = 10.0 ** draw(st.integers(-9, 9))
    z = points[rng.integers(len(points))] * size + size * rng.standard_normal(d) * 10.0 ** rng.uniform(-3, 3)
    return np.unique(points * size + shift, axis=0), heights[:] * size, z + shift, step


@settings(max_examples=80)
@given(nasty())
def test_prox_is_the_exact_one(case):
    points, heights, z, step = case
    potential = FiniteAtoms(points, heights[: len(points)])
    exact = np.array([float(v) for v in hostile_atoms.prox(points, potential.heights, z, step).point])
    error = np.linalg.norm(potential.prox(z, step)[0] - exact)
    rounded = EPS * np.linalg.norm(exact)  # the exact one, to a double
    assert error <= potential.roundings.prox(z, step).bound[0] + rounded


@given(st.floats(1e-15, 0.5), st.booleans(), st.floats(1e-8, 1e8))
def test_two_atoms_have_their_weights(weight, mirrored, distance):
    """The noise sent to y₀ = 0 is x₀ < b with Φ(b) = weight."""
    weight = 1 - weight if mirrored else weight
    potential = FiniteAtoms.two([0.0], [distance], weight)
    assert ndtr(potential.heights[1] / distance) == pytest.approx(weight, rel=1e-13)
    b = potential.heights[1] / distance
    nudge = 1e-12 * (1 + abs(b))
    np.testing.assert_array_equal(potential.transport([[b - nudge], [b + nudge]]), [[0.0], [distance]])


@given(SEEDS, st.integers(2, 12), st.floats(0, 12))
def test_atoms_on_the_line_have_their_weights(seed, count, skew):
    """By the cells themselves: breakpoints of T, and Φ between them."""
    rng = np.random.default_rng(seed)
    y, w = np.cumsum(rng.uniform(0.1, 2, count)), 10.0 ** (-skew * rng.random(count))
    w /= w.sum()
    potential = FiniteAtoms.on_line(y, w)
    breaks = np.r_[-np.inf, np.diff(potential.heights) / np.diff(y), np.inf]
    masses = np.where(
        breaks[:-1] > 0, ndtr(-breaks[:-1]) - ndtr(-breaks[1:]), ndtr(breaks[1:]) - ndtr(breaks[:-1])
    )
    np.testing.assert_allclose(masses, w, atol=64 * count * EPS, rtol=0)
    inner = breaks[1:-1]
    nudge = 1e-9 * (1 + np.abs(inner))
    wide = (w[:-1] > 1e-6) & (w[1:] > 1e-6)
    np.testing.assert_array_equal(potential.transport((inner - nudge)[:, None])[wide, 0], y[:-1][wide])
    np.testing.assert_array_equal(potential.transport((inner + nudge)[:, None])[wide, 0], y[1:][wide])


@settings(max_examples=30)
@given(SEEDS, st.integers(1, 3), st.integers(1, 9), st.floats(-14, 0))
def test_value_is_the_linear_programs(seed, d, count, exponent):
    """At convex combinations with tiny weights: near vertices, edges and faces."""
    rng = np.random.default_rng(seed)
    points, heights = rng.standard_normal((count, d)), rng.standard_normal(count)
    potential = FiniteAtoms(points, heights)
    w = 10.0 ** (exponent * rng.random((5, count)))
    w /= w.sum(axis=1, keepdims=True)
    for x, value in zip(w @ points, potential.value(w @ points), strict=True):
        rows = np.concatenate([points.T, np.ones((1, count))])
        program = linprog(heights, A_eq=rows, b_eq=[*x, 1.0], bounds=(0, None))
        assert program.status == 0
        slope = np.linalg.norm(program.eqlin.marginals[:-1])
        assert value == pytest.approx(program.fun, abs=1e-6 * (1 + slope))
    assert np.isinf(potential.value(points.max(axis=0) + 1e-9)).all()


def test_a_hidden_atom_has_no_cell():
    potential = FiniteAtoms([[-1.0], [0.0], [1.0]], [0.0, 5.0, 0.0])
    assert potential.value([[0.0]])[0] == pytest.approx(0.0, abs=1e-15)
    assert not (potential.transport(np.linspace(-9, 9, 999)[:, None]) == 0).any()
    with np.errstate(all="raise"):
        assert potential.subdifferential([0.0]).dimension == 0


def test_noise_of_the_flat_square():
    """All four corners tie at (0,0), on both diagonals, so ∂φ is the single point 0; on an edge, a ray."""
    square = FiniteAtoms.hypercube(2)
    centre, edge, corner = (square.subdifferential(x) for x in ([0.0, 0.0], [1.0, 0.25], [1.0, 1.0]))
    assert [centre.dimension, edge.dimension, corner.dimension] == [0, 1, 2]
    np.testing.assert_allclose(centre.distance([[3.0, 4.0]]), 5, rtol=1e-13)
    np.testing.assert_allclose(edge.distance([[2.0, 3.0], [-3.0, 4.0]]), [3, 5], rtol=1e-13)
    np.testing.assert_allclose(edge.boundary_distance([[2.0, 0.0]]), 2, rtol=1e-13)
    np.testing.assert_allclose(
        corner.distance([[2.0, 3.0], [-3.0, 4.0], [-3.0, -4.0]]), [0, 3, 5], atol=1e-12
    )
    np.testing.assert_allclose(corner.boundary_distance([[2.0, 3.0]]), 2, rtol=1e-13)


KINK_CASES = 200


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_no_kink_is_nearer_than_said(dim):
    """Nothing jumps within the distance: D prox is the same projector all around."""
    rng = np.random.default_rng(dim)
    near = 0
    for _ in range(KINK_CASES):
        count, step = int(rng.integers(2, 7)), rng.uniform(0.1, 3.0)
        target = FiniteAtoms(rng.standard_normal((count, dim)), rng.exponential(size=count))
        z = 2 * rng.standard_normal((1, dim))
        found = target.proximal_point(z, step)
        ways = rng.standard_normal((32, dim))
        around = z + 0.99 * found.kink[:, None] * ways / np.linalg.norm(ways, axis=1, keepdims=True)
        assert np.abs(target.prox_jacobian(around, step) - found.jacobian).max() <= 1e-9
        far = z + 8 * found.kink[:, None] * ways / np.linalg.norm(ways, axis=1, keepdims=True)
        near += bool(np.abs(target.prox_jacobian(far, step) - found.jacobian).max() > 1e-9)
        assert found.kink[0] > 0
    assert near > KINK_CASES / 4


def test_the_kinks_of_two_atoms():
    """prox of φ = the segment's affine function bends at y₀ + λs and y₁ + λs, s the slope of φ along it."""
    rng = np.random.default_rng(0)
    for _ in range(KINK_CASES):
        ends, heights, step = rng.standard_normal((2, 1)), rng.exponential(size=2), rng.uniform(0.1, 3.0)
        z = 4 * rng.standard_normal((32, 1))
        bends = ends[:, 0] + step * (heights[1] - heights[0]) / (ends[1, 0] - ends[0, 0])
        expected = np.abs(z - bends).min(axis=1)
        # Scores that differ by 1e4 eps of their size count as tied; that much of a slack is given away.
        size = 1 + np.abs(z[:, 0]) + np.abs(bends).max()
        assert (
            np.abs(FiniteAtoms(ends, heights).proximal_point(z, step).kink - expected) <= 1e-10 * size
        ).all()


def test_the_envelope_ends_beside_an_atom():
    """As few roundings from an atom as there are: the proximal steps must not go round in circles."""
    target = FiniteAtoms([[-0.5], [0.5]], [0.0, -0.84162123])
    x = -0.5 + np.arange(400)[:, None] * 2.0**-54
    np.testing.assert_allclose(target.value(x), -0.84162123 * (x[:, 0] + 0.5), rtol=0, atol=1e-14)


def test_a_cloud_and_its_nearest_points_are_one_law():
    """`FiniteAtoms.nearest` is `NearestPoint` of the cloud, member by member, and prints as a call."""
    cloud, rng = np.random.default_rng(1).standard_normal((9, 2)), np.random.default_rng(2)
    ours, theirs = FiniteAtoms.nearest(cloud, 0.5), NearestPoint(PointCloud(cloud), 0.5)
    x = rng.standard_normal((50, 2))
    assert (ours.transport(x) == theirs.transport(x)).all()
    assert (ours.transport(x) == cloud[((x[:, None] / 0.5 - cloud) ** 2).sum(axis=2).argmin(axis=1)]).all()
    assert (ours.prox(x, 0.3) == theirs.prox(x, 0.3)).all()
    assert (eval(repr(ours)).heights == ours.heights).all()


def test_the_older_keyword_of_the_curvature_works_and_warns():
    with pytest.warns(DeprecationWarning, match="curvature"):
        older = NearestPoint(PointCloud([[0.0], [1.0]]), scale=2.0)
    assert older.curvature == NearestPoint(PointCloud([[0.0], [1.0]]), curvature=2.0).curvature == 2.0


@pytest.mark.parametrize("name", ["prox_condition", "transport_condition", "transport_jacobian_condition"])
def test_condition_numbers_go_and_cover_the_statements(name):
    target, x = FiniteAtoms.hypercube(2), np.array([[0.3, 2.0]])
    member, arguments = name.removesuffix("_condition"), (x, 0.5)[: 1 + name.startswith("prox")]
    with pytest.warns(DeprecationWarning, match=f"roundings.{member}"):
        condition = getattr(target, name)(*arguments)
    assert (getattr(target.roundings, member)(*arguments).bound <= 64 * EPS * condition).all()


@pytest.mark.parametrize("far", [0, 5, 1000])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_on_exact_ties_transport_takes_the_first_atom(rng, dim, far):
    """Small integers have exact scores; noise half-way between two of them ties."""
    ties = 0
    for _ in range(40):
        points = np.unique(rng.integers(-4, 5, (8, dim)), axis=0).astype(float)
        points = rng.permutation(points) + far
        heights = rng.integers(-3, 4, len(points)).astype(float)
        for target, costs in (
            (FiniteAtoms(points, heights), heights),
            (FiniteAtoms.nearest(points), (points**2).sum(axis=1) / 2),
        ):
            x0 = rng.integers(-6, 7, (50, dim)) / 2 + rng.integers(0, 2) * far
            scores = x0 @ points.T - costs
            assert (target.transport(x0) == points[scores.argmax(axis=1)]).all()
            ties += (scores == scores.max(axis=1, keepdims=True)).sum() - len(x0)
    assert ties > 100
