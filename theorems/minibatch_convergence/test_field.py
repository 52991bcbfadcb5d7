"""M4: flux, energy and loss floor of the batch field tend to those of the population, in the two-atom model.

The fields themselves do so outside the gap only, where population interpolants lie; inside they tend to a
step (N2). Everything is an integral over one coordinate, by quadrature with its error. The bound of the floor
is Hoeffding's: it falls exponentially at every t in (0,1), as the labels' interpolants lie apart. Control:
the independent coupling, whose floor no batch size lowers.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import strategies as st
from scipy.special import ndtr

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.flows.independent import IndependentField
from numerics.potentials import FiniteAtoms
from numerics.transport.minibatch import expected_cost
from numerics.transport.two_atoms import TwoAtomLaw
from theorems.minibatch_convergence.field_errors import RESOLUTIONS
from theorems.minibatch_convergence.figures import draw_fields
from theorems.setting.fits import last_slope
from theorems.setting.grammar import schedules
from theorems.setting.quantifiers import for_all

TIMES = (0.1, 0.3, 0.5, 0.7, 0.9)
weights = st.integers(1, 15).map(lambda k: k / 16)


@for_all(
    "M4",
    w=weights,
    n=st.integers(1, 300),
    distance=st.integers(1, 12).map(lambda k: k / 4),
    schedule=schedules(),
    t=st.sampled_from(TIMES),
)
def test_energy_is_the_cost_less_the_floor(evidence, w, n, distance, schedule, t):
    """E|ẋ_t|² = α̇² + β̇²Ex₁² + 2α̇β̇E⟨x₀,x₁⟩ (linear: c_n) tends to that of the optimal plan as c_n does."""
    law, target = TwoAtomLaw([[0.0], [distance]], w, n, schedule), FiniteAtoms.two([0.0], [distance], w)
    cost, energy, floor = expected_cost(target, n), law.energy(t), law.loss_floor(t)
    a_dot, b_dot = float(schedule.alpha_dot(t)), float(schedule.beta_dot(t))
    second = (1 - w) * distance**2
    whole, optimal = (
        a_dot**2 + b_dot**2 * second + a_dot * b_dot * (1 + second - c) for c in (cost.cost, cost.optimal)
    )
    size = (abs(a_dot) + abs(b_dot)) ** 2 * (1 + second)
    error = (
        energy.error
        + floor.error
        + abs(a_dot * b_dot) * max(cost.cost_error, cost.optimal_error)
        + Rounding(size, 12, "squares, products and sums, α̇ and β̇ being given").bound
    )
    on = evidence.on("TwoAtomLaw", w=w, n=n, distance=distance, schedule=schedule, t=t)
    on.estimated(
        "|E|v^{(n)}|² + floor − E|ẋ_t|²|: quadrature in x_t beside order statistics",
        abs(energy.value + floor.value - whole),
        error,
        by=RESOLUTIONS,
        because="the energy splits into that of the field and the floor",
        clause="energy",
    )
    on.estimated(
        "|E|v^{(n)}|² − E|v|²|",
        abs(energy.value - optimal),
        max(-a_dot * b_dot * cost.excess, floor.value) + error,
        by=RESOLUTIONS,
        because="they differ by −α̇β̇·excess − floor, and both terms are nonnegative and tend to 0",
        clause="energy",
    )


@for_all("M4", w=weights, schedule=schedules(), t=st.sampled_from(TIMES))
def test_loss_floor_is_below_hoeffdings_bound(evidence, w, schedule, t):
    """At most (β̇ − α̇β/α)²Δ² times the chance that noise δ/2 beyond b is matched as if before, or the reverse.

    δ = βΔ/α. For u > w, P(Bin(n−1,u) < Bin(n,w)) ≤ exp(−2(n−1)²(u−w)²/(4n−3)): n − 1 differences in
    [−1,1] and one count.
    """
    sizes, distance = np.array([4, 16, 64, 256]), 2.0
    floors = [TwoAtomLaw([[0.0], [distance]], w, int(n), schedule).loss_floor(t) for n in sizes]
    ratio = float(schedule.beta(t) / schedule.alpha(t))
    gain = (float(schedule.beta_dot(t)) - float(schedule.alpha_dot(t)) * ratio) ** 2 * distance**2
    b, half = TwoAtomLaw([[0.0], [distance]], w, 1).threshold, ratio * distance / 2
    beyond = [ndtr(b + half) - w, w - ndtr(b - half)]
    tail = sum(np.exp(-2 * (sizes - 1) ** 2 * s**2 / (4 * sizes - 3)) for s in beyond)
    evidence.on("TwoAtomLaw", w=w, schedule=schedule, t=t).estimated(
        "E Var(ẋ_t|x_t), n = 4 … 256",
        [f.value + f.error for f in floors],
        gain * (tail + EPS) + np.array([f.error for f in floors]),
        by=RESOLUTIONS,
        because="p⁰p¹/(p⁰+p¹) ≤ min(p⁰,p¹), split half way between the labels; Hoeffding; ε of rounding",
        clause="floor",
    )


@pytest.mark.claim("M4")
@pytest.mark.parametrize("t", TIMES)
def test_loss_floor_and_energy_beside_the_population(evidence, t):
    w, sizes = 0.3, [1, 4, 16, 64, 256]
    laws = [TwoAtomLaw([[0.0], [2.0]], w, n) for n in sizes]
    floors = [law.loss_floor(t) for law in laws]
    on = evidence.on("TwoAtomLaw", w=w, t=t)
    on.estimated(
        "floor at each size above that of the size before",
        np.diff([f.value for f in floors]),
        [f.error + g.error for f, g in pairwise(floors)],
        by=RESOLUTIONS,
        because="the field of a larger batch explains more",
        clause="floor",
    )
    on.table(
        f"two atoms, w = 0.3, Δ = 2, t = {t}",
        ["n", "loss floor", "energy", "c_n", "W₂²"],
        [
            [n, f.value, law.energy(t).value, c.cost, c.optimal]
            for n, f, law in zip(sizes, floors, laws, strict=True)
            for c in [expected_cost(FiniteAtoms.two([0.0], [2.0], w), n)]
        ],
    )


@pytest.mark.claim("M4")
@pytest.mark.parametrize("frequency", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_flux_converges_weakly(evidence, t, frequency):
    """∫f·(v^{(n)}p^{(n)} − v_t p_t) for f(x) = cos(kx + 1): order 1/n, as ∫(G_n − 1{u<w}) du = 0."""
    sizes, w, distance = [256, 1024, 4096], 0.3, 2.0
    errors = [_flux_error(w, distance, n, t, frequency) for n in sizes]
    slope, interval = last_slope(sizes, errors)
    on = evidence.on("TwoAtomLaw", w=w, t=t, frequency=frequency)
    on.trend(
        "log|∫f(flux_n − flux)| against log n, n = 256 … 4096",
        slope=slope,
        interval=interval,
        theory=-1.0,
        rule="interval contains theory",
        alternative=-0.5,
        points=3,
        clause="flux",
    )


def _flux_error(w, distance, n, t, frequency):
    """∫[h₀ − h₁](G_n − 1{u<w})φ_N dz, h_i = f(αz + βy_i)(y_i − z)."""
    law = TwoAtomLaw([[0.0], [distance]], w, n)

    def smooth(z, y):
        return np.cos(frequency * ((1 - t) * z + t * y) + 1) * (y - z)

    def integrand(z):
        return (
            (smooth(z, 0.0) - smooth(z, distance))
            * (law.probability(z) - (z < law.threshold))
            * np.exp(-(z**2) / 2)
            / np.sqrt(2 * np.pi)
        )

    return law.integrate(integrand).value


@pytest.mark.claim("M4")
def test_fields_beside_the_population(evidence):
    """The picture, and that the field of 256 differs from the population's only in the gap and near it."""
    t, w = 0.5, 0.3
    x = np.linspace(-2.0, 3.0, 1501)[:, None]
    laws = {n: TwoAtomLaw([[0.0], [2.0]], w, n) for n in (1, 4, 16, 64, 256, None)}
    fields = {n: law.velocity(t, x)[:, 0] for n, law in laws.items()}
    evidence.figure(
        "The field of a batch of n beside the population's: two atoms, w = 0.3, t = 0.5",
        "The fields of n = 1, 4, 16, 64, 256 join the population's outside the gap; inside they steepen"
        " into a step, while the population's prox field crosses it linearly",
        lambda figure: draw_fields(figure, x[:, 0], fields),
    )
    exact = ExactField(FiniteAtoms.two([0.0], [2.0], w)).velocity(t, x)[:, 0]
    noise = np.abs(x[:, 0]) / (1 - t) + laws[1].distance * t / (1 - t)
    evidence.on("TwoAtomLaw", n="population", t=t).bounded(
        "|v of the optimal plan − the prox field|, also in the gap between its interpolants",
        np.abs(fields[None] - exact),
        Rounding(
            noise / (1 - t),
            24,
            "α̇x₀ + β̇x₁ and the prox field, each a dozen operations of this size",
        ),
        because="the optimal plan's field is the prox field",
    )
    _away_from_the_gap(evidence, laws[256], t, x[:, 0], np.abs(fields[256] - fields[None]))


