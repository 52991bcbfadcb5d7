"""The rules of rounding errors: sums and amplifications bound what they stand for, bad input is refused."""

from fractions import Fraction

import numpy as np
import pytest

from numerics.accuracy import EPS, UNIT, Rounding, spread_over
from numerics.flows.exact import ExactField
from numerics.potentials import Sphere
from numerics.potentials.instances import Use, instances
from numerics.schedules import Linear


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


@pytest.mark.usefixtures("as_users_see_it")
@pytest.mark.parametrize(
    ("size", "count", "because", "named"),
    [
        (-1.0, 1, "x", "size"),
        (np.nan, 1, "x", "size"),
        (1.0, -1, "x", "count"),
        (1.0, 2.0**53, "x", "count"),
        (1.0, np.nan, "x", "count"),
        (1.0, 1, " ", "because"),
        (1.0, 1, None, "because"),
        (1.0, 1, 2.0, "because"),
        ("1", 1, "x", "size"),
        (1j, 1, "x", "size"),
        (None, 1, "x", "size"),
        (1.0, "2", "x", "count"),
        (1.0, None, "x", "count"),
        (1.0, 2j, "x", "count"),
        (1.0, [1, 2], "x", "count"),
    ],
)
def test_bad_statements_are_refused(size, count, because, named):
    with pytest.raises(ValueError, match=named):
        Rounding(size, count, because)


def test_only_statements_add_to_statements():
    with pytest.raises(TypeError, match="unsupported operand"):
        Rounding.measured(1.0, "seen") + 1


@pytest.mark.parametrize("rows", [[0], [0, 1, 1], [0, 2], [-1, 0], []], ids=str)
def test_every_row_of_a_batch_has_one_statement(rows):
    with pytest.raises(ValueError, match=r"roundings: rows .* of a batch of 2; each row needs one statement"):
        spread_over([(np.array(rows, dtype=int), Rounding.measured(1.0, "seen"))], 2)


@pytest.mark.parametrize("moved", [[0.1, 0.2], [-0.1], np.nan, 1j, "far"], ids=str)
def test_what_an_argument_is_off_by_is_a_distance(moved):
    with pytest.raises(ValueError, match="moved: "):
        Sphere(3).roundings.transport([[1.0, 0.0, 1.0]], moved)
    with pytest.raises(ValueError, match="moved: "):
        ExactField(Sphere(3), Linear()).roundings.velocity(0.5, [[1.0, 0.0, 1.0]], moved=moved)


@pytest.mark.parametrize("instance", instances(Use.LAW), ids=lambda each: repr(each.potential)[:80])
def test_a_statement_is_refused_where_the_member_is(instance):
    """At the origin, where spheres and matrices have no T, on an axis, in general position and at data."""
    potential, rng = instance.potential, np.random.default_rng(0)
    d = potential.dim
    points = [np.zeros(d), np.eye(d)[0], np.ones(d), *potential.transport(rng.standard_normal((2, d)))]
    for member in ("conjugate", "transport", "transport_jacobian"):
        for point in points:
            assert refuses(getattr(potential, member), point) == refuses(
                getattr(potential.roundings, member), point
            )


def refuses(call, point):
    """Whether a ValueError comes of it."""
    try:
        call([point])
    except ValueError:
        return True
    return False


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
