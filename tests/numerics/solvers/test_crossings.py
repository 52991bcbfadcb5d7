"""Crossings of increasing functions: smooth, with jumps, flat, at 0 and far away; many at once and alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.solvers.crossings import crossing
from numerics.solvers.doubles import place

CENTRES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)
SHAPES = {
    "line": lambda x, c: x - c,
    "cube": lambda x, c: (x - c) ** 3,
    "steep": lambda x, c: np.expm1(np.clip(x - c, -700.0, 700.0)),
    "flat": lambda x, c: np.arctan(1e8 * (x - c)),
    "jump": lambda x, c: np.where(x < c, -1.0, 2.0),
    "jump on a slope": lambda x, c: x - c + np.where(x < c, -1e-3, 1e3),
}


def _checked(excess, low, high, centres):
    a, b = crossing(excess, low, high, (centres,))
    assert (a <= b).all()
    assert (low <= a).all()
    assert (b <= high).all()
    assert (excess(a, centres) <= 0).all()
    assert (excess(b, centres) >= 0).all()
    return a, b


@pytest.mark.parametrize("shape", SHAPES)
@given(centres=CENTRES)
def test_neighbours_enclose_the_crossing(shape, centres):
    c = np.array(centres)
    a, b = _checked(SHAPES[shape], np.full(len(c), -2e6), np.full(len(c), 2e6), c)
    apart = place(b) - place(a)
    assert (apart[(np.abs(a) > 1e-280)] <= 1).all()
    assert ((a == b) <= (SHAPES[shape](a, c) == 0)).all()


@given(centres=CENTRES)
def test_rows_do_not_know_of_each_other(centres):
    c = np.array(centres)
    together = crossing(SHAPES["steep"], c - 3.0, c + 5.0, (c,))
    for k in range(len(c)):
        alone = crossing(SHAPES["steep"], c[k : k + 1] - 3.0, c[k : k + 1] + 5.0, (c[k : k + 1],))
        assert [part[k] for part in together] == [part[0] for part in alone]


def test_given_ends_are_not_asked_again():
    asked = []

    def excess(x):
        asked.append(x)
        return x - 0.3

    low, high = np.zeros(1), np.ones(1)
    crossing(excess, low, high, ends=(low - 0.3, high - 0.3))
    assert not any(np.isin(x, [0.0, 1.0]).any() for x in asked)


def test_smooth_functions_need_a_dozen_steps():
    """By halving alone they need 50 and more."""
    asked = []

    def excess(x):
        asked.append(x)
        return np.exp(x) - 2

    a, b = crossing(excess, np.zeros(1), np.full(1, 3.0))
    assert a[0] <= np.log(2.0) <= b[0]
    assert len(asked) <= 16


def test_what_is_given_is_kept():
    low, high = np.zeros(2), np.ones(2)
    crossing(lambda x: x - 0.25, low, high)
    assert low.tolist() == [0.0, 0.0]
    assert high.tolist() == [1.0, 1.0]