def _away_from_the_gap(evidence, law, t, x, apart):
    """In the gap no population interpolant lies: left of it all is label y₀, right of it y₁."""
    low = (1 - t) * law.threshold
    high, margin = low + t * 2.0, 0.4
    away = (x < low - margin) | (x > high + margin)
    # odds of the other label: those of the plan times the ratio of the noise densities
    noise = x[away] / (1 - t)
    shift = t * 2.0 / (1 - t)
    left = x[away] < low
    ratio = np.exp(np.where(left, -1, 1) * (noise * -shift + shift**2 / 2))
    wrong = np.where(left, 1 - law.probability(noise - shift), law.probability(noise))
    right = np.where(left, law.probability(noise), 1 - law.probability(noise - shift))
    evidence.on("TwoAtomLaw", n=256, t=t).bounded(
        "|v^{(256)} − v| away from the gap",
        apart[away],
        Rounding((2 + np.abs(noise)) / (1 - t), 32, "two fields, a dozen operations each, and the odds"),
        because="the field moves by Δ/(1−t) times the share of the other label, at most its odds",
        main=2.0 / (1 - t) * (wrong / right) * ratio,
        left_out=int((~away).sum()),
        chosen="places 0.4 and more beside the gap",
        kind="inequality",
    )


@pytest.mark.control("M4")
@pytest.mark.parametrize("t", TIMES[:4])
def test_independent_coupling_keeps_its_floor(evidence, t):
    """Any batch size, pairs as drawn: the floor of n = 1, by another route: posterior variance over p_t."""
    w, distance = 0.3, 2.0
    field = IndependentField([[0.0], [distance]], [w, 1 - w])
    x = np.linspace(-9 * (1 - t), distance * t + 9 * (1 - t), 4001)
    density = sum(
        p * np.exp(-(((x - t * y) / (1 - t)) ** 2) / 2) / ((1 - t) * np.sqrt(2 * np.pi))
        for p, y in ((w, 0.0), (1 - w, distance))
    )
    values = density * field.loss_floor(t, x[:, None])
    fine, coarse = values.sum() * (x[1] - x[0]), values[::2].sum() * (x[2] - x[0])
    predicted = TwoAtomLaw([[0.0], [distance]], w, 1).loss_floor(t)
    evidence.on("IndependentField", w=w, t=t).control(
        "independent coupling: E Var(ẋ_t|x_t), whatever n is",
        predicted=predicted.value,
        measured=fine,
        agreement=predicted.error + abs(fine - coarse) + 64 * EPS * (distance / (1 - t)) ** 2,
        because="stated quadrature errors of two routes, and the rounding of a variance Δ²/(1−t)²",
    )
