"""P6: trajectories are straight, never cross, and act least.

Assumed: the optimal coupling; the linear schedule except where a schedule is drawn. Burgers' and the
Hamilton–Jacobi equation are checked along characteristics, where they are finite identities and need no
differences; ∇V = v is P4. Controls: other schedules, with their excess energy in closed form; schedules
outside H¹; independent pairs, whose straight paths cross.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, linregress
from scipy.stats import t as student

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import Ellipsoid, FiniteAtoms, Sphere
from numerics.schedules import Linear, Polynomial, Trigonometric, VariancePreserving
from theorems.proximal_denoiser.bounds import dot, norm
from theorems.representatives import every_family
from theorems.setting.roundings import length_rounding
from theorems.statistics import gaussian_lipschitz, hoeffding
from theorems.targets import generator, schedules, seeds, targets, times

LEVEL = 1e-9
CIRCLE = Sphere(2, 2.0)
MEAN_LENGTH = np.sqrt(np.pi / 2)


@pytest.mark.claim("P6")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
def test_trajectories_keep_apart(evidence, target, schedule, t, seed):
    rng = generator(seed)
    field = ExactField(target, schedule)
    x = rng.standard_normal((500, target.dim))
    y = x + 10.0 ** rng.uniform(-6, 1, (500, 1)) * rng.standard_normal(x.shape)
    alpha, there = float(schedule.alpha(t)), field.flow(t, x) - field.flow(t, y)
    stated = field.roundings.flow(t, x) + field.roundings.flow(t, y)
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "α|x − y| above |X_t(x) − X_t(y)|",
        np.maximum(alpha * norm(x - y) - norm(there), 0.0),
        stated + length_rounding(there) + length_rounding(alpha * (x - y)),
        because="T is monotone, so the exact excess is ≤ 0",
    )


@pytest.mark.claim("P6")
@given(target=targets(), steps=st.integers(1, 40), seed=seeds)
@every_family(steps=5, seed=1)
def test_euler_is_exact_along_straight_lines(evidence, target, steps, seed):
    """From noise at t = 0 to data at t = 1 in any number of Euler steps, by the field alone."""
    field = ExactField(target, Linear())
    x0, x1 = target.sample(100, generator(seed))
    of_data = target.roundings.transport(x0)
    x, error = x0, Rounding.none()
    for k in range(steps):
        v = field.velocity(k / steps, x)
        of_field = field.roundings.velocity(k / steps, x) if k else of_data + Rounding(norm(v), 2, "T − Id")
        # The step x + v/N multiplies an error of x by at most 1 + 1/(Nt) = (k+1)/k: v is 1/t-Lipschitz (P5).
        # The double t is off k/N by u·t, and so x off its path by |v| times that.
        error = (error + Rounding(norm(v) * k / steps, 1, "the times k/N")).amplified((k + 1) / max(k, 1))
        error = error + of_field.amplified(1 / steps)
        x = x + v / steps
        error = error + Rounding(norm(x) + norm(v), 2, "Euler's step")
    evidence.on(target, steps=steps, seed=seed).bounded(
        "|Euler's end point − T(x₀)|",
        norm(x - x1),
        error + of_data,
        because="velocity is constant on each path; an error grows by at most t'/t from step to step (P5)",
    )


@pytest.mark.claim("P6")
@given(target=targets(), schedule=schedules(), t=times(), seed=seeds)
@every_family(schedule=Trigonometric(), t=0.4, seed=1)
def test_flow_map_is_the_integral_of_the_field(evidence, target, schedule, t, seed):
    """X_{t+δ} − X_t = ∫v_s(X_s)ds: α̇ and β̇ enter through v alone, α and β through X alone."""
    field, width = ExactField(target, schedule), (1 - t) / 4
    x0, x1 = target.sample(100, generator(seed))
    nodes, weights = np.polynomial.legendre.leggauss(24)
    at, weights = t + width * (nodes + 1) / 2, width * weights / 2
    along = [field.flow(s, x0) for s in at]
    integral = sum(w * field.velocity(s, x) for s, w, x in zip(at, weights, along, strict=True))
    start, end = field.flow(t, x0), field.flow(t + width, x0)
    stated = field.roundings.flow(t, x0) + field.roundings.flow(t + width, x0)
    speed = np.zeros(len(x0))
    for s, w, x in zip(at, weights, along, strict=True):
        of_path = field.roundings.flow(s, x0).bound
        stated = stated + field.roundings.velocity(s, x, moved=of_path).amplified(w)
        speed += w * norm(field.velocity(s, x))
    sums = Rounding(norm(start) + norm(end) + speed, 28, "24 nodes of the rule, their weights and sums")
    times_of = Rounding(_fastest(schedule, t, width) * (norm(x0) + norm(x1)), 4, "nodes and ends are rounded")
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|X_{t+δ}(x₀) − X_t(x₀) − ∫v_s(X_s)ds|",
        norm(end - start - integral),
        stated + sums + times_of,
        because="24 Gauss nodes are exact: no schedule is singular within 7 half-widths",
    )


def _fastest(schedule, t, width):
    """A bound of t·(|α̇| + |β̇|) over the interval, which a time's rounding is multiplied by; doubled."""
    s = t + width * np.linspace(0, 1, 9)
    return 2 * float(np.max(np.abs(schedule.alpha_dot(s)) + np.abs(schedule.beta_dot(s))))


