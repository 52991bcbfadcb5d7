"""Edges are told by the hull: points inside it are refused, whatever φ is said to be."""

import numpy as np
import pytest

from numerics.potentials import Arc, NearestPoint, PointCloud, Union
from theorems.setting.hull_edges import off_edges, room_beyond


@pytest.mark.parametrize("d", [1, 2, 4])
def test_room_is_that_of_the_ray(rng, d):
    points = np.concatenate([np.eye(d), -np.eye(d)])
    for _ in range(20):
        x = rng.dirichlet(np.ones(2 * d)) @ points
        size = np.abs(x).sum()  # the hull is Σ|x_i| ≤ 1, its middle 0
        assert np.isclose(room_beyond(points, x), 1 / size - 1, rtol=1e-6)


def test_an_edge_without_subgradients_is_left_out():
    """The line x = ¼ touches the arc at its end, and holds the point: φ has no subgradient between them."""
    target = NearestPoint(Union(Arc(0.25, -0.25, 0.0), PointCloud([[0.25, -0.25]])), 0.25)
    data = target.sample(40, np.random.default_rng(0))[1]
    x = np.array([[0.25, -0.125], [0.247, -0.1]])
    assert off_edges(target.value(x), x, data).tolist() == [False, True]


def test_infinity_inside_the_hull_is_refused():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    with pytest.raises(AssertionError, match="in the hull by"):
        off_edges(np.array([np.inf]), np.array([[0.5, 0.6]]), square)
    assert off_edges(np.array([0.0, np.inf]), np.array([[0.5, 0.5], [1.0, 0.5]]), square).tolist() == [
        True,
        False,
    ]
