"""L1–L5: the limits that demonstrations about networks rest on, where nothing of them may be left out.

A limit that is too low lets a network pass that has not shown what is claimed, and no draw would tell. Each
is asked here where it is an equality: of the exact law of a count, and of the capital that it is defined by,
multiplied out stake by stake.
"""

import math
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats import norm

from numerics.accuracy import UNIT, Rounding
from theorems.betting import STAKES, mean_limit, ratio_limit, share_limit, size_limit

LEVELS = (1e-10, 0.05)
NEAR = 3e-9
"""The limits' own resolution, as a share of the range where they are sought: a root to 1e−10, rounded up."""
N = 40


@pytest.mark.claim("L4", "L5")
@pytest.mark.parametrize("level", LEVELS)
def test_as_few_are_seen_at_the_limit_with_the_stated_probability(evidence, level):
    """Clopper and Pearson: P(Bin(n, p) ≤ count) = level at p = limit, summed in fractions."""
    found = []
    for count in (0, 1, 7, 20):
        limit = Fraction(share_limit(count, N, level))
        terms = (comb(N, k) * limit**k * (1 - limit) ** (N - k) for k in range(count + 1))
        found.append(abs(float(sum(terms) / Fraction(level)) - 1))
    on = evidence.on("shares", level=level, n=N)
    on.estimated(
        "|P(as few or fewer at the limit) / level − 1|",
        found,
        1e-9,
        by="the incomplete beta function's inverse: relative 1e−12, times n and log(1/level)",
        because="that is how the limit is defined",
        chosen="a billionth",
    )
    on.exact("all of n: no limit below 1", share_limit(N, N, level) == 1, domain=f"n = {N}")


def _capital(gains):
    """The mean over the stakes of Π(1 + g·gain), multiplied out."""
    return float(np.mean([np.prod(1 + g * np.asarray(gains, dtype=np.longdouble)) for g in STAKES]))


def _measure_limit(on, capital, limit, width, level):
    """The capital reaches 1/level at the limit, and does not a little below."""
    products = Rounding(1.0, 16 * N, "the limit's own sums of logarithms")
    on.bounded(
        "1 over level times the capital at the limit",
        1 / (level * capital(limit)),
        products,
        because="a mean below the limit would have made so much of it only with that probability (Markov)",
        main=1.0,
        points=N,
    )
    on.bounded(
        "level times the capital just below the limit",
        level * capital(limit - NEAR * width),
        products,
        because="the limit is the least that the capital allows",
        main=1.0,
        points=N,
    )


@pytest.mark.claim("L1", "L5")
@pytest.mark.parametrize("level", LEVELS)
def test_the_limit_of_a_mean_is_where_the_capital_gets_to(evidence, rng, level):
    values, high = rng.beta(0.5, 2.0, N), 1.25
    limit = float(mean_limit(values, high, level))
    on = evidence.on("a mean", level=level, n=N)
    _measure_limit(on, lambda m: _capital((m - values) / (high - m)), limit, high - values.min(), level)
    on.exact("stakes between 0 and 1", (STAKES > 0) & (STAKES < 1), domain="all stakes")


@pytest.mark.claim("L2")
@pytest.mark.parametrize("level", LEVELS)
def test_the_limit_of_a_ratio_is_where_the_capital_gets_to(evidence, rng, level):
    """Of E(part)/E(whole): so the ratio multiplies the whole."""
    whole = rng.uniform(0.5, 4.0, N)
    part, cap = whole * rng.uniform(0.1, 0.4, N), 4.0
    limit = float(ratio_limit(part, whole, cap, level))
    on = evidence.on("a ratio of means", level=level, n=N)
    _measure_limit(on, lambda r: _capital((r * whole - part) / cap), limit, max(1.0, 2 * limit), level)


@pytest.mark.claim("L3", "L4")
def test_the_limit_of_a_size_is_of_both_signs(evidence, rng):
    values, level = rng.uniform(-0.75, -0.25, N), 1e-6
    on = evidence.on("a size", level=level, n=N)
    limit, other = (float(size_limit(side, 1.0, level)) for side in (values, -values))
    on.exact("of x and of −x the same", limit == other, domain="floating point, bitwise")
    on.certified(
        "|mean of the draws| less the limit of |E|, and what the mean rounds",
        abs(math.fsum(values) / N) + 2 * UNIT - limit,
        bound=0.0,
        because="at the draws' own mean the capital is at most 1 (Jensen), far below 2/level; the sum is"
        " rounded once, and the quotient once",
        points=N,
    )


@pytest.mark.claim("L1", "L5")
@pytest.mark.parametrize("mean", [0.02, 0.3])
def test_a_rare_value_is_missed_no_more_often_than_stated(evidence, mean):
    """Draws of 0 and 1, over all outcomes: what Student's interval misses by far (docs/theory.md §6)."""
    counts, level = np.arange(N + 1), 0.05
    weights = np.array([comb(N, int(k)) * mean**k * (1 - mean) ** (N - k) for k in counts])
    limits = mean_limit(1.0 * (np.arange(N)[:, None] < counts), 1.0, level)
    evidence.on("draws of 0 and 1", mean=mean, n=N).bounded(
        "probability that the mean lies above its limit, over the level",
        weights[limits < mean].sum() / level,
        Rounding(1 / level, 2 * N, "products and a sum of probabilities"),
        because="the capital's expectation is 1 at the true mean: Markov's inequality",
        main=1.0,
        points=N + 1,
    )


@pytest.mark.claim("L1", "L2", "L5")
def test_the_limit_of_many_values_is_as_sharp_as_their_spread(evidence, rng):
    """Of 4000 values of deviation 0.1 in [0, 1], beside the limit of normal values.

    The exponent of the capital, gd − g²v/2 a draw, is at least 2(√2 − 1) of its largest for a stake within √2
    of the best: a reach of √(2 log(16/level)/(2(√2 − 1))) deviations of the mean, 1.24 times the normal one.
    """
    values, level = np.clip(0.3 + 0.1 * rng.standard_normal(4000), 0, 1), 1e-10
    normal = norm.isf(level) * values.std() / np.sqrt(len(values))
    evidence.on("narrow values in [0, 1]", level=level).estimated(
        "(limit − mean) over that of normal values",
        (float(mean_limit(values, 1.0, level)) - values.mean()) / normal,
        1.5,
        by="terms of third order, and the normal law, to which the mean tends",
        because="one of the stakes, which fall by halves, is near the best for every spread",
        chosen="one half more than the normal reach, for 1.24 times it",
        points=len(values),
    )
