"""Merging of repeated points: what is kept, where each point went, and what is refused."""

import numpy as np
import pytest

from numerics.transport import merge_duplicates
from numerics.transport.duplicates import refuse_duplicates


@pytest.mark.parametrize("seed", range(4))
def test_merged_points_are_those_given(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.integers(-1, 2, (40, 3)).astype(float) * rng.choice([1.0, -1.0], (40, 1))
    weights = rng.uniform(0.5, 1.5, 40)
    distinct, merged, place = merge_duplicates(points, weights)
    refuse_duplicates(distinct)
    np.testing.assert_array_equal(distinct[place], points)
    np.testing.assert_allclose([weights[place == k].sum() for k in range(len(distinct))], merged)
    _, first = np.unique(place, return_index=True)
    assert (np.diff(first) > 0).all()
    np.testing.assert_array_equal(points[first], distinct)


def test_zero_has_no_sign_and_distinct_points_stay() -> None:
    distinct, weights, place = merge_duplicates([[0.0, 1.0], [-0.0, 1.0], [0.0, np.nextafter(1, 2)]])
    assert len(distinct) == 2
    np.testing.assert_allclose(weights, [2 / 3, 1 / 3])
    np.testing.assert_array_equal(place, [0, 0, 1])


def test_bad_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="weights: got 2 for 3 points"):
        merge_duplicates([[0.0], [1.0], [2.0]], [0.5, 0.5])
