"""The permutation matrices against the assignment solver and the Birkhoff polytope."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from numerics.potentials import FiniteAtoms
from numerics.proximal.conic import ConicProx


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_transport_is_the_optimal_assignment(n):
    p = FiniteAtoms.permutations(n)
    x0, x1 = p.sample(50, np.random.default_rng(2))
    for noise, image, value in zip(x0.reshape(-1, n, n), x1.reshape(-1, n, n), p.conjugate(x0), strict=True):
        rows, columns = linear_sum_assignment(noise, maximize=True)
        assert (image[rows, columns] == 1).all()
        assert image.sum() == n
        assert value == pytest.approx(noise[rows, columns].sum(), abs=1e-13)


def test_the_polytope_projects_where_the_atoms_do():
    p = FiniteAtoms.permutations(3)
    z = np.random.default_rng(3).standard_normal((20, 9))
    ours = p.prox(z, 0.7)
    assert np.allclose(ours, ConicProx(p)(z, 0.7), atol=1e-6)
    for axis in (1, 2):
        assert np.allclose(ours.reshape(-1, 3, 3).sum(axis=axis), 1, atol=1e-13)


@pytest.mark.parametrize("n", [0, 7, 2.5])
def test_sizes_are_refused(n):
    with pytest.raises(ValueError, match="n:"):
        FiniteAtoms.permutations(n)
