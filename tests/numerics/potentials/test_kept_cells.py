"""Cells of atoms are kept: a batch has those of each point, and copies for other sizes have their own."""

import pickle

import numpy as np
import pytest

from numerics.potentials import FiniteAtoms, atoms, rotate, translate

SQUARE = FiniteAtoms([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.5]], [0.0, 0.1, 0.2, 0.3, -0.4])
PLACES = np.array([[0.5, 0.5], [1.0, 1.0], [0.25, 0.25], [0.5, 0.5], [0.0, 0.75]])
FAR = np.array([1e9, 0.0])


def _fresh():
    return FiniteAtoms(SQUARE.points, SQUARE.heights)


@pytest.mark.parametrize(
    "target", [SQUARE, rotate(SQUARE, [[0.6, -0.8], [0.8, 0.6]]), translate(SQUARE, [3.0, -1.0])], ids=repr
)
def test_a_batch_is_each_point(target):
    rng = np.random.default_rng(0)
    x0, x1 = target.sample(20, rng)
    noise = 3 * rng.standard_normal((5, 2))
    for members, point in zip(target.subdifferentials(x1), x1, strict=True):
        alone = pickle.loads(pickle.dumps(target)).subdifferential(point)  # made anew: it keeps nothing yet
        np.testing.assert_array_equal(members.distance(noise), alone.distance(noise))
        assert (members.rounding, members.blur) == (alone.rounding, alone.blur)
    held = [members.distance(y)[0] for members, y in zip(target.subdifferentials(x1), x0, strict=True)]
    assert max(held) < 1e-12


def test_equal_points_share_a_cell():
    cells = list(_fresh().subdifferentials(PLACES))
    assert cells[0] is cells[3]
    assert len({id(cell) for cell in cells}) == 4


def test_data_far_away_leave_no_wide_cells_behind():
    """What moves the atoms asks for wider faces; asked at their own place again they know nothing of it."""
    target = _fresh()
    before = list(target.subdifferentials(PLACES))
    assert len(list(translate(target, FAR).subdifferentials(PLACES + FAR))) == len(PLACES)
    after = target.subdifferentials(PLACES)
    for own, again in zip(before, after, strict=True):
        assert (again.rounding, again.blur) == (own.rounding, own.blur)
    wide = translate(_fresh(), FAR)
    assert min(cell.blur for cell in wide.subdifferentials(PLACES + FAR)) > max(cell.blur for cell in before)
    kept = wide.base.subdifferentials(PLACES)
    assert [cell.blur for cell in kept] == [cell.blur for cell in before]
    edge = np.array([[1.0 + 2.0**-22, 0.5]])  # as near to the hull as data far away may miss it
    assert np.isfinite(wide.value(edge + FAR))
    assert len(list(wide.subdifferentials(edge + FAR))) == 1
    assert wide.base.value(edge) == np.inf


def test_more_points_than_are_kept():
    target = _fresh()
    many = np.random.default_rng(1).random((300, 2))
    first = list(target.subdifferentials(many))
    assert len({id(cell) for cell in first}) == 300
    assert 0 < len(target._cells) <= 256
    for one, other in zip(first, target.subdifferentials(many), strict=True):
        np.testing.assert_array_equal(one.distance(many[:5]), other.distance(many[:5]))


def test_a_point_outside_is_named():
    with pytest.raises(ValueError, match=r"x1: \[2.0, 2.0\] lies outside the hull"):
        _fresh().subdifferentials([[0.5, 0.5], [2.0, 2.0]])


def test_cells_of_many_atoms_are_kept_as_memory_allows(monkeypatch):
    """Each holds as many numbers as the atoms, which are ten: nine cells have ninety-five numbers' room."""
    monkeypatch.setattr(atoms, "_MOST_NUMBERS", 95)
    target = _fresh()
    assert len(list(target.subdifferentials(np.random.default_rng(2).random((100, 2))))) == 100
    assert 0 < len(target._cells) <= 9