@pytest.mark.claim("P6")
def test_an_integrator_converges_to_the_flow_map(evidence, rng):
    """Runge–Kutta of order 4, which knows v alone, on a schedule under which paths are curved in time."""
    field = ExactField(Ellipsoid([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 0.5]]), Trigonometric())
    x0 = rng.standard_normal((200, 3))
    x0 = x0[norm(x0) > 0.5]
    counts = np.array([16, 24, 36, 54, 80])
    errors = [norm(_runge_kutta(field, x0, 0.9, n) - field.flow(0.9, x0)).max() for n in counts]
    fit = linregress(np.log(counts), np.log(errors))
    half = student.isf(0.005, len(counts) - 2) * fit.stderr
    evidence.on(field.potential, schedule=field.schedule).trend(
        "log |Runge–Kutta − X_t| against log steps: order 4, where a wrong limit would show 0; threshold −3",
        fit.slope,
        (fit.slope - half, fit.slope + half),
        theory=-3.0,
        rule="interval lies below theory",
        points=len(counts) * len(x0),
    )


def _runge_kutta(field, x, end, n):
    h = end / n
    for k in range(n):
        a = field.velocity(k * h, x)
        b = field.velocity((k + 0.5) * h, x + h / 2 * a)
        c = field.velocity((k + 0.5) * h, x + h / 2 * b)
        d = field.velocity((k + 1) * h, x + h * c)
        x = x + h / 6 * (a + 2 * b + 2 * c + d)
    return x


def _characteristic(target, t, ahead, seed):
    """Points anywhere, and where their characteristics are a share ``ahead`` of the remaining time later."""
    rng = generator(seed)
    field = ExactField(target, Linear())
    x = (1 - t + target.scale) * rng.standard_normal((200, target.dim))
    later = t + ahead * (1 - t)
    v = field.velocity(t, x)
    return field, x, v, later, x + (later - t) * v


@pytest.mark.claim("P6")
@given(target=targets(), t=times(), ahead=st.integers(1, 9).map(lambda k: k / 10), seed=seeds)
@every_family(t=0.4, ahead=0.5, seed=1)
def test_burgers_equation(evidence, target, t, ahead, seed):
    """∂_t v + (v·∇)v = 0 says that v is constant on characteristics: v(t+δ, x+δv) = v(t, x)."""
    field, x, v, later, moved = _characteristic(target, t, ahead, seed)
    here = field.roundings.velocity(t, x)
    off = here.amplified(later - t) + _of_move(v, moved, later, t)
    evidence.on(target, t=t, ahead=ahead, seed=seed).bounded(
        "|v(t+δ, x+δv) − v(t, x)|",
        norm(field.velocity(later, moved) - v),
        here + field.roundings.velocity(later, moved, moved=off.bound),
        because="v is constant on characteristics; its error at both ends, the first carried on by δ",
    )


