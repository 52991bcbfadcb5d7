"""The last solve that is kept: asked once, and nobody's arrays but its own."""

import numpy as np
import pytest
from scipy import stats

from numerics.potentials import Curve, FiniteAtoms, NearestPoint
from numerics.potentials.bits import Bits
from numerics.potentials.cantor import Cantor
from numerics.potentials.line import Quantile
from numerics.potentials.solved_once import LastSolve

SQUARE = FiniteAtoms.hypercube(2)
# Not of the one list: the five kinds of solve that are kept.
TARGETS = [Quantile(stats.expon()), Cantor(), Bits(0.3), NearestPoint(Curve.spiral(1.0), 0.5), SQUARE]
NAMES = ("point", "envelope", "jacobian", "kink", "dual")


def test_the_same_is_solved_once_and_other_steps_anew():
    calls = []

    def solve(z, step):
        calls.append((z.copy(), step.copy()))
        return z + step[:, None]

    last, z, step = LastSolve(), np.zeros((2, 1)), np.ones(2)
    first = last(solve, z, step)
    assert last(solve, z.copy(), step.copy()) is first
    last(solve, z, 2 * step)
    last(solve, z + 1, 2 * step)
    assert len(calls) == 3


def test_other_shapes_and_kinds_of_the_same_bytes_are_other_questions():
    last = LastSolve()
    for array in (np.zeros((2, 1)), np.zeros((1, 2)), np.zeros((1, 1), complex), np.zeros(2)):
        assert last(lambda x: (x.shape, x.dtype), array) == (array.shape, array.dtype)


@pytest.mark.parametrize("target", TARGETS, ids=repr)
def test_what_is_returned_is_the_callers_own(target):
    """Writing into an answer changes no later one, nor does writing into z."""
    z = np.array([[0.2] * target.dim, [0.7] * target.dim])
    before = z.copy()
    first = [getattr(target.proximal_point(z, 0.5), name).copy() for name in NAMES]
    found = target.proximal_point(z, 0.5)
    members = [getattr(found, name) for name in NAMES]
    for array in (target.prox(z, 0.5), target.envelope(z, 0.5), target.prox_jacobian(z, 0.5), *members):
        array[:] = np.nan
    z[:] = 100.0
    again = target.proximal_point(before, 0.5)
    for name, expected in zip(NAMES, first, strict=True):
        np.testing.assert_array_equal(getattr(again, name), expected)
