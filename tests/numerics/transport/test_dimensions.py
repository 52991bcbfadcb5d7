"""Dimensions from neighbours: on known manifolds, by the law of the ratios, and at two scales."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from numerics.transport import neighbour_dimensions
from numerics.transport.dimensions import _distances


def torus(m, n, rng, d=None):
    """A flat torus of m angles in R^2m, rotated into R^d: constant density and no edge."""
    angles = rng.uniform(0, 2 * np.pi, (n, m))
    points = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    if d is None:
        return points
    return points @ np.linalg.qr(rng.normal(size=(d, 2 * m)))[0].T


@pytest.mark.parametrize("seed", [0, 1, 2, 77777])
@pytest.mark.parametrize(("m", "d"), [(1, None), (2, None), (3, None), (1, 30), (3, 30)])
def test_flat_tori_have_their_dimension(m, d, seed):
    """Seven standard errors, and 5 % a scale² for curvature, of what the law says."""
    points = torus(m, 3000, np.random.default_rng(seed), d)
    for found in neighbour_dimensions(points, [1, 4, 16]):
        curved = 0.1 * found.scale**2
        assert abs(found.dimension / m - 1) <= 7 * found.standard_error / m + curved, found
        assert found.ties == 0


@pytest.mark.parametrize("k", [1, 2, 8])
@pytest.mark.parametrize("m", [1, 3])
def test_ratios_have_the_law_of_beta(k, m):
    """A point in a Poisson process: r_k^m are sums of exponentials. The estimator inverts its mean."""
    rng = np.random.default_rng(k + 10 * m)
    radii = np.cumsum(rng.exponential(size=(40_000, 2 * k)), axis=1) ** (1 / m)
    ratio = (radii[:, k - 1] / radii[:, -1]) ** m
    assert stats.kstest(ratio, stats.beta(k, k).cdf).pvalue > 1e-9
    from numerics.transport.dimensions import _estimate

    found = _estimate(radii[:, k - 1], radii[:, -1], k)
    own = found.standard_error / np.sqrt(2 * k)  # here neighbourhoods are independent
    assert abs(found.dimension - m) <= 7 * own
    assert 0.9 < own / (m * np.log(ratio).std() / (digamma(2 * k) - digamma(k)) / 200) < 1.1


def test_a_thick_circle_is_a_plane_near_by_and_a_line_from_afar():
    rng = np.random.default_rng(4)
    points = torus(1, 4000, rng) + 0.01 * rng.normal(size=(4000, 2))
    found = neighbour_dimensions(points, [1, 64, 256])
    assert found[0].dimension > 1.6
    assert found[-1].dimension < 1.15
    assert found[0].scale < 0.01 < found[-1].scale


@pytest.mark.parametrize("d", [2, 13])
def test_distances_are_those_of_the_definition(d):
    points = np.random.default_rng(d).normal(size=(300, d)) + 1e6 * (d > 12)
    pairs = np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)[:, 1:8]
    np.testing.assert_allclose(_distances(points, 7), pairs, rtol=1e-9)


def test_grids_are_told_and_bad_input_is_named():
    grid = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), axis=-1).reshape(-1, 2)
    assert neighbour_dimensions(grid, [1])[0].ties > 200
    for step in (1 / 14, 0.3):  # whose multiples are rounded
        rounded = neighbour_dimensions(step * grid + 0.1, [1])[0]
        (exact,) = neighbour_dimensions(grid, [1])
        assert (rounded.ties, rounded.dimension) == (exact.ties, pytest.approx(exact.dimension))
    assert neighbour_dimensions(np.eye(3), [1])[0].dimension == np.inf
    assert neighbour_dimensions([[0.0], [1.0]]) == ()
    assert [found.neighbours for found in neighbour_dimensions(grid[:9])] == [1, 2, 4]
    with pytest.raises(ValueError, match="point 0 is there more than once"):
        neighbour_dimensions([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0], [3.0, 1.0]])
    with pytest.raises(ValueError, match="neighbours"):
        neighbour_dimensions(grid, [0])
