"""The interpolant's statements hold where the answer is known, and a wrong step is beyond them."""

import numpy as np
import pytest

from numerics.potentials import DegenerateGaussian, FiniteAtoms, Sphere
from numerics.schedules import Linear, Polynomial, Trigonometric
from theorems.setting.clarke import distance_to_hull, jacobians_around
from theorems.setting.interpolant import Interpolant

# Not of the one list: a sphere, a Gaussian and atoms, at times near both ends.
TARGETS = [
    Sphere(3, 2.0),
    DegenerateGaussian([1.0, -2.0], [[4.0, 1.0], [1.0, 2.0]]),
    FiniteAtoms.hypercube(2),
]
TIMES = [(Linear(), 0.3), (Trigonometric(), 1e-6), (Linear(), 1 - 1e-9), (Polynomial(2.5), 1 - 1e-6)]


@pytest.mark.parametrize("target", TARGETS, ids=repr)
@pytest.mark.parametrize(("schedule", "t"), TIMES, ids=str)
def test_recovery_and_noise_stay_within_what_is_stated(target, schedule, t):
    at = Interpolant.drawn(target, schedule, t, 300, np.random.default_rng(1))
    assert (np.linalg.norm(at.solved.point - at.x1, axis=1) <= at.of_recovery.bound).all()
    assert (np.linalg.norm(at.solved.dual - at.x0, axis=1) <= at.of_noise.bound).all()


def test_a_wrong_step_is_beyond_it():
    target = TARGETS[1]
    at = Interpolant.drawn(target, Linear(), 0.3, 300, np.random.default_rng(1))
    wrong = target.prox(at.z, at.step * (1 + 1e-9))
    assert (np.linalg.norm(wrong - at.x1, axis=1) > at.of_recovery.bound).mean() > 0.9


def test_rounding_reaches_a_kink_near_the_end_of_time():
    """α ~ 1e-17: x_t lies on an atom of the cube to rounding, where D prox is 0 outside and I inside."""
    target = FiniteAtoms.hypercube(1)
    at = Interpolant(target, Polynomial(2.5), np.array([[0.3], [-1.2], [2.0]]), 1e-7)
    theory = np.zeros((3, 1, 1))
    around = jacobians_around(target, at.z, at.step, at.of_argument.bound, np.random.default_rng(2))
    assert (distance_to_hull(around, theory) <= 1e-12).all()


def test_the_hull_does_not_hold_what_lies_beside_it():
    matrices = np.stack([np.diag([1.0, 0.0]), np.diag([0.0, 0.0])])[None]
    wanted = np.array([[[0.25, 0.0], [0.0, 0.0]], [[1.5, 0.0], [0.0, 0.0]], [[0.5, 0.0], [0.0, 0.25]]])
    found = distance_to_hull(np.repeat(matrices, 3, axis=0), wanted)
    assert found == pytest.approx([0.0, 0.5, 0.25], abs=1e-9)
