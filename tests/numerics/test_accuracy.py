"""The rules of rounding errors: sums and amplifications bound what they stand for, bad input is refused."""

from fractions import Fraction

import numpy as np
import pytest

from numerics.accuracy import EPS, UNIT, Rounding, spread_over
from numerics.potentials import Sphere


def test_there_is_one_eps():
    assert EPS == np.finfo(np.float64).eps == 2 * UNIT


@pytest.mark.parametrize("n", [2, 10, 300])
def test_the_bound_covers_a_running_sum_and_is_not_idle(n):
    """Adding n numbers of one sign errs by at most γ_{n−1} times their sum; a thousand of 1/3 use a share."""
    terms = np.random.default_rng(n).uniform(0.5, 1.0, (200, n))
    stated = Rounding(terms.sum(axis=1), n - 1, "a running sum")
    running = np.cumsum(terms, axis=1)[:, -1]
    error = np.array(
        [abs(float(Fraction(s) - sum(map(Fraction, row)))) for s, row in zip(running, terms, strict=True)]
    )
    assert (error <= stated.bound).all()
    assert error.max() >= stated.bound.max() / 64


def test_errors_add_and_are_amplified():
    first = Rounding(np.array([1.0, 3.0]), 2, "one")
    second = Rounding(5.0, 4, "two")
    both = first + second
    assert (both.bound >= first.bound + second.bound).all()
    assert both.bound == pytest.approx(first.bound + second.bound, rel=1e-12)
    assert both.because == "one; two"
    assert first.amplified(7.0).bound == pytest.approx(7 * first.bound, rel=1e-15)
    assert (first + Rounding.none()).because == "one"
    assert first.largest().bound == first.bound[1]
    assert first[1].bound == first.bound[1]


def test_a_certificate_keeps_its_number():
    assert Rounding.measured([1e-9, 2.0], "seen").bound == pytest.approx([1e-9, 2.0], rel=1e-15)


def test_disjoint_rows_make_one_statement():
    rows = [
        (np.array([0, 2]), Rounding(np.array([1.0, 2.0]), 3, "a")),
        (np.array([1]), Rounding(4.0, 1, "b")),
    ]
    found = spread_over(rows, 3)
    assert found.bound == pytest.approx(np.array([3.0, 4.0, 6.0]) * UNIT)
    assert found.because == "a; b"


@pytest.mark.parametrize(
    ("size", "count", "because", "named"),
    [
        (-1.0, 1, "x", "size"),
        (np.nan, 1, "x", "size"),
        (1.0, -1, "x", "count"),
        (1.0, 2.0**53, "x", "count"),
        (1.0, np.nan, "x", "count"),
        (1.0, 1, " ", "because"),
    ],
)
def test_bad_statements_are_refused(size, count, because, named):
    with pytest.raises(ValueError, match=named):
        Rounding(size, count, because)


@pytest.mark.parametrize("name", ["prox", "envelope", "prox_jacobian"])
def test_bad_input_to_statements_is_refused(name):
    p = Sphere(3)
    with pytest.raises(ValueError, match="z"):
        getattr(p.roundings, name)([[np.nan, 0.0, 1.0]], 1.0)
    with pytest.raises(ValueError, match="step"):
        getattr(p.roundings, name)([[1.0, 0.0, 1.0]], 0.0)
    with pytest.raises(ValueError, match="step"):
        p.proximal_point([[1.0, 0.0, 1.0]], -1.0)


@pytest.mark.parametrize("name", ["value", "conjugate", "transport", "transport_jacobian"])
def test_bad_points_are_refused(name):
    with pytest.raises(ValueError, match="shape"):
        getattr(Sphere(3).roundings, name)([[1.0, 0.0]])
