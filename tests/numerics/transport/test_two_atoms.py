"""The field of two atoms everywhere: in the gap, where the density is far below rounding, and far out."""

import mpmath
import numpy as np
import pytest
from flint import arb, ctx

from numerics.intervals.balls import normal_below, normal_density
from numerics.intervals.matched_pair import assignment, label_odds
from numerics.schedules import Linear, Trigonometric
from numerics.transport.two_atoms import TwoAtomLaw

PLACES, WEIGHT, TIME = (0.0, 2.0), 0.3, 0.5


def _exact_velocity(n, x, w=WEIGHT, places=PLACES, t=TIME):
    """Linear schedule on the line, by full sums in balls of 200 bits and the exact weighted mean."""
    with ctx.workprec(200):
        alpha, beta = 1 - arb(t), arb(t)
        odds = label_odds(arb(x), alpha, beta, (arb(places[0]), arb(places[1])), arb(w), n)
        share = odds / (1 + odds)
        ends = [arb(y) - (arb(x) - beta * y) / alpha for y in places]
        return share * ends[0] + (1 - share) * ends[1]


@pytest.mark.parametrize(
    ("n", "count"), [(1, 41), (2, 41), (16, 41), (64, 41), (256, 41), (1024, 17), (4096, 7)]
)
def test_field_is_right_from_the_gap_to_far_out(n, count):
    """Where 1 − G_n is formed by a difference, it errs by 0.27 at n = 256 and has the wrong label at 512."""
    edges = [-30.0, -6.0, -0.262200, -0.2622, 0.15, 0.1847, 0.5, 0.7378, 7.0, 40.0]
    x = np.array([*np.linspace(-0.3, 0.8, count), *edges])
    law = TwoAtomLaw([[p] for p in PLACES], WEIGHT, n)
    found, stated = law.velocity(TIME, x[:, None])[:, 0], law.velocity_rounding(TIME, x[:, None]).bound
    for place, value, bound in zip(x, found, stated, strict=True):
        with ctx.workprec(200):
            assert abs(arb(value) - _exact_velocity(n, place)) <= arb(bound), place


@pytest.mark.parametrize(("n", "place"), [(65536, 0.18), (65536, 0.18376), (65536, 0.19), (10**6, 0.183762)])
def test_field_is_right_to_a_million(n, place):
    """Both labels have a share at the last place, 5·10⁻⁷ left of the switch; further off one has all."""
    law = TwoAtomLaw([[p] for p in PLACES], WEIGHT, n)
    found, stated = law.velocity(TIME, [[place]])[0, 0], law.velocity_rounding(TIME, [[place]]).bound[0]
    with ctx.workprec(200):
        assert abs(arb(found) - _exact_velocity(n, place)) <= arb(stated)
    assert stated < 1e-6


def test_balls_are_those_of_mpmath():
    """Of the oracle itself, by its own normal law and sums."""
    n, x = 40, 0.21
    with mpmath.workdps(40):
        z = [(mpmath.mpf(x) - TIME * y) / (1 - TIME) for y in PLACES]
        u = [mpmath.ncdf(s) for s in z]
        data = [
            mpmath.binomial(n, k) * mpmath.mpf(WEIGHT) ** k * (1 - mpmath.mpf(WEIGHT)) ** (n - k)
            for k in range(n + 1)
        ]
        noise = [[mpmath.binomial(n - 1, k) * r**k * (1 - r) ** (n - 1 - k) for k in range(n)] for r in u]
        below = sum(noise[0][a] * sum(data[a + 1 :]) for a in range(n))
        beyond = sum(noise[1][a] * sum(data[: a + 1]) for a in range(n))
        odds = mpmath.npdf(z[0]) * below / (mpmath.npdf(z[1]) * beyond)
    with ctx.workprec(200):
        found = label_odds(arb(x), arb(TIME), arb(TIME), (arb(0), arb(2)), arb(WEIGHT), n)
        assert abs(found / arb(mpmath.nstr(odds, 35)) - 1) < arb(10) ** -30


@pytest.mark.parametrize("schedule", [Linear(), Trigonometric()], ids=repr)
def test_odds_are_those_of_the_field_in_space(schedule):
    """Across e the labels' speeds agree, along e the field is their mean at the odds."""
    points = np.array([[0.3, -1.0, 0.5], [1.0, 1.0, 0.2]])
    law, x = TwoAtomLaw(points, 0.3, 40, schedule), np.random.default_rng(0).standard_normal((50, 3))
    _, speeds = law._ends(0.4, x)
    share = 1 / (1 + np.exp(-law.log_odds(0.4, x)))
    assert np.allclose(law.velocity(0.4, x), share[:, None] * speeds[0] + (1 - share)[:, None] * speeds[1])
    apart = (speeds[0] - speeds[1]) / np.linalg.norm(speeds[0] - speeds[1], axis=1)[:, None]
    assert np.allclose(np.abs(apart @ law.direction), 1)
    assert (np.diff(law.log_odds(0.4, np.linspace(-3, 3, 99)[:, None] * law.direction)) < 0).all()


@pytest.mark.parametrize(("n", "steps"), [(64, 128), (256, 512)])
def test_floor_of_large_batches_is_relatively_right(n, steps):
    """About b(u)^{2n}, far below eps, by a trapezoid rule in balls over the gap, where it lies."""
    law, step = TwoAtomLaw([[p] for p in PLACES], WEIGHT, n), 1 / steps
    with ctx.workprec(200):
        values = []
        for k in range(-512, 640):
            x = arb(k) * arb(step)
            odds = label_odds(x, arb(TIME), arb(TIME), (arb(0), arb(2)), arb(WEIGHT), n)
            z = x / arb(TIME)
            below = assignment(normal_below(z), arb(WEIGHT), n, normal_below(-z))[0]
            values.append(float(normal_density(z) * below / (1 + odds)))  # p⁰p¹/(p⁰+p¹), α = 1/2 of dx = αdz
    fine, coarse = (16 * sum(values[::k]) * k * step / TIME for k in (1, 2))
    floor = law.loss_floor(TIME)
    assert abs(floor.value - fine) <= floor.error + abs(fine - coarse)
    assert floor.error + abs(fine - coarse) < 1e-5 * fine


def test_bad_input_is_named():
    law = TwoAtomLaw([[0.0], [2.0]], 0.3, 4)
    with pytest.raises(ValueError, match="t: got shape"):
        law.velocity([0.5, 0.5], [[0.0]])
    with pytest.raises(ValueError, match="t: entry"):
        law.velocity(np.nan, [[0.0]])
    with pytest.raises(ValueError, match=r"x: got shape \(1, 2\)"):
        law.velocity_rounding(0.5, [[0.0, 1.0]])
    with pytest.raises(ValueError, match="x: entry"):
        law.velocity(0.5, [[np.inf]])
    with pytest.raises(ValueError, match="weight"):
        TwoAtomLaw([[0.0], [2.0]], np.nan, 4)
    with pytest.raises(ValueError, match="n: got None"):
        TwoAtomLaw([[0.0], [2.0]], 0.3, None).log_odds(0.5, [[0.0]])
