"""Rational atoms against values worked out by hand, and against the wrong answers they must refuse."""

from fractions import Fraction

import pytest

from theorems.proximal_denoiser.rational_atoms import RationalAtoms, combine, dot, solve_linear

HALF = Fraction(1, 2)
TRIANGLE = RationalAtoms(
    ((Fraction(0), Fraction(0)), (Fraction(2), Fraction(0)), (Fraction(0), Fraction(2))),
    (Fraction(0), Fraction(1), Fraction(1)),
)


def test_inner_products_and_sums():
    assert dot([HALF, Fraction(2)], [Fraction(4), HALF]) == 3
    assert combine((HALF, [Fraction(2), Fraction(4)]), (Fraction(-1), [Fraction(1), HALF])) == (
        0,
        Fraction(3, 2),
    )


def test_a_singular_system_has_no_solution():
    assert solve_linear([[Fraction(1), Fraction(2)], [Fraction(2), Fraction(4)]], [HALF, HALF]) is None
    assert solve_linear([[Fraction(0), Fraction(1)], [Fraction(2), Fraction(0)]], [HALF, Fraction(1)]) == [
        HALF,
        HALF,
    ]


@pytest.mark.parametrize(
    ("z", "step", "u"),
    [
        ((Fraction(3), Fraction(0)), Fraction(1), (Fraction(2), Fraction(0))),  # beyond an atom
        ((Fraction(1), Fraction(-1)), HALF, (Fraction(3, 4), Fraction(0))),  # on an edge: 1 − λ·slope
        ((Fraction(1), Fraction(1)), HALF, (Fraction(3, 4), Fraction(3, 4))),  # inside the triangle
    ],
)
def test_prox_by_hand(z, step, u):
    """φ = (x + y)/2 on the triangle."""
    weights = TRIANGLE.prox_weights(z, step)
    assert TRIANGLE.point(weights) == u
    assert TRIANGLE.solves(weights, z, step)
    assert TRIANGLE.height(weights) == sum(u) / 2 == TRIANGLE.value(u)


def test_wrong_weights_do_not_solve():
    z = (Fraction(1), Fraction(1))
    right = TRIANGLE.prox_weights(z, HALF)
    assert not TRIANGLE.solves(right, z, Fraction(1))
    assert not TRIANGLE.solves([Fraction(1), Fraction(0), Fraction(0)], z, HALF)
    assert not TRIANGLE.solves([right[0] + 1, right[1] - 1, right[2]], z, HALF)
    assert not TRIANGLE.solves([2 * w for w in right], z, HALF)


def test_values_off_the_hull_are_infinite():
    assert TRIANGLE.value((Fraction(2), Fraction(2))) is None
    assert TRIANGLE.conjugate((Fraction(1), Fraction(0))) == 1
    assert TRIANGLE.without({1}).value((Fraction(0), Fraction(1))) == HALF
