"""ODE solvers: order of convergence on a field with a known flow, exactness on straight lines, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.flows.sampling import euler, integrate
from numerics.potentials import FiniteAtoms, Sphere

X0 = np.random.default_rng(0).standard_normal((7, 2))


def spiral(t, x):
    """x' = 2t·Jx: a rotation by t² of every point."""
    return 2 * t * x @ np.array([[0.0, 1.0], [-1.0, 0.0]])


def turned(x, angle):
    c, s = np.cos(angle), np.sin(angle)
    return x @ np.array([[c, s], [-s, c]])


def test_euler_is_of_first_order_and_its_constant_known():
    """y' = −y: (1 − δ)^{1/δ} = e^{−1}(1 − δ/2 + O(δ²))."""
    for steps in (64, 128, 256):
        found = euler(lambda _, x: -x, np.ones((1, 1)), steps)[-1, 0, 0]
        assert (np.exp(-1) - found) * steps / np.exp(-1) == pytest.approx(0.5, abs=1 / steps)


@given(st.integers(1, 40))
def test_euler_is_exact_along_straight_lines(steps):
    """An exact OT-CFM field: any number of steps ends at T(x₀) (P6)."""
    for target in (Sphere(2, 2.0), FiniteAtoms.regular_polygon(5)):
        path = euler(ExactField(target).velocity, X0, steps)
        times = np.repeat(np.linspace(0, 1, steps + 1), len(X0))
        expected = ExactField(target).flow(times, np.tile(X0, (steps + 1, 1)))
        # steps + 1 roundings of numbers below 8, each multiplied by 1 + δ‖Dv‖ ≤ 1 + 1/k in step k: at most ×k
        np.testing.assert_allclose(path.reshape(-1, 2), expected, atol=64 * steps**2 * EPS * 8)


def test_the_adaptive_solver_keeps_its_tolerance():
    times = [0.25, 0.5, 1.0]
    for tolerance in (1e-4, 1e-7, 1e-10):
        path = integrate(spiral, X0, times, tolerance=tolerance)
        for t, found in zip(times, path, strict=True):
            assert np.abs(found - turned(X0, t**2)).max() <= 100 * tolerance


def test_both_agree_between_start_and_stop():
    rough = euler(spiral, X0, 4000, start=0.2, stop=0.7)[-1]
    fine = integrate(spiral, X0, 0.7, start=0.2, tolerance=1e-10)[-1]
    np.testing.assert_allclose(rough, fine, atol=2e-3)
    np.testing.assert_allclose(fine, turned(X0, 0.7**2 - 0.2**2), atol=1e-8)


def test_euler_never_asks_at_the_end():
    asked = []
    euler(lambda t, x: (asked.append(t), x)[1], X0, 5)
    np.testing.assert_allclose(asked, [0, 0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize(
    ("call", "names"),
    [
        (lambda: euler(spiral, X0, 0), "steps"),
        (lambda: euler(spiral, X0, 3, start=0.5, stop=0.5), "stop"),
        (lambda: euler(spiral, X0, 3, stop=1.5), "stop"),
        (lambda: euler(spiral, [1.0, 2.0], 3), "x0"),
        (lambda: euler(spiral, [[np.nan, 2.0]], 3), "x0"),
        (lambda: euler(lambda _, x: x[:, :1], X0, 3), "velocity"),
        (lambda: integrate(spiral, X0, [0.5, 0.5]), "times"),
        (lambda: integrate(spiral, X0, [2.0]), "times"),
        (lambda: integrate(spiral, X0, 1.0, tolerance=0.0), "tolerance"),
        (lambda: integrate(lambda _, x: x[:1], X0, 1.0), "velocity"),
    ],
)
def test_bad_input_is_named(call, names):
    with pytest.raises(ValueError, match=f"^{names}"):
        call()


def test_a_field_that_blows_up_is_an_error():
    with pytest.raises(RuntimeError, match="failed"), np.errstate(all="ignore"):
        integrate(lambda t, x: x**2 / (1e-300 + np.maximum(0.5 - t, 0)) ** 2, np.ones((1, 1)), 1.0)
