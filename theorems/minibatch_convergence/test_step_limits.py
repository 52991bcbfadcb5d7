r"""N2: what the step of the field converges to: its place, its height, its slope.

Derivation. By the local limit theorem for A − B the tilted sums are 1/((ρ₀ − 1)√(4πnp₀(1−p₀))) and
1/((1 − ρ₁)√(4πnp₁(1−p₁))) in the limit: near x* the log-odds are 2nD + c + o(1), so the switch is at
x* − c/(2nD'), and the share's slope there is a quarter of 2n|D'|. On compacts that leave x* out v^(n) tends
to the step, from which the prox field differs most beside x*: by J(1 − q) after a share q of the gap, or Jq.

Controls: the optimal plan's field, which has slope β̇/β in the gap; pairs as drawn, whose log-odds have slope
−βΔ/α² at every x.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS
from theorems.minibatch_convergence.figures import draw_step
from theorems.minibatch_convergence.step import Step
from theorems.setting.fits import last_slope

SIZES = (16, 64, 256, 1024, 4096, 16384, 65536)
STEP = Step()  # atoms at 0 and 2, w = 0.3, t = 0.5, linear
# The digits that docs/theory.md states: place of the switch, n(switch − x*), slope of the share part over n.
STATED = {
    16: (0.223394, 0.6341, 1.28664),
    64: (0.196888, 0.8401, 1.02614),
    256: (0.187361, 0.9213, 0.94807),
    1024: (0.184685, 0.9452, 0.92716),
    4096: (0.183994, 0.9514, 0.92183),
    16384: (0.183820, 0.9530, 0.92049),
    65536: (0.183776, 0.9534, 0.92015),
}


@pytest.mark.claim("N2")
def test_place_and_slope_of_the_step(evidence):
    """Asymptotics to n = 65536, by two routes: exact sums, and the local limit theorem's constants."""
    places = np.array([STEP.switch(n) for n in SIZES])
    moved = np.array(SIZES) * (places - STEP.place)
    slopes = np.array([_slope(STEP, n, x) for n, x in zip(SIZES, places, strict=True)]) / SIZES
    on = evidence.on("two atoms, w = 0.3, Δ = 2, t = 0.5")
    rows = (
        ("n(switch − x*) + c/(2D'(x*))", moved - STEP.shift, "place"),
        ("slope/n − J|D'(x*)|/2", slopes - STEP.slope, "slope"),
    )
    for name, values, clause in rows:
        slope, interval = last_slope(SIZES[:6], values[:6])
        on.trend(
            f"log|{name}| against log n, n = 16 … 16384",
            slope=slope,
            interval=interval,
            theory=-1.0,
            rule="interval contains theory",
            alternative=-0.5,
            points=6,
            clause=clause,
        )
    found = np.stack([places, moved, slopes])
    stated = np.array([STATED[n] for n in SIZES]).T
    half = np.array([5e-7, 5e-5, 5e-6])[:, None] * (1 + 1e-6)
    on.estimated(
        "|switch, n(switch − x*), slope/n − the digits that docs/theory.md states|",
        np.abs(found - stated),
        np.broadcast_to(half, found.shape),
        by="roots to 1e−15, and differences of fourth order for slopes",
        because="the same numbers from another route, rounded to the digits printed: half a unit of the last",
        chosen="the digits that are printed",
        clause="place",
    )
    on.table(
        "the step of the field: w = 0.3, atoms at 0 and 2, t = 0.5",
        ["n", "switch", "n(switch − x*)", "slope of the step / n", "sup|v⁽ⁿ⁾ − v| over the gap"],
        [[n, *column, _largest(STEP, n)] for n, column in zip(SIZES, found.T, strict=True)]
        + [["limit", STEP.place, STEP.shift, STEP.slope, _limit_of_largest(STEP)]],
    )


