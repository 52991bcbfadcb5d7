"""Distances in closed form against linear programs, weights against sampling, and bad input."""

import numpy as np
import ot
import pytest
from scipy.special import ndtr

from numerics.transport.neighbours import (
    Comb,
    escaping,
    fibonacci,
    on_sphere,
    polygon_in_circle,
    reweighted,
    turned,
)
from numerics.transport.semidiscrete import solve


def _distance(x, y, a, b):
    return np.sqrt(ot.emd2(a, b, ot.dist(x, y)))


@pytest.mark.parametrize("angle", [0.05, 0.7, np.pi / 2])
def test_turned_atoms(angle):
    pair, half = turned(angle), np.full(2, 0.5)
    found = _distance(pair.first.points, pair.second.points, half, half)
    assert found == pytest.approx(pair.distance, abs=1e-7)


def test_reweighted_atoms():
    pair = reweighted(0.3, 0.4, 2.0)
    found = _distance(pair.first.points, pair.first.points, np.array([0.3, 0.7]), np.array([0.4, 0.6]))
    assert found == pytest.approx(pair.distance, abs=1e-9)


def test_the_older_keyword_of_reweighted_atoms_warns():
    with pytest.warns(DeprecationWarning, match="apart"):
        older = reweighted(0.3, 0.4, gap=2.0)
    assert repr(older) == repr(reweighted(0.3, 0.4, 2.0))


@pytest.mark.parametrize("corners", [3, 8, 32, 200])
def test_polygon_against_a_fine_circle(corners):
    """4000 atoms stand for the circle: each is at most 0.001 away from what it stands for."""
    pair = polygon_in_circle(corners)
    angles = 2 * np.pi * (np.arange(4000) + 0.5) / 4000
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    near = np.linalg.norm(circle[:, None] - pair.second.points, axis=2).min(axis=1)
    assert np.sqrt((near**2).mean()) == pytest.approx(pair.distance, abs=1e-3)


@pytest.mark.parametrize("spacing", [1.0, 0.5])
def test_comb_has_one_weight_a_tooth(spacing):
    """Both sides' cells have the same masses; the plane's exact solver agrees with the heights of Q."""
    comb = Comb.of(spacing, reach=3.0)
    masses = np.diff(np.concatenate([[0.0], ndtr(comb.ends), [1.0]]))
    found = solve(comb.second.points, masses)
    heights = comb.second.heights
    assert np.allclose(found.heights - found.heights[0], heights - heights[0], atol=1e-9)
    assert np.allclose(comb.first.points[:, 0], comb.second.points[:, 0])
    assert _distance(comb.first.points, comb.second.points, masses, masses) == pytest.approx(comb.distance)


def test_escaping_atom_has_its_potential():
    target = escaping(100)
    assert target.conjugate([[3.0]])[0] - target.conjugate([[0.0]])[0] == pytest.approx(67.3652, abs=5e-5)


def test_fibonacci_covers_the_sphere():
    for n in (50, 800):
        y = fibonacci(n)
        x = np.random.default_rng(0).standard_normal((2000, 3))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        assert 2 * np.sqrt(1 / n) < np.sqrt(2 - 2 * (x @ y.T).max(axis=1)).max() < 3.5 * np.sqrt(1 / n)
    assert on_sphere(y).transport(x).shape == x.shape


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: turned(2.0), "angle: got 2.0"),
        (lambda: reweighted(0.3, 0.4, -1.0), "apart: got -1"),
        (lambda: reweighted(0.3, 0.4), "apart: missing"),
        (lambda: polygon_in_circle(1), "corners"),
        (lambda: Comb.of(0.4, reach=0.1), "reach: got 0.1"),
        (lambda: Comb.of(-0.4), "spacing"),
        (lambda: escaping(1), "n: got 1"),
        (lambda: on_sphere([[1.0, 0.0], [2.0, 0.0]]), "lengths run from"),
        (lambda: fibonacci(0), "n: got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
