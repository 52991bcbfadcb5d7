"""The filter of the first-order responses: it sees ties and spikes of T, and nothing of K."""

import numpy as np

from numerics.potentials import FiniteAtoms, Sphere
from theorems.stability.tame_noise import tame


def test_ties_and_short_noise_are_left_out():
    two = FiniteAtoms.two([-1.0, 0.0], [1.0, 0.0], 0.5)  # T breaks on the plane where the first entry is 0
    x0 = np.array([[0.009, 1.0], [-0.009, 1.0], [5e-5, 2.0], [0.02, 1.0], [-0.5, 0.0], [0.1, 0.1]])
    assert tame(two, x0).tolist() == [False, False, False, True, True, False]


def test_smooth_noise_is_kept():
    rng = np.random.default_rng(0)
    x0 = rng.standard_normal((500, 3))
    held = tame(Sphere(3, 2.0), x0)
    assert (held == (np.linalg.norm(x0, axis=1) > 0.2)).all()
    assert held.mean() > 0.98


class _Liar(Sphere):
    """A sphere whose K is a thousand times too large."""

    def _transport_jacobian(self, x0):
        return 1e3 * super()._transport_jacobian(x0)


def test_what_is_under_test_is_not_asked():
    x0 = np.random.default_rng(1).standard_normal((500, 2))
    assert (tame(_Liar(2, 2.0), x0) == tame(Sphere(2, 2.0), x0)).all()
