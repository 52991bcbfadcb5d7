"""Laguerre cells: masses, moments and Hessian against quadrature, differences and proved enclosures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.transport import cells
from numerics.transport.cells import laguerre
from numerics.transport.certify import certify
from tests.numerics.transport.clouds import KINDS, cloud, hostile
from tests.numerics.transport.oracles import cell_integrals

SEEDS = st.integers(0, 2**32 - 1)


def heights_near_convex(points, rng, noise=0.05):
    """Heights under which most cells have mass, and some are empty."""
    centred = points - points.mean(axis=0)
    size = np.abs(centred).max()
    return size * ((centred / size) ** 2).sum(axis=1) + noise * size * rng.normal(size=len(points))


def agree_with_quadrature(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(int(rng.integers(2, 7)), 2))
    heights = heights_near_convex(points, rng, noise=0.3)
    diagram = laguerre(points, heights)
    for i in range(len(points)):
        mass, moment = cell_integrals(points, heights, i)
        assert abs(diagram.masses[i] - mass) <= 1e-11
        assert np.abs(diagram.first_moments[i] - moment).max() <= 1e-11


@pytest.mark.parametrize("seed", range(6))
def test_masses_and_first_moments_agree_with_quadrature(seed):
    agree_with_quadrature(seed)


def agree_with_enclosures(points, heights):
    proved = certify(points, heights)
    masses = laguerre(points, heights).masses
    assert (masses >= proved.low - 8 * EPS).all()
    assert (masses <= proved.high + 8 * EPS).all()


@pytest.mark.parametrize("kind", KINDS)
def test_masses_lie_within_eight_eps_of_proved_enclosures(kind):
    rng = np.random.default_rng(5)
    points = cloud(kind, 12, rng)
    agree_with_enclosures(points, heights_near_convex(points, rng))
    agree_with_enclosures(points, np.zeros(len(points)))


def textbook_start(points, _heights):
    """The Σ Δθ/2π form: right for cells that are bounded, or hold 0, and wrong at infinity."""
    return np.full(len(points), 1 / len(points))


def swept_without_infinity(offset, start, stop):
    """Owen's T with the ends at infinity left out."""
    h = np.where(offset == 0, 1.0, offset)
    finite = [
        np.where(np.isfinite(s), cells.owens_t(h, np.where(np.isfinite(s), s, 0) / h), 0)
        for s in (start, stop)
    ]
    return finite[1] - finite[0]


def _agree_with_quadrature_for_all():
    for seed in range(6):
        agree_with_quadrature(seed)


