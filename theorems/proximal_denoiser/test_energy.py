"""P6, least action: the kinetic energy of the exact field is W₂², and what other schedules pay.

Assumed: the optimal coupling; the linear schedule. The cost is known by routes of its own (`known_costs`).
Controls: other schedules, with their excess energy in closed form; schedules outside H¹, of infinite energy.
"""

import numpy as np
import pytest

from numerics.accuracy import EPS, Rounding
from numerics.flows.exact import ExactField
from numerics.geometry import norms
from numerics.potentials import Sphere
from numerics.schedules import Linear, Polynomial, Trigonometric, VariancePreserving
from theorems.proximal_denoiser.known_costs import KNOWN_COSTS
from theorems.setting.interpolant import Interpolant

LEVEL = 1e-9
CIRCLE = Sphere(2, 2.0)
MEAN_LENGTH = np.sqrt(np.pi / 2)


@pytest.mark.claim("P6")
@pytest.mark.parametrize("known", KNOWN_COSTS, ids=lambda known: known.name)
def test_kinetic_energy_is_the_transport_cost(evidence, rng, known):
    """Benamou–Brenier: ∫E|v_t(x_t)|²dt = W₂², known by a route of its own."""
    n = 50_000
    field = ExactField(known.target, Linear())
    x0 = rng.standard_normal((n, known.target.dim))
    nodes, weights = np.polynomial.legendre.leggauss(4)
    at, weights = (nodes + 1) / 2, weights / 2
    speeds, own = zip(*(_mean_square(field, t, x0) for t in at), strict=True)
    evidence.on(known.target, n=n).statistical(
        f"|kinetic energy − W₂²|, {known.name}",
        abs(weights @ speeds - known.cost),
        threshold=known.deviation(n, -1.0, 1.0, LEVEL) + max(own),
        level=LEVEL,
        because="the speed is |x₁ − x₀| at every time, but for its stated rounding: χ² for |x₀|², Gaussian"
        " concentration for φ*, Hoeffding for what atoms fix",
        points=n,
        clause="energy",
    )


def _mean_square(field, t, x0):
    """The mean of |v_t(x_t)|² over noise, and what it errs by: v at a place that is off, and its squares."""
    n, d = x0.shape
    along = Interpolant(field.potential, field.schedule, x0, 1 - t)
    speed = field.velocity(t, field.flow(t, x0))
    off = np.broadcast_to(field.roundings.velocity(t, along.xt, moved=along.of_path.bound).bound, (n,))
    mean = float((speed**2).sum(axis=1).mean())
    of_square = (off * (2 * norms(speed) + off)).mean()
    return mean, float(of_square + Rounding(mean, n + d + 8, "squares, their sum in any order").bound)


# --- controls -----------------------------------------------------------------------------------------


def _energy(schedule, remaining, weights, nodes):
    """∫ E|v_t(x_t)|² over given times on the circle, the noise's length integrated by Gauss–Legendre."""
    field = ExactField(CIRCLE, schedule)
    r, w = np.polynomial.legendre.leggauss(nodes)
    r, w = 6 * (r + 1), 6 * w
    density = w * r * np.exp(-(r**2) / 2)
    x0 = np.stack([r, 0 * r], axis=1)
    total = 0.0
    for r, weight in zip(remaining, weights, strict=True):
        xt = field.flow(None, x0, remaining=r)
        total += weight * density @ (field.velocity(None, xt, remaining=r) ** 2).sum(axis=1)
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
