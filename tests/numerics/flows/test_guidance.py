"""Guidance is affine in its weight; ends bit for bit; bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.flows.guidance import guided

X = np.random.default_rng(0).standard_normal((7, 2))


def free(t, x):
    return np.sin(x) + t


def given_prompt(t, x):
    return x**2 - t


@given(w=st.floats(-5, 5), t=st.floats(0, 1))
def test_affine_in_the_weight(w, t):
    found = guided(free, given_prompt, w)(t, X)
    np.testing.assert_allclose(
        found, free(t, X) + w * (given_prompt(t, X) - free(t, X)), atol=1e-13 * (1 + abs(w))
    )


def test_ends():
    np.testing.assert_array_equal(guided(free, given_prompt, 0.0)(0.3, X), free(0.3, X))
    np.testing.assert_array_equal(guided(free, given_prompt, 1.0)(0.3, X), given_prompt(0.3, X))


def test_bad_input():
    with pytest.raises(ValueError, match="weight: entry"):
        guided(free, given_prompt, np.nan)
    with pytest.raises(ValueError, match="conditional: got shape"):
        guided(free, lambda _, x: x[:, :1], 2.0)(0.5, X)
