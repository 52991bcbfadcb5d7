"""Biased bits: rationals at dyadic points, the uniform law, moments, and what is refused."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy import stats

from numerics.potentials import Bits, Quantile

THIRD = Bits(Fraction(3, 10))


@pytest.mark.parametrize("digits", list(product((0, 1), repeat=4)))
def test_cells_in_rationals(digits):
    """F at the ends of the cell of four bits: they differ by the product of its bits' probabilities."""
    x = sum((Fraction(b, 2**k) for k, b in enumerate(digits, start=1)), Fraction(0))
    chance = Fraction(1)
    for bit in digits:
        chance *= Fraction(3, 10) if bit else Fraction(7, 10)
    assert THIRD.distribution_exact(x + Fraction(1, 16)) - THIRD.distribution_exact(x) == chance


@pytest.mark.parametrize("x", [Fraction(1, 3), Fraction(2, 7), Fraction(5, 12), Fraction(0), Fraction(1)])
def test_self_similarity_in_rationals(x):
    """F(x/2) = qF(x), F((1+x)/2) = q + pF(x), and exchanged bits reflect: F_p(x) + F_q(1−x) = 1."""
    p, q = Fraction(3, 10), Fraction(7, 10)
    f = THIRD.distribution_exact
    assert f(x / 2) == q * f(x)
    assert f((1 + x) / 2) == q + p * f(x)
    assert f(x) + Bits(q).distribution_exact(1 - x) == 1


def test_the_library_follows_the_rationals():
    """T at the noise of F(x) is x, for dyadic x: within the oscillation that is stated."""
    x = np.array([k / 64 for k in range(1, 64)])
    s = THIRD.subdifferential
    noise = np.array([[s([v]).low] for v in x])
    assert (np.abs(THIRD.transport(noise)[:, 0] - x) <= 4 * THIRD.roundings.transport(noise).bound).all()
    exact = [float(THIRD.distribution_exact(Fraction(float(v)))) for v in x]
    assert np.abs(stats.norm.cdf(noise[:, 0]) - exact).max() < 1e-14


def test_fair_bits_are_uniform():
    fair, uniform = Bits(0.5), Quantile(stats.uniform())
    s = np.linspace(-8, 8, 101)[:, None]
    for member in ("transport", "conjugate", "transport_jacobian"):
        assert np.abs(getattr(fair, member)(s) - getattr(uniform, member)(s)).max() < 1e-14, member
    z = np.linspace(-1, 2, 31)[:, None]
    assert np.abs(fair.prox(z, 0.7) - uniform.prox(z, 0.7)).max() < 1e-14
    assert np.abs(fair.prox_jacobian(z, 0.7) - uniform.prox_jacobian(z, 0.7)).max() < 1e-12


@pytest.mark.parametrize("p", [0.0625, 0.3, 0.9])
def test_moments_by_quadrature(p):
    """E T = p and E T² = p² + pq/3 over the noise, by a rule of 20000 even quantiles."""
    even = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)[:, None]
    image = Bits(p).transport(even)[:, 0]
    assert abs(image.mean() - p) < 1e-3
    assert abs((image**2).mean() - p**2 - p * (1 - p) / 3) < 1e-3
    assert (np.diff(image) >= 0).all()
    assert p != 0.3 or (np.diff(image) > 0).all()  # else steps of less than a double's


def test_singular_bits_have_no_manifold_and_no_derivative():
    x0, x1 = THIRD.sample(4, np.random.default_rng(0))
    assert THIRD.is_singular
    assert not Bits(0.5).is_singular
    assert (THIRD.transport_jacobian(x0) == 0).all()
    with pytest.raises(ValueError, match="manifold near none"):
        THIRD.manifolds(x1, x0)
    assert Bits(0.5).manifold([0.5], [0.0]).dimension == 1


@pytest.mark.parametrize("p", [0.0, 1.0, 0.01, -1, "half", True, float("nan"), None])
def test_refusals(p):
    with pytest.raises(ValueError, match="the probability of a one"):
        Bits(p)


def test_rationals_outside_are_refused():
    with pytest.raises(ValueError, match="x: got 3/2"):
        THIRD.distribution_exact(Fraction(3, 2))
