"""Slopes of means: Student's interval for normal batches, and intervals that hold whatever the law."""

import numpy as np
import pytest
from scipy.stats import binom

from theorems.betting import mean_interval
from theorems.setting.fits import slope_of, slope_of_intervals, slope_of_means

SIZES = [4, 16, 64]


def test_students_interval_of_few_normal_batches_misses_at_most_its_level():
    """Normal batches of means 1/n: 4000 fits, five batches a size; misses are binomial at most."""
    rng, sizes, repeats, level = np.random.default_rng(0), [4, 16], 4000, 0.05
    missed = 0
    for _ in range(repeats):
        batches = [(1 + 0.05 * rng.standard_normal(5)) / n for n in sizes]
        low, high = slope_of_means(sizes, batches, level)[1]
        missed += not low <= -1 <= high
    assert missed <= binom.isf(1e-6, repeats, level)
    assert missed > 0


def test_intervals_by_betting_hold_where_students_does_not():
    """Values 0 or 1, rarely 1, of mean 0.3/n: Student's slope misses −1 far beyond its level, this never."""
    rng, repeats, level, count = np.random.default_rng(0), 150, 0.05, 400
    missed = {"student": 0, "betting": 0}
    for _ in range(repeats):
        batches = [(rng.random(count) < 0.3 / n).astype(float) for n in SIZES]
        if min(b.sum() for b in batches) < 1:  # no fit, and an interval without end by betting
            missed["student"] += 1
            continue
        low, high = slope_of_means(SIZES, batches, level)[1]
        missed["student"] += not low <= -1 <= high
        intervals = [mean_interval(b, 0.0, 1.0, level / 3) for b in batches]
        low, high = slope_of_intervals(SIZES, [b.mean() for b in batches], intervals)[1]
        missed["betting"] += not low <= -1 <= high
    assert missed["student"] > binom.isf(1e-6, repeats, level)
    assert missed["betting"] <= level * repeats


def test_a_slope_has_the_ends_that_its_means_can_give_it():
    """Against all corners of the box of means, and exact for exact means."""
    means = np.array([1.0, 0.4, 0.2])
    intervals = [(0.9, 1.2), (0.3, 0.5), (0.1, 0.25)]
    slope, (low, high) = slope_of_intervals(SIZES, means, intervals)
    corners = np.stack(np.meshgrid(*intervals), axis=-1).reshape(-1, 3)
    slopes = [np.polyfit(np.log(SIZES), np.log(corner), 1)[0] for corner in corners]
    assert slope == pytest.approx(np.polyfit(np.log(SIZES), np.log(means), 1)[0], rel=1e-12)
    assert (low, high) == pytest.approx((min(slopes), max(slopes)), rel=1e-12)
    assert slope_of(SIZES, means) == pytest.approx(slope, rel=1e-12)


def test_a_mean_that_may_be_zero_leaves_no_end():
    low, high = slope_of_intervals([4, 16], [1.0, 0.1], [(0.9, 1.1), (0.0, 0.2)])[1]
    assert low == -np.inf
    assert np.isfinite(high)
