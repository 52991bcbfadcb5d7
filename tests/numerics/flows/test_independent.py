"""The field of independent coupling, against softmax in high precision and against simulation."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.flows import independent
from numerics.flows.independent import IndependentField
from numerics.flows.spectrum import jacobian
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving

SCHEDULES = [Linear(), Polynomial(2.0), Trigonometric(), VariancePreserving(), Logarithmic()]
SEEDS = st.integers(0, 2**32 - 1)
schedules = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: type(s).__name__)


def brute_force(points, weights, alpha, beta, x):
    """Posterior weights by mpmath from w_i exp(−|x − βy_i|²/(2α²)) as it stands."""
    a, b = mpmath.mpf(float(alpha)), mpmath.mpf(float(beta))
    logs = []
    for y, w in zip(points, weights, strict=True):
        square = sum(
            (mpmath.mpf(float(p)) - b * mpmath.mpf(float(q))) ** 2 for p, q in zip(x, y, strict=True)
        )
        logs.append(mpmath.log(mpmath.mpf(float(w))) - square / (2 * a**2))
    top = max(logs)
    parts = [mpmath.exp(value - top) for value in logs]
    return [part / mpmath.fsum(parts) for part in parts]


def draw(seed, atoms, dim, spread, skew):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((atoms, dim)) * 10.0**spread
    weights = 10.0 ** (-skew * rng.random(atoms))
    weights /= weights.sum()
    return rng, points, weights / weights.sum()


@settings(max_examples=60)
@given(
    st.sampled_from(SCHEDULES),
    SEEDS,
    st.integers(1, 5),
    st.integers(1, 3),
    st.floats(-3, 3),
    st.floats(0, 200),
    st.floats(-12, -0.01),
)
def test_posterior_mean_velocity_and_floor(schedule, seed, atoms, dim, spread, skew, exponent):
    """To rounding of the exponents: their size, in ulps, is what a posterior weight may err by."""
    rng, points, weights = draw(seed, atoms, dim, spread, skew)
    remaining = 10.0**exponent
    with mpmath.workdps(60):
        alpha, beta = schedule.alpha(remaining=remaining), schedule.beta(remaining=remaining)
        i, j = rng.integers(atoms, size=2)
        x = beta * (points[i] + points[j]) / 2 + alpha * rng.standard_normal(dim)
        exact = brute_force(points, weights, alpha, beta, x)
        field = IndependentField(points, weights, schedule)
        posterior = field.posterior(None, x, remaining=remaining)[0]
        reach = max(np.abs(points).max(), np.abs(x).max())
        exponents = 64 * dim * EPS * (beta * reach / alpha) ** 2 * (1 + 1 / max(float(beta), 1e-3))
        rounding = exponents + 64 * EPS * (1 + skew)
        assert posterior.sum() == pytest.approx(1, abs=8 * EPS)
        error = [abs(float(mpmath.mpf(float(p)) - e)) for p, e in zip(posterior, exact, strict=True)]
        assert max(error) <= rounding
        mean = [
            mpmath.fsum(e * mpmath.mpf(float(y)) for e, y in zip(exact, c, strict=True)) for c in points.T
        ]
        np.testing.assert_allclose(
            field.denoise(None, x, remaining=remaining)[0],
            np.array(mean, float),
            atol=atoms * rounding * reach,
        )
        fall, rise = schedule.alpha_dot(remaining=remaining), schedule.beta_dot(remaining=remaining)
        gain = mpmath.mpf(float(rise)) - mpmath.mpf(float(fall)) * float(beta) / float(alpha)
        velocity = [
            float(float(fall) / mpmath.mpf(float(alpha)) * p + gain * m) for p, m in zip(x, mean, strict=True)
        ]
        slack = (atoms * rounding + 16 * EPS) * reach * (abs(fall) / alpha + abs(float(gain)))
        np.testing.assert_allclose(field.velocity(None, x, remaining=remaining)[0], velocity, atol=slack)
        spread_ = mpmath.fsum(
            e * sum((mpmath.mpf(float(p)) - m) ** 2 for p, m in zip(y, mean, strict=True))
            for e, y in zip(exact, points, strict=True)
        )
        floor = field.loss_floor(None, x, remaining=remaining)[0]
        slack = float(gain) ** 2 * (2 * atoms * rounding + 64 * EPS) * dim * reach**2
        assert abs(floor - float(gain**2 * spread_)) <= slack


def test_a_far_point_belongs_to_the_nearest_atom():
    """Exponents of −10¹⁸ and more: no overflow, and weight 1 on one atom."""
    field = IndependentField([[-1e3], [1.0], [1e3]], [1e-300, 1 - 2e-300, 1e-300])
    np.testing.assert_array_equal(
        field.posterior(None, [[999.0], [-1e9], [2.0]], remaining=1e-9), np.eye(3)[[2, 0, 1]]
    )
    np.testing.assert_allclose(field.posterior(0.0, [[5.0]])[0], field.weights, rtol=1e-12)


def test_two_atoms_blend_by_tanh():
    """±1 with equal weights: the posterior mean is tanh(βx/α²), and the variance its derivative's factor."""
    field = IndependentField([[-1.0], [1.0]], [0.5, 0.5])
    x, t = np.linspace(-3, 3, 41)[:, None], 0.4
    mean = np.tanh(t * x / 0.36)
    np.testing.assert_allclose(field.denoise(t, x), mean, atol=1e-14)
    np.testing.assert_allclose(field.loss_floor(t, x), (1 - mean[:, 0] ** 2) / 0.36, atol=1e-13)
    np.testing.assert_allclose(field.velocity(t, x), (mean - x) / 0.6, atol=1e-13)


