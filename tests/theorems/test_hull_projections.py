"""Projections on hulls: they land in the hull, keep what lies there, and are nearest."""

import numpy as np
import pytest

from numerics.geometry import norms
from theorems.proximal_denoiser.hull_projections import HULLS, on_vertices

hulls = pytest.mark.parametrize("hull", HULLS, ids=lambda hull: hull.name)


@hulls
def test_a_projection_is_idempotent_and_nonexpansive(hull):
    rng = np.random.default_rng(1)
    x, y = 2 * hull.target.scale * rng.standard_normal((2, 60, hull.target.dim))
    first, second = hull.project(x), hull.project(y)
    assert norms(hull.project(first) - first).max() < 1e-12 * hull.target.scale
    assert (norms(first - second) <= norms(x - y) * (1 + 1e-12)).all()


@hulls
def test_data_lie_in_their_hull(hull):
    _, data = hull.target.sample(60, np.random.default_rng(2))
    assert norms(hull.project(data) - data).max() < 1e-12 * (hull.target.scale + norms(data).max())


@hulls
def test_nothing_in_the_hull_is_nearer(hull):
    """⟨x − p, y − p⟩ ≤ 0 for data y."""
    rng = np.random.default_rng(3)
    x = 2 * hull.target.scale * rng.standard_normal((60, hull.target.dim))
    _, data = hull.target.sample(60, rng)
    foot = hull.project(x)
    angle = ((x - foot)[:, None] * (data[None] - foot[:, None])).sum(axis=2)
    assert angle.max() < 1e-10 * hull.target.scale**2


def test_corners_edges_and_inside_of_a_triangle():
    project = on_vertices(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    x = np.array([[-1.0, -1.0], [0.5, -1.0], [1.0, 1.0], [0.25, 0.25]])
    assert np.allclose(project(x), [[0, 0], [0.5, 0], [0.5, 0.5], [0.25, 0.25]], atol=1e-15)


@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0])
def test_factors_that_are_skewed_are_told(monkeypatch, size):
    """Eigenvectors off by 1e−6, as of a poor LAPACK: the projection stays within what `missed` says."""
    fantope = next(hull for hull in HULLS if hull.name == "Fantope")
    x = size * np.random.default_rng(4).standard_normal((40, fantope.target.dim))
    skew = np.eye(4) + 1e-6 * np.random.default_rng(5).standard_normal((40, 4, 4))
    exact, right = fantope.project(x), np.linalg.eigh
    monkeypatch.setattr(np.linalg, "eigh", lambda m: (right(m)[0], right(m)[1] @ skew))
    error = norms(fantope.project(x) - exact)
    assert (error <= fantope.decomposed(x).bound + 1e-12).all()
    assert error.max() > 1e-7
