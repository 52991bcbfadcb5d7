"""Exact batch laws and what their plans cost, against rationals, mpmath and quadrature in the ranks."""

from fractions import Fraction
from itertools import pairwise
from math import comb

import mpmath
import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from numerics.accuracy import EPS
from numerics.potentials import AtomAndDensity, Cantor, FiniteAtoms, Quantile
from numerics.transport import costs
from numerics.transport.binomials import binomial_windows
from numerics.transport.minibatch import (
    assignment_probability,
    bernstein_copula,
    expected_cost,
    normal_order_means,
)


def _rational_probability(u, w, n):
    """G_n in fractions: the doubles u and w are fractions, too."""
    u, w = Fraction(u), Fraction(w)
    noise = [comb(n - 1, k) * u**k * (1 - u) ** (n - 1 - k) for k in range(n)]
    data = [comb(n, k) * w**k * (1 - w) ** (n - k) for k in range(n + 1)]
    return float(sum(noise[k] * sum(data[k + 1 :]) for k in range(n)))


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 45])
def test_assignment_probability_is_the_rational_one(n):
    ranks = [0.0, 1e-9, 0.125, 0.3, 0.5, 0.875, 1 - 2**-30, 1.0]
    exact = [[_rational_probability(u, w, n) for w in ranks] for u in ranks]
    found = assignment_probability(np.array(ranks)[:, None], np.array(ranks)[None, :], n)
    assert np.abs(found - exact).max() <= 8 * EPS * np.sqrt(n)


def _mp_windows(n, p, reach):
    """Binomial probabilities in 40 digits around the mean, first outcome and list."""
    p, low = mpmath.mpf(p), max(0, int(n * p) - reach)
    value = mpmath.binomial(n, low) * p**low * (1 - p) ** (n - low)
    law = []
    for k in range(low, min(n, int(n * p) + reach) + 1):
        law.append(value)
        value = value * (n - k) * p / ((k + 1) * (1 - p))
    return low, law


@pytest.mark.parametrize(("n", "u", "w"), [(10**4, 0.3, 0.3), (10**6, 0.5, 0.5005), (10**6, 0.001, 0.00103)])
def test_layer_is_resolved_at_a_million(n, u, w):
    """Outcomes beyond 12 deviations carry less than 1e−31."""
    with mpmath.workdps(40):
        reach = 60 + int(12 * np.sqrt(n * w * (1 - w)))
        a0, noise = _mp_windows(n - 1, u, reach)
        b0, data = _mp_windows(n, w, reach)
        tails = [mpmath.mpf(0)]
        for value in reversed(data):
            tails.append(tails[-1] + value)
        tails.reverse()  # tails[j] = P(B ≥ b0 + j)
        exact = sum(p * tails[min(max(a0 + i + 1 - b0, 0), len(data))] for i, p in enumerate(noise))
    assert abs(float(exact) - assignment_probability(u, w, n)) <= 8 * EPS * np.sqrt(n)


@pytest.mark.parametrize("n", [0, 1, 5, 400])
def test_windows_hold_the_whole_law(n):
    p = np.array([0.0, 1e-320, 1e-12, 0.2, 0.5, 1 - 1e-9, 1.0])
    first, law = binomial_windows(n, p)
    k = first[:, None] + np.arange(law.shape[1])
    inside = (k >= 0) & (k <= n)
    assert (law[~inside] == 0).all()
    exact = np.where(inside, stats.binom.pmf(np.clip(k, 0, n), n, p[:, None]), 0.0)
    assert np.abs(law - exact).max() <= 64 * EPS * np.sqrt(n + 1)


def test_copula_is_the_derivative_of_the_probability():
    u, v, n = np.array([0.1, 0.4, 0.8]), np.array([0.3, 0.4, 0.6]), 9
    density = sum(stats.beta(i, n - i + 1).pdf(u) * stats.beta(i, n - i + 1).pdf(v) for i in range(1, n + 1))
    assert np.allclose(bernstein_copula(u, v, n), density / n, rtol=1e-12)
    h = 1e-5
    rise = assignment_probability(u, v + h, n) - assignment_probability(u, v - h, n)
    assert np.allclose(rise / (2 * h), density / n, rtol=1e-7)


def test_normal_order_means_are_the_tabulated_ones():
    """Of five: known in closed form to 10 digits (Harter 1961)."""
    assert np.allclose(normal_order_means(5)[3:], [0.4950189705, 1.1629644736], atol=1e-10)
    assert np.allclose(normal_order_means(2), [-1 / np.sqrt(np.pi), 1 / np.sqrt(np.pi)], atol=1e-14)
    assert np.allclose(normal_order_means(3)[2], 1.5 / np.sqrt(np.pi), atol=1e-14)


@pytest.mark.parametrize(
    "law", [stats.norm(), stats.expon(), stats.uniform(-1, 3), stats.poisson(3), stats.bernoulli(0.7)]
)
@pytest.mark.parametrize("n", [1, 4])
def test_expected_cost_is_a_double_integral(law, n):
    """2[∫Q_x Q_y − (1/n) Σ E X₍ᵢ₎ E Y₍ᵢ₎] with both means by adaptive quadrature of quantiles in the rank."""

    def mean(quantile, i, jumps):
        return quad(
            lambda p: quantile(p) * stats.beta(i, n - i + 1).pdf(p),
            0, 1, points=jumps, limit=800, epsabs=1e-12,
        )[0]  # fmt: skip

    jumps = [p for p in law.cdf(np.arange(12)) if 0 < p < 1] if hasattr(law, "pmf") else None
    cross = sum(mean(stats.norm.ppf, i, None) * mean(law.ppf, i, jumps) for i in range(1, n + 1)) / n
    best = quad(lambda p: stats.norm.ppf(p) * law.ppf(p), 0, 1, points=jumps, limit=800)[0]
    found = expected_cost(Quantile(law), n)
    assert found.excess == pytest.approx(2 * (best - cross), abs=2e-6)
    assert found.cost == pytest.approx(1 + law.var() + law.mean() ** 2 - 2 * cross, abs=2e-6)


