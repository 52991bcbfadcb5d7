"""Perturbed flows: against an integrator that knows the field alone, closed forms, and bad input."""

import numpy as np
import pytest

from numerics.flows.exact import ExactField
from numerics.flows.perturbed import (
    between,
    euler_bound,
    euler_response,
    euler_steps,
    kick_bound,
    kicked,
    response,
    solved_end,
)
from numerics.potentials import DegenerateGaussian, Ellipsoid, FiniteAtoms, Sphere
from numerics.schedules import Linear, Trigonometric

# Not of the one list: fields, of which single ones are met with closed forms.
FIELDS = [
    ExactField(Ellipsoid([[4.0, 1.0], [1.0, 2.0]]), Trigonometric()),
    ExactField(FiniteAtoms.regular_polygon(5)),
    ExactField(DegenerateGaussian([1.0, -1.0], [[4.0, 2.0], [2.0, 1.0]])),
]
fields = pytest.mark.parametrize("field", FIELDS, ids=lambda f: type(f.potential).__name__)


@fields
def test_between_is_the_flow_on_the_support(field):
    x0 = np.random.default_rng(0).standard_normal((20, 2))
    for t in (0.0, 0.2, 0.9, 1.0):
        assert np.allclose(between(field, 0.4, t, field.flow(0.4, x0)), field.flow(t, x0), atol=1e-12)


@pytest.mark.parametrize("field", [FIELDS[0], FIELDS[2]], ids=["ellipsoid", "Gaussian"])
def test_impulses_are_the_limit_of_a_solved_path(field):
    """Midpoint impulses of a smooth error: of second order in their distance, where T is smooth."""
    x = field.flow(0.3, np.array([[1.0, 0.5], [-0.7, 1.2]]))

    def error(t, points):
        return np.broadcast_to([0.1 * np.cos(3 * t), 0.2 * t], points.shape)

    solved = solved_end(field, 0.3, x, error, remaining=1e-8, tolerance=1e-11)
    gaps = []
    for m in (10, 40):
        ends = np.linspace(0.3, 1.0, m + 1)
        middles = (ends[1:] + ends[:-1]) / 2
        kicks = np.array([0.7 / m * error(t, x) for t in middles])
        gaps.append(np.abs(kicked(field, 0.3, x, list(middles), kicks).data[-1] - solved).max())
    assert gaps[1] < gaps[0] / 12  # 16 at second order, 4 at first
    assert gaps[0] > 1e-7


def test_slips_are_small_and_statements_hold_for_a_line():
    """Gaussian data on the line, u = (x + λ·mean·…) in closed form: σz/(σ+λ) about the mean."""
    field = ExactField(DegenerateGaussian([0.0], [[2.25]]))
    path = kicked(field, 0.5, [[1.0]], [0.5, 0.75], [[[0.5]], [[-0.25]]])
    u = 1.0 / (0.5 / 1.5 + 0.5)
    for t, kick, place in ((0.5, 0.5, 1), (0.75, -0.25, 2)):
        u = (((1 - t) / 1.5 + t) * u + kick) / ((1 - t) / 1.5 + t)
        assert abs(path.data[place, 0, 0] - u) <= path.of_data[place, 0] + path.slips[:place].sum() * 2
    assert (path.slips > 0).all()
    assert (path.slips < 1e-14).all()


def test_bounds_in_closed_form():
    assert euler_bound([[1.0, 0.0], [2.0, 0.0], [3.0, 6.0]]).tolist() == [3.0, 2.0]
    assert euler_bound([[5.0]]).tolist() == [5.0]
    assert kick_bound([0.5, 0.25], [[1.0], [1.0]]).tolist() == [6.0]


def test_response_of_a_circle_is_tangential():
    spread = Sphere(2, 2.0).transport_jacobian([[1.0, 0.0]])
    found = response(spread, Linear(), [0.5], [[[3.0, 1.0]]], [1.0])
    assert np.allclose(found, [[0.0, 2.0 / 1.5]])
    assert np.allclose(euler_response(spread, [[[3.0, 1.0]]]), [[3.0, 1.0]])
    assert np.allclose(euler_response(spread, [[[3.0, 1.0]], [[0.0, 0.0]]]), [[0.0, 1.0 / 1.5]])


def test_euler_of_a_constant_field():
    path = euler_steps(lambda _, x: np.full_like(x, 2.0), [[1.0]], [[[0.0]], [[4.0]]])
    assert path[:, 0, 0].tolist() == [1.0, 2.0, 5.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: between(f, 0.0, 0.5, [[0.0, 0.0]]), "s: got 0.0"),
        (lambda f: kicked(f, 0.5, [[0.0, 0.0]], [0.4], [[[0.0, 0.0]]]), "must not decrease"),
        (lambda f: kicked(f, 0.5, [[0.0, 0.0]], [0.6, 0.7], [[[0.0, 0.0]]]), "2 for 1 kicks"),
        (lambda f: kicked(f, 0.5, [[0.0, 0.0]], [1.0], [[[0.0, 0.0]]]), "times: got 1.0"),
        (lambda f: kicked(f, 0.5, [[0.0, 0.0]], [0.6], [[[0.0]]]), "kicks: got shape"),
        (lambda f: euler_steps(f.velocity, [[0.0, 0.0]], np.zeros((0, 1, 2))), "errors: got shape"),
        (lambda _: response(np.eye(2)[None], Linear(), [0.1, 0.2], [[[0.0, 0.0]]], [1.0]), "times: got 2"),
        (lambda f: solved_end(f, 1.0, [[0.0, 0.0]], lambda _, x: x), "s: got 1.0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(FIELDS[1])


def test_integrator_that_gives_up_says_so():
    with pytest.raises(RuntimeError, match="integration from"):
        solved_end(FIELDS[2], 0.5, [[1.0, 1.0]], lambda _, x: 1e6 + x**3)