def _of_move(v, moved, later, t):
    """Of x + δv: two roundings, and δ = t' − t, which is rounded once."""
    sums = Rounding(norm(moved) + (later - t) * norm(v), 2, "x + δv")
    return sums + Rounding(later * norm(v), 1, "δ = t' − t")


@pytest.mark.claim("P6")
@given(target=targets(), t=times(), ahead=st.integers(1, 9).map(lambda k: k / 10), seed=seeds)
@every_family(t=0.4, ahead=0.5, seed=1)
def test_hamilton_jacobi_equation(evidence, target, t, ahead, seed):
    """With ∇V = v, ∂_tV + ½|∇V|² = 0 says V(t+δ, x+δv) − V(t, x) = δ|v|²/2 on characteristics."""
    field, x, v, later, moved = _characteristic(target, t, ahead, seed)
    change = field.velocity_potential(later, moved) - field.velocity_potential(t, x)
    stated, speed = field.roundings, norm(v)
    of_v = stated.velocity(t, x)
    off = of_v.amplified(later - t) + _of_move(v, moved, later, t)
    work = of_v.amplified((later - t) * (speed + of_v.bound), "in δ|v|²/2")
    size = np.abs(field.velocity_potential(t, x)) + np.abs(field.velocity_potential(later, moved))
    formed = Rounding(size + later * speed**2, target.dim + 4, "sums and products")
    evidence.on(target, t=t, ahead=ahead, seed=seed).bounded(
        "|V(t+δ, x+δv) − V(t, x) − δ|v|²/2|",
        np.abs(change - (later - t) * dot(v, v) / 2),
        stated.velocity_potential(t, x)
        + stated.velocity_potential(later, moved, moved=off.bound)
        + work
        + formed,
        because="the Hamilton–Jacobi equation along a characteristic; what V and v round",
    )


@pytest.mark.claim("P6")
def test_kinetic_energy_is_the_transport_cost(evidence, rng):
    """Benamou–Brenier on the circle: ∫E|v_t(x_t)|²dt = d + R² − 2R E|x₀|."""
    n, radius = 50_000, CIRCLE.radius
    field = ExactField(CIRCLE, Linear())
    x0 = rng.standard_normal((n, 2))
    nodes, weights = np.polynomial.legendre.leggauss(6)
    times_, weights = (nodes + 1) / 2, weights / 2
    speeds = [(field.velocity(t, field.flow(t, x0)) ** 2).sum(axis=1).mean() for t in times_]
    energy = weights @ speeds
    cost = 2 + radius**2 - 2 * radius * MEAN_LENGTH
    tail = LEVEL / 4
    squares = max(chi2.isf(tail, 2 * n) / n - 2, 2 - chi2.ppf(tail, 2 * n) / n)
    evidence.on(CIRCLE, n=n).statistical(
        "|kinetic energy − W₂² in closed form|",
        abs(energy - cost),
        threshold=squares + gaussian_lipschitz(n, 2 * radius, LEVEL / 2),
        level=LEVEL,
        because="|x₁−x₀|² = |x₀|² + R² − 2R|x₀|: exact χ² quantiles and Gaussian concentration",
        points=n,
    )


# --- controls -----------------------------------------------------------------------------------------


def _energy(schedule, remaining, weights, nodes):
    """∫ E|v_t(x_t)|² over given times on the circle, the noise's length integrated by Gauss–Legendre."""
    field = ExactField(CIRCLE, schedule)
    r, w = np.polynomial.legendre.leggauss(nodes)
    r, w = 6 * (r + 1), 6 * w
    density = w * r * np.exp(-(r**2) / 2)
    x0 = np.stack([r, 0 * r], axis=1)
    total = 0.0
    for gap, weight in zip(remaining, weights, strict=True):
        xt = field.flow(None, x0, remaining=gap)
        total += weight * density @ (field.velocity(None, xt, remaining=gap) ** 2).sum(axis=1)
    return total


