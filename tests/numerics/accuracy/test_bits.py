"""Biased bits against many digits: T from 220 bits, prox by bisection, φ* by cells with finer rules."""

from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

from numerics.potentials import Bits
from tests.numerics.accuracy import line_oracles as oracle
from tests.numerics.accuracy.harness import judge

CASES = (0.3, 0.0625, 0.84)
LEVELS = 80


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(oracle.DIGITS):
        yield


def _map(p):
    """T(s) from the bits of Φ(s); the last of 220 has a weight of 1e-66."""
    one, zero = mp.mpf(p), 1 - mp.mpf(p)

    def transport(s):
        rest, value, weight = oracle.phi(s), mp.mpf(0), mp.mpf(1)
        for _ in range(220):
            weight /= 2
            if rest >= zero:
                value, rest = value + weight, (rest - zero) / one
            else:
                rest /= zero
        return value

    return transport


@pytest.mark.parametrize("p", CASES)
def test_transport(p):
    rng = np.random.default_rng(3)
    s = np.concatenate([rng.uniform(-8, 8, 60), rng.uniform(-20, 20, 20), rng.normal(0, 0.1, 20)])
    bits, exact = Bits(p), _map(p)
    error = oracle.errors(bits.transport(s[:, None])[:, 0], [exact(mp.mpf(float(v))) for v in s])
    judge(error, bits.roundings.transport(s[:, None]).bound)


@pytest.mark.parametrize("p", CASES)
def test_prox(p):
    rng = np.random.default_rng(4)
    bits, exact = Bits(p), _map(p)
    step = 10.0 ** rng.uniform(-6, 6, 15)
    noise = rng.standard_normal((15, 1))
    z = bits.transport(noise) + step[:, None] * noise + 0.3 * rng.standard_normal((15, 1))
    found = bits.proximal_point(z, step)
    near = bits._solve(z, step).noise
    points = [oracle.prox(exact, *case)[0] for case in zip(z[:, 0], step, near, strict=True)]
    judge(oracle.errors(found.point[:, 0], points), found.rounding.point.bound)


def _gauss_rule(p, nodes):
    """Gauss' places and weights for the law of the bits, from its moments and their Hankel matrix."""
    one, zero = mp.mpf(p), 1 - mp.mpf(p)
    moments = [mp.mpf(1)]
    for j in range(1, 2 * nodes):
        mixed = mp.fsum(mp.binomial(j, i) * zero ** (j - i) * one**i * moments[i] for i in range(j))
        moments.append(mixed / (2 - zero**j - one**j))
    hankel = mp.matrix(nodes, nodes)
    shifted = mp.matrix(nodes, nodes)
    for i in range(nodes):
        for j in range(nodes):
            hankel[i, j], shifted[i, j] = moments[i + j], moments[i + j + 1]
    factor = mp.cholesky(hankel) ** -1
    places, vectors = mp.eigsy(factor * shifted * factor.T)
    ones = factor * mp.matrix(moments[:nodes])
    weights = [mp.fsum(ones[i] * vectors[i, k] for i in range(nodes)) ** 2 for k in range(nodes)]
    return places, weights


def _quadrature(p, nodes=20):
    """φ*: sT(s) + ∫_{(s, 0]} r dT over the cells of F(X), with moments and nodes of their own."""
    one, zero = mp.mpf(p), 1 - mp.mpf(p)
    places, weights = _gauss_rule(p, nodes)

    def inverse(v):
        x = mp.mpf(float(oracle_start(v)))
        for _ in range(4):
            x -= (oracle.phi(x) - v) / mp.npdf(x)
        return x

    def from_to(low, high):
        """∫ Φ⁻¹ dν over (low, high], ν the law of F(X)."""
        return _over(mp.mpf(0), mp.mpf(1), mp.mpf(1), low, high, LEVELS)

    def _over(start, length, mass, low, high, levels):
        if high <= start or low >= start + length or not levels:
            return mp.mpf(0)
        if (
            low <= start
            and start + length <= high
            and start >= length / 8
            and 1 - start - length >= length / 8
        ):
            return mass * mp.fsum(
                w * inverse(start + length * x) for w, x in zip(weights, places, strict=True)
            )
        return _over(start, length * zero, mass / 2, low, high, levels - 1) + _over(
            start + length * zero, length * one, mass / 2, low, high, levels - 1
        )

    exact = _map(p)

    def conjugate(s):
        u, half = oracle.phi(s), mp.mpf(1) / 2
        part = from_to(u, half) if u < half else -from_to(half, u)
        return s * exact(s) + part

    return conjugate


def oracle_start(v):
    """A double near Φ⁻¹(v), by SciPy."""
    from scipy.special import ndtri

    return ndtri(float(v)) if v < 0.5 else -ndtri(float(1 - v))


@pytest.mark.parametrize("p", [0.3, 0.84])
def test_conjugate_and_value(p):
    s = np.random.default_rng(5).uniform(-3, 3, 4)
    bits, exact = Bits(p), _quadrature(p)
    with mp.workdps(60):
        error = oracle.errors(bits.conjugate(s[:, None]), [exact(mp.mpf(float(v))) for v in s])
    judge(error, bits.roundings.conjugate(s[:, None]).bound, floor=1e-3)  # 128 terms of either sign


def test_distribution_at_doubles():
    """The interval ∂φ(x) against Φ⁻¹ of the exact distribution function."""
    bits = Bits(Fraction(3, 10))
    x = np.random.default_rng(6).random(60) * 10.0 ** -np.random.default_rng(7).integers(0, 9, 60)
    found = bits.law.interval(x)[0]
    exact = []
    for v in x:
        u = bits.distribution_exact(Fraction(float(v)))
        u, r = (
            mp.mpf(u.numerator) / u.denominator,
            mp.mpf(float(oracle_start(mp.mpf(u.numerator) / u.denominator))),
        )
        for _ in range(4):
            r -= (oracle.phi(r) - u) / mp.npdf(r)
        exact.append(r)
    judge(oracle.errors(found, exact), bits.law.interval_error(x, found))
