"""Halving in the order of doubles: neighbours, from anywhere, in 64 steps."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numerics.solvers.doubles import halved, middle, place

NUMBERS = st.floats(-1.7e308, 1.7e308)
"""Their neighbours are finite: NumPy 2.0 warns where one is not."""


@given(NUMBERS)
def test_places_of_neighbours_are_neighbours(x):
    both = np.array([x, np.nextafter(x, np.inf)])
    if np.isfinite(both).all():
        assert np.diff(place(both)) == (1 if both[0] != both[1] else 0)
    assert place(-both[:1]) == -place(both[:1])


@given(NUMBERS, NUMBERS)
def test_the_middle_lies_halfway(x, y):
    low, high = np.array([min(x, y)]), np.array([max(x, y)])
    found = middle(low, high)
    below, above = (int(place(a)[0]) - int(place(b)[0]) for a, b in ((found, low), (high, found)))
    assert 0 <= above - below <= 1


@given(NUMBERS, NUMBERS, NUMBERS)
def test_a_jump_is_enclosed_by_neighbours(low, high, jump):
    low, jump, high = sorted((low, jump, high))
    below = np.nextafter(low, -np.inf)
    assume(np.isfinite(below))
    calls = []

    def sign(x):
        calls.append(x)
        return np.where(x < jump, -1.0, 1.0)

    a, b = halved(sign, np.array([below]), np.array([high]))
    assert b[0] == jump
    assert a[0] == np.nextafter(jump, -np.inf)
    assert len(calls) <= 64


@pytest.mark.parametrize("root", [0.0, 1.0, -3.5, 5e-324])
def test_a_root_that_is_met_is_returned_twice(root):
    a, b = halved(lambda x: x - root, np.full(3, -7.0), np.full(3, 9.0))
    assert (a <= root).all()
    assert (b >= root).all()
    assert (place(b) - place(a) <= 1).all()
    assert ((a == root) | (b == root)).all()


def test_what_is_no_number_counts_as_negative():
    a, b = halved(lambda x: np.where(np.abs(x - 1) < 0.5, np.nan, x - 1), np.array([0.0]), np.array([3.0]))
    assert a[0] < b[0] == 1.5
    assert place(b) - place(a) == 1
