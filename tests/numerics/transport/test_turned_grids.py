"""Grids turned by any angle: collinear boundaries to rounding, and cells that meet at 0 to rounding."""

import numpy as np
import pytest

from numerics.transport.cells import laguerre
from numerics.transport.certify import certify
from numerics.transport.semidiscrete import solve


def turned_grid(side: int, angle: float) -> np.ndarray:
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) / 2.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return grid @ turn.T


@pytest.mark.parametrize("side", [2, 3, 4, 6, 7, 12, 16])
def test_masses_do_not_notice_the_turn(side: int) -> None:
    heights = solve(turned_grid(side, 0.0)).heights
    for angle in np.linspace(0.1, np.pi / 2, 15):
        points = turned_grid(side, angle)
        np.testing.assert_allclose(laguerre(points, heights).masses, side**-2.0, atol=1e-13)
        assert solve(points).error.max() < 1e-13


@pytest.mark.parametrize("side", [3, 4, 6])
def test_turned_grids_are_solved_beyond_doubt(side: int) -> None:
    solution = solve(turned_grid(side, 0.7))
    assert certify(solution.points, solution.heights).error_bound(solution.weights).max() < 1e-13
