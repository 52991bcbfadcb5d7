"""Which matrices are covariances: every LLᵀ, however it was rounded, and none that misses it by more."""

import numpy as np
import pytest

from numerics.accuracy import EPS
from numerics.checks import symmetric_matrix

SIZES = (1, 2, 3, 4, 8, 40)
SCALES = (1e-300, 1.0, 1e300)


def test_rank_one_of_small_fractions_is_a_covariance():
    """Seed 341 drew it: exactly of rank 1, and LAPACK's least eigenvalue is -1.6e-15."""
    factor = np.array([[1.0], [0.5], [1.25], [1.25]])
    covariance = factor @ factor.T
    assert (symmetric_matrix("covariance", covariance, definite=False) == covariance).all()


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("scale", SCALES)
def test_products_are_semidefinite(d, scale):
    rng = np.random.default_rng(d)
    for rank in {1, d // 2, d}:
        for _ in range(200):
            fractions = rng.integers(-8, 9, (d, rank)) / 4
            numbers = rng.standard_normal((d, rank)) * np.exp2(rng.integers(-20, 21, (d, 1)))
            for factor in (fractions, numbers):
                product = factor @ factor.T
                product = product / (np.abs(product).max() or 1.0) * scale
                assert symmetric_matrix("covariance", product, definite=False).shape == (d, d)


@pytest.mark.parametrize("d", SIZES)
@pytest.mark.parametrize("scale", SCALES)
def test_what_falls_below_the_allowance_is_refused(d, scale):
    """A product of fractions, exactly semidefinite and singular but for the last axis, which is negative."""
    rng = np.random.default_rng(d)
    for _ in range(50):
        factor = rng.integers(-8, 9, (d, d)) / 4
        product = np.zeros((d + 1, d + 1))
        product[:d, :d] = factor @ factor.T
        product[d, d] = -5 * (d + 3) * EPS * np.trace(product) or -1.0
        with pytest.raises(ValueError, match="covariance: smallest eigenvalue is -"):
            symmetric_matrix("covariance", product / np.abs(product).max() * scale, definite=False)


def test_nothing_is_semidefinite_and_not_definite():
    zero = np.zeros((3, 3))
    assert not symmetric_matrix("covariance", zero, definite=False).any()
    with pytest.raises(ValueError, match="positive definite"):
        symmetric_matrix("covariance", zero, definite=True)


@pytest.mark.parametrize("exponent", [-1060, 1014])
def test_the_allowance_neither_vanishes_nor_overflows(exponent):
    """Products of fractions are exact at both ends of the range, where eps times the trace may be 0."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        factor = rng.integers(-8, 9, (8, 3)) / 4
        product = np.ldexp(factor @ factor.T, exponent)
        assert np.array_equal(symmetric_matrix("covariance", product, definite=False), product)


@pytest.mark.parametrize("d", SIZES[1:])
@pytest.mark.parametrize("scale", SCALES)
def test_what_sums_of_d_products_may_leave_of_symmetry_is_not_refused(d, scale):
    """16·d·eps of the largest entry, and no more."""
    for off, refused in ((15 * d * EPS, False), (17 * d * EPS, True)):
        matrix = np.eye(d) * scale
        matrix[0, -1] = off * scale
        if refused:
            with pytest.raises(ValueError, match="covariance: differs from its transpose"):
                symmetric_matrix("covariance", matrix, definite=True)
        else:
            assert symmetric_matrix("covariance", matrix, definite=True)[0, -1] == off * scale / 2
