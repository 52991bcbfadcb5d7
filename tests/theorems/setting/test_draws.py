"""Noise that keeps apart, and how many points are asked for their Jacobians."""

import numpy as np
import pytest

from theorems.setting.draws import affordable, apart


def test_points_keep_apart_and_those_left_out_are_counted():
    """Of the rejections of a wide distance each is one draw: the generator has then drawn so many."""
    points, left_out = apart(40, 2, 0.3, np.random.default_rng(0))
    distances = np.linalg.norm(points[:, None] - points, axis=2) + 10 * np.eye(40)
    assert points.shape == (40, 2)
    assert distances.min() >= 0.3
    assert left_out > 0
    drawn = np.random.default_rng(0).standard_normal((40 + left_out, 2))
    assert {tuple(p) for p in points} <= {tuple(p) for p in drawn}
    assert apart(5, 3, 0.0, np.random.default_rng(1))[1] == 0


@pytest.mark.parametrize(("d", "asked"), [(1, 100), (64, 100), (784, 4), (3072, 4), (256, 32)])
def test_fewer_points_are_asked_in_large_dimensions_alone(d, asked):
    assert affordable(100, d) == asked
    assert affordable(2, d) == 2
