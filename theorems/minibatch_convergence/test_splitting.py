r"""M8 beyond two atoms and the linear schedule: the loss of the population's field splits, floor included.

Derivation. E|ẋ_t − v_t(x_t)|² = E|v^{(n)}_t − v_t|² + E Var_{π_n}(ẋ_t|x_t) is Pythagoras' theorem, v^{(n)}
being the conditional mean. Atoms y_1 < … < y_N on the line with cumulative weights W_i: P(x₁ = y_i | u) =
G_n(u,W_i) − G_n(u,W_{i−1}) by M5, so all three are integrals over one coordinate; in the plane the
independent coupling's field is a softmax. Loss over the noise and the label, field and floor over x.

Assumed: finitely many atoms. Controls: those of M8, in test_field_error.
"""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm as normal

from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from numerics.schedules import Linear, Polynomial, Trigonometric
from numerics.transport.minibatch import assignment_probability, expected_cost
from theorems.setting.vectors import norm

PLACES, WEIGHTS = np.array([-1.0, 0.0, 0.5, 2.0]), np.array([0.2, 0.3, 0.1, 0.4])
TRIANGLE = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
CHANGE = "the change on every second node"
SCHEDULES = (Linear(), Trigonometric(), Polynomial(2.5))


def _coefficients(schedule, t):
    return tuple(float(part) for part in schedule.coefficients(t))


def _shares(z, n):
    """P(x₁ = y_i | x₀ = z) (N,k)."""
    cumulative = np.concatenate([[0.0], np.cumsum(WEIGHTS)])
    cumulative[-1] = 1.0
    return np.diff([assignment_probability(ndtr(z), w, n) for w in cumulative], axis=0)


def _on_the_line(n, schedule, t, step):
    """Loss, error of the field, and floor, by a trapezoid rule of this step in the noise, and in x/α."""
    alpha, beta, fall, rise = _coefficients(schedule, t)
    v = ExactField(FiniteAtoms.on_line(PLACES, WEIGHTS), schedule).velocity
    z = np.arange(-9.0, 9.0, step)
    mass, loss = step * normal.pdf(z) * _shares(z, n), 0.0
    for y, m in zip(PLACES, mass, strict=True):
        loss += float(m @ (fall * z + rise * y - v(t, (alpha * z + beta * y)[:, None])[:, 0]) ** 2)
    x = np.arange(alpha * -9 + beta * PLACES[0], alpha * 9 + beta * PLACES[-1], alpha * step)
    noise = (x - beta * PLACES[:, None]) / alpha
    parts = np.stack([step * normal.pdf(s) * _shares(s, n)[i] for i, s in enumerate(noise)])
    speeds, p = fall * noise + rise * PLACES[:, None], parts.sum(axis=0)
    mean = (parts * speeds).sum(axis=0) / np.where(p > 0, p, 1.0)
    error = p @ (mean - v(t, x[:, None])[:, 0]) ** 2
    return np.array([loss, float(error), float((parts * (speeds - mean) ** 2).sum())])


@pytest.mark.claim("M8")
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("n", [1, 16])
def test_loss_splits_on_the_line(evidence, n, schedule):
    for t in (0.2, 0.7):
        fine, coarse = (_on_the_line(n, schedule, t, h) for h in (1 / 80, 1 / 40))
        change = np.abs(fine - coarse)
        alpha, beta, fall, rise = _coefficients(schedule, t)
        on = evidence.on("four atoms on the line", n=n, schedule=schedule, t=t)
        on.estimated(
            "|E|v⁽ⁿ⁾ − v|² + floor − E|ẋ_t − v_t|²|",
            abs(fine[1] + fine[2] - fine[0]),
            change.sum(),
            by=CHANGE,
            because="the loss splits; the kinks of v leave changes of 1e−8 and more, far above rounding",
            clause="splitting",
        )
        cost = expected_cost(FiniteAtoms.on_line(PLACES, WEIGHTS), n)
        factor = (alpha * rise - fall * beta) ** 2 / (2 * alpha * beta)
        on.estimated(
            "E|ẋ_t − v_t|²",
            fine[0],
            factor * (cost.excess + cost.error) + change[0],
            by=CHANGE,
            because="(αβ̇−α̇β)²/(αβ)·(c_n − W₂²)/2",
            clause="bound",
            kind="inequality",
        )


@pytest.mark.claim("M8")
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_loss_splits_in_the_plane(evidence, schedule):
    """Three atoms, pairs as drawn: the field of n = 1 and its floor by their own formulas."""
    weights, t = np.array([0.2, 0.3, 0.5]), 0.4
    target = FiniteAtoms(TRIANGLE, [0.0, 0.25, -0.125])
    alpha, beta, fall, rise = _coefficients(schedule, t)
    v, single = ExactField(target, schedule), IndependentField(TRIANGLE, weights, schedule)
    results = []
    for step in (0.1, 0.2):
        line = np.arange(-6.0, 6.0, step)
        z = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
        mass = step**2 * normal.pdf(z).prod(axis=1)
        loss, error, floor = 0.0, 0.0, 0.0
        for y, w in zip(TRIANGLE, weights, strict=True):
            x = alpha * z + beta * y
            here = v.velocity(t, x)
            loss += w * mass @ norm(fall * z + rise * y - here) ** 2
            error += w * mass @ norm(single.velocity(t, x) - here) ** 2
            floor += w * mass @ single.loss_floor(t, x)
        results.append(np.array([loss, error, floor]))
    change = np.abs(results[0] - results[1])
    evidence.on("three atoms in the plane", n=1, schedule=schedule, t=t).estimated(
        "|E|v⁽¹⁾ − v|² + floor − E|ẋ_t − v_t|²|, v the field of any potential on the atoms",
        abs(results[0][1] + results[0][2] - results[0][0]),
        change.sum(),
        by=CHANGE,
        because="Pythagoras, whatever v is; the kinks of v leave changes far above rounding",
        clause="splitting",
    )
