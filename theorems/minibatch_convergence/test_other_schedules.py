r"""M1 and M4 under other schedules than the linear one: fields of batches and of pairs as drawn, in mpmath.

Derivation. E[α̇x₀ + β̇x₁ | x_t = x] = (α̇/α)x + (β̇ − α̇β/α)Σ_i p_i(x)y_i, the posterior p_i in proportion to
φ_N((x − βy_i)/α) and to the weight w_i, or for batches of two atoms to G_n(Φ(z_i), w) and 1 − G_n, here by
the sum over both binomials. Sixty digits, whose coefficients and exponentials share nothing with the library.
Assumed: finitely many atoms. Controls: the linear schedule's factor.
"""

import mpmath as mp
import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.independent import IndependentField
from numerics.schedules import Linear, Polynomial, Trigonometric, VariancePreserving
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.setting.exact_schedules import EXACT
from theorems.setting.vectors import norm

POINTS = np.array([[0.0, 0.5], [2.0, -1.0], [-1.0, 1.5]])
WEIGHTS = np.array([0.25, 0.25, 0.5])
PAIR, SHARE = np.array([[0.0, 1.0], [2.0, 0.0]]), 0.3
SCHEDULES = (Linear(), Trigonometric(), Polynomial(2.5), VariancePreserving())
TIMES = (0.125, 0.5, 0.875)


def _field(x, t, schedule, points, shares):
    """The field and the floor (d + 1,) at x (d,), shares(i, noise) the weight of label i at the noise."""
    with mp.workdps(60):
        alpha, beta, fall, rise = EXACT[schedule](1 - mp.mpf(t))
        place, atoms = [mp.mpf(c) for c in x], [[mp.mpf(c) for c in y] for y in points]
        noise = [[(c - beta * b) / alpha for c, b in zip(place, y, strict=True)] for y in atoms]
        odds = [mp.exp(-mp.fsum(c * c for c in z) / 2) * shares(i, z) for i, z in enumerate(noise)]
        speeds = [
            [fall * c + rise * b for c, b in zip(z, y, strict=True)]
            for z, y in zip(noise, atoms, strict=True)
        ]
        total = mp.fsum(odds)
        mean = [mp.fsum(o * v[k] for o, v in zip(odds, speeds, strict=True)) / total for k in range(len(x))]
        floor = mp.fsum(
            o * mp.fsum((a - m) ** 2 for a, m in zip(v, mean, strict=True))
            for o, v in zip(odds, speeds, strict=True)
        )
        return np.array([*map(float, mean), float(floor / total)])


def _sizes(schedule, t, x, points):
    """|v| at most, the labels' factor |β̇ − α̇β/α|·diameter, and log-odds at most."""
    alpha, beta, fall, rise = (
        float(f(t)) for f in (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot)
    )
    far = np.linalg.norm(points, axis=1).max()
    return (
        (abs(fall) * (norm(x) + beta * far) / alpha + rise * far),
        abs(rise - fall * beta / alpha) * 2 * far,
        1 + ((norm(x) + beta * far) / alpha) ** 2,
    )


@pytest.mark.claim("M1")
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
def test_field_of_pairs_as_drawn_for_every_schedule(evidence, rng, schedule):
    field = IndependentField(POINTS, WEIGHTS, schedule)
    for t in TIMES:
        x = 1.5 * rng.standard_normal((20, 2))
        exact = np.array([_field(p, t, schedule, POINTS, lambda i, _: mp.mpf(WEIGHTS[i])) for p in x])
        speed, factor, odds = _sizes(schedule, t, x, POINTS)
        on = evidence.on("three atoms in the plane, pairs as drawn", schedule=schedule, t=t)
        on.bounded(
            "|v of independent pairs − the posterior mean of ẋ_t in 60 digits|",
            norm(field.velocity(t, x) - exact[:, :2]),
            Rounding(speed + factor * odds, 48, "coefficients, log-odds and a mean"),
            because="v is the conditional mean, whatever the schedule",
            clause="one pair",
        )
        on.bounded(
            "|floor of independent pairs − the posterior variance of ẋ_t in 60 digits|",
            np.abs(field.loss_floor(t, x) - exact[:, 2]),
            Rounding(factor**2 * (1 + odds), 96, "coefficients, log-odds and a difference of squares"),
            because="the conditional variance, whatever the schedule",
            clause="one pair",
        )