def test_expected_cost_of_gaussians_is_the_sum_of_variances():
    """n = 2: Var X₍ᵢ₎ = 1 − 1/π, so c₂ = 2(1 − 1/π)."""
    found = expected_cost(Quantile(stats.norm()), 2)
    assert abs(found.excess - 2 * (1 - 1 / np.pi)) <= found.error
    assert abs(found.cost - 2 * (1 - 1 / np.pi)) <= found.cost_error
    single = expected_cost(Quantile(stats.norm()), 1)
    assert abs(single.excess - 2) <= single.error
    assert abs(single.cost - 2) <= single.cost_error <= 8 * EPS


def test_large_batches_are_as_the_gaussian_asymptotics():
    """n = 10⁶: (2/n)ΣVar X₍ᵢ₎ against the tail sum by Rényi-like order means, antisymmetric."""
    means = normal_order_means(10**6)
    assert (means == -means[::-1]).all()
    assert (np.diff(means) > 0).all()
    found = expected_cost(Quantile(stats.norm()), 10**6)
    assert abs(found.cost - 2 * (1 - means @ means / 10**6)) <= found.cost_error + 16 * EPS


@pytest.mark.parametrize("n", [1, 8, 300])
@pytest.mark.parametrize("law", [stats.norm(1, 2), stats.expon(), stats.uniform(-1, 3), stats.arcsine()])
def test_levels_give_what_order_statistics_give(law, n):
    """A density is a mixture of two-atom steps: 2∫D_n(F₁(y))dy beside (2/n) Σ Cov(X₍ᵢ₎, Y₍ᵢ₎)."""
    target = Quantile(law)
    by_ranks = expected_cost(target, n)
    by_layers = costs._cost_by_layers(target, n, law.var() + law.mean() ** 2)
    assert abs(by_ranks.excess - by_layers.excess) <= by_ranks.error + by_layers.error
    assert abs(by_ranks.optimal - by_layers.optimal) <= by_ranks.optimal_error + by_layers.optimal_error
    assert abs(by_ranks.cost - by_layers.cost) <= by_ranks.cost_error + by_layers.cost_error


MIXTURES = [
    AtomAndDensity([0.0], [0.375], stats.norm(1)),
    AtomAndDensity([-1.0, 2.0], [0.25, 0.125], stats.uniform(0, 1.5)),  # gaps beside both atoms
    AtomAndDensity([0.0], [0.5], stats.expon()),
]


@pytest.mark.parametrize("n", [1, 4])
@pytest.mark.parametrize("target", MIXTURES, ids=repr)
def test_expected_cost_of_a_mixture_by_adaptive_quadrature(target, n):
    """E Y₍ᵢ₎ = ∫T(Φ⁻¹(p)) f_{i:n}(p)dp, cut at the ends of the atoms' intervals."""
    jumps = stats.norm.cdf(np.concatenate([target.law.starts, target.law.stops]))
    cuts = np.unique(np.concatenate([[0.0, 1.0], jumps]))

    def integral(weight):
        def integrand(p):
            return target.transport([[stats.norm.ppf(p)]])[0, 0] * weight(p)

        return sum(quad(integrand, a, b, limit=200, epsabs=1e-9)[0] for a, b in pairwise(cuts))

    ranks = [stats.beta(i, n - i + 1).pdf for i in range(1, n + 1)]
    noise = normal_order_means(n)
    cross = sum(noise[i] * integral(ranks[i]) for i in range(n)) / n
    best = integral(stats.norm.ppf)
    found = expected_cost(target, n)
    assert found.excess == pytest.approx(2 * (best - cross), abs=1e-6)
    mean = integral(np.ones_like)
    second = target.law.deviation**2 + mean**2
    assert found.cost == pytest.approx(1 + second - 2 * cross, abs=1e-6)


@pytest.mark.parametrize("n", [1, 8, 200])
def test_expected_cost_of_the_cantor_law_is_that_of_its_tenth_level(n):
    """The midpoints of 1024 intervals of length 3⁻¹⁰ are 3⁻¹⁰/2 away: the excess moves by 2·3⁻¹⁰E|x₀|."""
    points = np.array([0.5])
    for _ in range(10):
        points = np.concatenate([points / 3, 2 / 3 + points / 3])
    level = expected_cost(FiniteAtoms.on_line(points, np.full(1024, 1 / 1024)), n)
    found = expected_cost(Cantor(), n)
    assert abs(found.excess - level.excess) <= 2 * 3.0**-10 * np.sqrt(2 / np.pi)
    assert abs(found.optimal - level.optimal) <= 3.0**-10 * (np.sqrt(2 / np.pi) + 1)


# --- bad input ----------------------------------------------------------------------------------------


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="u: got"):
        assignment_probability(1.5, 0.2, 3)
    with pytest.raises(ValueError, match="n: got 0"):
        assignment_probability(0.5, 0.2, 0)
    with pytest.raises(ValueError, match="quantile"):
        expected_cost(FiniteAtoms.hypercube(2), 4)