def _slope(case, n, place):
    """J/4 times the slope of the log-odds where they are even, by Richardson's central difference."""
    law, h = case.law(n), 1e-3 / n
    ways = np.array([-2.0, -1.0, 1.0, 2.0])
    odds = law.log_odds(case.t, (place + h * ways)[:, None])
    return case.height * abs(8 * (odds[2] - odds[1]) - (odds[3] - odds[0])) / (12 * h) / 4


def _limit_of_largest(case):
    return case.height * max(case.share, 1 - case.share)


def _largest(case, n):
    """sup|v^(n) − v| on places of the gap that are dense about the switch, on the scale of 1/n."""
    low, high = case.gap
    near = case.switch(n) + np.linspace(-40, 40, 401) / n
    x = np.unique(np.clip(np.concatenate([np.linspace(low, high, 2001), near]), low, high))[:, None]
    return float(np.abs(case.law(n).velocity(case.t, x) - case.law(None).velocity(case.t, x)).max())


@pytest.mark.claim("N2")
@pytest.mark.parametrize("w", [0.1, 0.3, 0.5, 0.8])
def test_height_of_what_is_left(evidence, w):
    """sup|v^(n) − v| → J·max(q*, 1−q*), at the speed (log n)/n."""
    case, sizes = Step(w=w), np.array([256, 1024, 4096, 16384])
    missing = np.array([_limit_of_largest(case) - _largest(case, int(n)) for n in sizes])
    low, high = case.gap
    # x* ± (log n)/(n|D'|) has odds n² or more to one, within O(1): what is missing there is the move, and 1/n
    reach = case.height * ((np.log(sizes) / abs(case.fall) + abs(case.shift)) / (high - low) + 4) / sizes
    evidence.on(case).estimated(
        "|J·max(q*, 1−q*) − sup|v^{(n)} − v||, n = 256 … 16384",
        np.abs(missing),
        reach,
        by="odds about x* by the local limit theorem, whose remainder is O(1/n)",
        because="v moves by J over the width of the gap, the step by J within O((log n)/n) of x*",
        chosen="4/n for the remainder and for what is missing of the step",
        points=len(sizes),
        clause="height",
    )


@pytest.mark.claim("N2")
@pytest.mark.parametrize("case", [STEP, Step(w=0.8, t=0.3)], ids=repr)
def test_labels_are_decided_at_exponential_rates(evidence, case):
    """Log-odds over n tend to 2D in the gap, to −2log b(u₁) left of it and to 2log b(u₀) right of it."""
    low, high = case.gap
    x = np.array([low - 0.2, low, (low + case.place) / 2, (high + case.place) / 2, high, high + 0.2])
    first, second = case.log_b(x)
    rates = 2 * np.array([*-second[:2], *(first - second)[2:4], *first[4:]])
    odds = np.array([case.law(n).log_odds(case.t, x[:, None]) for n in (4096, 8192, 16384)])
    # between n and 2n the constant cancels, ½ log n leaves (log 2)/(2n), and O(1/n) of the next order
    local = np.diff(odds, axis=0) / np.array([4096, 8192])[:, None]
    on, names = (
        evidence.on(case),
        ("left of the gap", "its left end", "inside", "inside", "its right end", "right"),
    )
    for name, place, slope, before, rate in zip(names, x, local[1], local[0], rates, strict=True):
        reach = 2 * abs(slope - before)
        on.trend(
            f"log-odds of the labels against n, {name}, x = {place:.4f}",
            slope=slope,
            interval=(slope - reach, slope + reach),
            theory=rate,
            rule="interval contains theory",
            chosen="twice the last change of slope; half of it is left of the remainder",
            points=3,
            clause="labels in the gap" if low < place < high else "outside the gap",
        )


