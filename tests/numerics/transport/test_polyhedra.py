"""Laguerre cells in space: integrals against slices, closed forms, differences and enclosures."""

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from numerics.accuracy import EPS
from numerics.transport import cells, face_integrals, skeleton
from numerics.transport.certify_space import certify
from numerics.transport.polyhedra import laguerre
from tests.numerics.transport.space_clouds import KINDS, cloud, grid, hostile, turn, unit

SEEDS = st.integers(0, 2**32 - 1)


def heights_near_convex(points, rng, noise=0.05):
    """Heights under which most cells have mass, and some are empty."""
    centred = points - points.mean(axis=0)
    size = np.abs(centred).max()
    return size * ((centred / size) ** 2).sum(axis=1) + noise * size * rng.normal(size=len(points))


# --- slices: the plane's cells, integrated over the third coordinate ----------------------------


def masses_and_moments_by_slices(points, heights):
    """On x₃ = t the cells are planar ones with heights g − t·y₃; Gauss rules between the corners' levels."""
    levels = [-9.0, 9.0]
    for four in combinations(range(len(points)), 4):
        steps = points[list(four[1:])] - points[four[0]]
        if abs(np.linalg.det(steps)) > 1e-12:
            level = np.linalg.solve(steps, heights[list(four[1:])] - heights[four[0]])[2]
            levels += [level] if abs(level) < 9 else []
    nodes, weights = np.polynomial.legendre.leggauss(24)
    mass, moment = np.zeros(len(points)), np.zeros((len(points), 3))
    for a, b in pairwise(np.unique(levels)):
        for low, high in pairwise(np.linspace(a, b, 1 + int(np.ceil((b - a) / 1.5)))):
            for t, w in zip((low + high + (high - low) * nodes) / 2, weights * (high - low) / 2, strict=True):
                slice_ = cells.laguerre(points[:, :2], heights - t * points[:, 2])
                density = w * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
                mass += density * slice_.masses
                moment += density * np.column_stack([slice_.first_moments, t * slice_.masses])
    return mass, moment


def agree_with_slices(seed, n):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 3))
    heights = heights_near_convex(points, rng, noise=0.3)
    mass, moment = masses_and_moments_by_slices(points, heights)
    diagram = laguerre(points, heights)
    assert np.abs(diagram.masses - mass).max() <= 1e-11
    assert np.abs(diagram.first_moments - moment).max() <= 1e-11


@pytest.mark.parametrize(("seed", "n"), [(0, 4), (1, 5), (2, 5)])
def test_masses_and_first_moments_agree_with_slices(seed, n):
    agree_with_slices(seed, n)


# --- closed forms -------------------------------------------------------------------------------


def boxes(cuts):
    """Atoms on a product of lines and heights under which the cells are the boxes between the cuts."""
    places = [np.arange(len(cut) + 1.0) for cut in cuts]
    parts = [np.concatenate([[0.0], np.cumsum(cut)]) for cut in cuts]
    points = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, 3)
    heights = parts[0][:, None, None] + parts[1][:, None] + parts[2]
    share = [np.diff(np.concatenate([[0.0], ndtr(cut), [1.0]])) for cut in cuts]
    return points, heights.ravel(), (share[0][:, None, None] * share[1][:, None] * share[2]).ravel()


