"""The deviation bounds hold on simulated means, and are not vacuous."""

import numpy as np
import pytest
from scipy.stats import binom, norm
from scipy.stats import t as student

from theorems.betting import mean_interval
from theorems.statistics import (
    bernstein,
    dkw,
    gaussian_lipschitz,
    hoeffding,
    hoeffding_sum,
    mean_of_squares,
    mean_square_interval,
    random_signs,
)

LEVEL = 0.05
RUNS, N = 4000, 200


def _share_beyond(deviations, bound):
    return (np.abs(deviations) > bound).mean()


@pytest.mark.parametrize("seed", range(3))
def test_bounds_are_exceeded_no_more_often_than_their_level(seed):
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((RUNS, N))
    slack = 4 * np.sqrt(LEVEL / RUNS)  # four standard deviations of a share near the level
    assert (
        _share_beyond(np.abs(noise).mean(axis=1) - np.sqrt(2 / np.pi), gaussian_lipschitz(N, 1.0, LEVEL))
        <= LEVEL + slack
    )
    assert _share_beyond((noise > 0).mean(axis=1) - 0.5, hoeffding(N, 1.0, LEVEL)) <= LEVEL + slack
    ordered = norm.cdf(np.sort(noise, axis=1))
    steps = np.arange(1, N + 1) / N
    distance = np.maximum(steps - ordered, ordered - steps + 1 / N).max(axis=1)
    assert _share_beyond(distance, dkw(N, LEVEL)) <= LEVEL + slack


def test_bounds_are_within_a_factor_of_the_truth():
    """A bound ten times too wide would see nothing: compare with Gaussian tails of the same variance."""
    exact = norm.isf(LEVEL / 2) / np.sqrt(N)
    assert exact < gaussian_lipschitz(N, 1.0, LEVEL) < 1.5 * exact
    assert exact / 2 < hoeffding(N, 1.0, LEVEL) < 1.5 * exact / 2


# --- skew laws, where Student's interval is no level ----------------------------------------------------

RARE, DRAWS = 0.01, 150


def test_exact_misses_of_a_rare_value():
    """Over all outcomes of n draws of 0 and 1: betting and Bernstein keep the level, Student misses 22 %."""
    ones = np.arange(DRAWS + 1)
    weights = binom.pmf(ones, DRAWS, RARE)
    shares = ones / DRAWS
    deviation = np.sqrt(shares * (1 - shares) / (DRAWS - 1))
    reach = student.isf(LEVEL / 2, DRAWS - 1) * deviation
    assert weights[np.abs(shares - RARE) > reach].sum() > 4 * LEVEL
    held = [n for n in ones if weights[n] > 1e-9]
    intervals = np.array([mean_interval(np.arange(DRAWS) < n, 0.0, 1.0, LEVEL) for n in held])
    missed = (intervals[:, 0] > RARE) | (intervals[:, 1] < RARE)
    assert weights[held][missed].sum() <= LEVEL
    known = bernstein(DRAWS, RARE * (1 - RARE), 1.0, LEVEL)
    assert weights[np.abs(shares - RARE) > known].sum() <= LEVEL


def test_an_interval_by_betting_is_as_sharp_as_the_spread():
    """Of 4000 values of deviation 0.03 in [0, 1]: Hoeffding's is 17 times wider than the normal one."""
    values = np.clip(0.1 + 0.03 * np.random.default_rng(0).standard_normal(4000), 0, 1)
    low, high = mean_interval(values, 0.0, 1.0, LEVEL)
    normal = 2 * norm.isf(LEVEL / 2) * 0.03 / np.sqrt(4000)
    assert normal < high - low < 2 * normal
    assert 2 * hoeffding(4000, 1.0, LEVEL) > 10 * normal
    assert low < values.mean() < high


def test_an_interval_reckons_with_both_ends_of_the_range():
    zeros = np.zeros(50)
    low, high = mean_interval(zeros, -1.0, 1.0, LEVEL)
    assert low < 0 < high
    assert high > 1 / 50
    assert low == pytest.approx(-high, rel=1e-8)
    with pytest.raises(ValueError, match="values: got 2"):
        mean_interval([2.0], 0.0, 1.0, LEVEL)


@pytest.mark.parametrize("seed", range(3))
def test_sums_signs_and_squares(seed):
    """Shares beyond each bound: at most the level, and with half the bound more than the level."""
    rng, slack = np.random.default_rng(seed), 4 * np.sqrt(LEVEL / RUNS)
    widths = rng.exponential(size=N) ** 2
    sums = ((rng.random((RUNS, N)) < 0.5) - 0.5) @ widths
    sizes = rng.exponential(size=N) ** 3
    signed = rng.choice([-1.0, 1.0], (RUNS, N)) @ sizes
    squares = (rng.standard_normal((RUNS, N)) ** 2).mean(axis=1) - 1
    skew = (rng.random((RUNS, N)) < 0.05).mean(axis=1) - 0.05
    for deviations, bound in (
        (sums, hoeffding_sum(widths, LEVEL)),
        (signed, random_signs(sizes, LEVEL)),
        (squares, mean_of_squares(N, LEVEL)),
        (skew, bernstein(N, 0.05 * 0.95, 0.95, LEVEL)),
    ):
        assert _share_beyond(deviations, bound) <= LEVEL + slack
        assert _share_beyond(deviations, bound / 2) > LEVEL + slack


def test_chi_square_is_exact():
    """Both tails together have the level, so that the longer one alone has between half of it and all."""
    noise = np.random.default_rng(0).standard_normal((200_000, 4))
    share = _share_beyond((noise**2).mean(axis=1) - 1, mean_of_squares(4, LEVEL))
    assert LEVEL / 2 * 0.95 < share < LEVEL


def test_mean_square_of_a_lipschitz_function():
    """R = ‖x‖ of k normals, E R² = k: misses, and how wide; a kinked R = max(|x₁|, |x₂|), E R² = 1 + 2/π."""
    noise = np.random.default_rng(0).standard_normal((RUNS, 9))
    for roots, exact in (
        (np.linalg.norm(noise, axis=1), 9.0),
        (np.abs(noise[:, :2]).max(axis=1), 1 + 2 / np.pi),
    ):
        ends = np.array([mean_square_interval(r, 1.0, LEVEL) for r in roots])
        missed = (ends[:, 0] > exact) | (ends[:, 1] < exact)
        assert missed.mean() <= LEVEL
        narrow = np.array([mean_square_interval(r, 1 / 4, LEVEL) for r in roots])
        assert ((narrow[:, 0] > exact) | (narrow[:, 1] < exact)).mean() > LEVEL
