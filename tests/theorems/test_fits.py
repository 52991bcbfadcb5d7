"""Intervals of fitted slopes miss no more often than they say, also with few batches."""

import numpy as np
from scipy.stats import binom

from theorems.minibatch_convergence.fits import slope_of_means


def test_interval_of_few_batches_misses_at_most_its_level():
    """Normal batches of means 1/n: 4000 fits, five batches a size; misses are binomial at most."""
    rng, sizes, repeats, level = np.random.default_rng(0), [4, 16], 4000, 0.05
    missed = 0
    for _ in range(repeats):
        batches = [(1 + 0.05 * rng.standard_normal(5)) / n for n in sizes]
        low, high = slope_of_means(sizes, batches, level)[1]
        missed += not low <= -1 <= high
    assert missed <= binom.isf(1e-6, repeats, level)
    assert missed > 0