MUTANTS = {
    "origin shared equally": ("_around_origin", textbook_start),
    "no arc at infinity": ("_swept", swept_without_infinity),
    "line not split by the tail": ("_normal_between", lambda start, _: np.ones_like(start)),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_quadrature_rejects_wrong_formulas(name, monkeypatch):
    monkeypatch.setattr(cells, *MUTANTS[name])
    with pytest.raises(AssertionError):
        _agree_with_quadrature_for_all()


@pytest.mark.parametrize("wrong", [1e-9, 1e-12])
def test_enclosures_reject_masses_that_are_slightly_wrong(wrong, monkeypatch):
    right = cells._swept
    monkeypatch.setattr(cells, "_swept", lambda *edge: right(*edge) * (1 + wrong))
    rng = np.random.default_rng(5)
    points = cloud("normal", 12, rng)
    with pytest.raises(AssertionError):
        agree_with_enclosures(points, heights_near_convex(points, rng))


@settings(max_examples=40, deadline=None)
@given(hostile(), SEEDS)
def test_masses_are_a_distribution_and_moments_cancel(case, seed):
    _, points, _ = case
    diagram = laguerre(points, heights_near_convex(points, np.random.default_rng(seed)))
    n = len(points)
    assert abs(diagram.masses.sum() - 1) <= n * EPS
    assert diagram.masses.min() >= -8 * EPS
    assert np.abs(diagram.first_moments.sum(axis=0)).max() <= 4 * n * EPS
    assert (diagram.masses[diagram.empty] == 0).all()
    assert np.abs(diagram.hessian.sum(axis=0)).max() <= 8 * n * EPS * max(1, diagram.conductance.max())


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_correlation_is_the_sum_of_moments(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(20, 2))
    diagram = laguerre(points, heights_near_convex(points, rng))
    assert diagram.correlation == pytest.approx((diagram.first_moments * points).sum(), rel=1e-13)


@pytest.mark.parametrize("seed", range(3))
def test_hessian_agrees_with_central_differences(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(9, 2))
    heights = (points**2).sum(axis=1) / 2
    step = 1e-5
    slopes = [
        (laguerre(points, heights + step * e).masses - laguerre(points, heights - step * e).masses)
        / (2 * step)
        for e in np.eye(9)
    ]
    # Rounding eps/step = 2e-11; the third derivatives of a mass are of order 1/|y_i − y_j|³.
    nearest = np.min([np.linalg.norm(a - b) for a in points for b in points if (a != b).any()])
    assert (
        np.abs(np.array(slopes) + laguerre(points, heights).hessian).max()
        <= 1e-10 + 10 * step**2 / nearest**3
    )


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(0.1, 10), st.floats(0, 6.28))
def test_cells_follow_translation_scale_and_rotation_of_the_atoms(seed, scale, angle):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(15, 2))
    heights = heights_near_convex(points, rng)
    masses = laguerre(points, heights).masses
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = laguerre(scale * points @ turn.T + [3.0, -1.0], scale * heights + 2.0).masses
    # Atoms are moved by rounding, which is magnified by the closest pair.
    nearest = np.min(np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(15))
    assert np.abs(moved - masses).max() <= 1e3 * EPS / min(nearest, 1)


def test_a_hidden_atom_has_an_empty_cell():
    diagram = laguerre([[0, 0], [1, 0], [0, 1], [0.2, 0.2]], [0, 0, 0, 1.0])
    assert diagram.empty.tolist() == [False, False, False, True]


def test_lowest_atoms_of_equal_height_share_the_origin():
    square = laguerre([[1, 1], [1, -1], [-1, 1], [-1, -1], [0, 0]], np.zeros(5))
    np.testing.assert_allclose(square.masses, [0.25, 0.25, 0.25, 0.25, 0], atol=2 * EPS)


def test_collinear_atoms_have_strips():
    masses = laguerre([[0, 0], [1, 1], [2, 2]], [0, 0.1, 1]).masses
    cuts = np.array([0.1, 0.9]) / np.sqrt(2)
    np.testing.assert_allclose(np.cumsum(masses)[:2], cells.ndtr(cuts), atol=4 * EPS)


def test_one_atom_has_everything():
    assert laguerre([[3.0, 4.0]], [7.0]).masses.tolist() == [1.0]


@pytest.mark.parametrize(
    ("points", "heights", "message"),
    [
        ([[0, 0, 0]], [0], r"points: got shape \(1, 3\)"),
        ([[0, 0], [1, 0]], [0], "heights: got 1 for 2 points"),
        ([[0, 0], [1, np.nan]], [0, 0], r"points: entry \(1, 1\) is nan"),
        ([[0, 0], [1, 0]], [0, np.inf], r"heights: entry \(1,\) is inf"),
    ],
)
def test_bad_input_is_named(points, heights, message):
    with pytest.raises(ValueError, match=message):
        laguerre(points, heights)


def test_units_survive_coordinates_that_are_zero_but_for_rounding():
    points = cloud("circle and centre", 4, np.random.default_rng(0))
    masses = laguerre(points, [0.5, 0.5, 0.5, 0.5, 0.0]).masses
    np.testing.assert_allclose(masses[:4], (1 - masses[4]) / 4, atol=4 * EPS)