@pytest.mark.parametrize(
    "cuts",
    [
        ([-0.7, 0.2, 1.9], [-1.0, 1.0], [0.3]),
        ([-1.0, 0.0, 1.0], [0.0], [0.0]),
        ([-1e-6, 1e-6], [-1e-12, 0.5], [0.0, 1e-5]),
        ([1e-3], [2e-3], [-1e-3]),
        ([-6.0, 6.0], [-7.0, 8.0], [5.0]),
        ([12.0, 14.0], [3.0], [-20.0]),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_boxes_have_products_of_normal_probabilities(cuts, turned):
    """Also where 0 lies on a face, on an edge or in a corner, or next to one, and where feet do."""
    points, heights, masses = boxes([np.array(cut) for cut in cuts])
    if turned:
        points = points @ turn(np.random.default_rng(1)).T
    np.testing.assert_allclose(laguerre(points, heights).masses, masses, atol=16 * EPS)


@pytest.mark.parametrize("kind", ["cube", "octahedron"])
def test_cells_of_an_orbit_are_equal(kind):
    points = cloud(kind, 8, np.random.default_rng(0))
    for heights in (np.zeros(len(points)), np.ones(len(points))):
        np.testing.assert_allclose(laguerre(points, heights).masses, 1 / len(points), atol=4 * EPS)


def test_a_ball_of_cospherical_atoms_around_a_centre_has_the_mass_of_a_polyhedron():
    """The cell of the centre of a cube of atoms is an octahedron; by Monte Carlo, 5 deviations."""
    points = np.vstack([cloud("cube", 8, np.random.default_rng(0)), np.zeros(3)])
    found = laguerre(points, np.append(np.full(8, 1.5), 0.0)).masses[8]
    x = np.random.default_rng(1).normal(size=(400_000, 3))
    inside = (np.abs(x).sum(axis=1) <= 1.5).mean()
    assert abs(found - inside) <= 5 * np.sqrt(inside * (1 - inside) / len(x))


# --- enclosures ---------------------------------------------------------------------------------


def agree_with_enclosures(points, heights):
    proved = certify(points, heights)
    diagram = laguerre(points, heights)
    assert (diagram.masses >= proved.low - diagram.evaluation).all()
    assert (diagram.masses <= proved.high + diagram.evaluation).all()
    return diagram


@pytest.mark.parametrize("kind", KINDS)
def test_masses_lie_within_their_statement_of_proved_enclosures(kind):
    rng = np.random.default_rng(5)
    points = cloud(kind, 9, rng)
    assert (agree_with_enclosures(points, heights_near_convex(points, rng)).evaluation <= 34 * EPS).all()
    agree_with_enclosures(points, np.zeros(len(points)))


@pytest.mark.parametrize("wrong", [1e-9, 1e-11])
def test_enclosures_reject_masses_that_are_slightly_wrong(wrong, monkeypatch):
    right = face_integrals._along_edges
    monkeypatch.setattr(
        face_integrals, "_along_edges", lambda *a: tuple(part * (1 + wrong) for part in right(*a))
    )
    rng = np.random.default_rng(5)
    points = cloud("normal", 9, rng)
    with pytest.raises(AssertionError):
        agree_with_enclosures(points, heights_near_convex(points, rng))


# --- both fields, laws --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_smooth_field_and_the_singular_one_measure_the_same(kind):
    rng = np.random.default_rng(3)
    points = cloud(kind, 40, rng)
    diagram = laguerre(points, heights_near_convex(points, rng))
    smooth = replace(diagram, found=replace(diagram.found, near=np.ones(len(points), dtype=bool)))
    np.testing.assert_allclose(smooth.masses, diagram.masses, atol=128 * EPS)


@settings(max_examples=25, deadline=None)
@given(hostile(), SEEDS)
def test_masses_are_a_distribution_and_moments_cancel(case, seed):
    _, points, _ = case
    diagram = laguerre(points, heights_near_convex(points, np.random.default_rng(seed)))
    n = len(points)
    assert abs(diagram.masses.sum() - 1) <= 8 * n * EPS
    assert diagram.masses.min() >= -32 * EPS
    assert np.abs(diagram.first_moments.sum(axis=0)).max() <= 4 * n * EPS
    assert (diagram.masses[diagram.empty] == 0).all()
    assert abs(diagram.found.cone.sum() - 1) <= 1e-9  # of directions that corners far away only bound


@pytest.mark.parametrize("seed", range(3))
def test_hessian_agrees_with_central_differences(seed):
    points = np.random.default_rng(seed).normal(size=(9, 3))
    heights = (points**2).sum(axis=1) / 2
    step = 1e-5
    slopes = [
        (laguerre(points, heights + step * e).masses - laguerre(points, heights - step * e).masses)
        / (2 * step)
        for e in np.eye(9)
    ]
    nearest = np.min([np.linalg.norm(a - b) for a, b in combinations(points, 2)])
    wrong = np.abs(np.array(slopes) + laguerre(points, heights).hessian).max()
    assert wrong <= 1e-10 + 10 * step**2 / nearest**3


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.floats(0.1, 10))
def test_cells_follow_translation_scale_and_rotation_of_the_atoms(seed, scale):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(15, 3))
    heights = heights_near_convex(points, rng)
    moved = laguerre(scale * points @ turn(rng).T + [3.0, -1.0, 2.0], scale * heights + 2.0).masses
    nearest = np.min([np.linalg.norm(a - b) for a, b in combinations(points, 2)])
    assert np.abs(moved - laguerre(points, heights).masses).max() <= 1e3 * EPS / min(nearest, 1)


