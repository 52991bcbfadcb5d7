"""Vectors, matrices, eigenvalues and the normal law in balls, against closed forms and mpmath; refusals."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from numerics.intervals import balls


@pytest.fixture(autouse=True)
def _precision():
    with ctx.workprec(balls.PRECISION):
        yield


def test_doubles_are_exact():
    (ball,) = balls.exact(0.1)
    assert ball.is_exact()
    assert Fraction(str(ball.fmpq())) == Fraction(0.1)


@pytest.mark.parametrize("value", ["third", "root", "integer"])
def test_ends_in_doubles_enclose(value):
    ball = {"third": arb(1) / 3, "root": -arb(2).sqrt(), "integer": arb(7)}[value]
    low, high = balls.below(ball), balls.above(ball)
    assert arb(low) <= ball <= arb(high)
    assert high - low <= 2 * np.spacing(abs(high))


def test_integers_have_no_width():
    assert (balls.below(arb(7)), balls.above(arb(7))) == (7.0, 7.0)


def test_norm_encloses_where_the_ball_holds_zero():
    wide = arb(0, 1)
    assert balls.norm([wide]).contains(0)
    assert balls.norm([wide]).contains(arb(3) / 4)
    assert balls.norm([arb(3), arb(4)]).contains(5)


def test_distance_is_an_upper_bound():
    assert balls.distance([arb(1) / 3], [1 / 3]) >= abs(Fraction(1, 3) - Fraction(1 / 3)) > 0


def test_eigenvalues_and_projectors_of_a_rational_matrix():
    matrix = balls.exact_matrix([[2.0, 1.0], [1.0, 2.0]])
    (high, upper), (low, lower) = balls.spectrum(matrix)
    assert high.contains(3)
    assert low.contains(1)
    assert all(entry.contains(arb(1) / 2) for entry in upper.entries())
    assert balls.total([upper, lower]).contains(balls.identity(2))


def test_eigenvalues_of_a_ball_around_a_multiple_of_the_identity():
    tiny = arb(0, 2.0**-60)
    found = balls.eigenvalues(arb_mat([[2 + tiny, tiny], [tiny, 2 + tiny]]))
    assert all(value.contains(2) and float(value.rad()) < 2.0**-57 for value in found)


def test_repeated_eigenvalues_are_enclosed_but_have_no_projectors():
    assert all(value.contains(1) for value in balls.eigenvalues(balls.identity(3)))
    with pytest.raises(balls.UndecidedError, match="told apart"):
        balls.spectrum(balls.identity(3))


@pytest.mark.parametrize("s", [-8.0, -0.5, 0.0, 3.25])
def test_normal_law_is_that_of_mpmath(s):
    with mpmath.workdps(60):
        expected = mpmath.ncdf(s), mpmath.npdf(s)
        for ball, value in zip(
            (balls.normal_below(arb(s)), balls.normal_density(arb(s))), expected, strict=True
        ):
            assert abs(mpmath.mpf(ball.mid().str(80, radius=False)) - value) <= 1e-55 * value


def test_matrix_helpers():
    x, y = balls.exact([1.0, 2.0]), balls.exact([3.0, 5.0])
    assert balls.apply(balls.outer(x, y), x)[1] == 26
    assert balls.columns([x, y]).tolist() == arb_mat([[1, 3], [2, 5]]).tolist()
    assert balls.diagonal(x).tolist() == arb_mat([[1, 0], [0, 2]]).tolist()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="values: got"):
        balls.exact([1.0, value])


def test_a_matrix_has_two_axes():
    with pytest.raises(ValueError, match="1 axes"):
        balls.exact_matrix([1.0])
