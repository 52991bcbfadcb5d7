"""Trajectories and their stated error, against exponentials and rotations; bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.flows.integration import trajectory


@given(rate=st.floats(-3, 3), forwards=st.booleans())
def test_error_covers_exponentials(rate, forwards):
    times = np.array([0.0, 0.3, 0.7, 1.0])
    times = times if forwards else times[::-1]
    start = np.array([[1.0, -2.0], [0.5, 0.0]])
    found = trajectory(lambda _, z: rate * z, start, times)
    exact = start * np.exp(rate * (times - times[0]))[:, None, None]
    assert (np.abs(found.states - exact).max(axis=(1, 2)) <= found.error).all()
    assert (found.error < 1e-7).all()
    np.testing.assert_array_equal(found.states[0], start)


def test_error_covers_a_field_that_depends_on_time():
    found = trajectory(lambda t, z: 5 * np.cos(5 * t) * np.ones_like(z), [[0.0]], [0.0, 0.5, 1.0])
    exact = np.sin(5 * np.array([0.0, 0.5, 1.0]))
    assert (np.abs(found.states[:, 0, 0] - exact) <= found.error).all()


@pytest.mark.parametrize(
    ("start", "times", "message"),
    [
        ([[0.0]], [0.0], "two or more"),
        ([[0.0]], [0.0, 1.0, 0.5], "all rising or all falling"),
        ([0.0], [0.0, 1.0], "start"),
        ([[np.inf]], [0.0, 1.0], "start: entry"),
    ],
)
def test_bad_input(start, times, message):
    with pytest.raises(ValueError, match=message):
        trajectory(lambda _, z: z, start, times)


def test_blow_up_is_refused():
    with pytest.raises(ValueError, match="could not be integrated"), np.errstate(all="ignore"):
        trajectory(lambda _, z: z**2, [[2.0]], [0.0, 1.0])
