"""Streams of our own: none is the data that a user drew with a small seed, nor another's."""

import numpy as np
import pytest

from numerics.streams import stream
from numerics.transport import solve


@pytest.mark.parametrize("seed", [0, 1, 7, 2**40])
def test_a_stream_is_its_own(seed):
    names = ("trajectories", "samples", "semidiscrete", "batches 16", "batches 64")
    drawn = [stream(seed, name).standard_normal(4) for name in names]
    drawn += [np.random.default_rng(other).standard_normal(4) for other in (*range(10), 10 + seed)]
    drawn.append(stream(seed + 1, names[0]).standard_normal(4))
    assert len({tuple(numbers) for numbers in drawn}) == len(drawn)
    assert (stream(seed, names[0]).standard_normal(4) == drawn[0]).all()


def test_a_cloud_of_the_solvers_seed_is_solved_as_well_as_another():
    """Were the noise the cloud itself, every atom would be seen once, at itself."""
    for seed in (0, 1):
        points = np.random.default_rng(seed).standard_normal((40, 5))
        solution = solve(points, seed=0)
        assert (solution.error <= 5 * solution.uncertainty).all()