@pytest.mark.claim("N2")
def test_picture_of_the_step(evidence):
    low, high = STEP.gap
    x = np.linspace(low - 0.25, high + 0.25, 1201)
    sizes = (1, 4, 16, 64, 256, 1024, 4096)
    fields = {n: STEP.law(n).velocity(STEP.t, x[:, None])[:, 0] for n in (*sizes, None)}
    ends = STEP.law(64).ends(STEP.t, x[:, None])[1][..., 0]
    limit = np.where(x < STEP.place, ends[0], ends[1])
    away = (np.abs(x - STEP.place) > 0.1) & (x > low + 0.05) & (x < high - 0.05)
    least, most, rounding = STEP.bounds(x[away], 4096)
    odds = np.exp(np.minimum(np.where(x[away] < STEP.place, -least, most), 0.0))
    evidence.on("two atoms, w = 0.3, Δ = 2, t = 0.5", n=4096).bounded(
        "|v^{(4096)} − the step| in the gap, 0.1 beside x*",
        np.abs(fields[4096] - limit)[away],
        STEP.law(4096).velocity_rounding(STEP.t, x[away][:, None])
        + rounding.amplified(STEP.height * odds, "in an exponential"),
        because="J times the odds of the other label",
        main=STEP.height * odds,
        points=int(away.sum()),
        left_out=int((~away).sum()),
        chosen="places 0.1 and more from x*, 0.05 and more inside the gap",
        clause="labels in the gap",
        kind="inequality",
    )
    evidence.figure(
        "In the gap the field of batches tends to a step, not to the prox field: two atoms, w = 0.3, t = 0.5",
        "Fields of n = 1 to 4096 from x = −0.51 to 0.99; outside the shaded gap they join the population's;"
        " inside they steepen into a jump at x* = 0.184, where the prox field crosses as a straight line",
        lambda figure: draw_step(figure, x, fields, limit, STEP.gap, STEP.place),
    )


# --- controls -----------------------------------------------------------------------------------------------


@pytest.mark.control("N2")
@pytest.mark.parametrize("case", [STEP, Step(w=0.8, t=0.3), Step(places=(-1.0, 3.0), t=0.9)], ids=repr)
def test_prox_field_has_no_step(evidence, case):
    """Across the gap it attains P5's bound β̇/β, which the batch's slope leaves by order n."""
    low, high = np.array(case.gap) + 1e-3 * np.array([1, -1])
    whole = case.law(None)
    values, stated = (f(case.t, [[low], [high]]) for f in (whole.velocity, whole.velocity_rounding))
    _, beta, _, rise = case.coefficients
    alpha, _, fall, _ = case.coefficients
    evidence.on(case).control(
        "the optimal plan instead of batches of 256: slope in the gap",
        predicted=rise / beta,
        measured=(values[1, 0] - values[0, 0]) / (high - low),
        agreement=2 * float(stated.bound.max()) / (high - low) + 8 * EPS * abs(rise / beta),
        because="prox goes from atom to atom linearly across the gap; rounding of two values",
        intact=fall / alpha + _slope(case, 256, case.switch(256)),
    )


@pytest.mark.control("N2")
@pytest.mark.parametrize("t", [0.3, 0.5, 0.7])
def test_pairs_as_drawn_have_no_step(evidence, t):
    """N = 1: log-odds log w/(1−w) + log φ_N(z₀)/φ_N(z₁), of slope −βΔ/α² at every x."""
    case = Step(t=t)
    alpha, beta, *_ = case.coefficients
    law, h = case.law(1), 0.01
    x = np.array([[0.2 - h], [0.2 + h]])
    odds, stated = law.log_odds(t, x), law.log_odds_rounding(t, x).bound.max()
    evidence.on(case).control(
        "pairs as drawn instead of batches of 256: slope of the log-odds",
        predicted=-beta * 2.0 / alpha**2,
        measured=(odds[1] - odds[0]) / (2 * h),
        agreement=float(stated) / h,
        because="two normal densities; rounding of two values",
        intact=-4 * _slope(case, 256, case.switch(256)) / case.height,
    )
