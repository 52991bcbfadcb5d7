"""Laws of the best atoms: blocks change nothing, and no atom that may be best is missed."""

import numpy as np
import pytest

from numerics.solvers.best_atoms import best_atoms, best_single_atoms, rivals, row_blocks


def _cloud(rng, n, atoms, d):
    return rng.standard_normal((atoms, d)), rng.standard_normal(atoms), rng.standard_normal((n, d))


@pytest.mark.parametrize(("rows", "width"), [(1, 1), (7, 2**16), (1000, 1000), (5, 2**20), (0, 3)])
def test_blocks_part_the_rows(rows, width):
    parts = list(row_blocks(rows, width))
    assert np.concatenate([np.arange(rows)[part] for part in parts] or [np.arange(0)]).tolist() == list(
        range(rows)
    )
    assert all((part.stop - part.start) * width <= 2**17 or part.stop - part.start <= 4 for part in parts)


@pytest.mark.parametrize(("n", "atoms", "d"), [(1, 1, 1), (300, 5, 2), (40, 40_000, 2), (50, 7000, 9)])
def test_best_atoms_over_blocks(rng, n, atoms, d):
    points, heights, y = _cloud(rng, n, atoms, d)
    scores = (y[:, None] * points).sum(axis=2) - heights
    index, top = best_atoms(points, heights, y)
    rounding = 4 * (d + 2) * np.finfo(float).eps * (np.abs(scores).max() + np.abs(heights).max())
    assert (scores.max(axis=1) - scores[np.arange(n), index] <= rounding).all()
    assert (np.abs(top - scores.max(axis=1)) <= rounding).all()


def test_the_first_of_equal_atoms_is_best():
    points, heights = np.array([[0.0], [1.0], [-1.0]]), np.array([5.0, 0.0, 0.0])
    assert best_atoms(points, heights, np.zeros((9, 1)))[0].tolist() == [1] * 9


@pytest.mark.parametrize("within", [0.0, 0.3, np.inf])
def test_rivals_are_all_that_are_near(rng, within):
    points, heights, y = _cloud(rng, 60, 9000, 3)
    scores = (y[:, None] * points).sum(axis=2) - heights
    below = scores.max(axis=1, keepdims=True) - scores
    rows, atoms = rivals(points, heights, y, np.full(60, within))
    near = np.zeros(below.shape, dtype=bool)
    near[rows, atoms] = True
    assert near[below <= within - 1e-12].all()
    assert (below[near] <= within + 1e-12).all()
    assert near[np.arange(60), scores.argmax(axis=1)].all()
    assert (np.diff(rows) >= 0).all()


@pytest.mark.parametrize("step", [1e-3, 1.0, 1e3])
def test_best_single_atoms_are_those_of_the_objective(rng, step):
    points, heights, z = _cloud(rng, 70, 6000, 2)
    steps = step * rng.uniform(0.5, 2.0, 70)
    objective = heights + ((points - z[:, None]) ** 2).sum(axis=2) / (2 * steps[:, None])
    found = best_single_atoms(points, heights, z, steps)
    excess = objective[np.arange(70), found] - objective.min(axis=1)
    assert (excess <= 1e-13 * (np.abs(heights).max() + (1 + np.abs(z).max() ** 2) / steps)).all()
