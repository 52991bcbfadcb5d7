"""L3: what a network must get wrong as t → 1.

Its derivatives are bounded, where the exact field has −1/(1−t); and at t = 1 the data point has forgotten how
long the noise was. Assumed: a multilayer perceptron with SiLU; the circle for the floor. Controls: the exact
field, which breaks the bound; t = 1/2, where there is no floor.
"""

import numpy as np
import pytest

from numerics.accuracy import Rounding
from numerics.flows.spectrum import jacobian
from theorems.learned_flows.circle import (
    EQUAL,
    FIELD,
    LONG,
    PAPER,
    TARGET,
    TERMINAL_FLOOR,
    field_error,
    network,
)
from theorems.learned_flows.figures import draw_errors
from theorems.learned_flows.learned_spectra import TOLERANCE, lipschitz, log_growth

N, LEVEL = 40_000, 1e-10
NETWORKS = (("exact", LONG), (f"minibatch {PAPER}", EQUAL))
TIMES = np.concatenate([np.linspace(0, 0.9, 19), np.linspace(0.91, 1, 10)])
networks = pytest.mark.parametrize(("coupling", "steps"), NETWORKS)


@pytest.mark.claim("L3")
@networks
def test_rescaled_jacobian_vanishes(evidence, rng, device, coupling, steps):
    """Where (1−t)L = 1/2 it is proved to be at most 1/2, while the exact normal eigenvalue is −1."""
    learned = network(coupling, steps, device=device)
    bound = lipschitz(learned)
    x0, _ = TARGET.sample(500, rng)
    for share in (0.5, 0.05, 0.005):
        remaining = share / bound
        found = learned.jacobian(None, FIELD.flow(None, x0, remaining=remaining), remaining=remaining)
        evidence.on(f"circle, {coupling} pairs", steps=steps, remaining=remaining, lipschitz=bound).bounded(
            "|(1−t)Dv_θ|",
            remaining * np.linalg.norm(found, 2, axis=(1, 2)),
            _of_network(learned, share),
            because="|Dv_θ| ≤ L: the product of the layers' norms and sup|SiLU'| < 1.1; main term (1−t)L",
            main=share,
            clause="slope",
        )


@pytest.mark.claim("L3")
@networks
def test_growth_stops_before_the_end(evidence, rng, device, coupling, steps):
    """Log σᵢ(DX_t) has a limit, so (1/τ) log σᵢ → 0 for every i; the exact flow's falls like −τ on N."""
    learned = network(coupling, steps, device=device)
    bound, share = lipschitz(learned), 0.05
    x0, _ = TARGET.sample(100, rng)
    before, end = log_growth(learned, x0, np.array([1 - share / bound, 1.0]))
    evidence.on(f"circle, {coupling} pairs", steps=steps, remaining=share / bound).estimated(
        "|log σᵢ(DX_1) − log σᵢ(DX_t)|, t = 1 − 1/(20L)",
        np.abs(end - before).max(axis=1),
        share,
        by=f"integrators of tolerance {TOLERANCE:g}",
        because="∫|Dv_θ| ≤ (1−t)L along a path, and σᵢ(AB) ≤ |A|σᵢ(B)",
        clause="exponents",
    )


def _of_network(learned, share):
    """Of a product of layers: as many roundings a layer as it is wide, √width of norms each, 16 of SiLU'.

    Float64; the norms themselves, by LAPACK, to as many.
    """
    layers = [p.shape for p in learned.module.parameters() if p.ndim == 2]
    count = sum(max(shape) * np.sqrt(max(shape)) + 16 for shape in layers)
    return Rounding(share, 2 * float(count), "products of the layers and their norms")