@schedules
@given(SEEDS, st.integers(1, 5), st.integers(1, 3), st.floats(-2, -0.01))
def test_the_jacobian_is_the_derivative_of_the_velocity(schedule, seed, atoms, dim, exponent):
    """Against central differences of four widths, whose fourth order is extrapolated away."""
    rng, points, weights = draw(seed, atoms, dim, 0, 1)
    remaining, x = 10.0**exponent, rng.standard_normal((4, dim))
    field = IndependentField(points, weights, schedule)
    found = field.jacobian(None, x, remaining=remaining)
    alpha = float(schedule.alpha(remaining=remaining))
    expected = jacobian(
        lambda _, y: field.velocity(None, y, remaining=remaining), 0.0, x, 1e-2 * alpha, 4
    ).jacobian
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6 * max(1.0, np.abs(found).max()))
    z = rng.standard_normal((4, dim))
    np.testing.assert_allclose(
        field.product(None, x, z, remaining=remaining),
        np.einsum("nij,nj->ni", found, z),
        rtol=1e-9,
        atol=1e-9 * np.abs(found).max(),
    )


def test_two_atoms_have_the_derivative_of_tanh():
    field = IndependentField([[-1.0], [1.0]], [0.5, 0.5])
    x, t = np.linspace(-3, 3, 41)[:, None], 0.4
    slope = t / 0.36 / np.cosh(t * x / 0.36) ** 2
    np.testing.assert_allclose(field.jacobian(t, x)[:, :, 0], (slope - 1) / 0.6, rtol=1e-12)


@schedules
def test_regression_on_simulated_pairs(schedule):
    """E[(ẋ − v)·h(x_t)] = 0 for test functions h, and E floor = E|ẋ − v|²: within 5 standard errors."""
    rng = np.random.default_rng(12)
    points, weights = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), np.array([0.2, 0.5, 0.3])
    n, t = 100_000, 0.55
    x0, x1 = rng.standard_normal((n, 2)), points[rng.choice(3, n, p=weights)]
    x = schedule.alpha(t) * x0 + schedule.beta(t) * x1
    target = schedule.alpha_dot(t) * x0 + schedule.beta_dot(t) * x1
    field = IndependentField(points, weights, schedule)
    residual = target - field.velocity(t, x)
    for h in (np.ones((n, 2)), x, np.sin(3 * x), np.cos(2 * x[:, ::-1])):
        product = (residual * h).sum(axis=1)
        assert abs(product.mean()) <= 5 * product.std() / np.sqrt(n)
    difference = (residual**2).sum(axis=1) - field.loss_floor(t, x)
    assert abs(difference.mean()) <= 5 * difference.std() / np.sqrt(n)
    assert field.loss_floor(t, x).mean() > 0.05  # what the optimal coupling does not pay


