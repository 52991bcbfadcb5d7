"""The Cantor law: its quantile and distribution function in rationals, its conjugate by a staircase."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from numerics.accuracy import EPS
from numerics.potentials.cantor import Cantor, _quantile


def test_cantor_moments_and_known_values():
    p = Cantor()
    dyadic = np.arange(2**12) / 2**12 + 2.0**-13  # midpoints: Q is symmetric on every cell
    x = p.transport(ndtri(dyadic)[:, None])[:, 0]
    assert x.mean() == pytest.approx(p.law.mean, abs=1e-5)
    assert x.std() == pytest.approx(p.law.deviation, rel=1e-5)
    for probability, x in (("1/3", "1/4"), ("1/2", "2/3"), ("1/4", "2/9"), ("0", "0"), ("1", "1")):
        assert Cantor.quantile_exact(Fraction(probability)) == Fraction(x)
        assert Cantor.distribution_exact(Fraction(x)) == Fraction(probability)
    assert Cantor.distribution_exact(Fraction(1, 2)) == Fraction(1, 2)
    assert Cantor.distribution_exact(Fraction(2, 5)) == Fraction(1, 2)


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(1, 401))
def test_cantor_rationals_are_inverse(numerator, denominator):
    """F(Q(p)) = p exactly, and Q(p/2) = Q(p)/3, Q(1−p) + Q(p) = 1 off the dyadics."""
    p = Fraction(numerator % (denominator + 1), denominator)
    x = Cantor.quantile_exact(p)
    assert Cantor.distribution_exact(x) == p
    if p < 1:
        assert Cantor.quantile_exact(p / 2) == x / 3
    if p.denominator & (p.denominator - 1):
        assert Cantor.quantile_exact(1 - p) == 1 - x


@given(st.floats(1e-89, 0.5))
def test_cantor_quantile_of_a_double_is_exact_to_rounding(p):
    exact = Cantor.quantile_exact(Fraction(p))
    assert abs(Fraction(float(_quantile(np.array([p]))[0])) - exact) <= 4 * Fraction(EPS) * exact


def test_cantor_conjugate_by_staircase():
    """The law cut at 18 digits moves T by at most 3⁻¹⁸, its own midpoint by half; φ* by |s| times that."""
    p, digits = Cantor(), 18
    place = np.arange(2**digits)
    left = sum(2 * ((place >> (digits - 1 - k)) & 1) * 3.0 ** -(k + 1) for k in range(digits))
    steps = ndtri(np.arange(2**digits + 1) / 2**digits)
    for s in (-3.0, -1.0, 0.7, 2.5):
        spans = np.diff(np.clip(steps, min(0.0, s), max(0.0, s)))
        expected = np.sign(s) * spans @ (left + 3.0**-digits / 2)
        assert abs(p.conjugate([s])[0] - expected) <= abs(s) * 3.0**-digits / 2


def test_cantor_has_no_manifold_and_no_slope():
    p = Cantor()
    x0, x1 = p.sample(20, np.random.default_rng(12))
    assert np.abs(p.transport_jacobian(x0)).max() == 0
    with pytest.raises(ValueError, match="Cantor set"):
        p.manifolds(x1, x0)
