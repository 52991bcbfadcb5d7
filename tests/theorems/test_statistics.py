"""The deviation bounds hold on simulated means, and are not vacuous."""

import numpy as np
import pytest
from scipy.stats import norm

from theorems.statistics import dkw, gaussian_lipschitz, hoeffding

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