def _assigned(n):
    """G_n(Φ(z), w) or 1 − G_n of label i at the noise z, by the definition: Bin(n−1,u) < Bin(n,w)."""
    edge = PAIR[1] - PAIR[0]
    unit = edge / np.linalg.norm(edge)

    def law(count, p):
        return [mp.binomial(count, k) * p**k * (1 - p) ** (count - k) for k in range(count + 1)]

    def share(i, z):
        u = mp.ncdf(mp.fsum(mp.mpf(c) * s for c, s in zip(unit, z, strict=True)))
        first, data = law(n - 1, u), law(n, mp.mpf(SHARE))
        below = mp.fsum(p * mp.fsum(data[a + 1 :]) for a, p in enumerate(first))
        above = mp.fsum(p * mp.fsum(data[: a + 1]) for a, p in enumerate(first))
        return below if i == 0 else above

    return share


@pytest.mark.claim("M4")
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("n", [1, 5, 24])
def test_field_of_batches_for_every_schedule(evidence, rng, n, schedule):
    """Two atoms in the plane; on the support of π_n's interpolants and beyond them."""
    law = TwoAtomLaw(PAIR, SHARE, n, schedule)
    for t in TIMES:
        x = 1.5 * rng.standard_normal((8, 2))
        exact = np.array([_field(p, t, schedule, PAIR, _assigned(n)) for p in x])
        speed, _, _ = _sizes(schedule, t, x, PAIR)
        evidence.on("TwoAtomLaw", w=SHARE, n=n, schedule=schedule, t=t).bounded(
            "|v⁽ⁿ⁾ − the posterior mean of ẋ_t in 60 digits|",
            norm(law.velocity(t, x) - exact[:, :2]),
            law.velocity_rounding(t, x) + Rounding(speed, 16, "coefficients of the schedule"),
            because="v⁽ⁿ⁾ is the conditional mean under π_n, whatever the schedule",
        )


@pytest.mark.claim("M1")
@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@pytest.mark.parametrize("d", [2, 3])
def test_density_has_mass_one(evidence, d, schedule):
    """∫p_t = 1 in the plane and in space: what a factor of a dimension would change."""
    points = np.eye(d)[:2] * np.array([[1.0], [-0.5]])
    law = TwoAtomLaw(points, SHARE, 5, schedule)
    for t in TIMES[:2]:
        alpha, masses = float(schedule.alpha(t)), []
        for step in (alpha / 2, 2 * alpha / 3):
            reach = float(schedule.beta(t)) + 9 * alpha
            line = np.arange(-reach, reach + step, step)
            grid = np.stack(np.meshgrid(*[line] * d, indexing="ij"), axis=-1).reshape(-1, d)
            masses.append(float(law.density(t, grid).sum()) * (line[1] - line[0]) ** d)
        evidence.on("TwoAtomLaw", d=d, n=5, schedule=schedule, t=t).estimated(
            "|∫p_t − 1|",
            abs(masses[0] - 1),
            abs(masses[0] - masses[1]) + 1e-12,
            by="the trapezoid rule at two steps",
            because="both labels together have mass 1; tails and rounding",
            chosen="10⁻¹² for tails and rounding",
            clause="marginals",
        )


@pytest.mark.control("M4")
@pytest.mark.parametrize("schedule", [Trigonometric(), Polynomial(2.5)], ids=repr)
def test_factor_of_the_linear_schedule(evidence, rng, schedule):
    """The floor with 1/(1−t)² in place of (β̇ − α̇β/α)²: their ratio, at every x."""
    t, x = 0.5, rng.standard_normal((20, 2))
    field = IndependentField(POINTS, WEIGHTS, schedule)
    alpha, beta, fall, rise = (
        float(f(t)) for f in (schedule.alpha, schedule.beta, schedule.alpha_dot, schedule.beta_dot)
    )
    posterior = field.posterior(t, x)
    spread = posterior @ (POINTS**2).sum(axis=1) - ((posterior @ POINTS) ** 2).sum(axis=1)
    evidence.on("three atoms in the plane", schedule=schedule, t=t).control(
        "the linear schedule's factor for the floor: stated over true",
        predicted=1 / ((1 - t) ** 2 * (rise - fall * beta / alpha) ** 2),
        measured=float((spread / (1 - t) ** 2).sum() / field.loss_floor(t, x).sum()),
        agreement=1e-12,
        because="the factor is (β̇ − α̇β/α)²; rounding of 20 sums",
        intact=1.0,
    )