@pytest.mark.claim("L3")
def test_error_at_the_end_has_a_floor(evidence, rng, device):
    """At t = 1 the field is a function of x₁, and |x₀| is independent of x₁: at least Var|x₀| is lost."""
    x0, x1 = TARGET.sample(N, rng)
    curves, rows = {}, []
    for coupling, steps in NETWORKS:
        learned = network(coupling, steps, device=device)
        lost = field_error(learned, 1.0, x0, x1)
        evidence.on(f"circle, {coupling} pairs", steps=steps).statistical(
            "(2 − π/2) − E|v_θ(1, x₁) − (x₁ − x₀)|²",
            TERMINAL_FLOOR - lost.mean(),
            TERMINAL_FLOOR - least_mean(N, LEVEL),
            LEVEL,
            because="Var|x₀| = 2 − π/2 in the plane; the root of n·mean is 1-Lipschitz in Gaussian noise, "
            "given the directions, for any field: Gaussian concentration and Poincaré's inequality",
            clause="floor",
        )
        name = f"{coupling} pairs, {steps} batches"
        curves[name] = np.array([field_error(learned, t, x0[:8000], x1[:8000]).mean() for t in TIMES])
        good = TIMES[curves[name] < TERMINAL_FLOOR / 2].max(initial=0.0)
        rows.append((name, curves[name].min(), float(good), curves[name][-1], TERMINAL_FLOOR))
    evidence.table(
        "What the network gets wrong near t = 1: it cannot know |x₀| any more, nor contract by 1/(1−t)",
        (
            "network",
            "least error over t",
            "below half the floor until t =",
            "error at t = 1",
            "floor 2 − π/2",
        ),
        rows,
    )
    evidence.figure(
        "Learned minus exact field on the circle, over t",
        "Mean squared difference of learned and exact field against t on a logarithmic axis: small in the "
        "middle, rising to the line 2 − π/2 at t = 1 for every network.",
        lambda figure: draw_errors(figure, TIMES, curves, TERMINAL_FLOOR),
    )


def least_mean(n, level):
    """What the mean of n losses at t = 1 is below with probability at most ``level``, for any field.

    Given the directions x₁/2, √(n·mean) = |(v_θ − x₁ + x₀)ᵢ| is a 1-Lipschitz function F of n Gaussian
    vectors whose lengths are |x₀|: P(F < EF − s) ≤ exp(−s²/2), EF² ≤ (EF)² + 1
    [@boucheron2013concentration], and EF² ≥ n(2 − π/2) is the floor.
    """
    return (np.sqrt(n * TERMINAL_FLOOR - 1) - np.sqrt(2 * np.log(1 / level))) ** 2 / n


# --- controls -----------------------------------------------------------------------------------------


@pytest.mark.control("L3")
def test_the_exact_field_breaks_the_bound(evidence, rng, device):
    """Differences of the exact field at a time where the network's (1−t)|Dv| is at most 1/10."""
    remaining = 0.1 / lipschitz(network("exact", LONG, device=device))
    x0 = TARGET.sample(200, rng)[0]
    x = FIELD.flow(None, x0, remaining=remaining)
    kink = remaining * np.linalg.norm(x0, axis=1)
    found = jacobian(lambda r, y: FIELD.velocity(None, y, remaining=r), remaining, x, kink / 4)
    normal = x0 / np.linalg.norm(x0, axis=1, keepdims=True)
    along = remaining * np.einsum("ni,nij,nj->n", normal, found.jacobian, normal)
    ends = Rounding(np.linalg.norm(x, axis=1), 32, "v over the smallest half-step, extrapolated")
    evidence.on("exact field of the circle", remaining=remaining).control(
        "a field whose derivative is not bounded: |(1−t)Dv| on the normal",
        predicted=1.0,
        measured=np.abs(along),
        agreement=np.minimum(remaining * found.error + ends.bound / (kink / 32), 0.01),
        because="H1: −1/(1−t) on N; extrapolated differences, and rounding of v over the smallest half-step; "
        "never more than 1/100",
        intact=0.1,
    )


@pytest.mark.control("L3")
def test_there_is_no_floor_in_the_middle(evidence, rng, device):
    """At t = 1/2 the interpolant tells |x₀| (P3), and the network learns it."""
    x0, x1 = TARGET.sample(N, rng)
    lost = field_error(network("exact", LONG, device=device), 0.5, x0, x1)
    evidence.on("circle, exact pairs", steps=LONG, t=0.5).control(
        "the floor of t = 1 asserted at t = 1/2: E|v_θ − v|²",
        predicted=0.0,
        measured=lost.mean(),
        agreement=TERMINAL_FLOOR / 20,
        because="x₀ is a function of x_t before t = 1",
        chosen="a twentieth of the floor, for what a network does not learn",
        intact=TERMINAL_FLOOR,
    )
