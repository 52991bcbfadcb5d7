"""What means of normal order statistics, and excesses of ranks and of steps, err by, against 30 digits."""

import numpy as np
import pytest
from mpmath import mp, mpf

from numerics.accuracy import UNIT
from numerics.transport.minibatch import normal_order_means
from numerics.transport.order_statistics import (
    rank_excess,
    rank_excess_rounding,
    step_excess,
    step_excess_rounding,
)
from tests.numerics.accuracy.cost_oracles import batch_product, order_mean, order_means
from tests.numerics.accuracy.harness import judge, judge_with_twins


@pytest.fixture(autouse=True)
def thirty_digits():
    with mp.workdps(30):
        yield


def test_means_of_order_statistics():
    places = [(2, 2), (3, 3), (5, 4), (8, 7), (20, 20), (64, 1), (64, 20)]
    found = np.array([normal_order_means(n)[i - 1] for n, i in places])
    exact = [order_mean(n, i) for n, i in places]
    error = [float(abs(mpf(float(a)) - b)) for a, b in zip(found, exact, strict=True)]
    judge(error, 6 * UNIT * (1 + np.abs(found)))


def test_excess_of_a_rank_and_of_a_step():
    x = np.concatenate([np.linspace(-20, 20, 31) + 0.013, np.linspace(-1, 1, 11)])
    ranks, steps, of_ranks, of_steps = [], [], [], []
    for n in (2, 7, 30):
        for value, rank, step in zip(x, rank_excess(x, n), step_excess(x, n), strict=True):
            place = mpf(-abs(float(value)))  # both are odd or even, and the smaller tail keeps its digits
            lower, upper = mp.ncdf(place), mp.ncdf(-place)
            law = [mp.binomial(n - 1, k) * lower**k * upper ** (n - 1 - k) for k in range(n)]
            mean = sum(p * m for p, m in zip(law, order_means(n), strict=True))
            ranks.append(float(abs(abs(place - mean) - abs(mpf(float(rank))))))
            steps.append(float(abs(mp.npdf(place) - batch_product(n, lower, upper) - mpf(float(step)))))
        of_ranks.append(rank_excess_rounding(x, n))
        of_steps.append(step_excess_rounding(x))
    judge_with_twins(ranks, np.concatenate(of_ranks))
    judge_with_twins(steps, np.concatenate(of_steps))
    assert (rank_excess(x, 1) == x).all()
    assert (rank_excess(x, 7) * x >= 0).all()