def test_correlation_is_the_sum_of_moments():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 3))
    diagram = laguerre(points, heights_near_convex(points, rng))
    assert diagram.correlation == pytest.approx((diagram.first_moments * points).sum(), rel=1e-13)


def agree_next_to_a_tie():
    """A turned grid, heights off its ties by 1e−14 … 1e−8: flat tetrahedra, and cells that meet next to 0."""
    points = grid(64)
    level = np.array([0.0, -0.337244875098, -0.337244875098, 0.0])  # ½·Φ⁻¹(¼): close to weights 1/64
    heights = level[(2 * points).astype(int)].sum(axis=1)
    rng = np.random.default_rng(0)
    push, turned = rng.normal(size=64), points @ turn(rng).T
    for size in 10.0 ** np.arange(-14, -7):
        straight = laguerre(points, heights + size * push).masses
        assert np.abs(laguerre(turned, heights + size * push).masses - straight).max() <= 32 * EPS


def test_a_turned_grid_next_to_its_tie_is_measured_to_rounding():
    agree_next_to_a_tie()


def test_a_hidden_atom_has_an_empty_cell():
    diagram = laguerre(np.vstack([np.zeros(3), np.eye(3), [[0.2, 0.2, 0.2]]]), [0, 0, 0, 0, 1.0])
    assert diagram.empty.tolist() == [False, False, False, False, True]


# --- power --------------------------------------------------------------------------------------


def without_infinity(_segments, normal, *_):
    return np.zeros((2, 3, normal.shape[1]))


def first_order_rule(_):
    return np.array([0.5]), np.array([1.0])


MUTANTS = {
    "faces turned the wrong way": (face_integrals, "_FACES", ((0, 1, 1.0), (1, 2, 1.0), (0, 2, 1.0))),
    "no angle at infinity": (face_integrals, "_directions_at_infinity", without_infinity),
    "one node an edge": (face_integrals, "rule", first_order_rule),
    "no lean": (face_integrals, "_leaning", lambda _, s: np.zeros_like(s)),
    "M doubled": (face_integrals, "_kernel", lambda square: 2 * right_kernel(square)),
    "density off by 1e-9": (face_integrals, "_density", lambda square: (1 + 1e-9) * right_density(square)),
}
right_kernel, right_density = face_integrals._kernel, face_integrals._density


@pytest.mark.parametrize("name", MUTANTS)
def test_slices_reject_wrong_formulas(name, monkeypatch):
    monkeypatch.setattr(*MUTANTS[name])
    with pytest.raises(AssertionError):
        agree_with_slices(0, 4)


CARELESS = {
    "flat tetrahedra left alone": (
        skeleton,
        "_without_flat",
        lambda tetrahedra, corners, _: (tetrahedra, corners),
    ),
    "flat tetrahedra left out": (
        skeleton,
        "_without_flat",
        lambda t, corners, solid: (t[solid], corners[solid]),
    ),
    "next to 0 by the singular field": (face_integrals, "NEAR", 0.0),
    "corners not in their faces": (face_integrals, "_projected", lambda corner, _: corner),
}


@pytest.mark.parametrize("name", CARELESS)
def test_a_turned_grid_next_to_its_tie_needs_every_care(name, monkeypatch):
    monkeypatch.setattr(*CARELESS[name])
    with pytest.raises(AssertionError), np.errstate(invalid="ignore"):
        agree_next_to_a_tie()


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "heights", "message"),
    [
        ([[0, 0]], [0], r"points: got shape \(1, 2\)"),
        (np.eye(3), [0, 0, 0], "points: all atoms lie in one plane"),
        (unit(np.random.default_rng(0).normal(size=(5, 3))), [0, 0], "heights: got 2 for 5 points"),
        ([[0, 0, 0], [1, 0, np.nan]], [0, 0], r"points: entry \(1, 2\) is nan"),
        ([[0, 0, 0], [1, 0, 0]], [0, np.inf], r"heights: entry \(1,\) is inf"),
    ],
)
def test_bad_input_is_named(points, heights, message):
    with pytest.raises(ValueError, match=message):
        laguerre(points, heights)
