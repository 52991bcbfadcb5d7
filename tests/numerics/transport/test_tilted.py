"""log G_n and log(1 − G_n) within what they state: by exact fractions, and by full sums in 50 digits."""

from fractions import Fraction
from math import comb

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from numerics.intervals.matched_pair import assignment
from numerics.transport.tilted import log_assignment_probability, log_assignment_rounding

TINY = [1e-300, 1e-12, 1e-3, 0.3, 0.3125, 0.5, 0.6, 0.99, 1 - 1e-12]


def _fractions(u, w, n):
    """G_n and 1 − G_n: a double is a fraction."""
    u, w = Fraction(u), Fraction(w)
    noise = [comb(n - 1, k) * u**k * (1 - u) ** (n - 1 - k) for k in range(n)]
    data = [comb(n, k) * w**k * (1 - w) ** (n - k) for k in range(n + 1)]
    below = sum(noise[k] * sum(data[k + 1 :]) for k in range(n))
    return below, 1 - below


def _law(n, p):
    value, odds, law = (1 - p) ** n, p / (1 - p), []
    for k in range(n + 1):
        law.append(value)
        value = value * (n - k) / (k + 1) * odds
    return law


def _full_sums(u, w, n):
    """The same in mpmath's floats, whose exponents have no bounds: all outcomes, nothing tilted."""
    noise, data = _law(n - 1, mpmath.mpf(u)), _law(n, mpmath.mpf(w))
    tail, head = [mpmath.mpf(0)], [mpmath.mpf(0)]
    for value in reversed(data):
        tail.append(tail[-1] + value)
    for value in data:
        head.append(head[-1] + value)
    tail.reverse()
    return (mpmath.fsum(p * part[k + 1] for k, p in enumerate(noise)) for part in (tail, head))


def _errors(u, w, n, exact):
    """Of both logarithms, beside what is stated."""
    with mpmath.workdps(50):
        for found, value in zip(log_assignment_probability(u, w, n), exact, strict=True):
            number = mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value
            error = abs(float(mpmath.mpf(float(found)) - mpmath.log(number)))
            yield error, float(log_assignment_rounding(found, n).bound), found


@pytest.mark.parametrize("n", [1, 2, 3, 9, 25, 64])
def test_logarithms_are_those_of_fractions(n):
    ranks = [2.0**-40, 0.125, 0.3, 0.5, 0.75, 1 - 2.0**-33]
    for u in ranks:
        for w in ranks:
            for error, stated, _ in _errors(u, w, n, _fractions(u, w, n)):
                assert error <= stated, (u, w)


@pytest.mark.parametrize("n", [1, 7, 64, 512])
def test_logarithms_are_those_of_full_sums_at_the_ends(n):
    with mpmath.workdps(50):
        for u in TINY:
            for w in TINY:
                for error, stated, found in _errors(u, w, n, _full_sums(u, w, n)):
                    assert error <= stated, (u, w, found)


@pytest.mark.parametrize(
    ("n", "u", "w"),
    [(4096, 1e-12, 0.3), (4096, 0.6, 0.3), (16384, 0.3, 0.6), (16384, 0.301, 0.3), (16384, 0.3, 0.3)],
)
def test_logarithms_are_those_of_full_sums_for_large_batches(n, u, w):
    with mpmath.workdps(50):
        for error, stated, found in _errors(u, w, n, _full_sums(u, w, n)):
            assert error <= stated, found


@pytest.mark.parametrize(("u", "w"), [(0.25, 0.3), (0.3004, 0.3)])
def test_logarithms_at_a_million_lie_in_the_balls(u, w):
    n = 10**6
    with ctx.workprec(160):
        balls = assignment(arb(u), arb(w), n)
        for found, ball in zip(log_assignment_probability(u, w, n), balls, strict=True):
            stated = arb(float(log_assignment_rounding(found, n).bound))
            assert abs(arb(float(found)) - ball.log()) <= stated


def test_the_ends_are_limits():
    log = np.log
    assert [float(v) for v in log_assignment_probability(0.0, 0.3, 5)] == pytest.approx(
        [log(1 - 0.7**5), 5 * log(0.7)]
    )
    assert [float(v) for v in log_assignment_probability(1.0, 0.3, 5)] == pytest.approx(
        [5 * log(0.3), log(1 - 0.3**5)]
    )
    for u in (0.0, 0.4, 1.0):
        assert [float(v) for v in log_assignment_probability(u, 0.0, 5)] == [-np.inf, 0.0]
        assert [float(v) for v in log_assignment_probability(u, 1.0, 5)] == [0.0, -np.inf]


def test_a_complement_is_kept():
    """At u = 1 − 1e−30, which no double is: 1 − G_2(u,w) ≈ (1 − u)P(B = 1) + P(B ≤ 1 < 2)·… by hand."""
    w, rest = 0.3, 1e-30
    log_g, log_rest = log_assignment_probability(1.0, w, 2, above=rest)
    # A ~ Bin(1, u), B ~ Bin(2, w): P(A ≥ B) = (1−u)P(B = 0) + u P(B ≤ 1)
    assert float(log_rest) == pytest.approx(np.log(1 - w**2), rel=1e-14)
    assert float(log_g) == pytest.approx(np.log(w**2), rel=1e-14)
    log_g, log_rest = log_assignment_probability(rest, 1 - 2.0**-53, 2, above=1.0)
    # 1 − G = (1−u)(1−w)² + u(1 − w²) with 1 − w = 2⁻⁵³
    expected = np.log(2.0**-106 + rest * 2.0**-52)
    assert float(log_rest) == pytest.approx(expected, rel=1e-13)


def test_shapes_broadcast_and_one_call_is_many():
    u, w = np.linspace(0.1, 0.9, 5)[:, None], np.array([0.2, 0.7])
    log_g, log_rest = log_assignment_probability(u, w, 30)
    assert log_g.shape == log_rest.shape == (5, 2)
    one = log_assignment_probability(u[3, 0], 0.7, 30)
    assert (log_g[3, 1], log_rest[3, 1]) == pytest.approx([float(v) for v in one], rel=1e-13)
    assert np.exp(log_g) + np.exp(log_rest) == pytest.approx(1, abs=1e-13)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"u: got 1\.5"):
        log_assignment_probability(1.5, 0.2, 3)
    with pytest.raises(ValueError, match=r"w: got -0\.1"):
        log_assignment_probability(0.5, -0.1, 3)
    with pytest.raises(ValueError, match="w: entry"):
        log_assignment_probability(0.5, [0.1, np.nan], 3)
    with pytest.raises(ValueError, match="n: got 0"):
        log_assignment_probability(0.5, 0.2, 0)
    with pytest.raises(ValueError, match="it must be 1 − u"):
        log_assignment_probability(0.5, 0.2, 3, above=0.4)
    with pytest.raises(ValueError, match="above: got shape"):
        log_assignment_probability([0.5, 0.5], 0.2, 3, above=0.5)
    with pytest.raises(ValueError, match="within"):
        assignment(arb(0), arb("0.3"), 3)
