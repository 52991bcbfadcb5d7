"""Schedules against high-precision arithmetic that is differentiated by mpmath, near both ends of time."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numerics.accuracy import EPS
from numerics.schedules import Linear, Logarithmic, Polynomial, Trigonometric, VariancePreserving

mpf = mpmath.mpf
DIGITS = 660  # cos of 1e−300 and its differences, with 40 digits to spare

# (α, β) as functions of r = 1 − t in mpmath, from the definitions.
EXACT = {
    "linear": (Linear(), lambda r: r, lambda r: 1 - r),
    "cubic": (Polynomial(3.0), lambda r: r**3, lambda r: 1 - r),
    "root": (Polynomial(0.4), lambda r: r ** mpf(0.4), lambda r: 1 - r),
    "sesqui": (Polynomial(1.5), lambda r: r ** mpf(1.5), lambda r: 1 - r),
    "cosine": (
        Trigonometric(),
        lambda r: mpmath.cos(mpmath.pi / 2 * (1 - r)),
        lambda r: mpmath.sin(mpmath.pi / 2 * (1 - r)),
    ),
    "variance": (VariancePreserving(), lambda r: mpmath.sqrt(1 - (1 - r) ** 2), lambda r: 1 - r),
    "logarithm": (
        Logarithmic(),
        lambda r: 1 / (1 - mpmath.log(r)),
        lambda r: 1 - 1 / (1 - mpmath.log(r)),
    ),
}
NAMES = sorted(EXACT)
EXPONENTS = st.floats(-300, 0)
names = pytest.mark.parametrize("name", NAMES)


def ulps(measured, exact):
    """Relative error in units of eps, worked out in high precision."""
    exact = mpf(exact)
    return float(abs(mpf(float(measured)) - exact) / (abs(exact) * mpf(EPS)))


def derivative(function, r):
    """d/dt = −d/dr, by central differences with a relative error of about 1e−24."""
    with mpmath.workdps(DIGITS):
        h = min(r, 1 - r) * mpf(10) ** -12
        return -(function(r + h) - function(r - h)) / (2 * h)


def agrees(schedule, alpha, beta, r, given_time):
    """All four functions, and the step, to a few ulps; Polynomial's power amplifies the ulp of r by p."""
    with mpmath.workdps(DIGITS):
        a, b = alpha(r), beta(r)
        assert ulps(schedule.alpha(**given_time), a) <= 4
        assert ulps(schedule.beta(**given_time), b) <= 4
        assert ulps(schedule.step(**given_time), a / b) <= 8
        for method, function in ((schedule.alpha_dot, alpha), (schedule.beta_dot, beta)):
            exact = derivative(function, r)
            if abs(exact) < mpf(2) ** -1000:  # (1−t)^{p−1} underflows
                assert abs(method(**given_time)) <= 2.0**-1000
            elif abs(exact) > mpf(np.finfo(float).max):
                assert np.isinf(method(**given_time))
            else:
                assert ulps(method(**given_time), exact) <= 8


@names
@settings(max_examples=25)
@given(EXPONENTS)
def test_near_the_end_by_what_remains(name, exponent):
    """From remaining = 1 down to 1e−300, where t itself is 1."""
    schedule, alpha, beta = EXACT[name]
    remaining = min(10.0**exponent, 1 - 1e-9)
    with mpmath.workdps(DIGITS):
        r = mpf(remaining)
    if remaining**schedule.terminal_order < 1e-300:  # α underflows
        assert schedule.alpha(remaining=remaining) <= 1.01e-300
        return
    if remaining > 0.5:  # β is small and 1 − remaining exact: no digits are lost
        r = mpf(1) - mpf(1 - remaining)
    agrees(schedule, alpha, beta, r, {"remaining": remaining})


@names
@settings(max_examples=25)
@given(st.floats(-12, np.log10(0.999)))
def test_near_the_start_by_time(name, exponent):
    """From t = 1e−12 up: β and λ keep their digits."""
    schedule, alpha, beta = EXACT[name]
    t = 10.0**exponent
    with mpmath.workdps(DIGITS):
        agrees(schedule, alpha, beta, 1 - mpf(t), {"t": t})


@names
def test_ends(name):
    schedule = EXACT[name][0]
    for ends in ({"t": [0.0, 1.0]}, {"remaining": [1.0, 0.0]}):
        np.testing.assert_array_equal(schedule.alpha(**ends), [1, 0])
        np.testing.assert_array_equal(schedule.beta(**ends), [0, 1])
    assert schedule.step(0.0) == np.inf
    assert schedule.step(1.0) == 0


