"""Bisection for the first exit along many directions."""

import numpy as np
import pytest

from theorems.setting.exits import first_exits


@pytest.mark.parametrize("halvings", [4, 24, 40])
def test_every_direction_leaves_where_it_does_to_the_last_halving(halvings: int) -> None:
    places = np.array([0.0, 0.3, 2.9999, 3.5, np.inf])
    found = first_exits(lambda s: s > places, len(places), 3.0, halvings)
    inside = places < 3
    assert (found[~inside] == np.inf).all()
    assert (found[inside] >= places[inside]).all()
    assert (found[inside] - places[inside] <= 3 * 2.0**-halvings).all()
