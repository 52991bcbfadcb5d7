"""The exact field: its ends, its derivatives by extrapolated differences, its own trajectories."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.flows.exact import ExactField
from numerics.potentials import DegenerateGaussian, Ellipsoid, FiniteAtoms, Sphere, product
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving

GAUSSIAN = DegenerateGaussian([1.0, 0.0, -2.0], np.diag([4.0, 0.0, 0.25]))
ATOMS = FiniteAtoms([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [1.0, 1.0]], [0.0, 0.4, 0.3, 0.1])
# Not of the one list: one of each kind, small, met with every schedule by eight tests.
POTENTIALS = [
    GAUSSIAN,
    ATOMS,
    Sphere(3, 2.0),
    Ellipsoid([[2.0, 0.5], [0.5, 1.0]]),
    product(FiniteAtoms.on_line([-1.0, 0.5, 2.0], [0.2, 0.5, 0.3]), Sphere(2)),
]
SMOOTH_START = [Linear(), Polynomial(1.5), Trigonometric(), VariancePreserving(), Logarithmic()]
potentials = pytest.mark.parametrize("potential", POTENTIALS, ids=lambda p: type(p).__name__)
schedules = pytest.mark.parametrize("schedule", SMOOTH_START, ids=lambda s: type(s).__name__)
SCHEDULES = st.sampled_from(SMOOTH_START)
SEEDS = st.integers(0, 2**32 - 1)
INSIDE = st.floats(0.02, 0.98)


def along(potential, schedule, seed, n=12, **given_time):
    x0, x1 = potential.sample(n, np.random.default_rng(seed))
    alpha, beta = schedule.alpha(**given_time), schedule.beta(**given_time)
    return x0, x1, alpha * x0 + beta * x1


@potentials
@settings(max_examples=20)
@given(SCHEDULES, SEEDS, st.floats(-9, -0.01) | st.just(-100.0))
def test_both_ends_are_recovered(potential, schedule, seed, exponent):
    """Also where t = 1 in double precision: with ``remaining`` nothing is lost but digits of x₀, by β/α."""
    time = {"remaining": 10.0**exponent}
    x0, x1, x = along(potential, schedule, seed, **time)
    field = ExactField(potential, schedule)
    size = np.linalg.norm(x0, axis=1) + np.linalg.norm(x1, axis=1) + potential.scale
    alpha, beta = schedule.alpha(**time), schedule.beta(**time)
    rounding = 256 * EPS * size * (1 + 1 / beta)
    assert (np.linalg.norm(field.denoise(None, x, **time) - x1, axis=1) <= rounding).all()
    noise_error = np.linalg.norm(field.noise(None, x, **time) - x0, axis=1)
    assert (noise_error <= rounding * (1 + 1 / alpha)).all()
    expected = schedule.alpha_dot(**time) * x0 + schedule.beta_dot(**time) * x1
    slack = rounding * (-schedule.alpha_dot(**time) * (1 + 1 / alpha) + schedule.beta_dot(**time))
    assert (np.linalg.norm(field.velocity(None, x, **time) - expected, axis=1) <= slack).all()


@potentials
@schedules
def test_starts_at_the_transport(potential, schedule):
    """v₀ = α̇₀x + β̇₀T(x), and v_t → v₀ at first order in t (P7)."""
    field, x = ExactField(potential, schedule), np.random.default_rng(3).standard_normal((40, potential.dim))
    image = potential.transport(x)
    limit = schedule.alpha_dot(0.0) * x + schedule.beta_dot(0.0) * image
    np.testing.assert_array_equal(field.denoise(0.0, x), image)
    np.testing.assert_array_equal(field.noise(0.0, x), x)
    np.testing.assert_allclose(field.velocity(0.0, x), limit, rtol=4 * EPS)
    moved = np.linalg.norm(field.velocity(1e-7, x) - limit, axis=1)
    assert np.median(moved) <= 1e-5
    started = np.concatenate([field.velocity(0.0, x[:1]), field.velocity(1e-7, x[1:])])
    np.testing.assert_array_equal(field.velocity(np.r_[0.0, np.full(39, 1e-7)], x), started)


@pytest.mark.parametrize("gamma", [0.4, 1.0, 1.5])
def test_ends_at_the_projection_on_the_hull(gamma):
    """(1−t)v_t(x) → γ(proj(x) − x): on the ball by its closed form (P7)."""
    ball, schedule = Sphere(3, 2.0), Polynomial(gamma)
    x = np.random.default_rng(4).standard_normal((30, 3)) * 4
    projection = x * np.minimum(1, 2 / np.linalg.norm(x, axis=1))[:, None]
    final = 1e-12 * ExactField(ball, schedule).velocity(None, x, remaining=1e-12)
    np.testing.assert_allclose(final, gamma * (projection - x), atol=1e-10)


def richardson(function, x, h):
    """Fourth-order central differences of function at rows of x: (n, outputs, d)."""
    columns = []
    for e in np.eye(x.shape[1]):
        first = (function(x + h * e) - function(x - h * e)) / (2 * h)
        second = (function(x + 2 * h * e) - function(x - 2 * h * e)) / (4 * h)
        columns.append((4 * first - second) / 3)
    return np.stack(columns, axis=-1)


@potentials
@settings(max_examples=20)
@given(SCHEDULES, SEEDS, INSIDE)
def test_jacobian_is_the_derivative_of_velocity(potential, schedule, seed, t):
    """On trajectories, and to rounding/h + h⁴; a kink within 2h is left out, and there are few of them."""
    _, _, x = along(potential, schedule, seed, t=t)
    field = ExactField(potential, schedule)
    h = 2e-4 * float(min(schedule.alpha(t), schedule.beta(t)))
    fine = richardson(lambda y: field.velocity(t, y), x, h)
    rough = richardson(lambda y: field.velocity(t, y), x, 1.3 * h)
    stiff = 1 + np.linalg.norm(fine, axis=(1, 2), keepdims=True)
    smooth = (np.abs(fine - rough) <= 1e-6 * stiff).all(axis=(1, 2))
    assert smooth.mean() >= 0.5
    jacobian = field.jacobian(t, x)
    error = np.abs(jacobian - fine) / stiff
    assert error[smooth].max() <= 1e-5
    np.testing.assert_allclose(jacobian, jacobian.transpose(0, 2, 1), rtol=1e-9, atol=1e-9 * stiff.max())


@potentials
def test_jacobian_starts_at_the_transports(potential):
    """Dv₀ = α̇₀I + β̇₀K."""
    x = np.random.default_rng(5).standard_normal((10, potential.dim))
    for schedule in SMOOTH_START:
        expected = schedule.alpha_dot(0.0) * np.eye(potential.dim)
        expected = expected + schedule.beta_dot(0.0) * potential.transport_jacobian(x)
        np.testing.assert_allclose(ExactField(potential, schedule).jacobian(0.0, x), expected, atol=1e-13)


@potentials
@settings(max_examples=20)
@given(SCHEDULES, SEEDS, INSIDE)
def test_velocity_is_the_gradient_of_its_potential(potential, schedule, seed, t):
    _, _, x = along(potential, schedule, seed, t=t)
    field = ExactField(potential, schedule)
    h = 2e-3 * float(min(schedule.alpha(t), schedule.beta(t)))
    gradient = richardson(lambda y: field.velocity_potential(t, y)[:, None], x, h)[:, 0]
    velocity = field.velocity(t, x)
    stiff = 1 + np.linalg.norm(field.jacobian(t, x), axis=(1, 2))
    error = np.linalg.norm(gradient - velocity, axis=1)
    size = 1 + np.linalg.norm(velocity, axis=1)
    assert (error <= 4 * h * stiff * size).all(), "even at kinks the gradient is continuous"
    assert np.median(error / (size * stiff)) <= 1e-7


@potentials
@schedules
def test_velocity_potential_starts_at_its_limit(potential, schedule):
    """V₀ = α̇₀|x|²/2 + β̇₀φ*, and V_t → V₀."""
    x = np.random.default_rng(6).standard_normal((10, potential.dim))
    field = ExactField(potential, schedule)
    limit = schedule.alpha_dot(0.0) * (x**2).sum(1) / 2 + schedule.beta_dot(0.0) * potential.conjugate(x)
    np.testing.assert_allclose(field.velocity_potential(0.0, x), limit, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(field.velocity_potential(1e-6, x), limit, rtol=1e-4, atol=1e-4)


@potentials
@settings(max_examples=20)
@given(SCHEDULES, SEEDS, INSIDE)
def test_flow_solves_its_equation(potential, schedule, seed, t):
    """dX_t/dt = v_t(X_t), by differences in time; X₀ = id and X₁ = T."""
    x0, x1, x = along(potential, schedule, seed, t=t)
    field = ExactField(potential, schedule)
    np.testing.assert_allclose(field.flow(t, x0), x, rtol=8 * EPS, atol=8 * EPS * potential.scale)
    np.testing.assert_array_equal(field.flow(0.0, x0), x0)
    np.testing.assert_array_equal(field.flow(1.0, x0), x1)
    h = 1e-4 * min(t, 1 - t)
    steps = [(field.flow(t + k * h, x0) - field.flow(t - k * h, x0)) / (2 * k * h) for k in (1, 2)]
    slope, velocity = (4 * steps[0] - steps[1]) / 3, field.velocity(t, field.flow(t, x0))
    size = np.abs(x0).max() + np.abs(x1).max() + potential.scale
    np.testing.assert_allclose(velocity, slope, atol=1e-6 * size * (1 + abs(schedule.alpha_dot(t))))


@potentials
@settings(max_examples=10)
@given(SEEDS)
def test_times_are_broadcast(potential, seed):
    rng = np.random.default_rng(seed)
    remaining = 10.0 ** rng.uniform(-12, 0, 6)
    x = rng.standard_normal((6, potential.dim))
    field = ExactField(potential, Trigonometric())
    for method in (field.velocity, field.denoise, field.noise, field.jacobian, field.velocity_potential):
        batch = method(None, x, remaining=remaining)
        single = [method(None, x[i], remaining=remaining[i])[0] for i in range(6)]
        error = np.abs(batch - np.array(single)).reshape(6, -1).max(axis=1)
        assert (error <= 1e-12 * (1 + (x**2).sum(axis=1)) * (1 + 1 / remaining)).all()
    flow = field.flow(None, x, remaining=remaining)
    np.testing.assert_allclose(
        flow, [field.flow(None, x[i], remaining=r)[0] for i, r in enumerate(remaining)]
    )


@pytest.mark.parametrize("method", ["velocity", "denoise", "noise", "jacobian", "velocity_potential"])
def test_the_end_itself_is_refused(method):
    field = ExactField(GAUSSIAN)
    for end in ({"t": 1.0}, {"t": None, "remaining": 0.0}, {"t": [0.5, 1.0]}):
        with pytest.raises(ValueError, match=r"^t: the field has no value at t = 1; pass remaining"):
            getattr(field, method)(end["t"], np.zeros((2, 3)), remaining=end.get("remaining"))
