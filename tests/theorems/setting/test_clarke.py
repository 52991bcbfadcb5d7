"""Sets of Jacobians: distances from their hull, and the pieces that lie between two doubles."""

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.potentials import FiniteAtoms, Sphere, embed, product
from numerics.schedules import Polynomial
from theorems.normal_hyperbolicity.bundles import bundles, compared, from_the_set
from theorems.setting.clarke import _again, distance_to_hull
from theorems.setting.interpolant import Interpolant

SIZES = [1.0, 1e-6, 1e-13]


def _around(rng, size, count=9):
    """A projector, itself turned a little, and its neighbours across a kink."""
    projector = np.diag([1.0, 1.0, 0.0])
    near = projector + size * rng.standard_normal((count, 3, 3))
    return np.concatenate([near, rng.standard_normal((2, 3, 3))])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(20))
def test_members_are_at_no_distance(size, seed):
    """To rounding; matrices closer together than the equation for Σw is solved may stand for one another."""
    rng = np.random.default_rng(seed)
    around = np.stack([_around(rng, size) for _ in range(4)])
    weights = rng.dirichlet(np.full(around.shape[1], 0.3), size=4)
    inside = np.einsum("nk,nkij->nij", weights, around)
    assert (distance_to_hull(around, inside) <= 64 * EPS * 3 + (10 * size if size < 1e-12 else 0.0)).all()
    assert (distance_to_hull(around, around[:, 0]) == 0).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("off", [1e-10, 1e-3, 2.0])
def test_distance_across_a_plane(size, off):
    """Of matrices whose last entries are ≤ 0, one of them 0, from that one with the last entry ``off``."""
    rng = np.random.default_rng(1)
    around = _around(rng, size)
    around[:, 2, 2] = -np.abs(around[:, 2, 2])
    around[0, 2, 2] = 0.0
    wanted = around[0].copy()
    wanted[2, 2] = off
    (found,) = distance_to_hull(around[None], wanted[None])
    assert off * (1 - 1e-9) <= found <= off * (1 + 4 * EPS)


def test_distance_from_a_segment():
    ends = np.zeros((2, 2, 2))
    ends[1, 0, 0] = 1.0
    wanted = np.array([[[0.25, 0.5], [0.0, 0.0]], [[-3.0, 4.0], [0.0, 0.0]], [[1.5, 0.0], [0.0, 0.0]]])
    found = distance_to_hull(np.stack([ends] * 3), wanted)
    np.testing.assert_allclose(found, [0.5, 5.0, 0.5], rtol=1e-9)


def test_weights_that_are_solved_again_stay_convex():
    """From a point beside a segment the affine hull is nearer than the hull: its weights are not taken."""
    away = np.array([[1.0, 2.0, 5.0], [0.0, 0.0, 1.0]])
    weights = _again(away, np.array([True, True, False]))
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1.0, abs=4 * EPS)
    assert weights[2] == 0


def test_pieces_between_two_doubles_are_judged_by_a_larger_step():
    """λ = 1e−18: all doubles beside an inner atom have D prox = 1, and the exact z has 0; ½ is neither."""
    # Not of the one list: inner atoms whose cells do not hold 0.
    target = FiniteAtoms.on_line([-1.75, -1.5, -1.25, 0.25, 1.0, 1.75], np.full(6, 1 / 6))
    at = Interpolant.drawn(target, Polynomial(3.0), 1 - 1e-6, 50, np.random.default_rng(3))
    kinks = np.flatnonzero(at.solved.kink <= 2 * at.of_argument.bound)
    assert len(kinks) == 50
    for value, told in ((0.0, 0), (0.5, 1)):
        formula = np.full((50, 1, 1), value)
        off, own = from_the_set(target, (at.x0, at.z), at.step, 2 * at.of_argument.bound, formula, kinks)
        beside = np.abs(at.x1[:, 0]) < 1.7  # the outer atoms' cells are unbounded
        beside &= at.x1[:, 0] != 0.25  # the cell of this one holds 0
        assert (off[beside] > own[beside]).sum() == told * beside.sum()


@pytest.mark.parametrize("schedule", [Polynomial(3.0), Polynomial(2.5)], ids=repr)
def test_fields_on_atoms_agree_with_h1_near_the_end_of_time(schedule):
    # Not of the one list: as above, and turned into the plane.
    line = FiniteAtoms.on_line([-1.75, -1.5, -1.25, 0.25, 1.0, 1.75], np.full(6, 1 / 6))
    for target in (line, embed(line, [[0.6], [0.8]]), product(line, Sphere(2))):
        for remaining in (1e-4, 1e-5, 1e-6, 1e-7, 1e-9):
            for bundle in bundles(target, 100, np.random.default_rng(4)):
                found = compared(target, bundle, schedule, remaining)
                assert (found.error <= found.rounding.bound).all(), (target, remaining)
