r"""P7 where formulas branch: schedules near both ends beside mpmath, and Dv and V at t = 0.

Assumed: the schedules of the library; φ\* differentiable for Dv at t = 0. The four coefficients are computed
again in 160 digits from their definitions, with t or 1 − t as it is given. Dv_0 is held to complex steps of
v_0, and V_0 to what convexity of φ\* says of its increments, so that neither believes its own formula.
Control: 1 − t formed where only t is given.
"""

import mpmath as mp
import numpy as np
import pytest
from hypothesis import strategies as st

from numerics.accuracy import COMPLEX, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.spectrum import complex_jacobian
from numerics.schedules import Linear, Trigonometric, VariancePreserving
from theorems.setting.draws import generator
from theorems.setting.exact_schedules import EXACT
from theorems.setting.quantifiers import ANALYTIC, SEEDS, TARGETS, for_all
from theorems.setting.values import Values
from theorems.setting.vectors import dot, norm

FINITE = Values(
    st.sampled_from([Linear(), Trigonometric(), VariancePreserving()]),
    Trigonometric(),
    (Linear(), Trigonometric()),
)
"""Those with finite rates at t = 0."""
EARLY = (0.0, 1e-100, 1e-12, 0.3, np.nextafter(0.5, 0.0), 0.5, 0.75, 1 - 2.0**-20)
LEFT = (1e-100, 1e-30, 1e-12, 0.1, np.nextafter(0.5, 0.0), 0.5, 0.75, 1 - 2.0**-20, 1.0)


def _parts(schedule, **at):
    return tuple(getattr(schedule, name)(**at) for name in ("alpha", "beta", "alpha_dot", "beta_dot"))


@pytest.mark.claim("P7")
@pytest.mark.parametrize("schedule", EXACT, ids=repr)
def test_schedules_near_both_ends(evidence, schedule):
    """Relative to each value: nothing is lost at either end, whichever of t and 1 − t is given."""
    for name, places, clause in (("t", EARLY, "start"), ("remaining", LEFT, "end")):
        found = np.array(_parts(schedule, **{name: np.array(places)}))
        with mp.workdps(160):
            left = [mp.mpf(p) if name == "remaining" else 1 - mp.mpf(p) for p in places]
            exact = [EXACT[schedule](r) for r in left]
            off = [
                [float(abs(mp.mpf(float(f)) - e)) for f, e in zip(c, col, strict=True)]
                for c, col in zip(found.T, exact, strict=True)
            ]
            size = [[float(abs(e)) for e in column] for column in exact]
        evidence.on(schedule, given=name).bounded(
            f"|α, β, α̇, β̇ − those of 160 digits|, given {name}",
            np.array(off),
            Rounding(np.array(size), 16, "relative: a subtraction, a power or a sine, and products"),
            because="the definitions, at the same t or 1 − t",
            clause=clause,
        )


@for_all("P7", target=ANALYTIC, schedule=FINITE, seed=SEEDS)
def test_jacobian_at_time_zero(evidence, target, schedule, seed):
    x = generator(seed).standard_normal((50, target.dim))
    fall, rise = (float(f(0.0)) for f in (schedule.alpha_dot, schedule.beta_dot))
    stepped = complex_jacobian(lambda _, y: fall * y + rise * target.transport(y), 0.0, x)
    found = ExactField(target, schedule).jacobian(0.0, x)
    evidence.on(target, schedule=schedule, seed=seed).bounded(
        "|Dv_0 of the library − complex steps of α̇₀x + β̇₀T(x)|",
        np.linalg.norm(found - stepped, axis=(1, 2)),
        target.roundings.transport_jacobian(x).amplified((1 + COMPLEX) * rise, "K and its complex steps")
        + Rounding(np.linalg.norm(stepped, axis=(1, 2)) + abs(fall) * np.sqrt(target.dim), 8, "α̇₀I + β̇₀K"),
        because="v_0 = β̇₀T + α̇₀Id, and complex steps have no truncation",
        clause="start",
    )


@for_all("P7", target=TARGETS, schedule=FINITE, seed=SEEDS)
def test_potential_at_time_zero(evidence, target, schedule, seed):
    """V_0 = α̇₀|x|²/2 + β̇₀φ*, by increments: φ* is convex with the gradient T, both taken from v_0."""
    rng, field = generator(seed), ExactField(target, schedule)
    x = rng.standard_normal((50, target.dim))
    ahead = x + 10.0 ** rng.uniform(-3, 0, (len(x), 1)) * rng.standard_normal(x.shape)
    fall, rise = (float(f(0.0)) for f in (schedule.alpha_dot, schedule.beta_dot))
    move = ahead - x
    here, there = (field.velocity(0.0, p) for p in (x, ahead))
    gained = field.velocity_potential(0.0, ahead) - field.velocity_potential(0.0, x)
    # V_0 − α̇₀|·|²/2 is convex: its increment lies between the two slopes.
    over = gained - dot(here, move) - fall * dot(move, move) / 2
    under = gained - dot(there, move) + fall * dot(move, move) / 2
    stated = target.roundings.conjugate(x) + target.roundings.conjugate(ahead)
    slopes = target.roundings.transport(x) + target.roundings.transport(ahead)
    squares = Rounding(
        (abs(fall) + rise) * (dot(x, x) + dot(ahead, ahead) + (norm(here) + norm(there)) * norm(move))
        + rise * (np.abs(target.conjugate(x)) + np.abs(target.conjugate(ahead))),
        target.dim + 8,
        "squares, products and sums",
    )
    rounding = stated.amplified(rise) + slopes.amplified(rise * norm(move)) + squares
    on = evidence.on(target, schedule=schedule, seed=seed)
    for name, excess in (("below its slope at x", -over), ("above its slope at x + δ", under)):
        on.bounded(
            f"increment of V_0 − α̇₀|·|²/2 {name}",
            np.maximum(excess, 0.0),
            rounding,
            because="β̇₀φ* is convex, and its gradient is v_0 − α̇₀x: the exact excess is ≤ 0",
            clause="start",
        )


@pytest.mark.control("P7")
@pytest.mark.parametrize("left", [1e-12, 1e-15])
def test_remaining_time_by_subtraction(evidence, left):
    """1 − t formed where t is a double next to 1: α is off by what t was rounded by."""
    t = 1.0 - left
    with mp.workdps(60):
        predicted = float(abs((1 - mp.mpf(t)) - mp.mpf(left)) / mp.mpf(left))
    evidence.on(Linear(), remaining=left).control(
        "1 − t formed from t near 1: relative error of α",
        predicted=predicted,
        measured=abs(float(Linear().alpha(t)) - left) / left,
        agreement=2 * float(Rounding(1.0, 2, "a quotient").bound),
        because="t is rounded to 2⁻⁵³, and 1 − t is then exact",
        intact=abs(float(Linear().alpha(remaining=left)) - left) / left,
        clause="end",
    )
