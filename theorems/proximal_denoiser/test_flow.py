"""P6: trajectories are straight, and never cross.

Assumed: the optimal coupling; the linear schedule except where a schedule is drawn. Burgers' and the
Hamilton–Jacobi equation are checked along characteristics, where they are finite identities and need no
differences; ∇V = v is P4. Control: independent pairs, whose straight paths cross. Energy: `test_energy`.
"""

import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.potentials import Ellipsoid, FiniteAtoms
from numerics.schedules import Linear, Trigonometric
from theorems.setting.draws import generator
from theorems.setting.quantifiers import SCHEDULES, SEEDS, TARGETS, TIMES, for_all
from theorems.setting.roundings import length_rounding
from theorems.setting.values import Values
from theorems.setting.vectors import dot, norm
from theorems.statistics import hoeffding

LEVEL = 1e-9
AHEAD = Values(st.integers(1, 9).map(lambda k: k / 10), 0.5, (0.1, 0.5, 0.9))


@for_all("P6", target=TARGETS, schedule=SCHEDULES, s=TIMES.but(usual=0.3), t=TIMES, seed=SEEDS)
def test_trajectories_keep_apart(evidence, target, schedule, s, t, seed):
    """From the start, and between any two times: where α/β falls from s to t, by no more than α_t/α_s."""
    rng = generator(seed)
    field = ExactField(target, schedule)
    x = rng.standard_normal((200, target.dim))
    y = x + 10.0 ** rng.uniform(-6, 1, (200, 1)) * rng.standard_normal(x.shape)
    alpha, there = float(schedule.alpha(t)), field.flow(t, x) - field.flow(t, y)
    stated = field.roundings.flow(t, x) + field.roundings.flow(t, y)
    on = evidence.on(target, schedule=schedule, s=s, t=t, seed=seed)
    on.bounded(
        "α|x − y| above |X_t(x) − X_t(y)|",
        np.maximum(alpha * norm(x - y) - norm(there), 0.0),
        stated + length_rounding(there) + length_rounding(alpha * (x - y)),
        because="T is monotone, so the exact excess is ≤ 0",
        clause="apart",
    )
    here = field.flow(s, x) - field.flow(s, y)
    least = min(alpha / float(schedule.alpha(s)), float(schedule.beta(t)) / float(schedule.beta(s)))
    before = field.roundings.flow(s, x) + field.roundings.flow(s, y) + length_rounding(here)
    on.bounded(
        "the lesser of α_t/α_s, β_t/β_s times |X_s(x) − X_s(y)|, above |X_t(x) − X_t(y)|",
        np.maximum(least * norm(here) - norm(there), 0.0),
        stated + length_rounding(there) + (before + Rounding(norm(here), 3, "the factor")).amplified(least),
        because="with a = x − y, b = T(x) − T(y), ⟨a, b⟩ ≥ 0: |α_t a + β_t b| ≥ k|α_s a + β_s b| for that k",
        clause="apart",
    )


@for_all("P6", target=TARGETS, steps=Values(st.integers(1, 40), 5, (1, 5, 40)), seed=SEEDS)
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
        clause="straight",
    )


@for_all("P6", target=TARGETS, schedule=SCHEDULES, t=TIMES, seed=SEEDS)
def test_flow_map_is_the_integral_of_the_field(evidence, target, schedule, t, seed):
    """X_{t+δ} − X_t = ∫v_s(X_s)ds: α̇ and β̇ enter through v alone, α and β through X alone."""
    field, width = ExactField(target, schedule), (1 - t) / 4
    x0, x1 = target.sample(100, generator(seed))
    nodes, weights = np.polynomial.legendre.leggauss(24)
    at, weights = t + width * (nodes + 1) / 2, width * weights / 2
    along = [field.flow(s, x0) for s in at]
    speeds, stated = [], field.roundings.flow(t, x0) + field.roundings.flow(t + width, x0)
    for s, w, x in zip(at, weights, along, strict=True):
        speeds.append(field.velocity(s, x))
        of_path = field.roundings.flow(s, x0).bound
        stated = stated + field.roundings.velocity(s, x, moved=of_path).amplified(w)
    integral = sum(w * v for w, v in zip(weights, speeds, strict=True))
    start, end = field.flow(t, x0), field.flow(t + width, x0)
    speed = sum(w * norm(v) for w, v in zip(weights, speeds, strict=True))
    sums = Rounding(norm(start) + norm(end) + speed, 28, "24 nodes of the rule, their weights and sums")
    times_of = Rounding(_fastest(schedule, t, width) * (norm(x0) + norm(x1)), 4, "nodes and ends are rounded")
    evidence.on(target, schedule=schedule, t=t, seed=seed).bounded(
        "|X_{t+δ}(x₀) − X_t(x₀) − ∫v_s(X_s)ds|",
        norm(end - start - integral),
        stated + sums + times_of,
        because="24 Gauss nodes are exact: no schedule is singular within 7 half-widths",
        clause="flow map",
    )


def _fastest(schedule, t, width):
    """A bound of t·(|α̇| + |β̇|) over the interval, which a time's rounding is multiplied by; doubled."""
    s = t + width * np.linspace(0, 1, 9)
    return 2 * float(np.max(np.abs(schedule.alpha_dot(s)) + np.abs(schedule.beta_dot(s))))


@pytest.mark.claim("P6")
@pytest.mark.parametrize("steps", [24, 48, 96])
def test_an_integrator_finds_the_flow_map(evidence, rng, steps):
    """Runge–Kutta of order 4, which knows v alone, on a schedule under which paths are curved in time."""
    field = ExactField(Ellipsoid([[4.0, 1.0, 0.0], [1.0, 2.0, 0.3], [0.0, 0.3, 0.5]]), Trigonometric())
    drawn = rng.standard_normal((200, 3))
    x0 = drawn[norm(drawn) > 0.5]
    fine, coarse = (_runge_kutta(field, x0, 0.9, n) for n in (2 * steps, steps))
    exact = field.flow(0.9, x0)
    evidence.on(field.potential, schedule=field.schedule, steps=steps).estimated(
        "|Runge–Kutta of 2n steps − X_t(x₀)|",
        norm(fine - exact),
        bound=norm(fine - coarse).max() / 7 + 256 * EPS * norm(exact).max(),
        by="n and 2n steps",
        because="an error c·n⁻⁴ is a fifteenth of the change from n to 2n steps",
        left_out=len(drawn) - len(x0),
        chosen="half of the order-4 share, for the next order; left out where |x₀| ≤ 1/2, near T's cut locus",
        clause="flow map",
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


@for_all("P6", target=TARGETS, t=TIMES, ahead=AHEAD, seed=SEEDS)
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
        clause="equations",
    )


def _of_move(v, moved, later, t):
    """Of x + δv: two roundings, and δ = t' − t, which is rounded once."""
    sums = Rounding(norm(moved) + (later - t) * norm(v), 2, "x + δv")
    return sums + Rounding(later * norm(v), 1, "δ = t' − t")


@for_all("P6", target=TARGETS, t=TIMES, ahead=AHEAD, seed=SEEDS)
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
        clause="equations",
    )


# --- control ----------------------------------------------------------------------------------------


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
