"""The least batch size that is enough: decided by upper ends of intervals, and for good."""

import numpy as np

from numerics.transport.couplings import BatchEstimate
from theorems.minibatch_convergence.practice import Case, sufficient


def _row(**ends):
    """Two batches at mean ± spread; Student's upper end at 1e−3 is mean + 636.6·spread."""
    return {
        int(n[1:]): BatchEstimate(int(n[1:]), np.array([mean - spread, mean + spread]))
        for n, (mean, spread) in ends.items()
    }


def test_upper_end_decides():
    row = _row(n1=(1.0, 0.0), n4=(0.29, 1e-4), n16=(0.2, 1e-5))
    low, high = row[4].interval(1e-3)
    assert low < 0.29 < 0.3 < high
    assert sufficient(row, 1.0, (1.0, 0.3, 0.1)) == ["1", "16", "> 16"]


def test_every_larger_size_must_do():
    row = _row(n1=(1.0, 0.0), n4=(0.2, 0.0), n16=(0.4, 0.0), n64=(0.1, 0.0))
    assert sufficient(row, 1.0, (0.3, 0.05)) == ["64", "> 64"]


def test_losses_are_divided_by_the_whole():
    row = _row(n1=(1.0, 0.0), n4=(0.2, 0.0))
    assert sufficient(row, 4.0, (0.3, 0.06, 0.04)) == ["1", "4", "> 4"]


def test_batches_are_at_most_a_quarter_of_a_cloud():
    sizes = {1: 10, 64: 5, 125: 4, 126: 3}
    assert Case(None, "", 1.0, 0.0, float, 500).sizes(sizes) == {1: 10, 64: 5, 125: 4}
    assert Case(None, "", 1.0, 0.0, float).sizes(sizes) == sizes