@given(SEEDS)
def test_times_are_broadcast(seed):
    rng, points, weights = draw(seed, 4, 2, 0, 1)
    remaining, x = 10.0 ** rng.uniform(-12, 0, 6), rng.standard_normal((6, 2))
    field = IndependentField(points, weights, Trigonometric())
    for method in (field.velocity, field.denoise, field.posterior, field.jacobian, field.loss_floor):
        batch = method(None, x, remaining=remaining)
        single = [method(None, x[i], remaining=remaining[i])[0] for i in range(6)]
        np.testing.assert_allclose(batch, single, rtol=1e-10, atol=1e-12)


def test_next_to_the_end_the_jacobian_is_that_of_one_atom():
    """−1/α, though what multiplies the covariance, which is 0, overflows."""
    field = IndependentField([[0.0, 1.0], [2.0, 0.0]], [0.5, 0.5])
    for remaining in (1e-12, 1e-100, 1e-140, 1e-150):
        found = field.jacobian(None, [[0.1, 0.9]], remaining=remaining)[0]
        np.testing.assert_allclose(found, -np.eye(2) / remaining, rtol=1e-12, atol=0)


@schedules
def test_a_cloud_far_from_0_is_as_near_as_its_own_middle(schedule, monkeypatch):
    """Moved by m, and x by βm: x₁ moves by m and ẋ by β̇m; a million is held exactly, its square is not."""
    points, t = np.random.default_rng(0).integers(-8, 9, (6, 3)) / 8, 0.5
    x, away, weights = np.random.default_rng(1).integers(-8, 9, (40, 3)) / 8, 2.0**20, np.full(6, 1 / 6)
    here, there = (
        IndependentField(points, weights, schedule),
        IndependentField(points + away, weights, schedule),
    )
    beta, beta_dot = (float(part) for part in schedule.coefficients(t)[1::2])
    moved = x + beta * away
    allowed = 64 * EPS * away / float(schedule.coefficients(t)[0]) ** 2
    assert np.abs(there.posterior(t, moved) - here.posterior(t, x)).max() < allowed
    assert np.abs(there.velocity(t, moved) - here.velocity(t, x) - beta_dot * away).max() < 16 * allowed
    assert np.abs(there.loss_floor(t, moved) - here.loss_floor(t, x)).max() < 64 * allowed
    whole = [here.velocity(t, x), here.loss_floor(t, x), here.jacobian(t, x), here.denoise(t, x)]
    monkeypatch.setattr(independent, "_MOST_NUMBERS", 18)  # three points at a time
    parts = [here.velocity(t, x), here.loss_floor(t, x), here.jacobian(t, x), here.denoise(t, x)]
    for all_at_once, one_by_one in zip(whole, parts, strict=True):
        np.testing.assert_allclose(all_at_once, one_by_one, rtol=1e-12, atol=1e-12)


def test_vectors_that_fit_no_points_are_refused():
    field = IndependentField([[0.0, 1.0]], [1.0])
    with pytest.raises(ValueError, match="vectors: got 2 for 1 points x; give one each"):
        field.product(0.5, [[0.0, 0.0]], np.eye(2))
    with pytest.raises(ValueError, match="vectors"):
        field.product(0.5, [[0.0, 0.0]], [[1.0]])


@pytest.mark.parametrize("method", ["velocity", "denoise", "posterior", "jacobian", "loss_floor"])
def test_the_end_itself_is_refused(method):
    field = IndependentField([[0.0], [1.0]], [0.5, 0.5])
    with pytest.raises(ValueError, match=r"^t: the field has no value at t = 1"):
        getattr(field, method)(1.0, [[0.5]])