@pytest.mark.control("P6")
@pytest.mark.parametrize(
    ("schedule", "moments"),
    [
        (Trigonometric(), (np.pi**2 / 8, np.pi**2 / 8, -np.pi / 4)),
        (Polynomial(2.0), (4 / 3, 1.0, -1.0)),
        (Polynomial(3.0), (9 / 5, 1.0, -1.0)),
    ],
    ids=repr,
)
def test_other_schedules_cost_their_excess(evidence, schedule, moments):
    a, b, c = moments
    excess = (a - 1) * 2 + (b - 1) * CIRCLE.radius**2 + 2 * (c + 1) * CIRCLE.radius * MEAN_LENGTH
    cost = 2 + CIRCLE.radius**2 - 2 * CIRCLE.radius * MEAN_LENGTH

    def measure(nodes):
        t, w = np.polynomial.legendre.leggauss(nodes // 3)
        return _energy(schedule, (1 - t) / 2, w / 2, nodes) - cost

    evidence.on(CIRCLE, schedule=schedule).control(
        "a schedule that isn't linear: kinetic energy less W₂²",
        predicted=excess,
        measured=measure(90),
        agreement=2 * abs(measure(90) - measure(72)) + 1e4 * EPS * cost,
        because="(A−1)d + (B−1)R² + 2(C+1)R·E|x₀|; quadrature error by comparing two orders",
    )


@pytest.mark.control("P6")
@pytest.mark.parametrize("schedule", [VariancePreserving(), Polynomial(0.5)], ids=repr)
@pytest.mark.parametrize("decades", [2, 4, 8])
def test_energy_diverges_outside_the_sobolev_space(evidence, schedule, decades):
    """α not in H¹: the energy up to 1 − t = 10^−k grows without bound, by its closed form."""
    last = 10.0**-decades
    t = 1 - last
    artanh = np.log((2 - last) / last) / 2
    a = (
        artanh - t if isinstance(schedule, VariancePreserving) else -np.log(last) / 4
    )  # ∫t²/(1−t²), ∫1/(4(1−t))
    cross = float(schedule.alpha(remaining=last)) - 1
    predicted = a * 2 + t * CIRCLE.radius**2 + 2 * cross * CIRCLE.radius * MEAN_LENGTH
    cost = 2 + CIRCLE.radius**2 - 2 * CIRCLE.radius * MEAN_LENGTH

    def measure(nodes):
        tau, w = np.polynomial.legendre.leggauss(nodes)
        end = -np.log(last)
        remaining = np.exp(-end * (tau + 1) / 2)
        return _energy(schedule, remaining, w * end / 2 * remaining, nodes)

    evidence.on(CIRCLE, schedule=schedule, remaining=last).control(
        "a schedule outside H¹: kinetic energy up to 1 − t = 10^−k",
        predicted=predicted,
        measured=measure(100),
        agreement=2 * abs(measure(100) - measure(80)) + 1e4 * EPS * predicted,
        because="A_T d + B_T R² + 2C_T R·E|x₀| with truncated integrals; quadrature error by two orders",
        intact=cost,
    )


@pytest.mark.control("P6")
def test_independent_paths_cross(evidence, rng):
    """On the line two independent pairs with targets ±1 cross with probability 1/4; optimal ones never."""
    target, n = FiniteAtoms.hypercube(1), 100_000
    x0 = rng.standard_normal((n, 2))
    x1 = rng.choice([-1.0, 1.0], size=(n, 2))
    crossed = (x0[:, 0] - x0[:, 1]) * (x1[:, 0] - x1[:, 1]) < 0
    optimal = target.transport(x0.reshape(-1, 1)).reshape(n, 2)
    assert not ((x0[:, 0] - x0[:, 1]) * (optimal[:, 0] - optimal[:, 1]) < 0).any()
    evidence.on(target).control(
        "optimal pairs replaced by independent ones: probability that two paths cross",
        predicted=0.25,
        measured=crossed.mean(),
        agreement=hoeffding(n, 1.0, LEVEL),
        because="the two data points differ with probability ½ and are in the wrong order half the time",
        level=LEVEL,
        points=n,
    )