@names
def test_slopes_at_the_ends(name):
    """α̇₀ = −1 but for −p, 0 and 0; β̇₀ = 1 but for π/2; at t = 1 α̇ → −γα/(1−t)."""
    schedule = EXACT[name][0]
    start = {"cubic": -3, "root": -0.4, "sesqui": -1.5, "cosine": 0, "variance": 0}.get(name, -1)
    end = {"linear": -1, "cubic": 0, "sesqui": 0, "cosine": -np.pi / 2}.get(name, -np.inf)
    np.testing.assert_array_equal(schedule.alpha_dot([0.0, 1.0]), [start, end])
    rise = np.pi / 2 if name == "cosine" else 1
    fall = {"cosine": 0, "logarithm": np.inf}.get(name, 1)
    np.testing.assert_array_equal(schedule.beta_dot([0.0, 1.0]), [rise, fall])


@names
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_monotone_within_bounds_and_shaped(name, times):
    schedule = EXACT[name][0]
    t = np.sort(times)
    alpha, beta = schedule.alpha(t), schedule.beta(t)
    assert (np.diff(alpha) <= 2 * EPS).all()
    assert (np.diff(beta) >= -2 * EPS).all()
    assert ((alpha >= 0) & (alpha <= 1) & (beta >= 0) & (beta <= 1)).all()
    assert (schedule.alpha_dot(t) <= 0).all()
    assert (schedule.beta_dot(t) >= 0).all()
    for method in ("alpha", "beta", "alpha_dot", "beta_dot", "step"):
        whole = getattr(schedule, method)(t)
        assert whole.shape == t.shape
        for one, value in zip(t, whole, strict=True):
            assert np.shape(getattr(schedule, method)(one)) == ()
            assert getattr(schedule, method)(one) == pytest.approx(value, rel=4 * EPS, abs=0)


@names
@given(st.integers(1, 2**20 - 1))
def test_remaining_is_one_minus_t(name, k):
    """At dyadic times, where 1 − t is exact, the two ways agree to the last digit."""
    schedule, t = EXACT[name][0], k / 2**20
    for method in ("alpha", "beta", "alpha_dot", "beta_dot", "step"):
        assert getattr(schedule, method)(t) == getattr(schedule, method)(remaining=1 - t)


@names
def test_terminal_order_is_the_limit(name):
    """−(1−t)α̇/α → γ, and (1−t)β̇/β → 0: to eps for powers, like α = 1/691 for the logarithm."""
    schedule = EXACT[name][0]
    r = np.array([1e-40, 1e-60]) if name in ("cubic", "sesqui") else np.array([1e-200, 1e-300])
    order = -r * schedule.alpha_dot(remaining=r) / schedule.alpha(remaining=r)
    predicted = schedule.terminal_order
    if name == "logarithm":
        assert predicted == 0
        np.testing.assert_allclose(order, schedule.alpha(remaining=r), rtol=8 * EPS)
        np.testing.assert_allclose(r * schedule.beta_dot(remaining=r), order**2, rtol=8 * EPS)
    else:
        np.testing.assert_allclose(order, predicted, rtol=8 * EPS)
        assert (r * schedule.beta_dot(remaining=r) <= 2 * r).all()


@pytest.mark.parametrize("method", ["alpha", "beta", "alpha_dot", "beta_dot", "step"])
@pytest.mark.parametrize(
    "bad", [-1e-300, -0.5, 1 + EPS, 2.0, np.nan, np.inf, [0.5, -1.0], [[0.5]], [], "now"]
)
def test_bad_times_are_refused(method, bad):
    function = getattr(Trigonometric(), method)
    with pytest.raises(ValueError, match=r"^t: "):
        function(bad)
    with pytest.raises(ValueError, match=r"^remaining: "):
        function(remaining=bad)


@names
def test_exactly_one_time_is_given(name):
    schedule = EXACT[name][0]
    for method in (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot, schedule.step):
        with pytest.raises(ValueError, match="exactly one of t and remaining"):
            method()
        with pytest.raises(ValueError, match="exactly one of t and remaining"):
            method(0.5, remaining=0.5)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_bad_powers_are_refused(bad):
    with pytest.raises(ValueError, match=r"^p: "):
        Polynomial(bad)


def test_meta_schedulers_agree():
    """facebookresearch/flow_matching, where it is installed: the same α and β, in single precision."""
    peer = pytest.importorskip(
        "flow_matching.path.scheduler", reason="flow_matching (CC-BY-NC) is a peer, not a dependency"
    )
    torch = pytest.importorskip("torch")
    t = torch.linspace(0.05, 0.95, 19)
    pairs = [
        (Linear(), peer.CondOTScheduler()),
        (Trigonometric(), peer.CosineScheduler()),
    ]
    for ours, theirs in pairs:
        out = theirs(t)
        times = t.double().numpy()
        for name, value in (
            ("alpha", out.sigma_t),
            ("beta", out.alpha_t),
            ("alpha_dot", out.d_sigma_t),
            ("beta_dot", out.d_alpha_t),
        ):
            np.testing.assert_allclose(getattr(ours, name)(times), value.numpy(), rtol=1e-5, atol=1e-6)
